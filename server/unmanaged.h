/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices that update with a client of their own (esp_https_ota, httpUpdate)
 * from /p/PRODUCT/CHANNEL/firmware.bin: who they say they are, what they
 * asked for and what they got. They are no devices of devices.h: they have no
 * token, report nothing, and no rollout waits for them or counts them.
 *
 * Anybody can invent them, so their number is bounded, for each product: when
 * the table is full, a newcomer takes the place of who has not been seen for
 * UNMANAGED_FORGET_S, else it is answered and not kept. All in memory, behind
 * one lock; unmanaged_store.c writes what has changed every few seconds, and
 * what a crash loses is at most that.
 */
#ifndef SERVER_UNMANAGED_H
#define SERVER_UNMANAGED_H

#include "unmanaged_ask.h"

#include <pthread.h>

enum {
    UNMANAGED_FORGET_S = 30 * 86400,
    UNMANAGED_DOWNLOADS = 2, /* at once, of each */
    UNMANAGED_WHY = 160,
    UNMANAGED_CHANNEL = 32
};

struct unmanaged {
    uint32_t number;  /* row; never used again */
    uint32_t product; /* number of the product */
    uint8_t id[16];
    char key[ASK_KEY];
    char channel[UNMANAGED_CHANNEL];
    char version[ASK_VERSION]; /* as it said last; "": never */
    char chip[ASK_CHIP];
    char why[UNMANAGED_WHY]; /* what it was told last, in words */
    uint32_t first_seen;
    uint32_t last_seen;
    uint32_t asked;     /* requests */
    uint32_t runs;      /* release that it runs, by its own word; 0: not
                           known */
    uint32_t before;    /* and the one before */
    uint32_t got;       /* release that it was sent last; 0: none */
    uint32_t got_at;    /* when that began */
    uint64_t got_bytes; /* of it, from the first on, that have come since */
    uint32_t tries;     /* so often it was sent `got` whole before that */
    uint64_t offer;     /* order of the rollout that it was sent by */
    uint16_t status;    /* of the last answer */
    uint8_t client;     /* enum ask_client */
    /* Not stored. */
    uint8_t downloads;
    bool told;    /* with this request it says what it runs */
    bool goes_on; /* and asks for the rest of a download */
    bool restart; /* for unmanaged_put: nothing of `got` has come yet */
    bool dirty;
    bool gone;
};

struct unmanaged_set;

/* At most `most` for each product. */
struct unmanaged_set *unmanaged_new(uint32_t most);
void unmanaged_free(struct unmanaged_set *set);

/*
 * A copy of who asks, made when it is new. 0; -1: not kept, there is no room
 * (or no memory): *out is as of somebody who is new.
 */
int unmanaged_take(struct unmanaged_set *set, uint32_t product,
                   const struct ask *ask, uint32_t now, struct unmanaged *out);
/* Is it there already? */
bool unmanaged_known(struct unmanaged_set *set, uint32_t product,
                     const uint8_t id[16]);
/* What an answer changes, all but `downloads` and `got_bytes`. */
void unmanaged_put(struct unmanaged_set *set, const struct unmanaged *from);
/* A place for a download; false: it has as many as it may. Of who is not
 * kept: true. */
bool unmanaged_begin(struct unmanaged_set *set, uint32_t product,
                     const uint8_t id[16]);
/* It is over; so many bytes have come, from the byte `from` on. */
void unmanaged_end(struct unmanaged_set *set, uint32_t product,
                   const uint8_t id[16], uint64_t from, uint64_t bytes);
/* -1: there is none. */
int unmanaged_find(struct unmanaged_set *set, uint32_t number,
                   struct unmanaged *out);
int unmanaged_forget(struct unmanaged_set *set, uint32_t number);

/* By number, after `after`: the next, or false. */
bool unmanaged_next(struct unmanaged_set *set, uint32_t after,
                    struct unmanaged *out);
uint32_t unmanaged_count(struct unmanaged_set *set, uint32_t product);

/* What was sent by one rollout. */
struct unmanaged_tally {
    uint32_t got;  /* devices */
    uint32_t runs; /* of them, that say they run it */
};

struct unmanaged_tally unmanaged_tally(struct unmanaged_set *set,
                                       uint64_t offer, uint32_t release);

/* For unmanaged_store.c: a row of the table, and the rows that changed, at
 * most n. Taken rows count as written; a failed write gives them back. */
int unmanaged_load(struct unmanaged_set *set, const struct unmanaged *row);
uint32_t unmanaged_changed(struct unmanaged_set *set, struct unmanaged *out,
                           uint32_t n);
void unmanaged_again(struct unmanaged_set *set, const struct unmanaged *rows,
                     uint32_t n);

#endif
