/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two images as the encoder sees them: bytes, where they are loaded, which
 * part is code, where RAM lies. Found from their own headers, or guessed.
 */
#ifndef DIFF_IMAGE_H
#define DIFF_IMAGE_H

#include <string.h>

#include "diff/diff.h"
#include "encode.h"

struct image {
    const uint8_t *p;
    uint32_t n;
    uint32_t regions;
    struct bl_region region[BL_REGIONS];
};

enum image_kind { IMAGE_RAW, IMAGE_ELF, IMAGE_ESP };

/* How both images are read: one guess. */
struct layout {
    enum image_kind kind;
    bool esp_short; /* an ESP8266's */
    struct bl_code code;
    struct image old, now;
    const char *found; /* in words, static */
};

/* What is always tried last, and wants the least memory. */
static inline bool layout_is_plain(const struct layout *l)
{
    return l->code.isa == BL_DELTA_PLAIN && l->old.regions == 0;
}

/* What the walk over code wants to know. Points into `l`. */
struct bl_view layout_old(const struct layout *l);
struct bl_view layout_now(const struct layout *l);

static inline uint32_t image_u16(const struct image *i, uint32_t o)
{
    if (i->n < 2 || o > i->n - 2) {
        return 0;
    }
    return (uint32_t)i->p[o] | (uint32_t)i->p[o + 1] << 8;
}

static inline uint32_t image_u32(const struct image *i, uint32_t o)
{
    if (i->n < 4 || o > i->n - 4) {
        return 0;
    }
    return image_u16(i, o) | image_u16(i, o + 2) << 16;
}

/* One region, the whole image. */
void image_whole(struct image *i, uint32_t address, bool code);

/* Each fills regions and what else it finds, or returns false. */
bool elf_detect(struct layout *l);
bool esp_detect(struct layout *l);

enum { DETECT_TRIES = 6 };

/*
 * The layouts to try for these images and options, the likely first, at least
 * one; plain data is always the last.
 */
uint32_t detect(const uint8_t *from, uint32_t from_size, const uint8_t *to,
                uint32_t to_size, const struct diff_options *options,
                struct layout out[DETECT_TRIES]);

#endif
