/* SPDX-License-Identifier: Apache-2.0 */
#include "devices.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum {
    SHARDS = 64,
    CHUNK = 4096,
    CHUNKS = 8192, /* 33 million devices */
    FIRST_SLOTS = 16,
    GONE = -1
};

/* Open addressing over row numbers: 4 bytes a slot, 0 is empty. */
struct shard {
    pthread_mutex_t lock;
    uint32_t *slot;
    uint32_t size; /* a power of two */
    uint32_t used; /* with those gone */
};

struct devices {
    struct shard shard[SHARDS];
    _Atomic(struct device *) chunk[CHUNKS];
    pthread_mutex_t grow;
    _Atomic uint32_t count;
    _Atomic uint32_t last;
};

static uint64_t hash_id(const uint8_t id[BL_ID_SIZE])
{
    uint64_t a;
    uint64_t b;

    memcpy(&a, id, 8);
    memcpy(&b, id + 8, 8);
    a = (a ^ (b * 0x9E3779B97F4A7C15U)) * 0xBF58476D1CE4E5B9U;
    a ^= a >> 29;
    a *= 0x94D049BB133111EBU;
    return a ^ (a >> 32);
}

static struct shard *shard_of(struct devices *t, const uint8_t *id)
{
    return &t->shard[hash_id(id) >> 58];
}

static struct device *at(struct devices *t, uint32_t number)
{
    struct device *chunk;

    if (number == 0 || number / CHUNK >= CHUNKS) {
        return NULL;
    }
    chunk =
        atomic_load_explicit(&t->chunk[number / CHUNK], memory_order_acquire);
    return chunk == NULL ? NULL : &chunk[number % CHUNK];
}

struct devices *devices_new(void)
{
    struct devices *t = calloc(1, sizeof *t);

    if (t == NULL) {
        return NULL;
    }
    pthread_mutex_init(&t->grow, NULL);
    for (int i = 0; i < SHARDS; i++) {
        pthread_mutex_init(&t->shard[i].lock, NULL);
    }
    return t;
}

static void free_chunk(struct device *chunk)
{
    if (chunk == NULL) {
        return;
    }
    for (int i = 0; i < CHUNK; i++) {
        free(chunk[i].name);
        free(chunk[i].tags);
        free(chunk[i].channel);
        free(chunk[i].attributes);
    }
    free(chunk);
}

void devices_free(struct devices *t)
{
    if (t == NULL) {
        return;
    }
    for (int i = 0; i < CHUNKS; i++) {
        free_chunk(atomic_load(&t->chunk[i]));
    }
    for (int i = 0; i < SHARDS; i++) {
        pthread_mutex_destroy(&t->shard[i].lock);
        free(t->shard[i].slot);
    }
    pthread_mutex_destroy(&t->grow);
    free(t);
}

static uint32_t *find_slot(struct devices *t, struct shard *s,
                           const uint8_t *id)
{
    uint32_t mask = s->size - 1;

    if (s->size == 0) {
        return NULL;
    }
    for (uint32_t i = (uint32_t)hash_id(id) & mask;; i = (i + 1) & mask) {
        if (s->slot[i] == 0) {
            return NULL;
        }
        if (s->slot[i] != (uint32_t)GONE &&
            memcmp(at(t, s->slot[i])->id, id, BL_ID_SIZE) == 0) {
            return &s->slot[i];
        }
    }
}

static void put_slot(struct shard *s, const uint8_t *id, uint32_t number)
{
    uint32_t mask = s->size - 1;
    uint32_t i = (uint32_t)hash_id(id) & mask;

    while (s->slot[i] != 0) {
        i = (i + 1) & mask;
    }
    s->slot[i] = number;
    s->used++;
}

