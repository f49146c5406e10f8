/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prints tests/vectors/delta/vectors.json but for its vectors that must be
 * refused (make.py adds these): made-up images, a patch of today's encoder for
 * each feature of the format, and the SHA-256 of what must come out.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bowline/sha256.h"
#include "made.h"

struct vector {
    const char *name;
    uint32_t kind; /* of made_images: instruction set + 6 * wrapping */
    uint8_t isa;
    uint16_t ram; /* KB */
    void (*edit)(struct made *m);
};

enum { RAW = 0, ESP = 6, ELF = 12, MEMBERS = 18, FUNCTIONS = 40 };

static struct made pair;
static struct buffer patch = BUFFER(SIZE_MAX);

static void same(struct made *m)
{
    memcpy(m->now, m->old, m->old_n);
    m->now_n = m->old_n;
}

static void one_byte(struct made *m)
{
    same(m);
    m->now[m->now_n / 3] ^= 0x40;
}

/* New bytes, twice: the second time they stand there already. */
static void again(struct made *m)
{
    struct dice d = {77};
    same(m);
    fill_noise(&d, m->now + m->now_n, 200);
    memcpy(m->now + m->now_n + 200, m->now + m->now_n, 200);
    m->now_n += 400;
}

static void noise(struct made *m)
{
    struct dice d = {78};
    m->now_n = 700;
    fill_noise(&d, m->now, m->now_n);
}

static void signature(struct made *m)
{
    struct dice d = {79};
    fill_noise(&d, m->old + m->old_n, 64);
    m->old_n += 64;
    fill_noise(&d, m->now + m->now_n, 64);
    m->now_n += 64;
}

static void in_place(struct made *m)
{
    m->options.in_place = true;
    m->options.block = 1024;
}

/* The halves change places, and a bit more: no order of blocks is good. */
static void turned(struct made *m)
{
    size_t at = m->old_n / 2 + 100;
    in_place(m);
    memcpy(m->now, m->old + at, m->old_n - at);
    memcpy(m->now + m->old_n - at, m->old, at);
    m->now_n = m->old_n;
}

static const struct vector vectors[] = {
    {"plain", RAW + BL_DELTA_PLAIN, BL_DELTA_PLAIN, 12, NULL},
    {"thumb", RAW + BL_DELTA_THUMB, BL_DELTA_THUMB, 12, NULL},
    {"thumb-6k", RAW + BL_DELTA_THUMB, BL_DELTA_THUMB, 6, NULL},
    {"thumb-32k", RAW + BL_DELTA_THUMB, BL_DELTA_THUMB, 32, NULL},
    {"riscv", RAW + BL_DELTA_RISCV, BL_DELTA_RISCV, 12, NULL},
    {"xtensa", RAW + BL_DELTA_XTENSA, BL_DELTA_XTENSA, 12, NULL},
    {"aarch64", RAW + BL_DELTA_AARCH64, BL_DELTA_AARCH64, 12, NULL},
    {"x86-64", RAW + BL_DELTA_X86_64, BL_DELTA_X86_64, 12, NULL},
    {"esp-riscv", ESP + BL_DELTA_RISCV, DIFF_DETECT, 12, NULL},
    {"esp-xtensa", ESP + BL_DELTA_XTENSA, DIFF_DETECT, 12, NULL},
    {"esp-riscv-signature", ESP + BL_DELTA_RISCV, DIFF_DETECT, 12, signature},
    {"elf-thumb", ELF + BL_DELTA_THUMB, DIFF_DETECT, 12, NULL},
    {"elf-riscv", ELF + BL_DELTA_RISCV, DIFF_DETECT, 12, NULL},
    {"elf-aarch64", ELF + BL_DELTA_AARCH64, DIFF_DETECT, 12, NULL},
    {"deflate-thumb", MEMBERS + BL_DELTA_THUMB, BL_DELTA_THUMB, 16, NULL},
    {"deflate-plain", MEMBERS + BL_DELTA_PLAIN, BL_DELTA_PLAIN, 16, NULL},
    {"same", RAW + BL_DELTA_THUMB, DIFF_DETECT, 12, same},
    {"one-byte", RAW + BL_DELTA_THUMB, DIFF_DETECT, 12, one_byte},
    {"again", RAW + BL_DELTA_RISCV, BL_DELTA_RISCV, 12, again},
    {"nothing-alike", RAW + BL_DELTA_PLAIN, BL_DELTA_PLAIN, 12, noise},
    {"in-place-thumb", RAW + BL_DELTA_THUMB, BL_DELTA_THUMB, 12, in_place},
    {"in-place-riscv", RAW + BL_DELTA_RISCV, BL_DELTA_RISCV, 12, in_place},
    {"in-place-turned", RAW + BL_DELTA_THUMB, BL_DELTA_THUMB, 12, turned},
};

static void print_hex(const void *data, size_t n)
{
    const uint8_t *p = data;
    putchar('"');
    for (size_t k = 0; k < n; k++) {
        printf("%02x", p[k]);
    }
    putchar('"');
}

static void make(const struct vector *v)
{
    struct dice d = {4711 + v->kind};
    diff_defaults(&pair.options);
    pair.options.isa = v->isa;
    pair.options.ram = v->ram * 1024U;
    if (v->isa != DIFF_DETECT && v->kind < MEMBERS) {
        pair.options.has_base = true;
        pair.options.base = 0x08004000;
    }
    made_images(&d, v->kind, FUNCTIONS, &pair);
    if (v->edit != NULL) {
        v->edit(&pair);
    }
}

static int print(const struct vector *v)
{
    struct diff_report report;
    struct error error = {0};
    uint8_t digest[BL_SHA256_SIZE];
    make(v);
    if (diff_make(pair.old, pair.old_n, pair.now, pair.now_n, &pair.options,
                  &patch, &report, &error) != 0) {
        (void)fprintf(stderr, "%s: %s\n", v->name, error.text);
        return -1;
    }
    bl_sha256(pair.now, pair.now_n, digest);
    printf("{\"name\": \"%s\", \"expected\": \"accept\",\n\"ram\": %" PRIu32
           ", \"new_size\": %zu, \"new_sha256\": ",
           v->name, report.info.ram, pair.now_n);
    print_hex(digest, sizeof digest);
    printf(",\n\"old\": ");
    print_hex(pair.old, pair.old_n);
    printf(",\n\"patch\": ");
    print_hex(patch.p, patch.n);
    printf("}");
    return 0;
}

int main(void)
{
    size_t n = sizeof vectors / sizeof vectors[0];
    printf("{\"vectors\": [\n");
    for (size_t i = 0; i < n; i++) {
        if (print(&vectors[i]) != 0) {
            return 1;
        }
        printf(i + 1 < n ? ",\n" : "\n]}\n");
    }
    buffer_free(&patch);
    return 0;
}
