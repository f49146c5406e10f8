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
#include "number_set.h"
#include "release.h"
#include "rollout.h"
#include "steering.h"
#include "store.h"

#include <stdatomic.h>

enum {
    CATALOG_NAME = 64,
    CATALOG_DOMAIN = 128,
    CATALOG_VERSION = 64,
    CATALOG_ACTIVE = 16,     /* rollouts of a product at once */
    CATALOG_CANDIDATES = 32, /* with those that have ended */
    CATALOG_STONES = 16,     /* stepping stones of a product */
    CATALOG_CHANNELS = 256,  /* bytes: the channels of a release */
    CATALOG_NOTES = 4096
};

struct product {
    uint32_t number;
    char name[CATALOG_NAME];
    char domain[CATALOG_DOMAIN];
    uint8_t vendor_id[16];
    uint8_t class_id[16];
    uint64_t highest;      /* sequence of its newest release */
    atomic_bool unmanaged; /* serves clients that are not ours */
    _Atomic uint32_t devices;
    _Atomic uint32_t generation; /* registrations and removals */
    struct rollout *newest;
    /* Those that may want a device, in the order in which they are asked. */
    struct rollout *order[CATALOG_CANDIDATES];
    uint32_t n_order;
    struct rollout_stone stone[CATALOG_STONES]; /* by sequence */
    uint32_t n_stones;
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
    char channels[CATALOG_CHANNELS];   /* "dev beta"; "": for any device */
    char min_version[CATALOG_VERSION]; /* a device must run; "": any */
    char *notes;
    bool stepping; /* devices below it must run it before a later one */
    bool security;
    bool sbom;                /* one was stored with it */
    uint64_t payload_bytes;   /* that a device fetches */
    struct release *next;     /* of those whose manifests hash alike */
    _Atomic uint32_t running; /* devices that run it */
};

struct rollout_gone {
    uint8_t id[16];
};

struct rollout {
    uint64_t id;
    struct product *product;
    struct release *release;
    struct rollout *older;        /* of the same product */
    const struct rollout *undoes; /* of a return */
    char name[CATALOG_NAME];
    uint8_t kind;
    uint8_t state;
    uint32_t stage;
    struct plan plan;
    uint64_t cut[ROLLOUT_STAGES]; /* a stage holds the ranks below */
    struct steering steering;
    bl_span permit;
    uint64_t created;
    uint64_t changed;
    _Atomic uint32_t count[BL_STATE_REFUSED + 1]; /* by outcome */
    _Atomic uint64_t pace_us;     /* rate.h: when the next offer is due */
    _Atomic uint64_t sent;        /* payload bytes, since the server started */
    _Atomic uint64_t saved;       /* of them not fetched again after a break */
    _Atomic uint64_t delta_saved; /* bytes, by devices that confirmed it */
    _Atomic uint64_t delta_devices;     /* that installed it from a patch */
    _Atomic uint32_t unmanaged_open;    /* downloads of unmanaged clients */
    _Atomic uint64_t unmanaged_pace_us; /* as pace_us, of these clients: who
                                           invents some slows no other device
                                           down */
    _Atomic uint32_t absent;   /* of those offered or downloading: silent, or
                                  waiting for something of their own */
    struct number_set failed;  /* devices that did not keep it, and have not
                                  made that good by confirming it */
    struct number_set lost;    /* of them: it is over for them, since they
                                  were offered another rollout */
    struct number_set taken;   /* devices that it was offered to; kept while
                                  a stage of a count is to come or present */
    struct rollout_gone *gone; /* failed devices that were removed */
    uint32_t n_gone;
    bool ended; /* stage_devices and blocked are those of its end */
    uint32_t stage_devices[ROLLOUT_STAGES];
    uint32_t stage_confirmed[ROLLOUT_STAGES];
    uint32_t stage_failed[ROLLOUT_STAGES];
    uint32_t blocked;    /* devices that could not take it */
    uint32_t targets;    /* of so many that it was meant for */
    uint64_t told;       /* of its counts, when they were told last */
    uint64_t touched_us; /* counts older than this are stale: monotonic */
    bool begun_here;     /* its stage, since the server was started */
    bool watching; /* devices have had the time to report since the start */
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
    struct release *by_manifest[256]; /* chains, by the first byte */
    struct bl_root root;              /* the newest, read */
    bool has_root;
};

int catalog_init(struct catalog *c);
void catalog_free(struct catalog *c);
int catalog_load(struct catalog *c, struct store *store, struct error *err);

/* In walks over all devices, with the read lock: now and then whoever wants
 * to write goes first. Nothing read under the lock before holds after. */
void catalog_breathe(struct catalog *c, uint64_t i);

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
/* The newest that is neither aborted nor finished. */
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

/* -1: no memory, or more stepping stones than CATALOG_STONES. */
int catalog_mark_release(struct catalog *c, struct release *r,
                         const struct release_marks *marks);
/* After a change of a state, plan or priority: puts the product's rollouts
 * in their order. */
void catalog_arrange(struct product *product);
void catalog_free_rollout(struct rollout *r);
/* A failed device is removed, under the write lock: it stays counted. */
int catalog_add_gone(struct rollout *r, const uint8_t id[16]);
/* So many devices may be offered it until the present stage ends. */
uint32_t catalog_stage_most(const struct rollout *r);
/* Is it to be kept whom it was offered to? */
bool catalog_counts_taken(const struct rollout *r);

/*
 * What is wanted of a product's devices: active security rollouts, other
 * active ones, both by priority, then newest first; then those that wait to
 * begin; then finished ones, newest first, up to one that holds every
 * device. The device's own pin (or NULL) hides all that is older.
 * `device` is its row: rate, downloads and what it lost are looked up.
 */
uint32_t
catalog_candidates(const struct product *product, const struct pin *pin,
                   uint32_t device, uint64_t now_us,
                   struct rollout_candidate out[CATALOG_CANDIDATES + 1]);
void catalog_candidate(struct rollout *r, uint32_t device, uint64_t now_us,
                       struct rollout_candidate *out);
/* The release and the permit behind a candidate's order. */
struct release *catalog_offer(const struct catalog *c, const struct pin *pin,
                              uint64_t order, bl_span *permit);

/* "[[1,100,cut],...]": percent (0: a count of devices), limit in buckets. */
int rollout_stages_parse(struct rollout *r, const char *json);
char *rollout_stages_text(const struct rollout *r);
/* In buckets, rounded up. */
uint32_t rollout_limit(const struct rollout *r, uint32_t stage);
/* What it was when it ended: {"devices":[1,10,100],"confirmed":[...],
 * "failed":[...],"blocked":0}, by stage. "" leaves it to be counted. */
int rollout_ended_parse(struct rollout *r, const char *json);
char *rollout_ended_text(const struct rollout *r);

#endif
