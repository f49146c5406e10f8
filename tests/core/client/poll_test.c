/* SPDX-License-Identifier: Apache-2.0 */
/* When a device asks, what it says, and which answers it believes. */
#include "rig.h"

/* --- Schedule
 * ----------------------------------------------------------------- */

static void first_poll_comes_within_its_window_and_has_a_nonce(void **state)
{
    struct rig *rig = *state;

    for (uint32_t word = 0; word < 4; word++) {
        rig->fixed = true;
        rig->random = word * 0x55000000U;
        rig_start(rig);
        assert_true(rig->client->due_ms >= rig->now_ms);
        assert_true(rig->client->due_ms <= rig->now_ms + 60000);
    }
    assert_int_equal(rig_next(rig), BL_TODO_POLL);
    assert_int_equal(rig_nonce(rig).n, 16);
}

static void interval_is_half_an_hour_give_or_take_a_tenth(void **state)
{
    struct rig *rig = *state;
    uint64_t least = UINT64_MAX;
    uint64_t most = 0;

    for (uint8_t i = 0; i < 64; i++) {
        uint64_t wait;

        rig->config.device_id[0] = i;
        rig_start(rig);
        assert_int_equal(rig_next(rig), BL_TODO_POLL);
        bl_client_answer(rig->client, rig->now_ms, 200, bl_span_of("\xa0", 1),
                         0);
        /* No ticket: refused, and backed off; so count from a light one. */
        rig->client->ask = false;
        rig->client->ticket_due_ms = UINT64_MAX;
        assert_int_equal(rig_next(rig), BL_TODO_POLL);
        bl_client_answer(rig->client, rig->now_ms, 200, bl_span_of("\xa0", 1),
                         0);
        wait = rig->client->due_ms - rig->now_ms;
        least = wait < least ? wait : least;
        most = wait > most ? wait : most;
    }
    assert_true(least >= 1620000 && least < 1680000);
    assert_true(most <= 1980000 && most > 1920000);
}

static void polls_are_light_until_a_day_has_passed(void **state)
{
    struct rig *rig = *state;
    uint64_t asked;

    rig_start(rig);
    rig_poll(rig);
    assert_true(rig->client->reached);
    asked = rig->now_ms;
    for (;;) {
        assert_int_equal(rig_next(rig), BL_TODO_POLL);
        if (rig_nonce(rig).n != 0) {
            break;
        }
        assert_true(rig->now_ms - asked < 86400000);
        rig_ask(rig);
        rig_give(rig);
    }
    assert_true(rig->now_ms - asked >= 86400000);
    assert_true(rig->server.tickets == 1);
}

static void back_off_doubles_up_to_an_hour_with_full_jitter(void **state)
{
    struct rig *rig = *state;
    uint32_t most_s = 60;

    rig_start(rig);
    for (int i = 0; i < 10; i++) {
        uint64_t wait;

        assert_int_equal(rig_next(rig), BL_TODO_POLL);
        rig->fixed = true;
        rig->random = 0xFF000000U;
        bl_client_unreachable(rig->client, rig->now_ms);
        wait = rig->client->due_ms - rig->now_ms;
        assert_true(wait <= most_s * 1000ULL);
        assert_true(wait >= most_s * 990ULL);
        rig->fixed = false;
        most_s = most_s * 2 > 3600 ? 3600 : most_s * 2;
    }
    assert_int_equal(rig_next(rig), BL_TODO_POLL);
    rig->fixed = true;
    rig->random = 0;
    bl_client_unreachable(rig->client, rig->now_ms);
    assert_true(rig->client->due_ms == rig->now_ms);
}

static void success_ends_the_back_off(void **state)
{
    struct rig *rig = *state;

    rig_start(rig);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(rig_next(rig), BL_TODO_POLL);
        bl_client_unreachable(rig->client, rig->now_ms);
    }
    rig_poll(rig);
    assert_int_equal(rig->client->backoffs, 0);
}

static void retry_after_is_honoured_and_bounded(void **state)
{
    struct rig *rig = *state;

    rig_start(rig);
    assert_int_equal(rig_next(rig), BL_TODO_POLL);
    bl_client_answer(rig->client, rig->now_ms, 503, bl_span_of(NULL, 0), 7200);
    assert_true(rig->client->due_ms == rig->now_ms + 7200000);
    assert_int_equal(rig_next(rig), BL_TODO_POLL);
    bl_client_answer(rig->client, rig->now_ms, 429, bl_span_of(NULL, 0),
                     UINT32_MAX);
    assert_true(rig->client->due_ms == rig->now_ms + 86400000);
}

