/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The chip: 1 MB of flash in a file, two slots, otadata, SPIFFS. Which slot
 * starts and what the calls write is decided by esp/, whose rules are pinned
 * to ESP-IDF's own by vectors.
 */
#include "double.h"

#include "bowline/esp_image.h"
#include "esp_event.h"
#include "esp_ota_ops.h"
#include "esp_random.h"
#include "esp_system.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

static uint8_t *flash_bytes;
static int running = -1;

static const esp_partition_t part[] = {
    {ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_APP_OTA_0, 0x10000,
     DOUBLE_SLOT, "app0"},
    {ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_APP_OTA_1, 0x50000,
     DOUBLE_SLOT, "app1"},
    {ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_SPIFFS, 0x90000,
     0x10000, "spiffs"},
};
enum { PARTS = sizeof part / sizeof part[0], SECTOR = 4096 };

static const struct bl_esp_slots slots = {
    .otadata = {0xE000, BL_ESP_OTADATA_SIZE},
    .ota = {{0x10000, DOUBLE_SLOT}, {0x50000, DOUBLE_SLOT}},
    .n_ota = 2,
};

/* --- The chip ------------------------------------------------------------ */

static bl_status flash_read(void *ctx, uint32_t at, void *to, uint32_t n)
{
    (void)ctx;
    if (at > DOUBLE_FLASH || n > DOUBLE_FLASH - at) {
        return BL_FLASH;
    }
    memcpy(to, flash_bytes + at, n);
    return BL_OK;
}

/* NOR: programming clears bits, it never sets one. */
static bl_status flash_write(void *ctx, uint32_t at, const void *from,
                             uint32_t n)
{
    const uint8_t *byte = from;

    (void)ctx;
    if (at > DOUBLE_FLASH || n > DOUBLE_FLASH - at) {
        return BL_FLASH;
    }
    for (uint32_t i = 0; i < n; i++) {
        flash_bytes[at + i] &= byte[i];
    }
    return BL_OK;
}

static bl_status flash_erase(void *ctx, uint32_t at, uint32_t n)
{
    (void)ctx;
    if (at > DOUBLE_FLASH || n > DOUBLE_FLASH - at || (at | n) % SECTOR != 0) {
        return BL_FLASH;
    }
    memset(flash_bytes + at, 0xFF, n);
    return BL_OK;
}

static bl_status flash_sync(void *ctx)
{
    (void)ctx;
    return BL_OK;
}

static const struct bl_flash flash = {
    .size = DOUBLE_FLASH,
    .erase_size = SECTOR,
    .write_size = 4,
    .erased = 0xFF,
    .read = flash_read,
    .write = flash_write,
    .erase = flash_erase,
    .sync = flash_sync,
};

static bool slot_read(void *ctx, uint32_t at, void *to, uint32_t n)
{
    const struct bl_area *slot = ctx;

    return flash_read(NULL, slot->offset + at, to, n) == BL_OK;
}

static bool whole(void *ctx, const struct bl_area *slot)
{
    struct bl_area area = *slot;
    struct bl_esp_source source = {&area, area.size, slot_read};
    struct bl_esp_image image;

    (void)ctx;
    bl_esp_image_read(&source, &image);
    return bl_esp_image_valid(&image);
}

static const struct bl_esp_ota ota = {
    .flash = &flash,
    .slots = &slots,
    .options = {.rollback = true},
    .whole = whole,
};

const struct bl_esp_ota *double_ota(void)
{
    return &ota;
}

int double_running(void)
{
    return running;
}

void double_flash_open(void)
{
    const char *path = getenv("DOUBLE_FLASH");
    int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);

    if (fd < 0 || lseek(fd, 0, SEEK_END) != DOUBLE_FLASH) {
        (void)fprintf(stderr, "DOUBLE_FLASH: a file of 1 MB is wanted\n");
        exit(2);
    }
    flash_bytes =
        mmap(NULL, DOUBLE_FLASH, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    (void)close(fd);
    if (flash_bytes == MAP_FAILED) {
        perror("DOUBLE_FLASH");
        exit(2);
    }
}

