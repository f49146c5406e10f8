/* SPDX-License-Identifier: Apache-2.0 */
#include "rollout.h"

#include "bowline/sha256.h"

#include <inttypes.h>
#include <stdio.h>

static uint64_t hash(uint64_t rollout, const uint8_t device_id[16])
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
    return value;
}

uint32_t rollout_bucket(uint64_t rollout, const uint8_t device_id[16])
{
    return (uint32_t)(hash(rollout, device_id) % ROLLOUT_BUCKETS);
}

uint64_t rollout_rank(uint64_t rollout, const uint8_t device_id[16])
{
    uint64_t value = hash(rollout, device_id);

    return value % ROLLOUT_BUCKETS << 32 |
           (value / ROLLOUT_BUCKETS & UINT32_MAX);
}

bool rollout_final(uint8_t outcome)
{
    return outcome >= BL_STATE_CONFIRMED && outcome <= BL_STATE_REFUSED;
}

bool rollout_bad(uint8_t outcome)
{
    return rollout_final(outcome) && outcome != BL_STATE_CONFIRMED;
}

bool rollout_open(uint8_t state)
{
    return state != ROLLOUT_ABORTED && state != ROLLOUT_FINISHED;
}

bool rollout_way_failed(uint8_t outcome, uint16_t code)
{
    if (outcome != BL_STATE_FAILED && outcome != BL_STATE_REFUSED) {
        return false;
    }
    return (code >= BL_PAYLOAD_LONG && code <= BL_PAYLOAD_DIGEST) ||
           (code >= BL_TRANSPORT && code <= BL_ANSWER) ||
           (code >= BL_TICKET && code <= BL_TICKET_MISSING);
}

/* What the device makes of the release itself: the same tomorrow. */
static bool is_lasting(uint16_t code)
{
    return (code >= BL_CBOR && code <= BL_CLASS) ||
           (code >= BL_SLOT && code <= BL_DEVICE_ID) ||
           (code >= BL_ABORTED && code <= BL_CONDITION) ||
           (code >= BL_ROOT && code <= BL_SECURITY_FLOOR) ||
           code == BL_NO_SPACE || code == BL_OPERATOR;
}

bool rollout_may_retry(uint8_t outcome, uint16_t code)
{
    if (!rollout_bad(outcome)) {
        return false;
    }
    if (outcome == BL_STATE_REFUSED) {
        return rollout_way_failed(outcome, code) || code == BL_BATTERY ||
               code == BL_NOT_AUTHORIZED;
    }
    return !is_lasting(code);
}

bool rollout_under_way(uint8_t outcome)
{
    return outcome >= BL_STATE_DOWNLOADING && outcome <= BL_STATE_TESTING;
}

bool rollout_engaged(const struct rollout_device *device, uint64_t order)
{
    return device->offer == order && device->outcome != BL_STATE_IDLE;
}

/* After a stepping stone the rollout's own release is yet to be offered. */
static bool is_on_stone(const struct rollout_device *device,
                        const struct rollout_candidate *c)
{
    for (uint32_t i = 0; i < c->n_stones; i++) {
        if (c->stone[i].sequence < c->sequence &&
            memcmp(device->manifest, c->stone[i].manifest, 32) == 0) {
            return true;
        }
    }
    return false;
}

bool rollout_begun(const struct rollout_device *device,
                   const struct rollout_candidate *c)
{
    if (!rollout_engaged(device, c->order)) {
        return false;
    }
    return (device->outcome != BL_STATE_OFFERED &&
            device->outcome != BL_STATE_WAITING) ||
           is_on_stone(device, c);
}

/* --- One candidate --------------------------------------------------------
 */

static bool under_way(const struct rollout_device *device, uint64_t order)
{
    return device->offer == order && rollout_under_way(device->outcome);
}

/* An image that is neither confirmed nor on trial was started for want of a
 * better: that device needs a release most of all. */
static bool on_trial(bool confirmed, uint8_t state)
{
    return !confirmed && state == BL_STATE_TESTING;
}

static bool active(const struct rollout_candidate *c)
{
    return c->state == ROLLOUT_RUNNING || c->state == ROLLOUT_PAUSED;
}

/* An update goes forward; the others may go back. */
static bool forward(const struct rollout_candidate *c)
{
    return c->kind == ROLLOUT_UPDATE;
}

