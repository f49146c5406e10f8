/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of a patch but for its units: regions, maps, operations. */
#include "codec.h"

#include <string.h>

#include "bowline/sha256.h"

enum {
    /* counters of c->choices.operation */
    IS_LITERAL = 0, /* and 1: after a literal */
    IS_PLACE = 2,
    TO_PLACE = 4, /* and 5: of a literal */
    AS_SAID = 6,  /* regions */
    MORE_RAM = 7,
    IS_APART = 8, /* to 11 */
    IS_MEMBER = 12,
    IS_ALONE = 13,
    IS_AGAIN = 14 /* and 15: behind another such */
};

static BL_ONCE uint32_t flag(struct bl_codec *c, bool y, uint32_t which)
{
    return bl_code_flag(&c->rc, y, &c->choices.operation[which]);
}

static void next_phase(struct bl_codec *c)
{
    c->phase++;
    c->index = 0;
    c->field = 0;
}

static void fail(struct bl_codec *c)
{
    c->status = BL_DELTA_FORMAT;
}

/* --- setting up --- */

void bl_codec_link(struct bl_codec *c, void *memory)
{
    uint8_t *base = memory;
    struct bl_parts at;

    bl_head_memory(&c->head, &at);
    c->isa = bl_isa_of(c->head.isa);
    c->model.table = (bl_counter *)(void *)(base + at.table);
    c->model.gates = (bl_counter *)(void *)(base + at.gates);
    c->map[0].entries = base + at.map;
    c->map[1].entries = base + at.ram_map;
    c->regions = (struct bl_region *)(void *)(base + at.regions);
#if BL_DELTA_IN_PLACE
    if ((c->head.flags & BL_HEAD_IN_PLACE) != 0) {
        c->paged = bl_place_link(&c->head, base + at.paged);
        c->old.paged = c->paged;
    }
#endif
    c->old.regions = c->regions;
    c->now.regions = c->regions + c->head.regions[0];
    c->old.code = &c->code;
    c->now.code = &c->code;
#if BL_DELTA_DEFLATE
    c->member = (c->head.flags & BL_HEAD_DEFLATE) != 0
                    ? (struct bl_member *)(void *)(base + at.deflate)
                    : NULL;
#endif
#if !BL_DELTA_ENCODE
    c->old.cache = &c->cache;
    c->rc.in = c->in;
#if BL_DELTA_ESP
    c->hash = (struct bl_sha256 *)(void *)(base + at.hash);
#endif
#endif
}

static void start_counters(void *first, size_t bytes)
{
    bl_counters(first, bytes / sizeof(bl_counter));
}

static void start_models(struct bl_codec *c)
{
    c->model.counters = bl_head_counters(&c->head);
    c->model.gate_n = bl_head_gate(&c->head);
    bl_model_start(&c->model);
    start_counters(&c->choices, sizeof c->choices);
    start_counters(&c->number, sizeof c->number);
}

#if !BL_DELTA_ENCODE
static void start_output(struct bl_codec *c)
{
    bl_view_forget(&c->cache);
#if BL_DELTA_ESP
    c->sum = 0xEF;
    if ((c->flags & BL_HEAD_HASH) != 0) {
        bl_sha256_init(c->hash);
    }
#endif
}
#endif

void bl_codec_start(struct bl_codec *c)
{
    const struct bl_head *h = &c->head;

    c->flags = h->flags;
    c->code.isa = h->isa;
    c->code.pic = (h->flags & BL_HEAD_PIC) != 0;
    c->old.size = h->size[0];
    c->now.size = h->size[1];
    c->old.regions_n = h->regions[0];
    c->now.regions_n = h->regions[1];
    c->map[0].narrow = bl_head_narrow(h);
    start_models(c);
#if BL_DELTA_IN_PLACE
    if (c->paged != NULL) {
        bl_place_start(c->paged, h);
    }
#endif
#if BL_DELTA_DEFLATE
    if (c->member != NULL) {
        bl_member_learn_nothing(c->member, h->size[0] + h->size[1]);
    }
#endif
#if !BL_DELTA_ENCODE
    start_output(c);
#endif
}

