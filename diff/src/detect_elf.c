/* SPDX-License-Identifier: Apache-2.0 */
/* ELF files, 32 and 64 bits, little-endian: segments become regions. */
#include "image.h"

enum {
    ELF_DYN = 3,
    ELF_LOAD = 1,
    ELF_X = 1,
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
    uint32_t at = e->wide ? 54 : 42;
    e->segment_size = image_u16(i, at);
    e->segments = image_u16(i, at + 2);
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

static void region_add(struct image *i, uint32_t offset, uint32_t address,
                       uint32_t size, bool code)
{
    if (size != 0 && i->regions < BL_REGIONS) {
        struct bl_region r = {offset, address, size, code};
        i->region[i->regions++] = r;
    }
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
        region_add(i, offset, address, size, (flags & ELF_X) != 0);
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
