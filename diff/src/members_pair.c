/* SPDX-License-Identifier: Apache-2.0 */
/* Which old member a new one was made from. */
#include "members.h"

#include <stdlib.h>
#include <string.h>

enum {
    SAMPLES = 64, /* of a member's content: the least of so many hashes */
    SPAN = 8,     /* units that are hashed together */
    LIKE = 4,     /* of SAMPLES that must be the same, without a name */
    NAMED = 1000  /* what the same name is worth */
};

struct sketch {
    uint32_t least[SAMPLES];
};

static uint32_t stir(uint32_t x)
{
    x ^= x >> 16;
    x *= 0x7FEB352DU;
    x ^= x >> 15;
    x *= 0x846CA68BU;
    return x ^ x >> 16;
}

/* Each span belongs to one sample, by its hash: that keeps its least. */
static void draw(const struct members *list, const struct member *m,
                 struct sketch *s)
{
    const struct bl_member_unit *u = list->units + m->first;
    uint32_t i;

    memset(s, 0xFF, sizeof *s);
    for (i = 0; i + SPAN <= m->units; i++) {
        uint32_t h = 1;
        uint32_t k;

        for (k = 0; k < SPAN; k++) {
            h = h * 0x01000193U + unit_label(&u[i + k]);
        }
        h = stir(h);
        k = h % SAMPLES;
        s->least[k] = h < s->least[k] ? h : s->least[k];
    }
}

static uint32_t alike(const struct sketch *a, const struct sketch *b)
{
    uint32_t n = 0;
    uint32_t i;

    for (i = 0; i < SAMPLES; i++) {
        n += a->least[i] == b->least[i] && a->least[i] != UINT32_MAX ? 1U : 0;
    }
    return n;
}

/* The best of `old` for `m`. Of several that are as good the nearest in the
 * order of the images. */
static uint32_t best_of(const struct members *old, const struct sketch *olds,
                        const struct member *m, const struct sketch *s,
                        uint32_t order)
{
    uint32_t best = MEMBER_ALONE;
    uint32_t most = LIKE - 1;
    uint32_t nearest = 0;
    uint32_t i;

    for (i = 0; i < old->n; i++) {
        bool named = m->name != 0 && m->name == old->m[i].name;
        uint32_t score = alike(&olds[i], s) + (named ? NAMED : 0U);
        uint32_t far = i > order ? i - order : order - i;

        if (score > most ||
            (score == most && best != MEMBER_ALONE && far < nearest)) {
            best = i;
            most = score;
            nearest = far;
        }
    }
    return best;
}

static bool stands_in(const uint8_t *old_image, const struct members *old,
                      const uint8_t *now_image, const struct member *m)
{
    uint32_t i;

    for (i = 0; i < old->n; i++) {
        const struct member *o = &old->m[i];

        if (o->size == m->size && o->units == m->units &&
            memcmp(old_image + o->at, now_image + m->at, m->size) == 0) {
            return true;
        }
    }
    return false;
}

int members_pair(const uint8_t *old_image, const struct members *old,
                 const uint8_t *now_image, const struct members *now,
                 uint32_t *pair, struct error *error)
{
    struct sketch *olds = malloc((old->n + (size_t)1) * sizeof *olds);
    uint32_t i;

    if (olds == NULL) {
        return error_set(error, "no memory for members");
    }
    for (i = 0; i < old->n; i++) {
        draw(old, &old->m[i], &olds[i]);
    }
    for (i = 0; i < now->n; i++) {
        struct sketch s;

        if (stands_in(old_image, old, now_image, &now->m[i])) {
            pair[i] = MEMBER_SAME;
            continue;
        }
        draw(now, &now->m[i], &s);
        pair[i] = best_of(old, olds, &now->m[i], &s, i);
    }
    free(olds);
    return 0;
}
