/* SPDX-License-Identifier: Apache-2.0 */
#include "in_place_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { GUARD = 0x5A };

static bl_status patch_read(void *ctx, uint32_t offset, void *out, uint32_t n,
                            uint32_t *got)
{
    const struct rig *r = ctx;
    *got = 0;
    if (offset < r->patch.n) {
        *got = n < r->patch.n - offset ? n : (uint32_t)(r->patch.n - offset);
        memcpy(out, r->patch.p + offset, *got);
    }
    return BL_OK;
}

static void tick(void *ctx, uint32_t written)
{
    struct rig *r = ctx;
    (void)written;
    r->ticks++;
}

static void patch_make(struct rig *r)
{
    struct diff_options o;
    struct error error = {0};
    diff_defaults(&o);
    o.ram = RIG_RAM;
    o.in_place = true;
    o.block = r->block;
    o.spare = r->spare;
    if (diff_make(r->old, r->old_n, r->now, r->now_n, &o, &r->patch, NULL,
                  &error) != 0) {
        fail_msg("%s", error.text);
    }
}

static uint32_t up(uint32_t n, uint32_t to)
{
    return (n + to - 1) / to * to;
}

/* A block before, between and behind the areas must stay as it is. */
static void areas_set(struct rig *r, const struct bl_delta_info *info)
{
    uint32_t n = r->old_n > r->now_n ? r->old_n : r->now_n;
    struct bl_flash geometry = {.erase_size = r->block, .write_size = r->unit};
    r->place.image.offset = r->block;
    r->place.image.size = up(n, r->block);
    r->place.work.offset = r->place.image.size + 2 * r->block;
    r->place.work.size = bl_in_place_work(info, &geometry);
    assert_int_not_equal(r->place.work.size, 0);
}

static void program(struct rig *r, uint32_t at, const uint8_t *data,
                    uint32_t n)
{
    const struct bl_flash *f = &r->flash.flash;
    uint8_t last[BL_DELTA_QUANTUM];
    uint32_t whole = n / r->unit * r->unit;
    if (whole > 0) {
        assert_int_equal(f->write(f->ctx, at, data, whole), BL_OK);
    }
    if (whole < n) {
        memset(last, f->erased, r->unit);
        memcpy(last, data + whole, n - whole);
        assert_int_equal(f->write(f->ctx, at + whole, last, r->unit), BL_OK);
    }
}

static void guards_write(struct rig *r)
{
    const struct bl_area *i = &r->place.image, *w = &r->place.work;
    uint8_t *guard = malloc(r->block);
    assert_non_null(guard);
    memset(guard, GUARD, r->block);
    program(r, 0, guard, r->block);
    program(r, i->offset + i->size, guard, r->block);
    program(r, w->offset + w->size, guard, r->block);
    free(guard);
}

void rig_open(struct rig *r, uint32_t block, uint32_t unit, uint32_t spare)
{
    r->block = block;
    r->spare = spare;
    patch_make(r);
    rig_open_patch(r, unit);
}

void rig_open_patch(struct rig *r, uint32_t unit)
{
    struct bl_delta_info info;
    memset(&r->flash, 0, sizeof r->flash);
    r->unit = unit;
    assert_int_equal(bl_delta_head(r->patch.p, r->patch.n, &info), BL_OK);
    areas_set(r, &info);
    struct sim_geometry g = {r->place.work.offset + r->place.work.size +
                                 r->block,
                             r->block, unit, 0xFF};
    assert_int_equal(sim_flash_open(&r->flash, &g), 0);
    guards_write(r);
    program(r, r->place.image.offset, r->old, r->old_n);
    r->place.flash = &r->flash.flash;
    r->place.patch = patch_read;
    r->place.tick = tick;
    r->place.ctx = r;
    r->place.memory = r->memory;
    r->place.memory_size = bl_in_place_memory(&info);
    assert_in_range(r->place.memory_size, 1, sizeof r->memory);
}

void rig_end(struct rig *r)
{
    sim_flash_close(&r->flash);
    buffer_free(&r->patch);
    free(r);
}

bl_status rig_run(struct rig *r)
{
    memset(r->memory, 0xA5, sizeof r->memory);
    return bl_in_place_run(&r->place);
}

enum bl_in_place_state rig_look(struct rig *r)
{
    enum bl_in_place_state state;
    memset(r->memory, 0xA5, sizeof r->memory);
    assert_int_equal(bl_in_place_look(&r->place, &state), BL_OK);
    return state;
}

bool rig_holds(struct rig *r, const uint8_t *image, uint32_t n)
{
    return memcmp(r->flash.bytes + r->place.image.offset, image, n) == 0;
}

void rig_check(struct rig *r)
{
    const struct bl_area *i = &r->place.image, *w = &r->place.work;
    if (r->flash.breach != NULL) {
        fail_msg("%s at %u", r->flash.breach, (unsigned)r->flash.breach_at);
    }
    for (uint32_t k = 0; k < r->block; k++) {
        assert_int_equal(r->flash.bytes[k], GUARD);
        assert_int_equal(r->flash.bytes[i->offset + i->size + k], GUARD);
        assert_int_equal(r->flash.bytes[w->offset + w->size + k], GUARD);
    }
}
