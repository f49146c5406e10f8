/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prints vectors like tests/diff/delta_vectors.c, of random bytes: as code
 * they hold each form of each instruction, as tables of ELF files each role;
 * of moved references some are right and some are not. The plans are laid out
 * here; no encoder would find anything in such images. Others are all as
 * predicted but for some bytes at the edges of windows.
 */
#include <stdio.h>
#include <string.h>

#include "bowline/sha256.h"
#include "pair.h"

enum { CHANGES = 60 };

static struct pair pair;
static struct bl_region regions[2][6];
static struct bl_move ram_map[2];

static void print_hex(const char *name, const uint8_t *p, size_t n)
{
    size_t k;

    printf(",\n\"%s\": \"", name);
    for (k = 0; k < n; k++) {
        printf("%02x", p[k]);
    }
    putchar('"');
}

static void print(const char *name, const char *before)
{
    uint8_t digest[BL_SHA256_SIZE];

    bl_sha256(pair.old, pair.old_n, digest);
    memcpy(pair.plan.old_check, digest, BL_DELTA_CHECK);
    bl_sha256(pair.now, pair.now_n, digest);
    memcpy(pair.plan.new_check, digest, BL_DELTA_CHECK);
    pair_encode(&pair);
    printf("%s{\"name\": \"%s\", \"expected\": \"accept\",\n\"ram\": %u, "
           "\"new_size\": %u",
           before, name, (unsigned)bl_encode_ram(&pair.plan),
           (unsigned)pair.now_n);
    print_hex("new_sha256", digest, sizeof digest);
    print_hex("old", pair.old, pair.old_n);
    print_hex("patch", pair.patch, pair.patch_n);
    putchar('}');
}

/* References that went elsewhere; some by the same difference. */
static void change(uint32_t seed)
{
    uint32_t i;

    for (i = 0; i < CHANGES; i++) {
        uint32_t at = pair_random(&seed) % (pair.now_n - 4);

        pair.now[at] = (uint8_t)(pair.now[at] + (i % 3 == 0 ? 4U : i));
    }
}

static void add_ram_map(void)
{
    ram_map[0].at = 0x20000000;
    ram_map[1].at = 0x20000800;
    ram_map[1].shift = 16;
    pair.plan.ram_map = ram_map;
    pair.plan.ram_map_n = 2;
}

static void set(struct bl_region *r, uint32_t at, uint32_t end, uint32_t kind)
{
    r->offset = at;
    r->address = at < 4000 ? PAIR_BASE + at : PAIR_BASE + 0x10000 + at;
    r->length = end - at;
    r->kind = kind;
}

/* Code, symbols, strings, relocations, a table, data with distances. */
static void lay_out(struct bl_region *r, uint32_t more, bool wide)
{
    set(&r[0], 0, 2000 + more, BL_REGION_CODE);
    set(&r[1], 2000 + more, 2960 + more,
        wide ? BL_REGION_SYMBOLS_24 : BL_REGION_SYMBOLS_16);
    set(&r[2], 2960 + more, 3600 + more, BL_REGION_DATA);
    set(&r[3], 3600 + more, 4320 + more,
        wide ? BL_REGION_RELOCS_24 : BL_REGION_RELOCS_8);
    set(&r[4], 4320 + more, 5000 + more, BL_REGION_TABLE);
    set(&r[5], 5000 + more, PAIR_SIZE + more, BL_REGION_DATA);
}

static void fill(uint8_t *p, bool wide, uint32_t seed)
{
    uint32_t at;
    uint32_t name;

    for (at = 0; at < 960; at += wide ? 24 : 16) {
        bl_set(p + 2000 + at, pair_random(&seed) % 640, 4);
    }
    for (at = wide ? 12 : 4; at < 720; at += wide ? 24 : 8) {
        name = pair_random(&seed) % 40;
        bl_set(p + 3600 + at, wide ? name : name << 8 | 22, 4);
    }
    for (at = 4320; at < PAIR_SIZE; at += 4) {
        bl_set(p + at, 0U - pair_random(&seed) % 4000, 4);
    }
}

