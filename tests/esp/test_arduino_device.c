/* SPDX-License-Identifier: Apache-2.0 */
/* ArduinoOTA's device side: who gets in, what a transfer may do, and what is
 * said when it goes wrong. */
#include "arduino_pair.h"
#include "cmocka_all.h"

static struct pair_sink sink;
static struct bl_arduino_device device;
static uint8_t random_bytes[32];
static char reply[BL_ARDUINO_TEXT];

static const uint8_t alice[4] = {10, 0, 0, 1};
static const uint8_t mallory[4] = {10, 0, 0, 66};
static const uint8_t bytes[8] = {1, 2, 3, 4, 5, 6, 7, 8};

#define INVITE_8 "0 4000 8 0ee0646c1c77d8131cc8f4ee65c7673b\n"

static void open_with(bl_arduino_scheme scheme, const char *password)
{
    struct bl_arduino_device_config config;

    memset(&sink, 0, sizeof sink);
    memset(random_bytes, 0x11, sizeof random_bytes);
    sink.random = random_bytes;
    config = pair_device(&sink, scheme, password);
    assert_int_equal(bl_arduino_device_init(&device, &config), BL_OK);
}

static size_t hear(uint64_t now_ms, const uint8_t *from, const char *text)
{
    return bl_arduino_device_datagram(&device, now_ms, bl_span_of(from, 4),
                                      pair_text(text), reply);
}

static void answers(uint64_t now_ms, const char *text, const char *expected)
{
    size_t n = hear(now_ms, alice, text);

    assert_int_equal(n, strlen(expected));
    assert_memory_equal(reply, expected, n);
}

static bl_arduino_todo next(uint64_t now_ms, struct bl_arduino_action *action)
{
    bl_arduino_device_next(&device, now_ms, action);
    return action->todo;
}

static void says(uint64_t now_ms, const char *text)
{
    struct bl_arduino_action action;

    assert_int_equal(next(now_ms, &action), BL_ARDUINO_SEND);
    assert_int_equal(action.text.n, strlen(text));
    assert_memory_equal(action.text.p, text, action.text.n);
}

static void connect_it(uint64_t now_ms)
{
    struct bl_arduino_action action;

    answers(now_ms, INVITE_8, "OK");
    assert_int_equal(next(now_ms, &action), BL_ARDUINO_CONNECT);
    assert_int_equal(action.port, 4000);
    bl_arduino_device_connected(&device, now_ms, true);
}

static void ends_listening(uint64_t now_ms)
{
    struct bl_arduino_action action;

    assert_int_equal(next(now_ms, &action), BL_ARDUINO_CLOSE);
    assert_int_equal(next(now_ms, &action), BL_ARDUINO_WAIT);
    assert_int_equal(next(now_ms, &action), BL_ARDUINO_WAIT);
    assert_false(device.busy);
}

/* An answer with this password to the nonce that is out: the sender's own. */
static void answer_with(uint64_t now_ms, const char *password,
                        const char *expected)
{
    const uint8_t *mine = random_bytes;
    struct bl_arduino_sender_config config =
        pair_sender(bl_span_of(bytes, 8), password, &mine);
    struct bl_arduino_sender sender;
    struct bl_arduino_action action;
    size_t n;

    bl_arduino_sender_init(&sender, &config, now_ms);
    bl_arduino_sender_next(&sender, now_ms, &action);
    n = hear(now_ms, alice, INVITE_8);
    assert_memory_equal(reply, "AUTH ", 5);
    bl_arduino_sender_datagram(&sender, now_ms, bl_span_of(reply, n));
    bl_arduino_sender_next(&sender, now_ms, &action);
    assert_int_equal(action.todo, BL_ARDUINO_DATAGRAM);
    n = bl_arduino_device_datagram(&device, now_ms, bl_span_of(alice, 4),
                                   action.text, reply);
    assert_int_equal(n, strlen(expected));
    assert_memory_equal(reply, expected, n);
}

/* --- Who gets in ----------------------------------------------------------
 */

