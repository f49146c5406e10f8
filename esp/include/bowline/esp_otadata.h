/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otadata: which application an ESP32 boots. Two flash sectors with a record
 * of 32 bytes each; the usable record with the higher number counts, and its
 * number names the slot. What is read, chosen and written here is what
 * ESP-IDF's bootloader (bl_esp_boot_*) and its esp_ota_ops (bl_esp_ota_*) do,
 * to the byte; tests/vectors/esp/otadata-select.json proves the choice.
 *
 * Every write is an erase of one sector and one write of 32 bytes. A power
 * cut in between loses that record and never the other one, so that an
 * application boots that was bootable before: the new one, the old one, or
 * the factory's. It may lose the *state* of a record (what a trial was):
 * ESP-IDF's own way, docs/ESP32.md "Power cuts".
 */
#ifndef BOWLINE_ESP_OTADATA_H
#define BOWLINE_ESP_OTADATA_H

#include "bowline/esp_partition.h"

enum { BL_ESP_OTA_RECORD = 32, BL_ESP_OTADATA_SIZE = 2 * BL_ESP_FLASH_SECTOR };

/* States of a record. Others may stand there: they count as UNDEFINED. */
#define BL_ESP_OTA_NEW 0u                /* never started */
#define BL_ESP_OTA_PENDING 1u            /* started once, not confirmed */
#define BL_ESP_OTA_VALID 2u              /* confirmed */
#define BL_ESP_OTA_INVALID 3u            /* given up by the application */
#define BL_ESP_OTA_ABORTED 4u            /* given up by the bootloader */
#define BL_ESP_OTA_UNDEFINED 0xFFFFFFFFu /* written without rollback */

/* The number of a record that is erased. */
#define BL_ESP_OTA_BLANK 0xFFFFFFFFu

struct bl_esp_ota_record {
    uint32_t number; /* ESP-IDF: ota_seq */
    uint8_t label[20];
    uint32_t state;
    uint32_t crc; /* of the number alone */
};

/* --- One record: pure ---------------------------------------------------- */

void bl_esp_ota_get(const uint8_t bytes[BL_ESP_OTA_RECORD],
                    struct bl_esp_ota_record *record);
void bl_esp_ota_put(const struct bl_esp_ota_record *record,
                    uint8_t bytes[BL_ESP_OTA_RECORD]);
uint32_t bl_esp_ota_crc(uint32_t number);
/* Blank, INVALID or ABORTED; its CRC is not looked at. */
bool bl_esp_ota_refused(const struct bl_esp_ota_record *record);
/* Not refused, and its CRC matches. */
bool bl_esp_ota_usable(const struct bl_esp_ota_record *record);
/* Which of two usable records counts: 0, 1, or -1 for none. */
int bl_esp_ota_active(const struct bl_esp_ota_record record[2]);
/* The slot that a record names. n_ota is at least 1. */
uint32_t bl_esp_ota_slot(const struct bl_esp_ota_record *record,
                         uint32_t n_ota);
/* The lowest number from `number` on that names `slot`. BL_NO_SPACE: none. */
bl_status bl_esp_ota_number(uint32_t number, uint32_t slot, uint32_t n_ota,
                            uint32_t *next) BL_MUST_CHECK;
/* "new", "pending-verify", "valid", ...; "unknown". Never NULL. */
const char *bl_esp_ota_state_name(uint32_t state);

/* --- What the bootloader chooses: pure ----------------------------------- */

/* CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE, ..._ANTI_ROLLBACK (needs rollback) */
struct bl_esp_boot_options {
    bool rollback;
    bool anti_rollback;
};

struct bl_esp_choose_facts {
    struct bl_esp_boot_options options;
    struct bl_esp_ota_record record[2];
    uint32_t n_ota;
    bool factory; /* the table has one */
    /* Only asked for with anti-rollback: the eFuse's version, and of each
     * slot whether an application descriptor is there, and its version. */
    uint32_t efuse;
    bool described[BL_ESP_OTA_SLOTS];
    uint32_t secure_version[BL_ESP_OTA_SLOTS];
};

struct bl_esp_choice {
    int index;  /* where loading begins: a slot, or BL_ESP_FACTORY */
    int active; /* the record that counts, or -1 */
    struct bl_esp_ota_record record[2];
    bool write[2];  /* record i is to be written before loading */
    uint32_t efuse; /* to be raised to, when higher than before */
    bool initial;   /* once slot n has loaded, record 0 is to be written with
                       number n + 1, VALID */
};

void bl_esp_boot_choose(const struct bl_esp_choose_facts *facts,
                        struct bl_esp_choice *choice);

/* --- A chip's flash ------------------------------------------------------ */

