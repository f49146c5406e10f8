/* SPDX-License-Identifier: Apache-2.0 */
#include "deltas.h"

#include <stdlib.h>
#include <string.h>

const uint32_t delta_class_ram[DELTA_CLASSES] = {6144, 8192, 12288, 16384,
                                                 32768};

int deltas_init(struct deltas *d, const struct delta_rules *rules)
{
    memset(d, 0, sizeof *d);
    d->rules = *rules;
    return pthread_rwlock_init(&d->lock, NULL);
}

void deltas_free(struct deltas *d)
{
    for (uint32_t i = 0; i < d->n_rows; i++) {
        free(d->row[i]);
    }
    free(d->row);
    pthread_rwlock_destroy(&d->lock);
}

uint8_t delta_class(uint64_t ram)
{
    uint8_t found = 0;

    for (uint8_t i = 0; i < DELTA_CLASSES; i++) {
        if (delta_class_ram[i] <= ram) {
            found = (uint8_t)(i + 1);
        }
    }
    return found;
}

const char *delta_state_name(uint8_t state)
{
    static const char *const names[DELTA_STATES] = {
        "queued", "making", "ready", "useless", "failed", "withdrawn"};

    return state < DELTA_STATES ? names[state] : "unknown";
}

/* Both are digests: any of their bits will do. */
static uint32_t bucket_of(const uint8_t base[32], const uint8_t target[32])
{
    return ((uint32_t)(base[0] ^ target[1]) << 8 |
            (uint32_t)(base[1] ^ target[0])) %
           DELTA_BUCKETS;
}

static bool is_pair(const struct delta *one, const uint8_t base[32],
                    const uint8_t target[32])
{
    return memcmp(one->base, base, 32) == 0 &&
           memcmp(one->target, target, 32) == 0;
}

bool delta_worth(const struct delta_rules *rules, uint64_t size, uint64_t full)
{
    return size < full && size * 100 <= full * rules->share;
}

/* Ready, and not found damaged. */
static bool is_whole(const struct delta *one)
{
    return atomic_load(&one->state) == DELTA_READY &&
           !atomic_load(&one->damaged);
}

bool delta_offered(const struct deltas *d, const struct delta *one)
{
    return is_whole(one) && delta_worth(&d->rules, one->size, one->full) &&
           atomic_load(&one->failures) < d->rules.failures;
}

static bool can_apply(const struct delta *one, const struct delta_ask *ask)
{
    return delta_class_ram[one->ram] <= ask->ram &&
           (ask->isas >> one->isa & 1U) != 0;
}

bool deltas_find(struct deltas *d, const struct delta_ask *ask,
                 struct delta_offer *out)
{
    const struct delta *best = NULL;

    pthread_rwlock_rdlock(&d->lock);
    for (const struct delta *i = d->pair[bucket_of(ask->base, ask->target)];
         i != NULL; i = i->next) {
        if (is_pair(i, ask->base, ask->target) && delta_offered(d, i) &&
            can_apply(i, ask) && (best == NULL || i->size < best->size)) {
            best = i;
        }
    }
    if (best != NULL) {
        out->number = best->number;
        out->size = best->size;
        out->full = best->full;
        out->checked = best->stamp.size != 0;
        memcpy(out->patch, best->patch, 32);
    }
    pthread_rwlock_unlock(&d->lock);
    return best != NULL;
}

uint32_t deltas_coming(struct deltas *d, const struct delta_ask *ask,
                       int64_t now, uint32_t most)
{
    uint8_t class = delta_class(ask->ram);
    const struct delta *one;
    int64_t left = 0;

    if (class == 0) {
        return 0;
    }
    pthread_rwlock_rdlock(&d->lock);
    one = deltas_same(d, ask->base, ask->target, (uint8_t)(class - 1));
    if (one != NULL && atomic_load(&one->state) <= DELTA_MAKING &&
        one->queued <= now) {
        left = one->queued + (int64_t)most - now;
    }
    pthread_rwlock_unlock(&d->lock);
    return left > 0 ? (uint32_t)left : 0;
}

bool deltas_patch(struct deltas *d, const uint8_t patch[32], uint8_t base[32],
                  uint8_t target[32])
{
    bool found = false;

    pthread_rwlock_rdlock(&d->lock);
    for (uint32_t i = 0; i < d->n_rows && !found; i++) {
        const struct delta *one = d->row[i];

        if (one != NULL && is_whole(one) &&
            memcmp(one->patch, patch, 32) == 0) {
            memcpy(base, one->base, 32);
            memcpy(target, one->target, 32);
            found = true;
        }
    }
    pthread_rwlock_unlock(&d->lock);
    return found;
}

bool deltas_stamp(struct deltas *d, const uint8_t patch[32],
                  struct blob_stamp *out)
{
    bool found = false;

    pthread_rwlock_rdlock(&d->lock);
    for (uint32_t i = 0; i < d->n_rows && !found; i++) {
        const struct delta *one = d->row[i];

        if (one != NULL && is_whole(one) &&
            memcmp(one->patch, patch, 32) == 0) {
            *out = one->stamp;
            found = true;
        }
    }
    pthread_rwlock_unlock(&d->lock);
    return found;
}

