/* SPDX-License-Identifier: Apache-2.0 */
/* What is no patch, or a broken one: refused, or another image; never an
 * access outside the images, nor a call that does not end. */
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "pair.h"

static struct pair pair;
static struct target target;

static void use_old(void)
{
    target.old = pair.old;
    target.old_n = pair.old_n;
    target.fails = BL_OK;
}

static bool gives_new(bl_status status)
{
    return status == BL_OK && target.now_n == pair.now_n &&
           memcmp(target.now, pair.now, pair.now_n) == 0;
}

/* A patch of its own allocation, so that a read behind it is seen. */
static bl_status apply(const uint8_t *patch, size_t n)
{
    uint8_t *copy = malloc(n > 0 ? n : 1);
    bl_status status;

    assert_non_null(copy);
    memcpy(copy, patch, n);
    status = patch_apply(copy, n, 16, false, &target);
    free(copy);
    return status;
}

static void truncated_at_each_byte_does_not_give_the_image(void **state)
{
    uint32_t isa;
    uint32_t n;

    (void)state;
    for (isa = 0; isa < BL_DELTA_ISAS; isa++) {
        if ((bl_delta_isas() >> isa & 1) == 0) {
            continue;
        }
        pair_make(&pair, isa, 10 + isa);
        pair_encode(&pair);
        use_old();
        for (n = 0; n < pair.patch_n; n++) {
            assert_false(gives_new(apply(pair.patch, n)));
        }
        assert_true(gives_new(apply(pair.patch, n)));
    }
}

static void half_a_patch_ends_before_the_image_is_whole(void **state)
{
    (void)state;
    pair_make(&pair, BL_DELTA_THUMB, 20);
    pair_encode(&pair);
    use_old();
    assert_int_equal(apply(pair.patch, pair.patch_n / 2), BL_DELTA_FORMAT);
}

static void a_longer_patch_is_refused(void **state)
{
    static uint8_t longer[PAIR_PATCH + 300];
    uint32_t more;

    (void)state;
    pair_make(&pair, BL_DELTA_XTENSA, 21);
    pair_encode(&pair);
    use_old();
    memset(longer, 0, sizeof longer);
    memcpy(longer, pair.patch, pair.patch_n);
    for (more = 1; more < 300; more += more < 10 ? 1 : 97) {
        assert_int_equal(apply(longer, pair.patch_n + more), BL_DELTA_FORMAT);
    }
}

