/* SPDX-License-Identifier: Apache-2.0 */
/* Poll messages, and what the end of an offer means for a device. */
#include "support/cmocka_all.h"

#include "device.h"
#include "poll_message.h"
#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 8192 };

static uint8_t room[ROOM];

/* The keys that must be there, then `n` more pairs for the caller. */
static void begin(struct bl_cbor_writer *w, uint32_t n)
{
    static const uint8_t zero[32];

    bl_cbor_writer_init(w, room, sizeof room);
    bl_cbor_put_map(w, 7 + n);
    bl_cbor_put_uint(w, 1);
    bl_cbor_put_bstr(w, bl_span_of(zero, 16));
    bl_cbor_put_uint(w, 3);
    bl_cbor_put_uint(w, 1);
    bl_cbor_put_uint(w, 4);
    bl_cbor_put_bstr(w, bl_span_of(zero, 32));
    for (uint32_t key = 5; key <= 6; key++) {
        bl_cbor_put_uint(w, key);
        bl_cbor_put_uint(w, 0);
    }
    bl_cbor_put_uint(w, 7);
    bl_cbor_put_bool(w, true);
    bl_cbor_put_uint(w, 8);
    bl_cbor_put_uint(w, 1);
}

static bl_status end(struct bl_cbor_writer *w, struct poll *out)
{
    bl_span body;

    assert_int_equal(bl_cbor_writer_finish(w, &body), BL_OK);
    return poll_read(body, out);
}

static bl_status read_offset(int64_t minutes, struct poll *out)
{
    struct bl_cbor_writer w;

    begin(&w, 1);
    bl_cbor_put_uint(&w, 17);
    bl_cbor_put_int(&w, minutes);
    return end(&w, out);
}

static bl_status read_power(uint64_t battery, uint64_t flags, struct poll *out)
{
    struct bl_cbor_writer w;

    begin(&w, 1);
    bl_cbor_put_uint(&w, 19);
    bl_cbor_put_array(&w, 2);
    bl_cbor_put_uint(&w, battery);
    bl_cbor_put_uint(&w, flags);
    return end(&w, out);
}

/* name, value, name, value, ... */
static bl_status read_attributes(const char *const *texts, uint32_t pairs,
                                 struct poll *out)
{
    struct bl_cbor_writer w;

    begin(&w, 1);
    bl_cbor_put_uint(&w, 18);
    bl_cbor_put_map(&w, pairs);
    for (uint32_t i = 0; i < 2 * pairs; i++) {
        bl_cbor_put_tstr(&w, texts[i]);
    }
    return end(&w, out);
}

static void expect_fault(const char *name, const char *value, const char *says)
{
    const char *texts[4] = {"a", "fine", name, value};
    struct poll poll;
    char line[POLL_FAULT];

    assert_int_equal(read_attributes(texts, 2, &poll), BL_CBOR);
    assert_int_equal(poll.fault.key, 18);
    assert_int_equal(poll.fault.attribute, 2);
    poll_fault_text(&poll.fault, line);
    assert_non_null(strstr(line, "key 18, attribute 2"));
    assert_non_null(strstr(line, says));
}

static void what_a_device_does_not_say_is_unknown(void **state)
{
    struct bl_cbor_writer w;
    struct poll poll;

    (void)state;
    begin(&w, 0);
    assert_int_equal(end(&w, &poll), BL_OK);
    assert_int_equal(poll.utc_offset, DEVICE_NO_OFFSET);
    assert_int_equal(poll.battery, DEVICE_NO_BATTERY);
    assert_int_equal(poll.link, 0);
    assert_int_equal(poll.tries, DEVICE_NO_TRIES);
    assert_false(poll_has(&poll, 18));
}

