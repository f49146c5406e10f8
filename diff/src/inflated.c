/* SPDX-License-Identifier: Apache-2.0 */
#include "inflated.h"

#include <stdlib.h>
#include <string.h>

#include "deflate_write.h"

enum { WINDOW = 32768 }; /* what a copy reaches back */

struct inflate {
    uint8_t window[WINDOW];
    uint32_t at;
    uint32_t crc;
    uint32_t a, b; /* of Adler-32 */
    uint32_t table[256];
};

static void start(struct inflate *i)
{
    uint32_t k;
    int bit;

    memset(i, 0, sizeof *i);
    i->crc = 0xFFFFFFFFU;
    i->a = 1;
    for (k = 0; k < 256; k++) {
        uint32_t c = k;

        for (bit = 0; bit < 8; bit++) {
            c = c >> 1 ^ ((c & 1U) != 0 ? 0xEDB88320U : 0);
        }
        i->table[k] = c;
    }
}

static void add(struct inflate *i, uint8_t byte)
{
    i->window[i->at++ % WINDOW] = byte;
    i->crc = i->crc >> 8 ^ i->table[(i->crc ^ byte) & 0xFFU];
    i->a = (i->a + byte) % 65521U;
    i->b = (i->b + i->a) % 65521U;
}

static bl_status nowhere(void *ctx, uint8_t byte)
{
    (void)ctx;
    (void)byte;
    return BL_OK;
}

/* A writer tells data from heads: what it counts as inflated is data. */
static int expand(struct inflate *i, struct bl_deflate_writer *w,
                  const struct bl_member_unit *u)
{
    struct bl_deflate_sink sink = {NULL, nowhere};
    unsigned distance = ((unsigned)u->b[2] << 8 | u->b[3]) + 1;
    unsigned k;

    for (k = 0; k < u->n; k++) {
        if (bl_deflate_write(w, &sink, u->b[k]) != BL_OK) {
            return -1;
        }
    }
    while (i->at != w->inflated) {
        add(i, u->n == BL_DEFLATE_COPY_SIZE
                   ? i->window[(i->at - distance) % WINDOW]
                   : u->b[u->n - 1]);
    }
    return 0;
}

int inflated_sums(const struct bl_member_unit *units, uint32_t n,
                  uint32_t inflated, struct sums *out, struct error *error)
{
    struct inflate *i = malloc(sizeof *i);
    struct bl_deflate_writer w;
    int result = 0;

    if (i == NULL) {
        return error_set(error, "no memory for checksums");
    }
    start(i);
    bl_deflate_write_start(&w);
    while (n > 0 && result == 0) {
        result = expand(i, &w, units++);
        n--;
    }
    if (result != 0 || i->at != inflated) {
        result = error_set(error, "units that make no stream");
    }
    out->crc32 = i->crc ^ 0xFFFFFFFFU;
    out->adler32 = i->b << 16 | i->a;
    free(i);
    return result;
}
