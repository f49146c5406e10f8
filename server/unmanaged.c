/* SPDX-License-Identifier: Apache-2.0 */
#include "unmanaged.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 4096, FIRST = 256 };

struct entry {
    struct unmanaged u;
    struct entry *next; /* of the same bucket */
};

struct unmanaged_set {
    pthread_mutex_t lock;
    uint32_t most;
    struct entry *bucket[BUCKETS];
    struct entry **by_number; /* in order; holes are never kept */
    uint32_t n;
    uint32_t capacity;
    uint32_t last;  /* number given last */
    uint32_t *gone; /* numbers that are to be deleted from the store */
    uint32_t n_gone;
    uint32_t gone_capacity;
};

struct unmanaged_set *unmanaged_new(uint32_t most)
{
    struct unmanaged_set *set = calloc(1, sizeof *set);

    if (set != NULL) {
        pthread_mutex_init(&set->lock, NULL);
        set->most = most;
    }
    return set;
}

void unmanaged_free(struct unmanaged_set *set)
{
    if (set == NULL) {
        return;
    }
    for (uint32_t i = 0; i < set->n; i++) {
        free(set->by_number[i]);
    }
    free(set->by_number);
    free(set->gone);
    pthread_mutex_destroy(&set->lock);
    free(set);
}

/* The ids are digests, or of certificates that were vouched for: any bytes
 * spread. */
static struct entry **bucket_of(struct unmanaged_set *set, uint32_t product,
                                const uint8_t id[16])
{
    uint32_t h = (uint32_t)id[0] << 8 | id[1];

    return &set->bucket[(h ^ product * 40503U) % BUCKETS];
}

static struct entry *find(struct unmanaged_set *set, uint32_t product,
                          const uint8_t id[16])
{
    struct entry *e = *bucket_of(set, product, id);

    while (e != NULL &&
           (e->u.product != product || memcmp(e->u.id, id, 16) != 0)) {
        e = e->next;
    }
    return e;
}

/* Where a number is, or would be. */
static uint32_t place_of(const struct unmanaged_set *set, uint32_t number)
{
    uint32_t low = 0;
    uint32_t high = set->n;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (set->by_number[middle]->u.number < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static struct entry *find_number(const struct unmanaged_set *set,
                                 uint32_t number)
{
    uint32_t i = place_of(set, number);

    return i < set->n && set->by_number[i]->u.number == number
               ? set->by_number[i]
               : NULL;
}

/* --- Room -----------------------------------------------------------------
 */

static int grow(void **list, uint32_t *capacity, uint32_t n, size_t size)
{
    uint32_t bigger = *capacity == 0 ? FIRST : *capacity * 2;
    void *moved;

    if (n < *capacity) {
        return 0;
    }
    moved = realloc(*list, bigger * size);
    if (moved == NULL) {
        return -1;
    }
    *list = moved;
    *capacity = bigger;
    return 0;
}

static int grow_entries(struct unmanaged_set *set)
{
    void *list = set->by_number;
    int result = grow(&list, &set->capacity, set->n, sizeof set->by_number[0]);

    set->by_number = list;
    return result;
}

static int grow_gone(struct unmanaged_set *set)
{
    void *list = set->gone;
    int result =
        grow(&list, &set->gone_capacity, set->n_gone, sizeof set->gone[0]);

    set->gone = list;
    return result;
}

/* -1, and nothing is changed, without memory to remember that it is gone. */
static int take_out(struct unmanaged_set *set, struct entry *e)
{
    struct entry **p = bucket_of(set, e->u.product, e->u.id);
    uint32_t i = place_of(set, e->u.number);

    if (grow_gone(set) != 0) {
        return -1;
    }
    set->gone[set->n_gone++] = e->u.number;
    while (*p != e) {
        p = &(*p)->next;
    }
    *p = e->next;
    set->n--;
    memmove(&set->by_number[i], &set->by_number[i + 1],
            (set->n - i) * sizeof set->by_number[0]);
    free(e);
    return 0;
}

static uint32_t count(const struct unmanaged_set *set, uint32_t product)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < set->n; i++) {
        n += set->by_number[i]->u.product == product;
    }
    return n;
}

