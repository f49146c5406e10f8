/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What espota.py of several years really sent, and what it was sent back
 * (tests/vectors/arduinoota): our device answers those tools byte for byte,
 * and our sender says what they said.
 */
#include "arduino_pair.h"
#include "cmocka_all.h"
#include "vectors.h"

#include <stdio.h>

static struct vectors script;
static struct vectors_file {
    const char *name;
    bool by_md5; /* the password's MD5 is what both sides use */
} const files[] = {
    {"arduinoota/2015era_tool_md5.json", false},
    {"arduinoota/esp8266_md5.json", false},
    {"arduinoota/new_tool_noauth.json", false},
    {"arduinoota/new_tool_pbkdf2.json", false},
    {"arduinoota/new_tool_pbkdf2_md5hash.json", true},
    {"arduinoota/new_tool_vs_md5_device.json", false},
};
enum { FILES = sizeof files / sizeof files[0] };

static uint8_t payload[PAIR_FILE];
static struct pair_sink sink;
static const uint8_t peer[4] = {127, 0, 0, 1};

static void read_payload(void)
{
    FILE *file = fopen(VECTORS "/arduinoota/payload5000.bin", "rb");

    assert_non_null(file);
    assert_int_equal(fread(payload, 1, sizeof payload, file), PAIR_FILE);
    (void)fclose(file);
}

static const char *line(size_t i, const char **who)
{
    const json_t *entry =
        json_array_get(vectors_member(script.json, "transcript"), i);

    *who = json_string_value(json_array_get(entry, 0));
    return json_string_value(json_array_get(entry, 1));
}

static size_t n_lines(void)
{
    return json_array_size(vectors_member(script.json, "transcript"));
}

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

static bl_arduino_scheme scheme_of(void)
{
    if (is(vectors_text(script.json, "password"), "")) {
        return BL_ARDUINO_OPEN;
    }
    return is(vectors_text(script.json, "mode"), "md5") ? BL_ARDUINO_MD5
                                                        : BL_ARDUINO_PBKDF2;
}

static void use_md5_alone(struct bl_arduino_secret *secret)
{
    char md5[33];

    memcpy(md5, secret->md5, sizeof md5);
    assert_int_equal(bl_arduino_secret_hash(secret, md5), BL_OK);
}

/* --- The device -----------------------------------------------------------
 */

static void hear(struct bl_arduino_device *device, const char *said,
                 const char *expected)
{
    char reply[BL_ARDUINO_TEXT];
    size_t n = bl_arduino_device_datagram(
        device, 0, bl_span_of(peer, sizeof peer), pair_text(said), reply);

    assert_int_equal(n, strlen(expected));
    assert_memory_equal(reply, expected, n);
}

static void expect_send(struct bl_arduino_device *device, uint64_t now_ms,
                        const char *text)
{
    struct bl_arduino_action action;

    bl_arduino_device_next(device, now_ms, &action);
    assert_int_equal(action.todo, BL_ARDUINO_SEND);
    assert_int_equal(action.text.n, strlen(text));
    assert_memory_equal(action.text.p, text, action.text.n);
}

static void receive(struct bl_arduino_device *device, const json_t *sizes)
{
    struct bl_arduino_action action;
    const json_t *size;
    size_t at = 0;
    size_t i;

    bl_arduino_device_next(device, 0, &action);
    assert_int_equal(action.todo, BL_ARDUINO_CONNECT);
    bl_arduino_device_connected(device, 0, true);
    json_array_foreach(sizes, i, size)
    {
        size_t n = (size_t)json_integer_value(size);
        char ack[16];

        (void)snprintf(ack, sizeof ack, "%zu", n);
        bl_arduino_device_data(device, 0, payload + at, n);
        expect_send(device, 0, ack);
        at += n;
    }
    assert_int_equal(at, PAIR_FILE);
}

static void play_device(struct bl_arduino_device *device)
{
    const char *said = NULL;
    size_t i;

    for (i = 0; i < n_lines(); i++) {
        const char *who;
        const char *text = line(i, &who);

        if (is(who, "host>udp")) {
            said = text;
        } else if (is(who, "dev>udp")) {
            assert_non_null(said);
            hear(device, said, text);
            said = NULL;
        } else if (is(who, "dev>tcp")) {
            expect_send(device, 1000, text);
        } else {
            receive(device,
                    json_array_get(
                        json_array_get(
                            vectors_member(script.json, "transcript"), i),
                        1));
        }
    }
}

static void open_script(const struct vectors_file *file, uint8_t nonce[32])
{
    const json_t *hex;

    vectors_open(&script, file->name);
    hex = json_object_get(script.json, "nonce");
    if (json_is_string(hex)) {
        bl_span bytes = vectors_bytes(&script, json_string_value(hex));

        memcpy(nonce, bytes.p, bytes.n);
    }
    memset(&sink, 0, sizeof sink);
    sink.random = nonce;
}