static void what_is_no_invitation_gets_no_answer(void **state)
{
    static const char *const wrong[] = {
        "",
        "\n",
        "0",
        "0 4000 8",
        "0 0 8 0ee0646c1c77d8131cc8f4ee65c7673b\n",
        "0 65536 8 0ee0646c1c77d8131cc8f4ee65c7673b\n",
        "0 4000 4294967296 0ee0646c1c77d8131cc8f4ee65c7673b\n",
        "0 4000 99999999999 0ee0646c1c77d8131cc8f4ee65c7673b\n",
        "0 4000 -8 0ee0646c1c77d8131cc8f4ee65c7673b\n",
        "-1 4000 8 0ee0646c1c77d8131cc8f4ee65c7673b\n",
        "300 4000 8 0ee0646c1c77d8131cc8f4ee65c7673b\n",
        "0  4000 8 0ee0646c1c77d8131cc8f4ee65c7673b\n",
        "0 4000 8 0ee0646c1c77d8131cc8f4ee65c7673\n",
        "0 4000 8 0ee0646c1c77d8131cc8f4ee65c7673b0\n",
        "0 4000 8 0ee0646c1c77d8131cc8f4ee65c7673g\n",
        "0 4000 8 0ee0646c1c77d8131cc8f4ee65c7673b\n\n",
        " 0 4000 8 0ee0646c1c77d8131cc8f4ee65c7673b\n",
        "200 0ee0646c1c77d8131cc8f4ee65c7673b "
        "0ee0646c1c77d8131cc8f4ee65c7673b\n",
    };

    (void)state;
    open_with(BL_ARDUINO_OPEN, NULL);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        if (hear(0, alice, wrong[i]) != 0) {
            fail_msg("answered: %s", wrong[i]);
        }
    }
    assert_int_equal(sink.begun, 0);
    answers(0, "0 4000 8 0EE0646C1C77D8131CC8F4EE65C7673B\r\n", "OK");
}

static void each_scheme_lets_the_right_password_in(void **state)
{
    (void)state;
    open_with(BL_ARDUINO_MD5, "right");
    answer_with(0, "right", "OK");
    open_with(BL_ARDUINO_PBKDF2, "right");
    answer_with(0, "right", "OK");
    assert_int_equal(sink.begun, 1);
}

static void a_wrong_password_is_refused_and_told(void **state)
{
    (void)state;
    open_with(BL_ARDUINO_MD5, "right");
    answer_with(0, "wrong", "Authentication Failed");
    assert_int_equal(sink.begun, 0);
    assert_int_equal(sink.errors, 1);
    assert_int_equal(sink.error, BL_ARDUINO_AUTH_ERROR);
    open_with(BL_ARDUINO_PBKDF2, "right");
    answer_with(0, "wrong", "Authentication Failed");
    assert_int_equal(sink.begun, 0);
}

static void a_replayed_answer_is_refused(void **state)
{
    static const char first[] =
        "200 670d1e76061d1a99e63769e804c5f6e3 "
        "acaddcddf96201a5a18da36ab85b39de\n"; /* of a transcript */
    static const uint8_t nonce[16] = {0xcb, 0x58, 0x4e, 0x44, 0xc4, 0x3e,
                                      0xd6, 0xbd, 0x0b, 0xc2, 0xd9, 0xc7,
                                      0xe2, 0x42, 0x83, 0x7d};

    (void)state;
    open_with(BL_ARDUINO_MD5, "s3cret pw");
    memcpy(random_bytes, nonce, sizeof nonce);
    answers(0, INVITE_8, "AUTH cb584e44c43ed6bd0bc2d9c7e242837d");
    answers(0, first, "OK");
    bl_arduino_device_abort(&device, 0);
    ends_listening(0);
    assert_int_equal(hear(1, alice, first), 0); /* no nonce is out */
    random_bytes[0] ^= 1; /* the source never gives the same twice */
    answers(2, INVITE_8, "AUTH ca584e44c43ed6bd0bc2d9c7e242837d");
    answers(2, first, "Authentication Failed");
    assert_int_equal(sink.begun, 1);
}