/* At most 3/4 full, so that every search ends at an empty slot soon. */
static int make_room(struct devices *t, struct shard *s)
{
    struct shard bigger = *s;

    if ((s->used + 1) * 4 <= s->size * 3) {
        return 0;
    }
    bigger.size = s->size == 0 ? FIRST_SLOTS : s->size * 2;
    bigger.used = 0;
    bigger.slot = calloc(bigger.size, sizeof *bigger.slot);
    if (bigger.slot == NULL) {
        return -1;
    }
    for (uint32_t i = 0; i < s->size; i++) {
        if (s->slot[i] != 0 && s->slot[i] != (uint32_t)GONE) {
            put_slot(&bigger, at(t, s->slot[i])->id, s->slot[i]);
        }
    }
    free(s->slot);
    s->slot = bigger.slot;
    s->size = bigger.size;
    s->used = bigger.used;
    return 0;
}

static int make_chunk(struct devices *t, uint32_t number)
{
    uint32_t i = number / CHUNK;
    struct device *chunk;

    if (i >= CHUNKS) {
        return -1;
    }
    pthread_mutex_lock(&t->grow);
    chunk = atomic_load(&t->chunk[i]);
    if (chunk == NULL) {
        chunk = calloc(CHUNK, sizeof *chunk);
        atomic_store_explicit(&t->chunk[i], chunk, memory_order_release);
    }
    pthread_mutex_unlock(&t->grow);
    return chunk == NULL ? -1 : 0;
}

static void raise_last(struct devices *t, uint32_t number)
{
    uint32_t last = atomic_load(&t->last);

    while (last < number &&
           !atomic_compare_exchange_weak(&t->last, &last, number)) {
    }
}

int devices_add(struct devices *t, const struct device *device,
                struct error *err)
{
    struct shard *s = shard_of(t, device->id);
    int result = -1;

    if (make_chunk(t, device->number) != 0) {
        return error_set(err, "no memory for another device");
    }
    pthread_mutex_lock(&s->lock);
    if (find_slot(t, s, device->id) != NULL) {
        error_set(err, "the device is there already");
    } else if (make_room(t, s) != 0) {
        error_set(err, "no memory for another device");
    } else {
        *at(t, device->number) = *device;
        put_slot(s, device->id, device->number);
        raise_last(t, device->number);
        atomic_fetch_add(&t->count, 1);
        result = 0;
    }
    pthread_mutex_unlock(&s->lock);
    return result;
}

struct device *devices_lock(struct devices *t, const uint8_t id[BL_ID_SIZE])
{
    struct shard *s = shard_of(t, id);
    uint32_t *slot;

    pthread_mutex_lock(&s->lock);
    slot = find_slot(t, s, id);
    if (slot == NULL) {
        pthread_mutex_unlock(&s->lock);
        return NULL;
    }
    return at(t, *slot);
}

struct device *devices_lock_number(struct devices *t, uint32_t number)
{
    struct device *d;
    struct shard *s;

    if (number > atomic_load(&t->last)) {
        return NULL;
    }
    d = at(t, number);
    if (d == NULL) {
        return NULL;
    }
    /* The id of an unused place is all zero, which has a shard, too. */
    s = shard_of(t, d->id);
    pthread_mutex_lock(&s->lock);
    if (d->number != number || shard_of(t, d->id) != s) {
        pthread_mutex_unlock(&s->lock);
        return NULL;
    }
    return d;
}

void devices_unlock(struct devices *t, struct device *device)
{
    pthread_mutex_unlock(&shard_of(t, device->id)->lock);
}

void devices_remove_locked(struct devices *t, struct device *device)
{
    struct shard *s = shard_of(t, device->id);
    uint32_t *slot = find_slot(t, s, device->id);

    if (slot != NULL) {
        *slot = (uint32_t)GONE;
        device->number = 0;
        atomic_fetch_sub(&t->count, 1);
    }
    pthread_mutex_unlock(&s->lock);
}

uint32_t devices_count(struct devices *t)
{
    return atomic_load(&t->count);
}

uint32_t devices_last(struct devices *t)
{
    return atomic_load(&t->last);
}
