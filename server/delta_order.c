/* SPDX-License-Identifier: Apache-2.0 */
/* What operators, and failing devices, do to patches; each with its line in
 * the audit log. */
#include "delta_keeper.h"

#include "api.h"
#include "delta_store.h"
#include "rollout_change.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct release *delta_release(const struct catalog *c, const uint8_t image[32])
{
    for (uint32_t i = 0; i < c->releases.n; i++) {
        struct release *r = c->releases.at[i];

        if (r != NULL && (memcmp(r->digests.image[0], image, 32) == 0 ||
                          memcmp(r->digests.image[1], image, 32) == 0)) {
            return r;
        }
    }
    return NULL;
}

void delta_name(struct server *s, const struct delta *one,
                char out[DELTA_NAME])
{
    const struct release *from;
    const struct release *to;

    pthread_rwlock_rdlock(&s->catalog.lock);
    from = delta_release(&s->catalog, one->base);
    to = delta_release(&s->catalog, one->target);
    snprintf(out, DELTA_NAME, "%s %s -> %s, %u KB",
             to == NULL ? "?" : to->product->name,
             from == NULL ? "?" : from->version,
             to == NULL ? "?" : to->version, delta_class_ram[one->ram] / 1024);
    pthread_rwlock_unlock(&s->catalog.lock);
}

void delta_tell(struct server *s, const uint8_t target[32])
{
    const struct release *r;

    pthread_rwlock_rdlock(&s->catalog.lock);
    r = delta_release(&s->catalog, target);
    if (r != NULL) {
        stream_release(s, r);
    }
    pthread_rwlock_unlock(&s->catalog.lock);
}

/* The row as it is to be, with its audit line, then in memory. */
static int change(struct server *s, const char *actor, const char *action,
                  const struct delta *next, const char *why, struct error *err)
{
    char name[DELTA_NAME];
    char number[16];
    char detail[DELTA_NAME + DELTA_REASON];

    delta_name(s, next, name);
    snprintf(number, sizeof number, "%u", next->number);
    snprintf(detail, sizeof detail, "%s%s%s", name, why[0] == '\0' ? "" : ": ",
             why);
    if (store_begin(&s->store, err) != 0) {
        return -1;
    }
    if (delta_store_put(&s->store, next, err) != 0 ||
        store_audit(&s->store, actor, action, number, detail, err) != 0) {
        return store_abort(&s->store);
    }
    if (store_commit(&s->store, err) != 0) {
        return -1;
    }
    log_info(action, LOG_TEXT("patch", name), LOG_TEXT("by", actor),
             LOG_TEXT("why", why[0] == '\0' ? NULL : why));
    return 0;
}

/* Of a row; what polls count meanwhile is not taken back. */
static void copy_row(const struct delta *one, struct delta *out)
{
    memcpy(out, one, sizeof *out);
}

static void take_over(struct server *s, struct delta *one,
                      const struct delta *next)
{
    pthread_rwlock_wrlock(&s->deltas.lock);
    one->tries = next->tries;
    one->asked = next->asked;
    one->queued = next->queued;
    one->size = next->size;
    memcpy(one->reason, next->reason, sizeof one->reason);
    atomic_store(&one->failures, atomic_load(&next->failures));
    memset(&one->stamp, 0, sizeof one->stamp);
    atomic_store(&one->damaged, false);
    atomic_store(&one->state, atomic_load(&next->state));
    pthread_rwlock_unlock(&s->deltas.lock);
    delta_tell(s, one->target);
}

static void drop_blob(struct server *s, const struct delta *one)
{
    if (!delta_keeps(&s->deltas, one->patch, one)) {
        blob_remove(&s->patches, one->patch);
    }
}

