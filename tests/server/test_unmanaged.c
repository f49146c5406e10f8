/* SPDX-License-Identifier: Apache-2.0 */
/* Who is kept of the clients that are not ours, and what they say. */
#include "support/cmocka_all.h"

#include "unmanaged.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { PRODUCT = 1, NOW = 1000000000 };

static struct ask named(unsigned i)
{
    struct ask ask = {.client = ASK_ESP32};

    snprintf(ask.key, sizeof ask.key, "mac:%012x", i);
    ask.id[0] = (uint8_t)i;
    ask.id[1] = (uint8_t)(i >> 8);
    return ask;
}

static int take(struct unmanaged_set *set, unsigned i, uint32_t now,
                struct unmanaged *out)
{
    struct ask ask = named(i);

    return unmanaged_take(set, PRODUCT, &ask, now, out);
}

static void a_full_table_keeps_who_was_seen_lately(void **state)
{
    struct unmanaged_set *set = unmanaged_new(10);
    struct unmanaged u;

    (void)state;
    for (unsigned i = 0; i < 10; i++) {
        assert_int_equal(take(set, i, NOW + i, &u), 0);
        assert_int_equal(u.number, i + 1);
    }
    assert_int_equal(take(set, 99, NOW + UNMANAGED_FORGET_S - 1, &u), -1);
    assert_int_equal(u.number, 0);
    assert_int_equal(u.asked, 1);
    assert_int_equal(take(set, 5, NOW + UNMANAGED_FORGET_S - 1, &u), 0);
    assert_int_equal(u.asked, 2);
    /* The first one has been away for long enough. */
    assert_int_equal(take(set, 99, NOW + UNMANAGED_FORGET_S, &u), 0);
    assert_int_equal(u.number, 11);
    assert_int_equal(unmanaged_find(set, 1, &u), -1);
    assert_int_equal(unmanaged_count(set, PRODUCT), 10);
    unmanaged_free(set);
}

static void products_have_rows_of_their_own(void **state)
{
    struct unmanaged_set *set = unmanaged_new(1);
    struct ask ask = named(7);
    struct unmanaged u;

    (void)state;
    assert_int_equal(unmanaged_take(set, 1, &ask, NOW, &u), 0);
    assert_int_equal(unmanaged_take(set, 2, &ask, NOW, &u), 0);
    assert_int_equal(u.number, 2);
    assert_true(unmanaged_known(set, 1, ask.id));
    assert_false(unmanaged_known(set, 3, ask.id));
    unmanaged_free(set);
}

static void downloads_of_one_are_limited(void **state)
{
    struct unmanaged_set *set = unmanaged_new(5);
    struct ask ask = named(1);
    struct ask stranger = named(2);
    struct unmanaged u;

    (void)state;
    take(set, 1, NOW, &u);
    assert_true(unmanaged_begin(set, PRODUCT, ask.id));
    assert_true(unmanaged_begin(set, PRODUCT, ask.id));
    assert_false(unmanaged_begin(set, PRODUCT, ask.id));
    unmanaged_end(set, PRODUCT, ask.id, 0, 10);
    assert_true(unmanaged_begin(set, PRODUCT, ask.id));
    assert_true(unmanaged_begin(set, PRODUCT, stranger.id));
    unmanaged_end(set, PRODUCT, stranger.id, 0, 10);
    unmanaged_free(set);
}

static uint64_t got(struct unmanaged_set *set)
{
    struct unmanaged u;

    assert_int_equal(unmanaged_find(set, 1, &u), 0);
    return u.got_bytes;
}

static void only_what_came_without_a_gap_counts_as_got(void **state)
{
    struct unmanaged_set *set = unmanaged_new(5);
    struct ask ask = named(1);
    struct unmanaged u;

    (void)state;
    take(set, 1, NOW, &u);
    u.restart = true;
    unmanaged_put(set, &u);
    unmanaged_end(set, PRODUCT, ask.id, 0, 60);
    unmanaged_end(set, PRODUCT, ask.id, 0, 50); /* once more, and less */
    assert_int_equal(got(set), 60);
    unmanaged_end(set, PRODUCT, ask.id, 61, 39);
    assert_int_equal(got(set), 60);
    unmanaged_end(set, PRODUCT, ask.id, 40, 30);
    assert_int_equal(got(set), 70);
    u.restart = false;
    unmanaged_put(set, &u); /* goes on */
    assert_int_equal(got(set), 70);
    u.restart = true;
    unmanaged_put(set, &u); /* begins anew */
    assert_int_equal(got(set), 0);
    unmanaged_free(set);
}

static void
what_changed_is_written_once_and_again_after_a_failure(void **state)
{
    struct unmanaged_set *set = unmanaged_new(5);
    struct unmanaged rows[4];
    struct unmanaged u;

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        take(set, i, NOW, &u);
    }
    assert_int_equal(unmanaged_changed(set, rows, 2), 2);
    assert_int_equal(unmanaged_changed(set, rows, 4), 1);
    assert_int_equal(unmanaged_changed(set, rows, 4), 0);
    assert_int_equal(unmanaged_forget(set, 2), 0);
    assert_int_equal(unmanaged_forget(set, 2), -1);
    assert_int_equal(unmanaged_changed(set, rows, 4), 1);
    assert_true(rows[0].gone);
    assert_int_equal(rows[0].number, 2);
    unmanaged_again(set, rows, 1);
    assert_int_equal(unmanaged_changed(set, rows, 4), 1);
    assert_true(rows[0].gone);
    unmanaged_free(set);
}

