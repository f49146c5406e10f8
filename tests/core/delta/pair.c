/* SPDX-License-Identifier: Apache-2.0 */
#include "pair.h"

#include <stdlib.h>
#include <string.h>

#include "bowline/sha256.h"
#include "cmocka_all.h"

uint32_t pair_random(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

static void one_region(struct bl_region *r, uint32_t n)
{
    r->offset = 0;
    r->address = PAIR_BASE;
    r->length = n;
    r->kind = BL_REGION_CODE;
}

/* Random bytes; each 16th word a pointer into the image, others into RAM. */
static void fill_old(struct pair *p, uint32_t seed)
{
    uint32_t i;

    p->old_n = PAIR_SIZE;
    for (i = 0; i < PAIR_SIZE; i++) {
        p->old[i] = (uint8_t)pair_random(&seed);
    }
    for (i = 0; i + 64 <= PAIR_SIZE; i += 64) {
        bl_set(p->old + i, PAIR_BASE + pair_random(&seed) % PAIR_SIZE, 4);
        bl_set(p->old + i + 32, 0x20000000 + pair_random(&seed) % 4096, 4);
    }
}

static void set_plan(struct pair *p, uint32_t isa)
{
    struct bl_plan *plan = &p->plan;

    memset(plan, 0, sizeof *plan);
    plan->code.isa = (uint8_t)isa;
    plan->code.rams = 1;
    plan->code.ram[0].low = 0x20000000;
    plan->code.ram[0].high = 0x20001000;
    plan->old.size = p->old_n;
    plan->old.data = p->old;
    plan->old.regions = p->regions[0];
    plan->old.regions_n = 1;
    plan->old.code = &plan->code;
    plan->now.size = p->now_n;
    plan->now.data = p->now;
    plan->now.regions = p->regions[1];
    plan->now.regions_n = 1;
    plan->now.code = &plan->code;
    plan->settings.table = 2;
    plan->operations = p->operations;
    plan->operations_n = 3;
    plan->map = p->map;
    plan->map_n = 2;
}

static uint32_t moved(uint32_t offset)
{
    return offset < PAIR_AT ? offset : offset + PAIR_MORE;
}

/* What a linker does: the unit at its new place, referring to where its
 * target went. */
static void move_unit(struct pair *p, uint32_t at, const struct bl_site *s,
                      struct bl_sweep *w)
{
    uint32_t was = bl_view_word(&p->plan.old, at);
    uint32_t word = was;
    uint32_t address = PAIR_BASE + moved(at);
    uint32_t n = s->length;
    uint32_t t;

    if (bl_view_offset(&p->plan.old, s->target & ~1U, &t) &&
        s->kind != BL_SITE_NONE) {
        (void)bl_site_write(&p->plan.code, s, PAIR_BASE + at, address,
                            s->target - t + moved(t), w, &word);
    }
    n = n > PAIR_SIZE - at ? PAIR_SIZE - at : n;
    bl_set(p->now + moved(at), word, n);
    if (bl_isa_of(p->plan.code.isa)->after != NULL && n == 4) {
        bl_isa_of(p->plan.code.isa)->after(w, at, address, was, word);
    }
}

static void fill_now(struct pair *p, uint32_t seed)
{
    struct bl_sweep w;
    struct bl_site s;
    uint32_t at;

    for (at = 0; at < PAIR_MORE; at++) {
        p->now[PAIR_AT + at] = (uint8_t)pair_random(&seed);
    }
    bl_sweep_start(&w);
    for (at = 0; at < p->old_n; at += s.length) {
        bl_site_find(&p->plan.old, at, &w, &s);
        if (at < PAIR_AT && at + s.length > PAIR_AT) {
            memset(&s, 0, sizeof s);
            s.length = (uint8_t)(PAIR_AT - at);
        }
        move_unit(p, at, &s, &w);
    }
}

void pair_make(struct pair *p, uint32_t isa, uint32_t seed)
{
    static const struct bl_operation operations[3] = {
        {PAIR_AT, 0}, {PAIR_MORE, BL_LITERAL}, {PAIR_SIZE - PAIR_AT, PAIR_AT}};

    memset(p, 0, sizeof *p);
    fill_old(p, seed);
    p->now_n = PAIR_SIZE + PAIR_MORE;
    memcpy(p->operations, operations, sizeof operations);
    p->map[1].at = PAIR_AT;
    p->map[1].shift = PAIR_MORE;
    one_region(&p->regions[0][0], p->old_n);
    one_region(&p->regions[1][0], p->now_n);
    set_plan(p, isa);
    fill_now(p, seed + 1);
}

/* Segments of 1504 and 3008 bytes behind a header of 24. */
static uint32_t esp_image(uint8_t *out, uint32_t seed, uint32_t more)
{
    static const uint8_t head[24] = {0xE9, 2, 2, 0x1F, 0, 0, 0, 0x40,
                                     0xEE, 0, 0, 0,    0, 0, 0, 0,
                                     0,    0, 0, 0,    0, 0, 0, 1};
    uint32_t n[2] = {1504, 3008 + more};
    uint32_t at = sizeof head;
    uint8_t sum = 0xEF;
    uint32_t i;
    uint32_t k;

    memcpy(out, head, sizeof head);
    for (i = 0; i < 2; i++) {
        bl_set(out + at, i == 0 ? 0x3F400020 : 0x400D0020, 4);
        bl_set(out + at + 4, n[i], 4);
        at += 8;
        for (k = 0; k < n[i]; k++) {
            out[at] = (uint8_t)pair_random(&seed);
            sum ^= out[at];
            at++;
        }
    }
    while (at % 16 != 15) {
        out[at++] = 0;
    }
    out[at++] = sum;
    bl_sha256(out, at, out + at);
    at += BL_SHA256_SIZE;
    memset(out + at, 0xA5, 20); /* a signature, say */
    return at + 20;
}

void pair_make_esp(struct pair *p)
{
    memset(p, 0, sizeof *p);
    p->old_n = esp_image(p->old, 5, 0);
    p->now_n = esp_image(p->now, 5, 160);
    set_plan(p, BL_DELTA_XTENSA);
    p->plan.settings.esp = true;
    p->plan.settings.esp_tail = true;
    p->plan.old.regions_n = bl_view_esp(&p->plan.old, 24, p->regions[0], 3);
    p->plan.now.regions_n = bl_view_esp(&p->plan.now, 24, p->regions[1], 3);
    p->plan.map_n = 0;
    p->operations[0].length = 4548;
    p->operations[0].old = 0;
    p->operations[1].length = 160;
    p->operations[1].old = BL_LITERAL;
    p->operations[2].length = p->now_n - 4708;
    p->operations[2].old = p->old_n - (p->now_n - 4708);
}

void pair_encode(struct pair *p)
{
    struct bl_costs costs;
    void *memory = malloc(bl_encode_memory(&p->plan));

    assert_non_null(memory);
    assert_int_equal(
        bl_encode(&p->plan, memory, p->patch, sizeof p->patch, &costs), BL_OK);
    p->patch_n = costs.bytes;
    free(memory);
}

/* --- applying --- */

static bl_status read_old(void *ctx, uint32_t offset, void *out, uint32_t n)
{
    const struct target *t = ctx;

    assert_true(offset <= t->old_n && n <= t->old_n - offset);
    if (t->fails != BL_OK) {
        return t->fails;
    }
    memcpy(out, t->old + offset, n);
    return BL_OK;
}

static bl_status read_now(void *ctx, uint32_t offset, void *out, uint32_t n)
{
    const struct target *t = ctx;

    assert_true(offset <= t->now_n && n <= t->now_n - offset);
    memcpy(out, t->now + offset, n);
    return BL_OK;
}

static bl_status write_now(void *ctx, const void *data, uint32_t n)
{
    struct target *t = ctx;

    assert_true(n <= t->limit - t->now_n);
    memcpy(t->now + t->now_n, data, n);
    t->now_n += n;
    return BL_OK;
}

struct bl_delta_io target_io(struct target *t)
{
    struct bl_delta_io io = {t, read_old, read_now, write_now};

    return io;
}

/* As if power had been cut and the memory been kept: other addresses, the
 * rest of the old place overwritten. */
static struct bl_delta *move(void **memory, size_t n,
                             const struct bl_delta_io *io)
{
    void *other = malloc(n);
    struct bl_delta *d = NULL;

    assert_non_null(other);
    memcpy(other, *memory, n);
    memset(*memory, 0xCC, n);
    free(*memory);
    *memory = other;
    assert_int_equal(bl_delta_resume(other, n, io, &d), BL_OK);
    return d;
}

struct way {
    uint32_t portion, seed;
    bool moved;
    size_t ram;
    void *memory;
    struct bl_delta *d;
    struct bl_delta_io io[2];
    uint32_t calls;
};

/* Every call with another io when moved. */
static void between(struct way *w)
{
    if (w->moved) {
        w->d = move(&w->memory, w->ram, &w->io[w->calls % 2]);
    }
    w->calls++;
}

static bl_status feed(struct way *w, const uint8_t *patch, size_t n)
{
    bl_status status = BL_OK;
    bool whole = false;
    size_t at = 0;

    while (status == BL_OK && at < n) {
        size_t k =
            w->portion != 0 ? w->portion : 1 + pair_random(&w->seed) % 200;
        size_t taken = 0;

        k = k < n - at ? k : n - at;
        status = bl_delta_data(w->d, patch + at, k, &taken);
        at += taken;
        assert_true(taken <= k);
        assert_int_equal(bl_delta_taken(w->d), at);
        between(w);
    }
    while (status == BL_OK && !whole) {
        status = bl_delta_end(w->d, &whole);
        between(w);
    }
    return status;
}

bl_status patch_apply(const uint8_t *patch, size_t n, uint32_t portion,
                      bool moved_, struct target *t)
{
    struct bl_delta_info info;
    struct way w = {.portion = portion, .seed = 7, .moved = moved_};
    bl_status status = bl_delta_head(patch, n, &info);

    if (status != BL_OK) {
        return status;
    }
    if (info.old_size != t->old_n || info.new_size > PAIR_ROOM ||
        info.ram > 1 << 20) {
        return BL_NO_SPACE;
    }
    t->now_n = 0;
    t->limit = info.new_size;
    w.ram = info.ram;
    w.memory = malloc(w.ram);
    assert_non_null(w.memory);
    w.io[0] = w.io[1] = target_io(t);
    status = bl_delta_start(&info, &w.io[0], t->old_n, PAIR_ROOM, w.memory,
                            w.ram, &w.d);
    if (status == BL_OK) {
        status = feed(&w, patch, n);
    }
    if (status == BL_OK) {
        assert_int_equal(t->now_n, info.new_size);
        assert_int_equal(bl_delta_written(w.d), t->now_n);
    }
    free(w.memory);
    return status;
}

bl_status pair_apply(const struct pair *p, uint32_t portion, bool moved_,
                     struct target *t)
{
    t->old = p->old;
    t->old_n = p->old_n;
    return patch_apply(p->patch, p->patch_n, portion, moved_, t);
}
