/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often something may be logged: a few at once, then one in a while; what
 * is left out is counted and said with the next line. Any thread.
 */
#ifndef SERVER_RATE_H
#define SERVER_RATE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum { RATE_AT_ONCE = 10, RATE_SECONDS = 6 };

struct rate {
    pthread_mutex_t lock;
    uint64_t from_us; /* since when allowances grow */
    uint32_t used;
    uint32_t left_out;
};

void rate_init(struct rate *r);
/* May it be logged now? Then *left_out of it were not before. */
bool rate_allows(struct rate *r, uint64_t now_us, uint32_t *left_out);

#endif
