/* SPDX-License-Identifier: Apache-2.0 */
#include "votes.h"

#include <stdlib.h>

enum { WHOLE = 256, NEAR = 154 /* a short reference says less */ };

static int vote_add(struct votes *list, uint32_t at, uint32_t to,
                    uint32_t weight, struct error *error)
{
    if (list->n == list->room) {
        uint32_t room = list->room == 0 ? 4096 : list->room * 2;
        struct vote *more = realloc(list->v, room * sizeof *more);
        if (more == NULL) {
            return error_set(error, "delta: out of memory");
        }
        list->v = more;
        list->room = room;
    }
    struct vote one = {at, (int32_t)(to - at), weight};
    list->v[list->n++] = one;
    return 0;
}

static int by_place(const void *a, const void *b)
{
    const struct vote *x = a, *y = b;
    if (x->at != y->at) {
        return x->at < y->at ? -1 : 1;
    }
    return x->shift < y->shift ? -1 : x->shift > y->shift;
}

static void votes_join(struct votes *list)
{
    uint32_t kept = 0;
    if (list->n == 0) {
        return;
    }
    qsort(list->v, list->n, sizeof *list->v, by_place);
    for (uint32_t k = 0; k < list->n; k++) {
        struct vote *last = kept == 0 ? NULL : &list->v[kept - 1];
        if (last != NULL && last->at == list->v[k].at &&
            last->shift == list->v[k].shift) {
            last->weight += list->v[k].weight;
        } else {
            list->v[kept++] = list->v[k];
        }
    }
    list->n = kept;
}

static bool is_near(uint32_t kind)
{
    return kind == BL_SITE_LOCAL || kind == BL_SITE_JUMP ||
           kind == BL_SITE_LOAD || kind == BL_SITE_BRANCH;
}

struct walk {
    struct bl_view *old, *now;
    struct bl_sweep old_sweep, now_sweep;
    struct votes *image, *ram;
};

/* A site of a copy: does the new unit refer in the same way, and to what? */
static int vote_site(struct walk *w, const struct bl_site *s,
                     const struct bl_site *there, struct error *error)
{
    struct bl_site t = *there;
    uint32_t from, to, state = 0;
    if (t.kind != s->kind || t.length != s->length || s->kind == BL_SITE_LOW) {
        return 0;
    }
    if (s->kind == BL_SITE_POINTER && w->old->code->isa == BL_DELTA_THUMB) {
        state = 1;
    }
    uint32_t old = s->target & ~state, new = t.target & ~state;
    if (s->kind != BL_SITE_RAM && bl_view_offset(w->old, old, &from) &&
        from < w->old->size) {
        if (!bl_view_offset(w->now, new, &to) || to >= w->now->size) {
            return 0;
        }
        return vote_add(w->image, from, to, is_near(s->kind) ? NEAR : WHOLE,
                        error);
    }
    if (bl_view_ram(w->old->code, s->target) &&
        bl_view_ram(w->now->code, t.target)) {
        return vote_add(w->ram, s->target, t.target, WHOLE, error);
    }
    return 0;
}

static int vote_copy(struct walk *w, uint32_t old, uint32_t at,
                     uint32_t length, struct error *error)
{
    bl_sweep_start(&w->old_sweep);
    bl_sweep_start(&w->now_sweep);
    for (uint32_t k = 0; k < length;) {
        struct bl_site s, t;
        bl_site_find(w->old, old + k, &w->old_sweep, &s);
        bl_site_find(w->now, at + k, &w->now_sweep, &t);
        if (s.length > length - k) {
            break;
        }
        if (s.kind != BL_SITE_NONE && vote_site(w, &s, &t, error) != 0) {
            return -1;
        }
        k += s.length;
    }
    return 0;
}

int votes_gather(struct bl_view *old, struct bl_view *now,
                 const struct operations *operations, struct votes *image,
                 struct votes *ram, struct error *error)
{
    struct walk w = {.old = old, .now = now, .image = image, .ram = ram};
    uint32_t at = 0;
    image->n = ram->n = 0;
    for (uint32_t k = 0; k < operations->n; k++) {
        const struct bl_operation *o = &operations->o[k];
        if (o->old != BL_LITERAL &&
            vote_copy(&w, o->old, at, o->length, error) != 0) {
            return -1;
        }
        at += o->length;
    }
    votes_join(image);
    votes_join(ram);
    return 0;
}

void votes_free(struct votes *v)
{
    free(v->v);
    v->v = NULL;
    v->n = v->room = 0;
}
