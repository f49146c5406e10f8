/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From an accepted ticket to the reset into the new image. Nothing here is
 * remembered over a reset but what bl_install and the state record keep: after
 * a power cut a new ticket starts it again, and it goes on where flash is.
 */
#include "client_private.h"

#include "frame.h"

enum { LOOK_AGAIN_MS = 60000 };

/* --- The end without success ----------------------------------------------
 */

/* Failed: could not be done. Refused: was judged, and found wanting. */
static bl_device_state verdict_of(bl_status why)
{
    switch (why) {
    case BL_ARGUMENT:
    case BL_BUFFER:
    case BL_BUSY:
    case BL_FLASH:
    case BL_READ_BACK:
    case BL_TRANSPORT:
    case BL_HTTP:
    case BL_ATTEMPTS:
        return BL_STATE_FAILED;
    default:
        return BL_STATE_REFUSED;
    }
}

/* A try whose beginning stands in the journal: so must its end. */
static bool is_told(const struct bl_client *c)
{
    return c->device_state == BL_STATE_DOWNLOADING ||
           c->device_state == BL_STATE_VERIFYING ||
           c->device_state == BL_STATE_INSTALLING;
}

static void give_up(struct bl_client *c, bl_status why)
{
    bl_device_state state = verdict_of(why);
    bool repeated = c->refused_why == why && state == BL_STATE_REFUSED &&
                    memcmp(c->refused, c->wanted, 32) == 0 && !is_told(c);

    c->phase = PHASE_IDLE;
    c->device_state = state;
    if (!repeated) { /* spares the journal, every interval */
        bl_client_enter(c, state, why);
        c->due_ms = c->now_ms;
    }
    c->refused_why = why;
    memcpy(c->refused, c->wanted, 32);
    c->retry_ms = c->now_ms + bl_client_interval_ms(c);
}

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* For what expires. The ticket's time is signed and minutes old; a clock may
 * know it better, or not at all. A thief of the ticket key can say any time,
 * but none before the last honest ticket, nor before the root document. */
static uint64_t time_now(const struct bl_client *c)
{
    uint64_t now = c->config.now != NULL ? c->config.now(c->config.ctx) : 0;

    return later(now, later(c->state.issued, c->root.issued));
}

/* --- Judging a manifest -----------------------------------------------------
 */

static bl_status judge_sequence(const struct bl_client *c)
{
    if (c->sequence < c->root.floor) {
        return BL_SECURITY_FLOOR;
    }
    if (c->sequence > c->root.ceiling) {
        return BL_SEQUENCE_HIGH;
    }
    return c->sequence < c->state.floor ? c->permit : BL_OK;
}

static bl_status judge_components(const struct bl_client *c)
{
    for (uint32_t i = 0; i < c->manifest.n_components; i++) {
        if (!bl_root_may_write(&c->root, BL_ROLE_RELEASE,
                               c->manifest.component[i])) {
            return BL_COMPONENT_FORBIDDEN;
        }
    }
    return BL_OK;
}

/* Reads an envelope and finds that its signatures hold and that it is the one
 * that the ticket names. */
static bl_status authenticate(struct bl_client *c, bl_span envelope)
{
    bl_status s = bl_suit_read(envelope, &c->suit);

    if (s == BL_OK) {
        s = bl_client_vouches(c)
                ? c->config.developer->authenticate(c)
                : bl_suit_authenticate(&c->suit, &c->root, c->config.crypto,
                                       NULL);
    }
    if (s == BL_OK && bl_equal(c->suit.digest, c->wanted, 32) != BL_GOOD) {
        s = BL_TICKET_DIGEST;
    }
    return s;
}

static bl_status judge(struct bl_client *c, bl_span envelope)
{
    bl_status s = authenticate(c, envelope);

    c->platform.now = time_now(c);
    if (s == BL_OK) {
        s = bl_suit_scan(&c->suit, &c->platform, &c->manifest);
    }
    if (s == BL_OK) {
        c->sequence = c->manifest.sequence;
        s = judge_sequence(c);
    }
    return s == BL_OK ? judge_components(c) : s;
}

/* --- Waiting ----------------------------------------------------------------
 */

