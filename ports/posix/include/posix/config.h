/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device is a folder: flash.bin is its chip, device.conf (libconfig) is what
 * is soldered and burnt in: identity, flash geometry, where its server is.
 * Board, boot code and firmware read the same file. Paths in it are relative
 * to the folder.
 */
#ifndef POSIX_CONFIG_H
#define POSIX_CONFIG_H

#include <libconfig.h>

#include "bowline/client.h"
#include "posix/flash_file.h"

enum { DEVICE_TEXT = 256, DEVICE_NAME = 64 };

/* Pushed firmware: the group `push` of device.conf; without it, none. */
struct device_push {
    bool on;
    bool developer; /* takes what nobody has signed */
    bool announce;  /* by mDNS */
    uint16_t port;  /* UDP */
    uint8_t scheme; /* bl_arduino_scheme */
    char password_file[FLASH_PATH];
};

struct device_config {
    char dir[DEVICE_TEXT];
    char flash_path[FLASH_PATH];
    char name[DEVICE_NAME];
    char product[DEVICE_NAME];
    char hardware[32];
    uint8_t id[BL_ID_SIZE];
    uint8_t vendor_id[BL_ID_SIZE];
    uint8_t class_id[BL_ID_SIZE];
    char server[DEVICE_TEXT];    /* https://host:port, no '/' at the end */
    char backup[DEVICE_TEXT];    /* empty: none */
    char ca_file[FLASH_PATH];    /* empty: the system's */
    char token_file[FLASH_PATH]; /* empty: none, here and below */
    char cert_file[FLASH_PATH];
    char key_file[FLASH_PATH];
    bool clock;    /* the wall clock is to be believed */
    bool holder;   /* the image is another chip's: it is held, not run */
    char chip[16]; /* "ESP32-S3": an emulated ESP32 (posix/esp_flash.h), that
                      boots by ESP-IDF's rules; empty: none */
    struct device_push push;
    uint32_t watchdog_s;
    uint32_t delta_memory; /* bytes for the decoder, 0: takes no deltas */
    uint8_t boot_tries;
    uint8_t download_attempts;
    uint8_t health_failures;
    struct bl_timing timing;
    struct flash_geometry geometry;
    struct bl_layout layout; /* `flash` is set by device_config_flash */
    struct bl_component component[BL_SUIT_COMPONENTS];
    uint8_t component_id[BL_SUIT_COMPONENTS][DEVICE_NAME];
    config_t file; /* kept for the attributes */
};

/* Says in its error which setting of which file is wrong. Free it also after
 * a failure. */
int device_config_load(struct device_config *config, const char *dir,
                       struct error *err);
void device_config_free(struct device_config *config);

/* Opens the chip and completes the layout. `config` must not move. */
int device_config_flash(struct device_config *config, struct flash_file *file,
                        struct error *err);

/* Simulated hardware: a setting of the group `attributes`. */
const char *device_config_text(const struct device_config *config,
                               const char *name, const char *otherwise);
double device_config_number(const struct device_config *config,
                            const char *name, double otherwise);

/* "app" or "cfg/net" as an encoded component id; 0 when it is none. */
size_t device_component_id(const char *text, uint8_t *out, size_t size);

#endif
