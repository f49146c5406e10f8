/* SPDX-License-Identifier: Apache-2.0 */
/* The rollout decision with plans: whom, when, brakes; and over every
 * combination, what must never be offered. */
#include "support/cmocka_all.h"

#include "rollout_facts.h"

/* --- Plans ----------------------------------------------------------------
 */

static struct plan plan_of(const char *text)
{
    struct plan p;
    struct error err = {BL_OK, 0, ""};
    json_t *json = json_loads(text, 0, NULL);

    assert_int_equal(plan_read(json, &p, &err), 0);
    json_decref(json);
    return p;
}

static const char *fact(void *ctx, const char *name, unsigned i)
{
    return i == 0 && strcmp(name, "site") == 0 ? ctx : NULL;
}

static void why_is(const struct rollout_device *d,
                   const struct rollout_candidate *c, uint64_t now,
                   enum rollout_why why)
{
    struct rollout_verdict v = rollout_decide(d, c, 1, now);

    assert_string_equal(rollout_why_name(v.why), rollout_why_name(why));
    assert_int_equal(v.wanted, why == ROLLOUT_OFFER || why == ROLLOUT_RUNS);
}

static void decide_targets_by_query_lists_and_channel(void **state)
{
    char here[] = "berlin";
    struct plan p = plan_of("{\"target\":{\"query\":\"site = berlin\"}}");
    struct plan beta = plan_of("{\"target\":{\"channel\":\"beta\"}}");
    struct plan out = plan_of("{\"target\":{\"exclude\":"
                              "[\"ab000000000000000000000000000000\"]}}");
    struct plan in = plan_of("{\"target\":{\"include\":"
                             "[\"ab000000000000000000000000000000\"]}}");
    struct rollout_device d = device();
    struct rollout_candidate c = update(1, 2, v2);

    (void)state;
    d.fact = fact;
    d.facts = here;
    c.plan = &p;
    why_is(&d, &c, 1000, ROLLOUT_OFFER);
    here[0] = 'd';
    why_is(&d, &c, 1000, ROLLOUT_TARGET);
    /* What has only been offered it leaves; what has begun goes on. */
    d.offer = 2;
    d.outcome = BL_STATE_OFFERED;
    why_is(&d, &c, 1000, ROLLOUT_TARGET);
    d.outcome = BL_STATE_WAITING;
    why_is(&d, &c, 1000, ROLLOUT_TARGET);
    d.outcome = BL_STATE_DOWNLOADING;
    why_is(&d, &c, 1000, ROLLOUT_OFFER);
    d = device();
    c.plan = &beta;
    why_is(&d, &c, 1000, ROLLOUT_CHANNEL);
    d.channel = "beta";
    why_is(&d, &c, 1000, ROLLOUT_OFFER);
    c.channels = "dev beta";
    why_is(&d, &c, 1000, ROLLOUT_OFFER);
    c.channels = "dev betas";
    why_is(&d, &c, 1000, ROLLOUT_CHANNEL);
    c.channels = "";
    c.plan = &out;
    why_is(&d, &c, 1000, ROLLOUT_TARGET);
    c.plan = &in;
    why_is(&d, &c, 1000, ROLLOUT_OFFER);
    d.id = v1; /* another id */
    why_is(&d, &c, 1000, ROLLOUT_TARGET);
    plan_free(&p);
    plan_free(&beta);
    plan_free(&out);
    plan_free(&in);
}

/* Ten in the morning of a Monday. */
static const uint64_t monday = 1700474400;

static void decide_waits_for_a_window_until_the_deadline(void **state)
{
    struct plan p = plan_of("{\"windows\":[{\"from\":\"11:00\","
                            "\"to\":\"12:00\"}],\"deadline\":1700500000}");
    struct rollout_device d = device();
    struct rollout_candidate c = update(1, 2, v2);
    struct rollout_verdict v;

    (void)state;
    c.plan = &p;
    v = rollout_decide(&d, &c, 1, monday);
    assert_int_equal(v.why, ROLLOUT_WINDOW);
    assert_int_equal(v.wait_s, 3600);
    d.east = 60;
    v = rollout_decide(&d, &c, 1, monday);
    assert_int_equal(v.why, ROLLOUT_OFFER);
    assert_int_equal(v.closes_in, 3600);
    assert_false(v.forced);
    d.east = 0;
    v = rollout_decide(&d, &c, 1, 1700500000);
    assert_int_equal(v.why, ROLLOUT_OFFER);
    assert_true(v.forced);
    /* Who has begun goes on when the window closes. */
    d.offer = 2;
    d.outcome = BL_STATE_DOWNLOADING;
    why_is(&d, &c, monday, ROLLOUT_OFFER);
    plan_free(&p);
}

