/* SPDX-License-Identifier: Apache-2.0 */
/* The records of otadata and what ESP-IDF's bootloader makes of them: pure. */
#include "bowline/esp_otadata.h"

#include "esp_bytes.h"

enum { AT_NUMBER = 0, AT_LABEL = 4, AT_STATE = 24, AT_CRC = 28 };

/* --- One record ---------------------------------------------------------- */

void bl_esp_ota_get(const uint8_t bytes[BL_ESP_OTA_RECORD],
                    struct bl_esp_ota_record *record)
{
    record->number = bl_esp_get32(bytes + AT_NUMBER);
    memcpy(record->label, bytes + AT_LABEL, sizeof record->label);
    record->state = bl_esp_get32(bytes + AT_STATE);
    record->crc = bl_esp_get32(bytes + AT_CRC);
}

void bl_esp_ota_put(const struct bl_esp_ota_record *record,
                    uint8_t bytes[BL_ESP_OTA_RECORD])
{
    bl_esp_put32(bytes + AT_NUMBER, record->number);
    memcpy(bytes + AT_LABEL, record->label, sizeof record->label);
    bl_esp_put32(bytes + AT_STATE, record->state);
    bl_esp_put32(bytes + AT_CRC, record->crc);
}

/*
 * CRC-32 as zlib's, but the register begins at 0: the chip's ROM routine
 * inverts the value that it is given, and ESP-IDF gives it all ones.
 */
uint32_t bl_esp_ota_crc(uint32_t number)
{
    uint32_t crc = number;
    uint32_t i;

    for (i = 0; i < 32; i++) {
        crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320u : 0);
    }
    return ~crc;
}

bool bl_esp_ota_refused(const struct bl_esp_ota_record *record)
{
    return record->number == BL_ESP_OTA_BLANK ||
           record->state == BL_ESP_OTA_INVALID ||
           record->state == BL_ESP_OTA_ABORTED;
}

bool bl_esp_ota_usable(const struct bl_esp_ota_record *record)
{
    return !bl_esp_ota_refused(record) &&
           record->crc == bl_esp_ota_crc(record->number);
}

/* Of two that may count the higher number, of equal ones the first. */
static int higher(const struct bl_esp_ota_record record[2], bool first,
                  bool second)
{
    if (first && second) {
        return record[0].number >= record[1].number ? 0 : 1;
    }
    if (first) {
        return 0;
    }
    return second ? 1 : -1;
}

int bl_esp_ota_active(const struct bl_esp_ota_record record[2])
{
    return higher(record, bl_esp_ota_usable(&record[0]),
                  bl_esp_ota_usable(&record[1]));
}

uint32_t bl_esp_ota_slot(const struct bl_esp_ota_record *record,
                         uint32_t n_ota)
{
    return (record->number - 1) % n_ota;
}

bl_status bl_esp_ota_number(uint32_t number, uint32_t slot, uint32_t n_ota,
                            uint32_t *next)
{
    uint64_t value;

    if (n_ota == 0 || slot >= n_ota) {
        return BL_ARGUMENT;
    }
    value = (slot + 1) % n_ota;
    if (number > value) {
        value += (number - value + n_ota - 1) / n_ota * n_ota;
    }
    if (value >= BL_ESP_OTA_BLANK) {
        return BL_NO_SPACE;
    }
    *next = (uint32_t)value;
    return BL_OK;
}

const char *bl_esp_ota_state_name(uint32_t state)
{
    static const char *const name[] = {"new", "pending-verify", "valid",
                                       "invalid", "aborted"};

    if (state == BL_ESP_OTA_UNDEFINED) {
        return "undefined";
    }
    return state < sizeof name / sizeof name[0] ? name[state] : "unknown";
}

/* --- The bootloader's choice --------------------------------------------- */

static void set_state(struct bl_esp_choice *choice, int i, uint32_t state)
{
    choice->record[i].state = state;
    choice->write[i] = true;
}

/* Started once and not confirmed: given up, whatever its CRC says. */
static void abort_pending(struct bl_esp_choice *choice)
{
    int i;

    for (i = 0; i < 2; i++) {
        if (choice->record[i].state == BL_ESP_OTA_PENDING) {
            set_state(choice, i, BL_ESP_OTA_ABORTED);
        }
    }
}

static bool never_written(const struct bl_esp_ota_record *record)
{
    return record->number == BL_ESP_OTA_BLANK ||
           record->crc != bl_esp_ota_crc(record->number);
}

static bool both_never_written(const struct bl_esp_choice *choice)
{
    return never_written(&choice->record[0]) &&
           never_written(&choice->record[1]);
}

/* Does this record count where a version floor is in the eFuse? */
static bool above_efuse(const struct bl_esp_choose_facts *facts,
                        const struct bl_esp_ota_record *record)
{
    uint32_t slot;

    if (!bl_esp_ota_usable(record)) {
        return false;
    }
    slot = bl_esp_ota_slot(record, facts->n_ota);
    return slot < BL_ESP_OTA_SLOTS && facts->described[slot] &&
           facts->secure_version[slot] >= facts->efuse;
}

/* A record counts: its slot; a new one becomes pending before its start. */
static void follow(const struct bl_esp_choose_facts *facts,
                   struct bl_esp_choice *choice)
{
    struct bl_esp_ota_record *record = &choice->record[choice->active];
    uint32_t slot = bl_esp_ota_slot(record, facts->n_ota);

    choice->index = (int)slot;
    if (facts->options.rollback && record->state == BL_ESP_OTA_NEW) {
        set_state(choice, choice->active, BL_ESP_OTA_PENDING);
    }
    if (facts->options.anti_rollback && record->state == BL_ESP_OTA_VALID &&
        slot < BL_ESP_OTA_SLOTS && facts->described[slot] &&
        facts->secure_version[slot] > choice->efuse) {
        choice->efuse = facts->secure_version[slot];
    }
}

/* Anti-rollback: there is no factory application, and of the slots only those
 * count that are not below the eFuse. */
static void choose_with_floor(const struct bl_esp_choose_facts *facts,
                              struct bl_esp_choice *choice)
{
    if (both_never_written(choice)) {
        choice->initial = true;
        return;
    }
    if (facts->n_ota == 0) {
        return;
    }
    choice->active =
        higher(choice->record, above_efuse(facts, &choice->record[0]),
               above_efuse(facts, &choice->record[1]));
    if (choice->active >= 0) {
        follow(facts, choice);
    }
}

static void choose_plainly(const struct bl_esp_choose_facts *facts,
                           struct bl_esp_choice *choice)
{
    bool nothing = bl_esp_ota_refused(&choice->record[0]) &&
                   bl_esp_ota_refused(&choice->record[1]);

    if (nothing || facts->n_ota == 0) {
        if (!facts->factory) {
            choice->index = 0;
            choice->initial = both_never_written(choice);
        }
        return;
    }
    choice->active = bl_esp_ota_active(choice->record);
    if (choice->active >= 0) {
        follow(facts, choice);
    }
}

void bl_esp_boot_choose(const struct bl_esp_choose_facts *facts,
                        struct bl_esp_choice *choice)
{
    memset(choice, 0, sizeof *choice);
    choice->index = BL_ESP_FACTORY;
    choice->active = -1;
    memcpy(choice->record, facts->record, sizeof choice->record);
    choice->efuse = facts->efuse;
    if (facts->options.rollback) {
        abort_pending(choice);
    }
    if (facts->options.anti_rollback) {
        choose_with_floor(facts, choice);
    } else {
        choose_plainly(facts, choice);
    }
}
