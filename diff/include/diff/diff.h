/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making a Bowline delta (docs/DELTA.md). The tool and the update server use
 * it; devices only apply (bowline/delta.h). Deterministic: the same images and
 * options give the same patch on every machine. Any number of threads may make
 * patches at the same time; one call uses one thread.
 */
#ifndef DIFF_DIFF_H
#define DIFF_DIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bowline/delta.h"
#include "host/buffer.h"
#include "host/error.h"

enum { DIFF_DETECT = 255, DIFF_RAM = 12 * 1024, DIFF_REGIONS = 16 };

struct diff_options {
    uint32_t ram;  /* bytes that the decoder may use in all: 6, 8, 12, 16,
                      32 KB are the usual ones */
    uint32_t isas; /* bit n: the device's decoder has instruction set n */
    uint8_t isa;   /* enum bl_delta_isa, or DIFF_DETECT */
    bool has_base; /* `base` is given: load address of a raw image */
    uint32_t base;
    bool no_deflate; /* leave compressed members as they are */
    bool in_place;   /* for a device with one slot */
    uint32_t block;  /* erase block in bytes, for in_place */
    uint32_t spare;  /* erase blocks behind the image that may be used */
    uint8_t effort;  /* 0 fast .. 9 tries everything; 6 is usual */
    /* Called now and then with 0..1000 of 1000; false stops. NULL: not. */
    bool (*progress)(void *ctx, uint32_t permille);
    void *ctx;
};

/* The usual values: ram DIFF_RAM, all instruction sets, detection, effort 6.
 */
void diff_defaults(struct diff_options *options);

/* What a patch costs. */
struct diff_report {
    struct bl_delta_info info;
    uint32_t bytes;        /* of the patch */
    uint32_t copies;       /* copy operations */
    uint32_t copied;       /* bytes of the new image that they cover */
    uint32_t literal;      /* bytes that are new */
    uint32_t map, ram_map; /* entries */
    uint32_t members;      /* compressed members that were taken apart */
    uint32_t bits_head, bits_map, bits_operations, bits_flags, bits_targets,
        bits_differences, bits_missed, bits_literal, bits_members;
    const char *found; /* how the instruction set was found, static text */
};

/*
 * Makes the patch that turns `from` into `to`, into `*patch` (replaced), and
 * proves it by applying it with the device's own decoder. -1 with `error`:
 * stopped, images of 0 bytes or above 1 GB, options that cannot be (ram below
 * the smallest profile, in place in no safe order). `report` may be NULL.
 */
int diff_make(const uint8_t *from, size_t from_size, const uint8_t *to,
              size_t to_size, const struct diff_options *options,
              struct buffer *patch, struct diff_report *report,
              struct error *error);

/* Explains an existing patch: needs the old image. */
int diff_explain(const uint8_t *from, size_t from_size, const uint8_t *patch,
                 size_t patch_size, struct diff_report *report,
                 struct error *error);

/* Applies in memory; checks both digests in the head first and last. */
int diff_apply(const uint8_t *from, size_t from_size, const uint8_t *patch,
               size_t patch_size, struct buffer *to, struct error *error);

/* The same; `progress` is as that of diff_options. */
int diff_apply_watched(const uint8_t *from, size_t from_size,
                       const uint8_t *patch, size_t patch_size,
                       bool (*progress)(void *ctx, uint32_t permille),
                       void *ctx, struct buffer *to, struct error *error);

#endif
