/* SPDX-License-Identifier: Apache-2.0 */
/* The hub of notices, without a network. */
#include "support/cmocka_all.h"

#include "stream.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int woken;

static void wake(void *ctx)
{
    (void)ctx;
    woken++;
}

static const struct stream_filter all = {NULL, 0, NULL};

/* Everything that is there, as text. */
static const char *read_all(struct stream_listener *l, size_t piece)
{
    static char text[1 << 20];
    size_t n = 0;
    size_t got;

    while ((got = stream_read(l, (uint8_t *)text + n, piece)) > 0) {
        n += got;
        assert_true(n + piece < sizeof text);
    }
    text[n] = '\0';
    return text;
}

static int count(const char *text, const char *what)
{
    int n = 0;

    while ((text = strstr(text, what)) != NULL) {
        text++;
        n++;
    }
    return n;
}

static void say(struct stream *s, int rollout)
{
    stream_publish(s, "rollout", json_pack("{s:i}", "id", rollout));
}

static void every_piece_size_gives_the_same_text(void **state)
{
    struct stream *s = stream_new(wake);
    char first[512];

    (void)state;
    for (size_t piece = 1; piece < 200; piece += 33) {
        struct stream_listener *l = stream_join(s, &all, NULL);
        const char *text;

        read_all(l, piece);
        say(s, 7);
        text = strstr(read_all(l, piece), "event:");
        if (piece == 1) {
            snprintf(first, sizeof first, "%s", text);
            assert_string_equal(text, "event: rollout\ndata: {\"id\":7}\n\n");
        }
        assert_string_equal(text, first);
        stream_leave(l);
    }
    stream_free(s);
}

static void who_falls_behind_the_ring_gets_one_reset(void **state)
{
    struct stream *s = stream_new(wake);
    struct stream_listener *l = stream_join(s, &all, NULL);
    const char *text;

    (void)state;
    for (int i = 0; i < STREAM_RING; i++) {
        say(s, 1);
    }
    text = read_all(l, 4096);
    assert_int_equal(count(text, "event: rollout"), STREAM_RING);
    assert_int_equal(count(text, "event: reset"), 0);
    for (int i = 0; i < STREAM_RING + 1; i++) {
        say(s, 1);
    }
    text = read_all(l, 4096);
    assert_int_equal(count(text, "event: rollout"), 0);
    assert_int_equal(count(text, "event: reset"), 1);
    say(s, 1);
    assert_int_equal(count(read_all(l, 4096), "event: rollout"), 1);
    stream_leave(l);
    stream_free(s);
}

static void fleet_is_told_once_a_tick(void **state)
{
    struct stream *s = stream_new(wake);
    struct stream_listener *l = stream_join(s, &all, NULL);

    (void)state;
    for (int i = 0; i < 1000; i++) {
        stream_fleet(s);
    }
    assert_int_equal(count(read_all(l, 4096), "fleet"), 0);
    stream_tick(s, 1);
    stream_tick(s, 2);
    assert_int_equal(count(read_all(l, 4096), "event: fleet"), 1);
    stream_leave(l);
    stream_free(s);
}

static void what_is_told_while_nobody_is_there_makes_a_reset(void **state)
{
    struct stream *s = stream_new(wake);
    struct stream_listener *l = stream_join(s, &all, NULL);
    struct stream_filter again = {NULL, 0, NULL};
    uint64_t id = 0;
    char text[32];

    (void)state;
    say(s, 1);
    assert_int_equal(
        sscanf(strstr(read_all(l, 4096), "id: "), "id: %" SCNu64, &id), 1);
    snprintf(text, sizeof text, "%" PRIu64, id);
    again.last_id = text;
    stream_leave(l);
    l = stream_join(s, &again, NULL);
    assert_int_equal(count(read_all(l, 4096), "event:"), 0);
    stream_leave(l);
    stream_tick(s, UINT32_MAX); /* long after */
    say(s, 2);
    l = stream_join(s, &again, NULL);
    assert_int_equal(count(read_all(l, 4096), "event: reset"), 1);
    stream_leave(l);
    stream_free(s);
}

static void a_notice_that_is_too_long_makes_a_reset(void **state)
{
    struct stream *s = stream_new(wake);
    struct stream_listener *l = stream_join(s, &all, NULL);
    char big[STREAM_TEXT];

    (void)state;
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    stream_publish(s, "release", json_pack("{s:s}", "version", big));
    assert_int_equal(count(read_all(l, 4096), "event: reset"), 1);
    stream_leave(l);
    stream_free(s);
}

static void devices_reach_only_their_listeners(void **state)
{
    const uint8_t mine[16] = {1};
    const uint8_t other[16] = {2};
    struct stream_filter filter = {mine, 0, NULL};
    struct stream *s = stream_new(wake);
    struct stream_listener *first = stream_join(s, &filter, NULL);
    struct stream_listener *second = stream_join(s, &filter, NULL);
    struct stream_listener *none = stream_join(s, &all, NULL);

    (void)state;
    read_all(first, 4096);
    woken = 0;
    stream_device(s, other);
    assert_int_equal(woken, 0);
    stream_device(s, mine);
    stream_device(s, mine);
    assert_int_equal(woken, 2);
    assert_int_equal(count(read_all(first, 4096), "event: device"), 1);
    assert_int_equal(count(read_all(none, 4096), "event: device"), 0);
    stream_leave(first);
    stream_device(s, mine);
    assert_int_equal(count(read_all(second, 4096), "event: device"), 1);
    stream_leave(none);
    stream_leave(second);
    assert_int_equal(stream_listeners(s), 0);
    stream_free(s);
}

static void who_is_quiet_gets_a_beat(void **state)
{
    struct stream *s = stream_new(wake);
    struct stream_listener *l;

    (void)state;
    stream_tick(s, 1000);
    l = stream_join(s, &all, NULL);
    read_all(l, 4096);
    stream_tick(s, 1000 + STREAM_BEAT_S - 1);
    assert_string_equal(read_all(l, 4096), "");
    stream_tick(s, 1000 + STREAM_BEAT_S);
    assert_string_equal(read_all(l, 4096), ":\n\n");
    assert_string_equal(read_all(l, 4096), "");
    stream_leave(l);
    stream_free(s);
}

static void without_a_hub_nothing_is_told(void **state)
{
    const uint8_t id[16] = {0};

    (void)state;
    stream_publish(NULL, "audit", json_object());
    stream_fleet(NULL);
    stream_device(NULL, id);
    assert_int_equal(stream_listeners(NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_piece_size_gives_the_same_text),
        cmocka_unit_test(who_falls_behind_the_ring_gets_one_reset),
        cmocka_unit_test(fleet_is_told_once_a_tick),
        cmocka_unit_test(what_is_told_while_nobody_is_there_makes_a_reset),
        cmocka_unit_test(a_notice_that_is_too_long_makes_a_reset),
        cmocka_unit_test(devices_reach_only_their_listeners),
        cmocka_unit_test(who_is_quiet_gets_a_beat),
        cmocka_unit_test(without_a_hub_nothing_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
