/* SPDX-License-Identifier: Apache-2.0 */
#include "plan.h"

#include <stdlib.h>

static int grow(void **p, uint32_t n, uint32_t *room, size_t size,
                struct error *error)
{
    if (n < *room) {
        return 0;
    }
    uint32_t more = *room == 0 ? 256 : *room + *room / 2;
    void *q = realloc(*p, more * size);
    if (q == NULL) {
        return error_set(error, "delta: out of memory");
    }
    *p = q;
    *room = more;
    return 0;
}

int operations_add(struct operations *list, uint32_t length, uint32_t old,
                   struct error *error)
{
    if (length == 0) {
        return 0;
    }
    if (list->n != 0) {
        struct bl_operation *last = &list->o[list->n - 1];
        bool same = bl_is_copy(last) ? last->old + last->length == old
                                     : last->old == old;
        if (same) {
            last->length += length;
            return 0;
        }
    }
    void *p = list->o;
    if (grow(&p, list->n, &list->room, sizeof *list->o, error) != 0) {
        return -1;
    }
    list->o = p;
    struct bl_operation one = {length, old};
    list->o[list->n++] = one;
    return 0;
}

int moves_add(struct moves *list, uint32_t at, int32_t shift,
              struct error *error)
{
    if (list->n != 0 && list->m[list->n - 1].shift == shift) {
        return 0;
    }
    void *p = list->m;
    if (grow(&p, list->n, &list->room, sizeof *list->m, error) != 0) {
        return -1;
    }
    list->m = p;
    struct bl_move one = {at, shift};
    list->m[list->n++] = one;
    return 0;
}

int moves_copy(const struct moves *from, struct moves *to, struct error *error)
{
    to->n = 0;
    for (uint32_t k = 0; k < from->n; k++) {
        if (moves_add(to, from->m[k].at, from->m[k].shift, error) != 0) {
            return -1;
        }
    }
    return 0;
}

void operations_free(struct operations *list)
{
    free(list->o);
    list->o = NULL;
    list->n = list->room = 0;
}

void moves_free(struct moves *list)
{
    free(list->m);
    list->m = NULL;
    list->n = list->room = 0;
}

void maps_free(struct maps *m)
{
    moves_free(&m->image);
    moves_free(&m->ram);
}

uint32_t moves_apply(const struct moves *list, uint32_t at, bool before)
{
    uint32_t low = 0, high = list->n;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (list->m[mid].at <= at) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    if (low == 0) {
        return before && list->n != 0 ? at + (uint32_t)list->m[0].shift : at;
    }
    return at + (uint32_t)list->m[low - 1].shift;
}

uint32_t maps_target(const struct maps *m, const struct bl_view *old,
                     const struct bl_view *now, const struct bl_site *s)
{
    uint32_t state =
        s->kind == BL_SITE_POINTER && old->code->isa == BL_DELTA_THUMB
            ? s->target & 1
            : 0;
    uint32_t from;
    if (s->kind == BL_SITE_RAM ||
        !bl_view_offset(old, s->target - state, &from)) {
        return moves_apply(&m->ram, s->target, false);
    }
    uint32_t to = moves_apply(&m->image, from, true);
    if (to < now->size) {
        return bl_view_address(now, to) + state;
    }
    if (to == now->size) {
        return bl_view_address(now, to - 1) + 1 + state;
    }
    return s->target;
}
