/* SPDX-License-Identifier: Apache-2.0 */
#include "bowline/state.h"

#include "storage.h"

/* Offsets of docs/SPEC.md, "State record". */
enum {
    AT_NUMBER = 4,
    AT_ACTIVE = 8,
    AT_TRIAL = 9,
    AT_TRIES = 10,
    AT_LAST_RESET = 11,
    AT_TRIAL_RESET = 12,
    AT_OUTCOME = 14,
    AT_OUTCOME_SEQUENCE = 16,
    AT_FLOOR = 24,
    AT_BOOTS = 32,
    AT_SLOT = 40,
    SLOT_BYTES = 48,
    AT_CRC = 252
};

static const uint8_t magic[4] = {'B', 'L', 'S', '1'};

/* --- One record ---------------------------------------------------------- */

static void put_slot(uint8_t *p, const struct bl_slot_record *slot)
{
    p[0] = slot->status;
    p[1] = slot->permitted;
    bl_put32(p + 4, slot->root_version);
    bl_put64(p + 8, slot->sequence);
    memcpy(p + 16, slot->manifest, sizeof slot->manifest);
}

static void get_slot(const uint8_t *p, struct bl_slot_record *slot)
{
    slot->status = p[0];
    slot->permitted = p[1];
    slot->root_version = bl_get32(p + 4);
    slot->sequence = bl_get64(p + 8);
    memcpy(slot->manifest, p + 16, sizeof slot->manifest);
}

static void encode(const struct bl_state *state, uint8_t p[BL_STATE_RECORD])
{
    memset(p, 0, BL_STATE_RECORD);
    memcpy(p, magic, sizeof magic);
    bl_put32(p + AT_NUMBER, state->number);
    p[AT_ACTIVE] = state->active;
    p[AT_TRIAL] = state->trial;
    p[AT_TRIES] = state->tries;
    p[AT_LAST_RESET] = state->last_reset;
    p[AT_TRIAL_RESET] = state->trial_reset;
    bl_put16(p + AT_OUTCOME, state->outcome);
    bl_put64(p + AT_OUTCOME_SEQUENCE, state->outcome_sequence);
    bl_put64(p + AT_FLOOR, state->floor);
    bl_put32(p + AT_BOOTS, state->boots);
    put_slot(p + AT_SLOT, &state->slot[0]);
    put_slot(p + AT_SLOT + SLOT_BYTES, &state->slot[1]);
    bl_put32(p + AT_CRC, bl_crc32(0, p, AT_CRC));
}

static bool valid(const uint8_t p[BL_STATE_RECORD])
{
    return memcmp(p, magic, sizeof magic) == 0 &&
           bl_get32(p + AT_CRC) == bl_crc32(0, p, AT_CRC) &&
           (p[AT_ACTIVE] <= BL_SLOT_B || p[AT_ACTIVE] == BL_SLOT_NONE) &&
           (p[AT_TRIAL] <= BL_SLOT_B || p[AT_TRIAL] == BL_SLOT_NONE) &&
           p[AT_SLOT] <= BL_SLOT_BAD && p[AT_SLOT + SLOT_BYTES] <= BL_SLOT_BAD;
}

static void decode(const uint8_t p[BL_STATE_RECORD], struct bl_state *state)
{
    state->number = bl_get32(p + AT_NUMBER);
    state->active = p[AT_ACTIVE];
    state->trial = p[AT_TRIAL];
    state->tries = p[AT_TRIES];
    state->last_reset = p[AT_LAST_RESET];
    state->trial_reset = p[AT_TRIAL_RESET];
    state->outcome = bl_get16(p + AT_OUTCOME);
    state->outcome_sequence = bl_get64(p + AT_OUTCOME_SEQUENCE);
    state->floor = bl_get64(p + AT_FLOOR);
    state->boots = bl_get32(p + AT_BOOTS);
    get_slot(p + AT_SLOT, &state->slot[0]);
    get_slot(p + AT_SLOT + SLOT_BYTES, &state->slot[1]);
}

/* --- The newest record --------------------------------------------------- */

struct newest {
    bool found;
    uint8_t block;
    uint32_t number;
    uint32_t offset; /* in the flash */
};

/* Record numbers wrap: what counts is the signed difference. */
static bool newer(uint32_t a, uint32_t b)
{
    return a != b && a - b < 0x80000000u;
}

static bl_status look(const struct bl_layout *layout, uint8_t block,
                      uint8_t record[BL_STATE_RECORD], struct newest *newest)
{
    const struct bl_flash *flash = layout->flash;
    const struct bl_area *area = &layout->state[block];
    uint32_t at;

    for (at = 0; at < area->size; at += BL_STATE_RECORD) {
        uint32_t offset = area->offset + at;
        uint32_t number;

        if (flash->read(flash->ctx, offset, record, BL_STATE_RECORD) !=
            BL_OK) {
            return BL_FLASH;
        }
        if (!valid(record)) {
            continue;
        }
        number = bl_get32(record + AT_NUMBER);
        if (!newest->found || newer(number, newest->number)) {
            newest->found = true;
            newest->block = block;
            newest->number = number;
            newest->offset = offset;
        }
    }
    return BL_OK;
}

