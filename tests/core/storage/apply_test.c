/* SPDX-License-Identifier: Apache-2.0 */
/* x-apply's half of an installation, with real patches and the real decoder.
 * Power cuts: sim/powercut, "patched". */
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "diff/diff.h"

enum { OLD = 5100, NEW = 5000, RAM = 8192 };

static const uint8_t manifest[32] = {1, 2, 3};
static uint8_t old[OLD];
static uint8_t new[NEW];
static uint8_t old_digest[32];
static uint8_t digest[32];
static struct buffer patch = BUFFER(1 << 16);
static uint64_t memory[RAM / sizeof(uint64_t)];

struct bench {
    struct rig rig;
    struct bl_state state;
    struct bl_install install;
    struct bl_suit_apply apply;
    struct bl_workspace space;
    unsigned breaths;
};

static void breathe(void *ctx)
{
    struct bench *b = ctx;

    b->breaths++;
}

static uint8_t *area(struct bench *b, const struct bl_area *a)
{
    return b->rig.sim.bytes + a->offset;
}

static bool claim(struct bench *b)
{
    bool resumed = false;

    assert_int_equal(bl_install_open(&b->install, &b->rig.layout, &b->state, 1,
                                     manifest, 9, 1, false, b->rig.io, RIG_IO,
                                     &resumed),
                     BL_OK);
    return resumed;
}

/* The old image runs in slot A, the patch lies in the stage. */
static void bench_open(struct bench *b, int g)
{
    static const uint32_t ram = RAM;

    memset(b, 0, sizeof *b);
    rig_open(&b->rig, g);
    b->state = rig_state();
    (void)claim(b);
    memcpy(area(b, &b->rig.component[0].area[0]), old, OLD);
    memcpy(area(b, &b->rig.component[2].area[0]), patch.p, patch.n);
    b->apply.component = rig_app;
    b->apply.size = NEW;
    b->apply.digest = digest;
    b->apply.patch = rig_stage;
    b->apply.patch_size = (uint32_t)patch.n;
    b->apply.base = rig_active;
    b->apply.base_size = OLD;
    b->apply.base_digest = old_digest;
    b->space.memory = memory;
    b->space.size = ram;
    b->space.busy = breathe;
    b->space.ctx = b;
}

static void bench_close(struct bench *b)
{
    assert_null(b->rig.sim.breach);
    rig_close(&b->rig);
}

static bl_status apply(struct bench *b)
{
    return bl_install_apply(&b->install, &b->apply, &b->space);
}

static void assert_built(struct bench *b)
{
    assert_memory_equal(area(b, &b->rig.component[0].area[1]), new, NEW);
    assert_int_equal(b->install.verified_size, NEW);
    assert_memory_equal(b->install.verified_digest, digest, 32);
    assert_true(bl_span_equal(b->install.verified_id, rig_app));
}

/* --- Built ----------------------------------------------------------------
 */

static void image_is_built_on_every_kind_of_flash(void **unused)
{
    struct bench b;

    (void)unused;
    for (int g = 0; g < RIG_GEOMETRIES; g++) {
        bench_open(&b, g);
        assert_int_equal(apply(&b), BL_OK);
        assert_built(&b);
        assert_true(b.breaths > 1);
        /* once more, as after a cut behind its end: nothing is written */
        assert_int_equal(apply(&b), BL_OK);
        assert_built(&b);
        bench_close(&b);
    }
}

/* As a power cut leaves it, after `n` bytes of `content`. */
static void leave_half(struct bench *b, const uint8_t *content, uint32_t n)
{
    uint32_t offset = 1;

    assert_int_equal(
        bl_install_begin(&b->install, rig_app, NEW, digest, &offset), BL_OK);
    assert_int_equal(offset, 0);
    assert_int_equal(bl_install_data(&b->install, content, n), BL_OK);
    assert_true(claim(b));
}

static void image_goes_on_where_it_was(void **unused)
{
    static const uint32_t lengths[] = {1, 600, 4096, 4099, NEW - 1};
    struct bench b;

    (void)unused;
    for (int g = 0; g < RIG_GEOMETRIES; g++) {
        for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
            bench_open(&b, g);
            leave_half(&b, new, lengths[i]);
            assert_int_equal(apply(&b), BL_OK);
            assert_built(&b);
            bench_close(&b);
        }
    }
}

static void what_was_there_and_is_anothers_is_built_anew(void **unused)
{
    struct bench b;

    (void)unused;
    for (int g = 0; g < RIG_GEOMETRIES; g++) {
        bench_open(&b, g);
        leave_half(&b, old, 4500);
        assert_int_equal(apply(&b), BL_OK);
        assert_built(&b);
        bench_close(&b);
    }
}

/* --- Refused --------------------------------------------------------------
 */

typedef void (*spoil)(struct bench *b);

static void expect(spoil how, bl_status status)
{
    struct bench b;

    bench_open(&b, 0);
    how(&b);
    assert_int_equal(apply(&b), status);
    assert_true(b.install.verified_id.p == NULL ||
                memcmp(b.install.verified_digest, b.apply.digest, 32) != 0);
    bench_close(&b);
}

static uint8_t other[32];

static void base_of_another_size(struct bench *b)
{
    b->apply.base_size--;
}

