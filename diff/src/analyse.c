/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "make.h"
#include "mask.h"

enum {
    LEAST = 3,      /* bytes of a match */
    LABELLED = 2,   /* passes in which references have labels */
    LABEL_DEAR = 48 /* for labels, map entries cost next to nothing */
};

/* The masked images; what is done with them. */
struct masked {
    const struct streams *streams;
    uint8_t *old, *now;
    struct matches matches;
};

static int match_and_align(const struct layout *l, struct masked *m,
                           enum aligning aligning, struct operations *out,
                           const struct stop *stop, struct error *error)
{
    struct stop first = stop_part(stop, 0, 2), second = stop_part(stop, 1, 2);
    return matches_find(m->old, l->old.n, m->now, l->now.n, LEAST, &m->matches,
                        &first, error) == 0
               ? align(m->old, l->old.n, m->now, l->now.n, &m->matches,
                       aligning, out, &second, error)
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

/* Where targets went, as far as this alignment knows: that labels agree. */
static int label_maps(const struct analysis *a, enum labelling labelling,
                      struct maps *out, struct error *error)
{
    int result = labelling == LABELS_BY_COPIES
                     ? moves_copy(&a->copies, &out->image, error)
                     : map_vote(&a->operations, &a->image, &a->copies,
                                LABEL_DEAR, UINT32_MAX, &out->image, error);
    return result == 0 ? map_ram(&a->ram, UINT32_MAX, &out->ram, error) : -1;
}

/* Once more, with what the last alignment says about references. */
static int labelled(const struct layout *l, struct masked *m,
                    const struct recipe *recipe, struct analysis *a,
                    const struct stop *stop, struct error *error)
{
    struct bl_view old = layout_old(l), now = layout_now(l);
    struct maps maps = {{0}, {0}};
    struct labels before = {&maps, &old, &now}, after = {NULL, &old, &now};
    int result = label_maps(a, recipe->labelling, &maps, error);
    if (result == 0) {
        mask_image(&old, &before, m->old);
        mask_image(&now, &after, m->now);
        streams_mask(m->streams, m->old, m->now);
        result = match_and_align(l, m, recipe->aligning, &a->operations, stop,
                                 error);
    }
    maps_free(&maps);
    return result == 0 ? vote(l, a, error) : -1;
}

static int first(const struct layout *l, struct masked *m, struct analysis *a,
                 const struct stop *stop, struct error *error)
{
    struct bl_view old = layout_old(l), now = layout_now(l);
    mask_image(&old, NULL, m->old);
    mask_image(&now, NULL, m->now);
    streams_mask(m->streams, m->old, m->now);
    return match_and_align(l, m, ALIGN_USUAL, &a->operations, stop, error) == 0
               ? vote(l, a, error)
               : -1;
}

static int masked_make(const struct layout *l, const struct streams *streams,
                       struct masked *m, struct error *error)
{
    memset(m, 0, sizeof *m);
    m->streams = streams;
    m->old = malloc(l->old.n);
    m->now = malloc(l->now.n);
    return m->old == NULL || m->now == NULL
               ? error_set(error, "delta: out of memory")
               : 0;
}

static void masked_free(struct masked *m)
{
    free(m->old);
    free(m->now);
    matches_free(&m->matches);
}

int analyse(const struct layout *l, const struct streams *streams,
            struct analysis *out, const struct stop *stop, struct error *error)
{
    struct masked m;
    int result = masked_make(l, streams, &m, error);
    if (result == 0) {
        result = first(l, &m, out, stop, error);
    }
    masked_free(&m);
    return result;
}

bool analysis_refers(const struct analysis *a)
{
    return a->image.n != 0 || a->ram.n != 0;
}

static int begin_as(const struct layout *l, const struct analysis *first,
                    struct analysis *out, struct error *error)
{
    out->operations.n = 0;
    for (uint32_t k = 0; k < first->operations.n; k++) {
        const struct bl_operation *o = &first->operations.o[k];
        if (operations_add(&out->operations, o->length, o->old, error) != 0) {
            return -1;
        }
    }
    return vote(l, out, error);
}

int analyse_labelled(const struct layout *l, const struct streams *streams,
                     const struct analysis *first, const struct recipe *recipe,
                     struct analysis *out, const struct stop *stop,
                     struct error *error)
{
    struct masked m;
    int result = masked_make(l, streams, &m, error);
    if (result == 0) {
        result = begin_as(l, first, out, error);
    }
    for (uint32_t k = 0; k < LABELLED && result == 0; k++) {
        struct stop part = stop_part(stop, k, LABELLED);
        result = labelled(l, &m, recipe, out, &part, error);
    }
    masked_free(&m);
    return result;
}

void analysis_free(struct analysis *a)
{
    operations_free(&a->operations);
    votes_free(&a->image);
    votes_free(&a->ram);
    moves_free(&a->copies);
}