/* Who was not seen for long enough, for longest; NULL: nobody. */
static struct entry *stalest(const struct unmanaged_set *set, uint32_t product,
                             uint32_t now)
{
    struct entry *found = NULL;

    for (uint32_t i = 0; i < set->n; i++) {
        struct entry *e = set->by_number[i];

        if (e->u.product == product && e->u.downloads == 0 &&
            e->u.last_seen + UNMANAGED_FORGET_S <= now &&
            (found == NULL || e->u.last_seen < found->u.last_seen)) {
            found = e;
        }
    }
    return found;
}

static int make_room(struct unmanaged_set *set, uint32_t product, uint32_t now)
{
    struct entry *e;

    if (count(set, product) < set->most) {
        return 0;
    }
    e = stalest(set, product, now);
    return e == NULL ? -1 : take_out(set, e);
}

static struct entry *add(struct unmanaged_set *set, const struct unmanaged *u)
{
    struct entry **bucket = bucket_of(set, u->product, u->id);
    struct entry *e = grow_entries(set) != 0 ? NULL : malloc(sizeof *e);
    uint32_t i = place_of(set, u->number);

    if (e == NULL) {
        return NULL;
    }
    e->u = *u;
    e->next = *bucket;
    *bucket = e;
    memmove(&set->by_number[i + 1], &set->by_number[i],
            (set->n - i) * sizeof set->by_number[0]);
    set->by_number[i] = e;
    set->n++;
    set->last = u->number > set->last ? u->number : set->last;
    return e;
}

/* --- One ------------------------------------------------------------------
 */

static void look(struct unmanaged *u, const struct ask *ask, uint32_t now)
{
    u->last_seen = now;
    u->client = (uint8_t)ask->client;
    u->asked += u->asked < UINT32_MAX;
    if (ask->version[0] != '\0') {
        snprintf(u->version, sizeof u->version, "%s", ask->version);
    }
    if (ask->chip[0] != '\0') {
        snprintf(u->chip, sizeof u->chip, "%s", ask->chip);
    }
}

static void make_new(struct unmanaged *u, uint32_t product,
                     const struct ask *ask, uint32_t now)
{
    memset(u, 0, sizeof *u);
    u->product = product;
    memcpy(u->id, ask->id, 16);
    memcpy(u->key, ask->key, sizeof u->key);
    u->first_seen = now;
}

int unmanaged_take(struct unmanaged_set *set, uint32_t product,
                   const struct ask *ask, uint32_t now, struct unmanaged *out)
{
    struct entry *e;

    make_new(out, product, ask, now);
    pthread_mutex_lock(&set->lock);
    e = find(set, product, ask->id);
    if (e == NULL && make_room(set, product, now) == 0) {
        out->number = set->last + 1;
        e = add(set, out);
    }
    if (e != NULL) {
        look(&e->u, ask, now);
        e->u.dirty = true;
        *out = e->u;
    }
    pthread_mutex_unlock(&set->lock);
    if (e == NULL) {
        out->number = 0;
        look(out, ask, now);
    }
    return e == NULL ? -1 : 0;
}

bool unmanaged_known(struct unmanaged_set *set, uint32_t product,
                     const uint8_t id[16])
{
    bool known;

    pthread_mutex_lock(&set->lock);
    known = find(set, product, id) != NULL;
    pthread_mutex_unlock(&set->lock);
    return known;
}

void unmanaged_put(struct unmanaged_set *set, const struct unmanaged *from)
{
    struct entry *e;

    pthread_mutex_lock(&set->lock);
    e = from->number == 0 ? NULL : find_number(set, from->number);
    if (e != NULL) {
        uint64_t bytes = from->restart ? 0 : e->u.got_bytes;
        uint8_t downloads = e->u.downloads;

        e->u = *from;
        e->u.got_bytes = bytes;
        e->u.downloads = downloads;
        e->u.restart = false;
        e->u.dirty = true;
    }
    pthread_mutex_unlock(&set->lock);
}

bool unmanaged_begin(struct unmanaged_set *set, uint32_t product,
                     const uint8_t id[16])
{
    struct entry *e;
    bool free;

    pthread_mutex_lock(&set->lock);
    e = find(set, product, id);
    free = e == NULL || e->u.downloads < UNMANAGED_DOWNLOADS;
    if (e != NULL) {
        e->u.downloads = (uint8_t)(e->u.downloads + free);
    }
    pthread_mutex_unlock(&set->lock);
    return free;
}

