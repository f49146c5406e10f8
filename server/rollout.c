/* SPDX-License-Identifier: Apache-2.0 */
#include "rollout.h"

#include "bowline/sha256.h"

#include <inttypes.h>
#include <stdio.h>

uint32_t rollout_bucket(uint64_t rollout, const uint8_t device_id[16])
{
    struct bl_sha256 hash;
    uint8_t digest[BL_SHA256_SIZE];
    char salt[24];
    uint64_t value = 0;
    int n = snprintf(salt, sizeof salt, "%" PRIu64, rollout);

    bl_sha256_init(&hash);
    bl_sha256_update(&hash, salt, (size_t)n);
    bl_sha256_update(&hash, device_id, 16);
    bl_sha256_final(&hash, digest);
    for (int i = 0; i < 8; i++) {
        value = value << 8 | digest[i];
    }
    return (uint32_t)(value % ROLLOUT_BUCKETS);
}

bool rollout_final(uint8_t outcome)
{
    return outcome >= BL_STATE_CONFIRMED && outcome <= BL_STATE_REFUSED;
}

bool rollout_may_retry(uint8_t outcome, uint16_t code)
{
    if (outcome != BL_STATE_FAILED && outcome != BL_STATE_REFUSED) {
        return false;
    }
    /* The way was at fault, or a ticket came too late: not the release. */
    return (code >= BL_PAYLOAD_LONG && code <= BL_PAYLOAD_DIGEST) ||
           (code >= BL_TRANSPORT && code <= BL_ANSWER) ||
           (code >= BL_TICKET && code <= BL_TICKET_MISSING);
}

static bool under_way(const struct rollout_device *device, uint64_t order)
{
    return device->offer == order && device->outcome >= BL_STATE_DOWNLOADING &&
           device->outcome <= BL_STATE_TESTING;
}

/* An image that is neither confirmed nor on trial was started for want of a
 * better: that device needs a release most of all. */
static bool on_trial(bool confirmed, uint8_t state)
{
    return !confirmed && state == BL_STATE_TESTING;
}

static bool in_stage(const struct rollout_device *device,
                     const struct rollout_candidate *c)
{
    if (c->limit >= ROLLOUT_BUCKETS) {
        return true;
    }
    return rollout_bucket(c->order / 2, device->id) < c->limit;
}

static bool has_newer(const struct rollout_device *device,
                      const struct rollout_candidate *c)
{
    if (device->offer > c->order && rollout_final(device->outcome)) {
        return true;
    }
    return c->kind == ROLLOUT_UPDATE && c->sequence <= device->sequence;
}

static bool below_floor(const struct rollout_device *device,
                        const struct rollout_candidate *c)
{
    return c->kind == ROLLOUT_UPDATE && c->sequence < device->floor;
}

bool rollout_blocked(const struct rollout_device *device, uint64_t sequence,
                     const uint8_t manifest[32])
{
    return memcmp(device->manifest, manifest, 32) != 0 &&
           (sequence <= device->sequence || sequence < device->floor);
}

static bool tried(const struct rollout_device *device,
                  const struct rollout_candidate *c)
{
    return device->offer == c->order && rollout_final(device->outcome) &&
           device->outcome != BL_STATE_CONFIRMED &&
           !rollout_may_retry(device->outcome, device->code);
}

/* What a candidate that is not aborted, and whose stage holds the device,
 * means for it. */
static enum rollout_why judge(const struct rollout_device *device,
                              const struct rollout_candidate *c)
{
    bool older_than_last =
        device->offer > c->order && rollout_final(device->outcome);

    if (!older_than_last && memcmp(device->manifest, c->manifest, 32) == 0) {
        return ROLLOUT_RUNS;
    }
    if (on_trial(device->confirmed, device->state)) {
        return ROLLOUT_TRIAL;
    }
    if (tried(device, c)) {
        return ROLLOUT_TRIED;
    }
    if (has_newer(device, c)) {
        return ROLLOUT_NEWER;
    }
    if (below_floor(device, c)) {
        return ROLLOUT_FLOOR;
    }
    if (c->state == ROLLOUT_PAUSED && !under_way(device, c->order)) {
        return ROLLOUT_PAUSE;
    }
    return ROLLOUT_OFFER;
}

struct rollout_verdict
rollout_decide(const struct rollout_device *device,
               const struct rollout_candidate *candidates, uint32_t n)
{
    struct rollout_verdict v = {-1, false, ROLLOUT_NOTHING};

    for (uint32_t i = 0; i < n; i++) {
        const struct rollout_candidate *c = &candidates[i];

        if (c->state == ROLLOUT_ABORTED) {
            continue;
        }
        if (!in_stage(device, c)) {
            if (v.candidate < 0) {
                v.candidate = (int)i;
                v.why = ROLLOUT_STAGE;
            }
            continue;
        }
        enum rollout_why why = judge(device, c);
        /* A later stage of a newer rollout says more than an old one that
         * has nothing for this device. */
        bool nothing = why == ROLLOUT_NEWER || why == ROLLOUT_FLOOR;
        if (nothing && v.candidate >= 0) {
            return v;
        }
        v.candidate = (int)i;
        v.why = why;
        v.wanted = why == ROLLOUT_OFFER || why == ROLLOUT_RUNS;
        return v;
    }
    return v;
}

uint8_t rollout_after_event(uint8_t outcome, uint64_t offer_sequence,
                            uint8_t state, uint64_t event_sequence)
{
    bool ours = event_sequence == offer_sequence;
    bool pending = outcome != BL_STATE_IDLE && !rollout_final(outcome);

    /* What was refused before its manifest could be read has no number. */
    if (event_sequence == 0 && pending && state >= BL_STATE_FAILED) {
        ours = true;
    }
    if (!ours || outcome == BL_STATE_IDLE) {
        return outcome;
    }
    if (state >= BL_STATE_RETURNED && state <= BL_STATE_REFUSED) {
        return state;
    }
    if (pending && state >= BL_STATE_OFFERED && state <= BL_STATE_TESTING) {
        return state;
    }
    return outcome;
}

uint8_t rollout_after_report(uint8_t outcome,
                             const struct rollout_report *report)
{
    uint8_t state = report->state;

    if (outcome == BL_STATE_IDLE) {
        return outcome;
    }
    if (report->runs &&
        (report->confirmed || on_trial(report->confirmed, state))) {
        return report->confirmed && report->matches ? BL_STATE_CONFIRMED
                                                    : BL_STATE_TESTING;
    }
    if (rollout_final(outcome)) {
        return outcome;
    }
    if (state >= BL_STATE_WAITING && state <= BL_STATE_REBOOTING) {
        return state;
    }
    /* Its events were lost, but it is back and says so. Only once it had
     * begun: before, the state may be the end of an older offer. */
    if (state >= BL_STATE_RETURNED && state <= BL_STATE_REFUSED &&
        outcome >= BL_STATE_DOWNLOADING) {
        return state;
    }
    return outcome;
}

const char *rollout_why_name(enum rollout_why why)
{
    static const char *const name[] = {"nothing", "offer",  "runs",
                                       "stage",   "paused", "tried",
                                       "newer",   "trial",  "floor"};

    return name[why];
}

const char *rollout_state_name(uint8_t state)
{
    static const char *const name[] = {"running", "paused", "aborted",
                                       "finished"};

    return state < 4 ? name[state] : "unknown";
}

const char *rollout_kind_name(uint8_t kind)
{
    static const char *const name[] = {"update", "rollback", "device"};

    return kind < 3 ? name[kind] : "unknown";
}
