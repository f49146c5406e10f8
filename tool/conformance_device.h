/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device in memory for the profile's vectors: two slots for "app", one of
 * them running and seen read-only as "app"/"active"; "stage", "radio" and
 * "cfg"/"net" once each. Payloads come from the vector.
 *
 * Deltas: a "device_state" with "active_image", the running image itself, has
 * its patches applied by the device's own decoder. The published vectors give
 * a digest only and a patch that stands for one: there the image with the
 * digest that the manifest asks for is taken from among the file's payloads,
 * and `played` says so. What that proves is order, conditions and digests.
 */
#ifndef CONFORMANCE_DEVICE_H
#define CONFORMANCE_DEVICE_H

#include "bowline/suit.h"
#include "conformance_private.h"

enum { DEVICE_COMPONENTS = 5, DEVICE_CAPACITY = 65536, DEVICE_VERSION = 8 };

struct device_image {
    bool present;
    uint8_t *bytes; /* DEVICE_CAPACITY */
    uint32_t size;
};

struct device {
    struct check *check;
    const json_t *payloads;
    uint8_t target; /* slot that an update writes */
    uint64_t sequence;
    uint8_t active_digest[32];
    uint32_t active_size;
    bl_span active; /* empty: only its digest is known */
    bool applied;   /* x-apply gave an image */
    bool played;    /* ... as a stand-in for a patch that is none */
    int32_t version[DEVICE_VERSION];
    struct device_image image[DEVICE_COMPONENTS];
    struct bl_suit_platform platform; /* its ctx is this struct */
};

/* From a vector's "device_state" and "payloads". */
void device_init(struct device *d, struct check *c, const json_t *vector);
/* Brings a payload into its component, with the checks of an installation. */
bl_status device_fetch(struct device *d, const struct bl_suit_fetch *fetch);
/* SHA-256 of what a component ("app", "cfg/net") now holds; false: nothing. */
bool device_digest(const struct device *d, const char *name,
                   uint8_t digest[32]);

#endif
