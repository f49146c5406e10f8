/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The census: one walk over all devices gives every count that is shown, and
 * those by which rollouts steer themselves. A thread walks all the time,
 * paced: each second where devices are few, at most two percent of a core
 * where they are many. A census that is whole is never changed; who reads one
 * holds it. Where devices are few, a request may have a fresh one.
 */
#ifndef SERVER_CENSUS_H
#define SERVER_CENSUS_H

#include "server.h"
#include "steer.h"

enum {
    CENSUS_NAMES = 10,
    CENSUS_NAME = 129,
    CENSUS_ATTENTION = 20,
    CENSUS_VERSIONS = 64, /* of a product; the rest is put together */
    CENSUS_PAIRS = 128,   /* of images, in a rollout; the rest is left out */
    CENSUS_FEW = 5000,    /* a fresh one for each request */
    CENSUS_SOME = 50000   /* the last one; a newer one a second later */
};

struct census_device {
    uint8_t id[16];
    char name[CENSUS_NAME];
    uint32_t product;
    uint32_t last_seen; /* 0: never */
    uint32_t since;
    enum rollout_why why;
    uint16_t code;
    uint8_t outcome;
    bool lost;        /* silent in the middle of an update */
    bool last_resort; /* runs what was never confirmed, for want of better */
};

struct census_list {
    uint32_t n; /* of them all */
    struct census_device first[CENSUS_NAMES];
};

/* Devices that run one release and shall run another, and take deltas. */
struct census_pair {
    uint32_t from;    /* number of the release that they run */
    uint32_t to;      /* and that they shall run */
    uint8_t slot;     /* that runs */
    uint8_t ram;      /* delta_class(): they have the same */
    uint8_t isas;     /* what most of them have */
    uint32_t leaning; /* by so many votes */
    uint32_t devices;
};

struct census_rollout {
    uint64_t id;
    struct steer_counts stage[ROLLOUT_STAGES]; /* each without the former */
    uint32_t seen;     /* of the product, since they were registered */
    uint32_t products; /* devices of the product */
    uint32_t targets;  /* that lists, query and channels let in */
    uint32_t blocked;  /* of them: cannot take the release */
    uint32_t quarantined;
    uint32_t absent; /* silent or waiting while offered or downloading */
    uint64_t newest; /* highest sequence or floor of a device */
    uint32_t held;   /* their turn, but: window, rate, downloads */
    uint32_t why[ROLLOUT_WHYS]; /* of devices that it decides upon */
    uint32_t n_pairs;
    struct census_pair pair[CENSUS_PAIRS];
    struct census_list unseen; /* in the stage, and never heard of */
    struct census_list silent; /* not for three intervals */
};

struct census_version {
    char version[DEVICE_TEXT];
    uint32_t devices;
};

struct census_product {
    uint32_t devices;
    uint32_t seen;
    uint32_t silent;
    uint32_t under_way;
    uint32_t n_versions;
    struct census_version version[CENSUS_VERSIONS];
};

struct census {
    _Atomic uint32_t holders;
    bool whole;        /* a walk has ended */
    uint64_t began_us; /* monotonic */
    uint64_t took_us;
    uint64_t time; /* seconds since 1970, at its end */
    uint32_t devices;
    uint32_t seen;
    uint32_t silent;
    uint32_t wanted;  /* something is wanted of them */
    uint32_t updated; /* of them: they run it, confirmed */
    uint32_t states[BL_STATE_REFUSED + 1];
    uint32_t attention;
    uint32_t n_attention;
    struct census_device needs[CENSUS_ATTENTION];
    uint32_t n_products; /* by number */
    struct census_product *product;
    uint32_t n_rollouts;
    struct census_rollout *rollout; /* those that are open, and paused */
};

struct census_keeper;

struct census_keeper *census_start(struct server *s, struct error *err);
void census_stop(struct census_keeper *k);

/* Never NULL; census_release it. */
const struct census *census_hold(struct server *s);
/* Begun now where devices are few (CENSUS_FEW of them take milliseconds), else
 * the last one: no HTTP thread walks far. To ask up to CENSUS_SOME makes the
 * census thread walk again soon. The admin lock may be held, no other. */
const struct census *census_fresh(struct server *s);
void census_release(const struct census *c);

/* NULL: it began after the census. */
const struct census_rollout *census_of(const struct census *c, uint64_t id);
/* Of the stages up to `stage`. */
void census_sum(const struct census_rollout *r, uint32_t stage,
                struct steer_counts *out);

/* Last seen then or earlier: silent. */
uint32_t silent_before(const struct server *s);
/* The same of devices that are under way: they are expected back sooner, or
 * may take as long as a trial. */
uint32_t lost_before(const struct server *s);

/* census_walk.c: one walk into an empty census. `paced`: with pauses. False:
 * told to stop. */
bool census_walk(struct server *s, struct census *out, bool paced,
                 const _Atomic bool *stop);
/* census_end.c: after a whole walk. */
void census_end(struct server *s, struct census *out);
/* Which stage is the first to hold it? n_stages: none. */
uint32_t census_stage(const struct rollout *r, const uint8_t id[16]);
struct census *census_new(struct server *s);
void census_free(struct census *c);

/* Why it needs a person, in a few words. */
enum { CENSUS_WHY = 200 };
void census_why(const struct census_device *d, char out[CENSUS_WHY]);

struct decision;
/* Does it? It is the device of the decision. */
bool census_needs_person(const struct decision *x, const struct device *d,
                         uint32_t lost_before);

/* Would the rollout come to it, in any of its stages, and has not yet? The
 * device is locked; `scratch` is written. */
bool census_untouched(struct server *s, struct rollout *r, struct device *d,
                      struct decision *scratch);
/* The rollout that counts it as silent now, or NULL. Catalog and device are
 * locked. */
struct rollout *census_silent(struct server *s, const struct device *d);
/* Of the last offer, that it did not keep. */
bool census_quarantined(const struct device *d, uint64_t now);

#endif
