/* SPDX-License-Identifier: Apache-2.0 */
/* What the bootloader does not look for, and what goes wrong later. */
#include "bowline/esp_partition.h"

/* Bootloader and table lie below this, where the table is at its usual place.
 * A table that was moved may have its first partition lower or higher. */
enum { FIRST = BL_ESP_TABLE_OFFSET + BL_ESP_FLASH_SECTOR };

static bool is_ota(const struct bl_esp_partition *p)
{
    return p->type == BL_ESP_TYPE_APP && (p->subtype & 0xF0) == BL_ESP_APP_OTA;
}

static bool is_otadata(const struct bl_esp_partition *p)
{
    return p->type == BL_ESP_TYPE_DATA && p->subtype == BL_ESP_DATA_OTA;
}

/* --- One row ------------------------------------------------------------- */

static enum bl_esp_table_fault alone(const struct bl_esp_partition *p)
{
    if (p->size == 0) {
        return BL_ESP_TABLE_EMPTY;
    }
    if (p->type == BL_ESP_TYPE_BOOTLOADER || p->type == BL_ESP_TYPE_TABLE) {
        return BL_ESP_TABLE_OK;
    }
    if (p->type == BL_ESP_TYPE_APP && p->offset % BL_ESP_APP_ALIGN != 0) {
        return BL_ESP_TABLE_APP_ALIGN;
    }
    if (p->offset % BL_ESP_FLASH_SECTOR != 0 ||
        (p->type == BL_ESP_TYPE_APP && p->size % BL_ESP_FLASH_SECTOR != 0)) {
        return BL_ESP_TABLE_ALIGN;
    }
    if (p->offset < FIRST) {
        return BL_ESP_TABLE_IN_TABLE;
    }
    if (is_otadata(p) && p->size != 2 * BL_ESP_FLASH_SECTOR) {
        return BL_ESP_TABLE_OTADATA_SIZE;
    }
    return BL_ESP_TABLE_OK;
}

/* --- Two rows ------------------------------------------------------------ */

static bool overlap(const struct bl_esp_partition *a,
                    const struct bl_esp_partition *b)
{
    return (uint64_t)a->offset + a->size > b->offset &&
           (uint64_t)b->offset + b->size > a->offset;
}

static bool same_kind(const struct bl_esp_partition *a,
                      const struct bl_esp_partition *b)
{
    return a->type == b->type && a->subtype == b->subtype;
}

static enum bl_esp_table_fault pair(const struct bl_esp_partition *a,
                                    const struct bl_esp_partition *b)
{
    if (overlap(a, b)) {
        return BL_ESP_TABLE_OVERLAP;
    }
    if (memcmp(a->label, b->label, BL_ESP_LABEL) == 0) {
        return BL_ESP_TABLE_LABEL;
    }
    if (!same_kind(a, b)) {
        return BL_ESP_TABLE_OK;
    }
    if (is_otadata(a)) {
        return BL_ESP_TABLE_TWO_OTADATA;
    }
    if (is_ota(a)) {
        return BL_ESP_TABLE_TWO_SLOTS;
    }
    return a->type == BL_ESP_TYPE_APP && a->subtype == BL_ESP_APP_FACTORY
               ? BL_ESP_TABLE_TWO_FACTORY
               : BL_ESP_TABLE_OK;
}

/* --- The whole table ----------------------------------------------------- */

/* The highest OTA slot's number plus one, or 0. */
static uint32_t ota_end(const struct bl_esp_table *table, uint32_t *row)
{
    uint32_t end = 0;
    uint32_t i;

    for (i = 0; i < table->rows; i++) {
        struct bl_esp_partition p;

        bl_esp_table_at(table, i, &p);
        if (is_ota(&p) && (p.subtype & 0x0Fu) + 1u > end) {
            end = (p.subtype & 0x0Fu) + 1u;
            *row = i;
        }
    }
    return end;
}

static enum bl_esp_table_fault whole(const struct bl_esp_table *table,
                                     uint32_t *row)
{
    struct bl_esp_slots slots;
    uint32_t end = ota_end(table, row);

    bl_esp_slots_of(table, &slots);
    if (slots.factory.size == 0 && slots.test.size == 0 && end == 0) {
        return BL_ESP_TABLE_NO_APP;
    }
    if (end == 0) {
        return BL_ESP_TABLE_OK;
    }
    if (slots.otadata.size == 0) {
        return BL_ESP_TABLE_NO_OTADATA;
    }
    if (slots.n_ota < end) {
        return BL_ESP_TABLE_SLOT_GAP;
    }
    return slots.n_ota == 1 && slots.factory.size == 0 ? BL_ESP_TABLE_ONE_SLOT
                                                       : BL_ESP_TABLE_OK;
}

/*
 * Steps are numbered: rows one by one, each alone and then beside those
 * before it, last the table as a whole.
 */
static enum bl_esp_table_fault step(const struct bl_esp_table *table,
                                    uint32_t row, uint32_t *other)
{
    struct bl_esp_partition p;
    enum bl_esp_table_fault fault;

    bl_esp_table_at(table, row, &p);
    fault = alone(&p);
    for (*other = 0; fault == BL_ESP_TABLE_OK && *other < row; ++*other) {
        struct bl_esp_partition before;

        bl_esp_table_at(table, *other, &before);
        fault = pair(&before, &p);
        if (fault != BL_ESP_TABLE_OK) {
            return fault;
        }
    }
    *other = row;
    return fault;
}

void bl_esp_table_check(const struct bl_esp_table *table, uint32_t *next,
                        struct bl_esp_table_finding *finding)
{
    memset(finding, 0, sizeof *finding);
    while (*next < table->rows) {
        finding->row = (*next)++;
        finding->fault = step(table, finding->row, &finding->other);
        if (finding->fault != BL_ESP_TABLE_OK) {
            return;
        }
    }
    if (*next == table->rows) {
        ++*next;
        finding->row = 0;
        finding->fault = whole(table, &finding->row);
        finding->other = finding->row;
    }
}
