/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a device does with a patch, to be counted: apply OLD PATCH TIMES.
 * Prints bytes of output, memory, the deepest stack below the caller, bytes
 * read of the old image and read back of the new one.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bowline/delta.h"

enum { STACK = 256 * 1024, PAINT = 0xA5, PORTION = 1024 };

struct file {
    uint8_t *p;
    uint32_t n;
};

struct work {
    struct file old, patch, made;
    struct bl_delta_info info;
    uint64_t *memory;
    uint64_t reads, back;
    uint8_t *stack, *entry;
    bl_status status;
};

static struct file load(const char *name)
{
    struct file f = {NULL, 0};
    FILE *in = fopen(name, "rb");
    if (in == NULL) {
        perror(name);
        exit(1);
    }
    fseek(in, 0, SEEK_END);
    f.n = (uint32_t)ftell(in);
    rewind(in);
    f.p = malloc(f.n + 1);
    if (f.p == NULL || fread(f.p, 1, f.n, in) != f.n) {
        perror(name);
        exit(1);
    }
    fclose(in);
    return f;
}

static bl_status read_old(void *ctx, uint32_t offset, void *out, uint32_t n)
{
    struct work *w = ctx;
    w->reads += n;
    memcpy(out, w->old.p + offset, n);
    return BL_OK;
}

static bl_status read_new(void *ctx, uint32_t offset, void *out, uint32_t n)
{
    struct work *w = ctx;
    w->back += n;
    memcpy(out, w->made.p + offset, n);
    return BL_OK;
}

static bl_status write_new(void *ctx, const void *data, uint32_t n)
{
    struct work *w = ctx;
    memcpy(w->made.p + w->made.n, data, n);
    w->made.n += n;
    return BL_OK;
}

static bl_status feed(struct work *w, struct bl_delta *d)
{
    bl_status status = BL_OK;
    bool whole = false;
    uint32_t at = 0;
    while (status == BL_OK && !whole) {
        size_t taken = 0;
        uint32_t n = w->patch.n - at < PORTION ? w->patch.n - at : PORTION;
        status = n == 0 ? bl_delta_end(d, &whole)
                        : bl_delta_data(d, w->patch.p + at, n, &taken);
        at += (uint32_t)taken;
    }
    return status;
}

static void *apply(void *ctx)
{
    struct work *w = ctx;
    const struct bl_delta_io io = {w, read_old, read_new, write_new};
    struct bl_delta *d;
    uint8_t here;
    w->entry = &here;
    w->made.n = 0;
    w->status = bl_delta_start(&w->info, &io, w->old.n, w->info.new_size,
                               w->memory, w->info.ram, &d);
    if (w->status == BL_OK) {
        w->status = feed(w, d);
    }
    return NULL;
}

/* On a painted stack of its own. */
static void apply_painted(struct work *w)
{
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setstack(&attributes, w->stack, STACK);
    if (pthread_create(&thread, &attributes, apply, w) != 0) {
        perror("thread");
        exit(1);
    }
    pthread_join(thread, NULL);
}

static unsigned long deepest(const struct work *w)
{
    const uint8_t *p = w->stack;
    while (p < w->entry && *p == PAINT) {
        p++;
    }
    return (unsigned long)(w->entry - p);
}

int main(int argc, char **argv)
{
    struct work w;
    long times;
    if (argc != 4) {
        fprintf(stderr, "usage: apply OLD PATCH TIMES\n");
        return 2;
    }
    memset(&w, 0, sizeof w);
    w.old = load(argv[1]);
    w.patch = load(argv[2]);
    if (bl_delta_head(w.patch.p, w.patch.n, &w.info) != BL_OK) {
        fprintf(stderr, "%s: not a patch\n", argv[2]);
        return 1;
    }
    w.made.p = calloc(1, w.info.new_size);
    w.memory = calloc(1, w.info.ram);
    w.stack = aligned_alloc(4096, STACK);
    if (w.made.p == NULL || w.memory == NULL || w.stack == NULL) {
        perror("memory");
        return 1;
    }
    memset(w.stack, PAINT, STACK); /* once: not to be counted for each */
    for (times = atol(argv[3]); times > 0; times--) {
        apply_painted(&w);
    }
    printf("%u %u %lu %llu %llu %d\n", (unsigned)w.info.new_size,
           (unsigned)w.info.ram, w.entry != NULL ? deepest(&w) : 0UL,
           (unsigned long long)w.reads, (unsigned long long)w.back,
           (int)w.status);
    return w.status == BL_OK ? 0 : 1;
}