/* What is in flash stays: the next ticket goes on from there. */
static void hold(struct bl_client *c)
{
    if (c->phase == PHASE_PAYLOAD) {
        (void)bl_install_pause(&c->install);
    }
    c->delta.on = false;
    c->phase = PHASE_WAIT;
    c->work_due_ms = c->now_ms + LOOK_AGAIN_MS;
    if (c->device_state != BL_STATE_WAITING) {
        bl_client_enter(c, BL_STATE_WAITING, BL_OK);
        c->due_ms = c->now_ms;
    }
}

/* Asked before the work, before each transfer, and before the reset; false:
 * it waits. */
bool bl_client_goes_on(struct bl_client *c)
{
    bl_client_judge_wait(c);
    if (c->wait != BL_WAIT_NONE) {
        hold(c);
    }
    return c->wait == BL_WAIT_NONE;
}

/* --- On trial and reset
 * ------------------------------------------------------ */

static void put_on_trial(struct bl_client *c)
{
    struct bl_state next = c->state;
    bl_status s;

    s = bl_state_try(&next, bl_client_target(c), c->config.boot_tries);
    if (s == BL_OK) {
        s = bl_state_save(c->config.layout, &next);
    }
    if (s != BL_OK) {
        give_up(c, s);
        return;
    }
    bl_client_enter(c, BL_STATE_REBOOTING, BL_OK);
    c->state = next;
    c->phase = PHASE_REBOOT;
}

/* The signatures are looked at once more, over what flash holds now. */
static bl_status read_back(struct bl_client *c)
{
    bl_span stored;
    bl_status s;

    s = bl_slot_envelope(c->config.layout, bl_client_target(c),
                         c->config.envelope, c->config.envelope_size, &stored);
    return s == BL_OK ? authenticate(c, stored) : s;
}

static void activate(struct bl_client *c)
{
    bl_status s;

    bl_client_enter(c, BL_STATE_INSTALLING, BL_OK);
    s = bl_install_close(&c->install,
                         bl_span_of(c->config.envelope, c->received));
    if (s == BL_OK) {
        s = read_back(c);
    }
    if (s != BL_OK) {
        give_up(c, s);
    } else if (bl_client_goes_on(c)) {
        put_on_trial(c);
    }
}

/*
 * The other slot may hold the wanted release already: the one before, or one
 * whose activation was interrupted. The permit is the release role's word for
 * this very manifest, so it makes up for a signature by keys that were
 * replaced since.
 */
static bool other_slot_will_do(struct bl_client *c)
{
    const struct bl_slot_record *other = &c->state.slot[bl_client_target(c)];
    struct bl_slot_facts facts;

    if ((other->status != BL_SLOT_READY &&
         other->status != BL_SLOT_CONFIRMED) ||
        memcmp(other->manifest, c->wanted, 32) != 0) {
        return false;
    }
    if (bl_client_look(c, bl_client_target(c), &facts) != BL_OK ||
        facts.whole != BL_GOOD ||
        bl_equal(facts.manifest, c->wanted, 32) != BL_GOOD) {
        return false;
    }
    c->sequence = facts.sequence;
    return facts.signed_ok == BL_GOOD || c->permit == BL_OK;
}

/* Its signatures were looked at by other_slot_will_do, or the permit makes up
 * for them; what the release role may write today is asked all the same. */
static bl_status judge_reuse(struct bl_client *c)
{
    struct bl_suit_platform installed = c->platform;
    bl_span stored;
    bl_status s;

    s = bl_slot_envelope(c->config.layout, bl_client_target(c),
                         c->config.envelope, c->config.envelope_size, &stored);
    if (s == BL_OK) {
        s = bl_suit_read(stored, &c->suit);
    }
    if (s == BL_OK && bl_equal(c->suit.digest, c->wanted, 32) != BL_GOOD) {
        s = BL_TICKET_DIGEST;
    }
    installed.installed = true;
    if (s == BL_OK) {
        s = bl_suit_scan(&c->suit, &installed, &c->manifest);
    }
    if (s == BL_OK) {
        s = judge_sequence(c);
    }
    return s == BL_OK ? judge_components(c) : s;
}

static void reuse(struct bl_client *c)
{
    bl_status s = judge_reuse(c);

    if (s != BL_OK) {
        give_up(c, s);
        return;
    }
    bl_client_enter(c, BL_STATE_INSTALLING, BL_OK);
    c->state.slot[bl_client_target(c)].permitted =
        c->sequence < c->state.floor;
    put_on_trial(c);
}

/* --- Payloads
 * ----------------------------------------------------------------- */

