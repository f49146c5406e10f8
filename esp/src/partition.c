/* SPDX-License-Identifier: Apache-2.0 */
#include "bowline/esp_partition.h"

#include "bowline/esp_md5.h"
#include "esp_bytes.h"

enum {
    AT_TYPE = 2,
    AT_SUBTYPE = 3,
    AT_OFFSET = 4,
    AT_SIZE = 8,
    AT_LABEL = 12,
    AT_FLAGS = 28,
    AT_MD5 = 16
};

enum row_kind { ROW_PARTITION, ROW_MD5, ROW_END, ROW_OTHER };

static bool all_erased(const uint8_t *p, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++) {
        if (p[i] != 0xFF) {
            return false;
        }
    }
    return true;
}

/* The bootloader looks at four bytes of the end row, and so do we. */
static enum row_kind kind_of(const uint8_t *row)
{
    if (row[0] == 0xAA && row[1] == 0x50) {
        return ROW_PARTITION;
    }
    if (row[0] == 0xEB && row[1] == 0xEB) {
        return ROW_MD5;
    }
    return all_erased(row, 4) ? ROW_END : ROW_OTHER;
}

static bool md5_matches(const uint8_t *bytes, uint32_t row)
{
    uint8_t digest[BL_ESP_MD5_SIZE];

    bl_esp_md5(bytes, (size_t)row * BL_ESP_ROW, digest);
    return memcmp(bytes + (size_t)row * BL_ESP_ROW + AT_MD5, digest,
                  sizeof digest) == 0;
}

static bool beyond(const uint8_t *row, uint32_t flash_size)
{
    uint32_t offset = bl_esp_get32(row + AT_OFFSET);

    return flash_size != 0 &&
           (offset > flash_size ||
            bl_esp_get32(row + AT_SIZE) > flash_size - offset);
}

/* Takes one row in; `at` is its place in the table. */
static enum bl_esp_table_fault take(struct bl_esp_table *table, uint32_t at,
                                    uint32_t flash_size)
{
    const uint8_t *row = table->bytes.p + (size_t)at * BL_ESP_ROW;

    switch (kind_of(row)) {
    case ROW_PARTITION:
        table->rows++;
        return beyond(row, flash_size) ? BL_ESP_TABLE_BEYOND : BL_ESP_TABLE_OK;
    case ROW_MD5:
        if (table->md5) {
            return BL_ESP_TABLE_TWO_MD5;
        }
        table->md5 = true;
        table->md5_row = at;
        return md5_matches(table->bytes.p, at) ? BL_ESP_TABLE_OK
                                               : BL_ESP_TABLE_MD5;
    default:
        return BL_ESP_TABLE_ROW;
    }
}

static enum bl_esp_table_fault walk(struct bl_esp_table *table,
                                    uint32_t flash_size, uint32_t *at)
{
    for (*at = 0; *at < BL_ESP_ROWS; ++*at) {
        enum bl_esp_table_fault fault;
        size_t from = (size_t)*at * BL_ESP_ROW;

        if (table->bytes.n - from < BL_ESP_ROW) {
            return BL_ESP_TABLE_SHORT;
        }
        if (kind_of(table->bytes.p + from) == ROW_END) {
            return BL_ESP_TABLE_OK;
        }
        fault = take(table, *at, flash_size);
        if (fault != BL_ESP_TABLE_OK) {
            return fault;
        }
    }
    return BL_ESP_TABLE_NO_END;
}

bl_status bl_esp_table_open(bl_span bytes, uint32_t flash_size,
                            struct bl_esp_table *table,
                            struct bl_esp_table_finding *finding)
{
    struct bl_esp_table read;
    uint32_t at;
    enum bl_esp_table_fault fault;

    memset(&read, 0, sizeof read);
    read.bytes = bytes;
    fault = walk(&read, flash_size, &at);
    if (fault != BL_ESP_TABLE_OK) {
        finding->fault = fault;
        finding->row = at;
        finding->other = at;
        return BL_ARGUMENT;
    }
    *table = read;
    return BL_OK;
}

void bl_esp_table_at(const struct bl_esp_table *table, uint32_t i,
                     struct bl_esp_partition *partition)
{
    uint32_t at = table->md5 && i >= table->md5_row ? i + 1 : i;
    const uint8_t *row = table->bytes.p + (size_t)at * BL_ESP_ROW;

    memset(partition, 0, sizeof *partition);
    partition->type = row[AT_TYPE];
    partition->subtype = row[AT_SUBTYPE];
    partition->offset = bl_esp_get32(row + AT_OFFSET);
    partition->size = bl_esp_get32(row + AT_SIZE);
    memcpy(partition->label, row + AT_LABEL, BL_ESP_LABEL);
    partition->flags = bl_esp_get32(row + AT_FLAGS);
}

bool bl_esp_table_find(const struct bl_esp_table *table, uint8_t type,
                       uint8_t subtype, struct bl_esp_partition *partition)
{
    uint32_t i;

    for (i = 0; i < table->rows; i++) {
        struct bl_esp_partition p;

        bl_esp_table_at(table, i, &p);
        if (p.type == type && p.subtype == subtype) {
            *partition = p;
            return true;
        }
    }
    return false;
}

bl_status bl_esp_table_read(const struct bl_flash *flash, uint32_t offset,
                            uint8_t *buffer, struct bl_esp_table *table,
                            struct bl_esp_table_finding *finding)
{
    if (flash->read(flash->ctx, offset, buffer, BL_ESP_TABLE_SIZE) != BL_OK) {
        return BL_FLASH;
    }
    return bl_esp_table_open(bl_span_of(buffer, BL_ESP_TABLE_SIZE),
                             flash->size, table, finding);
}

/* --- What is booted from ------------------------------------------------- */

/* Where in *slots a partition belongs; NULL: the bootloader has no use. */
static struct bl_area *place(struct bl_esp_slots *slots,
                             const struct bl_esp_partition *p)
{
    if (p->type == BL_ESP_TYPE_DATA && p->subtype == BL_ESP_DATA_OTA) {
        return &slots->otadata;
    }
    if (p->type != BL_ESP_TYPE_APP) {
        return NULL;
    }
    if (p->subtype == BL_ESP_APP_FACTORY) {
        return &slots->factory;
    }
    if (p->subtype == BL_ESP_APP_TEST) {
        return &slots->test;
    }
    if ((p->subtype & 0xF0) == BL_ESP_APP_OTA) {
        slots->n_ota++;
        return &slots->ota[p->subtype & 0x0F];
    }
    return NULL;
}

void bl_esp_slots_of(const struct bl_esp_table *table,
                     struct bl_esp_slots *slots)
{
    uint32_t i;

    memset(slots, 0, sizeof *slots);
    for (i = 0; i < table->rows; i++) {
        struct bl_esp_partition p;
        struct bl_area *area;

        bl_esp_table_at(table, i, &p);
        area = place(slots, &p);
        if (area != NULL) {
            area->offset = p.offset;
            area->size = p.size;
        }
    }
}

const struct bl_area *bl_esp_slot(const struct bl_esp_slots *slots, int index)
{
    const struct bl_area *area = NULL;

    if (index == BL_ESP_FACTORY) {
        area = &slots->factory;
    } else if (index == BL_ESP_TEST) {
        area = &slots->test;
    } else if (index >= 0 && index < BL_ESP_OTA_SLOTS &&
               (uint32_t)index < slots->n_ota) {
        area = &slots->ota[index];
    }
    return area != NULL && area->size != 0 ? area : NULL;
}