static void conditions_have_their_bounds(void **state)
{
    struct poll poll;
    char line[POLL_FAULT];

    (void)state;
    assert_int_equal(read_offset(-840, &poll), BL_OK);
    assert_int_equal(poll.utc_offset, -840);
    assert_int_equal(read_offset(840, &poll), BL_OK);
    assert_int_equal(read_offset(841, &poll), BL_CBOR);
    assert_int_equal(poll.fault.key, 17);
    poll_fault_text(&poll.fault, line);
    assert_non_null(strstr(line, "at key 17"));
    assert_int_equal(read_offset(-841, &poll), BL_CBOR);
    assert_int_equal(read_power(100, 31, &poll), BL_OK);
    assert_int_equal(poll.battery, 100);
    assert_int_equal(poll.link, 31);
    assert_int_equal(read_power(255, 64, &poll), BL_OK);
    assert_int_equal(poll.link, 0); /* a bit of later days */
    assert_int_equal(read_power(101, 0, &poll), BL_CBOR);
    assert_int_equal(read_power(256, 0, &poll), BL_CBOR);
}

static void attributes_become_json(void **state)
{
    const char *texts[] = {"os",   "zephyr 3.7", "site", "M\xC3\xBCnchen",
                           "note", "a\"b\\c"};
    const char *in_order[6];
    struct poll poll;
    char json[POLL_JSON];

    (void)state;
    memcpy(in_order, texts, sizeof texts);
    in_order[2] = texts[4]; /* "note" before "site" */
    in_order[3] = texts[5];
    in_order[4] = texts[2];
    in_order[5] = texts[3];
    assert_int_equal(read_attributes(in_order, 3, &poll), BL_OK);
    assert_true(poll_has(&poll, 18));
    poll_attributes_json(&poll.attributes, json);
    assert_string_equal(json, "{\"os\":\"zephyr 3.7\","
                              "\"note\":\"a\\\"b\\\\c\","
                              "\"site\":\"M\xC3\xBCnchen\"}");
    assert_int_equal(read_attributes(texts, 3, &poll), BL_CBOR);
    assert_int_equal(read_attributes(texts, 0, &poll), BL_OK);
    poll_attributes_json(&poll.attributes, json);
    assert_string_equal(json, "");
}

/* Two digits, and the end of the text. */
static void number(char *out, int i)
{
    out[0] = (char)('0' + i / 10);
    out[1] = (char)('0' + i % 10);
    out[2] = '\0';
}

static void the_longest_attributes_fit_their_json(void **state)
{
    char name[POLL_ATTRIBUTES][POLL_NAME + 1];
    char value[POLL_VALUE + 1];
    const char *texts[2 * POLL_ATTRIBUTES];
    struct poll poll;
    char json[POLL_JSON];

    (void)state;
    memset(value, '"', POLL_VALUE);
    value[POLL_VALUE] = '\0';
    for (int i = 0; i < POLL_ATTRIBUTES; i++) {
        memset(name[i], 'a', POLL_NAME);
        number(name[i] + POLL_NAME - 2, i);
        texts[2 * i] = name[i];
        texts[2 * i + 1] = value;
    }
    assert_int_equal(read_attributes(texts, POLL_ATTRIBUTES, &poll), BL_OK);
    poll_attributes_json(&poll.attributes, json);
    assert_int_equal(json[strlen(json) - 1], '}');
    assert_true(strlen(json) < POLL_JSON);
}

static void a_malformed_attribute_is_named(void **state)
{
    char long_name[POLL_NAME + 2];
    char long_value[POLL_VALUE + 2];

    (void)state;
    memset(long_name, 'x', sizeof long_name);
    long_name[POLL_NAME + 1] = '\0';
    memset(long_value, 'x', sizeof long_value);
    long_value[POLL_VALUE + 1] = '\0';
    expect_fault(long_name, "v", "a name has");
    expect_fault("bad name", "v", "a name has");
    expect_fault("Upper", "v", "a name has");
    expect_fault("<script>", "v", "a name has");
    expect_fault("name", long_value, "at most 64");
    expect_fault("name", "a\nb", "control");
    expect_fault("name", "a\x7F", "control");
    expect_fault("name", "a\xC2\x85", "control");
    expect_fault("name", "a\xC3", "UTF-8");
    expect_fault("a", "twice", "each once");
}