static void server_sets_the_interval(void **state)
{
    static const uint8_t ten_minutes[] = {0xa1, 0x05, 0x19, 0x02, 0x58};
    struct rig *rig = *state;
    uint64_t wait;

    rig_start(rig);
    rig_poll(rig);
    assert_int_equal(rig_next(rig), BL_TODO_POLL);
    bl_client_answer(rig->client, rig->now_ms, 200,
                     bl_span_of(ten_minutes, sizeof(ten_minutes)), 0);
    wait = rig->client->due_ms - rig->now_ms;
    assert_true(wait >= 540000 && wait <= 660000);
}

static void poke_polls_at_once_with_a_nonce(void **state)
{
    struct rig *rig = *state;

    rig_start(rig);
    rig_poll(rig);
    bl_client_poke(rig->client);
    bl_client_next(rig->client, rig->now_ms, &rig->action);
    assert_int_equal(rig->action.todo, BL_TODO_POLL);
    assert_int_equal(rig_nonce(rig).n, 16);
}

static bl_status no_random(void *ctx, void *out, size_t n)
{
    (void)ctx;
    (void)out;
    (void)n;
    return BL_ARGUMENT;
}

static void no_nonce_is_sent_without_randomness(void **state)
{
    struct rig *rig = *state;

    rig->config.random = no_random;
    rig_start(rig);
    for (int i = 0; i < 5; i++) {
        bl_client_next(rig->client, rig->now_ms, &rig->action);
        assert_int_equal(rig->action.todo, BL_TODO_SLEEP);
        rig->now_ms = rig->action.until_ms;
    }
}

static void a_forgotten_action_has_no_result(void **state)
{
    struct rig *rig = *state;

    rig_start(rig);
    assert_int_equal(rig_next(rig), BL_TODO_POLL);
    rig_ask(rig);
    rig_give(rig);
    rig->client->reached = false;
    rig_give(rig); /* twice */
    assert_false(rig->client->reached);
    assert_int_equal(bl_client_body(rig->client, 200, 0), BL_BUSY);
    assert_int_equal(bl_client_data(rig->client, "x", 1), BL_BUSY);
    bl_client_done(rig->client, rig->now_ms, true, 0);
}

/* --- What is said
 * ------------------------------------------------------------ */

static void report_says_what_runs_as_read_from_flash(void **state)
{
    struct rig *rig = *state;
    const struct sim_release *r = &fixture.release[SIM_R1];

    rig_start(rig);
    assert_int_equal(rig_next(rig), BL_TODO_POLL);
    rig_ask(rig);
    assert_memory_equal(rig->server.last.running, r->manifest, 32);
    assert_memory_equal(rig->server.last.image, r->app_sha256, 32);
    assert_true(rig->server.last.confirmed);
    assert_int_equal(rig->server.last.slot, BL_SLOT_A);
    assert_int_equal(rig->server.last.sequence, r->sequence);
    assert_int_equal(rig->server.last.floor, r->sequence);
    assert_int_equal(rig->server.last.root_version, 1);
    assert_int_equal(rig->server.last.state, BL_STATE_IDLE);
}

static void add_events(struct rig *rig, unsigned n)
{
    struct bl_event e = {0};

    for (unsigned i = 0; i < n; i++) {
        e.state = BL_STATE_FAILED;
        e.uptime_s = UINT32_MAX;
        e.sequence = UINT64_MAX;
        assert_ok(bl_journal_append(&rig->client->journal, &e));
    }
}

static void events_are_sent_until_they_are_acknowledged(void **state)
{
    struct rig *rig = *state;

    rig_start(rig);
    add_events(rig, 11);
    assert_int_equal(rig_next(rig), BL_TODO_POLL);
    rig_ask(rig);
    assert_int_equal(rig->server.last.n_events, 8);
    bl_client_unreachable(rig->client, rig->now_ms); /* the answer is lost */
    rig_poll(rig);
    assert_int_equal(rig->server.last.n_events, 8);
    assert_int_equal(rig->client->acked, 8);
    assert_true(rig->client->due_ms == rig->now_ms);
    rig_poll(rig);
    assert_int_equal(rig->server.last.n_events, 3);
    assert_int_equal(rig->client->acked, 11);
    assert_true(rig->client->due_ms > rig->now_ms);
}

static void small_message_buffer_sends_fewer_events(void **state)
{
    struct rig *rig = *state;

    rig->config.message_size = 320;
    rig_start(rig);
    add_events(rig, 8);
    while (rig->client->acked < 8) {
        uint32_t before = rig->client->acked;

        rig_poll(rig);
        assert_true(rig->client->acked > before);
        assert_true(rig->server.last.n_events < 8);
    }
}

