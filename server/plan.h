/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an operator wants of a rollout: its plan. One form everywhere: the body
 * of POST /api/v1/rollouts, the file of `bowline rollout apply`, the column
 * rollouts.plan. docs/ROLLOUTS.md describes each member for people.
 *
 *   {"product", "version" | "manifest", "name", "permit",
 *    "strategy": "staged" | "canary" | "immediate",
 *    "stages": [{"percent": 1} | {"count": 10}, with "gates" of its own],
 *    "gates": {"confirmed_percent", "min_sample", "soak_s",
 *              "max_failed_percent", "min_failed", "manual"},
 *    "target": {"query", "channel", "include": [id], "exclude": [id]},
 *    "start_at", "deadline": seconds since 1970,
 *    "windows": [{"days": ["mon", ...], "from": "02:00", "to": "05:00"}],
 *    "consent", "min_battery_percent", "metered", "roaming",
 *    "rate_per_hour", "max_downloads", "priority", "security",
 *    "on_failure": "pause" | "return",
 *    "retry": {"attempts", "quarantine_s"},
 *    "permits": [{"manifest", "permit"}]}
 */
#ifndef SERVER_PLAN_H
#define SERVER_PLAN_H

#include "bowline/span.h"
#include "query.h"

#include <jansson.h>

enum {
    PLAN_STAGES = 16,
    PLAN_WINDOWS = 8,
    PLAN_PERMITS = 16,
    PLAN_IDS = 100000,
    PLAN_CHANNEL = 32,
    PLAN_MINUTES_A_DAY = 1440
};

/* When may a stage end, and when does it end the rollout? */
struct plan_gates {
    uint8_t confirmed_percent;  /* 95: of the stage's devices */
    uint8_t max_failed_percent; /* 10: failed, returned, refused or silent */
    bool manual;                /* an operator advances, too */
    uint32_t min_sample;        /* 5: devices that must have decided; never
                                   more than the stage has */
    uint32_t min_failed;        /* 2: fewer failures never pause */
    uint32_t soak_s;            /* 3600: since the last gate was reached */
};

struct plan_stage {
    uint8_t percent; /* 1..100; 0: `count` holds */
    uint32_t count;
    struct plan_gates gates;
};

/* Recurring, in the device's own local time. `to` before `from`: over
 * midnight, and the day is that of `from`. */
struct plan_window {
    uint8_t days; /* bit 0 Monday .. bit 6 Sunday */
    uint16_t from_minute;
    uint16_t to_minute;
};

struct plan_permit {
    uint8_t manifest[32]; /* of the release that it leads back to */
    bl_span permit;
};

struct plan_ids { /* sorted */
    uint32_t n;
    uint8_t (*at)[16];
};

enum plan_failure { PLAN_PAUSE, PLAN_RETURN };

struct plan {
    uint32_t n_stages;
    struct plan_stage stage[PLAN_STAGES];
    char query_text[QUERY_TEXT + 1];
    struct query *query;        /* NULL: every device */
    char channel[PLAN_CHANNEL]; /* "": any */
    struct plan_ids include;    /* n 0: no list; else only these */
    struct plan_ids exclude;
    uint64_t start_at; /* 0: at once */
    uint64_t deadline; /* 0: none; after it windows, consent, battery, metered
                          and roaming count no more */
    uint32_t n_windows;
    struct plan_window window[PLAN_WINDOWS];
    bool consent;                /* a person at the device must agree */
    uint8_t min_battery_percent; /* 0: any */
    bool metered;                /* allowed on metered links; default true */
    bool roaming;                /* default true */
    uint32_t rate_per_hour;      /* new offers; 0: no limit */
    uint32_t max_downloads;      /* at once; 0: no limit but the server's */
    int32_t priority;            /* -100..100, 0 */
    bool security;               /* preempts what is not */
    enum plan_failure on_failure;
    uint8_t attempts;      /* 2 */
    uint32_t quarantine_s; /* 86400 */
    uint32_t n_permits;
    struct plan_permit permit[PLAN_PERMITS];
};

/*
 * Reads and checks everything but what only the catalog knows (product,
 * version, names of devices): *err names the member and what it must be.
 * Unknown members are refused. Defaults are filled in; `strategy` gives the
 * stages when there are none: staged 1, 10, 100 percent; canary 10 devices,
 * then 100 percent; immediate 100 percent. 0, or -1 and *p is empty.
 * A plan owns memory: plan_free.
 */
int plan_read(const json_t *json, struct plan *p, struct error *err);
/* The whole plan, defaults written out: plan_read of it gives the same. */
json_t *plan_json(const struct plan *p);
void plan_free(struct plan *p);
/* One stage of 100 percent, no gates: what old rollouts and rollbacks have. */
void plan_default(struct plan *p);

bool plan_has_id(const struct plan_ids *ids, const uint8_t id[16]);

/* Is a window open at `now` (seconds since 1970) for a device `east` minutes
 * east of UTC? Without windows: yes. *opens_in: seconds until the next one
 * opens (0 when open), *closes_in: until this one closes (0: never). */
bool plan_window_open(const struct plan *p, uint64_t now, int east,
                      uint32_t *opens_in, uint32_t *closes_in);

#endif
