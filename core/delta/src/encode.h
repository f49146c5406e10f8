/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The encoder's side of the codec, for diff/: sites over images in memory
 * (site.h, view.h) and the coder that turns a plan into a patch. The coder
 * decides nothing: operations, maps, settings come from the caller.
 */
#ifndef BL_DELTA_ENCODE_H
#define BL_DELTA_ENCODE_H

#ifndef BL_DELTA_ENCODE
#define BL_DELTA_ENCODE 1
#endif
#include "head.h"
#include "member.h"
#include "place.h"
#include "site.h"

#define BL_LITERAL UINT32_MAX
/* Bytes of the new image `apart` bytes before, 1 .. BL_IMAGE_MAX. */
#define BL_AGAIN(apart) (BL_LITERAL - (apart))

/* The next `length` bytes of the new image: from `old` on, with references
 * rewritten, or new ones (old == BL_LITERAL), or the same as some before
 * (old == BL_AGAIN(...)). Length 0 is not allowed. */
struct bl_operation {
    uint32_t length;
    uint32_t old;
};

static inline bool bl_is_copy(const struct bl_operation *o)
{
    return o->old < BL_AGAIN(BL_IMAGE_MAX);
}

/* From `at` on (offset in the old image; for the RAM map an address), things
 * moved by `shift`, until the next entry. Sorted by `at`, each once. */
struct bl_move {
    uint32_t at;
    int32_t shift;
};

/* What stands in the head, beside sizes and checks. */
struct bl_settings {
    uint8_t table; /* 0 .. 15: size of the byte model (head.h) */
    bool in_place;
    uint8_t block;  /* in place: 1 << block bytes of a page */
    uint8_t slots;  /* in place: pages that may be saved at once */
    uint8_t stash;  /* in place: 16ths of a page, of pieces of more: 0 .. 15 */
    bool esp;       /* old regions come from the image's own headers */
    bool esp_short; /* ... of an ESP8266 */
    bool esp_tail;  /* checksum and hash behind the segments are recomputed:
                       the coder clears it where they are not right */
};

/* A deflate stream of the new image that is coded as one. */
struct bl_plan_member {
    uint32_t at;   /* in the new image */
    uint32_t size; /* its bytes */
    uint32_t old;  /* where its old stream is in the old image */
    bool alone;    /* it has none */
    const struct bl_member_unit *units;
    const struct bl_member_operation *operations; /* the last: 0 units */
};

/* In place: pages of the new image in the order in which they are written;
 * those that are not named are as in the old image already. */
struct bl_page {
    uint32_t page;
    uint8_t slot; /* its old bytes are saved there; BL_PLACE_NONE: are not */
    bool stash;   /* another stash from here on: */
    uint8_t pieces_n;
    uint32_t drop;                 /* bit of each piece that was in it: goes */
    const struct bl_piece *pieces; /* that come: of this page, or of the one
                                      that was in its slot before */
};

struct bl_plan {
    struct bl_view old, now; /* with data, regions, code */
    struct bl_code code;     /* of both */
    struct bl_settings settings;
    const struct bl_operation *operations; /* cover `now` wholly, in order */
    uint32_t operations_n;
    const struct bl_page *pages;
    uint32_t pages_n;
    const struct bl_plan_member *members; /* by `at`, none overlaps; what
                                             operations say there is moot */
    uint32_t members_n;
    const struct bl_move *map;
    uint32_t map_n;
    const struct bl_move *ram_map;
    uint32_t ram_map_n;
    uint8_t old_check[BL_DELTA_CHECK], new_check[BL_DELTA_CHECK];
};

enum bl_cost {
    BL_COST_HEAD, /* regions, base, RAM ranges in the stream too */
    BL_COST_MAP,  /* both maps */
    BL_COST_OPERATIONS,
    BL_COST_FLAGS,       /* "as predicted" */
    BL_COST_SITES,       /* which of several predictions */
    BL_COST_TARGETS,     /* targets said outright */
    BL_COST_DIFFERENCES, /* recent differences */
    BL_COST_MISSED,      /* changed units, byte by byte */
    BL_COST_LITERAL,
    BL_COST_MEMBERS,
    BL_COSTS
};

struct bl_costs {
    uint64_t bits256[BL_COSTS];    /* bits * 256 */
    uint32_t flags, sites, missed; /* units coded so */
    uint32_t ram;                  /* the decoder's, as bl_delta_head says */
    uint32_t bytes;                /* of the patch */
};

/* Bytes of memory that the decoder will want for this plan. */
uint32_t bl_encode_ram(const struct bl_plan *plan);

/* Bytes of working memory that bl_encode wants (aligned for uint64_t). */
size_t bl_encode_memory(const struct bl_plan *plan);

/* The patch, into `out`: BL_OK, costs->bytes of it; BL_BUFFER: longer than
 * `size`; BL_ARGUMENT: the plan cannot be (a mistake of the caller); BL_DELTA:
 * an instruction set that is not there. A plan without regions, RAM ranges,
 * maps, and with table 0, gets the shortest head. */
bl_status bl_encode(const struct bl_plan *plan, void *memory, uint8_t *out,
                    size_t size, struct bl_costs *costs) BL_MUST_CHECK;

#endif