static void decide_limits_hold_back_new_offers_only(void **state)
{
    struct rollout_device d = device();
    struct rollout_candidate c = update(1, 2, v2);

    (void)state;
    c.rate_wait_s = 7;
    assert_int_equal(rollout_decide(&d, &c, 1, 1000).wait_s, 7);
    why_is(&d, &c, 1000, ROLLOUT_RATE);
    c.rate_wait_s = 0;
    c.full = true;
    why_is(&d, &c, 1000, ROLLOUT_DOWNLOADS);
    c.rate_wait_s = 7;
    d.offer = 2;
    d.outcome = BL_STATE_OFFERED;
    why_is(&d, &c, 1000, ROLLOUT_OFFER);
}

static void decide_what_has_not_begun_offers_nothing(void **state)
{
    struct rollout_device d = device();
    struct rollout_candidate c = update(1, 2, v2);

    (void)state;
    c.state = ROLLOUT_APPROVAL;
    why_is(&d, &c, 1000, ROLLOUT_UNAPPROVED);
    c.state = ROLLOUT_SCHEDULED;
    why_is(&d, &c, 1000, ROLLOUT_NOT_YET);
}

static void decide_recalls_unless_told_to_let_it_end(void **state)
{
    struct rollout_device d = device();
    struct rollout_candidate c = update(1, 2, v2);

    (void)state;
    c.state = ROLLOUT_ABORTED;
    d.offer = 2;
    for (uint8_t o = BL_STATE_IDLE; o <= BL_STATE_TESTING; o++) {
        bool begun = o >= BL_STATE_DOWNLOADING;

        d.outcome = o;
        c.recall = true;
        why_is(&d, &c, 1000, ROLLOUT_NOTHING);
        c.recall = false;
        why_is(&d, &c, 1000, begun ? ROLLOUT_OFFER : ROLLOUT_NOTHING);
    }
}

static void decide_quarantine_ends(void **state)
{
    struct plan p = plan_of("{}");
    struct rollout_device d = device();
    struct rollout_candidate c = update(1, 2, v2);

    (void)state;
    c.plan = &p;
    d.offer = 2;
    d.outcome = BL_STATE_FAILED;
    d.code = BL_PAYLOAD_DIGEST;
    d.attempts = 1;
    why_is(&d, &c, 1000, ROLLOUT_OFFER);
    d.attempts = 2;
    d.quarantined_until = 1500;
    why_is(&d, &c, 1000, ROLLOUT_QUARANTINE);
    assert_int_equal(rollout_decide(&d, &c, 1, 1000).wait_s, 500);
    why_is(&d, &c, 1500, ROLLOUT_OFFER);
    plan_free(&p);
}

/* What a device made of the release, after so many tries of two. */
static void decide_tries_again_what_may_become_right(void **state)
{
    static const struct {
        uint8_t outcome;
        uint16_t code;
        uint8_t attempts;
        uint64_t until;
        enum rollout_why why;
    } row[] = {
        {BL_STATE_RETURNED, BL_RESET, 1, 0, ROLLOUT_OFFER},
        {BL_STATE_RETURNED, BL_HEALTH, 1, 0, ROLLOUT_OFFER},
        {BL_STATE_RETURNED, BL_DEADLINE, 2, 1500, ROLLOUT_QUARANTINE},
        {BL_STATE_RETURNED, BL_DEADLINE, 2, 1000, ROLLOUT_OFFER},
        {BL_STATE_RETURNED, BL_RESET, 2, 0, ROLLOUT_TRIED},
        {BL_STATE_RETURNED, BL_OPERATOR, 0, 0, ROLLOUT_TRIED},
        {BL_STATE_FAILED, BL_READ_BACK, 1, 0, ROLLOUT_OFFER},
        {BL_STATE_FAILED, BL_READ_BACK, 2, 1500, ROLLOUT_QUARANTINE},
        {BL_STATE_FAILED, BL_ATTEMPTS, 0, 0, ROLLOUT_OFFER},
        {BL_STATE_REFUSED, BL_SIGNATURE, 1, 0, ROLLOUT_TRIED},
        {BL_STATE_REFUSED, BL_CLASS, 2, 1500, ROLLOUT_TRIED},
        {BL_STATE_REFUSED, BL_SEQUENCE_LOW, 2, 1000, ROLLOUT_TRIED},
    };
    static const uint8_t states[] = {ROLLOUT_RUNNING, ROLLOUT_FINISHED};
    struct plan p = plan_of("{}");

    (void)state;
    for (size_t i = 0; i < 2 * (sizeof row / sizeof row[0]); i++) {
        size_t n = i / 2;
        struct rollout_device d = device();
        struct rollout_candidate c = update(1, 2, v2);

        c.state = states[i % 2];
        c.plan = &p;
        d.offer = 2;
        d.outcome = row[n].outcome;
        d.code = row[n].code;
        d.attempts = row[n].attempts;
        d.quarantined_until = row[n].until;
        why_is(&d, &c, 1000, row[n].why);
        c.lost = true;
        why_is(&d, &c, 1000, ROLLOUT_TRIED);
    }
    plan_free(&p);
}