void unmanaged_end(struct unmanaged_set *set, uint32_t product,
                   const uint8_t id[16], uint64_t from, uint64_t bytes)
{
    struct entry *e;

    pthread_mutex_lock(&set->lock);
    e = find(set, product, id);
    if (e != NULL) {
        if (e->u.downloads > 0) {
            e->u.downloads--;
        }
        if (from <= e->u.got_bytes && from + bytes > e->u.got_bytes) {
            e->u.got_bytes = from + bytes;
        }
        e->u.dirty = true;
    }
    pthread_mutex_unlock(&set->lock);
}

int unmanaged_find(struct unmanaged_set *set, uint32_t number,
                   struct unmanaged *out)
{
    const struct entry *e;

    pthread_mutex_lock(&set->lock);
    e = find_number(set, number);
    if (e != NULL) {
        *out = e->u;
    }
    pthread_mutex_unlock(&set->lock);
    return e == NULL ? -1 : 0;
}

int unmanaged_forget(struct unmanaged_set *set, uint32_t number)
{
    struct entry *e;
    int result = -1;

    pthread_mutex_lock(&set->lock);
    e = find_number(set, number);
    if (e != NULL) {
        result = take_out(set, e);
    }
    pthread_mutex_unlock(&set->lock);
    return result;
}

bool unmanaged_next(struct unmanaged_set *set, uint32_t after,
                    struct unmanaged *out)
{
    uint32_t i;
    bool found;

    pthread_mutex_lock(&set->lock);
    i = after == UINT32_MAX ? set->n : place_of(set, after + 1);
    found = i < set->n;
    if (found) {
        *out = set->by_number[i]->u;
    }
    pthread_mutex_unlock(&set->lock);
    return found;
}

uint32_t unmanaged_count(struct unmanaged_set *set, uint32_t product)
{
    uint32_t n;

    pthread_mutex_lock(&set->lock);
    n = count(set, product);
    pthread_mutex_unlock(&set->lock);
    return n;
}

struct unmanaged_tally unmanaged_tally(struct unmanaged_set *set,
                                       uint64_t offer, uint32_t release)
{
    struct unmanaged_tally t = {0, 0};

    pthread_mutex_lock(&set->lock);
    for (uint32_t i = 0; i < set->n; i++) {
        const struct unmanaged *u = &set->by_number[i]->u;
        bool got = u->offer == offer && u->got != 0;

        t.got += got;
        t.runs += got && u->runs == release;
    }
    pthread_mutex_unlock(&set->lock);
    return t;
}

/* --- At rest --------------------------------------------------------------
 */

int unmanaged_load(struct unmanaged_set *set, const struct unmanaged *row)
{
    return find(set, row->product, row->id) != NULL ||
                   find_number(set, row->number) != NULL ||
                   add(set, row) == NULL
               ? -1
               : 0;
}

static uint32_t changed_gone(struct unmanaged_set *set, struct unmanaged *out,
                             uint32_t n)
{
    uint32_t used = 0;

    while (used < n && set->n_gone > 0) {
        memset(&out[used], 0, sizeof out[0]);
        out[used].number = set->gone[--set->n_gone];
        out[used++].gone = true;
    }
    return used;
}

uint32_t unmanaged_changed(struct unmanaged_set *set, struct unmanaged *out,
                           uint32_t n)
{
    uint32_t used;

    pthread_mutex_lock(&set->lock);
    used = changed_gone(set, out, n);
    for (uint32_t i = 0; i < set->n && used < n; i++) {
        struct unmanaged *u = &set->by_number[i]->u;

        if (u->dirty) {
            u->dirty = false;
            out[used++] = *u;
        }
    }
    pthread_mutex_unlock(&set->lock);
    return used;
}

static void again(struct unmanaged_set *set, const struct unmanaged *row)
{
    struct entry *e = find_number(set, row->number);

    if (row->gone && grow_gone(set) == 0) {
        set->gone[set->n_gone++] = row->number;
    } else if (e != NULL) {
        e->u.dirty = true;
    }
}

void unmanaged_again(struct unmanaged_set *set, const struct unmanaged *rows,
                     uint32_t n)
{
    pthread_mutex_lock(&set->lock);
    for (uint32_t i = 0; i < n; i++) {
        again(set, &rows[i]);
    }
    pthread_mutex_unlock(&set->lock);
}