static void base_of_another_digest(struct bench *b)
{
    b->apply.base_digest = other;
}

static void image_of_another_size(struct bench *b)
{
    b->apply.size--;
}

static void image_of_another_digest(struct bench *b)
{
    b->apply.digest = other;
}

/* The head only says the first bytes of it. */
static void image_of_nearly_the_digest(struct bench *b)
{
    memcpy(other, digest, sizeof other);
    other[31] ^= 1;
    b->apply.digest = other;
}

static void patch_without_its_end(struct bench *b)
{
    b->apply.patch_size /= 2;
}

static void patch_without_its_head(struct bench *b)
{
    b->apply.patch_size = 3;
}

static void patch_with_more_behind(struct bench *b)
{
    b->apply.patch_size += 300;
}

static void no_patch_at_all(struct bench *b)
{
    memset(area(b, &b->rig.component[2].area[0]), 0xFF, patch.n);
}

static void too_little_memory(struct bench *b)
{
    b->space.size = 2048;
}

static void patch_larger_than_the_stage(struct bench *b)
{
    b->apply.patch_size = b->rig.component[2].area[0].size + 1;
}

static void base_larger_than_its_slot(struct bench *b)
{
    b->apply.base_size = b->rig.component[0].area[0].size + 1;
}

static void image_larger_than_its_slot(struct bench *b)
{
    b->apply.size = b->rig.component[0].area[1].size + 1;
}

static void target_that_may_not_be_written(struct bench *b)
{
    b->apply.component = rig_active;
}

static void base_that_is_nowhere(struct bench *b)
{
    b->apply.base = bl_span_of("\x80", 1);
}

static void what_does_not_fit_is_refused(void **unused)
{
    (void)unused;
    expect(base_of_another_size, BL_DELTA_BASE);
    expect(base_of_another_digest, BL_DELTA_BASE);
    expect(image_of_another_size, BL_DELTA_FORMAT);
    expect(image_of_another_digest, BL_DELTA_FORMAT);
    expect(image_of_nearly_the_digest, BL_PAYLOAD_DIGEST);
    expect(patch_without_its_head, BL_DELTA_FORMAT);
    expect(patch_with_more_behind, BL_DELTA_FORMAT);
    expect(no_patch_at_all, BL_DELTA_FORMAT);
    expect(too_little_memory, BL_DELTA_RAM);
    expect(patch_larger_than_the_stage, BL_NO_SPACE);
    expect(base_larger_than_its_slot, BL_NO_SPACE);
    expect(image_larger_than_its_slot, BL_NO_SPACE);
    expect(target_that_may_not_be_written, BL_COMPONENT_FORBIDDEN);
    expect(base_that_is_nowhere, BL_COMPONENT);
}

static void damage_never_gives_an_image(void **unused)
{
    struct bench b;
    bl_status status;

    (void)unused;
    for (size_t i = 0; i < patch.n; i++) {
        bench_open(&b, 1);
        area(&b, &b.rig.component[2].area[0])[i] ^= (uint8_t)(1 << i % 8);
        status = apply(&b);
        /* Some bits of a patch may stand for nothing. */
        assert_true(status != BL_OK ||
                    memcmp(area(&b, &b.rig.component[0].area[1]), new, NEW) ==
                        0);
        assert_true(status == BL_OK || b.install.verified_id.p == NULL ||
                    memcmp(b.install.verified_digest, digest, 32) != 0);
        bench_close(&b);
    }
    bench_open(&b, 1);
    patch_without_its_end(&b);
    assert_int_not_equal(apply(&b), BL_OK);
    bench_close(&b);
}

static void changed_base_never_gives_an_image(void **unused)
{
    struct bench b;

    (void)unused;
    for (uint32_t i = 0; i < OLD; i += 97) {
        bench_open(&b, 3);
        area(&b, &b.rig.component[0].area[0])[i] ^= 0x20;
        /* what was cut out of the new image does not matter */
        assert_true(apply(&b) != BL_OK ||
                    memcmp(area(&b, &b.rig.component[0].area[1]), new, NEW) ==
                        0);
        bench_close(&b);
    }
}

static int make(void **unused)
{
    struct diff_options options;
    struct error error;
    struct rig rig;

    (void)unused;
    rig_open(&rig, 0);
    rig_payload(&rig, 2, old, OLD);
    rig_close(&rig);
    memcpy(new, old, 2000);
    memcpy(new + 2000, old + 2100, NEW - 2000);
    for (uint32_t i = 50; i < NEW; i += 170) {
        new[i] = (uint8_t)(new[i] + 3);
    }
    bl_sha256(old, OLD, old_digest);
    bl_sha256(new, NEW, digest);
    diff_defaults(&options);
    options.ram = RAM;
    return diff_make(old, OLD, new, NEW, &options, &patch, NULL, &error);
}

static int clean(void **unused)
{
    (void)unused;
    buffer_free(&patch);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(image_is_built_on_every_kind_of_flash),
        cmocka_unit_test(image_goes_on_where_it_was),
        cmocka_unit_test(what_was_there_and_is_anothers_is_built_anew),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(damage_never_gives_an_image),
        cmocka_unit_test(changed_base_never_gives_an_image),
    };

    return cmocka_run_group_tests(tests, make, clean);
}