static void decide_leads_over_stepping_stones(void **state)
{
    const struct rollout_stone stone[] = {{2, v2, "", "2"}, {4, v1, "", "4"}};
    struct rollout_device d = device();
    struct rollout_candidate c = update(1, 5, v3);

    (void)state;
    c.stone = stone;
    c.n_stones = 2;
    assert_int_equal(rollout_decide(&d, &c, 1, 1000).stone, 0);
    d.manifest = v2;
    d.sequence = 2;
    assert_int_equal(rollout_decide(&d, &c, 1, 1000).stone, 1);
    d.sequence = 4;
    assert_int_equal(rollout_decide(&d, &c, 1, 1000).stone, -1);
    c.kind = ROLLOUT_ROLLBACK;
    c.permit = true;
    d.sequence = 1;
    assert_int_equal(rollout_decide(&d, &c, 1, 1000).stone, -1);
}

static void decide_asks_for_the_minimum_version(void **state)
{
    struct rollout_device d = device();
    struct rollout_candidate c = update(1, 2, v2);

    (void)state;
    c.min_version = "1.10";
    d.version = "1.9.3";
    why_is(&d, &c, 1000, ROLLOUT_MINIMUM);
    d.version = "1.10.0";
    why_is(&d, &c, 1000, ROLLOUT_OFFER);
    d.version = "";
    why_is(&d, &c, 1000, ROLLOUT_OFFER);
}

static void decide_a_return_is_for_whom_it_was_brought(void **state)
{
    struct rollout_device d = device();
    struct rollout_candidate c = update(2, 1, v1);

    (void)state;
    c.kind = ROLLOUT_RETURN;
    c.undoes = v2;
    c.undoes_order = 2;
    d.manifest = v2;
    d.sequence = 2;
    d.before = v1;
    d.offer = 2;
    d.outcome = BL_STATE_TESTING;
    d.confirmed = false;
    d.state = BL_STATE_TESTING;
    why_is(&d, &c, 1000, ROLLOUT_OFFER); /* it ends the trial */
    d.outcome = BL_STATE_CONFIRMED;
    d.confirmed = true;
    d.floor = 2;
    why_is(&d, &c, 1000, ROLLOUT_PERMIT);
    c.permit = true;
    why_is(&d, &c, 1000, ROLLOUT_OFFER);
    d.before = v3;
    why_is(&d, &c, 1000, ROLLOUT_TARGET);
    d.before = v1;
    d.offer = 6;
    why_is(&d, &c, 1000, ROLLOUT_TARGET);
}

static void decide_what_it_runs_leads_on_to_what_is_newer(void **state)
{
    struct rollout_device d = device();
    struct rollout_candidate c[2] = {update(2, 1, v1), update(1, 3, v3)};

    (void)state;
    /* A security release of lower number, made later, goes first. */
    d.offer = 4;
    d.outcome = BL_STATE_CONFIRMED;
    expect(&d, c, 2, ROLLOUT_OFFER, 1, true);
    c[1].lost = true;
    expect(&d, c, 2, ROLLOUT_TRIED, 1, false);
    c[1].lost = false;
    c[1].state = ROLLOUT_FINISHED; /* what is over has no say */
    expect(&d, c, 2, ROLLOUT_RUNS, 0, true);
}

/* Every combination of what may stand in the way: what must never be is
 * not. */
struct combination {
    struct rollout_device d;
    struct rollout_candidate c;
    struct plan *plan;
};

