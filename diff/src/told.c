/* SPDX-License-Identifier: Apache-2.0 */
#include "told.h"

#include <stdlib.h>
#include <string.h>

#include "codec.h"

struct reader {
    struct bl_codec *c;
    struct bl_delta_io io;
    const uint8_t *old, *patch;
    size_t left; /* of the patch */
    struct buffer *to;
};

static bl_status read_old(void *ctx, uint32_t offset, void *out, uint32_t n)
{
    const struct reader *r = ctx;
    memcpy(out, r->old + offset, n);
    return BL_OK;
}

static bl_status read_new(void *ctx, uint32_t offset, void *out, uint32_t n)
{
    const struct reader *r = ctx;
    if (offset > r->to->n || n > r->to->n - offset) {
        return BL_ARGUMENT;
    }
    memcpy(out, r->to->p + offset, n);
    return BL_OK;
}

static bl_status write_new(void *ctx, const void *data, uint32_t n)
{
    const struct reader *r = ctx;
    return buffer_append(r->to, data, n, NULL) == 0 ? BL_OK : BL_NO_SPACE;
}

/* As many bytes as there is room for. */
static void feed(struct reader *r)
{
    struct bl_coder *rc = &r->c->rc;
    while (r->left > 0 && rc->waiting < BL_INPUT) {
        rc->in[(rc->first + rc->waiting) % BL_INPUT] = *r->patch++;
        rc->waiting++;
        r->left--;
    }
}

static int operation_add(struct told_operations *list, uint32_t length,
                         uint32_t old, bool literal, struct error *error)
{
    if (list->n == list->room) {
        uint32_t room = list->room == 0 ? 256 : list->room * 2;
        struct told_operation *more = realloc(list->o, room * sizeof *more);
        if (more == NULL) {
            return error_set(error, "patch: out of memory");
        }
        list->o = more;
        list->room = room;
    }
    struct told_operation one = {length, old, literal, 0};
    list->o[list->n++] = one;
    return 0;
}

static int member_begin(const struct bl_codec *c, struct told *t,
                        struct error *error)
{
    if (t->members_n == t->members_room) {
        uint32_t room = t->members_room * 2 + 16;
        struct told_member *more = realloc(t->members, room * sizeof *more);
        if (more == NULL) {
            return error_set(error, "patch: out of memory");
        }
        t->members = more;
        t->members_room = room;
    }
    struct told_member one = {
        .at = c->position, .old = c->member->begin, .alone = c->member->alone};
    t->members[t->members_n++] = one;
    return 0;
}

/* A step within a member, which had `left` units to go before. */
static int member_step(const struct bl_codec *c, uint32_t left, struct told *t,
                       struct error *error)
{
    struct told_member *m = &t->members[t->members_n - 1];
    bool literal = bl_member_is_new(c->member);
    if (left == 0 && operation_add(&m->operations, c->member->left,
                                   c->member->read + c->member->skip, literal,
                                   error) != 0) {
        return -1;
    }
    if (c->phase == BL_PHASE_MEMBER) {
        return 0;
    }
    m->size = c->position - m->at;
    return operation_add(&m->operations, 0, 0, true, error) == 0
               ? operation_add(&t->operations, m->size, 0, true, error)
               : -1;
}

static void settings_take(const struct bl_codec *c, struct told *t)
{
    uint16_t flags = c->head.flags;
    t->isa = c->head.isa;
    t->table = c->head.table;
    t->in_place = (flags & BL_HEAD_IN_PLACE) != 0;
    t->pic = (flags & BL_HEAD_PIC) != 0;
    t->esp = (flags & BL_HEAD_ESP) != 0;
    t->esp_short = (flags & BL_HEAD_ESP_SHORT) != 0;
    t->esp_tail = (flags & BL_HEAD_SUM) != 0;
}

static void regions_take(const struct bl_view *v, uint32_t which,
                         struct told *t)
{
    t->regions[which] = v->regions_n;
    for (uint32_t k = 0; k < v->regions_n; k++) {
        const struct bl_region *r = &v->regions[k];
        struct told_region one = {r->offset, r->address, r->length, r->kind};
        t->region[which][k] = one;
    }
}