static void the_device_answers_every_tool_byte_for_byte(void **state)
{
    (void)state;
    read_payload();
    for (size_t i = 0; i < FILES; i++) {
        struct bl_arduino_device_config config;
        struct bl_arduino_device device;
        struct bl_arduino_action action;
        uint8_t nonce[32] = {0};

        open_script(&files[i], nonce);
        config = pair_device(&sink, scheme_of(),
                             vectors_text(script.json, "password"));
        if (files[i].by_md5) {
            use_md5_alone(&config.secret);
        }
        assert_int_equal(bl_arduino_device_init(&device, &config), BL_OK);
        play_device(&device);
        assert_int_equal(sink.ended, 1);
        assert_memory_equal(sink.file, payload, PAIR_FILE);
        bl_arduino_device_next(&device, 1000, &action);
        assert_int_equal(action.todo, BL_ARDUINO_CLOSE);
        bl_arduino_device_next(&device, 1000, &action);
        assert_int_equal(action.todo, BL_ARDUINO_RESTART);
        vectors_close(&script);
    }
}

/* --- The sender -----------------------------------------------------------
 */

/* Port and cnonce are the tool's free choice: those of the transcript. */
static void choose(struct bl_arduino_sender_config *config, uint8_t cnonce[32])
{
    unsigned port = 0;
    size_t i;

    for (i = 0; i < n_lines(); i++) {
        const char *who;
        const char *text = line(i, &who);

        if (is(who, "host>udp") && text[0] == '0') {
            assert_int_equal(sscanf(text, "0 %u", &port), 1);
        } else if (is(who, "host>udp")) {
            char hex[65] = "";
            bl_span bytes;

            assert_int_equal(sscanf(text, "200 %64s", hex), 1);
            bytes = vectors_bytes(&script, hex);
            memcpy(cnonce, bytes.p, bytes.n);
        }
    }
    config->port = (uint16_t)port;
}

static void expect(struct bl_arduino_sender *sender, bl_arduino_todo todo,
                   struct bl_arduino_action *action)
{
    bl_arduino_sender_next(sender, 0, action);
    assert_int_equal(action->todo, todo);
}

/* In reads as the device of the transcript made them. */
static void send(struct bl_arduino_sender *sender, const json_t *sizes)
{
    struct bl_arduino_action action;
    uint32_t at = 0;
    size_t i = 0;

    bl_arduino_sender_connected(sender, 0);
    while (at < PAIR_FILE) {
        const char *ack = i % 2 == 0 ? "1460" : "1024";

        expect(sender, BL_ARDUINO_SEND_FILE, &action);
        assert_int_equal(action.offset, at);
        at += action.size;
        bl_arduino_sender_data(sender, 0, ack, 4);
        i++;
    }
    assert_int_equal(at, PAIR_FILE);
    assert_true(json_array_size(sizes) > 0);
    expect(sender, BL_ARDUINO_READ, &action);
}

static void play_sender(struct bl_arduino_sender *sender)
{
    struct bl_arduino_action action;
    size_t i;

    for (i = 0; i < n_lines(); i++) {
        const char *who;
        const char *text = line(i, &who);

        if (is(who, "host>udp")) {
            expect(sender, BL_ARDUINO_DATAGRAM, &action);
            assert_int_equal(action.text.n, strlen(text));
            assert_memory_equal(action.text.p, text, action.text.n);
        } else if (is(who, "dev>udp")) {
            bl_arduino_sender_datagram(sender, 0, pair_text(text));
        } else if (is(who, "dev>tcp")) {
            bl_arduino_sender_data(sender, 0, text, strlen(text));
        } else {
            send(sender, json_array_get(
                             json_array_get(
                                 vectors_member(script.json, "transcript"), i),
                             1));
        }
    }
    expect(sender, BL_ARDUINO_DONE, &action);
}

static void the_sender_says_what_every_tool_said(void **state)
{
    (void)state;
    read_payload();
    for (size_t i = 0; i < FILES; i++) {
        struct bl_arduino_sender_config config;
        struct bl_arduino_sender sender;
        uint8_t nonce[32] = {0};
        uint8_t cnonce[32] = {0};
        const uint8_t *random = cnonce;

        open_script(&files[i], nonce);
        config = pair_sender(bl_span_of(payload, PAIR_FILE),
                             vectors_text(script.json, "password"), &random);
        if (files[i].by_md5) {
            use_md5_alone(&config.secret);
        }
        choose(&config, cnonce);
        bl_arduino_sender_init(&sender, &config, 0);
        play_sender(&sender);
        vectors_close(&script);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_device_answers_every_tool_byte_for_byte),
        cmocka_unit_test(the_sender_says_what_every_tool_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
