/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "align.h"
#include "make.h"
#include "mask.h"

enum {
    LEAST = 3,   /* bytes of a match */
    LABELLED = 2 /* passes in which references have labels */
};

/* The masked images; what is done with them. */
struct masked {
    const struct streams *streams;
    uint8_t *old, *now;
    struct matches matches;
};

static int match_and_align(const struct layout *l, struct masked *m,
                           struct operations *out, const struct stop *stop,
                           struct error *error)
{
    struct stop first = stop_part(stop, 0, 2), second = stop_part(stop, 1, 2);
    return matches_find(m->old, l->old.n, m->now, l->now.n, LEAST, &m->matches,
                        &first, error) == 0
               ? align(m->old, l->old.n, m->now, l->now.n, &m->matches, out,
                       &second, error)
               : -1;
}

static int vote(const struct layout *l, struct analysis *a,
                struct error *error)
{
    struct bl_view old = layout_old(l), now = layout_now(l);
    if (map_copies(&a->operations, &a->copies, error) != 0) {
        return -1;
    }
    return votes_gather(&old, &now, &a->operations, &a->image, &a->ram, error);
}

/* Once more, with what the last alignment says about references. */
static int labelled(const struct layout *l, struct masked *m,
                    struct analysis *a, const struct stop *stop,
                    struct error *error)
{
    struct bl_view old = layout_old(l), now = layout_now(l);
    struct maps maps = {a->copies, {0}};
    struct labels before = {&maps, &old, &now}, after = {NULL, &old, &now};
    if (map_ram(&a->ram, UINT32_MAX, &maps.ram, error) != 0) {
        moves_free(&maps.ram);
        return -1;
    }
    mask_image(&old, &before, m->old);
    mask_image(&now, &after, m->now);
    streams_mask(m->streams, m->old, m->now);
    moves_free(&maps.ram);
    return match_and_align(l, m, &a->operations, stop, error);
}

static int passes(const struct layout *l, struct masked *m, struct analysis *a,
                  const struct stop *stop, struct error *error)
{
    struct stop part = stop_part(stop, 0, LABELLED + 1);
    struct bl_view old = layout_old(l), now = layout_now(l);
    mask_image(&old, NULL, m->old);
    mask_image(&now, NULL, m->now);
    streams_mask(m->streams, m->old, m->now);
    if (match_and_align(l, m, &a->operations, &part, error) != 0 ||
        vote(l, a, error) != 0) {
        return -1;
    }
    uint32_t n = a->image.n == 0 && a->ram.n == 0 ? 0 : LABELLED;
    for (uint32_t k = 0; k < n; k++) {
        part = stop_part(stop, k + 1, LABELLED + 1);
        if (labelled(l, m, a, &part, error) != 0 || vote(l, a, error) != 0) {
            return -1;
        }
    }
    return 0;
}

int analyse(const struct layout *l, const struct streams *streams,
            struct analysis *out, const struct stop *stop, struct error *error)
{
    struct masked m = {streams, malloc(l->old.n), malloc(l->now.n), {0}};
    int result = m.old == NULL || m.now == NULL
                     ? error_set(error, "delta: out of memory")
                     : passes(l, &m, out, stop, error);
    free(m.old);
    free(m.now);
    matches_free(&m.matches);
    return result;
}

void analysis_free(struct analysis *a)
{
    operations_free(&a->operations);
    votes_free(&a->image);
    votes_free(&a->ram);
    moves_free(&a->copies);
}