bool deltas_checked(struct deltas *d, const uint8_t patch[32],
                    const struct blob_stamp *stamp)
{
    bool news = false;

    pthread_rwlock_wrlock(&d->lock);
    for (uint32_t i = 0; i < d->n_rows; i++) {
        struct delta *one = d->row[i];

        if (one == NULL || !is_whole(one) ||
            memcmp(one->patch, patch, 32) != 0) {
            continue;
        }
        news = true;
        if (stamp != NULL) {
            one->stamp = *stamp;
        } else {
            atomic_store(&one->damaged, true);
        }
    }
    pthread_rwlock_unlock(&d->lock);
    return news;
}

/* --- What devices do with them --------------------------------------------
 */

bool deltas_fetched(struct deltas *d, uint32_t number, const uint8_t patch[32],
                    int64_t now)
{
    struct delta *one;
    bool is;

    pthread_rwlock_rdlock(&d->lock);
    one = deltas_row(d, number);
    is = one != NULL && memcmp(one->patch, patch, 32) == 0;
    if (is) {
        atomic_store(&one->used, now);
        atomic_store(&one->counted, true);
    }
    pthread_rwlock_unlock(&d->lock);
    return is;
}

bool deltas_leads_to(struct deltas *d, uint32_t number,
                     const uint8_t target[32], uint32_t *full)
{
    const struct delta *one;
    bool is;

    pthread_rwlock_rdlock(&d->lock);
    one = deltas_row(d, number);
    is = one != NULL && memcmp(one->target, target, 32) == 0;
    *full = is ? one->full : 0;
    pthread_rwlock_unlock(&d->lock);
    return is;
}

void deltas_failed(struct deltas *d, uint32_t number)
{
    struct delta *one;

    atomic_fetch_add(&d->failures, 1);
    pthread_rwlock_rdlock(&d->lock);
    one = deltas_row(d, number);
    if (one != NULL) {
        atomic_fetch_add(&one->failures, 1);
        atomic_store(&one->counted, true);
    }
    pthread_rwlock_unlock(&d->lock);
}

void deltas_installed(struct deltas *d, uint32_t number, uint64_t saved)
{
    struct delta *one;

    atomic_fetch_add(&d->installs, 1);
    atomic_fetch_add(&d->saved, saved);
    pthread_rwlock_rdlock(&d->lock);
    one = deltas_row(d, number);
    if (one != NULL) {
        atomic_fetch_add(&one->installs, 1);
        atomic_fetch_add(&one->saved, saved);
        atomic_store(&one->counted, true);
    }
    pthread_rwlock_unlock(&d->lock);
}

/* --- The table ------------------------------------------------------------
 */

static int make_room(struct deltas *d, uint32_t number)
{
    uint32_t n = number < 64 ? 64 : number * 2;
    struct delta **row;

    if (number < d->n_rows) {
        return 0;
    }
    row = realloc(d->row, n * sizeof *row);
    if (row == NULL) {
        return -1;
    }
    memset(row + d->n_rows, 0, (n - d->n_rows) * sizeof *row);
    d->row = row;
    d->n_rows = n;
    return 0;
}

int deltas_add(struct deltas *d, struct delta *what)
{
    struct delta **head = &d->pair[bucket_of(what->base, what->target)];

    if (make_room(d, what->number) != 0) {
        return -1;
    }
    d->row[what->number] = what;
    d->n++;
    what->next = *head;
    *head = what;
    return 0;
}

void deltas_remove(struct deltas *d, struct delta *what)
{
    struct delta **at = &d->pair[bucket_of(what->base, what->target)];

    while (*at != what) {
        at = &(*at)->next;
    }
    *at = what->next;
    d->row[what->number] = NULL;
    d->n--;
    free(what);
}

struct delta *deltas_row(const struct deltas *d, uint32_t number)
{
    return number < d->n_rows ? d->row[number] : NULL;
}

struct delta *deltas_same(const struct deltas *d, const uint8_t base[32],
                          const uint8_t target[32], uint8_t ram)
{
    struct delta *one = d->pair[bucket_of(base, target)];

    while (one != NULL && (one->ram != ram || !is_pair(one, base, target))) {
        one = one->next;
    }
    return one;
}

static bool comes_before(const struct delta *a, const struct delta *b)
{
    if (a->asked != b->asked) {
        return a->asked;
    }
    if (a->urgent != b->urgent) {
        return a->urgent;
    }
    if (a->devices != b->devices) {
        return a->devices > b->devices;
    }
    return a->number < b->number;
}

struct delta *deltas_next(const struct deltas *d, uint64_t now_us)
{
    struct delta *best = NULL;

    for (uint32_t i = 0; i < d->n_rows; i++) {
        struct delta *one = d->row[i];

        if (one != NULL && atomic_load(&one->state) == DELTA_QUEUED &&
            one->rest_us <= now_us &&
            (best == NULL || comes_before(one, best))) {
            best = one;
        }
    }
    return best;
}
