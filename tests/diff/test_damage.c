/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Real patches, damaged: cut at each byte, each bit flipped. Each is refused
 * or gives another image, which its digest tells; every promise of delta.h is
 * looked at by carry.c, and the old image stays as it is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "carry.h"
#include "made.h"

enum { KINDS = 24, SMALL = 2, LARGE = 40, TRIES = 1500 };

struct scene {
    struct made made;
    uint8_t before[MADE_ROOM], again[MADE_ROOM];
    struct buffer patch;
    struct carry carry;
};

static struct scene *scene_open(uint32_t kind, uint32_t functions)
{
    struct scene *s = calloc(1, sizeof *s);
    struct dice d = {kind + 100};
    struct diff_options o;
    struct error error = {0};
    assert_non_null(s);
    made_images(&d, kind, functions, &s->made);
    memcpy(s->before, s->made.old, MADE_ROOM);
    diff_defaults(&o);
    o.effort = 0;
    o.isa = (uint8_t)(kind % BL_DELTA_ISAS);
    s->patch.limit = SIZE_MAX;
    if (diff_make(s->made.old, s->made.old_n, s->made.now, s->made.now_n, &o,
                  &s->patch, NULL, &error) != 0) {
        fail_msg("%s", error.text);
    }
    s->carry.old = s->made.old;
    s->carry.old_n = (uint32_t)s->made.old_n;
    s->carry.now = s->again;
    s->carry.room = MADE_ROOM;
    return s;
}

static void scene_close(struct scene *s)
{
    assert_true(carry_gives(&s->carry, s->patch.p, s->patch.n, s->made.now,
                            s->made.now_n));
    assert_memory_equal(s->before, s->made.old, MADE_ROOM);
    buffer_free(&s->patch);
    free(s);
}

/* Of its own allocation, so that a read behind its end is seen. */
static bool still_gives(struct scene *s, size_t n)
{
    uint8_t *copy = malloc(n + 1);
    assert_non_null(copy);
    memcpy(copy, s->patch.p, n);
    uint8_t *exact = realloc(copy, n > 0 ? n : 1);
    bool gives = carry_gives(&s->carry, exact, n, s->made.now, s->made.now_n);
    free(exact);
    if (s->carry.broken != NULL) {
        fail_msg("%s", s->carry.broken);
    }
    return gives;
}

static void flip(struct scene *s, uint32_t bit)
{
    s->patch.p[bit / 8] ^= (uint8_t)(1U << bit % 8);
}

static void cut_at_each_byte_does_not_give_the_image(void **state)
{
    (void)state;
    for (uint32_t kind = 0; kind < KINDS; kind++) {
        struct scene *s = scene_open(kind, SMALL);
        for (size_t n = 0; n < s->patch.n; n++) {
            assert_false(still_gives(s, n));
        }
        scene_close(s);
    }
}

static void each_bit_flipped_keeps_every_promise(void **state)
{
    (void)state;
    for (uint32_t kind = 0; kind < KINDS; kind++) {
        struct scene *s = scene_open(kind, SMALL);
        for (uint32_t bit = 0; bit < s->patch.n * 8; bit++) {
            flip(s, bit);
            (void)still_gives(s, s->patch.n);
            flip(s, bit);
        }
        scene_close(s);
    }
}

static void larger_patches_in_many_places(void **state)
{
    struct dice d = {5};
    uint32_t tries = getenv("BOWLINE_LONG") != NULL ? TRIES : TRIES / 50;
    (void)state;
    for (uint32_t kind = 0; kind < KINDS; kind++) {
        struct scene *s = scene_open(kind, LARGE);
        for (uint32_t k = 0; k < tries; k++) {
            uint32_t bit = dice_roll(&d, (uint32_t)s->patch.n * 8);
            size_t n = dice_roll(&d, (uint32_t)s->patch.n);
            s->carry.moves = k % 8 == 0;
            flip(s, bit);
            (void)still_gives(s, k % 2 == 0 ? s->patch.n : n);
            flip(s, bit);
        }
        scene_close(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_at_each_byte_does_not_give_the_image),
        cmocka_unit_test(each_bit_flipped_keeps_every_promise),
        cmocka_unit_test(larger_patches_in_many_places),
    };
    return cmocka_run_group_tests_name("diff_damage", tests, NULL, NULL);
}
