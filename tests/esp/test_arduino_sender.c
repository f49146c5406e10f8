/* SPDX-License-Identifier: Apache-2.0 */
/* ArduinoOTA's sending side: alone against what devices may do, and with our
 * device through each scheme. */
#include "arduino_pair.h"
#include "cmocka_all.h"

static uint8_t payload[PAIR_FILE];
static uint8_t random_bytes[32];
static const uint8_t *random_source;
static struct pair_sink sink;
static struct pair pair;

static struct bl_arduino_sender *open_sender(const char *password)
{
    struct bl_arduino_sender_config config;

    for (size_t i = 0; i < PAIR_FILE; i++) {
        payload[i] = (uint8_t)(i * 31 + (i >> 8));
    }
    memset(&pair, 0, sizeof pair);
    memset(random_bytes, 0x5A, sizeof random_bytes);
    random_source = random_bytes;
    pair.file = bl_span_of(payload, PAIR_FILE);
    config = pair_sender(pair.file, password, &random_source);
    bl_arduino_sender_init(&pair.sender, &config, 0);
    return &pair.sender;
}

static void open_device(bl_arduino_scheme scheme, const char *password)
{
    struct bl_arduino_device_config config;

    memset(&sink, 0, sizeof sink);
    sink.random = random_bytes;
    config = pair_device(&sink, scheme, password);
    assert_int_equal(bl_arduino_device_init(&pair.device, &config), BL_OK);
}

static bl_arduino_todo next(uint64_t now_ms)
{
    struct bl_arduino_action action;

    bl_arduino_sender_next(&pair.sender, now_ms, &action);
    return action.todo;
}

static void hear(uint64_t now_ms, const char *text)
{
    bl_arduino_sender_datagram(&pair.sender, now_ms, pair_text(text));
}

static void tcp(uint64_t now_ms, const char *text)
{
    bl_arduino_sender_data(&pair.sender, now_ms, text, strlen(text));
}

/* --- Pushes ---------------------------------------------------------------
 */

static void push(bl_arduino_scheme scheme, const char *password)
{
    (void)open_sender(password);
    open_device(scheme, password);
    assert_true(pair_run(&pair));
    assert_int_equal(pair.sender.failure, BL_ARDUINO_NO_FAILURE);
    assert_int_equal(pair.sender.scheme, scheme);
    assert_int_equal(sink.ended, 1);
    assert_true(pair.restart);
    assert_memory_equal(sink.file, payload, PAIR_FILE);
}

static void a_push_goes_through_each_scheme(void **state)
{
    (void)state;
    push(BL_ARDUINO_OPEN, NULL);
    push(BL_ARDUINO_MD5, "s3cret pw");
    push(BL_ARDUINO_PBKDF2, "s3cret pw");
}

static void
a_device_that_kept_the_md5_is_answered_at_the_second_try(void **state)
{
    char md5[33];

    (void)state;
    (void)open_sender("s3cret pw");
    open_device(BL_ARDUINO_PBKDF2, "s3cret pw");
    memcpy(md5, pair.device.config.secret.md5, sizeof md5);
    assert_int_equal(bl_arduino_secret_hash(&pair.device.config.secret, md5),
                     BL_OK);
    assert_true(pair_run(&pair));
    assert_int_equal(pair.sender.failure, BL_ARDUINO_NO_FAILURE);
    assert_true(pair.sender.weak);
    assert_int_equal(sink.ended, 1);
}

static void fails(bl_arduino_failure failure, const char *said)
{
    assert_true(pair_run(&pair));
    assert_int_equal(pair.sender.failure, failure);
    assert_string_equal(pair.sender.said, said);
    assert_int_equal(sink.ended, 0);
    assert_false(pair.restart);
}

static void a_wrong_password_is_named(void **state)
{
    (void)state;
    (void)open_sender("wrong");
    open_device(BL_ARDUINO_PBKDF2, "right");
    fails(BL_ARDUINO_PASSWORD_WRONG, "Authentication Failed");
    (void)open_sender("wrong");
    open_device(BL_ARDUINO_MD5, "right");
    fails(BL_ARDUINO_PASSWORD_WRONG, "Authentication Failed");
}

static void a_missing_password_is_named(void **state)
{
    (void)state;
    (void)open_sender(NULL);
    open_device(BL_ARDUINO_MD5, "right");
    fails(BL_ARDUINO_PASSWORD_NEEDED, "");
}