static void each_bit_flipped(const char *what)
{
    uint32_t bit;

    (void)what;
    use_old();
    for (bit = 0; bit < pair.patch_n * 8; bit++) {
        pair.patch[bit / 8] ^= (uint8_t)(1U << bit % 8);
        (void)apply(pair.patch, pair.patch_n);
        pair.patch[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    assert_true(gives_new(apply(pair.patch, pair.patch_n)));
}

static void each_bit_flipped_stays_in_bounds(void **state)
{
    uint32_t isa;

    (void)state;
    for (isa = 0; isa < BL_DELTA_ISAS; isa++) {
        if ((bl_delta_isas() >> isa & 1) != 0) {
            pair_make(&pair, isa, 30 + isa);
            pair_encode(&pair);
            each_bit_flipped("code");
        }
    }
    pair_make_esp(&pair);
    pair_encode(&pair);
    each_bit_flipped("esp");
}

/* A good head and any bytes behind it. */
static void noise_behind_a_head_stays_in_bounds(void **state)
{
    struct bl_delta_info info;
    uint32_t seed = 1;
    uint32_t round;
    uint32_t i;

    (void)state;
    for (round = 0; round < 400; round++) {
        if (round % 5 == 4) {
            pair_make_esp(&pair);
        } else {
            pair_make(&pair, round % 4, round);
        }
        pair_encode(&pair);
        use_old();
        assert_int_equal(bl_delta_head(pair.patch, pair.patch_n, &info),
                         BL_OK);
        for (i = info.n + round % 24; i < pair.patch_n; i++) {
            pair.patch[i] = (uint8_t)(pair_random(&seed) % (1 + round % 256));
        }
        (void)apply(pair.patch, pair.patch_n);
    }
}

static void each_head_byte_of_any_value(void **state)
{
    uint8_t kept;
    uint32_t i;
    uint32_t value;

    (void)state;
    pair_make(&pair, BL_DELTA_RISCV, 50);
    pair_encode(&pair);
    use_old();
    for (i = 0; i < 12; i++) {
        kept = pair.patch[i];
        for (value = 0; value < 256; value++) {
            pair.patch[i] = (uint8_t)value;
            (void)apply(pair.patch, pair.patch_n);
        }
        pair.patch[i] = kept;
    }
}

static void what_is_no_head_is_told_apart(void **state)
{
    struct bl_delta_info info;
    uint8_t head[BL_DELTA_HEAD] = {0};
    uint32_t n;

    (void)state;
    pair_make(&pair, BL_DELTA_THUMB, 60);
    pair_encode(&pair);
    assert_int_equal(bl_delta_head(head, sizeof head, &info), BL_DELTA_FORMAT);
    assert_int_equal(bl_delta_head(pair.patch, pair.patch_n, &info), BL_OK);
    for (n = 0; n < info.n; n++) {
        assert_int_equal(bl_delta_head(pair.patch, n, &info), BL_BUFFER);
    }
    memcpy(head, pair.patch, sizeof head);
    head[0] = 0xBF; /* an instruction set of later */
    assert_int_equal(bl_delta_head(head, sizeof head, &info), BL_DELTA);
    head[0] = 0xC0;
    assert_int_equal(bl_delta_head(head, sizeof head, &info), BL_DELTA_FORMAT);
    head[0] = pair.patch[0];
    head[1] |= 0x80; /* a flag of later */
    head[2] = 0x10;
    assert_int_equal(bl_delta_head(head, sizeof head, &info), BL_DELTA);
}

static void limits_are_kept(void **state)
{
    static uint64_t memory[4096];
    struct bl_delta_io io = target_io(&target);
    struct bl_delta_info info;
    struct bl_delta *d;

    (void)state;
    pair_make(&pair, BL_DELTA_THUMB, 61);
    pair_encode(&pair);
    assert_int_equal(bl_delta_head(pair.patch, pair.patch_n, &info), BL_OK);
    assert_int_equal(bl_delta_start(&info, &io, PAIR_ROOM, PAIR_ROOM, memory,
                                    info.ram - 1, &d),
                     BL_DELTA_RAM);
    assert_int_equal(bl_delta_start(&info, &io, info.old_size - 1, PAIR_ROOM,
                                    memory, sizeof memory, &d),
                     BL_NO_SPACE);
    assert_int_equal(bl_delta_start(&info, &io, PAIR_ROOM, info.new_size - 1,
                                    memory, sizeof memory, &d),
                     BL_NO_SPACE);
}

static void a_failed_read_is_returned(void **state)
{
    (void)state;
    pair_make(&pair, BL_DELTA_THUMB, 62);
    pair_encode(&pair);
    use_old();
    target.fails = BL_FLASH;
    assert_int_equal(apply(pair.patch, pair.patch_n), BL_FLASH);
    target.fails = BL_OK;
}

static void kept_by_another_build_is_refused(void **state)
{
    static uint64_t memory[4096];
    struct bl_delta_io io = target_io(&target);
    struct bl_delta_info info;
    struct bl_delta *d;

    (void)state;
    pair_make(&pair, BL_DELTA_THUMB, 63);
    pair_encode(&pair);
    assert_int_equal(bl_delta_head(pair.patch, pair.patch_n, &info), BL_OK);
    assert_int_equal(bl_delta_start(&info, &io, PAIR_ROOM, PAIR_ROOM, memory,
                                    sizeof memory, &d),
                     BL_OK);
    assert_int_equal(bl_delta_resume(memory, 8, &io, &d), BL_DELTA_FORMAT);
    memory[0] ^= 1;
    assert_int_equal(bl_delta_resume(memory, sizeof memory, &io, &d),
                     BL_DELTA_FORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(truncated_at_each_byte_does_not_give_the_image),
        cmocka_unit_test(half_a_patch_ends_before_the_image_is_whole),
        cmocka_unit_test(a_longer_patch_is_refused),
        cmocka_unit_test(each_bit_flipped_stays_in_bounds),
        cmocka_unit_test(noise_behind_a_head_stays_in_bounds),
        cmocka_unit_test(each_head_byte_of_any_value),
        cmocka_unit_test(what_is_no_head_is_told_apart),
        cmocka_unit_test(limits_are_kept),
        cmocka_unit_test(a_failed_read_is_returned),
        cmocka_unit_test(kept_by_another_build_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