int delta_withdraw(struct server *s, const char *actor, struct delta *one,
                   const char *why, struct error *err)
{
    bool had = atomic_load(&one->state) == DELTA_READY;
    struct delta next;

    if (atomic_load(&one->state) == DELTA_WITHDRAWN) {
        return 0;
    }
    copy_row(one, &next);
    atomic_store(&next.state, DELTA_WITHDRAWN);
    next.asked = false;
    snprintf(next.reason, sizeof next.reason, "%s", why);
    if (change(s, actor, "delta-withdraw", &next, why, err) != 0) {
        return -1;
    }
    take_over(s, one, &next);
    atomic_fetch_add(&s->deltas.made[DELTA_WITHDRAWN], 1);
    if (had) {
        drop_blob(s, one);
    }
    return 0;
}

/* Into the queue, as if it had never been made. */
static int make_anew(struct server *s, const char *actor, struct delta *one,
                     bool asked, const char *why, struct error *err)
{
    uint8_t state = atomic_load(&one->state);
    struct delta next;

    copy_row(one, &next);
    atomic_store(&next.state, DELTA_QUEUED);
    atomic_store(&next.failures, 0);
    next.asked = asked;
    next.tries = 0;
    next.size = 0;
    next.queued = (int64_t)time(NULL);
    next.reason[0] = '\0';
    if (change(s, actor, "delta-remake", &next, why, err) != 0) {
        return -1;
    }
    take_over(s, one, &next);
    if (state == DELTA_READY) {
        drop_blob(s, one);
    }
    delta_keeper_wake(s->delta_keeper);
    return 0;
}

int delta_remake(struct server *s, const char *actor, struct delta *one,
                 struct error *err)
{
    uint8_t state = atomic_load(&one->state);

    if (state == DELTA_QUEUED || state == DELTA_MAKING || one->held) {
        err->code = 409;
        return error_set(err, "it waits to be made, or is being made");
    }
    return make_anew(s, actor, one, true, "", err);
}

int delta_mend(struct server *s, struct delta *one, struct error *err)
{
    return make_anew(s, ROLLOUT_SELF, one, one->asked, "its file was damaged",
                     err);
}

static int add_row(struct server *s, const char *actor, struct delta *new,
                   struct error *err)
{
    char name[DELTA_NAME];
    char number[16];

    delta_name(s, new, name);
    if (store_begin(&s->store, err) != 0) {
        return -1;
    }
    if (delta_store_add(&s->store, new, err) != 0) {
        return store_abort(&s->store);
    }
    snprintf(number, sizeof number, "%u", new->number);
    if (store_audit(&s->store, actor, "delta-make", number, name, err) != 0) {
        return store_abort(&s->store);
    }
    return store_commit(&s->store, err);
}

static int put_in_memory(struct server *s, struct delta *new,
                         struct error *err)
{
    int result;

    pthread_rwlock_wrlock(&s->deltas.lock);
    result = deltas_add(&s->deltas, new);
    pthread_rwlock_unlock(&s->deltas.lock);
    return result == 0 ? 0 : error_set(err, "no memory; restart the server");
}

struct delta *delta_order(struct server *s, const char *actor,
                          const struct delta *what, struct error *err)
{
    struct delta *one =
        deltas_same(&s->deltas, what->base, what->target, what->ram);
    uint64_t base = 0;
    uint64_t full = 0;

    if (one != NULL) {
        return one;
    }
    if (!blob_there(&s->blobs, what->base, &base) ||
        !blob_there(&s->blobs, what->target, &full) || full > UINT32_MAX) {
        err->code = 409;
        error_set(err, "the server does not have both images");
        return NULL;
    }
    one = calloc(1, sizeof *one);
    if (one == NULL) {
        error_set(err, "no memory");
        return NULL;
    }
    copy_row(what, one);
    one->next = NULL;
    one->full = (uint32_t)full;
    one->asked = true;
    one->queued = (int64_t)time(NULL);
    if (add_row(s, actor, one, err) != 0 || put_in_memory(s, one, err) != 0) {
        free(one);
        return NULL;
    }
    delta_tell(s, one->target);
    delta_keeper_wake(s->delta_keeper);
    return one;
}