static void what_the_device_says_is_kept(void **state)
{
    (void)state;
    (void)open_sender(NULL);
    open_device(BL_ARDUINO_OPEN, NULL);
    sink.refuse_begin = "Not Enough Space";
    fails(BL_ARDUINO_REFUSED, "ERR: Not Enough Space");
    (void)open_sender(NULL);
    open_device(BL_ARDUINO_OPEN, NULL);
    sink.refuse_data = "Flash Write Failed";
    fails(BL_ARDUINO_DEVICE_ERROR, "Flash Write Failed");
    (void)open_sender(NULL);
    pair.sender.config.md5[3] ^= 1;
    open_device(BL_ARDUINO_OPEN, NULL);
    fails(BL_ARDUINO_DEVICE_ERROR, "MD5 Check Failed");
}

static void a_connection_that_breaks_is_named(void **state)
{
    (void)state;
    (void)open_sender(NULL);
    open_device(BL_ARDUINO_OPEN, NULL);
    pair.cut_after = 2048;
    fails(BL_ARDUINO_LOST, "");
    assert_int_equal(sink.n, 2048);
    assert_int_equal(sink.error, BL_ARDUINO_RECEIVE_ERROR);
}

/* --- Devices as they are --------------------------------------------------
 */

static void it_invites_once_a_second_and_then_gives_up(void **state)
{
    uint32_t invitations = 0;
    uint64_t t;

    (void)state;
    (void)open_sender(NULL);
    for (t = 0; t < 20000 && next(t) != BL_ARDUINO_FAILED; t += 100) {
        invitations += pair.sender.since_ms == t;
    }
    assert_int_equal(invitations, 10);
    assert_int_equal(t, 10000);
    assert_int_equal(pair.sender.failure, BL_ARDUINO_NO_ANSWER);
}

static void a_device_that_does_not_connect_is_named(void **state)
{
    (void)state;
    (void)open_sender(NULL);
    assert_int_equal(next(0), BL_ARDUINO_DATAGRAM);
    hear(5, "OK");
    assert_int_equal(next(10004), BL_ARDUINO_WAIT);
    assert_int_equal(next(10005), BL_ARDUINO_FAILED);
    assert_int_equal(pair.sender.failure, BL_ARDUINO_NO_CONNECTION);
}

static void a_lost_ok_does_not_matter(void **state)
{
    (void)state;
    (void)open_sender(NULL);
    assert_int_equal(next(0), BL_ARDUINO_DATAGRAM);
    bl_arduino_sender_connected(&pair.sender, 10);
    assert_int_equal(next(10), BL_ARDUINO_SEND_FILE);
}

static void send_all(void)
{
    (void)open_sender(NULL);
    assert_int_equal(next(0), BL_ARDUINO_DATAGRAM);
    hear(0, "OK");
    bl_arduino_sender_connected(&pair.sender, 0);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(next(0), BL_ARDUINO_SEND_FILE);
        if (i < 4) {
            tcp(0, "1024");
        }
    }
    assert_int_equal(next(0), BL_ARDUINO_READ);
}

static void acknowledgements_may_be_merged_and_split(void **state)
{
    (void)state;
    send_all();
    tcp(0, "904OK");
    assert_int_equal(next(0), BL_ARDUINO_DONE);
    send_all();
    tcp(0, "9");
    tcp(0, "04O");
    assert_int_equal(next(0), BL_ARDUINO_READ);
    tcp(0, "K");
    assert_int_equal(next(0), BL_ARDUINO_DONE);
    send_all();
    tcp(0, "10241024904");
    assert_int_equal(next(0), BL_ARDUINO_READ);
    tcp(59999, "OK\r\n");
    assert_int_equal(next(59999), BL_ARDUINO_DONE);
}

static void an_ok_before_the_end_is_no_success(void **state)
{
    (void)state;
    (void)open_sender(NULL);
    assert_int_equal(next(0), BL_ARDUINO_DATAGRAM);
    bl_arduino_sender_connected(&pair.sender, 0);
    assert_int_equal(next(0), BL_ARDUINO_SEND_FILE);
    tcp(0, "OK");
    assert_int_equal(next(1000), BL_ARDUINO_FAILED);
    assert_int_equal(pair.sender.failure, BL_ARDUINO_DEVICE_ERROR);
}

