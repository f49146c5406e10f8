/* SPDX-License-Identifier: Apache-2.0 */
/* The attributes of a device: what is sent, when, and what is left out. */
#include "rig.h"

#include <stdio.h>

static struct bl_attribute told[20];

static void tell(struct rig *rig, uint32_t n)
{
    rig->config.attributes = told;
    rig->config.n_attributes = n;
}

/* A pair of short texts, in CBOR, at the end of `out`. */
static size_t pair(uint8_t *out, const char *name, const char *value)
{
    struct bl_cbor_writer w;
    bl_span done;

    bl_cbor_writer_init(&w, out, 200);
    bl_cbor_put_tstr(&w, name);
    bl_cbor_put_tstr(&w, value);
    assert_ok(bl_cbor_writer_finish(&w, &done));
    return done.n;
}

static void assert_told(struct rig *rig, uint32_t n, const char *const *texts)
{
    static uint8_t expected[2048];
    size_t at = 1;

    assert_non_null(rig->server.last.attributes.p);
    expected[0] = (uint8_t)(0xA0 + n);
    for (uint32_t i = 0; i < n; i++) {
        at += pair(expected + at, texts[2 * i], texts[2 * i + 1]);
    }
    assert_int_equal(rig->server.last.attributes.n, at);
    assert_memory_equal(rig->server.last.attributes.p, expected, at);
}

static void light_poll(struct rig *rig)
{
    do {
        rig->now_ms += 1000000;
        bl_client_next(rig->client, rig->now_ms, &rig->action);
    } while (rig->action.todo != BL_TODO_POLL);
    rig_ask(rig);
    assert_int_equal(rig->server.last.nonce.n, 0);
    rig_give(rig);
}

static void fresh_poll(struct rig *rig)
{
    bl_client_poke(rig->client);
    rig_poll(rig);
    assert_true(rig->server.last.nonce.n > 0);
}

static void attributes_go_with_a_nonce_and_when_they_change(void **state)
{
    static const char *const first[] = {"os",       "zephyr", "note",
                                        "\xC3\xBC", "site",   "north"};
    static const char *const second[] = {"os",       "linux", "note",
                                         "\xC3\xBC", "site",  "north"};
    struct rig *rig = *state;

    told[0] = (struct bl_attribute){"site", "north"};
    told[1] = (struct bl_attribute){"note", "\xC3\xBC"};
    told[2] = (struct bl_attribute){"os", "zephyr"};
    told[3] = (struct bl_attribute){NULL, NULL}; /* a free place */
    tell(rig, 4);
    rig_start(rig);
    rig_poll(rig);
    assert_told(rig, 3, first); /* in CBOR's order */
    assert_false(rig->client->attributes_cut);
    light_poll(rig);
    assert_null(rig->server.last.attributes.p);
    told[2].value = "linux";
    light_poll(rig);
    assert_told(rig, 3, second);
    light_poll(rig);
    assert_null(rig->server.last.attributes.p);
    fresh_poll(rig);
    assert_told(rig, 3, second);
}

static void what_no_answer_came_for_is_told_again(void **state)
{
    static const char *const texts[] = {"os", "linux"};
    struct rig *rig = *state;

    told[0] = (struct bl_attribute){"os", "zephyr"};
    tell(rig, 1);
    rig_start(rig);
    rig_poll(rig);
    told[0].value = "linux";
    rig->now_ms += 3000000;
    bl_client_next(rig->client, rig->now_ms, &rig->action);
    assert_int_equal(rig->action.todo, BL_TODO_POLL);
    bl_client_unreachable(rig->client, rig->now_ms);
    light_poll(rig);
    assert_told(rig, 1, texts);
}

static void none_are_an_empty_map_and_no_list_is_silence(void **state)
{
    struct rig *rig = *state;

    tell(rig, 0);
    rig_start(rig);
    rig_poll(rig);
    assert_told(rig, 0, NULL);
    rig->config.attributes = NULL;
    rig_start(rig);
    rig_poll(rig);
    assert_null(rig->server.last.attributes.p);
}