static int map_take(const struct bl_map *m, uint32_t which, struct told *t,
                    struct error *error)
{
    t->map[which] = calloc(m->n + 1, sizeof *t->map[which]);
    if (t->map[which] == NULL) {
        return error_set(error, "patch: out of memory");
    }
    t->map_n[which] = m->n;
    for (uint32_t k = 0; k < m->n; k++) {
        t->map[which][k].at = bl_map_start_at(m, k);
        t->map[which][k].shift = (int32_t)bl_map_shift(m, k);
    }
    return 0;
}

/* What stands before the operations. */
static int opening_take(const struct bl_codec *c, struct told *t,
                        struct error *error)
{
    settings_take(c, t);
    t->rams = c->code.rams;
    for (uint32_t k = 0; k < t->rams; k++) {
        t->ram[k][0] = c->code.ram[k].low;
        t->ram[k][1] = c->code.ram[k].high;
    }
    regions_take(&c->old, 0, t);
    regions_take(&c->now, 1, t);
    return map_take(&c->map[0], 0, t, error) == 0
               ? map_take(&c->map[1], 1, t, error)
               : -1;
}

/* One step, and what it told. */
static int step(struct reader *r, struct told *t, struct error *error)
{
    struct bl_codec *c = r->c;
    uint8_t phase = c->phase;
    uint32_t position = c->position;
    uint32_t left = c->member == NULL ? 0 : c->member->left;
    (void)bl_codec_step(c);
    if (c->status != BL_OK) {
        return error_status(error, c->status, "patch");
    }
    if (phase == BL_PHASE_RAM_MAP && c->phase != phase) {
        return opening_take(c, t, error);
    }
    if (phase == BL_PHASE_LENGTH) {
        if (operation_add(&t->operations, c->left, c->from, c->literal,
                          error) != 0) {
            return -1;
        }
        t->operations.o[t->operations.n - 1].again = c->raw;
        return 0;
    }
    if (phase == BL_PHASE_PLACE && c->phase == BL_PHASE_MEMBER) {
        return member_begin(c, t, error);
    }
    if (phase == BL_PHASE_MEMBER) {
        return member_step(c, left, t, error);
    }
    return phase == BL_PHASE_TAIL
               ? operation_add(&t->operations, c->position - position, 0, true,
                               error)
               : 0;
}

static int run(struct reader *r, struct told *t, struct error *error)
{
    struct bl_codec *c = r->c;
    feed(r);
    bl_coder_start(&c->rc);
    while (c->phase != BL_PHASE_DONE) {
        feed(r);
        if (step(r, t, error) != 0) {
            return -1;
        }
    }
    bl_put_flush(c);
    return 0;
}

static int begin(struct reader *r, size_t patch_size, struct error *error)
{
    struct bl_head head;
    uint32_t used;
    bl_status status = bl_head_read(r->patch, patch_size, &head, &used);
    if (status != BL_OK) {
        return error_status(error, status, "patch");
    }
    struct bl_parts parts;
    bl_head_memory(&head, &parts);
    r->c = calloc(1, parts.end);
    if (r->c == NULL) {
        return error_set(error, "patch: out of memory");
    }
    r->c->head = head;
    r->c->cache.io = &r->io;
    bl_codec_link(r->c, r->c);
    bl_codec_start(r->c);
    r->patch += used;
    r->left = patch_size - used;
    return 0;
}

int told_read(const uint8_t *from, size_t from_size, const uint8_t *patch,
              size_t patch_size, struct told *out, struct buffer *to,
              struct error *error)
{
    struct reader r = {.old = from, .patch = patch, .to = to};
    struct bl_delta_io io = {&r, read_old, read_new, write_new};
    r.io = io;
    buffer_clear(to);
    int result = begin(&r, patch_size, error);
    if (result == 0 && r.c->head.size[0] != from_size) {
        result = error_set(error, "patch: made for another old image");
    }
    if (result == 0) {
        result = run(&r, out, error);
    }
    free(r.c);
    return result;
}

void told_free(struct told *t)
{
    free(t->map[0]);
    free(t->map[1]);
    free(t->operations.o);
    for (uint32_t k = 0; k < t->members_n; k++) {
        free(t->members[k].operations.o);
    }
    free(t->members);
}