static void make_tables(uint32_t isa, bool wide, bool pic)
{
    uint32_t i;

    pair_make(&pair, isa, 900 + isa);
    fill(pair.old, wide, 17);
    memcpy(pair.now + PAIR_AT + PAIR_MORE, pair.old + PAIR_AT,
           PAIR_SIZE - PAIR_AT);
    for (i = 2000; i < PAIR_SIZE; i += 40) { /* as a linker would, some */
        bl_set(pair.now + PAIR_MORE + i, bl_get4(pair.old + i) + PAIR_MORE, 4);
    }
    lay_out(regions[0], 0, wide);
    lay_out(regions[1], PAIR_MORE, wide);
    pair.plan.code.pic = pic;
    pair.plan.old.regions = regions[0];
    pair.plan.now.regions = regions[1];
    pair.plan.old.regions_n = pair.plan.now.regions_n = 6;
}

/* Copies one behind the other: one that ends within a window, some that begin
 * and end there, one of an instruction's part, and those beside the block. */
static void lay_out_copies(void)
{
    static const struct bl_operation operations[] = {
        {700, 0},
        {20, 700},
        {20, 720},
        {3, 740},
        {PAIR_AT - 743, 743},
        {PAIR_MORE, BL_LITERAL},
        {PAIR_SIZE - PAIR_AT, PAIR_AT},
    };

    pair.plan.operations = operations;
    pair.plan.operations_n = sizeof operations / sizeof operations[0];
}

/* A window's last byte, one's first, within the short copies, a window with
 * many, the image's last byte. */
static void make_windows(uint32_t isa, uint8_t table)
{
    static const uint16_t edges[] = {255, 512, 728, 742, 1407};
    uint32_t at;
    uint32_t i;

    pair_make(&pair, isa, 700 + isa);
    lay_out_copies();
    pair.plan.settings.table = table;
    for (i = 0; i < sizeof edges / sizeof edges[0]; i++) {
        pair.now[edges[i]] ^= 0x24;
    }
    for (at = 1024; at < 1152; at += 8) {
        pair.now[at] ^= 1;
    }
    pair.now[pair.now_n - 1] ^= 0x24;
}

/* An AUIPC (x5) that is no site, since a look ahead takes the word behind it
 * for other instructions than the walk does, and then its ADDI. */
static void make_sweep(void)
{
    enum { AT = 600, ROOM = 8, FAR = 1500, ADDI = 5 << 15 | 5 << 7 | 0x13 };
    uint32_t i;

    pair_make(&pair, BL_DELTA_RISCV, 777);
    pair.plan.code.ram[0].low = 0x20030000;
    pair.plan.code.ram[0].high = 0x20031000;
    for (i = AT - ROOM; i < AT; i += 2) {
        bl_set(pair.old + i, 1, 2); /* C.NOP */
    }
    bl_set(pair.old + AT, 5 << 7 | 0x17, 4);
    bl_set(pair.old + AT + 4, 0x20030010, 4);
    bl_set(pair.old + AT + 8, (uint32_t)FAR << 20 | ADDI, 4);
    memcpy(pair.now + AT - ROOM, pair.old + AT - ROOM, ROOM + 8);
    bl_set(pair.now + AT + 8, (uint32_t)(FAR + PAIR_MORE) << 20 | ADDI, 4);
}

int main(void)
{
    static const char *const names[] = {
        NULL,           "noise-thumb",   "noise-riscv",
        "noise-xtensa", "noise-aarch64", "noise-x86-64"};
    uint32_t isa;

    for (isa = 1; isa < BL_DELTA_ISAS; isa++) {
        pair_make(&pair, isa, 800 + isa);
        add_ram_map();
        change(isa);
        print(names[isa], isa == 1 ? "{\"vectors\": [\n" : ",\n");
    }
    make_tables(BL_DELTA_THUMB, false, true);
    print("tables-thumb", ",\n");
    make_tables(BL_DELTA_AARCH64, true, true);
    print("tables-aarch64", ",\n");
    make_tables(BL_DELTA_RISCV, false, false);
    print("tables-riscv", ",\n");
    make_windows(BL_DELTA_THUMB, 0);
    print("windows-thumb", ",\n");
    make_windows(BL_DELTA_AARCH64, 4);
    print("windows-aarch64", ",\n");
    make_sweep();
    print("sweep-riscv", ",\n");
    printf("]}\n");
    return 0;
}
