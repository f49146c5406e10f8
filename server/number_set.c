/* SPDX-License-Identifier: Apache-2.0 */
#include "number_set.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { FIRST_SLOTS = 16 };

int number_set_init(struct number_set *s)
{
    s->slot = NULL;
    s->size = 0;
    atomic_store(&s->n, 0);
    return pthread_mutex_init(&s->lock, NULL);
}

void number_set_free(struct number_set *s)
{
    free(s->slot);
    s->slot = NULL;
    pthread_mutex_destroy(&s->lock);
}

/* The number's place, or the empty one where it would go. */
static uint32_t place(const uint32_t *slot, uint32_t size, uint32_t number)
{
    uint32_t i = (number * 2654435769U) & (size - 1);

    while (slot[i] != 0 && slot[i] != number) {
        i = (i + 1) & (size - 1);
    }
    return i;
}

static int grow(struct number_set *s)
{
    uint32_t size = s->size == 0 ? FIRST_SLOTS : s->size * 2;
    uint32_t *slot = calloc(size, sizeof *slot);

    if (slot == NULL) {
        return -1;
    }
    for (uint32_t i = 0; i < s->size; i++) {
        if (s->slot[i] != 0) {
            slot[place(slot, size, s->slot[i])] = s->slot[i];
        }
    }
    free(s->slot);
    s->slot = slot;
    s->size = size;
    return 0;
}

bool number_set_add_below(struct number_set *s, uint32_t number, uint32_t most)
{
    uint32_t n;
    bool in;

    pthread_mutex_lock(&s->lock);
    n = atomic_load(&s->n);
    in = s->size > 0 && s->slot[place(s->slot, s->size, number)] == number;
    if (!in && n < most && ((n + 1) * 2 <= s->size || grow(s) == 0)) {
        s->slot[place(s->slot, s->size, number)] = number;
        atomic_store(&s->n, n + 1);
        in = true;
    }
    pthread_mutex_unlock(&s->lock);
    return in;
}

int number_set_add(struct number_set *s, uint32_t number)
{
    return number_set_add_below(s, number, UINT32_MAX) ? 0 : -1;
}

/* What stands behind it moves up, so that it is still found. */
static void close_gap(struct number_set *s, uint32_t gap)
{
    uint32_t mask = s->size - 1;

    s->slot[gap] = 0;
    for (uint32_t i = (gap + 1) & mask; s->slot[i] != 0; i = (i + 1) & mask) {
        uint32_t number = s->slot[i];

        s->slot[i] = 0;
        s->slot[place(s->slot, s->size, number)] = number;
    }
}

void number_set_remove(struct number_set *s, uint32_t number)
{
    uint32_t i;

    if (atomic_load(&s->n) == 0) {
        return;
    }
    pthread_mutex_lock(&s->lock);
    i = s->size == 0 ? 0 : place(s->slot, s->size, number);
    if (s->size > 0 && s->slot[i] == number) {
        close_gap(s, i);
        atomic_fetch_sub(&s->n, 1);
    }
    pthread_mutex_unlock(&s->lock);
}

void number_set_clear(struct number_set *s)
{
    pthread_mutex_lock(&s->lock);
    free(s->slot);
    s->slot = NULL;
    s->size = 0;
    atomic_store(&s->n, 0);
    pthread_mutex_unlock(&s->lock);
}

bool number_set_has(struct number_set *s, uint32_t number)
{
    bool found = false;

    if (atomic_load(&s->n) == 0) {
        return false;
    }
    pthread_mutex_lock(&s->lock);
    if (s->size > 0) {
        found = s->slot[place(s->slot, s->size, number)] == number;
    }
    pthread_mutex_unlock(&s->lock);
    return found;
}
