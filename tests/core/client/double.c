/* SPDX-License-Identifier: Apache-2.0 */
#include "double.h"

#include <string.h>

uint32_t double_build = 1;
uint64_t double_output;

enum { ARGUMENTS = 9 };

struct bl_delta {
    const struct bl_delta_io *io;
    uint32_t build;
    uint32_t new_size;
    uint32_t taken;
    uint32_t written;
    uint32_t n_args; /* of `arg`: the operation and its two numbers */
    uint8_t arg[ARGUMENTS];
    uint32_t from; /* of the operation under way */
    uint32_t left;
};

static uint32_t get32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
           (uint32_t)p[3] << 24;
}

uint32_t bl_delta_isas(void)
{
    return 1U << BL_DELTA_PLAIN | 1U << BL_DELTA_THUMB;
}

bl_status bl_delta_head(const void *patch, size_t n, struct bl_delta_info *out)
{
    const uint8_t *p = patch;

    if (n > 0 && p[0] != 'D') {
        return BL_DELTA_FORMAT;
    }
    if (n < DOUBLE_HEAD) {
        return BL_BUFFER;
    }
    memset(out, 0, sizeof(*out));
    out->in_place = p[1] != 0;
    out->ram = (uint32_t)p[2] << 8;
    out->old_size = get32(p + 4);
    out->new_size = get32(p + 8);
    memcpy(out->old_check, p + 12, BL_DELTA_CHECK);
    memcpy(out->new_check, p + 16, BL_DELTA_CHECK);
    out->n = DOUBLE_HEAD;
    return BL_OK;
}

bl_status bl_delta_start(const struct bl_delta_info *info,
                         const struct bl_delta_io *io, uint32_t old_limit,
                         uint32_t new_limit, void *memory, size_t size,
                         struct bl_delta **out)
{
    struct bl_delta *d = memory;

    if (info->ram > size) {
        return BL_DELTA_RAM;
    }
    if (info->old_size > old_limit || info->new_size > new_limit) {
        return BL_NO_SPACE;
    }
    memset(memory, 0xA5, info->ram);
    memset(d, 0, sizeof(*d));
    d->io = io;
    d->build = double_build;
    d->new_size = info->new_size;
    *out = d;
    return BL_OK;
}

static bl_status put(struct bl_delta *d, const uint8_t *p, uint32_t n)
{
    if (n > d->new_size - d->written) {
        return BL_DELTA_FORMAT;
    }
    d->written += n;
    double_output += n;
    return d->io->write(d->io->ctx, p, n);
}

/* A part of a copy; the others follow in later calls. */
static bl_status copy(struct bl_delta *d, uint32_t most)
{
    uint8_t bytes[DOUBLE_QUANTUM];
    uint32_t n = d->left < most ? d->left : most;
    bl_status s = (d->arg[0] == DOUBLE_COPY ? d->io->old : d->io->written)(
        d->io->ctx, d->from, bytes, n);

    d->from += n;
    d->left -= n;
    return s == BL_OK ? put(d, bytes, n) : s;
}

static bool copies(const struct bl_delta *d)
{
    return d->left > 0 && d->arg[0] != DOUBLE_LITERAL;
}

static bl_status argument(struct bl_delta *d, uint8_t byte)
{
    d->arg[d->n_args++] = byte;
    if (d->arg[0] != DOUBLE_COPY && d->arg[0] != DOUBLE_AGAIN &&
        d->arg[0] != DOUBLE_LITERAL) {
        return BL_DELTA_FORMAT;
    }
    if (d->n_args == ARGUMENTS) {
        d->from = get32(d->arg + 1);
        d->left = get32(d->arg + 5);
        d->n_args = 0;
    }
    return BL_OK;
}

static bl_status one(struct bl_delta *d, const uint8_t *p, size_t n,
                     size_t *used)
{
    uint32_t part = d->left < n ? d->left : (uint32_t)n;

    *used = 1;
    if (d->taken < DOUBLE_HEAD) {
        return BL_OK;
    }
    if (d->left == 0) {
        return argument(d, *p);
    }
    d->left -= part;
    *used = part;
    return put(d, p, part);
}

bl_status bl_delta_data(struct bl_delta *d, const void *patch, size_t n,
                        size_t *taken)
{
    bl_status s = BL_OK;
    size_t used;

    *taken = 0;
    if (copies(d)) {
        return copy(d, DOUBLE_QUANTUM);
    }
    while (s == BL_OK && *taken < n && !copies(d)) {
        s = one(d, (const uint8_t *)patch + *taken, n - *taken, &used);
        *taken += used;
        d->taken += (uint32_t)used;
    }
    return s;
}

bl_status bl_delta_end(struct bl_delta *d, bool *whole)
{
    *whole = d->left == 0 && d->n_args == 0 && d->written == d->new_size;
    if (*whole) {
        return BL_OK;
    }
    return copies(d) ? copy(d, DOUBLE_QUANTUM) : BL_DELTA_FORMAT;
}

uint32_t bl_delta_taken(const struct bl_delta *d)
{
    return d->taken;
}

uint32_t bl_delta_written(const struct bl_delta *d)
{
    return d->written;
}

bl_status bl_delta_resume(void *memory, size_t size,
                          const struct bl_delta_io *io, struct bl_delta **out)
{
    struct bl_delta *d = memory;

    (void)size;
    if (d->build != double_build) {
        return BL_DELTA_FORMAT;
    }
    d->io = io;
    *out = d;
    return BL_OK;
}