static void a_wrong_answer_costs_the_nonce(void **state)
{
    (void)state;
    open_with(BL_ARDUINO_MD5, "s3cret pw");
    (void)hear(0, alice, INVITE_8);
    answers(0,
            "200 670d1e76061d1a99e63769e804c5f6e3 "
            "00000000000000000000000000000000\n",
            "Authentication Failed");
    assert_int_equal(device.nonce[0], '\0');
    assert_int_equal(hear(0, alice,
                          "200 670d1e76061d1a99e63769e804c5f6e3 "
                          "acaddcddf96201a5a18da36ab85b39de\n"),
                     0);
}

static void another_address_cannot_answer_or_displace(void **state)
{
    (void)state;
    open_with(BL_ARDUINO_MD5, "right");
    (void)hear(0, alice, INVITE_8);
    assert_int_equal(hear(100, mallory, INVITE_8), 0);
    assert_int_equal(hear(100, mallory,
                          "200 670d1e76061d1a99e63769e804c5f6e3 "
                          "acaddcddf96201a5a18da36ab85b39de\n"),
                     0);
    assert_int_not_equal(device.nonce[0], '\0');
    assert_int_not_equal(hear(5000, mallory, INVITE_8), 0);
}

static void guessing_is_slowed_down(void **state)
{
    (void)state;
    open_with(BL_ARDUINO_MD5, "right");
    answer_with(0, "wrong", "Authentication Failed");
    answer_with(0, "wrong", "Authentication Failed");
    answer_with(0, "wrong", "Authentication Failed");
    answers(1, INVITE_8, "ERR: Too Many Wrong Passwords, Wait 2 s");
    answer_with(2000, "wrong", "Authentication Failed");
    answers(2001, INVITE_8, "ERR: Too Many Wrong Passwords, Wait 4 s");
    for (uint64_t t = 10000; t < 1000000; t += 61000) {
        answer_with(t, "wrong", "Authentication Failed");
    }
    answers(1012001, INVITE_8, "ERR: Too Many Wrong Passwords, Wait 34 s");
    answer_with(1100000, "right", "OK");
    assert_int_equal(device.failures, 0);
}

static void old_failures_are_forgiven(void **state)
{
    (void)state;
    open_with(BL_ARDUINO_MD5, "right");
    for (uint64_t t = 0; t < 1000000; t += 100000) {
        answer_with(t, "wrong", "Authentication Failed");
    }
    assert_true(device.failures >= 10);
    answer_with(2000000, "wrong", "Authentication Failed");
    assert_int_equal(device.failures, 1);
}

static void without_random_bytes_nobody_gets_in(void **state)
{
    (void)state;
    open_with(BL_ARDUINO_PBKDF2, "right");
    sink.random = NULL;
    answers(0, INVITE_8, "ERR: No Random Numbers");
    assert_int_equal(device.nonce[0], '\0');
}

static void a_password_hashed_with_a_mark_is_the_same(void **state)
{
    (void)state;
    open_with(BL_ARDUINO_MD5, "s3cret pw");
    answer_with(0, "\xEF\xBB\xBFs3cret pw", "OK");
}

static void a_device_needs_a_secret_of_its_scheme(void **state)
{
    struct bl_arduino_device_config config =
        pair_device(&sink, BL_ARDUINO_MD5, NULL);

    (void)state;
    assert_int_equal(bl_arduino_device_init(&device, &config), BL_ARGUMENT);
    config.scheme = BL_ARDUINO_PBKDF2;
    assert_int_equal(bl_arduino_device_init(&device, &config), BL_ARGUMENT);
    assert_int_equal(bl_arduino_secret_hash(&config.secret, "00"),
                     BL_ARGUMENT);
    config.scheme = BL_ARDUINO_MD5; /* SHA-256 alone is of no use to it */
    assert_int_equal(bl_arduino_secret_hash(
                         &config.secret, "00000000000000000000000000000000"
                                         "00000000000000000000000000000000"),
                     BL_OK);
    assert_int_equal(bl_arduino_device_init(&device, &config), BL_ARGUMENT);
}

/* --- A transfer -----------------------------------------------------------
 */

static void a_device_that_is_busy_hears_nobody(void **state)
{
    (void)state;
    open_with(BL_ARDUINO_OPEN, NULL);
    connect_it(0);
    assert_int_equal(hear(1, mallory, INVITE_8), 0);
    assert_int_equal(sink.begun, 1);
}

