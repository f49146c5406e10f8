/* SPDX-License-Identifier: Apache-2.0 */
/* A plan becomes a patch. */
#include "encode.h"

#include <string.h>

#include "bowline/sha256.h"
#include "codec.h"

static bool is_small(const struct bl_plan *p)
{
    const struct bl_settings *s = &p->settings;

    return p->old.regions_n + p->now.regions_n + p->code.rams + p->map_n +
                   p->ram_map_n + p->members_n ==
               0 &&
           s->table == 0 && !s->esp;
}

static uint8_t esp_sum(const struct bl_view *v)
{
    uint8_t sum = 0xEF;
    uint32_t i;
    uint32_t k;

    for (i = 0; i < v->regions_n; i++) {
        for (k = 0; k < v->regions[i].length; k++) {
            uint32_t at = v->regions[i].offset + k;

            sum ^= at < v->size ? v->data[at] : 0;
        }
    }
    return sum;
}

/* Which parts of the tail can be recomputed. */
static uint16_t tail_flags(const struct bl_plan *p)
{
    uint8_t digest[BL_SHA256_SIZE];
    uint32_t n;
    uint32_t at = bl_tail_find(&p->now, BL_HEAD_SUM, &n);

    if (!p->settings.esp || !p->settings.esp_tail || p->settings.in_place ||
        n == 0 || p->now.data[at] != esp_sum(&p->now)) {
        return 0;
    }
    (void)bl_tail_find(&p->now, BL_HEAD_SUM | BL_HEAD_HASH, &n);
    if (n > 1) {
        bl_sha256(p->now.data, at + 1, digest);
        if (memcmp(p->now.data + at + 1, digest, sizeof digest) == 0) {
            return BL_HEAD_SUM | BL_HEAD_HASH;
        }
    }
    return BL_HEAD_SUM;
}

static void make_head(const struct bl_plan *p, uint16_t tail,
                      struct bl_head *h)
{
    const struct bl_settings *s = &p->settings;

    memset(h, 0, sizeof *h);
    h->isa = p->code.isa;
    h->flags =
        (uint16_t)((s->in_place ? BL_HEAD_IN_PLACE : 0) |
                   (p->code.pic ? BL_HEAD_PIC : 0) |
                   (s->esp ? BL_HEAD_ESP : 0) |
                   (s->esp && s->esp_short ? BL_HEAD_ESP_SHORT : 0) |
                   (p->members_n > 0 ? BL_HEAD_DEFLATE : 0) |
                   (is_small(p) ? BL_HEAD_SMALL : 0) |
                   (p->old.regions_n == 1 && p->now.regions_n == 1
                        ? BL_HEAD_ONE
                        : 0) |
                   (p->ram_map_n > 0 ? BL_HEAD_RAM_MAP : 0) |
                   (p->old.size == p->now.size ? BL_HEAD_SAME : 0) | tail);
    h->table = s->table;
    h->block = s->in_place ? s->block : 0;
    h->slots = s->in_place ? s->slots : 0;
    h->stash = s->in_place ? s->stash : 0;
    h->regions[0] = (uint8_t)p->old.regions_n;
    h->regions[1] = (uint8_t)p->now.regions_n;
    h->map[0] = p->map_n;
    h->map[1] = p->ram_map_n;
    h->size[0] = p->old.size;
    h->size[1] = p->now.size;
    memcpy(h->check[0], p->old_check, BL_DELTA_CHECK);
    memcpy(h->check[1], p->new_check, BL_DELTA_CHECK);
}

static bool moves_can_be(const struct bl_move *m, uint32_t n)
{
    uint32_t i;

    for (i = 1; i < n; i++) {
        if (m[i].at <= m[i - 1].at) {
            return false;
        }
    }
    return n <= BL_MAP_MAX;
}

static bool operations_can_be(const struct bl_plan *p)
{
    uint32_t at = 0;
    uint32_t i;

    for (i = 0; i < p->operations_n; i++) {
        const struct bl_operation *o = &p->operations[i];

        if (o->length == 0 || o->length > p->now.size - at ||
            (bl_is_copy(o)
                 ? o->old > p->old.size || o->length > p->old.size - o->old
                 : BL_LITERAL - o->old > at ||
                       (o->old != BL_LITERAL && p->settings.in_place))) {
            return false;
        }
        at += o->length;
    }
    return at == p->now.size;
}

static bool members_can_be(const struct bl_plan *p)
{
    uint32_t at = 0;
    uint32_t i;

    for (i = 0; i < p->members_n; i++) {
        const struct bl_plan_member *m = &p->members[i];

        if (m->at < at || m->at > p->now.size || m->size == 0 ||
            m->size > p->now.size - m->at ||
            (!m->alone && m->old >= p->old.size)) {
            return false;
        }
        at = m->at + m->size;
    }
    return true;
}