static void combine(uint32_t bits, struct combination *x)
{
    static const uint8_t outcomes[] = {BL_STATE_IDLE, BL_STATE_OFFERED,
                                       BL_STATE_DOWNLOADING, BL_STATE_FAILED};
    static const uint8_t states[] = {
        ROLLOUT_RUNNING,  ROLLOUT_PAUSED,    ROLLOUT_ABORTED, ROLLOUT_FINISHED,
        ROLLOUT_APPROVAL, ROLLOUT_SCHEDULED, ROLLOUT_RUNNING, ROLLOUT_PAUSED};

    x->d = device();
    x->c = update(1, 2, v2);
    x->c.plan = x->plan;
    x->d.outcome = outcomes[bits & 3];
    x->d.offer = (bits & 3) != 0 ? 2 : 0;
    x->d.code = BL_TRANSPORT;
    x->c.state = states[bits >> 2 & 7];
    x->c.cut = (bits & 1U << 5) != 0 ? ROLLOUT_ALL : 0;
    x->d.channel = (bits & 1U << 6) != 0 ? "beta" : "";
    x->c.channels = (bits & 1U << 7) != 0 ? "beta" : "";
    x->d.floor = (bits & 1U << 8) != 0 ? 9 : 1;
    x->c.permit = (bits & 1U << 9) != 0;
    x->c.kind = (bits & 1U << 10) != 0 ? ROLLOUT_ROLLBACK : ROLLOUT_UPDATE;
    x->c.lost = (bits & 1U << 11) != 0;
    x->c.rate_wait_s = (bits & 1U << 12) != 0 ? 5 : 0;
    x->c.recall = (bits & 1U << 13) != 0;
    x->d.confirmed = (bits & 1U << 14) != 0;
    x->d.state = (bits & 1U << 15) != 0 ? BL_STATE_TESTING : BL_STATE_IDLE;
    x->d.east = (bits & 1U << 16) != 0 ? 60 : 0;
}

static void offers_only_what_may_be(const struct combination *x)
{
    const struct rollout_device *d = &x->d;
    const struct rollout_candidate *c = &x->c;
    bool begun = rollout_under_way(d->outcome);
    bool engaged = d->offer == c->order && d->outcome != BL_STATE_IDLE;
    bool taken_up = engaged && d->outcome > BL_STATE_WAITING;

    if (c->state == ROLLOUT_ABORTED) {
        assert_true(begun && !c->recall);
        return;
    }
    assert_true(c->cut == ROLLOUT_ALL);
    assert_true(c->state == ROLLOUT_RUNNING || c->state == ROLLOUT_FINISHED ||
                (c->state == ROLLOUT_PAUSED && begun));
    assert_true(taken_up || c->kind != ROLLOUT_UPDATE ||
                c->channels[0] == '\0' || strcmp(d->channel, "beta") == 0);
    assert_true(c->sequence >= d->floor || c->permit);
    assert_false(c->lost);
    assert_true(d->confirmed || d->state != BL_STATE_TESTING);
    assert_true(begun || d->east == 60);
    assert_true(c->rate_wait_s == 0 ||
                (engaged && d->outcome != BL_STATE_FAILED));
}

static void decide_never_offers_what_must_not_be(void **state)
{
    struct plan p =
        plan_of("{\"windows\":[{\"from\":\"11:00\",\"to\":\"12:00\"}]}");
    struct combination x = {.plan = &p};
    uint32_t offers = 0;

    (void)state;
    for (uint32_t bits = 0; bits < 1U << 17; bits++) {
        struct rollout_verdict v;

        combine(bits, &x);
        v = rollout_decide(&x.d, &x.c, 1, monday);
        if (v.why == ROLLOUT_OFFER) {
            offers_only_what_may_be(&x);
            offers++;
        }
        assert_int_equal(v.wanted, v.why == ROLLOUT_OFFER);
    }
    assert_true(offers > 100);
    plan_free(&p);
}

static void ranks_refine_buckets(void **state)
{
    uint8_t device_id[16] = {0};

    (void)state;
    for (uint32_t i = 0; i < 1000; i++) {
        memcpy(device_id, &i, sizeof i);
        assert_int_equal(rollout_rank(3, device_id) >> 32,
                         rollout_bucket(3, device_id));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decide_targets_by_query_lists_and_channel),
        cmocka_unit_test(decide_waits_for_a_window_until_the_deadline),
        cmocka_unit_test(decide_limits_hold_back_new_offers_only),
        cmocka_unit_test(decide_what_has_not_begun_offers_nothing),
        cmocka_unit_test(decide_recalls_unless_told_to_let_it_end),
        cmocka_unit_test(decide_quarantine_ends),
        cmocka_unit_test(decide_tries_again_what_may_become_right),
        cmocka_unit_test(decide_leads_over_stepping_stones),
        cmocka_unit_test(decide_asks_for_the_minimum_version),
        cmocka_unit_test(decide_a_return_is_for_whom_it_was_brought),
        cmocka_unit_test(decide_what_it_runs_leads_on_to_what_is_newer),
        cmocka_unit_test(decide_never_offers_what_must_not_be),
        cmocka_unit_test(ranks_refine_buckets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