/* --- regions --- */

static uint32_t region_end(const struct bl_region *r)
{
    return r->offset + r->length;
}

/* As in the image before it: nothing but the last region changes its length.
 */
static void predict_new(struct bl_codec *c, uint32_t i, struct bl_region *p)
{
    const struct bl_region *old = &c->regions[i];
    const struct bl_region *before = &c->now.regions[i] - 1;

    *p = *old;
    if (i > 0) {
        p->offset = region_end(before) + (old->offset - region_end(old - 1));
        if (old->address - old[-1].address == old->offset - old[-1].offset) {
            p->address = before->address + (p->offset - before->offset);
        }
    }
    if (region_end(old) == c->old.size) {
        p->length = c->now.size - c->now.regions[i].offset;
    }
}

/* Behind the one before, to the end of the image. */
static void predict_old(const struct bl_region *regions, uint32_t size,
                        uint32_t i, struct bl_region *p)
{
    memset(p, 0, sizeof *p);
    if (i > 0) {
        const struct bl_region *before = &regions[i - 1];

        p->offset = region_end(before);
        p->address = before->address + (regions[i].offset - before->offset);
    }
    p->length = size - regions[i].offset;
    p->kind = i == 0 ? BL_REGION_CODE : BL_REGION_DATA;
}

/* One field: as predicted, or else by how much it differs, or outright. */
static void code_field(struct bl_codec *c, uint32_t *field, uint32_t predicted,
                       uint32_t said, bool differs)
{
    if (flag(c, said == predicted, AS_SAID) != 0) {
        *field = predicted;
    } else if (differs) {
        *field = predicted +
                 (uint32_t)bl_code_signed(&c->rc, (int32_t)(said - predicted),
                                          &c->number.maps.region);
    } else {
        *field = bl_code_round(&c->rc, said);
    }
}

static uint32_t *field_of(struct bl_region *r, uint32_t field)
{
    return (uint32_t *)(void *)r + field; /* it has nothing else */
}

static void step_regions(struct bl_codec *c)
{
    uint32_t olds = c->old.regions_n;
    struct bl_region *r = &c->regions[c->index];
    struct bl_region p;
#if BL_DELTA_ENCODE
    struct bl_region said_region;
#endif
    uint32_t said = 0;
    bool is_new = c->index >= olds;
    uint32_t i = is_new ? c->index - olds : c->index;
    bool modelled = is_new && i < olds;

    if (c->index == olds + c->now.regions_n) {
        next_phase(c);
        return;
    }
    if (modelled) {
        predict_new(c, i, &p);
    } else {
        predict_old(is_new ? r - i : c->regions,
                    is_new ? c->now.size : c->old.size, i, &p);
    }
#if BL_DELTA_ENCODE
    said_region = is_new ? c->plan->now.regions[i] : c->plan->old.regions[i];
    said = *field_of(&said_region, c->field);
#endif
    code_field(c, field_of(r, c->field), *field_of(&p, c->field), said,
               modelled);
#if !BL_DELTA_ELF
    if (c->field == 3 && r->kind > BL_REGION_CODE) {
        c->status = BL_DELTA;
    }
#endif
    c->field++;
    if (c->field == 4) {
        c->field = 0;
        c->index++;
    }
}

#if BL_DELTA_ESP
/* What the image itself says. */
static void esp_regions(struct bl_codec *c)
{
    uint32_t first = (c->flags & BL_HEAD_ESP_SHORT) != 0 ? 8 : 24;

    c->index = bl_view_esp(&c->old, first, c->regions, c->old.regions_n);
    if (c->index != c->old.regions_n) {
        fail(c);
    }
}
#endif