static bool pages_can_be(const struct bl_plan *p)
{
    const struct bl_settings *s = &p->settings;
    uint32_t i;

    if (!s->in_place) {
        return true;
    }
    if (s->block < BL_BLOCK_MIN || s->block > BL_BLOCK_MIN + 15 ||
        s->stash > BL_STASH_MAX || p->members_n > 0) {
        return false;
    }
    for (i = 0; i < p->pages_n; i++) {
        const struct bl_page *o = &p->pages[i];

        if (o->page >= bl_place_pages(p->now.size, s->block) ||
            (o->slot != BL_PLACE_NONE &&
             (o->slot >= s->slots ||
              o->page >= bl_place_pages(p->old.size, s->block)))) {
            return false;
        }
    }
    return true;
}

static bool can_be(const struct bl_plan *p)
{
    const struct bl_settings *s = &p->settings;

    return bl_isa_of(p->code.isa) != NULL && p->old.size > 0 &&
           p->old.size <= BL_IMAGE_MAX && p->now.size > 0 &&
           p->now.size <= BL_IMAGE_MAX && p->old.regions_n <= BL_REGIONS &&
           p->now.regions_n <= BL_REGIONS && s->table <= BL_TABLE_MAX &&
           p->code.rams <= BL_RAM_RANGES && moves_can_be(p->map, p->map_n) &&
           moves_can_be(p->ram_map, p->ram_map_n) && operations_can_be(p) &&
           pages_can_be(p) && members_can_be(p);
}

/* Assumes that the tail is as it should be, which is slow to know. */
uint32_t bl_encode_ram(const struct bl_plan *plan)
{
    struct bl_head h;
    struct bl_parts parts;
    bool tail = plan->settings.esp && plan->settings.esp_tail &&
                !plan->settings.in_place;

    make_head(plan, tail ? BL_HEAD_SUM | BL_HEAD_HASH : 0, &h);
    bl_head_memory(&h, &parts);
    return parts.end;
}

/* The codec of this side is larger than the decoder's fixed part. */
static size_t codec_room(void)
{
    return (sizeof(struct bl_codec) + BL_FIXED) & ~(size_t)7;
}

size_t bl_encode_memory(const struct bl_plan *plan)
{
    return codec_room() + bl_encode_ram(plan);
}

const struct bl_plan_member *bl_plan_member(const struct bl_codec *c)
{
    const struct bl_plan_member *m = c->plan->members + c->members;

    return c->members < c->plan->members_n && m->at == c->position ? m : NULL;
}

/* Operations end where the tail begins and go on behind it: the plan's one
 * that has c->position, cut to what is before the tail. */
void bl_plan_operation(struct bl_codec *c, struct bl_operation *said)
{
    const struct bl_operation *o = &c->plan->operations[c->operation];
    uint32_t done;

    while (c->operation_at + o->length <= c->position) {
        c->operation_at += o->length;
        c->operation++;
        o++;
    }
    done = c->position - c->operation_at;
    *said = *o;
    said->length -= done;
    if (bl_is_copy(o)) {
        said->old += done;
    }
    if (said->length > c->stop - c->position) {
        said->length = c->stop - c->position;
    }
    if (c->members < c->plan->members_n &&
        said->length > c->plan->members[c->members].at - c->position) {
        said->length = c->plan->members[c->members].at - c->position;
    }
}

static bl_status finish(struct bl_codec *c)
{
    if (!c->rc.full) {
        bl_coder_finish(&c->rc);
    }
    return c->status != BL_OK ? BL_ARGUMENT : c->rc.full ? BL_BUFFER : BL_OK;
}

bl_status bl_encode(const struct bl_plan *plan, void *memory, uint8_t *out,
                    size_t size, struct bl_costs *costs)
{
    struct bl_codec *c = memory;
    struct bl_head h;
    uint8_t head[BL_DELTA_HEAD];
    struct bl_parts parts;
    uint32_t n;
    bl_status status;

    if (!can_be(plan)) {
        return bl_isa_of(plan->code.isa) == NULL ? BL_DELTA : BL_ARGUMENT;
    }
    memset(memory, 0, bl_encode_memory(plan));
    memset(costs, 0, sizeof *costs);
    make_head(plan, tail_flags(plan), &h);
    n = bl_head_write(&h, head);
    if (n > size) {
        return BL_BUFFER;
    }
    memcpy(out, head, n);
    c->plan = plan;
    c->costs = costs;
    c->head = h;
    bl_codec_link(c, (uint8_t *)memory + codec_room() - BL_FIXED);
    bl_codec_start(c);
    c->old.data = plan->old.data;
    c->now.data = plan->now.data;
    bl_coder_start(&c->rc, out + n, size - n);
    while (bl_codec_step(c) && !c->rc.full) {
    }
    status = finish(c);
    bl_head_memory(&h, &parts);
    costs->bits256[BL_COST_HEAD] += (uint64_t)n * 8 * 256;
    costs->bytes = n + (uint32_t)c->rc.n;
    costs->ram = parts.end;
    return status;
}
