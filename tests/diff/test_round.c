/* SPDX-License-Identifier: Apache-2.0 */
/* Thousands of pairs there and back; 10,000 with BOWLINE_LONG. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "round.h"

enum { SHORT = 500, LONG = 10000 };

static void every_pair_comes_back(void **state)
{
    struct round r = {.first = 0,
                      .count = getenv("BOWLINE_LONG") != NULL ? LONG : SHORT};
    struct error error = {0};
    (void)state;
    if (round_all(&r, &error) != 0) {
        fail_msg("%s", error.text);
    }
    print_message("%u pairs: %llu bytes new, patches of %llu\n",
                  (unsigned)r.count, (unsigned long long)r.bytes_new,
                  (unsigned long long)r.bytes_patches);
    /* most of them are later versions of the same program */
    assert_true(r.bytes_patches < r.bytes_new / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_comes_back),
    };
    return cmocka_run_group_tests_name("diff_round", tests, NULL, NULL);
}
