/* SPDX-License-Identifier: Apache-2.0 */
/*
 * May an offered update go on now? What the operator's plan asks (the policy,
 * which comes with the offer), what the device is in (its conditions), and
 * what the person at the device said (the consent). Pure.
 *
 * A policy is not signed: whoever can forge one can make a device wait or not
 * wait, and nothing else.
 */
#ifndef BOWLINE_POLICY_H
#define BOWLINE_POLICY_H

#include <stdbool.h>
#include <stdint.h>

/* Why an offered update waits. */
typedef enum bl_wait {
    BL_WAIT_NONE = 0,
    BL_WAIT_WINDOW = 1,
    BL_WAIT_CONSENT = 2,
    BL_WAIT_BATTERY = 3,
    BL_WAIT_NETWORK = 4
} bl_wait;

/* Flags of the conditions, as they travel (docs/PROTOCOL.md, key 19). */
enum {
    BL_POWERED = 1,    /* runs on external power */
    BL_METERED = 2,    /* the link costs by the byte */
    BL_ROAMING = 4,    /* the link is a foreign network's */
    BL_LINK_KNOWN = 8, /* the two above are known */
    BL_POWER_KNOWN = 16
};

enum {
    BL_BATTERY_UNKNOWN = 255,
    BL_OFFSET_UNKNOWN = -32768,
    BL_BATTERY_LEAST = 5 /* percent: below it nothing is forced */
};

struct bl_conditions {
    int16_t utc_offset; /* minutes east of UTC, local time */
    uint8_t battery;    /* percent */
    uint8_t flags;
};

struct bl_policy {
    uint32_t window_s;   /* until the window closes, when it came; 0: never */
    uint8_t min_battery; /* percent; 0: any */
    bool no_metered;
    bool no_roaming;
    bool consent; /* a person must agree */
    bool forced;  /* the deadline has passed */
    bool closed;  /* the window, since: the client's own note */
};

typedef enum bl_consent {
    BL_CONSENT_OPEN = 0, /* nobody has said anything */
    BL_CONSENT_YES = 1,
    BL_CONSENT_NO = 2,
    BL_CONSENT_LATER = 3
} bl_consent;

/*
 * The first reason to wait, in this order: window, battery, network, consent;
 * so a person is asked when all else is well. A "no" or "later" holds also
 * where no consent is asked for. What is not known (battery, link) never makes
 * a device wait; external power makes up for a low battery. Forced: only a
 * battery below BL_BATTERY_LEAST still waits.
 */
bl_wait bl_policy_wait(const struct bl_policy *policy,
                       const struct bl_conditions *conditions,
                       bl_consent consent);

#endif
