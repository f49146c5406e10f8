/* SPDX-License-Identifier: Apache-2.0 */
/* ELF files, 32 and 64 bits, little-endian: segments become regions. */
#include "image.h"

enum {
    ELF_DYN = 3,
    ELF_LOAD = 1,
    ELF_X = 1,
    ELF_CODE = 4, /* SHF_EXECINSTR */
    ELF_NOBITS = 8,
    EM_THUMB = 40,
    EM_AMD64 = 62,
    EM_TENSILICA = 94,
    EM_A64 = 183,
    EM_RV = 243
};

struct elf {
    bool wide;
    uint32_t type, machine;
    uint32_t segments, segment_size, segment_at;
    uint32_t sections, section_size, section_at;
};

static bool elf_head(const struct image *i, struct elf *e)
{
    static const uint8_t magic[] = {0x7f, 'E', 'L', 'F'};
    if (i->n < 64 || memcmp(i->p, magic, 4) != 0 || i->p[5] != 1 ||
        (i->p[4] != 1 && i->p[4] != 2)) {
        return false;
    }
    e->wide = i->p[4] == 2;
    e->type = image_u16(i, 16);
    e->machine = image_u16(i, 18);
    e->segment_at = image_u32(i, e->wide ? 32 : 28);
    e->section_at = image_u32(i, e->wide ? 40 : 32);
    uint32_t at = e->wide ? 54 : 42;
    e->segment_size = image_u16(i, at);
    e->segments = image_u16(i, at + 2);
    e->section_size = image_u16(i, at + 4);
    e->sections = image_u16(i, at + 6);
    return e->segment_size >= (e->wide ? 56u : 32u) && e->segment_at < i->n &&
           e->segments < 4096;
}

static bool machine_isa(uint32_t machine, uint8_t *isa)
{
    switch (machine) {
    case EM_THUMB:
        *isa = BL_DELTA_THUMB;
        return true;
    case EM_AMD64:
        *isa = BL_DELTA_X86_64;
        return true;
    case EM_TENSILICA:
        *isa = BL_DELTA_XTENSA;
        return true;
    case EM_A64:
        *isa = BL_DELTA_AARCH64;
        return true;
    case EM_RV:
        *isa = BL_DELTA_RISCV;
        return true;
    default:
        return false;
    }
}

/* Where the sections with code begin and end within [low, high): a segment
 * with code also holds tables, which are read otherwise. */
static bool code_part(const struct image *i, const struct elf *e, uint32_t low,
                      uint32_t high, struct bl_range *out)
{
    struct bl_range s = {high, low};
    for (uint32_t k = 0; k < e->sections && k < 4096; k++) {
        uint64_t at = (uint64_t)e->section_at + (uint64_t)k * e->section_size;
        if (at + 64 > i->n) {
            break;
        }
        uint32_t h = (uint32_t)at;
        uint32_t flags = image_u32(i, h + 8);
        uint32_t offset = image_u32(i, h + (e->wide ? 24 : 16));
        uint32_t size = image_u32(i, h + (e->wide ? 32 : 20));
        if ((flags & ELF_CODE) == 0 || image_u32(i, h + 4) == ELF_NOBITS ||
            offset < low || offset >= high || size > high - offset) {
            continue;
        }
        s.low = offset < s.low ? offset : s.low;
        s.high = offset + size > s.high ? offset + size : s.high;
    }
    *out = s;
    return s.low < s.high;
}

static void region_add(struct image *i, uint32_t offset, uint32_t address,
                       uint32_t size, bool code)
{
    if (size != 0 && i->regions < BL_REGIONS) {
        struct bl_region r = {offset, address, size, code};
        i->region[i->regions++] = r;
    }
}

/* A segment as up to three regions: before, in and behind its code. */
static void segment_add(struct image *i, const struct elf *e, uint32_t offset,
                        uint32_t address, uint32_t size, bool code)
{
    struct bl_range part;
    if (!code || !code_part(i, e, offset, offset + size, &part)) {
        region_add(i, offset, address, size, code);
        return;
    }
    part.low &= ~3u;
    part.high = (part.high + 3) & ~3u;
    part.high = part.high > offset + size ? offset + size : part.high;
    if (part.low < offset) {
        part.low = offset;
    }
    region_add(i, offset, address, part.low - offset, false);
    region_add(i, part.low, address + (part.low - offset),
               part.high - part.low, true);
    region_add(i, part.high, address + (part.high - offset),
               offset + size - part.high, false);
}

static bool elf_regions(struct image *i, const struct elf *e)
{
    i->regions = 0;
    uint32_t end = 0;
    for (uint32_t k = 0; k < e->segments; k++) {
        uint64_t at = (uint64_t)e->segment_at + (uint64_t)k * e->segment_size;
        if (at + e->segment_size > i->n) {
            return false;
        }
        uint32_t h = (uint32_t)at;
        if (image_u32(i, h) != ELF_LOAD) {
            continue;
        }
        uint32_t flags = image_u32(i, h + (e->wide ? 4 : 24));
        uint32_t offset = image_u32(i, h + (e->wide ? 8 : 4));
        uint32_t address = image_u32(i, h + (e->wide ? 16 : 8));
        uint32_t size = image_u32(i, h + (e->wide ? 32 : 16));
        if (offset < end || offset > i->n || size > i->n - offset ||
            size > UINT32_MAX - address) {
            return false;
        }
        segment_add(i, e, offset, address, size, (flags & ELF_X) != 0);
        end = offset + size;
    }
    return i->regions != 0;
}

bool elf_detect(struct layout *l)
{
    struct elf a, b;
    if (!elf_head(&l->old, &a) || !elf_head(&l->now, &b) ||
        a.machine != b.machine || a.wide != b.wide ||
        !machine_isa(a.machine, &l->code.isa) || !elf_regions(&l->old, &a) ||
        !elf_regions(&l->now, &b)) {
        return false;
    }
    l->kind = IMAGE_ELF;
    l->code.pic = a.type == ELF_DYN && b.type == ELF_DYN;
    l->found = "from the ELF header";
    return true;
}