/*
 * What both sides need. Whether an image may be started is asked of `whole`
 * (esp_image.h answers it): it is given the slot's area.
 */
struct bl_esp_ota {
    const struct bl_flash *flash;
    const struct bl_esp_slots *slots;
    struct bl_esp_boot_options options;
    void *ctx;
    bool (*whole)(void *ctx, const struct bl_area *slot);
    /* Only called with anti-rollback; may be NULL without. */
    bool (*describe)(void *ctx, const struct bl_area *slot,
                     uint32_t *secure_version);
    uint32_t (*efuse)(void *ctx);
    bl_status (*raise)(void *ctx, uint32_t secure_version);
};

/* Both records as they stand. BL_STATE_NONE: no otadata in the table. */
bl_status bl_esp_ota_read(const struct bl_esp_ota *ota,
                          struct bl_esp_ota_record record[2]) BL_MUST_CHECK;

/* --- The bootloader ------------------------------------------------------ */

/*
 * Chooses, writes what ESP-IDF's bootloader writes, tries the images in its
 * order. *index becomes what is to be started. A write that fails does not
 * stop it: it must boot. BL_NO_IMAGE: nothing can be started.
 */
bl_status bl_esp_boot_run(const struct bl_esp_ota *ota,
                          int *index) BL_MUST_CHECK;

/* --- The application: ESP-IDF's esp_ota_ops ------------------------------ */

/*
 * Statuses stand for ESP-IDF's errors:
 *   BL_ARGUMENT      ESP_ERR_INVALID_ARG, ESP_ERR_OTA_PARTITION_CONFLICT
 *   BL_STATE_NONE    ESP_ERR_NOT_FOUND
 *   BL_SLOT_CORRUPT  ESP_ERR_OTA_VALIDATE_FAILED
 *   BL_SEQUENCE_LOW  ESP_ERR_OTA_SMALL_SEC_VER
 *   BL_NO_IMAGE      ESP_ERR_OTA_ROLLBACK_FAILED
 *   BL_BUSY          ESP_ERR_OTA_ROLLBACK_INVALID_STATE, and ESP_FAIL where
 *                    the factory application asks
 *   BL_FLASH         what the flash said
 */

/*
 * esp_ota_set_boot_partition. The image in the slot is verified first.
 * BL_ESP_FACTORY erases otadata. With anti-rollback an image below the eFuse
 * is erased, BL_SEQUENCE_LOW.
 */
bl_status bl_esp_ota_set_boot(const struct bl_esp_ota *ota,
                              int index) BL_MUST_CHECK;
/* esp_ota_get_boot_partition: what it says, not what a bootloader does. */
bl_status bl_esp_ota_get_boot(const struct bl_esp_ota *ota,
                              int *index) BL_MUST_CHECK;
/* esp_ota_get_next_update_partition of the slot that runs. */
bl_status bl_esp_ota_next(const struct bl_esp_ota *ota, int running,
                          int *index) BL_MUST_CHECK;
/* What esp_ota_begin checks and does besides erasing the slot: refuses the
 * slot that runs, and any while the running one is PENDING; with rollback
 * the record that does not count is erased. */
bl_status bl_esp_ota_begin(const struct bl_esp_ota *ota, int running,
                           int index) BL_MUST_CHECK;
/* esp_ota_mark_app_valid_cancel_rollback. */
bl_status bl_esp_ota_mark_valid(const struct bl_esp_ota *ota,
                                int running) BL_MUST_CHECK;
/* esp_ota_mark_app_invalid_rollback: the caller restarts. */
bl_status bl_esp_ota_mark_invalid(const struct bl_esp_ota *ota) BL_MUST_CHECK;
/* esp_ota_check_rollback_is_possible. */
bool bl_esp_ota_can_return(const struct bl_esp_ota *ota);
/* esp_ota_get_state_partition. */
bl_status bl_esp_ota_state(const struct bl_esp_ota *ota, int index,
                           uint32_t *state) BL_MUST_CHECK;
/* esp_ota_get_last_invalid_partition. BL_STATE_NONE: none. */
bl_status bl_esp_ota_last_invalid(const struct bl_esp_ota *ota,
                                  int *index) BL_MUST_CHECK;
/* esp_ota_invalidate_inactive_ota_data_slot. */
bl_status bl_esp_ota_forget_inactive(const struct bl_esp_ota *ota,
                                     int running) BL_MUST_CHECK;

/*
 * Not ESP-IDF's: writes one record's state back, e.g. NEW where the
 * bootloader has put PENDING, so that the next start is one more try.
 * Erase and write as above. BL_BUSY: no record counts.
 */
bl_status bl_esp_ota_set_state(const struct bl_esp_ota *ota,
                               uint32_t state) BL_MUST_CHECK;

#endif