static void a_walk_sees_each_once(void **state)
{
    struct unmanaged_set *set = unmanaged_new(600);
    struct unmanaged u = {.number = 0};
    uint32_t n = 0;

    (void)state;
    for (unsigned i = 0; i < 600; i++) {
        take(set, i, NOW, &u);
    }
    for (uint32_t i = 2; i <= 600; i += 2) {
        assert_int_equal(unmanaged_forget(set, i), 0);
    }
    u.number = 0;
    while (unmanaged_next(set, u.number, &u)) {
        assert_int_equal(u.number, 2 * n + 1);
        n++;
    }
    assert_int_equal(n, 300);
    assert_false(unmanaged_next(set, UINT32_MAX, &u));
    unmanaged_free(set);
}

/* --- What they say ----------------------------------------------------------
 */

struct said {
    const char *name[6];
    const char *value[6];
    const char *device; /* of the query */
};

static const char *field(void *ctx, const char *name)
{
    const struct said *s = ctx;

    for (int i = 0; i < 6 && s->name[i] != NULL; i++) {
        if (strcasecmp(s->name[i], name) == 0) {
            return s->value[i];
        }
    }
    return NULL;
}

static const char *query(void *ctx, const char *name)
{
    const struct said *s = ctx;

    return strcmp(name, "device") == 0 ? s->device : NULL;
}

static int read_ask(struct said *said, const char *certificate,
                    struct ask *out)
{
    struct ask_source source = {said, field, query, certificate};
    struct error err;

    return ask_read(&source, out, &err);
}

static void the_surest_identity_goes_first(void **state)
{
    struct said s = {{"x-ESP32-STA-MAC", "X-Bowline-Device", "User-Agent"},
                     {"A0-B1-C2-D3-E4-F5", "field", "x (device=agent)"},
                     "query"};
    struct ask ask;

    (void)state;
    assert_int_equal(read_ask(&s, "name", &ask), 0);
    assert_string_equal(ask.key, "cert:name");
    assert_true(ask.certified);
    assert_int_equal(read_ask(&s, NULL, &ask), 0);
    assert_string_equal(ask.key, "device:query");
    s.device = NULL;
    assert_int_equal(read_ask(&s, NULL, &ask), 0);
    assert_string_equal(ask.key, "device:field");
    s.name[1] = "other";
    assert_int_equal(read_ask(&s, NULL, &ask), 0);
    assert_string_equal(ask.key, "mac:a0b1c2d3e4f5");
    s.name[0] = "other";
    assert_int_equal(read_ask(&s, NULL, &ask), 0);
    assert_string_equal(ask.key, "device:agent");
    s.name[2] = "other";
    assert_int_equal(read_ask(&s, NULL, &ask), 0);
    assert_string_equal(ask.key, "");
}

/* Only a certificate gives the id of a registered device. */
static void a_name_is_never_an_id(void **state)
{
    static const char hex[] = "00112233445566778899aabbccddeeff";
    struct said s = {{NULL}, {NULL}, hex};
    struct ask by_name;
    struct ask by_certificate;

    (void)state;
    assert_int_equal(read_ask(&s, NULL, &by_name), 0);
    assert_int_equal(read_ask(&s, hex, &by_certificate), 0);
    assert_int_equal(by_certificate.id[15], 0xFF);
    assert_memory_not_equal(by_name.id, by_certificate.id, 16);
}

static void a_mac_has_one_form(void **state)
{
    static const char *const good[] = {"A0:B1:C2:D3:E4:F5",
                                       "a0-b1-c2-d3-e4-f5", "a0B1c2D3e4F5"};
    static const char *const bad[] = {"",
                                      ":",
                                      "A0:B1:C2:D3:E4",
                                      "A0:B1:C2:D3:E4:F5:",
                                      "A0:B1:C2:D3:E4:F5:00",
                                      ":A0:B1:C2:D3:E4:F5",
                                      "A0::B1:C2:D3:E4:F5",
                                      "A:0B1C2D3E4F5",
                                      "A0:B1:C2:D3:E4:FG",
                                      "00:00:00:00:00:00",
                                      "A0:B1:C2:D3:E4:F\xff"};
    struct said s = {{"x-ESP8266-STA-MAC"}, {NULL}, NULL};
    struct ask ask;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        s.value[0] = good[i];
        assert_int_equal(read_ask(&s, NULL, &ask), 0);
        assert_string_equal(ask.key, "mac:a0b1c2d3e4f5");
        assert_int_equal(ask.client, ASK_ESP8266);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        s.value[0] = bad[i];
        assert_int_equal(read_ask(&s, NULL, &ask), -1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_table_keeps_who_was_seen_lately),
        cmocka_unit_test(products_have_rows_of_their_own),
        cmocka_unit_test(downloads_of_one_are_limited),
        cmocka_unit_test(only_what_came_without_a_gap_counts_as_got),
        cmocka_unit_test(
            what_changed_is_written_once_and_again_after_a_failure),
        cmocka_unit_test(a_walk_sees_each_once),
        cmocka_unit_test(the_surest_identity_goes_first),
        cmocka_unit_test(a_name_is_never_an_id),
        cmocka_unit_test(a_mac_has_one_form),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
