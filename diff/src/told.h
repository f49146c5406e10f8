/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a patch tells its decoder: the plan that it was made from, taken out
 * again by running the device's decoder step by step. Plain numbers only: this
 * header is read by both compilations of core/delta/src.
 */
#ifndef DIFF_TOLD_H
#define DIFF_TOLD_H

#include "host/buffer.h"

struct told_operation {
    uint32_t length, old;
    bool literal;
    uint32_t again; /* a literal that stood so far before; or 0 */
};

struct told_operations {
    struct told_operation *o;
    uint32_t n, room;
};

/* A deflate stream; its operations count units, the last has 0 of them. */
struct told_member {
    uint32_t at, size; /* in the new image */
    uint32_t old;
    bool alone;
    struct told_operations operations;
};

struct told_move {
    uint32_t at;
    int32_t shift;
};

struct told_region {
    uint32_t offset, address, length, kind;
};

enum { TOLD_REGIONS = 15, TOLD_RAMS = 2 };

struct told {
    uint8_t isa, table;
    bool in_place, pic, esp, esp_short, esp_tail;
    uint32_t rams, ram[TOLD_RAMS][2];
    uint32_t regions[2]; /* of the old, of the new image */
    struct told_region region[2][TOLD_REGIONS];
    struct told_move *map[2]; /* of the image, of RAM */
    uint32_t map_n[2];
    struct told_operations operations; /* members' bytes count as new */
    struct told_member *members;
    uint32_t members_n, members_room;
};

/* `out` begins zeroed and is freed by told_free, also when this failed; `to`
 * gets the new image. */
int told_read(const uint8_t *from, size_t from_size, const uint8_t *patch,
              size_t patch_size, struct told *out, struct buffer *to,
              struct error *error);
void told_free(struct told *t);

#endif
