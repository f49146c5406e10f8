/* SPDX-License-Identifier: Apache-2.0 */
/* ELF files, 32 and 64 bits, little-endian: segments become regions. */
#include "image.h"

enum {
    ELF_DYN = 3,
    ELF_LOAD = 1,
    ELF_EH_FRAME_HDR = 0x6474e550,
    ELF_X = 1,
    SECTION_BITS = 1,
    SECTION_SYMBOLS = 11, /* of libraries */
    SECTION_CODE = 4,
    SECTION_LOADED = 2,
    SECTION_RELA = 4,
    SECTION_REL = 9,
    CODE_GAP = 64,
    CODE_RUNS = 3,
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
    e->section_size = image_u16(i, e->wide ? 58 : 46);
    e->sections = image_u16(i, e->wide ? 60 : 48);
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
                       uint32_t size, uint32_t kind)
{
    if (size != 0 && i->regions < BL_REGIONS) {
        struct bl_region r = {offset, address, size, kind};
        i->region[i->regions++] = r;
    }
}

/* Takes a part out of the middle of the region that holds it. */
static void region_split(struct image *i, uint32_t offset, uint32_t size,
                         uint32_t kind)
{
    for (uint32_t k = 0; k < i->regions; k++) {
        struct bl_region r = i->region[k];
        if (offset < r.offset || offset - r.offset > r.length ||
            size > r.length - (offset - r.offset) ||
            i->regions + 2 > BL_REGIONS) {
            continue;
        }
        struct bl_region rest[BL_REGIONS];
        uint32_t left = i->regions - k - 1, head = offset - r.offset;
        memcpy(rest, &i->region[k + 1], left * sizeof *rest);
        i->regions = k;
        region_add(i, r.offset, r.address, head, r.kind);
        region_add(i, offset, r.address + head, size, kind);
        region_add(i, offset + size, r.address + head + size,
                   r.length - head - size, r.kind);
        memcpy(&i->region[i->regions], rest, left * sizeof *rest);
        i->regions += left;
        return;
    }
}

/* Sections of code that follow each other, as [*from, *to). False: no more
 * behind *to. */
static bool code_run(const struct image *i, const struct elf *e,
                     uint32_t *from, uint32_t *to)
{
    uint32_t behind = *to;
    bool found = false;
    for (uint32_t k = 0; k < e->sections; k++) {
        uint64_t at = (uint64_t)e->section_at + (uint64_t)k * e->section_size;
        if (at + e->section_size > i->n) {
            return false;
        }
        uint32_t h = (uint32_t)at;
        uint32_t type = image_u32(i, h + 4), flags = image_u32(i, h + 8);
        uint32_t offset = image_u32(i, h + 24), size = image_u32(i, h + 32);
        if (type != SECTION_BITS || (flags & SECTION_CODE) == 0 ||
            offset < behind || size == 0 || offset > i->n ||
            size > i->n - offset) {
            continue;
        }
        if (!found) {
            *from = offset;
        } else if (offset < *to || offset - *to > CODE_GAP) {
            break;
        }
        found = true;
        *to = offset + size;
    }
    return found;
}

/* A segment that may be executed may hold much that is not code. */
static void sections_split(struct image *i, const struct elf *e)
{
    uint32_t from = 0, to = 0, runs = 0;
    if (!e->wide || e->section_size < 64) {
        return;
    }
    while (code_run(i, e, &from, &to)) {
        runs++;
    }
    if (runs == 0 || runs > CODE_RUNS) {
        return;
    }
    for (uint32_t k = 0; k < i->regions; k++) {
        if (i->region[k].kind == BL_REGION_CODE) {
            i->region[k].kind = BL_REGION_DATA;
        }
    }
    to = 0;
    while (code_run(i, e, &from, &to)) {
        region_split(i, from, to - from, BL_REGION_CODE);
    }
}

struct section {
    uint32_t type, flags, offset, size;
};

static bool section_read(const struct image *i, const struct elf *e,
                         uint32_t k, struct section *s)
{
    uint64_t at = (uint64_t)e->section_at + (uint64_t)k * e->section_size;
    if (k >= e->sections || e->section_size < (e->wide ? 64u : 40u) ||
        at + e->section_size > i->n) {
        return false;
    }
    uint32_t h = (uint32_t)at;
    s->type = image_u32(i, h + 4);
    s->flags = image_u32(i, h + 8);
    s->offset = image_u32(i, h + (e->wide ? 24 : 16));
    s->size = image_u32(i, h + (e->wide ? 32 : 20));
    return true;
}

