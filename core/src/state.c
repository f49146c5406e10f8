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
    AT_ISSUED = 136,
    AT_CRC = 252
};

static const uint8_t magic[4] = {'B', 'L', 'S', '1'};

/* --- One record ---------------------------------------------------------- */

#define FIELD(at, member) BL_FIELD(at, struct bl_state, member)
static const struct bl_field fields[] = {
    FIELD(AT_NUMBER, number),
    FIELD(AT_ACTIVE, active),
    FIELD(AT_TRIAL, trial),
    FIELD(AT_TRIES, tries),
    FIELD(AT_LAST_RESET, last_reset),
    FIELD(AT_TRIAL_RESET, trial_reset),
    FIELD(AT_OUTCOME, outcome),
    FIELD(AT_OUTCOME_SEQUENCE, outcome_sequence),
    FIELD(AT_FLOOR, floor),
    FIELD(AT_BOOTS, boots),
    FIELD(AT_ISSUED, issued),
};
#undef FIELD
enum { FIELDS = sizeof fields / sizeof fields[0] };

#define FIELD(at, member) BL_FIELD(at, struct bl_slot_record, member)
static const struct bl_field slot_fields[] = {
    FIELD(0, status),
    FIELD(1, permitted),
    FIELD(4, root_version),
    FIELD(8, sequence),
};
#undef FIELD
enum {
    SLOT_FIELDS = sizeof slot_fields / sizeof slot_fields[0],
    SLOT_MANIFEST = 16
};

static void encode(const struct bl_state *state, uint8_t p[BL_STATE_RECORD])
{
    uint32_t i;
    uint8_t *slot = p + AT_SLOT;

    memset(p, 0, BL_STATE_RECORD);
    memcpy(p, magic, sizeof magic);
    bl_fields_put(fields, FIELDS, state, p);
    for (i = 0; i < 2; i++, slot += SLOT_BYTES) {
        bl_fields_put(slot_fields, SLOT_FIELDS, &state->slot[i], slot);
        memcpy(slot + SLOT_MANIFEST, state->slot[i].manifest, 32);
    }
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
    uint32_t i;
    const uint8_t *slot = p + AT_SLOT;

    bl_fields_get(fields, FIELDS, p, state);
    for (i = 0; i < 2; i++, slot += SLOT_BYTES) {
        bl_fields_get(slot_fields, SLOT_FIELDS, slot, &state->slot[i]);
        memcpy(state->slot[i].manifest, slot + SLOT_MANIFEST, 32);
    }
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
    struct newest newest;
    uint32_t before = state->number;
    uint32_t end;
    bl_status status = find(layout, record, &newest);

    if (status != BL_OK) {
        return status;
    }
    state->number = newest.found ? newest.number + 1 : 1;
    encode(state, record);
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
    if (status != BL_OK) {
        state->number = before;
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
