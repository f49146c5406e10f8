/* SPDX-License-Identifier: Apache-2.0 */
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define REFUSED(change)                                                       \
    do {                                                                      \
        struct rig rig;                                                       \
        struct bl_flash flash;                                                \
        rig_open(&rig, 0);                                                    \
        flash = rig.sim.flash;                                                \
        rig.layout.flash = &flash;                                            \
        assert_int_equal(bl_layout_check(&rig.layout), BL_OK);                \
        change;                                                               \
        assert_int_equal(bl_layout_check(&rig.layout), BL_ARGUMENT);          \
        rig_close(&rig);                                                      \
    } while (0)

static void layout_overlapping_areas_are_refused(void **unused)
{
    (void)unused;
    REFUSED(rig.layout.root[1] = rig.layout.root[0]);
    REFUSED(rig.layout.state[0].size *= 2);
    REFUSED(rig.component[1].area[0] = rig.component[0].area[1]);
    REFUSED(rig.component[2].area[0].offset = rig.layout.journal[1].offset);
}

static void layout_areas_off_the_grid_are_refused(void **unused)
{
    (void)unused;
    REFUSED(rig.layout.manifest[0].offset += 1);
    REFUSED(rig.layout.manifest[0].size -= 1);
    REFUSED(rig.layout.journal[0].size = 0);
    REFUSED(rig.component[0].area[1].offset = flash.size);
    REFUSED(rig.component[0].area[1].size = flash.size + 4096);
    REFUSED(rig.component[0].area[1].offset = 0xFFFFF000u);
}

/* A device that cannot take a root document is out of reach for ever. */
static void layout_without_room_for_root_documents_is_refused(void **unused)
{
    (void)unused;
    REFUSED(rig.layout.root[0].size -= flash.erase_size);
    REFUSED(rig.layout.root[1].size -= flash.erase_size);
}

static void layout_impossible_flash_is_refused(void **unused)
{
    (void)unused;
    REFUSED(rig.layout.flash = NULL);
    REFUSED(flash.read = NULL);
    REFUSED(flash.sync = NULL);
    REFUSED(flash.erase_size = 0);
    REFUSED(flash.erase_size = 3000);
    REFUSED(flash.write_size = 512);
    REFUSED(flash.write_size = 3);
    REFUSED(flash.size += 1);
}

static void layout_impossible_components_are_refused(void **unused)
{
    (void)unused;
    REFUSED(rig.layout.n_components = 0);
    REFUSED(rig.layout.n_components = BL_LAYOUT_COMPONENTS + 1);
    REFUSED(rig.layout.component = NULL);
    REFUSED(rig.component[0].kind = BL_COMPONENT_ACTIVE);
    REFUSED(rig.component[1].kind = 9);
    REFUSED(rig.component[1].id.n = 0);
    REFUSED(rig.component[3].of = 2);
    REFUSED(rig.component[3].of = 4);
}

static void layout_components_are_found_where_they_lie(void **unused)
{
    struct rig rig;
    struct bl_area area;
    bool writable = false;

    (void)unused;
    rig_open(&rig, 0);
    assert_int_equal(bl_slot_area(&rig.layout, 1, rig_net, &area, &writable),
                     BL_OK);
    assert_true(writable);
    assert_int_equal(area.offset, rig.component[1].area[1].offset);
    assert_int_equal(bl_slot_area(&rig.layout, 1, rig_stage, &area, &writable),
                     BL_OK);
    assert_true(writable);
    assert_int_equal(area.offset, rig.component[2].area[0].offset);
    assert_int_equal(
        bl_slot_area(&rig.layout, 1, rig_active, &area, &writable), BL_OK);
    assert_false(writable);
    assert_int_equal(area.offset, rig.component[0].area[0].offset);
    assert_int_equal(
        bl_slot_area(&rig.layout, 1, bl_span_of("\x80", 1), &area, &writable),
        BL_COMPONENT);
    assert_int_equal(bl_slot_area(&rig.layout, 2, rig_app, &area, &writable),
                     BL_ARGUMENT);
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layout_overlapping_areas_are_refused),
        cmocka_unit_test(layout_areas_off_the_grid_are_refused),
        cmocka_unit_test(layout_without_room_for_root_documents_is_refused),
        cmocka_unit_test(layout_impossible_flash_is_refused),
        cmocka_unit_test(layout_impossible_components_are_refused),
        cmocka_unit_test(layout_components_are_found_where_they_lie),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
