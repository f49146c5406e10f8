/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In place: the new image is coded page by page (a page is an erase block), in
 * an order that the encoder chose, over the old image. A page that was begun
 * holds the old image no more. Its old bytes read as zeros from then on,
 * unless they were saved: put into one of a few slots before, until another
 * page is saved there. So both sides see the same old bytes whatever the order
 * is, and a bad order costs size, never correctness. Beside whole pages in
 * slots there is the stash: some pieces of old pages, in all no more than
 * fits; which ones is said anew at a page's begin.
 *
 * In the decoder each page begins with an event at which bl_delta_data
 * returns: the caller saves the page, if so said, and makes room. `touched`
 * tells the caller which pages' old bytes were read since it kept the memory:
 * it keeps it again before the last copy of such a page goes (in_place.c).
 */
#ifndef BL_DELTA_PLACE_H
#define BL_DELTA_PLACE_H

#include "coder.h"
#include "head.h"

struct bl_codec;

enum {
    BL_PLACE_FIXED = 176, /* bytes of struct bl_place, at most */
    BL_PLACE_NONE = 255,  /* no slot */
    BL_PLACE_CHOICES = 8,
    BL_PLACE_GRAINS = 6, /* a page has 1 << so many grains */
    BL_GRAINS = 1 << BL_PLACE_GRAINS,
    BL_PLACE_PIECES = 16 /* in the stash, at most */
};

/* A piece of an old page, in grains. */
struct bl_piece {
    uint32_t first; /* of the image's */
    uint8_t n;
    uint8_t was; /* where it lies in the stash that was before, or
                    BL_PLACE_NEW */
};

enum { BL_PLACE_NEW = 255 };

struct bl_place {
    /* Behind this struct; set by bl_place_link. */
    uint32_t *held;          /* by slot: the page in it; UINT32_MAX: none */
    struct bl_piece *pieces; /* the stash, one behind the other */
    uint8_t *done;           /* bit of each page: begun */
    uint8_t *touched;        /* bit of each page: its old bytes were read */
    uint8_t *order; /* slots, the one that was filled first is first */
    uint32_t pages; /* of the larger image */
    uint32_t page;  /* that is coded now */
    uint32_t saves; /* pages that were saved so far */
    uint32_t first; /* old - new of the page's first copy */
    uint8_t bits;   /* a page has 1 << bits bytes */
    uint8_t slots;
    uint8_t slot;      /* into which this page was saved, or BL_PLACE_NONE */
    uint8_t event;     /* not 0: the caller must see to the page first;
                          BL_PLACE_STASH: and to the stash */
    uint8_t backwards; /* 1: the next page is likely the one before */
    uint8_t straight;  /* 1: the last page was so */
    uint8_t joined;    /* 1: this page lies behind the one coded before it */
    uint8_t fresh;     /* 1: nothing of the page was coded yet */
    uint8_t copied;    /* 1: `first` is set */
    uint8_t carry;     /* bytes of a unit that were put out before the end */
    uint8_t stash;     /* its size, in 16ths of a page */
    uint8_t pieces_n;
    uint8_t stashed; /* 1: the stash was said anew at the last page */
#if BL_DELTA_ENCODE
    uint32_t index; /* of the plan's pages */
    uint32_t said;  /* of its pieces */
#endif
    bl_counter next[2], end, turn, save[2], go_on[4];
    bl_counter choice[BL_PLACE_CHOICES];
    bl_counter anew[2], drop[2], more, other;
};

enum { BL_PLACE_PAGE = 1, BL_PLACE_STASH = 3 };

/* Pages of `size` bytes. */
static inline uint32_t bl_place_pages(uint32_t size, uint32_t bits)
{
    return ((size - 1) >> bits) + 1;
}

/* Bytes of memory for this head. */
uint32_t bl_place_memory(const struct bl_head *h);
/* Sets the pointers into that memory. */
struct bl_place *bl_place_link(const struct bl_head *h, void *memory);
void bl_place_start(struct bl_place *p, const struct bl_head *h);

/* Grains of the stash that come before the old bytes there; UINT32_MAX: they
 * are not in it. */
uint32_t bl_place_stashed(const struct bl_place *p, uint32_t offset);
/* Was the page begun, and is in no slot? */
bool bl_place_gone(const struct bl_place *p, uint32_t page);
#if BL_DELTA_ENCODE
/* Are the old bytes there gone, from the stash, too? */
bool bl_place_lost(const struct bl_place *p, uint32_t offset);
#endif
/* The slot that holds them, or BL_PLACE_NONE. */
uint32_t bl_place_slot(const struct bl_place *p, uint32_t page);

static inline bool bl_place_bit(const uint8_t *bits, uint32_t n)
{
    return (bits[n >> 3] >> (n & 7) & 1) != 0;
}

static inline void bl_place_set(uint8_t *bits, uint32_t n)
{
    bits[n >> 3] = (uint8_t)(bits[n >> 3] | 1U << (n & 7));
}

/* The next page, or the end of the patch. */
void bl_place_next(struct bl_codec *c);
/* At a page's begin: does the copy that the last page ended with, or began
 * with, go on? `said`: where the operation comes from. */
bool bl_place_goes_on(struct bl_codec *c, uint32_t said);
/* A page's first copy was found to come from c->from. */
void bl_place_copy(struct bl_codec *c);

#endif