static bl_status find(const struct bl_layout *layout,
                      uint8_t record[BL_STATE_RECORD], struct newest *newest)
{
    bl_status status;

    memset(newest, 0, sizeof *newest);
    status = look(layout, 0, record, newest);
    if (status != BL_OK) {
        return status;
    }
    return look(layout, 1, record, newest);
}

bl_status bl_state_load(const struct bl_layout *layout, struct bl_state *out)
{
    const struct bl_flash *flash = layout->flash;
    uint8_t record[BL_STATE_RECORD];
    struct newest newest;
    bl_status status = find(layout, record, &newest);

    if (status != BL_OK) {
        return status;
    }
    if (!newest.found) {
        return BL_STATE_NONE;
    }
    if (flash->read(flash->ctx, newest.offset, record, BL_STATE_RECORD) !=
            BL_OK ||
        !valid(record)) {
        return BL_FLASH;
    }
    decode(record, out);
    return BL_OK;
}

/* --- Saving -------------------------------------------------------------- */

/*
 * Cut while erasing: the newest record is in the other block, which is full,
 * so that the next save comes back here and erases again. A block is always
 * erased on entering it, however it looks: what a cut erase left behind may
 * read as erased and not hold.
 */
static bl_status begin_block(const struct bl_layout *layout, uint8_t block,
                             const uint8_t record[BL_STATE_RECORD])
{
    const struct bl_flash *flash = layout->flash;
    const struct bl_area *area = &layout->state[block];
    uint32_t offset = 0;
    bl_status status;

    if (flash->erase(flash->ctx, area->offset, area->size) != BL_OK) {
        return BL_FLASH;
    }
    status = bl_log_append(flash, area, BL_STATE_RECORD, record,
                           BL_STATE_RECORD, &offset);
    return status == BL_NO_SPACE ? BL_READ_BACK : status;
}

bl_status bl_state_save(const struct bl_layout *layout, struct bl_state *state)
{
    uint8_t record[BL_STATE_RECORD];
    struct bl_state next = *state;
    struct newest newest;
    uint32_t end;
    bl_status status = find(layout, record, &newest);

    if (status != BL_OK) {
        return status;
    }
    next.number = newest.found ? newest.number + 1 : 1;
    encode(&next, record);
    status = BL_NO_SPACE;
    if (newest.found) {
        const struct bl_area *area = &layout->state[newest.block];

        status = bl_log_end(layout->flash, area, BL_STATE_RECORD, &end);
        if (status == BL_OK) {
            status = bl_log_append(layout->flash, area, BL_STATE_RECORD,
                                   record, BL_STATE_RECORD, &end);
        }
    }
    if (status == BL_NO_SPACE) {
        status = begin_block(layout, newest.found && newest.block == 0 ? 1 : 0,
                             record);
    }
    if (status == BL_OK) {
        state->number = next.number;
    }
    return status;
}

/* --- Transitions --------------------------------------------------------- */

void bl_state_confirm(struct bl_state *state)
{
    struct bl_slot_record *slot;

    if (state->trial > BL_SLOT_B) {
        return;
    }
    slot = &state->slot[state->trial];
    slot->status = BL_SLOT_CONFIRMED;
    state->active = state->trial;
    state->trial = BL_SLOT_NONE;
    state->tries = 0;
    state->outcome = BL_OK;
    state->outcome_sequence = slot->sequence;
    if (state->floor < slot->sequence) {
        state->floor = slot->sequence;
    }
}

void bl_state_return(struct bl_state *state, bl_status why)
{
    struct bl_slot_record *slot;

    if (state->trial > BL_SLOT_B) {
        return;
    }
    slot = &state->slot[state->trial];
    slot->status = BL_SLOT_BAD;
    state->trial = BL_SLOT_NONE;
    state->tries = 0;
    state->outcome = (uint16_t)why;
    state->outcome_sequence = slot->sequence;
}

bl_status bl_state_try(struct bl_state *state, uint8_t slot, uint8_t tries)
{
    if (slot > BL_SLOT_B || tries == 0) {
        return BL_ARGUMENT;
    }
    if (state->trial != BL_SLOT_NONE || slot == state->active ||
        (state->slot[slot].status != BL_SLOT_READY &&
         state->slot[slot].status != BL_SLOT_CONFIRMED)) {
        return BL_BUSY;
    }
    state->trial = slot;
    state->tries = tries;
    state->trial_reset = BL_RESET_UNKNOWN;
    return BL_OK;
}