static void begin_may_refuse(void **state)
{
    (void)state;
    open_with(BL_ARDUINO_OPEN, NULL);
    answers(0, "100 4000 8 0ee0646c1c77d8131cc8f4ee65c7673b\n",
            "ERR: Not Enough Space");
    answers(0, "0 4000 5001 0ee0646c1c77d8131cc8f4ee65c7673b\n",
            "ERR: Not Enough Space");
    answers(0, "0 4000 0 d41d8cd98f00b204e9800998ecf8427e\n",
            "ERR: Bad Size Given");
    assert_int_equal(sink.errors, 3);
    assert_int_equal(sink.error, BL_ARDUINO_BEGIN_ERROR);
    answers(0, INVITE_8, "OK");
}

static void what_is_whole_is_installed(void **state)
{
    struct bl_arduino_action action;

    (void)state;
    open_with(BL_ARDUINO_OPEN, NULL);
    connect_it(0);
    bl_arduino_device_data(&device, 10, bytes, 5);
    says(10, "5");
    bl_arduino_device_data(&device, 20, bytes + 5, 3);
    says(20, "3");
    assert_int_equal(next(21, &action), BL_ARDUINO_WAIT); /* the ack alone */
    assert_int_equal(sink.ended, 0);
    says(100, "OK");
    assert_int_equal(sink.ended, 1);
    assert_int_equal(next(100, &action), BL_ARDUINO_CLOSE);
    assert_int_equal(next(100, &action), BL_ARDUINO_RESTART);
    assert_int_equal(next(100, &action), BL_ARDUINO_WAIT);
}

static void a_wrong_md5_is_refused(void **state)
{
    (void)state;
    open_with(BL_ARDUINO_OPEN, NULL);
    connect_it(0);
    bl_arduino_device_data(&device, 0, bytes, 7);
    says(0, "7");
    bl_arduino_device_data(&device, 0, bytes, 1);
    says(0, "1");
    says(100, "MD5 Check Failed\r\n");
    assert_int_equal(sink.ended, 0);
    assert_int_equal(sink.error, BL_ARDUINO_END_ERROR);
    ends_listening(100);
}

static void more_than_was_said_is_refused(void **state)
{
    (void)state;
    open_with(BL_ARDUINO_OPEN, NULL);
    connect_it(0);
    bl_arduino_device_data(&device, 0, bytes, 7);
    says(0, "7");
    bl_arduino_device_data(&device, 0, bytes, 2);
    says(0, "Bad Size Given\r\n");
    assert_int_equal(sink.n, 7);
    assert_int_equal(sink.error, BL_ARDUINO_RECEIVE_ERROR);
    ends_listening(0);
}

static void a_connection_lost_in_the_middle_installs_nothing(void **state)
{
    (void)state;
    open_with(BL_ARDUINO_OPEN, NULL);
    connect_it(0);
    bl_arduino_device_data(&device, 0, bytes, 7);
    says(0, "7");
    bl_arduino_device_closed(&device, 0);
    assert_int_equal(sink.ended, 0);
    assert_int_equal(sink.error, BL_ARDUINO_RECEIVE_ERROR);
    ends_listening(0);
    answers(0, INVITE_8, "OK");
}

static void a_stalled_sender_is_asked_thrice_and_given_up(void **state)
{
    struct bl_arduino_action action;

    (void)state;
    open_with(BL_ARDUINO_OPEN, NULL);
    connect_it(0);
    bl_arduino_device_data(&device, 0, bytes, 7);
    says(0, "7");
    assert_int_equal(next(999, &action), BL_ARDUINO_READ);
    says(1000, "7");
    says(2000, "7");
    says(3000, "7");
    says(4000, "Stream Read Timeout\r\n");
    assert_int_equal(sink.error, BL_ARDUINO_RECEIVE_ERROR);
    ends_listening(4000);
}

