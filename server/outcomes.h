/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What became of each device in each rollout: one row for both, written in
 * the commit of the event that ends the offer. Rows outlive the next rollout
 * and the device; once a rollout is finished, its rows do not change.
 */
#ifndef SERVER_OUTCOMES_H
#define SERVER_OUTCOMES_H

#include "store.h"

struct outcome {
    uint64_t rollout;
    uint16_t code;
    uint8_t outcome; /* bl_device_state; not final: the offer is made again */
    uint8_t reset;
    char version[DEVICE_TEXT]; /* that the device ran then */
    char hardware[DEVICE_TEXT];
};

/* How the device's offer stood, to find out whether that has changed. */
struct outcome_mark {
    uint64_t offer;
    uint16_t code;
    uint8_t outcome;
};

struct outcome_mark outcome_mark(const struct device *d);
/* Has the device's offer ended, or begun again, since `before`? Then *out is
 * what the table shall say. The device is locked. */
bool outcome_changed(const struct outcome_mark *before, const struct device *d,
                     struct outcome *out);

/* Does it speak against the release, until the device has confirmed it? Any
 * bad end does, but for one that an operator asked for. */
bool outcome_is_failure(uint8_t outcome, uint16_t code);

/*
 * In a transaction. The column `failed`: 0 it has not, or has confirmed the
 * release since; 1 it has; 2 it has, and an operator let it try anew.
 */
int outcome_put(struct store *store, uint32_t device, const struct outcome *o,
                uint64_t now, struct error *err);
/* The same of a device that is removed while the rollout counts it as silent:
 * `outcome` is what is known of it. */
int outcome_put_silent(struct store *store, uint32_t device, uint64_t rollout,
                       uint8_t outcome, uint64_t now, struct error *err);
/* Only final ones are counted. Takes the store's lock. */
int outcome_counts(struct store *store, uint64_t rollout,
                   uint32_t count[BL_STATE_REFUSED + 1], struct error *err);

/* Which rows: outcomes from `least` to `most`, devices after `after`. */
struct outcome_query {
    uint64_t rollout;
    uint64_t after;
    uint8_t least;
    uint8_t most;
    uint32_t limit;
};

struct outcome_row {
    uint32_t device;
    bl_span id;
    const char *name;
    const char *version;
    uint64_t time;
    uint16_t code;
    uint8_t outcome;
    uint8_t reset;
};

typedef void (*outcome_each)(void *ctx, const struct outcome_row *row);
/* By device. Both take the store's lock. */
int outcome_list(struct store *store, const struct outcome_query *query,
                 outcome_each each, void *ctx, struct error *err);
/* Those that did not keep the release; the newest first. */
int outcome_lost(struct store *store, uint64_t rollout, uint32_t limit,
                 outcome_each each, void *ctx, struct error *err);

/* Why devices did not keep the release: by outcome, code and hardware, most
 * frequent first; with the first device of each. */
struct outcome_reason {
    struct outcome_row first;
    const char *hardware;
    uint32_t count;
};

typedef void (*outcome_each_reason)(void *ctx,
                                    const struct outcome_reason *reason);
int outcome_reasons(struct store *store, uint64_t rollout, uint32_t limit,
                    outcome_each_reason each, void *ctx, struct error *err);

#endif
