/* SPDX-License-Identifier: Apache-2.0 */
/* Xtensa: instructions of 3 bytes, of 2 with code density. Wider bundles of
 * the ESP32-S3 are walked as 3 bytes and find themselves again. */
#include "site.h"

enum {
    AHEAD = 4,
    AHEAD_ALIGNED = AHEAD | BL_FORM_ALIGNED,
    OF_LITERAL = 3 | BL_FORM_ALIGNED | BL_FORM_BACK
};

static const uint16_t literal_pieces[] = {BL_LAST_PIECE(2, 8, 16)};
static const uint16_t call_pieces[] = {BL_LAST_PIECE(2, 6, 18)};
static const uint16_t jump_pieces[] = {BL_LAST_PIECE(0, 6, 18)};
static const uint16_t zero_pieces[] = {BL_LAST_PIECE(0, 12, 12)};
static const uint16_t branch_pieces[] = {BL_LAST_PIECE(0, 16, 8)};
static const uint16_t short_pieces[] = {BL_PIECE(4, 4, 2),
                                        BL_LAST_PIECE(0, 12, 4)};

/* L32R; calls; J; BEQZ and its kin; BEQI and its kin, BLTUI, BGEUI; BF, BT;
 * LOOP, LOOPNEZ, LOOPGTZ (forward only); B<cc>; BEQZ.N, BNEZ.N */
static const struct bl_form forms[] = {
    {0x0F, 0x01, literal_pieces, BL_SITE_L32R, 19, OF_LITERAL},
    {0x0F, 0x05, call_pieces, BL_SITE_CALL, 20, AHEAD_ALIGNED},
    {0x3F, 0x06, jump_pieces, BL_SITE_JUMP, 18, AHEAD},
    {0x3F, 0x16, zero_pieces, BL_SITE_LOCAL, 12, AHEAD},
    {0x3F, 0x26, branch_pieces, BL_SITE_LOCAL, 8, AHEAD},
    {0xBF, 0xB6, branch_pieces, BL_SITE_LOCAL, 8, AHEAD},
    {0xE0FF, 0x0076, branch_pieces, BL_SITE_LOCAL, 8, AHEAD},
    {0xE0FF, 0x8076, branch_pieces, BL_SITE_LOCAL, 9, AHEAD},
    {0xF0FF, 0xA076, branch_pieces, BL_SITE_LOCAL, 9, AHEAD},
    {0x0F, 0x07, branch_pieces, BL_SITE_LOCAL, 8, AHEAD},
    {0x8F, 0x8C, short_pieces, BL_SITE_LOCAL, 7, AHEAD},
    {0, 0, NULL, BL_SITE_NONE, 0, 0},
};

static void find(struct bl_view *v, uint32_t at, struct bl_sweep *w,
                 struct bl_site *s)
{
    uint32_t op = s->word & 15;

    (void)v;
    (void)at;
    (void)w;
    s->length = op >= 8 && op <= 13 ? 2 : 3;
    (void)bl_form_find(&bl_isa_xtensa, s);
}

static uint8_t opcode(uint32_t word, uint32_t n)
{
    (void)n;
    return (uint8_t)word;
}

const struct bl_isa bl_isa_xtensa = {
    .literal = 1,
    .shift = 2,
    .forms = forms,
    .may = 0x10E210E2U,
    .never = 0xEF1DEF1DU,
    .longer = 0xC0FFC0FFU,
    .size = {2, 3},
    .grain = 1,
    .find = find,
    .opcode = opcode,
};
