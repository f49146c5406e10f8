/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a device has, or has not, an update to do: one sentence, from the very
 * verdict that the poll acts on. Pure: what it says of a rollout comes in.
 */
#ifndef SERVER_ROLLOUT_WHY_H
#define SERVER_ROLLOUT_WHY_H

#include "rollout.h"

/* Of the candidate that the sentence is about. */
struct why_rollout {
    uint64_t id; /* 0: a pin of this device */
    const char *version;
    uint32_t stage; /* from 0 */
    uint32_t n_stages;
    uint32_t own_stage; /* that holds the device; n_stages: none */
    const struct plan_stage *stages; /* n_stages of them */
    const char *channel;
};

struct why_facts {
    bool seen;
    const struct rollout_device *device;
    const struct rollout_verdict *v;
    const struct why_rollout *about; /* the one that decided; NULL: none */
    const struct why_rollout *held;  /* the one it would rather have */
    const struct why_rollout *own;   /* what it did not keep the last time it
                                        was offered something; NULL: nothing */
    bool own_first;                  /* that goes before all else */
    const char *stone;               /* version of the stepping stone */
    const char *min_version;
    const char *wait;  /* what the device says that it waits for; "" */
    uint64_t start_at; /* of one that has not begun */
    uint64_t floor;
    uint64_t sequence; /* of the release */
    uint64_t now;
};

void rollout_sentence(const struct why_facts *f, char *out, size_t size);

#endif
