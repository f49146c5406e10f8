/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What operators have put in: root documents, products, releases, rollouts,
 * pins; all of it in memory, loaded at start. Entries are never freed or
 * moved while the server runs; what may change in them (a rollout's state and
 * stage) changes under the write lock. Changes go to the store first.
 */
#ifndef SERVER_CATALOG_H
#define SERVER_CATALOG_H

#include "bowline/root.h"
#include "release.h"
#include "rollout.h"
#include "store.h"

#include <stdatomic.h>

enum {
    CATALOG_NAME = 64,
    CATALOG_DOMAIN = 128,
    CATALOG_VERSION = 64,
    CATALOG_CANDIDATES = 8
};

struct product {
    uint32_t number;
    char name[CATALOG_NAME];
    char domain[CATALOG_DOMAIN];
    uint8_t vendor_id[16];
    uint8_t class_id[16];
    uint64_t highest; /* sequence of its newest release */
    _Atomic uint32_t devices;
    _Atomic uint32_t generation; /* registrations and removals */
    struct rollout *newest;
};

struct release {
    uint32_t number;
    struct product *product;
    char version[CATALOG_VERSION];
    uint64_t sequence;
    uint8_t manifest[32];
    struct release_digests digests;
    bl_span envelope;
    char *signers;  /* JSON */
    char *payloads; /* JSON */
    uint64_t created;
    _Atomic uint32_t running; /* devices that run it */
};

struct rollout {
    uint64_t id;
    struct product *product;
    struct release *release;
    struct rollout *older; /* of the same product */
    char name[CATALOG_NAME];
    uint8_t kind;
    uint8_t state;
    uint32_t stage;
    uint32_t n_stages;
    uint32_t percent[ROLLOUT_STAGES];
    uint32_t limit[ROLLOUT_STAGES];
    bl_span permit;
    uint64_t created;
    uint64_t changed;
    _Atomic uint32_t count[BL_STATE_REFUSED + 1]; /* by outcome */
    /* How many devices each stage holds, when generation is the product's. */
    uint32_t stage_devices[ROLLOUT_STAGES];
    uint32_t generation;
    bool counted;
    bool ended;       /* stage_devices and blocked are those of its end */
    uint32_t blocked; /* devices that could not take it */
};

struct pin {
    uint64_t order;
    struct release *release;
    bl_span permit;
};

struct root_entry {
    uint64_t version;
    bl_span document;
};

struct list { /* of pointers */
    void **at;
    uint32_t n;
};

struct catalog {
    pthread_rwlock_t lock;
    struct list roots;    /* struct root_entry, by version */
    struct list products; /* by number: holes are NULL */
    struct list releases;
    struct list rollouts;
    struct bl_root root; /* the newest, read */
    bool has_root;
};

int catalog_init(struct catalog *c);
void catalog_free(struct catalog *c);
int catalog_load(struct catalog *c, struct store *store, struct error *err);

/* Under either lock. NULL when there is none. */
struct product *catalog_product(const struct catalog *c, const char *name);
struct product *catalog_product_number(const struct catalog *c, uint32_t n);
struct product *catalog_product_class(const struct catalog *c,
                                      const uint8_t class_id[16]);
struct release *catalog_release(const struct catalog *c,
                                const uint8_t manifest[32]);
struct release *catalog_release_number(const struct catalog *c, uint32_t n);
struct release *catalog_release_version(const struct product *product,
                                        const struct catalog *c,
                                        const char *version);
/* By product and sequence: whose event is this? */
struct release *catalog_release_sequence(const struct catalog *c,
                                         const struct product *product,
                                         uint64_t sequence);
/* Does a release of this product install it? */
bool catalog_has_payload(const struct catalog *c, uint32_t product,
                         const uint8_t sha256[32]);
struct rollout *catalog_rollout(const struct catalog *c, uint64_t id);
/* Running or paused. */
struct rollout *catalog_active(const struct product *product);

/* Under the write lock; each copies what it is given. */
int catalog_add_root(struct catalog *c, uint64_t version, bl_span document);
struct product *catalog_add_product(struct catalog *c, uint32_t number,
                                    const char *name, const char *domain,
                                    const uint8_t vendor_id[16],
                                    const uint8_t class_id[16]);
struct release *catalog_add_release(struct catalog *c, uint32_t number,
                                    const struct store_release *r,
                                    uint64_t created);
struct rollout *catalog_add_rollout(struct catalog *c,
                                    const struct store_rollout *r,
                                    uint64_t created, uint64_t changed);
struct pin *pin_new(uint64_t order, struct release *release, bl_span permit);
void pin_free(struct pin *pin);

/*
 * What is wanted of a product's devices, newest first, and the device's own
 * pin (or NULL) in its place. Ends at the first candidate that holds every
 * device: what is older has no say.
 */
uint32_t
catalog_candidates(const struct product *product, const struct pin *pin,
                   struct rollout_candidate out[CATALOG_CANDIDATES + 1]);
/* The release and the permit behind a candidate's order. */
struct release *catalog_offer(const struct catalog *c, const struct pin *pin,
                              uint64_t order, bl_span *permit);

/* "[1,10,100]" with the bucket limits: [[1,100],[10,1000],[100,10000]]. */
int rollout_stages_parse(struct rollout *r, const char *json);
char *rollout_stages_text(const struct rollout *r);
/* What it was when it ended: {"devices":[1,10,100],"blocked":0}, the devices
 * by stage. "" leaves it to be counted. */
int rollout_ended_parse(struct rollout *r, const char *json);
char *rollout_ended_text(const struct rollout *r);

#endif
