/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What chance decides for a whole run, from its seed alone: how a firmware
 * behaves on a device, and which of some kinds a device is. Pure.
 */
#ifndef SIM_FLEET_RULES_H
#define SIM_FLEET_RULES_H

#include "host/error.h"

#include <stdbool.h>
#include <stdint.h>

/* What a firmware does when it is started. */
enum fleet_behaviour {
    FLEET_GOOD,
    FLEET_CRASH,   /* ends at once, at each start */
    FLEET_HANG,    /* until the watchdog bites */
    FLEET_HEALTH,  /* a health check fails */
    FLEET_PENDING, /* its health checks never come to an end */
    FLEET_SILENT,  /* runs, and is never heard of again */
    FLEET_FLAKY,   /* crashes at every other start */
    FLEET_BEHAVIOURS
};

enum { FLEET_RULES = 64, FLEET_KINDS = 16, FLEET_TEXT = 32 };

/* One word per share: "rev-a:70%,rev-b:30%". */
struct fleet_shares {
    uint32_t n;
    char name[FLEET_KINDS][FLEET_TEXT];
    double share[FLEET_KINDS]; /* 0..1 */
};

struct fleet_rule {
    char version[FLEET_TEXT]; /* "*": of any */
    double share[FLEET_BEHAVIOURS];
};

struct fleet_rules {
    uint64_t seed;
    uint32_t n;
    struct fleet_rule rule[FLEET_RULES];
    double bad_release; /* share of releases without a rule that are bad */
};

/* "2%", "0.02", "30%". */
int fleet_share_parse(const char *text, double *out, struct error *err);
/* Words without a share take what the others leave, evenly. */
int fleet_shares_parse(const char *text, struct fleet_shares *out,
                       struct error *err);
/* "1.2.0=crash:30%,hang:5%" */
int fleet_rule_parse(struct fleet_rules *rules, const char *text,
                     struct error *err);

/* The same for the same seed, purpose and number: uniform in 0..1. */
double fleet_chance(uint64_t seed, const char *purpose, uint64_t number);
/* Which of the words is number's? "" when there are none. */
const char *fleet_shares_pick(const struct fleet_shares *shares, uint64_t seed,
                              const char *purpose, uint64_t number);
/* What a version does on device `number`; `factory`: it came with it. */
enum fleet_behaviour fleet_behaviour_of(const struct fleet_rules *rules,
                                        const char *version, bool factory,
                                        uint64_t number);
/* Is the whole release one that --bad-release made bad? */
bool fleet_release_is_bad(const struct fleet_rules *rules, const char *version,
                          bool factory);

/* "good", "crash", ... */
const char *fleet_behaviour_name(enum fleet_behaviour behaviour);

#endif