static void step_rams(struct bl_codec *c)
{
    struct bl_range *r = &c->code.ram[c->index];
    bool small = (c->flags & BL_HEAD_SMALL) != 0;

    if (small || c->index == BL_RAM_RANGES ||
        flag(c, BL_SAY(c->index < c->plan->code.rams), MORE_RAM) == 0) {
        next_phase(c);
        return;
    }
    r->low = bl_code_round(&c->rc, BL_SAY(c->plan->code.ram[c->index].low));
    r->high = r->low +
              bl_code_round(&c->rc,
                            BL_SAY(c->plan->code.ram[c->index].high - r->low));
    c->index++;
    c->code.rams++;
}

/* --- maps --- */

#if BL_DELTA_ENCODE
static const struct bl_move *said_move(const struct bl_codec *c,
                                       uint32_t which)
{
    return which == 0 ? &c->plan->map[c->index] : &c->plan->ram_map[c->index];
}
#endif

static void step_map(struct bl_codec *c, uint32_t which)
{
    struct bl_map *m = &c->map[which];
    uint32_t i = c->index;
    uint32_t at = which == 0 || c->code.rams == 0 ? 0 : c->code.ram[0].low;
    uint32_t shift = 0;

    if (i == c->head.map[which]) {
        next_phase(c);
        return;
    }
    if (i > 0) {
        at = bl_map_start_at(m, i - 1);
        shift = bl_map_shift(m, i - 1);
    }
    if (c->field == 0) {
        at += bl_code_number(&c->rc, BL_SAY(said_move(c, which)->at - at),
                             &c->number.maps.at[which]);
        bl_map_set(m, i, at, 0);
        c->field = 1;
        return;
    }
    shift += (uint32_t)bl_code_signed(
        &c->rc,
        BL_SAY((int32_t)((uint32_t)said_move(c, which)->shift - shift)),
        &c->number.maps.shift[which]);
    bl_map_set(m, i, bl_map_start_at(m, i), shift);
    m->n = i + 1;
    c->index = i + 1;
    c->field = 0;
}

/* --- operations --- */

static void start_operations(struct bl_codec *c)
{
    start_counters(&c->number, sizeof c->number);
    c->stop = c->now.size;
    bl_view_close(&c->old);
    bl_view_close(&c->now);
#if BL_DELTA_ESP
    if ((c->flags & BL_HEAD_SUM) != 0) {
        uint32_t n;

        c->stop = bl_tail_find(&c->now, c->flags, &n);
        if (n == 0) {
            fail(c);
        }
    }
#endif
    c->place = bl_map_place(&c->map[0], 0, &c->place_from);
    c->index = 1;
    if (BL_PAGED(c) != NULL) {
        c->stop = 0; /* and now the first page */
    }
}

/* Copies come from a few distances in turn: one of them, or BL_APART. */
static uint32_t code_apart(struct bl_codec *c, uint32_t said)
{
    uint32_t i = 0;

    while (i < BL_APART &&
           flag(c, said == c->position + c->apart[i], IS_APART + i) == 0) {
        i++;
    }
    return i;
}

/* Where a copy comes from: what the map has at this place, as far apart as one
 * of the copies before, else a seek from where the last one ended. */
static void code_from(struct bl_codec *c, uint32_t said)
{
    int32_t seek = (int32_t)(said - c->from);
    uint32_t i = BL_APART - 1;

    if (c->place == c->position &&
        flag(c, said == c->place_from, IS_PLACE) != 0) {
        c->from = c->place_from;
    } else {
        uint32_t same = code_apart(c, said);

        if (same < BL_APART) {
            i = same;
            c->from = c->position + c->apart[i];
        } else {
            c->from += (uint32_t)bl_code_signed(&c->rc, seek,
                                                &c->number.operations.seek);
        }
    }
    memmove(c->apart + 1, c->apart, i * sizeof c->apart[0]);
    c->apart[0] = c->from - c->position;
}

/* The next place at or behind `from`; each is searched once. */
static void find_place(struct bl_codec *c, uint32_t from)
{
    if (c->place < from) {
        c->place = bl_map_place(&c->map[0], from, &c->place_from);
    }
}

