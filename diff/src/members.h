/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deflate streams in an image: gzip files, zlib streams (squashfs among
 * them), ZIP entries. Each is taken apart by the device's own reader and is
 * listed only when the device's own writer makes the same bits of it again,
 * and when its checksum says that it is one.
 */
#ifndef DIFF_MEMBERS_H
#define DIFF_MEMBERS_H

#include "host/error.h"
#include "member.h"

struct member {
    uint32_t at;       /* of the deflate stream, in the image */
    uint32_t size;     /* its bytes */
    uint32_t inflated; /* bytes */
    uint32_t name;     /* hash of the name in a gzip or ZIP head; 0: none */
    uint32_t first;    /* unit, of the list's `units` */
    uint32_t units;
};

struct members {
    struct member *m; /* by `at`; no two overlap */
    uint32_t n, room;
    struct bl_member_unit *units;
    uint32_t units_n, units_room;
};

enum { MEMBER_LEAST = 40 }; /* bytes of a stream that is worth it */

#define MEMBER_ALONE UINT32_MAX
#define MEMBER_SAME (UINT32_MAX - 1)

/* All of them, into an empty list. */
int members_find(const uint8_t *image, uint32_t n, struct members *out,
                 struct error *error);
void members_free(struct members *list);

/* The units of the stream at `at`, to be freed; NULL: none, or no memory. */
struct bl_member_unit *members_units(const uint8_t *image, uint32_t n,
                                     uint32_t at, struct error *error);

/*
 * For each member of `now` that of `old` which is most like it, into
 * pair[now->n]: the same name counts most, then content. MEMBER_ALONE: none
 * is like it. MEMBER_SAME: the same bytes stand in the old image, so that it
 * is copied as it is.
 */
int members_pair(const uint8_t *old_image, const struct members *old,
                 const uint8_t *now_image, const struct members *now,
                 uint32_t *pair, struct error *error);

/* One byte for a unit, by which streams are aligned: distances are left out,
 * because they change with each edit before them. */
uint8_t unit_label(const struct bl_member_unit *u);

#endif
