/* SPDX-License-Identifier: Apache-2.0 */
/* Header fields: what two parsers might read differently is refused. */
#include "support/cmocka_all.h"

#include "fields.h"

#include <string.h>

static void add(struct fields *f, const char *name, const char *value)
{
    fields_add(f, name, strlen(name), value, strlen(value));
}

/* The status of a request with up to three fields; 0: taken. */
static int status_of(const char *const field[6], uint64_t *length)
{
    struct fields f = {0};
    int status;

    for (int i = 0; i < 6 && field[i] != NULL; i += 2) {
        add(&f, field[i], field[i + 1]);
    }
    return fields_problem(&f, &status, length) == NULL ? 0 : status;
}

static void what_is_ambiguous_is_refused(void **state)
{
    static const struct {
        const char *field[6];
        int status;
    } row[] = {
        {{"Host", "a", "Content-Length", "12"}, 0},
        {{"host", "a", "HOST", "b"}, 400},
        {{"Content-Length", "12", "content-length", "12"}, 400},
        {{"Authorization", "Bearer a", "authorization", "Bearer b"}, 400},
        {{"Transfer-Encoding", "chunked"}, 411},
        {{"transfer-encoding", "chunked", "Content-Length", "3"}, 400},
        {{"Transfer-Encoding", "a", "Transfer-Encoding", "b"}, 400},
        {{"Content-Length", ""}, 400},
        {{"Content-Length", "+1"}, 400},
        {{"Content-Length", "0x1"}, 400},
        {{"Content-Length", "1234567890123456789"}, 400},
        /* Others of the same lengths are nobody's business. */
        {{"Most", "a", "Most", "b"}, 0},
        {{"Content-Lengts", "a", "Content-Lengts", "b"}, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        uint64_t length;

        assert_int_equal(status_of(row[i].field, &length), row[i].status);
    }
}

static void the_length_is_read(void **state)
{
    const char *const none[6] = {"Host", "a"};
    const char *const most[6] = {"Content-Length", "999999999999999999"};
    uint64_t length = 7;

    (void)state;
    assert_int_equal(status_of(none, &length), 0);
    assert_int_equal(length, 0);
    assert_int_equal(status_of(most, &length), 0);
    assert_true(length == 999999999999999999U);
}

static bool name_char(int c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
           (c >= 'a' && c <= 'z') ||
           (c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static void each_byte_is_judged(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        char text[] = {'a', (char)c, 'b'};
        struct fields name = {0};
        struct fields value = {0};

        fields_add(&name, text, 3, "x", 1);
        assert_int_equal(name.bad, !name_char(c));
        fields_add(&value, "x", 1, text, 3);
        assert_int_equal(value.bad, (c < 0x20 && c != '\t') || c == 0x7F);
    }
}

static void a_field_has_a_name_but_may_lack_a_value(void **state)
{
    struct fields f = {0};

    (void)state;
    fields_add(&f, "X", 1, NULL, 0);
    assert_false(f.bad);
    fields_add(&f, "", 0, "x", 1);
    assert_true(f.bad);
}

static void a_path_is_decoded_and_does_not_end_early(void **state)
{
    static const struct {
        const char *from;
        const char *to;
        bool bad;
    } row[] = {
        {"/a", "/a", false},
        {"/%61%2Fb%2f", "/a/b/", false},
        {"/%", "/%", false},
        {"/%6", "/%6", false},
        {"/%zz%4", "/%zz%4", false},
        {"/%2500", "/%00", false},
        {"/a%00b", "/a\1b", true},
        {"/a%00", "/a\1", true},
        {"/%0A", "/\n", true},
        {"/%09", "/\t", true},
        {"/%7f", "/\x7f", true},
        {"/%C3%A4", "/\xC3\xA4", false},
        {"", "", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        char text[32];

        strcpy(text, row[i].from);
        assert_int_equal(fields_unescape(text), strlen(row[i].to));
        assert_string_equal(text, row[i].to);
        assert_int_equal(fields_path_bad(text), row[i].bad);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_ambiguous_is_refused),
        cmocka_unit_test(the_length_is_read),
        cmocka_unit_test(each_byte_is_judged),
        cmocka_unit_test(a_path_is_decoded_and_does_not_end_early),
        cmocka_unit_test(a_field_has_a_name_but_may_lack_a_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
