/* SPDX-License-Identifier: Apache-2.0 */
#include "members.h"

#include <stdlib.h>
#include <string.h>

#include "deflate_read.h"
#include "deflate_write.h"
#include "inflated.h"

struct image_bytes {
    const uint8_t *p;
    uint32_t n;
};

/* Compares what is written with what stands in the image. */
struct compare {
    struct image_bytes image;
    uint32_t at;
};

enum { HEAD_GZIP, HEAD_ZLIB, HEAD_ZIP };

/* What stands before a stream, and where. */
struct head {
    int kind;
    uint32_t stream;
    uint32_t name;
    uint32_t crc; /* HEAD_ZIP; 0: stands behind the stream */
};

static bl_status get(void *ctx, uint32_t offset, uint8_t *byte)
{
    const struct image_bytes *image = ctx;

    *byte = image->p[offset];
    return BL_OK;
}

static bl_status put(void *ctx, uint8_t byte)
{
    struct compare *c = ctx;

    if (c->at >= c->image.n || c->image.p[c->at] != byte) {
        return BL_DELTA_FORMAT;
    }
    c->at++;
    return BL_OK;
}

static uint32_t little(const uint8_t *p, unsigned n)
{
    uint32_t value = 0;

    while (n > 0) {
        n--;
        value = value << 8 | p[n];
    }
    return value;
}

static uint32_t big(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
           p[3];
}

static uint32_t hash(const uint8_t *p, uint32_t n)
{
    uint32_t h = 2166136261U;

    while (n > 0) {
        n--;
        h = (h ^ *p++) * 16777619U;
    }
    return h | 1U;
}

/* Behind a string that ends with a zero byte; `n` when it does not end. */
static uint32_t behind_text(struct image_bytes image, uint32_t at)
{
    const uint8_t *end =
        at < image.n ? memchr(image.p + at, 0, image.n - at) : NULL;

    return end == NULL ? image.n : (uint32_t)(end - image.p) + 1;
}

/* RFC 1952 */
static bool gzip_head(struct image_bytes image, uint32_t at, struct head *h)
{
    enum { CRC = 2, EXTRA = 4, NAME = 8, COMMENT = 16, OTHERS = 0xE0 };
    const uint8_t *p = image.p + at;
    uint32_t next = at + 10;

    if (image.n - at < 18 || p[0] != 0x1F || p[1] != 0x8B || p[2] != 8 ||
        (p[3] & OTHERS) != 0) {
        return false;
    }
    h->kind = HEAD_GZIP;
    h->name = 0;
    if ((p[3] & EXTRA) != 0) {
        next += 2 + little(p + 10, 2);
    }
    if ((p[3] & NAME) != 0) {
        uint32_t end = behind_text(image, next);

        h->name = next < end ? hash(image.p + next, end - next - 1) : 0;
        next = end;
    }
    if ((p[3] & COMMENT) != 0) {
        next = behind_text(image, next);
    }
    h->stream = next + ((p[3] & CRC) != 0 ? 2U : 0U);
    return h->stream < image.n;
}

/* RFC 1950, without a dictionary */
static bool zlib_head(struct image_bytes image, uint32_t at, struct head *h)
{
    const uint8_t *p = image.p + at;

    if (image.n - at < 8 || (p[0] & 0x8F) != 8 || (p[1] & 0x20) != 0 ||
        (p[0] * 256U + p[1]) % 31 != 0) {
        return false;
    }
    h->kind = HEAD_ZLIB;
    h->name = 0;
    h->stream = at + 2;
    return true;
}

static bool zip_head(struct image_bytes image, uint32_t at, struct head *h)
{
    const uint8_t *p = image.p + at;
    uint32_t name;

    if (image.n - at < 30 || little(p, 4) != 0x04034B50 ||
        little(p + 8, 2) != 8) {
        return false;
    }
    name = little(p + 26, 2);
    h->kind = HEAD_ZIP;
    h->crc = little(p + 14, 4);
    h->stream = at + 30 + name + little(p + 28, 2);
    if (h->stream >= image.n) {
        return false;
    }
    h->name = hash(p + 30, name);
    return true;
}

static int add_unit(struct members *list, const struct bl_member_unit *u,
                    struct error *error)
{
    if (list->units_n == list->units_room) {
        uint32_t room = list->units_room * 2 + 4096;
        struct bl_member_unit *more =
            realloc(list->units, room * sizeof *more);

        if (more == NULL) {
            return error_set(error, "no memory for tokens");
        }
        list->units = more;
        list->units_room = room;
    }
    list->units[list->units_n++] = *u;
    return 0;
}

