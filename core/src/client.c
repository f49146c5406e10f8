/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client's clock and its polls: when to ask, what an answer may do. What
 * follows from an accepted ticket is client_update.c, what a trial needs is
 * client_trial.c.
 */
#include "client_private.h"

#include "frame.h"

const struct bl_timing bl_timing_default = {1800,  60,  60, 3600,
                                            86400, 600, 10};

enum {
    RETRY_AFTER_MAX_S = 86400, /* nobody may silence a device for good */
    KEEP_TIME_S = 86400,       /* in flash, it may lag so much behind */
    TRIAL_POLL_S = 5           /* a health check may wait for the server */
};

static uint32_t min_u32(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* --- Time -----------------------------------------------------------------
 */

/* Uniform in 0..max; the middle when the random source fails. */
static uint64_t random_ms(const struct bl_client *c, uint64_t max_ms)
{
    uint32_t r = 0;

    if (c->config.random(c->config.ctx, &r, sizeof(r)) != BL_OK) {
        r = 0x80000000U;
    }
    return (max_ms * r) >> 32;
}

uint64_t bl_client_again_ms(const struct bl_client *c, uint32_t failures,
                            uint32_t retry_after_s, uint32_t most_s)
{
    const struct bl_timing *t = &c->config.timing;
    uint64_t least = (uint64_t)min_u32(retry_after_s, most_s) * 1000;
    uint32_t s = min_u32(t->backoff, t->backoff_max);
    uint64_t wait;

    while (failures-- > 0 && s < t->backoff_max) {
        s = s > t->backoff_max / 2 ? t->backoff_max : s * 2;
    }
    wait = random_ms(c, (uint64_t)s * 1000);
    return c->now_ms + (wait > least ? wait : least);
}

/* +-10%, the same for a device's whole life: the fleet stays spread. */
uint64_t bl_client_interval_ms(const struct bl_client *c)
{
    uint64_t s = c->poll_s != 0 ? c->poll_s : c->config.timing.poll;
    uint8_t digest[32];
    uint32_t h;

    bl_sha256(c->config.device_id, BL_ID_SIZE, digest);
    h = (uint32_t)digest[0] << 8 | digest[1];
    return s * (900 + h % 201);
}

static void back_off(struct bl_client *c, uint32_t retry_after_s)
{
    c->due_ms =
        bl_client_again_ms(c, c->backoffs, retry_after_s, RETRY_AFTER_MAX_S);
    if (c->backoffs < 32) {
        c->backoffs++;
    }
}

/* --- Events ---------------------------------------------------------------
 */

static uint8_t event_slot(const struct bl_client *c, bl_device_state state)
{
    /* Until the reset the work is about the other slot, after it about the
     * one that runs. */
    if (bl_client_on_trial(c) || state == BL_STATE_CONFIRMED) {
        return c->slot;
    }
    return (uint8_t)(c->slot ^ 1U);
}

static uint8_t event_attempt(const struct bl_client *c, bl_device_state state)
{
    if (state == BL_STATE_TESTING) {
        return (uint8_t)(c->config.boot_tries - c->state.tries);
    }
    return c->attempt;
}

/* By 1000, without a division of 64 bits: in two steps, of 16 bits each. Right
 * for 136 years. */
static uint32_t seconds(uint64_t ms)
{
    uint32_t high = (uint32_t)(ms >> 19);
    uint32_t low = (high % 125) << 16 | ((uint32_t)(ms >> 3) & 0xFFFFU);

    return ((high / 125) << 16) + low / 125;
}

void bl_client_enter(struct bl_client *c, bl_device_state state,
                     bl_status code)
{
    struct bl_event e;
    bl_status s;

    c->device_state = state;
    memset(&e, 0, sizeof(e));
    e.uptime_s = seconds(c->now_ms - c->started_ms);
    e.boot = c->state.boots;
    e.sequence = c->sequence;
    e.code = (uint16_t)code;
    e.state = (uint8_t)state;
    e.slot = event_slot(c, state);
    e.attempt = event_attempt(c, state);
    e.reset = (uint8_t)c->config.reset_cause;
    s = bl_journal_append(&c->journal, &e);
    (void)s;
}

static uint32_t last_event(const struct bl_client *c)
{
    return c->journal.next - 1;
}

static void take_acked(struct bl_client *c, uint32_t acked)
{
    /* A number that this journal has not given out yet is another life's. */
    if (acked > c->acked && acked <= last_event(c)) {
        c->acked = acked;
    }
}

/* --- Start ----------------------------------------------------------------
 */

static bl_status check_config(const struct bl_client_config *config)
{
    if (config->layout == NULL || config->crypto == NULL ||
        config->random == NULL || config->hardware == NULL ||
        config->version == NULL || config->envelope == NULL ||
        config->root == NULL || config->io == NULL ||
        config->message == NULL ||
        config->io_size < 2 * config->layout->flash->write_size) {
        return BL_ARGUMENT;
    }
    if (config->io_size % config->layout->flash->write_size != 0 ||
        strlen(config->hardware) > 31 || strlen(config->version) > 31 ||
        config->started > 2) {
        return BL_ARGUMENT;
    }
    if (config->delta != NULL &&
        (config->delta_memory == NULL ||
         config->delta_memory_size < BL_DELTA_HEAD ||
         (uintptr_t)config->delta_memory % sizeof(uint64_t) != 0)) {
        return BL_ARGUMENT;
    }
    return bl_layout_check(config->layout);
}

static void set_defaults(struct bl_client_config *config)
{
    if (config->boot_tries == 0) {
        config->boot_tries = BL_BOOT_TRIES;
    }
    if (config->download_attempts == 0) {
        config->download_attempts = 10;
    }
    if (config->health_failures == 0) {
        config->health_failures = 3;
    }
}

static bl_status load(struct bl_client *c)
{
    const struct bl_client_config *config = &c->config;
    bl_span document;
    bl_status s;

    s = bl_root_load(config->layout, config->root, config->root_size,
                     &document, &c->root);
    if (s == BL_OK) {
        s = bl_state_load(config->layout, &c->state);
    }
    if (s == BL_OK) {
        s = bl_journal_open(&c->journal, config->layout);
    }
    return s;
}

/*
 * The boot code could not write down what it decided: this slot is not the one
 * that the record has. Should flash refuse again, what is in memory is right.
 */
static void reconcile(struct bl_client *c)
{
    bl_status s;

    bl_state_return(&c->state, BL_FLASH);
    c->state.active = c->slot;
    s = bl_state_save(c->config.layout, &c->state);
    (void)s;
}

static bl_status find_slot(struct bl_client *c)
{
    uint8_t slot = c->state.active;

    if (c->state.trial != BL_SLOT_NONE) {
        slot = c->state.trial; /* the boot code starts it */
    }
    c->slot = slot;
    if (c->config.started != 0) {
        c->slot = (uint8_t)(c->config.started - 1);
        if (c->slot != slot) {
            reconcile(c);
        }
    }
    return c->slot <= BL_SLOT_B ? BL_OK : BL_STATE_NONE;
}

/* What runs, as flash has it: the report tells the server no hearsay. */
static void read_running(struct bl_client *c)
{
    struct bl_slot_facts facts;

    memcpy(c->running, c->state.slot[c->slot].manifest, 32);
    if (bl_client_look(c, c->slot, &facts) == BL_OK) {
        memcpy(c->image_digest, facts.image_digest, 32);
        c->image_size = facts.whole == BL_GOOD ? facts.image_size : 0;
    }
}

bl_status bl_client_init(struct bl_client *c,
                         const struct bl_client_config *config,
                         uint64_t now_ms)
{
    uint32_t first;
    bl_status s = check_config(config);

    if (s != BL_OK) {
        return s;
    }
    memset(c, 0, sizeof(*c));
    c->config = *config;
    set_defaults(&c->config);
    c->started_ms = now_ms;
    c->now_ms = now_ms;
    s = load(c);
    if (s != BL_OK) {
        return s;
    }
    s = find_slot(c);
    if (s != BL_OK) {
        return s;
    }
    bl_client_platform(c);
    read_running(c);
    c->issued_kept = c->state.issued;
    c->ask = true;
    bl_client_trial_init(c);
    c->told = last_event(c);
    first = config->timing.first_poll;
    if (bl_client_on_trial(c)) {
        first = min_u32(first, TRIAL_POLL_S);
    }
    c->due_ms = now_ms + random_ms(c, (uint64_t)first * 1000);
    return BL_OK;
}

/* --- Polls ----------------------------------------------------------------
 */

static bool nonce_new(struct bl_client *c)
{
    const struct bl_client_config *config = &c->config;

    return config->random(config->ctx, c->nonce, sizeof(c->nonce)) == BL_OK;
}

/* False: the poll could not be made; it was put off. */
static bool make_poll(struct bl_client *c, bool report,
                      struct bl_action *action)
{
    c->fresh = !report && (c->ask || c->now_ms >= c->ticket_due_ms);
    if (c->fresh && !nonce_new(c)) {
        c->fresh = false; /* a nonce that can be guessed protects nobody */
        back_off(c, 0);
        return false;
    }
    c->told = last_event(c);
    bl_client_look_around(c);
    if (bl_client_write_poll(c, &action->body) != BL_OK) {
        c->fresh = false;
        back_off(c, 0);
        return false;
    }
    c->expect = report ? EXPECT_REPORT : EXPECT_POLL;
    action->todo = BL_TODO_POLL;
    return true;
}

/* A refusal that only repeats itself is not worth a journal's erase. */
static void refuse_answer(struct bl_client *c, bl_status why)
{
    c->wait = BL_WAIT_NONE;
    if (c->phase == PHASE_WAIT || c->refusal != why) {
        c->attempt = 0;
        c->sequence = 0;
        bl_client_enter(c, BL_STATE_REFUSED, why);
    }
    if (bl_client_on_trial(c)) {
        c->device_state = BL_STATE_TESTING; /* still */
    }
    c->phase = PHASE_IDLE;
    c->refusal = why;
    c->ask = true;
    back_off(c, 0);
}

/* Every ticket may be a little newer; flash need not know of each. What other
 * saves write is as good, and this one comes soon enough after them. */
static void keep_time(struct bl_client *c, uint64_t issued)
{
    if (issued > c->state.issued) {
        c->state.issued = issued;
    }
    if (c->state.issued - c->issued_kept >= KEEP_TIME_S &&
        bl_state_save(c->config.layout, &c->state) == BL_OK) {
        c->issued_kept = c->state.issued;
    }
}

static bool has_ticket_key(const struct bl_root *root, const uint8_t *kid)
{
    for (uint32_t i = 0; i < root->n_keys; i++) {
        if ((root->role[BL_ROLE_TICKET].keys >> i & 1U) != 0 &&
            memcmp(root->key[i].kid, kid, BL_KID_SIZE) == 0) {
            return true;
        }
    }
    return false;
}

static bool ticket_keys_stay(const struct bl_root *before,
                             const struct bl_root *after)
{
    for (uint32_t i = 0; i < before->n_keys; i++) {
        if (has_ticket_key(before, before->key[i].kid) &&
            !has_ticket_key(after, before->key[i].kid)) {
            return false;
        }
    }
    return true;
}

/* A key that is trusted no more may have said a time that is yet to come, and
 * so have spoilt every permit. From now on the root document's own counts. */
static void forget_time(struct bl_client *c)
{
    bl_status s;

    c->state.issued = 0;
    c->issued_kept = 0;
    s = bl_state_save(c->config.layout, &c->state);
    (void)s; /* the next save does it */
}

static BL_APART bl_status take_root(struct bl_client *c, bl_span document)
{
    const struct bl_client_config *config = &c->config;
    struct bl_root next; /* looked at no further: read anew where it stays */
    bl_status s;

    if (document.n > config->root_size) {
        return BL_TOO_LARGE;
    }
    s = bl_root_accept(document, &c->root, config->crypto, &next);
    if (s == BL_OK && !ticket_keys_stay(&c->root, &next)) {
        forget_time(c);
    }
    if (s == BL_OK) {
        s = bl_root_save(config->layout, document, config->io,
                         config->io_size);
    }
    if (s != BL_OK) {
        return s;
    }
    memcpy(config->root, document.p, document.n);
    return bl_root_read(bl_span_of(config->root, document.n), &c->root);
}

static bl_status take_roots(struct bl_client *c, struct bl_answer *answer)
{
    bl_status s = BL_OK;
    bl_span document;

    for (uint32_t i = 0; s == BL_OK && i < answer->n_roots; i++) {
        s = bl_cbor_bstr(&answer->roots, &document);
        if (s == BL_OK) {
            s = take_root(c, document);
        }
    }
    return s;
}

static void up_to_date(struct bl_client *c)
{
    c->phase = PHASE_IDLE;
    c->wait = BL_WAIT_NONE;
    if (!bl_client_on_trial(c)) {
        c->device_state =
            bl_client_confirmed(c) ? BL_STATE_IDLE : BL_STATE_FAILED;
    }
}

static BL_APART bl_status take_ticket(struct bl_client *c,
                                      const struct bl_answer *answer)
{
    const struct bl_client_config *config = &c->config;
    struct bl_ticket ticket;
    bl_status s;

    if (answer->ticket.p == NULL) {
        return BL_TICKET_MISSING;
    }
    /* The nonce says that it is fresh. A device's clock is not asked: one
     * that is wrong must not keep the device from being mended. */
    s = bl_ticket_check(answer->ticket, &c->root, config->device_id,
                        bl_span_of(c->nonce, sizeof(c->nonce)), 0,
                        config->crypto, &ticket);
    if (s != BL_OK) {
        return s;
    }
    c->reached = true;
    c->ask = false;
    c->refusal = BL_OK;
    keep_time(c, ticket.issued);
    c->ticket_due_ms =
        c->now_ms + (uint64_t)config->timing.ticket_interval * 1000;
    if (memcmp(ticket.manifest, c->running, 32) == 0) {
        up_to_date(c);
    } else {
        bl_client_offer(c, &ticket, answer);
    }
    return BL_OK;
}

/* What a light poll hears is not trusted: it can only make the device ask. */
static void take_hint(struct bl_client *c, const struct bl_answer *answer)
{
    bl_span hint = answer->hint;
    const uint8_t *expected = c->phase == PHASE_WAIT ? c->wanted : c->running;

    if (c->phase == PHASE_WAIT && hint.p != NULL &&
        memcmp(hint.p, c->wanted, 32) == 0) {
        bl_client_take_policy(c, &answer->policy);
        c->work_due_ms = c->now_ms;
    }
    if (hint.p == NULL || memcmp(hint.p, expected, 32) == 0) {
        return;
    }
    if (c->now_ms < c->retry_ms && memcmp(hint.p, c->refused, 32) == 0) {
        return;
    }
    c->ask = true;
    c->due_ms = c->now_ms;
}

static void take_schedule(struct bl_client *c, const struct bl_answer *answer,
                          uint32_t acked_before)
{
    uint32_t most = c->config.timing.ticket_interval;

    if (answer->poll_s != 0) {
        c->poll_s = min_u32(answer->poll_s, most);
    }
    c->backoffs = 0;
    c->due_ms = c->now_ms + bl_client_interval_ms(c);
    if (c->acked > acked_before && c->acked < last_event(c)) {
        c->due_ms = c->now_ms; /* more events than one poll holds */
    }
}

static bl_status take_answer(struct bl_client *c, struct bl_answer *answer,
                             bool fresh)
{
    bl_status s;

    if (answer->n_roots > 0) {
        s = take_roots(c, answer);
        c->ask = true; /* under the new keys, with a new nonce */
        c->due_ms = c->now_ms;
        return s;
    }
    if (fresh) {
        return take_ticket(c, answer);
    }
    take_hint(c, answer);
    return BL_OK;
}

static void take_report(struct bl_client *c, bl_span body)
{
    struct bl_answer answer;

    if (bl_client_read_answer(body, &answer) == BL_OK) {
        take_acked(c, answer.acked);
    }
}

/* A poll that is malformed may be so because of them: without, then. */
static void attributes_heard(struct bl_client *c, int status)
{
    if (status == 200 && c->attributes_sent != 0) {
        c->attributes_told = c->attributes_sent;
    } else if (status == 400 && c->attributes_sent != 0) {
        c->attributes_off = true;
    }
    c->attributes_sent = 0;
}

void bl_client_answer(struct bl_client *c, uint64_t now_ms, int status,
                      bl_span body, uint32_t retry_after_s)
{
    uint8_t expected = c->expect;
    uint32_t acked = c->acked;
    bool fresh = c->fresh;
    struct bl_answer answer;
    bl_status s;

    c->now_ms = now_ms;
    c->expect = EXPECT_NONE;
    c->fresh = false; /* a nonce is good for one answer, whatever it is */
    if (expected == EXPECT_POLL || expected == EXPECT_REPORT) {
        attributes_heard(c, status);
    }
    if (expected == EXPECT_REPORT && status == 200) {
        take_report(c, body);
    }
    if (expected != EXPECT_POLL) {
        return;
    }
    if (status != 200) {
        back_off(c, retry_after_s);
        return;
    }
    s = bl_client_read_answer(body, &answer);
    if (s == BL_OK) {
        take_acked(c, answer.acked);
        take_schedule(c, &answer, acked);
        s = take_answer(c, &answer, fresh);
    }
    if (s != BL_OK) {
        refuse_answer(c, s);
    }
}

void bl_client_unreachable(struct bl_client *c, uint64_t now_ms)
{
    if (c->expect == EXPECT_GET) {
        bl_client_done(c, now_ms, false, 0);
        return;
    }
    c->now_ms = now_ms;
    c->fresh = false;
    if (c->expect == EXPECT_POLL) {
        back_off(c, 0);
    }
    c->expect = EXPECT_NONE;
}

void bl_client_poke(struct bl_client *c)
{
    c->ask = true;
    c->due_ms = 0;
}

/* --- What next ------------------------------------------------------------
 */

static bool poll_is_due(const struct bl_client *c)
{
    bool idle = c->phase == PHASE_IDLE || c->phase == PHASE_WAIT;

    return idle && c->now_ms >= c->due_ms;
}

/* Told once, before the long work or the silence that follows. */
static bool report_is_due(const struct bl_client *c)
{
    bool busy = c->phase == PHASE_PAYLOAD || c->phase == PHASE_REBOOT;

    return busy && c->told != last_event(c);
}

static bool transfer_is_due(const struct bl_client *c)
{
    bool fetches = c->phase == PHASE_ENVELOPE || c->phase == PHASE_PAYLOAD;

    return fetches && c->now_ms >= c->work_due_ms;
}

static uint64_t next_due(const struct bl_client *c)
{
    uint64_t until = c->due_ms;

    if (c->phase == PHASE_ENVELOPE || c->phase == PHASE_PAYLOAD ||
        (c->phase == PHASE_WAIT && c->work_due_ms < until)) {
        until = c->work_due_ms;
    }
    if (bl_client_on_trial(c) && c->health_due_ms < until) {
        until = c->health_due_ms;
    }
    return until;
}

void bl_client_next(struct bl_client *c, uint64_t now_ms,
                    struct bl_action *action)
{
    memset(action, 0, sizeof(*action));
    action->todo = BL_TODO_SLEEP;
    c->now_ms = now_ms;
    c->expect = EXPECT_NONE;
    c->fresh = false;
    if (bl_client_on_trial(c)) {
        bl_client_test(c);
    }
    bl_client_work(c);
    if (report_is_due(c) && make_poll(c, true, action)) {
        return;
    }
    if (c->phase >= PHASE_REBOOT) {
        action->todo = BL_TODO_RESET;
        return;
    }
    if (poll_is_due(c) && make_poll(c, false, action)) {
        return;
    }
    if (transfer_is_due(c)) {
        if (bl_client_goes_on(c)) {
            bl_client_get(c, action);
            return;
        }
        (void)make_poll(c, false, action); /* that it waits, and why */
        return;
    }
    action->until_ms = next_due(c);
}