static void malformed_ones_are_left_out(void **state)
{
    static const char *const good[] = {"ok", "1"};
    static const char *const names[] = {"", "Upper", "with space", "a/b",
                                        "a_name_of_25_characters__"};
    static const char *const values[] = {
        "line\nbreak",
        "\x7F",
        "\xC2\x9F",
        "cut \xC3",
        "\xED\xA0\x80",
        "0123456789012345678901234567890123456789012345678901234567890123+"};
    struct rig *rig = *state;

    told[0] = (struct bl_attribute){"ok", "1"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        told[1] = (struct bl_attribute){names[i], "v"};
        tell(rig, 2);
        rig_start(rig);
        rig_poll(rig);
        assert_told(rig, 1, good);
        assert_true(rig->client->attributes_cut);
    }
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        told[1] = (struct bl_attribute){"z", values[i]};
        rig_start(rig);
        rig_poll(rig);
        assert_told(rig, 1, good);
    }
    told[1] = (struct bl_attribute){"ok", "2"}; /* the same name again */
    told[2] = (struct bl_attribute){NULL, "2"};
    told[3] = (struct bl_attribute){"z", NULL};
    tell(rig, 4);
    rig_start(rig);
    rig_poll(rig);
    assert_told(rig, 1, good);
}

/* Two digits. */
static void number(char *out, int i)
{
    out[0] = (char)('0' + i / 10);
    out[1] = (char)('0' + i % 10);
}

static void more_than_sixteen_are_left_out(void **state)
{
    static char name[20][4];
    const char *texts[32];
    struct rig *rig = *state;

    for (int i = 0; i < 20; i++) {
        memcpy(name[i], "a..", 4);
        number(name[i] + 1, i);
        told[19 - i] = (struct bl_attribute){name[i], ""};
        if (i < 16) {
            texts[2 * i] = name[i];
            texts[2 * i + 1] = "";
        }
    }
    tell(rig, 20);
    rig_start(rig);
    rig_poll(rig);
    assert_told(rig, 16, texts);
    assert_true(rig->client->attributes_cut);
}

/* As many, as long as they may be, and eight events beside them. */
static void tell_most(struct rig *rig)
{
    static char name[BL_ATTRIBUTES][BL_ATTRIBUTE_NAME + 1];
    static char value[BL_ATTRIBUTE_VALUE + 1];
    struct bl_event event = {.state = BL_STATE_RETURNED, .code = BL_HEALTH};

    memset(value, 'v', BL_ATTRIBUTE_VALUE);
    for (int i = 0; i < BL_ATTRIBUTES; i++) {
        memcpy(name[i], "a_name_of_24_charact__..", BL_ATTRIBUTE_NAME + 1);
        number(name[i] + BL_ATTRIBUTE_NAME - 2, i);
        told[i] = (struct bl_attribute){name[i], value};
    }
    tell(rig, BL_ATTRIBUTES);
    rig_start(rig);
    for (int i = 0; i < 8; i++) {
        assert_ok(bl_journal_append(&rig->client->journal, &event));
    }
    rig_poll(rig);
    assert_true(rig->client->reached);
}

/* The least buffer: a poll goes out all the same, with its events. */
static void what_does_not_fit_is_left_out_whole(void **state)
{
    struct rig *rig = *state;

    tell_most(rig);
    assert_null(rig->server.last.attributes.p);
    assert_true(rig->client->attributes_cut);
    assert_true(rig->server.last.n_events >= 4);
}

static void the_most_fits_into_what_is_recommended(void **state)
{
    static uint8_t message[BL_CLIENT_MESSAGE];
    static const char longest[] = "0123456789012345678901234567890";
    struct rig *rig = *state;

    rig->config.message = message;
    rig->config.message_size = sizeof(message);
    rig->config.hardware = longest;
    rig->config.version = longest;
    tell_most(rig);
    assert_true(rig->server.last.attributes.n > 1400);
    assert_false(rig->client->attributes_cut);
    assert_true(rig->server.last.n_events >= 1);
}

static void refused_attributes_are_sent_no_more(void **state)
{
    struct rig *rig = *state;

    told[0] = (struct bl_attribute){"os", "zephyr"};
    tell(rig, 1);
    rig_start(rig);
    assert_int_equal(rig_next(rig), BL_TODO_POLL);
    bl_client_answer(rig->client, rig->now_ms, 400, bl_span_of(NULL, 0), 0);
    while (rig_next(rig) == BL_TODO_SLEEP) {
    }
    rig_ask(rig);
    assert_null(rig->server.last.attributes.p);
    rig_give(rig);
    assert_true(rig->client->reached);
}

int main(void)
{
#define TEST(name)                                                            \
    cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
    const struct CMUnitTest tests[] = {
        TEST(attributes_go_with_a_nonce_and_when_they_change),
        TEST(what_no_answer_came_for_is_told_again),
        TEST(none_are_an_empty_map_and_no_list_is_silence),
        TEST(malformed_ones_are_left_out),
        TEST(more_than_sixteen_are_left_out),
        TEST(what_does_not_fit_is_left_out_whole),
        TEST(the_most_fits_into_what_is_recommended),
        TEST(refused_attributes_are_sent_no_more),
    };

    return cmocka_run_group_tests(tests, rig_group_setup, rig_group_teardown);
}