static void too_many_attributes_are_refused(void **state)
{
    char name[POLL_ATTRIBUTES + 1][4];
    const char *texts[2 * (POLL_ATTRIBUTES + 1)];
    struct poll poll;
    char line[POLL_FAULT];

    (void)state;
    for (int i = 0; i <= POLL_ATTRIBUTES; i++) {
        name[i][0] = 'a';
        number(name[i] + 1, i);
        texts[2 * i] = name[i];
        texts[2 * i + 1] = "";
    }
    assert_int_equal(read_attributes(texts, POLL_ATTRIBUTES, &poll), BL_OK);
    assert_int_equal(read_attributes(texts, POLL_ATTRIBUTES + 1, &poll),
                     BL_CBOR);
    poll_fault_text(&poll.fault, line);
    assert_non_null(strstr(line, "at most 16"));
}

static void a_policy_says_only_what_restricts(void **state)
{
    static const uint8_t none[] = {0xA0};
    static const uint8_t all[] = {0xA1, 0x08, 0xA6, 0x01, 0x18, 0x1E,
                                  0x02, 0xF4, 0x03, 0xF4, 0x04, 0xF5,
                                  0x05, 0xF5, 0x06, 0x19, 0x0E, 0x10};
    static const uint8_t forced[] = {0xA1, 0x08, 0xA1, 0x05, 0xF5};
    struct poll_answer a;
    bl_span out;

    (void)state;
    memset(&a, 0, sizeof a);
    assert_int_equal(poll_answer_write(&a, room, sizeof room, &out), BL_OK);
    assert_int_equal(out.n, sizeof none);
    assert_memory_equal(out.p, none, out.n);
    a.policy = (struct poll_policy){30, true, true, true, true, 3600};
    assert_int_equal(poll_answer_write(&a, room, sizeof room, &out), BL_OK);
    assert_int_equal(out.n, sizeof all);
    assert_memory_equal(out.p, all, out.n);
    a.policy = (struct poll_policy){.forced = true};
    assert_int_equal(poll_answer_write(&a, room, sizeof room, &out), BL_OK);
    assert_int_equal(out.n, sizeof forced);
    assert_memory_equal(out.p, forced, out.n);
}

struct end_case {
    uint8_t outcome;
    uint16_t code;
    uint8_t attempts_before;
    uint8_t attempts;
    uint8_t faulted;
    bool quarantined;
};

static void the_end_of_an_offer_counts(void **state)
{
    static const struct end_case cases[] = {
        {BL_STATE_RETURNED, BL_HEALTH, 0, 1, 1, false},
        {BL_STATE_RETURNED, BL_HEALTH, 1, 2, 1, true},
        {BL_STATE_FAILED, BL_PAYLOAD_DIGEST, 1, 2, 1, true},
        {BL_STATE_REFUSED, BL_SIGNATURE, 1, 2, 1, true},
        {BL_STATE_RETURNED, BL_HEALTH, 255, 255, 1, true},
        /* The way was broken: a fault, but not the release's. */
        {BL_STATE_FAILED, BL_ATTEMPTS, 1, 1, 1, false},
        {BL_STATE_REFUSED, BL_TICKET_EXPIRED, 1, 1, 1, false},
        /* An operator wanted it back. */
        {BL_STATE_RETURNED, BL_OPERATOR, 1, 1, 0, false},
        {BL_STATE_DOWNLOADING, BL_OK, 1, 1, 0, false},
    };
    const struct report_retry retry = {2, 1000};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct end_case *e = &cases[i];
        struct device_state s;

        device_state_init(&s);
        s.outcome = e->outcome;
        s.code = e->code;
        s.attempts = e->attempts_before;
        report_end(&s, 5000, &retry);
        assert_int_equal(s.attempts, e->attempts);
        assert_int_equal(s.faulted, e->faulted);
        assert_int_equal(s.quarantined_until, e->quarantined ? 6000 : 0);
        s.outcome = BL_STATE_CONFIRMED;
        report_end(&s, 5001, &retry);
        assert_int_equal(s.attempts, 0);
        assert_int_equal(s.faulted, 0);
        assert_int_equal(s.quarantined_until, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_device_does_not_say_is_unknown),
        cmocka_unit_test(conditions_have_their_bounds),
        cmocka_unit_test(attributes_become_json),
        cmocka_unit_test(the_longest_attributes_fit_their_json),
        cmocka_unit_test(a_malformed_attribute_is_named),
        cmocka_unit_test(too_many_attributes_are_refused),
        cmocka_unit_test(a_policy_says_only_what_restricts),
        cmocka_unit_test(the_end_of_an_offer_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