static void an_error_is_heard_to_its_end(void **state)
{
    (void)state;
    send_all();
    tcp(0, "904");
    tcp(0, "Not Enough");
    assert_int_equal(next(10), BL_ARDUINO_READ);
    tcp(20, " Space\r\n");
    bl_arduino_sender_data(&pair.sender, 20, NULL, 0);
    assert_int_equal(next(20), BL_ARDUINO_FAILED);
    assert_int_equal(pair.sender.failure, BL_ARDUINO_DEVICE_ERROR);
    assert_string_equal(pair.sender.said, "Not Enough Space");
}

static void silence_is_named_by_what_was_missing(void **state)
{
    (void)state;
    (void)open_sender(NULL);
    assert_int_equal(next(0), BL_ARDUINO_DATAGRAM);
    bl_arduino_sender_connected(&pair.sender, 0);
    assert_int_equal(next(0), BL_ARDUINO_SEND_FILE);
    assert_int_equal(next(9999), BL_ARDUINO_READ);
    assert_int_equal(next(10000), BL_ARDUINO_FAILED);
    assert_int_equal(pair.sender.failure, BL_ARDUINO_NO_ACK);
    send_all();
    tcp(0, "904");
    assert_int_equal(next(59999), BL_ARDUINO_READ);
    assert_int_equal(next(60000), BL_ARDUINO_FAILED);
    assert_int_equal(pair.sender.failure, BL_ARDUINO_NO_RESULT);
}

static void what_a_device_says_is_safe_to_print(void **state)
{
    char nonsense[400];

    (void)state;
    memset(nonsense, 'x', sizeof nonsense);
    memcpy(nonsense, "\x1b[2Jab\x07", 7);
    (void)open_sender(NULL);
    assert_int_equal(next(0), BL_ARDUINO_DATAGRAM);
    bl_arduino_sender_datagram(&pair.sender, 0,
                               bl_span_of(nonsense, sizeof nonsense));
    assert_int_equal(next(0), BL_ARDUINO_FAILED);
    assert_int_equal(pair.sender.failure, BL_ARDUINO_REFUSED);
    assert_memory_equal(pair.sender.said, "[2Jabxx", 7);
    assert_true(strlen(pair.sender.said) < BL_ARDUINO_TEXT);
}

static void a_nonce_of_another_length_is_refused(void **state)
{
    (void)state;
    (void)open_sender("s3cret pw");
    assert_int_equal(next(0), BL_ARDUINO_DATAGRAM);
    hear(0, "AUTH cb584e44c43ed6bd0bc2d9c7e242837d00");
    assert_int_equal(next(0), BL_ARDUINO_FAILED);
    assert_int_equal(pair.sender.failure, BL_ARDUINO_REFUSED);
}

static void without_random_bytes_nothing_is_answered(void **state)
{
    (void)state;
    (void)open_sender("s3cret pw");
    random_source = NULL;
    assert_int_equal(next(0), BL_ARDUINO_DATAGRAM);
    hear(0, "AUTH cb584e44c43ed6bd0bc2d9c7e242837d");
    assert_int_equal(next(0), BL_ARDUINO_FAILED);
    assert_int_equal(pair.sender.failure, BL_ARDUINO_RANDOM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_push_goes_through_each_scheme),
        cmocka_unit_test(
            a_device_that_kept_the_md5_is_answered_at_the_second_try),
        cmocka_unit_test(a_wrong_password_is_named),
        cmocka_unit_test(a_missing_password_is_named),
        cmocka_unit_test(what_the_device_says_is_kept),
        cmocka_unit_test(a_connection_that_breaks_is_named),
        cmocka_unit_test(it_invites_once_a_second_and_then_gives_up),
        cmocka_unit_test(a_device_that_does_not_connect_is_named),
        cmocka_unit_test(a_lost_ok_does_not_matter),
        cmocka_unit_test(acknowledgements_may_be_merged_and_split),
        cmocka_unit_test(an_ok_before_the_end_is_no_success),
        cmocka_unit_test(an_error_is_heard_to_its_end),
        cmocka_unit_test(silence_is_named_by_what_was_missing),
        cmocka_unit_test(what_a_device_says_is_safe_to_print),
        cmocka_unit_test(a_nonce_of_another_length_is_refused),
        cmocka_unit_test(without_random_bytes_nothing_is_answered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
