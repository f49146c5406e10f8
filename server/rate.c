/* SPDX-License-Identifier: Apache-2.0 */
#include "rate.h"

void rate_init(struct rate *r)
{
    pthread_mutex_init(&r->lock, NULL);
    r->from_us = 0;
    r->used = 0;
    r->left_out = 0;
}

/* Each RATE_SECONDS give one back. */
static void refill(struct rate *r, uint64_t now_us)
{
    uint64_t each = (uint64_t)RATE_SECONDS * 1000000;
    uint64_t back = (now_us - r->from_us) / each;

    if (back >= r->used) {
        r->used = 0;
        r->from_us = now_us;
    } else {
        r->used -= (uint32_t)back;
        r->from_us += back * each;
    }
}

bool rate_allows(struct rate *r, uint64_t now_us, uint32_t *left_out)
{
    bool allowed;

    pthread_mutex_lock(&r->lock);
    refill(r, now_us);
    allowed = r->used < RATE_AT_ONCE;
    if (allowed) {
        r->used++;
        *left_out = r->left_out;
        r->left_out = 0;
    } else {
        r->left_out++;
    }
    pthread_mutex_unlock(&r->lock);
    return allowed;
}
