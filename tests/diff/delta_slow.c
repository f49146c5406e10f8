/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Patches that are as slow to apply as can be: delta_slow KIND OLD PATCH
 * writes an old image made for it, and the patch. For counting what the
 * slowest ones cost (test_delta_cost.py); KIND 0 .. KINDS - 1.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "encode.h"
#include "pairs.h"

enum {
    SIZE = 24 * 1024,
    MAPS = 15, /* the last kinds */
    MEMBERS = 16,
    KINDS = 17,
    MOVES = 4000,
    ROOM = 4 << 20,
    FAR = 12000, /* units before the one that a member asks for */
    SHORT = 8,   /* bytes of a member of the new image */
    UNITS = 8
};

struct slow {
    uint8_t old[SIZE], now[SIZE];
    struct bl_region regions[2][BL_REGIONS];
    struct bl_operation operations[SIZE];
    struct bl_move map[MOVES], ram_map[64];
    struct bl_plan plan;
    struct bl_plan_member members[SIZE / SHORT];
    struct bl_member_unit units[UNITS];
    struct bl_member_operation steps[3];
    uint8_t patch[ROOM];
};

/* Bytes that are references, as many as can be. */
static void fill(struct slow *s, uint32_t isa)
{
    struct dice d = {isa + 1};
    fill_noise(&d, s->old, SIZE);
    for (uint32_t k = 0; k + 4 <= SIZE; k++) {
        uint8_t *p = s->old + k;
        if (isa == BL_DELTA_XTENSA && k % 3 == 0) {
            uint32_t back = 0xffff - dice_roll(&d, k / 4 + 1);
            p[0] = 0x21;
            p[1] = (uint8_t)back;
            p[2] = (uint8_t)(back >> 8);
        } else if (isa == BL_DELTA_THUMB && k % 4 == 0) {
            p[1] = 0xf0;
            p[3] = 0xf8;
        } else if (isa == BL_DELTA_RISCV && k % 4 == 0) {
            p[0] = k % 8 == 0 ? 0x97 : 0x93;
            p[1] = 0x80;
        } else if (isa == BL_DELTA_AARCH64 && k % 4 == 0) {
            p[3] = k % 8 == 0 ? 0x90 : 0x91;
        } else if (isa == BL_DELTA_X86_64 && k % 5 == 0) {
            p[0] = 0xe8;
        }
    }
    fill_noise(&d, s->now, SIZE);
}

/* All regions there can be; the last ones hold the most. */
static void regions(struct slow *s)
{
    for (uint32_t side = 0; side < 2; side++) {
        for (uint32_t k = 0; k < BL_REGIONS; k++) {
            struct bl_region *r = &s->regions[side][k];
            bool last = k == BL_REGIONS - 1;
            r->offset = k;
            r->length = last ? SIZE - k : 1;
            r->address = last ? 0x40000000 + k : 0x10000000 + k * 64;
            r->kind = BL_REGION_CODE;
        }
    }
}

/* Operations of `length` bytes, from all over the old image. */
static void operations(struct slow *s, uint32_t length)
{
    struct dice d = {length};
    uint32_t at = 0, n = 0;
    while (at < SIZE) {
        uint32_t size = SIZE - at < length ? SIZE - at : length;
        uint32_t most = SIZE - size + 1;
        s->operations[n].length = size;
        s->operations[n].old =
            length == SIZE ? 0 : most - 1 - dice_roll(&d, most > 99 ? 99 : 1);
        at += size;
        n++;
    }
    s->plan.operations = s->operations;
    s->plan.operations_n = n;
}

/* As many places as possible, each a little behind the one before. */
static void maps(struct slow *s)
{
    for (uint32_t k = 0; k < MOVES; k++) {
        s->map[k].at = k * 6;
        s->map[k].shift = (int32_t)(k * 6 % 7);
    }
    s->plan.map = s->map;
    s->plan.map_n = MOVES;
    s->plan.ram_map = s->ram_map;
    for (uint32_t k = 0; k < 64; k++) {
        s->ram_map[k].at = 0x20000000 + k * 4;
        s->ram_map[k].shift = 4;
    }
    s->plan.ram_map_n = 64;
}

/* --- deflate streams: one long one, of which short ones want the end --- */

