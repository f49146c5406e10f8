/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must outlive the process, in SQLite: the schema and its migrations,
 * and one lock. Every change is a transaction: store_begin, changes with
 * their audit line, store_commit; when that returns 0 it is on the disk.
 *
 *   if (store_begin(store, err) != 0) return -1;
 *   if (store_... != 0) return store_abort(store);
 *   return store_commit(store, err);
 */
#ifndef SERVER_STORE_H
#define SERVER_STORE_H

#include "audit.h"
#include "db.h"
#include "device.h"

#include <pthread.h>

struct store {
    struct db db;
    pthread_mutex_t lock;
    int64_t from;           /* the schema it had when it was opened; 0: new */
    struct audit_head head; /* of what is committed */
    struct audit_head next; /* of the open transaction */
    /* Called after a transaction with audit lines, with the last of them. */
    void (*audited)(void *ctx, int64_t number);
    void *audited_ctx;
};

int store_open(struct store *store, const char *path, struct error *err);
void store_close(struct store *store);

int store_begin(struct store *store, struct error *err);
int store_commit(struct store *store, struct error *err);
/* Undoes; always -1. */
int store_abort(struct store *store);
/* For reading only. */
void store_lock(struct store *store);
void store_unlock(struct store *store);

/* Who did what: in the same transaction as the change. */
int store_audit(struct store *store, const char *actor, const char *action,
                const char *object, const char *detail, struct error *err);

int store_root_add(struct store *store, uint64_t version, bl_span document,
                   struct error *err);
int store_product_add(struct store *store, const char *name,
                      const char *domain, const uint8_t vendor_id[16],
                      const uint8_t class_id[16], uint32_t *number,
                      struct error *err);

/* Does it serve clients that are not ours? */
int store_product_unmanaged(struct store *store, uint32_t number, bool open,
                            struct error *err);

/* Of what may change in a release. */
struct release_marks {
    const char *channels; /* "dev beta"; "": any */
    const char *notes;
    bool stepping;
    bool security;
};

struct store_release {
    uint32_t product;
    const char *version;
    uint64_t sequence;
    const uint8_t *manifest;
    bl_span envelope;
    const char *signers;  /* JSON */
    const char *payloads; /* JSON */
    struct release_marks marks;
    bool sbom;
};

int store_release_add(struct store *store, const struct store_release *r,
                      uint32_t *number, struct error *err);
int store_release_mark(struct store *store, uint32_t number,
                       const struct release_marks *marks, struct error *err);

struct store_rollout {
    uint64_t id; /* 0: give one */
    uint32_t product;
    uint32_t release;
    const char *name;
    uint8_t kind;
    uint8_t state;
    uint32_t stage;
    const char *stages; /* JSON */
    bl_span permit;
    const char *ended; /* JSON, catalog.h; NULL or "": not known */
    const char *plan;  /* JSON, plan.h; "": of before there were plans */
    const char *steer; /* JSON, steering.h */
};

int store_rollout_add(struct store *store, struct store_rollout *r,
                      struct error *err);
int store_rollout_set(struct store *store, uint64_t id, uint8_t state,
                      uint32_t stage, struct error *err);

/* Its plan (NULL: as it is), course and stages. */
int store_rollout_steer(struct store *store, uint64_t id, const char *plan,
                        const char *steer, struct error *err);

/* What it was when it ended: in the transaction that ends it. */
int store_rollout_ended(struct store *store, uint64_t id, const char *ended,
                        struct error *err);

int store_device_add(struct store *store, const struct device *device,
                     uint32_t *number, struct error *err);
/* The product's device of this name, or 0; none has "". The lock is held. */
int store_device_named(struct store *store, uint32_t product, const char *name,
                       uint32_t *number, struct error *err);
int store_device_delete(struct store *store, uint32_t number,
                        struct error *err);
/* A device's own desired manifest; an empty permit takes it away. */
int store_device_pin(struct store *store, uint32_t number, uint64_t order,
                     uint32_t release, bl_span permit, struct error *err);

int store_event_add(struct store *store, uint32_t number, uint32_t life,
                    const struct bl_event *event, uint64_t received,
                    struct error *err);
/* NULL: it has none. Nothing happens when the device is gone. */
int store_attributes_put(struct store *store, uint32_t number,
                         const char *attributes, struct error *err);
int store_state_put(struct store *store, uint32_t number,
                    const struct device_state *state, struct error *err);

#endif
