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

enum { SIZE = 24 * 1024, KINDS = 16, MOVES = 4000, ROOM = 4 << 20 };

struct slow {
    uint8_t old[SIZE], now[SIZE];
    struct bl_region regions[2][BL_REGIONS];
    struct bl_operation operations[SIZE];
    struct bl_move map[MOVES], ram_map[64];
    struct bl_plan plan;
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
    p->settings.exceptions = 15;
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
    if (kind == KINDS - 1) {
        operations(s, 1);
        maps(s);
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
