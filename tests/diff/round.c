/* SPDX-License-Identifier: Apache-2.0 */
#include "round.h"

#include <stdlib.h>
#include <string.h>

#include "carry.h"
#include "made.h"

struct work {
    struct made made;
    uint8_t again[MADE_ROOM];
    struct buffer patch;
};

/* The decoder within its memory, in portions. */
static int back_again(uint32_t number, struct work *w,
                      const struct diff_report *report, struct error *error)
{
    const struct made *m = &w->made;
    struct carry c = {.old = m->old,
                      .old_n = (uint32_t)m->old_n,
                      .now = w->again,
                      .room = MADE_ROOM,
                      .moves = true,
                      .dice = {number}};
    if (report->info.ram > m->options.ram) {
        return error_set(error, "%u bytes of memory, not %u",
                         (unsigned)report->info.ram, (unsigned)m->options.ram);
    }
    if (!carry_gives(&c, w->patch.p, w->patch.n, m->now, m->now_n)) {
        return error_set(error, "another image came back (%s)",
                         c.broken != NULL ? c.broken : "or none");
    }
    return 0;
}

static int round_one(struct round *r, uint32_t number, struct work *w,
                     struct error *error)
{
    struct diff_report report;
    made_pair(number, &w->made);
    int result =
        diff_make(w->made.old, w->made.old_n, w->made.now, w->made.now_n,
                  &w->made.options, &w->patch, &report, error);
    if (result == 0) {
        result = back_again(number, w, &report, error);
    }
    if (result == 0) {
        bl_sha256_update(&r->patches, w->patch.p, w->patch.n);
        r->bytes_new += w->made.now_n;
        r->bytes_patches += w->patch.n;
    }
    return result;
}

int round_all(struct round *r, struct error *error)
{
    struct work *w = calloc(1, sizeof *w);
    int result = w == NULL ? error_set(error, "out of memory") : 0;
    bl_sha256_init(&r->patches);
    for (uint32_t k = 0; result == 0 && k < r->count; k++) {
        w->patch.limit = SIZE_MAX;
        result = round_one(r, r->first + k, w, error);
        if (result != 0) {
            (void)error_prefix(error, "pair %u", (unsigned)(r->first + k));
        }
    }
    if (w != NULL) {
        buffer_free(&w->patch);
    }
    free(w);
    return result;
}
