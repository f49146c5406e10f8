/* SPDX-License-Identifier: Apache-2.0 */
/* Which addresses of payloads stay below the server's own. */
#include "support/cmocka_all.h"

#include <string.h>

#include "bowline/client.h"

static bool below(const char *uri)
{
    return bl_client_uri_below(bl_span_of(uri, strlen(uri)));
}

static void paths_are_below(void **state)
{
    static const char *const good[] = {
        "payloads/00ff", "a", "a/b/c", "firmware-1.2_x.bin", "a.b/c.d", "a/b/",
    };
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        if (!below(good[i])) {
            fail_msg("%s", good[i]);
        }
    }
}

static void all_else_is_not(void **state)
{
    static const char *const bad[] = {
        "",          "/a",   "a//b", "..",        ".a",       "a/../b",
        "a/.b",      "a..b", "a?b",  "https://x", "//x",      "a b",
        "a\\b",      "a%2e", "a#b",  "a:b",       "a@b",      "user@x/a",
        "a\r\nX: y", "a\n",  "a/..", "./a",       "\xC3\xA4",
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (below(bad[i])) {
            fail_msg("%s", bad[i]);
        }
    }
    assert_false(bl_client_uri_below(bl_span_of("a\0b", 3)));
    assert_false(bl_client_uri_below(bl_span_of(NULL, 0)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_below),
        cmocka_unit_test(all_else_is_not),
    };
    return cmocka_run_group_tests_name("uri", tests, NULL, NULL);
}
