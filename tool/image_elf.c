/* SPDX-License-Identifier: Apache-2.0 */
/* ELF files of 32 and 64 bits, either byte order. */
#include <stdio.h>
#include <string.h>

#include "bowline/firmware.h"
#include "image.h"

enum { HEADER_32 = 52, HEADER_64 = 64, SECTION_32 = 40, SECTION_64 = 64 };

struct elf { /* a file and how to read its numbers */
    bl_span file;
    bool wide;
    bool big;
};

struct section {
    uint32_t name;
    uint32_t type;
    uint64_t offset;
    uint64_t size;
};

enum { SHT_NULL_ = 0, SHT_NOBITS_ = 8 };

static uint64_t number(const struct elf *e, uint64_t at, unsigned n)
{
    uint64_t value = 0;
    unsigned i;

    for (i = 0; i < n; i++) {
        uint64_t byte = e->file.p[at + (e->big ? i : n - 1 - i)];

        value = value << 8 | byte;
    }
    return value;
}

static bool inside(const struct elf *e, uint64_t at, uint64_t n)
{
    return at <= e->file.n && n <= e->file.n - at;
}

static const char *machine_name(uint16_t machine)
{
    static const struct {
        uint16_t number;
        const char *name;
    } known[] = {{3, "x86"},      {8, "MIPS"},     {20, "PowerPC"},
                 {40, "ARM"},     {62, "x86-64"},  {83, "AVR"},
                 {94, "Xtensa"},  {105, "MSP430"}, {183, "AArch64"},
                 {243, "RISC-V"}, {195, "ARC v2"}, {258, "LoongArch"}};
    size_t i;

    for (i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (known[i].number == machine) {
            return known[i].name;
        }
    }
    return "unknown machine";
}

static const char *type_name(uint16_t type)
{
    static const char *const known[] = {"file", "object", "executable",
                                        "shared object or PIE", "core dump"};

    return type < sizeof known / sizeof known[0] ? known[type] : "file";
}

static void read_section(const struct elf *e, uint64_t at, struct section *out)
{
    out->name = (uint32_t)number(e, at, 4);
    out->type = (uint32_t)number(e, at + 4, 4);
    out->offset = number(e, at + (e->wide ? 24 : 16), e->wide ? 8 : 4);
    out->size = number(e, at + (e->wide ? 32 : 20), e->wide ? 8 : 4);
}

static bool is_named(const struct elf *e, const struct section *names,
                     const struct section *s, const char *name)
{
    size_t n = strlen(name) + 1;

    return s->name < names->size && names->size - s->name >= n &&
           memcmp(e->file.p + names->offset + s->name, name, n) == 0;
}

/* Every section must lie inside the file; the one named .bowline counts. */
static void walk_sections(const struct elf *e, uint64_t table, uint32_t n,
                          uint32_t names_index, struct image *out)
{
    const uint64_t size = e->wide ? SECTION_64 : SECTION_32;
    struct section names = {0};
    struct section s;
    uint32_t i;

    if (names_index < n) {
        read_section(e, table + names_index * size, &names);
    }
    if (!inside(e, names.offset, names.size)) {
        image_problem(out, "its section names lie outside the file: cut off?");
        return;
    }
    for (i = 0; i < n; i++) {
        read_section(e, table + i * size, &s);
        if (s.type == SHT_NULL_ || s.type == SHT_NOBITS_) {
            continue;
        }
        if (!inside(e, s.offset, s.size)) {
            image_problem(out, "section %u lies outside the file: cut off?",
                          i);
            return;
        }
        if (is_named(e, &names, &s, ".bowline")) {
            out->elf.has_bowline_section = true;
            image_find_record(e->file, s.offset, s.offset + s.size, out);
        }
    }
}

static void read_sections(const struct elf *e, struct image *out)
{
    uint64_t table = number(e, e->wide ? 40 : 32, e->wide ? 8 : 4);
    uint64_t size = number(e, e->wide ? 58 : 46, 2);
    uint32_t n = (uint32_t)number(e, e->wide ? 60 : 48, 2);
    uint32_t names = (uint32_t)number(e, e->wide ? 62 : 50, 2);

    out->elf.n_sections = n;
    if (n == 0 || table == 0) {
        return; /* stripped of them: allowed */
    }
    if (size != (e->wide ? SECTION_64 : SECTION_32) ||
        !inside(e, table, n * size)) {
        image_problem(out, "its section table lies outside the file: cut "
                           "off?");
        return;
    }
    walk_sections(e, table, n, names, out);
}

/* What is loaded must be in the file, also when it has no sections. */
static void read_segments(const struct elf *e, struct image *out)
{
    uint64_t table = number(e, e->wide ? 32 : 28, e->wide ? 8 : 4);
    uint64_t size = number(e, e->wide ? 54 : 42, 2);
    uint64_t n = number(e, e->wide ? 56 : 44, 2);
    uint64_t i;

    if (n == 0) {
        return;
    }
    if (size != (e->wide ? 56U : 32U) || !inside(e, table, n * size)) {
        image_problem(out, "its program table lies outside the file: cut "
                           "off?");
        return;
    }
    for (i = 0; i < n; i++) {
        uint64_t at = table + i * size;
        uint64_t offset = number(e, at + (e->wide ? 8 : 4), e->wide ? 8 : 4);
        uint64_t length = number(e, at + (e->wide ? 32 : 16), e->wide ? 8 : 4);

        if (!inside(e, offset, length)) {
            image_problem(out, "segment %u lies outside the file: cut off?",
                          (unsigned)i);
            return;
        }
    }
}

static void read_header(const struct elf *e, struct image *out)
{
    struct image_elf *elf = &out->elf;

    elf->bits = e->wide ? 64 : 32;
    elf->big_endian = e->big;
    elf->type = (uint16_t)number(e, 16, 2);
    elf->machine = (uint16_t)number(e, 18, 2);
    elf->type_name = type_name(elf->type);
    elf->machine_name = machine_name(elf->machine);
    elf->entry = number(e, 24, e->wide ? 8 : 4);
    (void)snprintf(out->what, sizeof out->what, "ELF %u-bit %s %s", elf->bits,
                   elf->machine_name, elf->type_name);
}

bool image_elf_read(bl_span file, struct image *out)
{
    struct elf e = {file, false, false};

    if (file.n < 16 || memcmp(file.p, "\177ELF", 4) != 0 ||
        (file.p[4] != 1 && file.p[4] != 2) ||
        (file.p[5] != 1 && file.p[5] != 2)) {
        return false;
    }
    out->kind = IMAGE_ELF;
    e.wide = file.p[4] == 2;
    e.big = file.p[5] == 2;
    if (file.n < (size_t)(e.wide ? HEADER_64 : HEADER_32)) {
        (void)snprintf(out->what, sizeof out->what, "ELF file");
        image_problem(out, "the file ends inside the ELF header");
        return true;
    }
    read_header(&e, out);
    read_segments(&e, out);
    read_sections(&e, out);
    if (out->source == VERSION_NONE) {
        image_find_record(file, 0, file.n, out);
    }
    return true;
}
