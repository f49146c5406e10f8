/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is said of a unit when no prediction is right: the target of a call
 * outright, a recent difference, or the bytes, with the prediction as a guess.
 */
#include "unit.h"

#include <string.h>

/* --- targets said outright --- */

#if BL_DELTA_ENCODE
static uint32_t difference_find(const uint32_t *list, uint32_t d)
{
    uint32_t i = 0;

    while (i < BL_DIFFERENCES && (list[i] == 0 || list[i] != d)) {
        i++;
    }
    return i;
}

/* Can the new bytes be said by their target? */
static bool target_of(struct bl_codec *c, const struct bl_unit *u,
                      uint32_t *target)
{
    uint32_t again = u->site.word;

    return bl_site_read(&c->code, &u->site, u->address, u->said, target) &&
           bl_site_write(&c->code, &u->site, u->was, u->address, *target,
                         &c->sweep, &again) &&
           ((again ^ u->said) & u->mask) == 0 &&
           ((*target - u->predicted) & ((1U << c->isa->shift) - 1U)) == 0;
}
#endif

/* Returns false when the unit is not told by its target, as a distance from
 * where it was thought to be. A target that cannot be written leaves the old
 * bytes. */
static bool correct_target(struct bl_codec *c, const struct bl_unit *u,
                           uint32_t *now)
{
    uint32_t which = u->site.kind == BL_SITE_CALL ? 1 : 0;
    uint32_t target = 0;
    bool can = BL_SAY(target_of(c, u, &target));

    BL_ACCOUNT(c, BL_COST_TARGETS);
    if (bl_code_flag(&c->rc, can, &c->choices.target[which]) == 0) {
        return false;
    }
    target =
        u->predicted +
        ((uint32_t)bl_code_signed(
             &c->rc, BL_SAY((int32_t)(target - u->predicted) >> c->isa->shift),
             &c->number.operations.target[which])
         << c->isa->shift);
    *now = u->site.word;
    if (!bl_site_write(&c->code, &u->site, u->was, u->address, target,
                       &c->sweep, now)) {
        *now = u->site.word;
    }
    return true;
}

/* --- recent differences --- */

/* To the front; what is not yet there pushes the last one out. */
static void difference_front(uint32_t *list, uint32_t d)
{
    uint32_t i = 0;

    while (i < BL_DIFFERENCES - 1 && list[i] != d) {
        i++;
    }
    memmove(list + 1, list, i * sizeof *list);
    list[0] = d;
}

static bool correct_difference(struct bl_codec *c, const struct bl_unit *u,
                               uint32_t *now)
{
    uint32_t n = u->site.length;
    uint32_t row = n - 2;
    uint32_t *list = c->history.difference[row];
    uint8_t *hits = &c->history.difference_hits[row];
    bl_counter *choice = c->choices.difference[row];
    uint32_t said =
        BL_SAY(difference_find(list, (u->said - u->candidate[0]) & u->mask));
    uint32_t i = 0;
    uint32_t hit;

    BL_ACCOUNT(c, BL_COST_DIFFERENCES);
    hit = bl_code_flag(&c->rc, BL_SAY(said < BL_DIFFERENCES ? 1U : 0U),
                       &choice[*hits & 3]);
    *hits = (uint8_t)((uint32_t)*hits << 1 | hit);
    if (hit == 0) {
        return false;
    }
    while (i < BL_DIFFERENCES - 1 &&
           bl_code_flag(&c->rc, said == i, &choice[4 + i]) == 0) {
        i++;
    }
    c->history.change[n] = list[i];
    *now = u->candidate[0] + list[i];
    difference_front(list, list[i]);
    return true;
}

/* --- bytes --- */

/* The place of a byte in its unit; and with it the one before, or what the
 * unit before does. Of a lone byte: its phase, and the one before. */
static void contexts_of(const struct bl_codec *c, struct bl_byte *b,
                        uint32_t n, uint32_t j, uint32_t head,
                        enum bl_guess guess)
{
    const struct bl_history *h = &c->history;
    uint32_t before = j > 0 ? head & 0xFF : c->isa->opcode(h->unit, h->unit_n);
    uint32_t first = b->place + (guess == BL_GUESS_SITE ? 16U : 0U);
    uint32_t second = b->place | before << 8;
    uint32_t name = BL_CONTEXT_UNIT;

    if (n == 1) {
        first = 10 + (c->position & 3);
        second = bl_last(c);
        name = BL_CONTEXT_BYTE;
    }
    b->context[0] = name | first;
    b->context[1] = (name + BL_CONTEXT_OTHER) | second;
}

/* n bytes, as a word. Guesses are `predicted` and `again` (the prediction plus
 * the last difference). */
uint32_t bl_code_bytes(struct bl_codec *c, uint32_t n, uint32_t said,
                       uint32_t predicted, uint32_t again, enum bl_guess guess)
{
    static const uint8_t first_place[BL_SITE_UNIT + 1] = {0, 0, 1, 3, 6};
    uint32_t order = n == 2 || n == 4 ? c->isa->order : 0U;
    uint32_t head = 0;
    uint32_t now = 0;
    uint32_t j;

    (void)said;
    for (j = 0; j < n; j++) {
        uint32_t at = 8 * (j ^ order);
        uint32_t byte;
        struct bl_byte b;

        b.guess[0] = -1;
        b.guess[1] = -1;
        if (guess != BL_GUESS_NONE) {
            b.guess[0] = (int32_t)(predicted >> at & 255);
            b.guess[1] = (int32_t)(again >> at & 255);
        }
        b.place = n > 1                    ? first_place[n] + j
                  : guess != BL_GUESS_NONE ? 0U
                                           : 10U;
        contexts_of(c, &b, n, j, head, guess);
        byte = bl_code_byte(&c->rc, &c->model, BL_SAY(said >> at & 255), &b);
        head = head << 8 | byte;
        now |= byte << at;
    }
    return now;
}

static uint32_t correct_bytes(struct bl_codec *c, const struct bl_unit *u)
{
    uint32_t n = u->site.length;
    uint32_t value = u->candidate[0];
    uint32_t now;
    uint32_t d;

    BL_ACCOUNT(c, BL_COST_MISSED);
    now = bl_code_bytes(
        c, n, BL_SAY(u->said), value, value + c->history.change[n],
        u->site.kind != BL_SITE_NONE ? BL_GUESS_SITE : BL_GUESS_UNIT);
    d = (now - value) & u->mask;
    c->history.change[n] = d;
    if (n > 1 && d != 0) {
        difference_front(c->history.difference[n - 2], d);
    }
    return now;
}

uint32_t bl_unit_correct(struct bl_codec *c, const struct bl_unit *u)
{
    uint32_t now;

    BL_TALLY(c, missed);
    c->history.misses = c->history.misses << 1 | 1;
    if (((BL_KIND(u->site.kind) & BL_KINDS_SAID) != 0 &&
         correct_target(c, u, &now)) ||
        (u->site.length > 1 && correct_difference(c, u, &now))) {
        return now;
    }
    return correct_bytes(c, u);
}
