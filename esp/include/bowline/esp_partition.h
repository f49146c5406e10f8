/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The partition table of Espressif's chips: rows of 32 bytes at 0x8000 of the
 * flash (where a project has not moved it), an MD5 row, erased bytes.
 *
 * bl_esp_table_open accepts what ESP-IDF's bootloader accepts, and names what
 * it does not. bl_esp_table_check finds what only bites later (overlaps, an
 * otadata of a wrong size, slots with a gap). Nothing is copied: a table is
 * a view of the caller's bytes.
 */
#ifndef BOWLINE_ESP_PARTITION_H
#define BOWLINE_ESP_PARTITION_H

#include "bowline/flash.h"
#include "bowline/span.h"
#include "bowline/status.h"

enum {
    BL_ESP_TABLE_OFFSET = 0x8000,
    BL_ESP_TABLE_SIZE = 0xC00, /* what the bootloader reads of it */
    BL_ESP_ROW = 32,
    BL_ESP_ROWS = BL_ESP_TABLE_SIZE / BL_ESP_ROW,
    BL_ESP_FLASH_SECTOR = 4096,
    BL_ESP_APP_ALIGN = 0x10000,
    BL_ESP_LABEL = 16, /* characters, not always ended by a zero */
    BL_ESP_OTA_SLOTS = 16
};

enum {
    BL_ESP_TYPE_APP = 0,
    BL_ESP_TYPE_DATA = 1,
    BL_ESP_TYPE_BOOTLOADER = 2,
    BL_ESP_TYPE_TABLE = 3
};

enum {
    BL_ESP_APP_FACTORY = 0x00,
    BL_ESP_APP_OTA = 0x10, /* plus the slot's number, 0 to 15 */
    BL_ESP_APP_TEST = 0x20,
    BL_ESP_DATA_OTA = 0x00,
    BL_ESP_DATA_NVS = 0x02
};

enum { BL_ESP_FLAG_ENCRYPTED = 1, BL_ESP_FLAG_READONLY = 2 };

struct bl_esp_partition {
    uint8_t type;
    uint8_t subtype;
    uint32_t offset;
    uint32_t size;
    uint32_t flags;
    char label[BL_ESP_LABEL + 1]; /* ended by a zero; any other byte may
                                     stand in it */
};

/*
 * X(NAME, "what is wrong"). The first group no bootloader starts with, the
 * second (from BL_ESP_TABLE_NO_APP on) starts and goes wrong later.
 */
#define BL_ESP_TABLE_FAULTS(X)                                                \
    X(OK, "the table is in order")                                            \
    X(SHORT, "the bytes end before the table does")                           \
    X(ROW, "a row is neither a partition, nor the MD5 row, nor the end")      \
    X(MD5, "the rows do not match the MD5 row: the table is damaged")         \
    X(TWO_MD5, "there are two MD5 rows")                                      \
    X(NO_END, "there is no erased row behind the last one")                   \
    X(BEYOND, "a partition reaches beyond the end of the flash")              \
    X(NO_APP, "no partition holds an application: nothing can start")         \
    X(EMPTY, "a partition has no bytes")                                      \
    X(APP_ALIGN, "an application does not begin at a multiple of 64 KiB")     \
    X(ALIGN, "a partition is not aligned to flash sectors of 4 KiB")          \
    X(OVERLAP, "two partitions overlap")                                      \
    X(IN_TABLE, "a partition lies over the bootloader or the table")          \
    X(LABEL, "two partitions have the same label")                            \
    X(TWO_FACTORY, "there are two factory applications")                      \
    X(TWO_OTADATA, "there are two otadata partitions")                        \
    X(OTADATA_SIZE, "the otadata partition is not of 8192 bytes")             \
    X(NO_OTADATA, "there are OTA slots and no otadata partition: the slots "  \
                  "are never chosen")                                         \
    X(TWO_SLOTS, "two OTA slots have the same number")                        \
    X(SLOT_GAP, "the OTA slots are not numbered from ota_0 on without gap: "  \
                "bootloader and application count them differently")          \
    X(ONE_SLOT, "there is one OTA slot and no factory application: an "       \
                "update would overwrite what runs")

