/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an uploaded envelope says, read and checked by core: the very code
 * that devices run. No I/O.
 */
#ifndef SERVER_RELEASE_H
#define SERVER_RELEASE_H

#include "bowline/suit.h"
#include "host/error.h"

enum { RELEASE_PAYLOADS = 8, RELEASE_VERSION = 64, RELEASE_COMPONENT = 96 };

struct release_payload {
    char component[RELEASE_COMPONENT]; /* "app", "cfg/net" */
    char uri[BL_SUIT_URI + 1];         /* "" when integrated */
    uint8_t sha256[32];
    uint32_t size;
};

struct release_facts {
    uint8_t manifest[32];
    uint64_t sequence;
    uint8_t vendor_id[16];
    uint8_t class_id[16];
    char version[RELEASE_VERSION]; /* "" when it says none */
    uint8_t signers;               /* mask of the root's keys */
    uint32_t n_payloads;
    struct release_payload payload[RELEASE_PAYLOADS];
};

/* Authenticates with the root's release role, scans, and reads out.
 * err->status says which step of core's refused it. */
int release_read(bl_span envelope, const struct bl_root *root,
                 const struct bl_crypto *crypto, struct release_facts *out,
                 struct error *err);

struct release_digests {
    /* Of the first component, for slots A and B: they differ when it is
     * linked for its slot. */
    uint8_t image[2][32];
    uint32_t n;
    uint8_t payload[RELEASE_PAYLOADS][32]; /* of all, in either slot */
};

/* For envelopes in the store, which were authenticated when they came. */
int release_digests(bl_span envelope, struct release_digests *out);

/* The least version that a device must run before it, by the manifest's own
 * version condition; "" when it has none. */
void release_minimum(bl_span envelope, char *out, size_t size);

/* "1.4-rc.1" of [1, 4, -1, 1]; -1 when it does not fit. */
int release_version_text(bl_span numbers, char *out, size_t size);

#endif