static void acknowledgement_of_what_was_never_said_is_ignored(void **state)
{
    static const uint8_t ack[] = {0xa1, 0x06, 0x19, 0x03, 0xe8};
    struct rig *rig = *state;

    rig_start(rig);
    rig_poll(rig);
    add_events(rig, 2);
    assert_int_equal(rig_next(rig), BL_TODO_POLL);
    bl_client_answer(rig->client, rig->now_ms, 200,
                     bl_span_of(ack, sizeof(ack)), 0);
    assert_int_equal(rig->client->acked, 0);
}

/* --- Which answers are believed
 * ------------------------------------------------ */

static void assert_refused(struct rig *rig, bl_status why)
{
    bl_status code = BL_OK;

    assert_int_equal(rig->client->device_state, BL_STATE_REFUSED);
    assert_true(rig_events(rig, BL_STATE_REFUSED, &code) > 0);
    assert_int_equal(code, why);
    assert_false(rig->client->reached);
    assert_int_equal(rig->client->backoffs, 1);
    assert_true(rig->client->due_ms <= rig->now_ms + 60000);
}

static void stale_ticket_is_refused(void **state)
{
    struct rig *rig = *state;

    rig_start(rig);
    assert_int_equal(rig_next(rig), BL_TODO_POLL);
    rig_ask(rig);
    bl_client_unreachable(rig->client, rig->now_ms);
    rig->client->backoffs = 0;
    assert_int_equal(rig_next(rig), BL_TODO_POLL);
    rig_give(rig); /* the answer to the first poll */
    assert_refused(rig, BL_TICKET_NONCE);
}

static void refused_ticket_has_spent_its_nonce(void **state)
{
    struct rig *rig = *state;
    uint8_t spent[16];

    rig_start(rig);
    assert_int_equal(rig_next(rig), BL_TODO_POLL);
    rig_ask(rig);
    memcpy(spent, rig_nonce(rig).p, sizeof(spent));
    bl_client_answer(rig->client, rig->now_ms, 200, bl_span_of("\xa0", 1), 0);
    assert_refused(rig, BL_TICKET_MISSING);
    rig_give(rig); /* the good answer, too late */
    assert_false(rig->client->reached);
    assert_int_equal(rig_next(rig), BL_TODO_POLL);
    assert_memory_not_equal(rig_nonce(rig).p, spent, sizeof(spent));
    rig_give(rig);
    assert_false(rig->client->reached);
}

static void ticket_for_another_device_is_refused(void **state)
{
    struct rig *rig = *state;

    rig->config.device_id[15] ^= 1;
    rig_start(rig);
    rig_poll(rig);
    assert_refused(rig, BL_TICKET_DEVICE);
}

static void ticket_that_asks_for_a_newer_root_is_refused(void **state)
{
    struct rig *rig = *state;

    rig->server.root = 2;
    rig->server.keeps_roots = true;
    rig_start(rig);
    rig_poll(rig);
    assert_refused(rig, BL_TICKET_ROOT);
    assert_int_equal(rig->client->root.version, 1);
}

static uint64_t far_future(void *ctx)
{
    (void)ctx;
    return UINT64_C(1) << 40;
}

static void wrong_clock_does_not_keep_a_ticket_out(void **state)
{
    struct rig *rig = *state;

    rig->config.now = far_future;
    rig_start(rig);
    rig_poll(rig);
    assert_true(rig->client->reached);
}

static void repeated_refusal_does_not_fill_the_journal(void **state)
{
    struct rig *rig = *state;
    bl_status code = BL_OK;

    rig_start(rig);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(rig_next(rig), BL_TODO_POLL);
        bl_client_answer(rig->client, rig->now_ms, 200, bl_span_of("\xa0", 1),
                         0);
    }
    assert_int_equal(rig_events(rig, BL_STATE_REFUSED, &code), 1);
}

static void mangle(struct rig *rig, size_t n, size_t flip, unsigned bit)
{
    struct bl_state before = rig->client->state;
    struct bl_state after;

    if (flip < n) {
        rig->answer[flip] ^= (uint8_t)(1U << bit);
    }
    bl_client_answer(rig->client, rig->now_ms, 200, bl_span_of(rig->answer, n),
                     0);
    assert_ok(bl_state_load(&rig->device.layout, &after));
    assert_int_equal(before.number, after.number);
    assert_int_equal(before.floor, after.floor);
}

static void truncated_answers_are_refused(void **state)
{
    struct rig *rig = *state;

    rig->server.wanted = SIM_R2;
    rig->server.permit = true;
    rig->server.root = 2;
    for (size_t n = 0;; n++) {
        rig_start(rig);
        assert_int_equal(rig_next(rig), BL_TODO_POLL);
        rig_ask(rig);
        if (n == rig->answer_n) {
            break;
        }
        mangle(rig, n, SIZE_MAX, 0);
        assert_int_equal(rig->client->refusal, BL_ANSWER);
        assert_int_equal(rig->client->root.version, 1);
    }
}