static void end_operations(struct bl_codec *c)
{
#if BL_DELTA_IN_PLACE
    if (c->paged != NULL) {
        bl_place_next(c);
        return;
    }
#endif
    c->phase = c->stop < c->now.size && c->position == c->stop ? BL_PHASE_TAIL
                                                               : BL_PHASE_DONE;
}

#if BL_DELTA_ENCODE
static struct bl_operation said_operation(struct bl_codec *c)
{
    struct bl_operation said;

    bl_plan_operation(c, &said);
    return said;
}
#endif

/* --- deflate streams --- */

#if BL_DELTA_DEFLATE

static bl_status member_get(void *ctx, uint32_t offset, uint8_t *byte)
{
    struct bl_codec *c = ctx;

    *byte = bl_view_byte(&c->old, offset);
    return BL_OK; /* c->old.status is looked at behind the step */
}

static bl_status member_put(void *ctx, uint8_t byte)
{
    struct bl_codec *c = ctx;

    if (c->position == c->stop) {
        return BL_DELTA_FORMAT;
    }
#if BL_DELTA_ENCODE
    if (c->plan->now.data[c->position] != byte) {
        return BL_ARGUMENT;
    }
#endif
    bl_put(c, byte, 1);
    return BL_OK;
}

/* Which old stream: sought like the place of a copy. */
static void start_member(struct bl_codec *c)
{
    bool alone = BL_SAY(bl_plan_member(c)->alone);

    alone = flag(c, alone, IS_ALONE) != 0;
    if (!alone) {
        code_from(c, BL_SAY(bl_plan_member(c)->old));
    }
    bl_member_start(c->member, c->from, alone ? 0 : c->old.size);
#if BL_DELTA_ENCODE
    c->member->units = bl_plan_member(c)->units;
    c->member->operations = bl_plan_member(c)->operations;
    c->members++;
#endif
    c->phase = BL_PHASE_MEMBER;
}

static void step_member(struct bl_codec *c)
{
    struct bl_member_use use;

    BL_ACCOUNT(c, BL_COST_MEMBERS);
    use.rc = &c->rc;
    use.model = &c->model;
    use.source.ctx = c;
    use.source.get = member_get;
    use.sink.ctx = c;
    use.sink.put = member_put;
    c->status = bl_member_step(c->member, &use);
    if (c->status == BL_OK && bl_member_done(c->member)) {
        c->from = bl_member_behind(c->member, c->from);
        c->literal = false;
        c->phase = BL_PHASE_PLACE;
    }
}

#endif

/* Bytes that stand in the new image already. */
static void code_again(struct bl_codec *c, uint32_t said)
{
    uint32_t was = c->raw != 0 ? 1 : 0;

    c->raw = 0;
    if ((c->flags & BL_HEAD_IN_PLACE) == 0 && c->position > 0 &&
        flag(c, said != 0, IS_AGAIN + was) != 0) {
        c->raw =
            bl_code_number(&c->rc, said - 1, &c->number.operations.again) + 1;
        if (c->raw > c->position) {
            fail(c);
        }
    }
}

static void step_place(struct bl_codec *c)
{
    uint32_t said = 0;
    bool was_literal = c->literal;

    BL_ACCOUNT(c, BL_COST_OPERATIONS);
    if (c->index == 0) {
        start_operations(c);
        return;
    }
    if (c->position == c->stop) {
        end_operations(c);
        return;
    }
#if BL_DELTA_DEFLATE
    if (c->member != NULL &&
        flag(c, BL_SAY(bl_plan_member(c) != NULL), IS_MEMBER) != 0) {
        start_member(c);
        return;
    }
#endif
#if BL_DELTA_ENCODE
    said = said_operation(c).old;
#endif
#if BL_DELTA_IN_PLACE
    if (c->paged != NULL && bl_place_goes_on(c, said)) {
        c->literal = false;
        find_place(c, c->position + 1);
        c->phase = BL_PHASE_LENGTH;
        return;
    }
#endif
    c->literal = flag(c, BL_SAY(said >= BL_AGAIN(BL_IMAGE_MAX)),
                      IS_LITERAL + (was_literal ? 1U : 0U)) != 0;
    if (c->literal) {
        code_again(c, BL_SAY(BL_LITERAL - said));
    } else {
        c->raw = 0;
        find_place(c, c->position);
        code_from(c, said);
        find_place(c, c->position + 1);
    }
    c->phase = BL_PHASE_LENGTH;
}