static int add_member(struct members *list, const struct member *m,
                      struct error *error)
{
    if (list->n == list->room) {
        uint32_t room = list->room * 2 + 16;
        struct member *more = realloc(list->m, room * sizeof *more);

        if (more == NULL) {
            return error_set(error, "no memory for members");
        }
        list->m = more;
        list->room = room;
    }
    list->m[list->n++] = *m;
    return 0;
}

/* Reads the stream into units, each of which goes through the writer. 1: a
 * stream that comes back; 0: not; -1: no memory. */
static int take_apart(struct image_bytes image, uint32_t at,
                      struct members *list, struct member *m,
                      struct error *error)
{
    struct compare compare = {image, at};
    struct bl_deflate_source source = {&image, get};
    struct bl_deflate_sink sink = {&compare, put};
    struct bl_deflate_reader r;
    struct bl_deflate_writer w;
    struct bl_member_unit u;
    unsigned n;
    unsigned i;

    memset(m, 0, sizeof *m);
    m->at = at;
    m->first = list->units_n;
    bl_deflate_read_start(&r, at, image.n);
    bl_deflate_write_start(&w);
    memset(&u, 0, sizeof u);
    while (bl_deflate_read(&r, &source, u.b, &n) == BL_OK) {
        if (n == 0) {
            m->size = bl_deflate_read_end(&r) - at;
            m->inflated = r.inflated;
            m->units = list->units_n - m->first;
            return compare.at == bl_deflate_read_end(&r) ? 1 : 0;
        }
        u.n = (uint8_t)n;
        for (i = 0; i < n; i++) {
            if (bl_deflate_write(&w, &sink, u.b[i]) != BL_OK) {
                return 0;
            }
        }
        if (add_unit(list, &u, error) != 0) {
            return -1;
        }
    }
    return 0;
}

/* Does the checksum that the container gives hold? */
static int sums_hold(struct image_bytes image, const struct head *h,
                     const struct members *list, const struct member *m,
                     struct error *error)
{
    const uint8_t *behind = image.p + m->at + m->size;
    uint32_t left = image.n - m->at - m->size;
    struct sums sums;

    if (inflated_sums(list->units + m->first, m->units, m->inflated, &sums,
                      error) != 0) {
        return -1;
    }
    if (h->kind == HEAD_ZLIB) {
        return left >= 4 && big(behind) == sums.adler32;
    }
    if (h->kind == HEAD_ZIP && h->crc != 0) {
        return h->crc == sums.crc32;
    }
    if (left >= 8 && h->kind == HEAD_ZIP && little(behind, 4) == 0x08074B50) {
        behind += 4;
    }
    return left >= 8 && little(behind, 4) == sums.crc32;
}

/* A member whose head is at `at`: 1, and `next` behind it; 0; -1. */
static int find_at(struct image_bytes image, uint32_t at, uint32_t *next,
                   struct members *list, struct error *error)
{
    uint32_t units = list->units_n;
    struct member m;
    struct head h;
    int found;

    memset(&h, 0, sizeof h);
    if (!gzip_head(image, at, &h) && !zip_head(image, at, &h) &&
        !zlib_head(image, at, &h)) {
        return 0;
    }
    found = take_apart(image, h.stream, list, &m, error);
    if (found == 1 && m.size >= MEMBER_LEAST) {
        found = sums_hold(image, &h, list, &m, error);
    } else if (found == 1) {
        found = 0;
    }
    if (found == 1) {
        m.name = h.name;
        *next = m.at + m.size;
        return add_member(list, &m, error) == 0 ? 1 : -1;
    }
    list->units_n = units;
    return found;
}

int members_find(const uint8_t *image, uint32_t n, struct members *out,
                 struct error *error)
{
    struct image_bytes bytes = {image, n};
    uint32_t at = 0;

    memset(out, 0, sizeof *out);
    while (at < n) {
        int found = find_at(bytes, at, &at, out, error);

        if (found < 0) {
            members_free(out);
            return -1;
        }
        at += found == 0 ? 1 : 0;
    }
    return 0;
}

void members_free(struct members *list)
{
    free(list->m);
    free(list->units);
    memset(list, 0, sizeof *list);
}

struct bl_member_unit *members_units(const uint8_t *image, uint32_t n,
                                     uint32_t at, struct error *error)
{
    struct image_bytes bytes = {image, n};
    struct members one;
    struct member m;

    memset(&one, 0, sizeof one);
    if (take_apart(bytes, at, &one, &m, error) != 1) {
        members_free(&one);
        return NULL;
    }
    return one.units;
}

uint8_t unit_label(const struct bl_member_unit *u)
{
    if (u->n == 1) {
        return u->b[0];
    }
    return u->n == 2 ? u->b[1] : (uint8_t)(0x80U | u->b[1] * 37U);
}
