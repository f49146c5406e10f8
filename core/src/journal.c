/* SPDX-License-Identifier: Apache-2.0 */
#include "bowline/journal.h"

#include "storage.h"

/* Offsets of docs/SPEC.md, "Event record". */
enum {
    RECORD = 32,
    AT_NUMBER = 0,
    AT_UPTIME = 4,
    AT_BOOT = 8,
    AT_SEQUENCE = 12,
    AT_CODE = 20,
    AT_STATE = 22,
    AT_SLOT = 23,
    AT_ATTEMPT = 24,
    AT_RESET = 25,
    AT_MAGIC = 26,
    AT_CRC = 28,
    PLACE_MAX = 256
};

static const uint8_t magic[2] = {'B', 'J'};

#define FIELD(at, member) BL_FIELD(at, struct bl_event, member)
static const struct bl_field fields[] = {
    FIELD(AT_NUMBER, number), FIELD(AT_UPTIME, uptime_s),
    FIELD(AT_BOOT, boot),     FIELD(AT_SEQUENCE, sequence),
    FIELD(AT_CODE, code),     FIELD(AT_STATE, state),
    FIELD(AT_SLOT, slot),     FIELD(AT_ATTEMPT, attempt),
    FIELD(AT_RESET, reset),
};
#undef FIELD
enum { FIELDS = sizeof fields / sizeof fields[0] };

static void encode(const struct bl_event *event, uint8_t p[RECORD])
{
    bl_fields_put(fields, FIELDS, event, p);
    memcpy(p + AT_MAGIC, magic, sizeof magic);
    bl_put32(p + AT_CRC, bl_crc32(0, p, AT_CRC));
}

static bool decode(const uint8_t p[RECORD], struct bl_event *event)
{
    if (memcmp(p + AT_MAGIC, magic, sizeof magic) != 0 ||
        bl_get32(p + AT_CRC) != bl_crc32(0, p, AT_CRC)) {
        return false;
    }
    bl_fields_get(fields, FIELDS, p, event);
    return true;
}

static uint32_t place_size(const struct bl_flash *flash)
{
    return flash->write_size > RECORD ? flash->write_size : (uint32_t)RECORD;
}

/* --- Walking ------------------------------------------------------------- */

struct walk {
    const struct bl_layout *layout;
    uint32_t at;
    uint8_t block;
};

/* The next valid event of a block; BL_STATE_NONE at its end. */
static bl_status walk_next(struct walk *walk, struct bl_event *event)
{
    const struct bl_flash *flash = walk->layout->flash;
    const struct bl_area *area = &walk->layout->journal[walk->block];
    uint8_t record[RECORD];

    while (walk->at < area->size) {
        uint32_t offset = area->offset + walk->at;

        if (flash->read(flash->ctx, offset, record, RECORD) != BL_OK) {
            return BL_FLASH;
        }
        walk->at += place_size(flash);
        if (decode(record, event)) {
            return BL_OK;
        }
    }
    return BL_STATE_NONE;
}

static void walk_begin(struct walk *walk, const struct bl_layout *layout,
                       uint8_t block)
{
    walk->layout = layout;
    walk->block = block;
    walk->at = 0;
}

/* Raises `journal` to the newest event of one block. */
static bl_status open_block(struct bl_journal *journal, uint8_t block)
{
    struct walk walk;
    struct bl_event event;
    bl_status status;

    walk_begin(&walk, journal->layout, block);
    while ((status = walk_next(&walk, &event)) == BL_OK) {
        if (event.number >= journal->next) {
            journal->next = event.number + 1;
            journal->block = block;
        }
    }
    return status == BL_STATE_NONE ? BL_OK : status;
}

bl_status bl_journal_open(struct bl_journal *journal,
                          const struct bl_layout *layout)
{
    struct bl_journal found;
    bl_status status;

    memset(&found, 0, sizeof found);
    found.layout = layout;
    found.next = 1;
    /* With nothing found: as if the second block were full, so that the
     * first is erased before it is used. */
    found.block = 1;
    status = open_block(&found, 0);
    if (status == BL_OK) {
        status = open_block(&found, 1);
    }
    if (status == BL_OK) {
        found.offset = layout->journal[1].size;
    }
    if (status == BL_OK && found.next > 1) {
        status = bl_log_end(layout->flash, &layout->journal[found.block],
                            place_size(layout->flash), &found.offset);
    }
    if (status == BL_OK) {
        *journal = found;
    }
    return status;
}

/* --- Appending ----------------------------------------------------------- */

/* Power cut while erasing: the newest events are in the block that is full;
 * bl_journal_open comes to this place again. */
static bl_status next_block(struct bl_journal *journal)
{
    const struct bl_flash *flash = journal->layout->flash;
    uint8_t block = journal->block == 0 ? 1 : 0;
    const struct bl_area *area = &journal->layout->journal[block];

    if (flash->erase(flash->ctx, area->offset, area->size) != BL_OK) {
        return BL_FLASH;
    }
    journal->block = block;
    journal->offset = 0;
    return BL_OK;
}

static bl_status append(struct bl_journal *journal, const uint8_t *record)
{
    const struct bl_layout *layout = journal->layout;
    uint32_t place = place_size(layout->flash);

    return bl_log_append(layout->flash, &layout->journal[journal->block],
                         place, record, place, &journal->offset);
}

bl_status bl_journal_append(struct bl_journal *journal, struct bl_event *event)
{
    const struct bl_flash *flash = journal->layout->flash;
    uint8_t record[PLACE_MAX];
    struct bl_event next = *event;
    bl_status status;

    next.number = journal->next;
    memset(record, flash->erased, sizeof record);
    encode(&next, record);
    status = append(journal, record);
    if (status == BL_NO_SPACE) {
        status = next_block(journal);
        if (status == BL_OK) {
            status = append(journal, record);
        }
    }
    if (status == BL_OK) {
        journal->next++;
        event->number = next.number;
    }
    return status == BL_NO_SPACE ? BL_READ_BACK : status;
}

/* --- Reading ------------------------------------------------------------- */

bl_status bl_journal_read(const struct bl_journal *journal, uint32_t after,
                          struct bl_event *out, uint32_t max, uint32_t *n)
{
    uint32_t count = 0;
    uint32_t pass;

    /* The other block holds the older ones. */
    for (pass = 0; pass < 2; pass++) {
        struct walk walk;
        struct bl_event event;
        bl_status status = BL_OK;

        walk_begin(&walk, journal->layout,
                   (uint8_t)(pass == 0 ? 1 - journal->block : journal->block));
        while (count < max && (status = walk_next(&walk, &event)) == BL_OK) {
            if (event.number > after) {
                after = event.number;
                out[count] = event;
                count++;
            }
        }
        if (status == BL_FLASH) {
            return status;
        }
    }
    *n = count;
    return BL_OK;
}
