/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Patches from the images that devices run to those that they shall run
 * (docs/DELTA.md): what there is of them, in memory. A poll looks one up
 * here; nothing else of it costs a poll anything. delta_store.h keeps the
 * rows, delta_keeper.h has them made. Its lock is the last of all: nobody
 * takes another one under it.
 *
 * Who changes a state, adds or removes, holds the server's admin lock, too.
 */
#ifndef SERVER_DELTAS_H
#define SERVER_DELTAS_H

#include "blob.h"

#include "bowline/delta.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

enum {
    DELTA_CLASSES = 5,
    DELTA_REASON = 200,
    DELTA_BUCKETS = 1024,
    DELTA_ROWS = 16384 /* at once; the oldest unwanted ones make room */
};

/* Of a decoder's memory, in bytes, smallest first. */
extern const uint32_t delta_class_ram[DELTA_CLASSES];

/* Numbers at rest: never renumbered. */
enum delta_state {
    DELTA_QUEUED = 0,
    DELTA_MAKING = 1,
    DELTA_READY = 2,
    DELTA_USELESS = 3, /* too large beside the whole payload */
    DELTA_FAILED = 4,
    DELTA_WITHDRAWN = 5
};

enum { DELTA_STATES = 6 };

struct delta {
    uint32_t number; /* of its row */
    uint8_t base[32];
    uint8_t target[32];
    uint8_t patch[32]; /* of READY, USELESS */
    uint8_t ram;       /* class: index in delta_class_ram */
    uint8_t isas;      /* that its devices' decoders have, as bits */
    uint8_t isa;       /* that the patch needs */
    uint8_t tries;     /* how often its making was begun */
    _Atomic uint8_t state;
    _Atomic bool damaged; /* its file is: offered to nobody, made anew soon */
    bool held;            /* by who makes it: it stays, whatever its state */
    bool asked;           /* by an operator */
    bool wanted;          /* a rollout leads there from what devices run */
    bool urgent;          /* and runs now */
    uint32_t devices;     /* by the last census: those that it is for */
    uint32_t full;        /* bytes of the target */
    uint32_t size;        /* of the patch */
    uint32_t ms;          /* that making it took */
    int64_t queued;       /* seconds since 1970 */
    uint64_t rest_us;     /* by monotonic_us: not begun before */
    int64_t made;         /* 0: not yet */
    struct blob_stamp stamp; /* of its file, when it was found whole */
    char reason[DELTA_REASON];
    /* Counted at polls. */
    _Atomic uint32_t failures; /* devices that it failed on */
    _Atomic uint32_t installs;
    _Atomic uint64_t saved; /* bytes that these did not fetch */
    _Atomic int64_t used;
    _Atomic bool counted; /* since its row was written */
    struct delta *next;   /* of those with the same base and target, or of
                             pairs that hash alike */
};

/* What decides about an offer. */
struct delta_rules {
    uint32_t share;    /* percent of the whole payload, at most */
    uint32_t failures; /* so many devices fail: withdrawn */
};

/* What a device can apply, and has. */
struct delta_ask {
    const uint8_t *base;   /* 32 bytes */
    const uint8_t *target; /* 32 bytes */
    uint32_t ram;
    uint32_t isas;
};

struct delta_offer {
    uint32_t number;
    uint32_t size;
    uint32_t full; /* bytes of the target */
    bool checked;  /* its file was found whole since the program was started */
    uint8_t patch[32];
};

/* What patches did: ever, and when the day (UTC) began. */
struct delta_totals {
    uint64_t saved;    /* bytes */
    uint64_t installs; /* devices that came to run what a patch gave */
};

struct deltas {
    pthread_rwlock_t lock;
    struct delta_rules rules;
    struct delta *pair[DELTA_BUCKETS];
    struct delta **row; /* by number; holes are NULL */
    uint32_t n_rows;
    uint32_t n;
    uint32_t look; /* row whose file is looked at next, by the planner */
    /* Since the server was started. */
    _Atomic uint64_t made[DELTA_STATES]; /* ready, useless, failed */
    _Atomic uint64_t making_ms;
    _Atomic uint64_t failures;
    _Atomic uint64_t installs;
    _Atomic uint64_t saved;
    /* delta_totals.c */
    struct delta_totals before; /* this start */
    struct delta_totals at_day;
    int64_t day; /* since 1970 */
    struct delta_totals written;
};

int deltas_init(struct deltas *d, const struct delta_rules *rules);
void deltas_free(struct deltas *d);

/* The class of a decoder's memory: index + 1; 0: it is too small. */
uint8_t delta_class(uint64_t ram);
const char *delta_state_name(uint8_t state);

/* The smallest patch that it can apply, is worth it, and has not failed on
 * too many. */
bool deltas_find(struct deltas *d, const struct delta_ask *ask,
                 struct delta_offer *out);
/* Seconds that it may be worth to wait for one that is queued or being made,
 * `most` after it was queued; 0: none. */
uint32_t deltas_coming(struct deltas *d, const struct delta_ask *ask,
                       int64_t now, uint32_t most);
/* A ready patch by its digest: what it leads from and to. */
bool deltas_patch(struct deltas *d, const uint8_t patch[32], uint8_t base[32],
                  uint8_t target[32]);

/* The stamp of a ready patch's file, if nobody has found it damaged. */
bool deltas_stamp(struct deltas *d, const uint8_t patch[32],
                  struct blob_stamp *out);
/* Its file was looked at; NULL: it is damaged. True: that is news. */
bool deltas_checked(struct deltas *d, const uint8_t patch[32],
                    const struct blob_stamp *stamp);

/* A device fetches it. Is it row `number`'s? */
bool deltas_fetched(struct deltas *d, uint32_t number, const uint8_t patch[32],
                    int64_t now);
/* Does row `number` lead to this payload? *full: its size. */
bool deltas_leads_to(struct deltas *d, uint32_t number,
                     const uint8_t target[32], uint32_t *full);
void deltas_failed(struct deltas *d, uint32_t number);
void deltas_installed(struct deltas *d, uint32_t number, uint64_t saved);

/* Under the write lock. `what` is taken over; -1: no memory, nothing done. */
int deltas_add(struct deltas *d, struct delta *what);
void deltas_remove(struct deltas *d, struct delta *what);

/* Under either lock, or the admin lock. */
struct delta *deltas_row(const struct deltas *d, uint32_t number);
struct delta *deltas_same(const struct deltas *d, const uint8_t base[32],
                          const uint8_t target[32], uint8_t ram);
/* May it be offered, by size and failures? */
bool delta_offered(const struct deltas *d, const struct delta *one);
/* Is `size` small enough beside `full`? */
bool delta_worth(const struct delta_rules *rules, uint64_t size,
                 uint64_t full);
/* The queued one that is made next: asked for, urgent, most devices, oldest;
 * of those that do not rest at now_us. */
struct delta *deltas_next(const struct deltas *d, uint64_t now_us);

#endif
