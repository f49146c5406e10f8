/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two images of the input, or made and then damaged: the patch between them
 * must give the second again, within the memory that was asked for. The first
 * four bytes: options, how long the old image is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "carry.h"
#include "delta_kinds.h"

enum { LEAD = 4, IMAGE = 8192, ONE_FRESH_IN = 32 };

static void stop(const char *what)
{
    fprintf(stderr, "%s\n", what);
    abort();
}

static void check(const uint8_t *old, size_t old_n, const uint8_t *to,
                  size_t n, const struct diff_options *o)
{
    static uint8_t now[IMAGE];
    struct buffer patch = BUFFER(SIZE_MAX);
    struct diff_report report;
    struct error error = {0};
    struct carry c = {.old = old,
                      .old_n = (uint32_t)old_n,
                      .now = now,
                      .room = IMAGE,
                      .moves = true,
                      .dice = {n}};

    if (diff_make(old, old_n, to, n, o, &patch, &report, &error) != 0) {
        stop(error.text);
    }
    if (report.info.ram > o->ram) {
        stop("more memory than asked for");
    }
    if (!carry_gives(&c, patch.p, patch.n, to, n)) {
        stop(c.broken != NULL ? c.broken : "another image came back");
    }
    buffer_free(&patch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t rams[] = {6, 8, 12, 16, 32};
    struct diff_options o;
    size_t old_n;

    if (size < LEAD + 2 || size > LEAD + IMAGE) {
        return 0;
    }
    diff_defaults(&o);
    o.effort = data[1] >> 7;
    o.no_deflate = (data[1] & 64) != 0;
    o.isa = data[1] % 8 < BL_DELTA_ISAS ? data[1] % 8 : DIFF_DETECT;
    o.ram = rams[data[0] % 5] * 1024U;
    old_n = 1 + (data[2] | (size_t)data[3] << 8) % (size - LEAD - 1);
    check(data + LEAD, old_n, data + LEAD + old_n, size - LEAD - old_n, &o);
    return 0;
}

static size_t fresh(uint8_t *data, size_t max_size, struct dice *d)
{
    static struct made m;
    size_t size;

    kind_images(dice_roll(d, KINDS), dice_roll(d, 1U << 30), &m);
    size = LEAD + m.old_n + m.now_n;
    if (size > max_size) {
        return 0;
    }
    data[0] = (uint8_t)dice_roll(d, 256);
    data[1] = (uint8_t)dice_roll(d, 256);
    data[2] = (uint8_t)(m.old_n - 1);
    data[3] = (uint8_t)((m.old_n - 1) >> 8);
    memcpy(data + LEAD, m.old, m.old_n);
    memcpy(data + LEAD + m.old_n, m.now, m.now_n);
    return size;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
                               unsigned int seed)
{
    struct dice d = {seed};
    size_t made = 0;

    if (dice_roll(&d, ONE_FRESH_IN) == 0 || size <= LEAD) {
        made = fresh(data, max_size, &d);
    }
    if (made != 0) {
        return made;
    }
    return LLVMFuzzerMutate(data, size, max_size);
}