int double_boot(void)
{
    if (bl_esp_boot_run(&ota, &running) != BL_OK) {
        running = -1;
    }
    return running;
}

/* --- ESP-IDF's calls ----------------------------------------------------- */

static esp_err_t error_of(bl_status status, esp_err_t otherwise)
{
    return status == BL_OK ? ESP_OK : otherwise;
}

const esp_partition_t *esp_partition_find_first(esp_partition_type_t type,
                                                esp_partition_subtype_t sub,
                                                const char *label)
{
    for (int i = 0; i < PARTS; i++) {
        if (part[i].type == type &&
            (sub == ESP_PARTITION_SUBTYPE_ANY || part[i].subtype == sub) &&
            (label == NULL || strcmp(label, part[i].label) == 0)) {
            return &part[i];
        }
    }
    return NULL;
}

static bool inside(const esp_partition_t *p, size_t at, size_t n)
{
    return at <= p->size && n <= p->size - at;
}

esp_err_t esp_partition_read(const esp_partition_t *p, size_t at, void *to,
                             size_t n)
{
    return inside(p, at, n)
               ? error_of(flash_read(NULL, p->address + (uint32_t)at, to,
                                     (uint32_t)n),
                          ESP_FAIL)
               : ESP_ERR_INVALID_ARG;
}

esp_err_t esp_partition_write(const esp_partition_t *p, size_t at,
                              const void *from, size_t n)
{
    return inside(p, at, n)
               ? error_of(flash_write(NULL, p->address + (uint32_t)at, from,
                                      (uint32_t)n),
                          ESP_FAIL)
               : ESP_ERR_INVALID_ARG;
}

esp_err_t esp_partition_erase_range(const esp_partition_t *p, size_t at,
                                    size_t n)
{
    return inside(p, at, n)
               ? error_of(
                     flash_erase(NULL, p->address + (uint32_t)at, (uint32_t)n),
                     ESP_FAIL)
               : ESP_ERR_INVALID_ARG;
}

const esp_partition_t *esp_ota_get_running_partition(void)
{
    return running >= 0 ? &part[running] : NULL;
}

const esp_partition_t *
esp_ota_get_next_update_partition(const esp_partition_t *from)
{
    int next = -1;

    (void)from;
    return bl_esp_ota_next(&ota, running, &next) == BL_OK && next >= 0
               ? &part[next]
               : NULL;
}

static int slot_of(const esp_partition_t *p)
{
    return p == &part[0] ? 0 : 1;
}

esp_err_t esp_ota_set_boot_partition(const esp_partition_t *p)
{
    return error_of(bl_esp_ota_set_boot(&ota, slot_of(p)),
                    ESP_ERR_OTA_VALIDATE_FAILED);
}

esp_err_t esp_ota_get_state_partition(const esp_partition_t *p,
                                      esp_ota_img_states_t *state)
{
    uint32_t value;

    if (bl_esp_ota_state(&ota, slot_of(p), &value) != BL_OK) {
        return ESP_ERR_NOT_FOUND;
    }
    *state = (esp_ota_img_states_t)value;
    return ESP_OK;
}

esp_err_t esp_ota_mark_app_valid_cancel_rollback(void)
{
    return error_of(bl_esp_ota_mark_valid(&ota, running), ESP_FAIL);
}

esp_err_t esp_ota_mark_app_invalid_rollback_and_reboot(void)
{
    if (bl_esp_ota_mark_invalid(&ota) != BL_OK) {
        return ESP_ERR_OTA_ROLLBACK_FAILED;
    }
    esp_restart();
}

/* --- The rest of the chip ------------------------------------------------ */

void esp_fill_random(void *to, size_t n)
{
    if (getrandom(to, n, 0) != (ssize_t)n) {
        abort();
    }
}

void esp_restart(void)
{
    printf("[double] restart\n");
    (void)fflush(stdout);
    _exit(DOUBLE_EXIT_RESTART);
}

esp_err_t esp_event_loop_create_default(void)
{
    return ESP_OK;
}