static bl_status end_payload(struct bl_client *c)
{
    bl_status s;

    if (c->device_state != BL_STATE_VERIFYING) {
        bl_client_enter(c, BL_STATE_VERIFYING, BL_OK);
    }
    s = bl_install_end(&c->install);
    if (s == BL_PAYLOAD_DIGEST && c->stitched && !c->restarted) {
        /* The pieces may be of different images; one try in one piece. */
        c->restarted = true;
        s = bl_install_restart(&c->install);
        return s == BL_OK ? BL_TO_BE_FETCHED : s;
    }
    return s;
}

/* By delta, when one is on offer that will do. */
static bl_status begin_transfer(struct bl_client *c)
{
    const struct bl_delta_engine *delta = c->config.delta;

    c->delta.on = delta != NULL && delta->begin(c);
    return c->delta.on && delta->has_all(c) ? delta->done(c, BL_OK, true)
                                            : BL_TO_BE_FETCHED;
}

/* BL_TO_BE_FETCHED: bytes have to come over the network first. */
static bl_status fetch(struct bl_client *c)
{
    const struct bl_suit_fetch *f = &c->run.fetch;
    uint32_t offset = 0;
    bl_status s;

    if (f->integrated.p != NULL) {
        return bl_client_write_whole(c, f->component, f->integrated, f->size,
                                     f->digest);
    }
    s = bl_install_begin(&c->install, f->component, f->size, f->digest,
                         &offset);
    c->stitched = offset > 0;
    c->restarted = false;
    if (s != BL_OK) {
        return s;
    }
    return offset == f->size ? end_payload(c) : begin_transfer(c);
}

/*
 * Was the installation that lies in the slot cut before its end? One that was
 * refused or given up ended, and is only tried again. BL_APART: its events are
 * off the stack when the manifest runs.
 */
static BL_APART bool was_cut(const struct bl_client *c)
{
    uint32_t tries = 1U << BL_STATE_DOWNLOADING | 1U << BL_STATE_VERIFYING |
                     1U << BL_STATE_INSTALLING | 1U << BL_STATE_FAILED |
                     1U << BL_STATE_REFUSED;
    struct bl_event last;

    return !bl_client_last_event(c, c->sequence, tries, &last) ||
           (last.state != BL_STATE_FAILED && last.state != BL_STATE_REFUSED);
}

static bl_status run_anew(struct bl_client *c)
{
    return bl_suit_start(&c->run, &c->suit, &c->manifest, &c->platform,
                         BL_SUIT_UPDATE);
}

/* The other slot becomes this installation's; what it held is lost. */
static bl_status claim(struct bl_client *c)
{
    const struct bl_client_config *config = &c->config;
    uint32_t root_version = (uint32_t)c->root.version;
    bool resumed = false;
    bl_status s;

    if (bl_client_vouches(c)) {
        root_version = 0; /* older than any: the boot code asks the record */
    }
    s = bl_install_open(&c->install, config->layout, &c->state,
                        bl_client_target(c), c->wanted, c->sequence,
                        root_version, c->sequence < c->state.floor, config->io,
                        config->io_size, &resumed);
    if (s != BL_OK) {
        return s;
    }
    c->claimed = true;
    bl_client_enter(c, BL_STATE_DOWNLOADING,
                    resumed && was_cut(c) ? BL_INTERRUPTED : BL_OK);
    return run_anew(c);
}

/*
 * Runs the manifest on, up to the next download or the end. At first without
 * the slot: a release that its own conditions refuse must not cost the device
 * what it could go back to. When it comes to fetch or write, or to the end,
 * the slot is claimed and the manifest run from the start: what its conditions
 * saw there before is gone.
 */
static void proceed(struct bl_client *c, bl_status s)
{
    bl_suit_event event = BL_SUIT_FETCH;

    while (s == BL_OK) {
        s = bl_suit_step(&c->run, &event);
        if (!c->claimed && (s == BL_OK || c->claims)) {
            s = claim(c);
            continue;
        }
        if (s == BL_OK && event != BL_SUIT_FETCH) {
            break;
        }
        if (s == BL_OK) {
            s = fetch(c);
        }
    }
    if (s == BL_TO_BE_FETCHED) {
        c->phase = PHASE_PAYLOAD;
        c->work_due_ms = c->now_ms;
        if (c->device_state != BL_STATE_DOWNLOADING) {
            bl_client_enter(c, BL_STATE_DOWNLOADING, BL_OK);
        }
    } else if (s != BL_OK) {
        give_up(c, s);
    } else {
        activate(c);
    }
}

