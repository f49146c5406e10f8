/* SPDX-License-Identifier: Apache-2.0 */
/* The factory's bench: checks what is to be written, and writes it with the
 * same core that will later read it. */
#ifndef BOARD_FACTORY_H
#define BOARD_FACTORY_H

#include "host/error.h"
#include "posix/config.h"
#include "posix/describe.h"

struct factory {
    bl_span root_document;
    bl_span envelope_bytes;
    bl_span image;
    struct bl_root root;
    struct bl_suit_envelope envelope;
    struct bl_suit_manifest manifest;
    struct bl_suit_fetch payload;
    const uint8_t *vendor_id;
    const uint8_t *class_id;
    char version[VERSION_TEXT];
};

/* Reads and checks; the bytes must live on. */
int factory_open(struct factory *factory, bl_span root, bl_span envelope,
                 bl_span image, struct error *err);
/* Where "bowline release" puts the image of the envelope in this file: in
 * payloads/ beside it, by its digest. Nothing is authenticated here. */
int factory_payload_path(const char *envelope_path, bl_span envelope,
                         char *out, size_t size, struct error *err);
/* Onto the erased chip of a device. */
int factory_write(const struct factory *factory, struct device_config *config,
                  struct error *err);

#endif