/* The table of dynamic symbols. */
static bool symbols_find(const struct image *i, const struct elf *e,
                         struct section *s)
{
    uint32_t entry = e->wide ? 24 : 16;
    for (uint32_t k = 0; section_read(i, e, k, s); k++) {
        if (s->type == SECTION_SYMBOLS && s->size >= 16 * entry &&
            s->size % entry == 0 && s->offset <= i->n &&
            s->size <= i->n - s->offset) {
            return true;
        }
    }
    return false;
}

/* Have symbols come or gone? Their regions cost some bytes. */
static bool symbols_differ(const struct image *a, const struct elf *ea,
                           const struct image *b, const struct elf *eb)
{
    struct section s, t;
    if (!symbols_find(a, ea, &s) || !symbols_find(b, eb, &t)) {
        return false;
    }
    if (s.size != t.size) {
        return true;
    }
    for (uint32_t k = 0; k < s.size; k += ea->wide ? 24 : 16) {
        if (image_u32(a, s.offset + k) != image_u32(b, t.offset + k)) {
            return true;
        }
    }
    return false;
}

/* Where names of symbols count from the strings that follow. */
static void symbols_split(struct image *i, const struct elf *e)
{
    struct section s;
    if (symbols_find(i, e, &s)) {
        region_split(i, s.offset, s.size,
                     e->wide ? BL_REGION_SYMBOLS_24 : BL_REGION_SYMBOLS_16);
    }
}

/* Where symbols are named by their numbers: all tables that follow each
 * other. */
static void relocations_split(struct image *i, const struct elf *e)
{
    struct section s;
    uint32_t from = 0, size = 0;
    for (uint32_t k = 0; section_read(i, e, k, &s); k++) {
        bool ours = s.type == (e->wide ? SECTION_RELA : SECTION_REL) &&
                    (s.flags & SECTION_LOADED) != 0;
        if (ours && size == 0) {
            from = s.offset;
        }
        if (ours && s.offset == from + size) {
            size += s.size;
        }
    }
    if (size >= 256) {
        region_split(i, from, size,
                     e->wide ? BL_REGION_RELOCS_24 : BL_REGION_RELOCS_8);
    }
}

static bool elf_regions(struct image *i, const struct elf *e)
{
    i->regions = 0;
    uint32_t end = 0, table = 0, table_size = 0;
    for (uint32_t k = 0; k < e->segments; k++) {
        uint64_t at = (uint64_t)e->segment_at + (uint64_t)k * e->segment_size;
        if (at + e->segment_size > i->n) {
            return false;
        }
        uint32_t h = (uint32_t)at;
        uint32_t type = image_u32(i, h);
        uint32_t flags = image_u32(i, h + (e->wide ? 4 : 24));
        uint32_t offset = image_u32(i, h + (e->wide ? 8 : 4));
        uint32_t address = image_u32(i, h + (e->wide ? 16 : 8));
        uint32_t size = image_u32(i, h + (e->wide ? 32 : 16));
        if (type == ELF_EH_FRAME_HDR) {
            table = offset;
            table_size = size;
        }
        if (type != ELF_LOAD) {
            continue;
        }
        if (offset < end || offset > i->n || size > i->n - offset ||
            size > UINT32_MAX - address) {
            return false;
        }
        region_add(i, offset, address, size,
                   (flags & ELF_X) != 0 ? BL_REGION_CODE : BL_REGION_DATA);
        end = offset + size;
    }
    sections_split(i, e);
    if (table_size != 0) {
        region_split(i, table, table_size, BL_REGION_TABLE);
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
    if (symbols_differ(&l->old, &a, &l->now, &b)) {
        symbols_split(&l->old, &a);
        symbols_split(&l->now, &b);
        relocations_split(&l->old, &a);
        relocations_split(&l->now, &b);
    }
    l->kind = IMAGE_ELF;
    l->code.pic = a.type == ELF_DYN && b.type == ELF_DYN;
    l->found = "from the ELF header";
    return true;
}
