/* SPDX-License-Identifier: Apache-2.0 */
#include "streams.h"

#include <stdlib.h>
#include <string.h>

/* A plan is kept when it takes less than this share of the stream: what does
 * not fit any model takes its own bytes, or a little more. */
enum { WORTH = 31, OF = 32 };

static void fill_member(struct streams *s, const struct member *is,
                        const struct member *was)
{
    struct bl_plan_member *m = &s->list[s->n];

    m->at = is->at;
    m->size = is->size;
    m->old = was == NULL ? 0 : was->at;
    m->alone = was == NULL;
    m->units = s->now.units + is->first;
    m->operations = s->plans[s->n].o;
}

/* One new member: in the list when that is worth it. */
static int add(const uint8_t *from, uint32_t from_n, uint32_t index,
               uint32_t pair, struct streams *s, const struct stop *stop,
               struct error *error)
{
    const struct member *is = &s->now.m[index];
    const struct member *was = pair == MEMBER_ALONE ? NULL : &s->old.m[pair];
    struct member_plan *plan = &s->plans[s->n];

    if (member_plan_make(from, from_n, &s->old, was, &s->now, is, plan, stop,
                         error) != 0) {
        member_plan_free(plan);
        return -1;
    }
    if ((uint64_t)plan->bytes * OF > (uint64_t)is->size * WORTH) {
        member_plan_free(plan);
        return 0;
    }
    fill_member(s, is, was);
    s->saved += is->size - plan->bytes;
    s->pairs[s->n++] = pair;
    return 0;
}

static int add_all(const uint8_t *from, uint32_t from_n, const uint32_t *pairs,
                   struct streams *s, const struct stop *stop,
                   struct error *error)
{
    uint32_t i;

    for (i = 0; i < s->now.n; i++) {
        struct stop part = stop_part(stop, i, s->now.n);

        if (pairs[i] != MEMBER_SAME &&
            add(from, from_n, i, pairs[i], s, &part, error) != 0) {
            return -1;
        }
    }
    return 0;
}

int streams_find(const uint8_t *from, uint32_t from_n, const uint8_t *to,
                 uint32_t to_n, struct streams *out, const struct stop *stop,
                 struct error *error)
{
    uint32_t *pairs;
    int result;

    if (members_find(from, from_n, &out->old, error) != 0 ||
        members_find(to, to_n, &out->now, error) != 0) {
        return -1;
    }
    if (out->now.n == 0) {
        return 0;
    }
    pairs = calloc(out->now.n, sizeof *pairs);
    out->list = calloc(out->now.n, sizeof *out->list);
    out->plans = calloc(out->now.n, sizeof *out->plans);
    out->pairs = calloc(out->now.n, sizeof *out->pairs);
    result = pairs == NULL || out->list == NULL || out->plans == NULL ||
                     out->pairs == NULL
                 ? error_set(error, "no memory for members")
                 : members_pair(from, &out->old, to, &out->now, pairs, error);
    if (result == 0) {
        result = add_all(from, from_n, pairs, out, stop, error);
    }
    free(pairs);
    return result;
}

void streams_free(struct streams *s)
{
    uint32_t i;

    for (i = 0; i < s->n; i++) {
        member_plan_free(&s->plans[i]);
    }
    free(s->list);
    free(s->plans);
    free(s->pairs);
    members_free(&s->old);
    members_free(&s->now);
    memset(s, 0, sizeof *s);
}

/* Noise, the same on every machine. */
static void noise(uint8_t *p, uint32_t n, uint32_t seed)
{
    while (n > 0) {
        n--;
        seed = seed * 1664525U + 1013904223U;
        *p++ = (uint8_t)(seed >> 24);
    }
}

void streams_mask(const struct streams *s, uint8_t *old, uint8_t *now)
{
    uint32_t i;

    for (i = 0; i < s->n; i++) {
        noise(now + s->list[i].at, s->list[i].size, 2 * i + 1);
        if (s->pairs[i] != MEMBER_ALONE) {
            const struct member *was = &s->old.m[s->pairs[i]];

            noise(old + was->at, was->size, 2 * i + 2);
        }
    }
}
