/* SPDX-License-Identifier: Apache-2.0 */
/* A patch gives the new image, however it comes. */
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "pair.h"

static struct pair pair;
static struct target target;

static void assert_gives_new(uint32_t portion, bool moved)
{
    assert_int_equal(pair_apply(&pair, portion, moved, &target), BL_OK);
    assert_int_equal(target.now_n, pair.now_n);
    assert_memory_equal(target.now, pair.now, pair.now_n);
}

static void assert_cannot_be(void)
{
    struct bl_costs costs;
    void *memory = malloc(bl_encode_memory(&pair.plan));

    assert_non_null(memory);
    assert_int_equal(
        bl_encode(&pair.plan, memory, pair.patch, sizeof pair.patch, &costs),
        BL_ARGUMENT);
    free(memory);
}

static void each_instruction_set_whole_and_in_portions(void **state)
{
    uint32_t isa;

    (void)state;
    for (isa = 0; isa < BL_DELTA_ISAS; isa++) {
        if ((bl_delta_isas() >> isa & 1) == 0) {
            continue;
        }
        pair_make(&pair, isa, 100 + isa);
        pair_encode(&pair);
        assert_gives_new(PAIR_PATCH, false);
        assert_gives_new(1, false);
        assert_gives_new(0, false);
    }
}

static void moved_references_cost_nearly_nothing(void **state)
{
    uint32_t isa;
    uint32_t with;

    (void)state;
    for (isa = 0; isa < BL_DELTA_ISAS; isa++) {
        if ((bl_delta_isas() >> isa & 1) == 0) {
            continue;
        }
        pair_make(&pair, isa, 200 + isa);
        pair_encode(&pair);
        /* 64 random bytes are put in: they can not be had for less */
        with = pair.patch_n;
        assert_in_range(with, PAIR_MORE, PAIR_MORE + 100);
        pair.plan.map_n = 0;
        pair.plan.old.regions_n = pair.plan.now.regions_n = 0;
        pair_encode(&pair);
        /* random bytes are hardly ever references of A64 and x86-64 */
        assert_true(isa >= BL_DELTA_AARCH64 || pair.patch_n > with + 16);
        assert_gives_new(0, false);
    }
}

static void goes_on_from_kept_memory_at_each_call(void **state)
{
    uint32_t isa;

    (void)state;
    for (isa = 0; isa < BL_DELTA_ISAS; isa++) {
        if ((bl_delta_isas() >> isa & 1) != 0) {
            pair_make(&pair, isa, 300 + isa);
            pair_encode(&pair);
            assert_gives_new(1, true);
        }
    }
    pair_make_esp(&pair);
    pair_encode(&pair);
    assert_gives_new(1, true);
}

/* What stood before is copied, also where it overlaps itself, and costs less
 * than the bytes. */
static void what_stands_in_the_new_image_is_not_said_again(void **state)
{
    static const uint32_t aparts[] = {1, 3, 32, 1000};
    uint32_t plain;
    uint32_t k;
    uint32_t i;

    (void)state;
    for (i = 0; i < sizeof aparts / sizeof aparts[0]; i++) {
        pair_make(&pair, BL_DELTA_THUMB, 700);
        for (k = PAIR_AT + 4; k < PAIR_AT + PAIR_MORE; k++) {
            pair.now[k] = pair.now[k - aparts[i]];
        }
        pair_encode(&pair);
        plain = pair.patch_n;
        memmove(pair.operations + 3, pair.operations + 2,
                sizeof pair.operations[0]);
        pair.operations[1].length = 4;
        pair.operations[2].length = PAIR_MORE - 4;
        pair.operations[2].old = BL_AGAIN(aparts[i]);
        pair.plan.operations_n = 4;
        pair_encode(&pair);
        assert_true(pair.patch_n < plain);
        assert_gives_new(1, false);
        assert_gives_new(0, true);
        pair.operations[2].old = BL_AGAIN(PAIR_AT + 5);
        assert_cannot_be();
    }
}

static void an_esp_tail_is_recomputed(void **state)
{
    uint32_t with;

    (void)state;
    pair_make_esp(&pair);
    pair_encode(&pair);
    with = pair.patch_n;
    assert_gives_new(0, false);
    pair.plan.settings.esp_tail = false;
    pair_encode(&pair);
    assert_gives_new(0, false);
    assert_true(pair.patch_n >= with + 33);
}

static void a_wrong_esp_tail_is_sent(void **state)
{
    (void)state;
    pair_make_esp(&pair);
    pair.now[pair.now_n - 21] ^= 1;
    pair_encode(&pair);
    assert_gives_new(0, false);
    pair.now[pair.now_n - 20 - 33] ^= 1;
    pair_encode(&pair);
    assert_gives_new(0, false);
}

static void identical_images_cost_less_than_24_bytes(void **state)
{
    (void)state;
    pair_make(&pair, BL_DELTA_THUMB, 400);
    memcpy(pair.now, pair.old, PAIR_SIZE);
    pair.plan.now.size = pair.now_n = PAIR_SIZE;
    pair.plan.old.regions_n = pair.plan.now.regions_n = 0;
    pair.plan.code.rams = 0;
    pair.plan.map_n = 0;
    pair.plan.settings.table = 0;
    pair.operations[0].length = PAIR_SIZE;
    pair.plan.operations_n = 1;
    pair_encode(&pair);
    assert_true(pair.patch_n < 24);
    assert_gives_new(1, false);
    /* one byte: the changed one and 20 more */
    pair.now[1234] ^= 0x40;
    pair_encode(&pair);
    assert_true(pair.patch_n <= 1 + 20 + 4);
    assert_gives_new(1, false);
}

static void all_settings_of_memory_give_the_same_image(void **state)
{
    uint32_t table;

    (void)state;
    pair_make(&pair, BL_DELTA_RISCV, 500);
    for (table = 0; table <= 15; table++) {
        pair.plan.settings.table = (uint8_t)table;
        pair_encode(&pair);
        assert_gives_new(0, true);
    }
}

static void the_usual_memory_holds_a_map_of_250(void **state)
{
    struct bl_plan plan;

    (void)state;
    pair_make(&pair, BL_DELTA_THUMB, 600);
    plan = pair.plan;
    plan.settings.table = 5;
    plan.map_n = 250;
    plan.ram_map_n = 32;
    assert_true(bl_encode_ram(&plan) <= 12288);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_instruction_set_whole_and_in_portions),
        cmocka_unit_test(moved_references_cost_nearly_nothing),
        cmocka_unit_test(goes_on_from_kept_memory_at_each_call),
        cmocka_unit_test(what_stands_in_the_new_image_is_not_said_again),
        cmocka_unit_test(an_esp_tail_is_recomputed),
        cmocka_unit_test(a_wrong_esp_tail_is_sent),
        cmocka_unit_test(identical_images_cost_less_than_24_bytes),
        cmocka_unit_test(all_settings_of_memory_give_the_same_image),
        cmocka_unit_test(the_usual_memory_holds_a_map_of_250),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