static void install(struct bl_client *c)
{
    memset(&c->install, 0, sizeof(c->install));
    c->claimed = false;
    c->claims = false;
    c->delta.on = false;
    proceed(c, run_anew(c));
}

/* --- Offers
 * --------------------------------------------------------------------- */

static void take_permit(struct bl_client *c, const struct bl_ticket *ticket,
                        bl_span permit)
{
    const struct bl_client_config *config = &c->config;

    c->permit = BL_SEQUENCE_LOW;
    if (permit.p != NULL) {
        c->permit = bl_permit_check(permit, &c->root, config->device_id,
                                    config->class_id, ticket->manifest,
                                    time_now(c), config->crypto);
    }
}

void bl_client_offer(struct bl_client *c, const struct bl_ticket *ticket,
                     const struct bl_answer *answer)
{
    bool waits =
        c->phase == PHASE_WAIT && memcmp(ticket->manifest, c->wanted, 32) == 0;
    bool refused = memcmp(ticket->manifest, c->refused, 32) == 0;

    if (bl_client_on_trial(c)) {
        if (memcmp(ticket->manifest, c->state.slot[c->state.active].manifest,
                   32) == 0) {
            bl_client_give_up(c, BL_OPERATOR);
        }
        return; /* anything else: when this trial is over */
    }
    if (refused && c->now_ms < c->retry_ms) {
        c->phase = PHASE_IDLE;
        return;
    }
    if (memcmp(ticket->manifest, c->wanted, 32) != 0) {
        c->consent = BL_CONSENT_OPEN; /* it was said of another release */
    }
    bl_client_take_policy(c, &answer->policy);
    if (c->config.delta != NULL) {
        c->config.delta->offer(c, &answer->delta);
    }
    memcpy(c->wanted, ticket->manifest, 32);
    c->envelope_n = answer->envelope_n;
    c->attempt = 0;
    take_permit(c, ticket, answer->permit);
    c->pushed = false;
    c->phase = PHASE_OFFER;
    if (!waits && !refused) {
        c->sequence = 0;
        bl_client_enter(c, BL_STATE_OFFERED, BL_OK);
    }
}

static void begin(struct bl_client *c)
{
    c->work_due_ms = c->now_ms;
    if (!bl_client_goes_on(c)) {
        return;
    }
    if (other_slot_will_do(c)) {
        reuse(c);
    } else if (c->envelope_n > c->config.envelope_size) {
        give_up(c, BL_TOO_LARGE);
    } else {
        c->phase = PHASE_ENVELOPE;
    }
}

/* Somebody may have agreed meanwhile; but is it still wanted? Another reason
 * is told as well. */
static void look_again(struct bl_client *c)
{
    bl_wait before = c->wait;

    c->work_due_ms = c->now_ms + LOOK_AGAIN_MS;
    bl_client_judge_wait(c);
    if (c->wait == BL_WAIT_NONE) {
        c->ask = true;
    }
    if (c->wait == BL_WAIT_NONE || c->wait != before) {
        c->due_ms = c->now_ms;
    }
}

void bl_client_work(struct bl_client *c)
{
    if (c->phase == PHASE_OFFER) {
        begin(c);
    } else if (c->phase == PHASE_WAIT && c->now_ms >= c->work_due_ms) {
        look_again(c);
    }
}

/* --- Transfers
 * ------------------------------------------------------------------- */

void bl_client_get(struct bl_client *c, struct bl_action *action)
{
    action->todo = BL_TODO_GET;
    c->expect = EXPECT_GET;
    c->broken = BL_TRANSPORT; /* until the body begins */
    if (c->phase == PHASE_ENVELOPE) {
        action->uri = bl_client_uri(c, "manifests/", c->wanted);
        action->size = c->envelope_n;
        return;
    }
    if (c->delta.on) {
        c->config.delta->get(c, action);
        return;
    }
    action->uri = c->run.fetch.uri;
    action->size = c->run.fetch.size;
    action->offset = c->install.done + c->install.io_used;
    memcpy(action->etag, c->run.fetch.digest, 32);
}