enum bl_esp_table_fault {
#define BL_ESP_TABLE_ENUM(name, text) BL_ESP_TABLE_##name,
    BL_ESP_TABLE_FAULTS(BL_ESP_TABLE_ENUM)
#undef BL_ESP_TABLE_ENUM
};

/* Never NULL. In a file of its own: who does not call it does not carry it. */
const char *bl_esp_table_fault_text(enum bl_esp_table_fault fault);

struct bl_esp_table {
    bl_span bytes;
    uint32_t rows; /* partitions, those before and after an MD5 row */
    bool md5;      /* has an MD5 row, and it matches */
    uint32_t md5_row;
};

/* Where a fault is: numbers of rows as bl_esp_table_at takes them. */
struct bl_esp_table_finding {
    enum bl_esp_table_fault fault;
    uint32_t row;
    uint32_t other; /* OVERLAP, LABEL and TWO_...: the other row */
};

/*
 * Reads a table. `flash_size` 0: not known, BEYOND is not looked for. BL_OK:
 * *table is filled; BL_ARGUMENT: *finding says why not. Bytes behind the end
 * row are not looked at, nor more than BL_ESP_TABLE_SIZE bytes.
 */
bl_status
bl_esp_table_open(bl_span bytes, uint32_t flash_size,
                  struct bl_esp_table *table,
                  struct bl_esp_table_finding *finding) BL_MUST_CHECK;

/* Row `i`, below table->rows. */
void bl_esp_table_at(const struct bl_esp_table *table, uint32_t i,
                     struct bl_esp_partition *partition);

/* The first partition of this type and subtype; false: none. */
bool bl_esp_table_find(const struct bl_esp_table *table, uint8_t type,
                       uint8_t subtype, struct bl_esp_partition *partition);

/*
 * Looks for the second group of faults; `first` rows are stepped over, so
 * that a caller gets all: begin with *next = 0, go on until fault is OK.
 */
void bl_esp_table_check(const struct bl_esp_table *table, uint32_t *next,
                        struct bl_esp_table_finding *finding);

/* "app", "data", ...; "" for a type or subtype without a name. OTA slots:
 * "ota_0" to "ota_15". */
const char *bl_esp_type_name(uint8_t type);
const char *bl_esp_subtype_name(uint8_t type, uint8_t subtype);

/*
 * What is booted from, as ESP-IDF's bootloader gathers it: of two rows of one
 * kind the last counts, and n_ota is the number of OTA rows. An area that is
 * not there has size 0.
 */
struct bl_esp_slots {
    struct bl_area otadata;
    struct bl_area factory;
    struct bl_area test;
    struct bl_area ota[BL_ESP_OTA_SLOTS];
    uint32_t n_ota;
};

/* Index of a slot where one is asked for: an OTA slot's number, or these. */
enum { BL_ESP_FACTORY = -1, BL_ESP_TEST = -2, BL_ESP_NOTHING = -99 };

void bl_esp_slots_of(const struct bl_esp_table *table,
                     struct bl_esp_slots *slots);
/* NULL: there is no such slot. */
const struct bl_area *bl_esp_slot(const struct bl_esp_slots *slots, int index);

/*
 * Reads and opens the table of a flash whose offset 0 is the chip's.
 * `buffer` has BL_ESP_TABLE_SIZE bytes and must stay while *table is used.
 * BL_FLASH, or as bl_esp_table_open.
 */
bl_status
bl_esp_table_read(const struct bl_flash *flash, uint32_t offset,
                  uint8_t *buffer, struct bl_esp_table *table,
                  struct bl_esp_table_finding *finding) BL_MUST_CHECK;

#endif