/* To the next place of the map, if that comes before the end; or a number. */
static uint32_t code_length(struct bl_codec *c, uint32_t said)
{
    uint32_t rest = c->stop - c->position;
    uint32_t place = c->place - c->position;

    if (c->literal || place > rest || c->place == UINT32_MAX) {
        place = rest;
    }
    if (flag(c, said == place, TO_PLACE + (c->literal ? 1U : 0U)) != 0) {
        return place;
    }
    return bl_code_number(&c->rc, said - 1,
                          c->raw != 0  ? &c->number.operations.literal
                          : c->literal ? &c->number.operations.literal
                                       : &c->number.operations.copy) +
           1;
}

static void step_length(struct bl_codec *c)
{
    c->left = code_length(c, BL_SAY(said_operation(c).length));
    if (c->left == 0 || c->left > c->stop - c->position) {
        fail(c);
        return;
    }
    if (c->literal) {
        c->phase = BL_PHASE_LITERAL;
        return;
    }
    if (c->from > c->old.size || c->left > c->old.size - c->from) {
        fail(c);
        return;
    }
#if BL_DELTA_IN_PLACE
    if (c->paged != NULL) {
        bl_place_copy(c);
    }
#endif
    bl_unit_start(c);
    c->phase = BL_PHASE_COPY;
}

/* One unit of the operation. */
static void step_units(struct bl_codec *c)
{
    if (c->literal) {
        BL_ACCOUNT(c, BL_COST_LITERAL);
        bl_unit_literal(c);
    } else {
        bl_unit_copy(c);
    }
    if (c->left == 0) {
        c->phase = BL_PHASE_PLACE;
    }
}

#if BL_DELTA_ESP
/* What follows the tail (a signature, padding) is operations again. */
static void step_tail(struct bl_codec *c)
{
    uint32_t before = c->position;

    bl_tail_put(c);
    c->from += c->position - before;
    c->stop = c->now.size;
    c->phase = BL_PHASE_PLACE;
}
#endif

bool bl_codec_step(struct bl_codec *c)
{
    switch (c->phase) {
    case BL_PHASE_REGIONS:
        BL_ACCOUNT(c, BL_COST_HEAD);
#if BL_DELTA_ESP
        if (c->index == 0 && c->field == 0 && (c->flags & BL_HEAD_ESP) != 0) {
            esp_regions(c);
        }
#endif
        step_regions(c);
        break;
    case BL_PHASE_RAMS:
        step_rams(c);
        break;
    case BL_PHASE_MAP:
        BL_ACCOUNT(c, BL_COST_MAP);
        step_map(c, 0);
        break;
    case BL_PHASE_RAM_MAP:
        step_map(c, 1);
        break;
    case BL_PHASE_PLACE:
        step_place(c);
        break;
    case BL_PHASE_LENGTH:
        step_length(c);
        break;
    case BL_PHASE_COPY:
    case BL_PHASE_LITERAL:
        step_units(c);
        break;
#if BL_DELTA_DEFLATE
    case BL_PHASE_MEMBER:
        step_member(c);
        break;
#endif
#if BL_DELTA_ESP
    case BL_PHASE_TAIL:
        step_tail(c);
        break;
#endif
    default:
        break;
    }
#if !BL_DELTA_ENCODE
    if (c->status == BL_OK) {
        c->status = c->rc.spare > BL_SPARE ? BL_DELTA_FORMAT : c->cache.status;
    }
#endif
    return c->status == BL_OK && c->phase != BL_PHASE_DONE;
}