static bl_status get(void *ctx, uint32_t offset, uint8_t *byte)
{
    *byte = ((const uint8_t *)ctx)[offset];
    return BL_OK;
}

/* The fixed code, one final block: literals of 9 bits all of ones and zeros
 * in turn, `n` bytes of stream at most. */
static void stream(uint8_t *p, uint32_t n)
{
    uint32_t held = 3, count = 3, at = 0, k = 0;
    memset(p, 0, n);
    while (at + 3 < n) {
        held |= (k % 2 == 0 ? 0x1ffU : 0x013U) << count; /* 255, 200 */
        count += 9;
        k++;
        while (count >= 8) {
            p[at++] = (uint8_t)held;
            held >>= 8;
            count -= 8;
        }
    }
    p[at] = (uint8_t)held; /* and the end: zeros */
}

static void read_units(struct slow *s)
{
    struct bl_deflate_source source = {s->now, get};
    struct bl_deflate_reader r;
    unsigned n = 1;
    uint32_t k = 0;
    bl_deflate_read_start(&r, 0, SHORT);
    while (k < UNITS &&
           bl_deflate_read(&r, &source, s->units[k].b, &n) == BL_OK && n > 0) {
        s->units[k++].n = (uint8_t)n;
    }
    s->steps[0] = (struct bl_member_operation){1, FAR};
    s->steps[1] = (struct bl_member_operation){k - 1, BL_MEMBER_NEW};
}

/* As many as the budget of units lets through. */
static void members(struct slow *s)
{
    uint32_t n = 8 * 2 * SIZE / (FAR + 2);
    stream(s->old, SIZE);
    memset(s->now, 0, SIZE);
    for (uint32_t k = 0; k < n; k++) {
        stream(s->now + k * SHORT, SHORT);
        s->members[k] = (struct bl_plan_member){.at = k * SHORT,
                                                .size = SHORT,
                                                .old = 0,
                                                .units = s->units,
                                                .operations = s->steps};
    }
    read_units(s);
    s->plan.members = s->members;
    s->plan.members_n = n;
}

static void plan(struct slow *s, uint32_t kind)
{
    struct bl_plan *p = &s->plan;
    uint32_t isa = 1 + kind % (BL_DELTA_ISAS - 1);
    uint32_t how = kind / (BL_DELTA_ISAS - 1);
    p->code.isa = (uint8_t)isa;
    p->code.pic = how == 1;
    p->code.rams = 1;
    p->code.ram[0].low = 0x20000000;
    p->code.ram[0].high = 0x20001000;
    p->settings.table = 4;
    fill(s, isa);
    regions(s);
    p->old = (struct bl_view){.size = SIZE,
                              .data = s->old,
                              .regions = s->regions[0],
                              .regions_n = BL_REGIONS,
                              .code = &p->code};
    p->now = p->old;
    p->now.data = s->now;
    p->now.regions = s->regions[1];
    /* whole: units only; single bytes, and three: their beginnings, too */
    operations(s, how == 0 ? SIZE : how == 1 ? 1 : 3);
    if (kind == MAPS) {
        operations(s, 1);
        maps(s);
    } else if (kind == MEMBERS) {
        operations(s, SIZE);
        members(s);
    }
}

static int save(const char *name, const uint8_t *p, size_t n)
{
    FILE *out = fopen(name, "wb");
    if (out == NULL || fwrite(p, 1, n, out) != n || fclose(out) != 0) {
        perror(name);
        return 1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct slow *s = calloc(1, sizeof *s);
    struct bl_costs costs;
    if (argc != 4 || s == NULL) {
        fprintf(stderr, "usage: delta_slow KIND OLD PATCH\n");
        return 2;
    }
    plan(s, (uint32_t)strtoul(argv[1], NULL, 10) % KINDS);
    void *memory = malloc(bl_encode_memory(&s->plan));
    bl_status status =
        memory == NULL ? BL_NO_SPACE
                       : bl_encode(&s->plan, memory, s->patch, ROOM, &costs);
    if (status != BL_OK) {
        fprintf(stderr, "status %d\n", (int)status);
        return 1;
    }
    free(memory);
    return save(argv[2], s->old, SIZE) | save(argv[3], s->patch, costs.bytes);
}