static void a_sender_that_trickles_is_given_up(void **state)
{
    struct bl_arduino_action action;
    uint64_t now = 5;

    (void)state;
    open_with(BL_ARDUINO_OPEN, NULL);
    answers(now, "0 4000 4096 0ee0646c1c77d8131cc8f4ee65c7673b\n", "OK");
    assert_int_equal(next(now, &action), BL_ARDUINO_CONNECT);
    bl_arduino_device_connected(&device, now, true);
    for (; now <= 900005; now += 900) {
        bl_arduino_device_data(&device, now, bytes, 1);
        says(now, "1");
        assert_int_equal(next(now, &action), BL_ARDUINO_READ);
    }
    bl_arduino_device_data(&device, now, bytes, 1);
    says(now, "1");
    says(now, "Took Too Long\r\n");
    assert_int_equal(sink.error, BL_ARDUINO_RECEIVE_ERROR);
    ends_listening(now);
}

static void a_sender_that_does_not_listen_is_given_up(void **state)
{
    struct bl_arduino_action action;

    (void)state;
    open_with(BL_ARDUINO_OPEN, NULL);
    answers(0, INVITE_8, "OK");
    assert_int_equal(next(0, &action), BL_ARDUINO_CONNECT);
    bl_arduino_device_connected(&device, 5, false);
    assert_int_equal(sink.error, BL_ARDUINO_CONNECT_ERROR);
    ends_listening(5);
    answers(10, INVITE_8, "OK");
    assert_int_equal(next(10, &action), BL_ARDUINO_CONNECT);
    assert_int_equal(next(10010, &action), BL_ARDUINO_CLOSE);
    assert_int_equal(sink.errors, 2);
}

static void what_the_application_refuses_is_told(void **state)
{
    (void)state;
    open_with(BL_ARDUINO_OPEN, NULL);
    sink.refuse_end = "Not A Signed Release";
    connect_it(0);
    bl_arduino_device_data(&device, 0, bytes, 8);
    says(0, "8");
    says(100, "Not A Signed Release\r\n");
    assert_int_equal(sink.error, BL_ARDUINO_END_ERROR);
    ends_listening(100);
    sink.refuse_data = "Flash Write Failed";
    connect_it(200);
    bl_arduino_device_data(&device, 200, bytes, 8);
    says(200, "Flash Write Failed\r\n");
    ends_listening(200);
}

static void errors_have_the_words_of_arduinos_examples(void **state)
{
    (void)state;
    assert_string_equal(bl_arduino_error_text(BL_ARDUINO_AUTH_ERROR),
                        "Auth Failed");
    assert_string_equal(bl_arduino_error_text(BL_ARDUINO_BEGIN_ERROR),
                        "Begin Failed");
    assert_string_equal(bl_arduino_error_text(BL_ARDUINO_CONNECT_ERROR),
                        "Connect Failed");
    assert_string_equal(bl_arduino_error_text(BL_ARDUINO_RECEIVE_ERROR),
                        "Receive Failed");
    assert_string_equal(bl_arduino_error_text(BL_ARDUINO_END_ERROR),
                        "End Failed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_invitation_gets_no_answer),
        cmocka_unit_test(each_scheme_lets_the_right_password_in),
        cmocka_unit_test(a_wrong_password_is_refused_and_told),
        cmocka_unit_test(a_replayed_answer_is_refused),
        cmocka_unit_test(a_wrong_answer_costs_the_nonce),
        cmocka_unit_test(another_address_cannot_answer_or_displace),
        cmocka_unit_test(guessing_is_slowed_down),
        cmocka_unit_test(old_failures_are_forgiven),
        cmocka_unit_test(without_random_bytes_nobody_gets_in),
        cmocka_unit_test(a_password_hashed_with_a_mark_is_the_same),
        cmocka_unit_test(a_device_needs_a_secret_of_its_scheme),
        cmocka_unit_test(a_device_that_is_busy_hears_nobody),
        cmocka_unit_test(begin_may_refuse),
        cmocka_unit_test(what_is_whole_is_installed),
        cmocka_unit_test(a_wrong_md5_is_refused),
        cmocka_unit_test(more_than_was_said_is_refused),
        cmocka_unit_test(a_connection_lost_in_the_middle_installs_nothing),
        cmocka_unit_test(a_stalled_sender_is_asked_thrice_and_given_up),
        cmocka_unit_test(a_sender_that_trickles_is_given_up),
        cmocka_unit_test(a_sender_that_does_not_listen_is_given_up),
        cmocka_unit_test(what_the_application_refuses_is_told),
        cmocka_unit_test(errors_have_the_words_of_arduinos_examples),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
