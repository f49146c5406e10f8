/* SPDX-License-Identifier: Apache-2.0 */
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { MAX = 40960 };

static const uint8_t manifest[32] = {1, 2, 3};
static uint8_t payload[MAX];
static uint8_t digest[32];

/* A rig, its state, and one payload of the application. */
struct bench {
    struct rig rig;
    struct bl_state state;
    struct bl_install install;
    uint32_t size;
};

static void bench_open(struct bench *b, int g, uint32_t seed)
{
    rig_open(&b->rig, g);
    b->state = rig_state();
    b->size = b->rig.component[0].area[1].size - 77;
    assert_true(b->size <= MAX);
    rig_payload(&b->rig, seed, payload, b->size);
    bl_sha256(payload, b->size, digest);
}

static void bench_close(struct bench *b)
{
    assert_null(b->rig.sim.breach);
    assert_int_equal(b->rig.sim.faint_writes, 0);
    rig_close(&b->rig);
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

static uint32_t begin(struct bench *b)
{
    uint32_t offset = 0xFFFFFFFF;

    assert_int_equal(
        bl_install_begin(&b->install, rig_app, b->size, digest, &offset),
        BL_OK);
    return offset;
}

/* Bytes `from` up to `to` in portions of `step`. */
static void feed(struct bench *b, uint32_t from, uint32_t to, uint32_t step)
{
    while (from < to) {
        uint32_t n = to - from < step ? to - from : step;

        assert_int_equal(bl_install_data(&b->install, payload + from, n),
                         BL_OK);
        from += n;
    }
}

static const uint8_t *in_flash(const struct bench *b)
{
    return b->rig.sim.bytes + b->rig.component[0].area[1].offset;
}

static void assert_installed(struct bench *b)
{
    const uint8_t *p = in_flash(b);

    assert_memory_equal(p, payload, b->size);
    for (uint32_t i = b->size; i < b->rig.component[0].area[1].size; i++) {
        assert_int_equal(p[i], b->rig.sim.flash.erased);
    }
    assert_int_equal(b->install.verified_size, b->size);
    assert_memory_equal(b->install.verified_digest, digest, 32);
    assert_true(bl_span_equal(b->install.verified_id, rig_app));
}

static void install_any_portions_give_the_image(void **unused)
{
    static const uint32_t step[] = {1, 7, 255, 256, 511, 512, 1000, 4097, MAX};

    (void)unused;
    for (int g = 0; g < RIG_GEOMETRIES; g++) {
        for (uint32_t i = 0; i < 2 * sizeof step / sizeof *step; i++) {
            struct bench b;

            bench_open(&b, g, i % 2);
            assert_false(claim(&b));
            assert_int_equal(begin(&b), 0);
            feed(&b, 0, b.size, step[i / 2]);
            assert_int_equal(bl_install_end(&b.install), BL_OK);
            assert_installed(&b);
            bench_close(&b);
        }
    }
}

/* The device restarts after `cut` bytes; the rest comes in other portions. */
static void resume_after(int g, uint32_t seed, uint32_t cut)
{
    struct bench b;
    uint32_t offset;

    bench_open(&b, g, seed);
    claim(&b);
    begin(&b);
    feed(&b, 0, cut, 300);
    assert_int_equal(bl_state_load(&b.rig.layout, &b.state), BL_OK);
    assert_true(claim(&b));
    offset = begin(&b);
    /* Past the cut only when the rest is erased bytes anyway. */
    assert_true(offset <= cut || (seed == 1 && offset == b.size));
    assert_true(offset == b.size || offset % b.rig.sim.flash.erase_size == 0);
    /* What is lost: at most what waited in io, two blocks, and a gap. */
    if (seed == 0) {
        assert_true(offset + RIG_IO + 2 * b.rig.sim.flash.erase_size >= cut);
    }
    feed(&b, offset, b.size, 1111);
    assert_int_equal(bl_install_end(&b.install), BL_OK);
    assert_installed(&b);
    bench_close(&b);
}

static void install_resumes_wherever_it_was_left(void **unused)
{
    (void)unused;
    for (int g = 0; g < RIG_GEOMETRIES; g++) {
        struct bench b;

        bench_open(&b, g, 0);
        for (uint32_t cut = 0; cut < b.size; cut += b.size / 61) {
            resume_after(g, 0, cut);
            resume_after(g, 1, cut);
        }
        for (uint32_t i = 0; i < 20; i++) {
            resume_after(g, i % 2, b.size - i);
            resume_after(g, i % 2, b.rig.sim.flash.erase_size - 10 + i);
        }
        rig_close(&b.rig);
    }
}

static void install_whole_payload_is_not_asked_for_again(void **unused)
{
    (void)unused;
    for (int g = 0; g < RIG_GEOMETRIES; g++) {
        struct bench b;

        bench_open(&b, g, 0);
        claim(&b);
        begin(&b);
        feed(&b, 0, b.size, 4096);
        assert_int_equal(bl_install_end(&b.install), BL_OK);
        assert_true(claim(&b));
        assert_int_equal(begin(&b), b.size);
        assert_int_equal(bl_install_end(&b.install), BL_OK);
        assert_installed(&b);
        bench_close(&b);
    }
}

static void install_goes_on_in_the_same_session_where_flash_ends(void **unused)
{
    struct bench b;
    uint32_t offset;

    (void)unused;
    bench_open(&b, 1, 0);
    claim(&b);
    begin(&b);
    feed(&b, 0, 5001, 100);
    offset = bl_install_pause(&b.install);
    assert_true(offset > 5001 - RIG_IO && offset <= 5001);
    memset(b.rig.io, 0xEE, RIG_IO); /* somebody else used it */
    assert_int_equal(begin(&b), offset);
    feed(&b, offset, b.size, 100);
    assert_int_equal(bl_install_end(&b.install), BL_OK);
    assert_installed(&b);
    bench_close(&b);
}

static void install_one_byte_too_many_is_refused(void **unused)
{
    struct bench b;

    (void)unused;
    bench_open(&b, 0, 0);
    claim(&b);
    begin(&b);
    feed(&b, 0, b.size, 4096);
    assert_int_equal(bl_install_data(&b.install, "x", 1), BL_PAYLOAD_LONG);
    assert_int_equal(bl_install_end(&b.install), BL_PAYLOAD_LONG);
    bench_close(&b);
}

static void install_short_payload_is_told_and_may_go_on(void **unused)
{
    struct bench b;

    (void)unused;
    bench_open(&b, 2, 0);
    claim(&b);
    begin(&b);
    feed(&b, 0, b.size - 1, 4096);
    assert_int_equal(bl_install_end(&b.install), BL_PAYLOAD_SHORT);
    feed(&b, b.size - 1, b.size, 1);
    assert_int_equal(bl_install_end(&b.install), BL_OK);
    assert_installed(&b);
    bench_close(&b);
}

static void install_wrong_payload_is_found_and_restarted(void **unused)
{
    (void)unused;
    for (int g = 0; g < RIG_GEOMETRIES; g++) {
        struct bench b;

        bench_open(&b, g, 0);
        claim(&b);
        begin(&b);
        payload[3000] ^= 1;
        feed(&b, 0, b.size, 777);
        assert_int_equal(bl_install_end(&b.install), BL_PAYLOAD_DIGEST);
        assert_int_equal(bl_install_data(&b.install, payload, 1),
                         BL_PAYLOAD_DIGEST);
        payload[3000] ^= 1;
        assert_int_equal(bl_install_restart(&b.install), BL_OK);
        assert_int_equal(b.state.slot[1].status, BL_SLOT_WRITING);
        feed(&b, 0, b.size, 777);
        assert_int_equal(bl_install_end(&b.install), BL_OK);
        assert_installed(&b);
        bench_close(&b);
    }
}

static void install_resumed_bytes_of_another_image_are_found(void **unused)
{
    struct bench b;
    uint32_t offset;

    (void)unused;
    bench_open(&b, 1, 0);
    claim(&b);
    begin(&b);
    payload[10] ^= 1;
    feed(&b, 0, 8000, 777);
    payload[10] ^= 1;
    assert_true(claim(&b));
    offset = begin(&b);
    assert_true(offset > 10);
    feed(&b, offset, b.size, 777);
    assert_int_equal(bl_install_end(&b.install), BL_PAYLOAD_DIGEST);
    assert_int_equal(bl_install_restart(&b.install), BL_OK);
    feed(&b, 0, b.size, 777);
    assert_int_equal(bl_install_end(&b.install), BL_OK);
    assert_installed(&b);
    bench_close(&b);
}

static void install_another_manifest_begins_with_an_erased_slot(void **unused)
{
    static const uint8_t other[32] = {9};
    struct bench b;
    bool resumed = true;

    (void)unused;
    bench_open(&b, 3, 0);
    claim(&b);
    begin(&b);
    feed(&b, 0, b.size, 4096);
    assert_int_equal(bl_install_open(&b.install, &b.rig.layout, &b.state, 1,
                                     other, 10, 1, true, b.rig.io, RIG_IO,
                                     &resumed),
                     BL_OK);
    assert_false(resumed);
    for (uint32_t i = 0; i < b.size; i++) {
        assert_int_equal(in_flash(&b)[i], b.rig.sim.flash.erased);
    }
    assert_int_equal(b.state.slot[1].permitted, 1);
    assert_memory_equal(b.state.slot[1].manifest, other, 32);
    bench_close(&b);
}

static void install_what_does_not_fit_is_refused_before_writing(void **unused)
{
    struct bench b;
    uint32_t size;
    uint32_t offset;
    uint64_t ops;

    (void)unused;
    bench_open(&b, 0, 0);
    size = b.rig.component[0].area[1].size;
    claim(&b);
    ops = b.rig.sim.ops;
    assert_int_equal(
        bl_install_begin(&b.install, rig_app, size + 1, digest, &offset),
        BL_NO_SPACE);
    assert_int_equal(
        bl_install_begin(&b.install, rig_active, 10, digest, &offset),
        BL_COMPONENT_FORBIDDEN);
    assert_int_equal(bl_install_begin(&b.install, bl_span_of("\x80", 1), 10,
                                      digest, &offset),
                     BL_COMPONENT);
    assert_int_equal(bl_install_data(&b.install, payload, 1), BL_BUSY);
    assert_int_equal(bl_install_end(&b.install), BL_BUSY);
    assert_int_equal(bl_install_restart(&b.install), BL_BUSY);
    assert_int_equal(b.rig.sim.ops, ops);
    bench_close(&b);
}

static void install_never_into_the_active_slot_or_a_trial(void **unused)
{
    struct bench b;
    bool resumed;

    (void)unused;
    bench_open(&b, 0, 0);
    assert_int_equal(bl_install_open(&b.install, &b.rig.layout, &b.state, 0,
                                     manifest, 9, 1, false, b.rig.io, RIG_IO,
                                     &resumed),
                     BL_BUSY);
    b.state.trial = 1;
    assert_int_equal(bl_install_open(&b.install, &b.rig.layout, &b.state, 1,
                                     manifest, 9, 1, false, b.rig.io, RIG_IO,
                                     &resumed),
                     BL_BUSY);
    assert_int_equal(b.rig.sim.ops, 0);
    bench_close(&b);
}

static void install_smallest_io_suffices(void **unused)
{
    (void)unused;
    for (int g = 0; g < RIG_GEOMETRIES; g++) {
        struct bench b;
        uint32_t unit = rig_geometry[g].write_size;
        bool resumed;

        bench_open(&b, g, 1);
        assert_int_equal(bl_install_open(&b.install, &b.rig.layout, &b.state,
                                         1, manifest, 9, 1, false, b.rig.io,
                                         2 * unit - 1, &resumed),
                         BL_BUFFER);
        assert_int_equal(bl_install_open(&b.install, &b.rig.layout, &b.state,
                                         1, manifest, 9, 1, false, b.rig.io,
                                         2 * unit, &resumed),
                         BL_OK);
        begin(&b);
        feed(&b, 0, b.size, 333);
        assert_int_equal(bl_install_end(&b.install), BL_OK);
        assert_installed(&b);
        bench_close(&b);
    }
}

/* --- Flash that does not keep what is written -----------------------------
 */

static bl_status (*true_write)(void *, uint32_t, const void *, uint32_t);
static uint32_t bad_offset;

static bl_status bad_write(void *ctx, uint32_t offset, const void *data,
                           uint32_t n)
{
    struct sim_flash *sim = ctx;
    bl_status status = true_write(ctx, offset, data, n);

    if (offset <= bad_offset && bad_offset < offset + n) {
        sim->bytes[bad_offset] ^= 4;
    }
    return status;
}

static void install_flash_that_forgets_is_read_back(void **unused)
{
    static const uint32_t step[] = {100, 4096};

    (void)unused;
    for (int i = 0; i < 2; i++) {
        struct bench b;
        bl_status status = BL_OK;
        uint32_t at = 0;

        bench_open(&b, 1, 0);
        claim(&b);
        begin(&b);
        true_write = b.rig.sim.flash.write;
        b.rig.sim.flash.write = bad_write;
        bad_offset = b.rig.component[0].area[1].offset + 6001;
        while (status == BL_OK && at < 8192) {
            status = bl_install_data(&b.install, payload + at, step[i]);
            at += step[i];
        }
        assert_int_equal(status, BL_READ_BACK);
        assert_int_equal(bl_install_end(&b.install), BL_READ_BACK);
        bench_close(&b);
    }
}

/* --- Close, content, copy -------------------------------------------------
 */

static void install_close_makes_the_slot_ready(void **unused)
{
    (void)unused;
    for (int g = 0; g < RIG_GEOMETRIES; g++) {
        struct bench b;
        struct bl_state stored;
        uint8_t buffer[RIG_ENVELOPE];
        bl_span out;

        bench_open(&b, g, 0);
        assert_int_equal(
            bl_slot_envelope(&b.rig.layout, 1, buffer, sizeof buffer, &out),
            BL_NO_IMAGE);
        claim(&b);
        assert_int_equal(
            bl_install_close(&b.install, bl_span_of(payload, MAX)),
            BL_NO_SPACE);
        assert_int_equal(
            bl_install_close(&b.install, bl_span_of(payload, RIG_ENVELOPE)),
            BL_OK);
        assert_int_equal(bl_state_load(&b.rig.layout, &stored), BL_OK);
        assert_int_equal(stored.slot[1].status, BL_SLOT_READY);
        assert_int_equal(stored.slot[1].sequence, 9);
        assert_memory_equal(stored.slot[1].manifest, manifest, 32);
        assert_int_equal(
            bl_slot_envelope(&b.rig.layout, 1, buffer, sizeof buffer, &out),
            BL_OK);
        assert_int_equal(out.n, RIG_ENVELOPE);
        assert_memory_equal(out.p, payload, RIG_ENVELOPE);
        assert_int_equal(bl_slot_envelope(&b.rig.layout, 1, buffer,
                                          sizeof buffer - 1, &out),
                         BL_BUFFER);
        assert_int_equal(
            bl_install_close(&b.install, bl_span_of(payload, RIG_ENVELOPE)),
            BL_BUSY);
        bench_close(&b);
    }
}

static void install_content_and_copy_write_and_may_run_twice(void **unused)
{
    (void)unused;
    for (int g = 0; g < RIG_GEOMETRIES; g++) {
        struct bench b;
        const uint8_t *net;
        uint8_t sum[32];

        bench_open(&b, g, 0);
        net = b.rig.sim.bytes + b.rig.component[1].area[1].offset;
        bl_sha256(payload, 700, sum);
        claim(&b);
        for (int i = 0; i < 2; i++) {
            assert_int_equal(bl_install_content(&b.install, rig_stage,
                                                bl_span_of(payload, 900)),
                             BL_OK);
            assert_int_equal(
                bl_install_copy(&b.install, rig_net, rig_stage, 700), BL_OK);
            assert_memory_equal(net, payload, 700);
            assert_int_equal(net[700], b.rig.sim.flash.erased);
            assert_memory_equal(b.install.verified_digest, sum, 32);
        }
        assert_int_equal(bl_install_copy(&b.install, rig_net, rig_net, 10),
                         BL_ARGUMENT);
        assert_int_equal(
            bl_install_copy(&b.install, rig_net, rig_stage, MAX * 2),
            BL_NO_SPACE);
        bench_close(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(install_any_portions_give_the_image),
        cmocka_unit_test(install_resumes_wherever_it_was_left),
        cmocka_unit_test(install_whole_payload_is_not_asked_for_again),
        cmocka_unit_test(install_goes_on_in_the_same_session_where_flash_ends),
        cmocka_unit_test(install_one_byte_too_many_is_refused),
        cmocka_unit_test(install_short_payload_is_told_and_may_go_on),
        cmocka_unit_test(install_wrong_payload_is_found_and_restarted),
        cmocka_unit_test(install_resumed_bytes_of_another_image_are_found),
        cmocka_unit_test(install_another_manifest_begins_with_an_erased_slot),
        cmocka_unit_test(install_what_does_not_fit_is_refused_before_writing),
        cmocka_unit_test(install_never_into_the_active_slot_or_a_trial),
        cmocka_unit_test(install_smallest_io_suffices),
        cmocka_unit_test(install_flash_that_forgets_is_read_back),
        cmocka_unit_test(install_close_makes_the_slot_ready),
        cmocka_unit_test(install_content_and_copy_write_and_may_run_twice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