static bl_status begin_body(struct bl_client *c, int status, uint32_t offset)
{
    uint32_t have = c->install.done + c->install.io_used;

    if (c->phase == PHASE_ENVELOPE) {
        c->received = 0;
        return status == 200 && offset == 0 ? BL_OK : BL_HTTP;
    }
    if (c->delta.on) {
        return c->config.delta->body(c, status, offset);
    }
    if (status == 206 && offset == have) {
        c->stitched = c->stitched || offset > 0;
        return BL_OK;
    }
    if (status == 200 && offset == 0 && have == 0) {
        return BL_OK;
    }
    if ((status == 200 && offset == 0) || status == 416) {
        bl_status s = bl_install_restart(&c->install);

        c->stitched = false;
        return s == BL_OK && status == 416 ? BL_HTTP : s;
    }
    return BL_HTTP;
}

bl_status bl_client_body(struct bl_client *c, int status, uint32_t offset)
{
    if (c->expect != EXPECT_GET || c->broken != BL_TRANSPORT) {
        return BL_BUSY;
    }
    c->broken = begin_body(c, status, offset);
    return c->broken;
}

static bl_status take_envelope(struct bl_client *c, const void *data, size_t n)
{
    if (n > c->config.envelope_size - c->received) {
        return BL_TOO_LARGE;
    }
    memcpy(c->config.envelope + c->received, data, n);
    c->received += (uint32_t)n;
    return BL_OK;
}

static bl_status take(struct bl_client *c, const void *data, size_t n)
{
    if (c->phase == PHASE_ENVELOPE) {
        return take_envelope(c, data, n);
    }
    return c->delta.on ? c->config.delta->data(c, data, n)
                       : bl_install_data(&c->install, data, n);
}

bl_status bl_client_data(struct bl_client *c, const void *data, size_t n)
{
    if (c->expect != EXPECT_GET) {
        return BL_BUSY;
    }
    if (c->broken == BL_OK && n > 0) {
        c->broken = take(c, data, n);
    }
    return c->broken;
}

static void try_again(struct bl_client *c, uint32_t retry_after_s)
{
    uint32_t failures = c->attempt++;

    if (c->phase == PHASE_PAYLOAD && !c->delta.on) {
        /* `io` may serve other ends until the next transfer. What a patch gave
         * stays: its decoder is behind those bytes, and nobody else needs io
         * before the payload is whole, or `hold` ends it. */
        (void)bl_install_pause(&c->install);
    }
    /* Who pushed has gone when the bytes that were there are used up. */
    if (c->pushed || c->attempt >= c->config.download_attempts) {
        give_up(c, BL_ATTEMPTS);
        return;
    }
    c->work_due_ms = bl_client_again_ms(c, failures, retry_after_s,
                                        c->config.timing.ticket_interval);
}

void bl_client_begin(struct bl_client *c)
{
    bl_status s = judge(c, bl_span_of(c->config.envelope, c->received));

    if (s != BL_OK) {
        give_up(c, s);
        return;
    }
    install(c);
}

static void delta_done(struct bl_client *c, bool ok, uint32_t retry_after_s)
{
    bl_status s = c->config.delta->done(c, c->broken, ok);

    if (s == BL_TRANSPORT || s == BL_HTTP) {
        try_again(c, retry_after_s);
    } else {
        proceed(c, s);
    }
}

static void payload_done(struct bl_client *c)
{
    bl_status s = end_payload(c);

    proceed(c, s);
}

void bl_client_done(struct bl_client *c, uint64_t now_ms, bool ok,
                    uint32_t retry_after_s)
{
    bl_status broken = c->broken;
    bool whole;

    if (c->expect != EXPECT_GET) {
        return;
    }
    c->expect = EXPECT_NONE;
    c->now_ms = now_ms;
    if (c->phase == PHASE_PAYLOAD && c->delta.on) {
        delta_done(c, ok, retry_after_s);
        return;
    }
    whole = c->phase == PHASE_PAYLOAD &&
            c->install.done + c->install.io_used == c->run.fetch.size;
    if (broken == BL_HTTP || broken == BL_TRANSPORT ||
        (broken == BL_OK && !ok && !whole)) {
        try_again(c, retry_after_s);
    } else if (broken != BL_OK) {
        give_up(c, broken);
    } else if (c->phase == PHASE_ENVELOPE) {
        bl_client_begin(c);
    } else {
        payload_done(c);
    }
}