static bool in_stage(const struct rollout_device *device,
                     const struct rollout_candidate *c)
{
    if (c->stage_full && !rollout_engaged(device, c->order)) {
        return false;
    }
    return c->cut >= ROLLOUT_ALL ||
           rollout_rank(c->order / 2, device->id) < c->cut;
}

/* Is `word` one of the words of `list`? */
static bool has_word(const char *list, const char *word)
{
    size_t n = strlen(word);

    while (*list != '\0') {
        size_t length = strcspn(list, " ");

        if (length == n && memcmp(list, word, n) == 0) {
            return true;
        }
        list += length + (list[length] == ' ');
    }
    return false;
}

static const char *channel_of(const struct rollout_device *device)
{
    return device->channel == NULL || device->channel[0] == '\0'
               ? "stable"
               : device->channel;
}

/* Did the rollout that is undone bring it what it runs, from here? */
static bool is_undone(const struct rollout_device *device,
                      const struct rollout_candidate *c)
{
    return device->offer == c->undoes_order &&
           memcmp(device->manifest, c->undoes, 32) == 0 &&
           device->before != NULL &&
           memcmp(device->before, c->manifest, 32) == 0;
}

enum rollout_why rollout_target(const struct rollout_device *device,
                                const struct rollout_candidate *c)
{
    const struct plan *p = c->plan;

    if (p != NULL &&
        ((p->include.n > 0 && !plan_has_id(&p->include, device->id)) ||
         plan_has_id(&p->exclude, device->id) ||
         (p->query != NULL &&
          !query_match(p->query, device->fact, device->facts)))) {
        return ROLLOUT_TARGET;
    }
    if (c->undoes != NULL && !rollout_engaged(device, c->order) &&
        !is_undone(device, c)) {
        return ROLLOUT_TARGET;
    }
    if ((p != NULL && p->channel[0] != '\0' &&
         strcmp(p->channel, channel_of(device)) != 0) ||
        (c->channels != NULL && c->channels[0] != '\0' && forward(c) &&
         !has_word(c->channels, channel_of(device)))) {
        return ROLLOUT_CHANNEL;
    }
    return ROLLOUT_OFFER;
}

static bool went_past(const struct rollout_device *device,
                      const struct rollout_candidate *c)
{
    return device->offer > c->order && rollout_final(device->outcome);
}

/* What has tried something newer is not led back to what is over; a running
 * rollout still has its say, when it leads forward. */
static bool has_newer(const struct rollout_device *device,
                      const struct rollout_candidate *c)
{
    if (went_past(device, c) && !(active(c) && forward(c))) {
        return true;
    }
    return forward(c) && c->sequence <= device->sequence;
}

bool rollout_blocked(const struct rollout_device *device, uint64_t sequence,
                     const uint8_t manifest[32])
{
    return memcmp(device->manifest, manifest, 32) != 0 &&
           (sequence <= device->sequence || sequence < device->floor);
}

/* What the device must run first; -1: nothing. */
static int first_stone(const struct rollout_device *device,
                       const struct rollout_candidate *c)
{
    for (uint32_t i = 0; forward(c) && i < c->n_stones; i++) {
        if (c->stone[i].sequence > device->sequence &&
            c->stone[i].sequence >= device->floor &&
            c->stone[i].sequence < c->sequence) {
            return (int)i;
        }
    }
    return -1;
}

static bool below_minimum(const struct rollout_device *device,
                          const struct rollout_candidate *c, int stone)
{
    const char *least =
        stone < 0 ? c->min_version : c->stone[stone].min_version;

    return least != NULL && least[0] != '\0' && device->version != NULL &&
           device->version[0] != '\0' &&
           query_compare(device->version, least) < 0;
}

/* After an offer of it that ended badly. OFFER: nothing stands in the way. */
static enum rollout_why judge_past(const struct rollout_device *device,
                                   const struct rollout_candidate *c,
                                   uint64_t now, struct rollout_verdict *v)
{
    uint8_t most = c->plan == NULL ? 0 : c->plan->attempts;
    bool may = c->plan == NULL
                   ? rollout_way_failed(device->outcome, device->code)
                   : rollout_may_retry(device->outcome, device->code);

    if (c->lost) {
        return ROLLOUT_TRIED;
    }
    if (device->offer != c->order || !rollout_bad(device->outcome)) {
        return ROLLOUT_OFFER;
    }
    if (!may) {
        return ROLLOUT_TRIED;
    }
    if (device->quarantined_until > now) {
        v->wait_s = (uint32_t)(device->quarantined_until - now);
        return ROLLOUT_QUARANTINE;
    }
    /* Its quarantine over, it begins anew. */
    if (most > 0 && device->attempts >= most &&
        device->quarantined_until == 0) {
        return ROLLOUT_TRIED;
    }
    return ROLLOUT_OFFER;
}

