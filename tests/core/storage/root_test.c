/* SPDX-License-Identifier: Apache-2.0 */
/* The root document's two copies, with documents of tests/vectors. */
#include "rig.h"
#include "vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct vectors vectors;
static bl_span document[3]; /* versions 1 to 3 */

static int open_documents(void **unused)
{
    static const char *const name[] = {"root-1-initial", "root-2",
                                       "root-3-skip"};
    const json_t *vector;
    size_t i;

    (void)unused;
    vectors_open(&vectors, "bowline-profile/roots.json");
    json_array_foreach(vectors_member(vectors.json, "vectors"), i, vector)
    {
        for (int d = 0; d < 3; d++) {
            if (strcmp(vectors_text(vector, "name"), name[d]) == 0) {
                document[d] = vectors_hex(&vectors, vector, "root");
            }
        }
    }
    return document[0].n == 0 || document[1].n == 0 || document[2].n == 0;
}

static int close_documents(void **unused)
{
    (void)unused;
    vectors_close(&vectors);
    return 0;
}

static uint64_t loaded_version(struct rig *rig, bl_span *out)
{
    static uint8_t buffer[2048];
    struct bl_root root;

    assert_int_equal(
        bl_root_load(&rig->layout, buffer, sizeof buffer, out, &root), BL_OK);
    return root.version;
}

static void save(struct rig *rig, int d, size_t io_size)
{
    assert_int_equal(bl_root_save(&rig->layout, document[d], rig->io, io_size),
                     BL_OK);
}

static void root_on_fresh_flash_is_not_there(void **unused)
{
    struct rig rig;
    struct bl_root root;
    uint8_t buffer[2048];
    bl_span out;

    (void)unused;
    rig_open(&rig, 0);
    assert_int_equal(
        bl_root_load(&rig.layout, buffer, sizeof buffer, &out, &root),
        BL_ROOT);
    rig_close(&rig);
}

static void root_the_higher_version_counts(void **unused)
{
    (void)unused;
    for (int g = 0; g < RIG_GEOMETRIES; g++) {
        struct rig rig;
        bl_span out;

        rig_open(&rig, g);
        for (int d = 0; d < 3; d++) {
            save(&rig, d, RIG_IO);
            assert_int_equal(loaded_version(&rig, &out), d + 1);
            assert_true(bl_span_equal(out, document[d]));
        }
        /* The one before is still there. */
        rig.sim.bytes[rig.layout.root[0].offset + 8] ^= 1;
        assert_int_equal(loaded_version(&rig, &out), 2);
        /* And the broken copy is the one to be written. */
        save(&rig, 2, RIG_IO);
        assert_int_equal(loaded_version(&rig, &out), 3);
        rig.sim.bytes[rig.layout.root[0].offset + 8] ^= 1;
        assert_int_equal(loaded_version(&rig, &out), 2);
        assert_null(rig.sim.breach);
        rig_close(&rig);
    }
}

static void root_one_write_unit_of_io_suffices(void **unused)
{
    (void)unused;
    for (int g = 0; g < RIG_GEOMETRIES; g++) {
        struct rig rig;
        bl_span out;

        rig_open(&rig, g);
        save(&rig, 0, rig.sim.flash.write_size);
        save(&rig, 1, rig.sim.flash.write_size);
        assert_int_equal(loaded_version(&rig, &out), 2);
        assert_int_equal(bl_root_save(&rig.layout, document[1], rig.io,
                                      rig.sim.flash.write_size - 1),
                         BL_BUFFER);
        assert_int_equal(loaded_version(&rig, &out), 2);
        rig_close(&rig);
    }
}

static void root_any_flipped_bit_makes_a_copy_invalid(void **unused)
{
    struct rig rig;
    bl_span out;
    uint8_t *p;

    (void)unused;
    rig_open(&rig, 0);
    save(&rig, 0, RIG_IO);
    save(&rig, 1, RIG_IO);
    p = rig.sim.bytes + rig.layout.root[1].offset;
    for (size_t bit = 0; bit < (8 + document[1].n) * 8; bit++) {
        p[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(loaded_version(&rig, &out), 1);
        p[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    rig_close(&rig);
}

static void root_buffers_and_areas_have_limits(void **unused)
{
    static const uint8_t large[BL_ROOT_MAX + 1];
    struct rig rig;
    struct bl_root root;
    uint8_t buffer[100];
    bl_span out;

    (void)unused;
    rig_open(&rig, 1);
    save(&rig, 0, RIG_IO);
    assert_int_equal(
        bl_root_load(&rig.layout, buffer, sizeof buffer, &out, &root),
        BL_BUFFER);
    assert_int_equal(bl_root_save(&rig.layout, bl_span_of(large, sizeof large),
                                  rig.io, RIG_IO),
                     BL_NO_SPACE);
    assert_int_equal(
        bl_root_save(&rig.layout, bl_span_of(large, 0), rig.io, RIG_IO),
        BL_ARGUMENT);
    assert_int_equal(loaded_version(&rig, &out), 1);
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(root_on_fresh_flash_is_not_there),
        cmocka_unit_test(root_the_higher_version_counts),
        cmocka_unit_test(root_one_write_unit_of_io_suffices),
        cmocka_unit_test(root_any_flipped_bit_makes_a_copy_invalid),
        cmocka_unit_test(root_buffers_and_areas_have_limits),
    };

    return cmocka_run_group_tests(tests, open_documents, close_documents);
}
