/* SPDX-License-Identifier: Apache-2.0 */
/* A patch's head, and how much memory it asks for. */
#ifndef BL_DELTA_HEAD_H
#define BL_DELTA_HEAD_H

#include "view.h"

/* What patches of few bytes have comes first: it takes one byte. */
enum bl_head_flag {
    BL_HEAD_SAME = 1,    /* both images have one size */
    BL_HEAD_SMALL = 2,   /* no regions, no maps, least tables */
    BL_HEAD_ONE = 4,     /* one region in each image */
    BL_HEAD_RAM_MAP = 8, /* its entries are counted in the head */
    BL_HEAD_IN_PLACE = 16,
    BL_HEAD_DEFLATE = 32,
    BL_HEAD_PIC = 64,
    BL_HEAD_ESP = 128,       /* old regions from the image's own headers */
    BL_HEAD_ESP_SHORT = 256, /* ESP8266: they begin at 8, not at 24 */
    BL_HEAD_SUM = 512,       /* ESP checksum is recomputed */
    BL_HEAD_HASH = 1024,     /* and the SHA-256 behind it */
    BL_HEAD_ALL = 2047
};

enum {
    BL_IMAGE_MAX = 1 << 30,
    BL_TABLE_MAX = 15,
    BL_MAP_MAX = 65535,
    BL_BLOCK_MIN = 8, /* 256 bytes */
    BL_BLOCK_MAX = 20,
    BL_STASH_MAX = 15
};

struct bl_head {
    uint8_t isa;
    uint16_t flags; /* enum bl_head_flag */
    uint8_t table;
    uint8_t regions[2]; /* of the old and the new image */
    uint8_t block;      /* in place: 1 << block bytes of an erase block */
    uint8_t slots;      /* in place: blocks that old pages are saved in */
    uint8_t stash;      /* in place: 16ths of a block, for pieces of them */
    uint32_t map[2];    /* entries: of the image's, of the RAM's map */
    uint32_t size[2];   /* of the old and the new image */
    uint8_t check[2][BL_DELTA_CHECK];
};

/* *used: bytes of the head. As bl_delta_head says. */
bl_status bl_head_read(const uint8_t *p, size_t n, struct bl_head *h,
                       uint32_t *used);

#if BL_DELTA_ENCODE
/* At most BL_DELTA_HEAD bytes; returns how many. */
uint32_t bl_head_write(const struct bl_head *h, uint8_t *out);
#endif

/* Parts of the memory behind the fixed one: where each begins. */
struct bl_parts {
    uint32_t table, gates, map, ram_map, regions, hash, deflate, paged, end;
};

/* The same on all devices: nothing in it depends on the size of a pointer.
 */
void bl_head_memory(const struct bl_head *h, struct bl_parts *parts);

/* Images of that size have map entries of 6 bytes, others of 8. */
static inline bool bl_head_narrow(const struct bl_head *h)
{
    return h->size[0] < 1U << 23 && h->size[1] < 1U << 23;
}

/* Counters of the byte model: each size is about half as large again. */
static inline uint32_t bl_head_counters(const struct bl_head *h)
{
    return ((h->table & 1) != 0 ? 272U : 192U) << (h->table >> 1);
}

/* Counters of a gate's context. */
static inline uint32_t bl_head_gate(const struct bl_head *h)
{
    return h->table == 0 ? 32 : h->table < 4 ? 64 : 128;
}

#endif