/* Can the release be installed on it at all? */
static enum rollout_why judge_versions(const struct rollout_device *device,
                                       const struct rollout_candidate *c,
                                       struct rollout_verdict *v)
{
    if (has_newer(device, c)) {
        return ROLLOUT_NEWER;
    }
    if (c->sequence < device->floor && !c->permit) {
        return forward(c) ? ROLLOUT_FLOOR : ROLLOUT_PERMIT;
    }
    v->stone = first_stone(device, c);
    return below_minimum(device, c, v->stone) ? ROLLOUT_MINIMUM
                                              : ROLLOUT_OFFER;
}

/* May it begin now? */
static enum rollout_why judge_time(const struct rollout_device *device,
                                   const struct rollout_candidate *c,
                                   uint64_t now, struct rollout_verdict *v)
{
    bool known = device->offer == c->order && !rollout_final(device->outcome);
    const struct plan *p = c->plan;
    uint32_t opens_in = 0;

    if (c->state == ROLLOUT_PAUSED) {
        return ROLLOUT_PAUSE;
    }
    if (p != NULL && !v->forced &&
        !plan_window_open(p, now, device->east, &opens_in, &v->closes_in)) {
        v->wait_s = opens_in;
        return ROLLOUT_WINDOW;
    }
    if (!known && c->rate_wait_s > 0) {
        v->wait_s = c->rate_wait_s;
        return ROLLOUT_RATE;
    }
    return !known && c->full ? ROLLOUT_DOWNLOADS : ROLLOUT_OFFER;
}

/* What has begun is not taken away when its window closes: it waits, by the
 * policy that goes with the offer. */
static void keep_window(const struct rollout_device *device,
                        const struct rollout_candidate *c, uint64_t now,
                        struct rollout_verdict *v)
{
    uint32_t opens_in = 0;

    if (c->plan != NULL && !v->forced &&
        !plan_window_open(c->plan, now, device->east, &opens_in,
                          &v->closes_in)) {
        v->closes_in = 1;
        v->wait_s = opens_in;
    }
}

/* A way back ends a trial of what it leads away from; else a trial is left
 * alone. */
static bool must_wait_for_trial(const struct rollout_device *device,
                                const struct rollout_candidate *c)
{
    return on_trial(device->confirmed, device->state) &&
           c->kind != ROLLOUT_RETURN;
}

static enum rollout_why judge_begun(const struct rollout_device *device,
                                    const struct rollout_candidate *c,
                                    uint64_t now, struct rollout_verdict *v)
{
    enum rollout_why why;

    if (c->state == ROLLOUT_APPROVAL || c->state == ROLLOUT_SCHEDULED) {
        return c->state == ROLLOUT_APPROVAL ? ROLLOUT_UNAPPROVED
                                            : ROLLOUT_NOT_YET;
    }
    if (must_wait_for_trial(device, c)) {
        return ROLLOUT_TRIAL;
    }
    why = judge_past(device, c, now, v);
    if (why == ROLLOUT_OFFER) {
        why = judge_versions(device, c, v);
    }
    if (why != ROLLOUT_OFFER) {
        return why;
    }
    if (under_way(device, c->order)) {
        keep_window(device, c, now, v);
        return why;
    }
    return judge_time(device, c, now, v);
}

enum rollout_why rollout_judge(const struct rollout_device *device,
                               const struct rollout_candidate *c, uint64_t now,
                               struct rollout_verdict *v)
{
    enum rollout_why why = ROLLOUT_OFFER;
    bool past = went_past(device, c) && !(active(c) && forward(c));

    v->stone = -1;
    v->wait_s = 0;
    v->closes_in = 0;
    v->forced =
        c->plan != NULL && c->plan->deadline != 0 && now >= c->plan->deadline;
    if (c->state == ROLLOUT_ABORTED) {
        return under_way(device, c->order) && !c->recall ? ROLLOUT_OFFER
                                                         : ROLLOUT_NOTHING;
    }
    if (!rollout_begun(device, c)) {
        why = rollout_target(device, c);
    }
    if (why != ROLLOUT_OFFER) {
        return why;
    }
    if (!in_stage(device, c)) {
        return ROLLOUT_STAGE;
    }
    if (!past && c->state != ROLLOUT_APPROVAL &&
        c->state != ROLLOUT_SCHEDULED &&
        memcmp(device->manifest, c->manifest, 32) == 0) {
        return ROLLOUT_RUNS;
    }
    return judge_begun(device, c, now, v);
}

