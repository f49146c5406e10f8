/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rollout decision, pure: facts in, verdict out. What should this device
 * run, and why? Nothing here reads a clock, a table or a lock; the truth table
 * is tests/server/test_rollout.c.
 *
 * One verdict serves all: the poll's answer, the sentence that `bowline device
 * why` prints (rollout_why.c), the preview and the census.
 */
#ifndef SERVER_ROLLOUT_H
#define SERVER_ROLLOUT_H

#include "plan.h"

#include "bowline/journal.h"
#include "bowline/ticket.h"
#include "host/why.h"

enum { ROLLOUT_BUCKETS = 10000, ROLLOUT_STAGES = PLAN_STAGES };

/* Every rank is below it: a stage that holds all. */
#define ROLLOUT_ALL ((uint64_t)ROLLOUT_BUCKETS << 32)

/* They stand in the database: only add. */
enum rollout_state {
    ROLLOUT_RUNNING = 0,
    ROLLOUT_PAUSED = 1,
    ROLLOUT_ABORTED = 2,
    ROLLOUT_FINISHED = 3,
    ROLLOUT_APPROVAL = 4, /* somebody else must agree first */
    ROLLOUT_SCHEDULED = 5 /* its start time has not come */
};

enum rollout_kind {
    ROLLOUT_UPDATE = 0,
    ROLLOUT_ROLLBACK = 1, /* of a product, with a permit */
    ROLLOUT_PIN = 2,      /* of one device, with a permit */
    ROLLOUT_RETURN = 3    /* of a list: back to what they ran before */
};

/* A release that devices below it must run before a later one. */
struct rollout_stone {
    uint64_t sequence;
    const uint8_t *manifest;
    const char *min_version;
    const char *version;
};

/*
 * Something that operators want of a product's devices. `order` tells newer
 * from older: rollout n has 2 n, a pin made while n was the newest 2 n + 1.
 */
struct rollout_candidate {
    uint64_t order;
    uint8_t kind;
    uint8_t state;
    bool permit; /* it carries one: floor and running version do not count */
    bool recall; /* aborted: who has not installed it is called back */
    bool lost;   /* the device did not keep it, two rollouts ago */
    bool stage_full; /* its stage is a count of devices, and others are it */
    bool full;       /* as many download as may at once */
    uint32_t rate_wait_s; /* 0: there is room for one more offer now */
    uint64_t cut;         /* a device is in the stage when its rank is below */
    uint64_t sequence;
    const uint8_t *manifest; /* 32 bytes */
    const char *channels;    /* of the release: "dev beta"; "": any */
    const char *min_version; /* of the release; "": any */
    const struct plan *plan; /* NULL: no conditions */
    /* Of a return: whoever runs this by that rollout, and ran the
     * candidate's manifest before. NULL: no matter. */
    const uint8_t *undoes;
    uint64_t undoes_order;
    const struct rollout_stone *stone; /* of the product, by sequence */
    uint32_t n_stones;
};

/* What is known of the device. */
struct rollout_device {
    const uint8_t *id;
    const uint8_t *manifest; /* that it runs */
    uint64_t sequence;       /* that it runs */
    const uint8_t *before;   /* the manifest that it ran before; or NULL */
    uint64_t floor;
    const char *version;
    const char *channel; /* "": stable */
    bool confirmed;
    uint8_t state;    /* bl_device_state, as reported */
    uint64_t offer;   /* order of the candidate it was last offered, 0: none */
    uint8_t outcome;  /* of that offer: a bl_device_state */
    uint16_t code;    /* and why: a bl_status */
    uint8_t attempts; /* of that offer, that ended badly */
    uint64_t quarantined_until;
    int east;        /* minutes east of UTC of its local time */
    query_fact fact; /* for the plan's query */
    void *facts;
};

/* What each means: host/why.h. */
enum rollout_why {
#define ROLLOUT_WHY(NAME, word, meaning, advice) ROLLOUT_##NAME,
    WHY_LIST(ROLLOUT_WHY)
#undef ROLLOUT_WHY
        ROLLOUT_WHYS
};

struct rollout_verdict {
    int candidate; /* index of the one that decided, -1: none */
    bool wanted;   /* the device should run candidate's manifest */
    enum rollout_why why;
    int stone;   /* index of the stepping stone that comes first, or -1 */
    bool forced; /* the deadline has passed: the device's own wishes, too */
    uint32_t closes_in; /* seconds until its window closes; 0: never. What is
                           under way in a closed one: 1, so that it waits */
    uint32_t wait_s;    /* until it is worth asking again; 0: not known */
    /* What it would rather have, when it RUNS something: the first running
     * candidate that does not come to it yet. -1: none. */
    int held;
    enum rollout_why held_why;
};

/* `candidates` in the order of catalog_candidates. `now` in seconds. */
struct rollout_verdict
rollout_decide(const struct rollout_device *device,
               const struct rollout_candidate *candidates, uint32_t n,
               uint64_t now);

/* The answer of each predicate, in the order in which rollout_decide asks
 * them; for `device why`. */
enum rollout_why rollout_judge(const struct rollout_device *device,
                               const struct rollout_candidate *candidate,
                               uint64_t now, struct rollout_verdict *v);

/* Do lists, query and channels let the device in? Else TARGET or CHANNEL. */
enum rollout_why rollout_target(const struct rollout_device *device,
                                const struct rollout_candidate *candidate);
/* Has it been offered this very rollout, and is that of any worth? */
bool rollout_engaged(const struct rollout_device *device, uint64_t order);
/* And has it taken that up? From then on lists, query and channels count no
 * more: what only has an offer, and leaves, is not offered it again. */
bool rollout_begun(const struct rollout_device *device,
                   const struct rollout_candidate *candidate);

/* Can no ticket bring the release to the device, whatever the rollout's
 * stage? It runs something else that is newer, or its floor is above. */
bool rollout_blocked(const struct rollout_device *device, uint64_t sequence,
                     const uint8_t manifest[32]);

/* docs/PROTOCOL.md, "Cohorts". */
uint32_t rollout_bucket(uint64_t rollout, const uint8_t device_id[16]);
/* The bucket, and within it a number that tells its devices apart: stages
 * that hold a count of devices end in the middle of one. */
uint64_t rollout_rank(uint64_t rollout, const uint8_t device_id[16]);

/* Is `outcome` the end of an offer? */
bool rollout_final(uint8_t outcome);
/* Did the device not keep it? */
bool rollout_bad(uint8_t outcome);
/* May an offer that ended with this code be made again, as often as the plan
 * says? Not when it can never become right on that device, and not against
 * an operator's word. */
bool rollout_may_retry(uint8_t outcome, uint16_t code);
/* Was it the way that failed, or a ticket that came too late? Nothing speaks
 * against the release then. */
bool rollout_way_failed(uint8_t outcome, uint16_t code);
/* Has it begun, and not ended? */
bool rollout_under_way(uint8_t outcome);

/* The outcome of an offer after an event of the device. */
uint8_t rollout_after_event(uint8_t outcome, uint64_t offer_sequence,
                            uint8_t state, uint64_t event_sequence);

/* What one report says beside the offer that was made. */
struct rollout_report {
    bool runs;      /* the running manifest is the offered one */
    bool confirmed; /* the device says so of the running image */
    bool matches;   /* version and image digest are the release's */
    uint8_t state;
};

/* The outcome of an offer after a report. Success is only what is reported
 * whole, in one report: manifest, version, image digest, confirmed. */
uint8_t rollout_after_report(uint8_t outcome,
                             const struct rollout_report *report);

/* "nothing", "offer", ...: for logs and the API. */
const char *rollout_why_name(enum rollout_why why);
const char *rollout_state_name(uint8_t state);
const char *rollout_kind_name(uint8_t kind);

/* Running, paused, or on its way there. */
bool rollout_open(uint8_t state);

#endif
