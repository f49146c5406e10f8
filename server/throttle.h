/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often something may be tried, by name and by address: each key has an
 * allowance that is used up by tries and grows back with time, so that nobody
 * is locked out for ever. Bounded memory: a set that is full forgets who has
 * used least. Any thread.
 */
#ifndef SERVER_THROTTLE_H
#define SERVER_THROTTLE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum { THROTTLE_SETS = 1024, THROTTLE_WAYS = 8 };

struct throttle_rule {
    char kind; /* keys of different kinds are different */
    uint32_t at_once;
    uint32_t each_s; /* one more after so long */
};

struct throttle {
    pthread_mutex_t lock;
    uint8_t salt[16];
    struct throttle_slot {
        uint64_t key; /* 0: free */
        uint64_t from_us;
        uint32_t used;
    } slot[THROTTLE_SETS][THROTTLE_WAYS];
};

void throttle_init(struct throttle *t);
/* 0: one is taken; else the seconds until there is one. */
uint32_t throttle_take(struct throttle *t, const struct throttle_rule *rule,
                       const char *key, uint64_t now_us);
/* It was none of those that count. */
void throttle_give_back(struct throttle *t, const struct throttle_rule *rule,
                        const char *key, uint64_t now_us);

#endif