/* --- All of them ----------------------------------------------------------
 */

/* It wants the device and will have it: nothing of less weight goes before. */
static bool holds_back(enum rollout_why why)
{
    return why == ROLLOUT_TRIAL || why == ROLLOUT_PAUSE ||
           why == ROLLOUT_WINDOW || why == ROLLOUT_RATE ||
           why == ROLLOUT_DOWNLOADS;
}

/* How much an answer says of why the device is as it is. */
static int weight(enum rollout_why why, bool current)
{
    switch (why) {
    case ROLLOUT_TRIED:
    case ROLLOUT_QUARANTINE:
    case ROLLOUT_FLOOR:
    case ROLLOUT_PERMIT:
    case ROLLOUT_MINIMUM:
        return current ? 7 : 5;
    case ROLLOUT_RUNS:
        return 6;
    case ROLLOUT_STAGE:
    case ROLLOUT_NOT_YET:
    case ROLLOUT_UNAPPROVED:
        return 5;
    case ROLLOUT_NEWER:
        return 3;
    case ROLLOUT_CHANNEL:
    case ROLLOUT_TARGET:
        return 2;
    case ROLLOUT_OFFER:
    case ROLLOUT_PAUSE:
    case ROLLOUT_WINDOW:
    case ROLLOUT_RATE:
    case ROLLOUT_DOWNLOADS:
    case ROLLOUT_TRIAL:
        return 9;
    case ROLLOUT_NOTHING:
    case ROLLOUT_WHYS:
    default:
        return 0;
    }
}

static bool is_held(enum rollout_why why)
{
    return why == ROLLOUT_STAGE || why == ROLLOUT_NOT_YET ||
           why == ROLLOUT_UNAPPROVED;
}

/* What it runs is wanted: only what leads on from there is asked for. */
static bool skipped(const struct rollout_verdict *v,
                    const struct rollout_candidate *c)
{
    return v->why == ROLLOUT_RUNS && !(forward(c) && rollout_open(c->state));
}

struct rollout_verdict
rollout_decide(const struct rollout_device *device,
               const struct rollout_candidate *candidates, uint32_t n,
               uint64_t now)
{
    struct rollout_verdict best = {
        .candidate = -1, .why = ROLLOUT_NOTHING, .stone = -1, .held = -1};

    for (uint32_t i = 0; i < n; i++) {
        const struct rollout_candidate *c = &candidates[i];
        struct rollout_verdict v = best;

        if (skipped(&best, c)) {
            continue;
        }
        v.why = rollout_judge(device, c, now, &v);
        v.candidate = (int)i;
        if (best.held < 0 && is_held(v.why)) {
            best.held = v.held = (int)i;
            best.held_why = v.held_why = v.why;
        }
        if (weight(v.why, active(c)) >
            weight(best.why, best.candidate >= 0 &&
                                 active(&candidates[best.candidate]))) {
            best = v;
        }
        if (v.why == ROLLOUT_OFFER || holds_back(v.why)) {
            break;
        }
    }
    best.wanted = best.why == ROLLOUT_OFFER || best.why == ROLLOUT_RUNS;
    return best;
}

/* --- Outcomes -------------------------------------------------------------
 */

/* What it has begun stays begun while it waits for its window, for power or
 * for its user: device_state.state says that it waits. */
static uint8_t goes_on(uint8_t outcome, uint8_t state)
{
    return state == BL_STATE_WAITING && rollout_under_way(outcome) ? outcome
                                                                   : state;
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
        return goes_on(outcome, state);
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
        return goes_on(outcome, state);
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
    static const char *const name[ROLLOUT_WHYS] = {
#define WORD(NAME, word, meaning, advice) word,
        WHY_LIST(WORD)
#undef WORD
    };

    return why < ROLLOUT_WHYS ? name[why] : "unknown";
}

const char *rollout_state_name(uint8_t state)
{
    static const char *const name[] = {"running",  "paused",   "aborted",
                                       "finished", "approval", "scheduled"};

    return state < 6 ? name[state] : "unknown";
}

const char *rollout_kind_name(uint8_t kind)
{
    static const char *const name[] = {"update", "rollback", "device",
                                       "return"};

    return kind < 4 ? name[kind] : "unknown";
}