static void flipped_bits_of_an_answer_do_no_harm(void **state)
{
    struct rig *rig = *state;
    size_t n = 1;

    rig_start(rig);
    rig_poll(rig); /* the time is written down: at most once a day */
    rig->server.wanted = SIM_R2;
    rig->server.permit = true;
    for (size_t flip = 0; flip < n; flip++) {
        rig_start(rig);
        assert_int_equal(rig_next(rig), BL_TODO_POLL);
        rig_ask(rig);
        n = rig->answer_n;
        mangle(rig, n, flip, (unsigned)(flip * 5 % 8));
        assert_memory_equal(rig->client->running,
                            fixture.release[SIM_R1].manifest, 32);
    }
}

/* --- Hints and root documents
 * ------------------------------------------------------ */

static void hint_only_makes_the_device_ask(void **state)
{
    struct rig *rig = *state;

    rig_start(rig);
    rig_poll(rig);
    rig->server.wanted = SIM_R2;
    assert_int_equal(rig_next(rig), BL_TODO_POLL);
    assert_int_equal(rig_nonce(rig).n, 0);
    rig_ask(rig);
    rig_give(rig);
    assert_int_equal(rig->client->device_state, BL_STATE_IDLE);
    bl_client_next(rig->client, rig->now_ms, &rig->action);
    assert_int_equal(rig->action.todo, BL_TODO_POLL);
    assert_int_equal(rig_nonce(rig).n, 16);
    rig_ask(rig);
    rig_give(rig);
    assert_int_equal(rig->client->device_state, BL_STATE_OFFERED);
}

static void new_root_document_is_kept_and_a_new_nonce_sent(void **state)
{
    struct rig *rig = *state;
    uint8_t first[16];

    rig->server.root = 2;
    rig_start(rig);
    assert_int_equal(rig_next(rig), BL_TODO_POLL);
    memcpy(first, rig_nonce(rig).p, 16);
    rig_ask(rig);
    rig_give(rig);
    assert_int_equal(rig->client->root.version, 2);
    assert_false(rig->client->reached);
    bl_client_next(rig->client, rig->now_ms, &rig->action);
    assert_int_equal(rig_nonce(rig).n, 16);
    assert_memory_not_equal(rig_nonce(rig).p, first, 16);
    rig_ask(rig);
    rig_give(rig);
    assert_true(rig->client->reached);
    rig_start(rig);
    assert_int_equal(rig->client->root.version, 2);
}

static void root_document_that_skips_one_is_refused(void **state)
{
    struct rig *rig = *state;
    struct sim_fixture other = fixture;

    other.root[1] = fixture.root[0]; /* the one it has */
    rig->server.fixture = &other;
    rig->server.root = 2;
    rig_start(rig);
    rig_poll(rig);
    assert_refused(rig, BL_ROOT_VERSION);
    assert_int_equal(rig->client->root.version, 1);
}

int main(void)
{
#define TEST(name)                                                            \
    cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
    const struct CMUnitTest tests[] = {
        TEST(first_poll_comes_within_its_window_and_has_a_nonce),
        TEST(interval_is_half_an_hour_give_or_take_a_tenth),
        TEST(polls_are_light_until_a_day_has_passed),
        TEST(back_off_doubles_up_to_an_hour_with_full_jitter),
        TEST(success_ends_the_back_off),
        TEST(retry_after_is_honoured_and_bounded),
        TEST(server_sets_the_interval),
        TEST(poke_polls_at_once_with_a_nonce),
        TEST(no_nonce_is_sent_without_randomness),
        TEST(a_forgotten_action_has_no_result),
        TEST(report_says_what_runs_as_read_from_flash),
        TEST(events_are_sent_until_they_are_acknowledged),
        TEST(small_message_buffer_sends_fewer_events),
        TEST(acknowledgement_of_what_was_never_said_is_ignored),
        TEST(stale_ticket_is_refused),
        TEST(refused_ticket_has_spent_its_nonce),
        TEST(ticket_for_another_device_is_refused),
        TEST(ticket_that_asks_for_a_newer_root_is_refused),
        TEST(wrong_clock_does_not_keep_a_ticket_out),
        TEST(repeated_refusal_does_not_fill_the_journal),
        TEST(truncated_answers_are_refused),
        TEST(flipped_bits_of_an_answer_do_no_harm),
        TEST(hint_only_makes_the_device_ask),
        TEST(new_root_document_is_kept_and_a_new_nonce_sent),
        TEST(root_document_that_skips_one_is_refused),
    };

    return cmocka_run_group_tests(tests, rig_group_setup, rig_group_teardown);
}
