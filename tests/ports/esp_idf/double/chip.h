/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A double of the ESP32 and of the ESP-IDF calls that the component makes.
 * One chip a process. Its flash is sim/'s, cut where a test asks; which
 * image starts, and what esp_ota_ops do to otadata, is esp/'s, held to
 * ESP-IDF's own results by tests/vectors. Time passes as fast as it can.
 *
 * Whatever ends a boot (restart, crash, cut, the end of a test's patience)
 * leaves the firmware by longjmp, as a reset would: RAM is lost.
 */
#ifndef ESP_DOUBLE_CHIP_H
#define ESP_DOUBLE_CHIP_H

#include <setjmp.h>

#include "flash.h"
#include "server.h"

#include "bowline/esp_otadata.h"

#include "esp_partition.h"
#include "esp_system.h"

enum {
    CHIP_PARTS = 6,
    CHIP_SLOT_SIZE = 0x10000,
    CHIP_OTADATA = 0x9000,
    CHIP_OWN = 0xB000,
    CHIP_OWN_SIZE = 0xC000,
    CHIP_OTA_0 = 0x20000,
    CHIP_OTA_1 = 0x30000,
    CHIP_SIZE = 0x40000
};

enum chip_end {
    CHIP_RUNS = 0,
    CHIP_QUIET,   /* `until_us` has come */
    CHIP_RESTART, /* esp_restart */
    CHIP_CRASH,
    CHIP_CUT
};

struct chip {
    struct sim_flash flash;
    esp_partition_t part[CHIP_PARTS];
    unsigned n_parts;
    struct bl_esp_slots slots;
    struct bl_esp_ota ota;
    int running;
    esp_reset_reason_t reset;
    uint64_t now_us;   /* of the world */
    uint64_t start_us; /* of this boot */
    uint64_t until_us;
    jmp_buf out;
    void (*task)(void *arg);
    void *task_arg;
    uint32_t task_stack;
    /* The network */
    struct sim_server server;
    bool offline;
    uint32_t breaks; /* transfers that will break in the middle */
    int refuses;     /* HTTP status of each poll; 0: as it should be */
    uint32_t retry_after;
    char authorization[64];
    char cert[64];
    unsigned refused;    /* polls */
    unsigned ranges;     /* transfers that began in the middle */
    uint32_t sent_whole; /* bytes of payloads */
    uint32_t sent_patch; /* ... of patches */
    /* Of esp_ota_set_boot_partition */
    bool refuse_images;
    bool rots; /* the image loses a bit right after */
    /* What was told */
    bool verbose;
    bool yields; /* the server wants release 1 after that event */
    /* What the application's event handler does */
    bool agrees;  /* at CONSENT */
    bool rejects; /* at TRIAL */
    bool stop_at_stopped;
    bool stop_at_return; /* CHIP_QUIET as soon as that event is posted */
    unsigned posted[32]; /* events, by their id */
    unsigned errors;     /* ESP_LOGE */
    char last_reason[32];
};

extern struct chip chip;

int chip_open(const struct sim_fixture *fixture);
void chip_close(void);
/* Which release is whole in a slot; SIM_R_NONE: none. */
enum sim_release_name chip_image(int slot);
/* Puts a release's image into a slot, as a programmer does. */
void chip_program(int slot, enum sim_release_name name);
/* ESP-IDF's bootloader: false when nothing can be started, or the power is
 * cut (chip.flash.dead). chip.running is what it starts. */
bool chip_bootloader(void);
void chip_leave(enum chip_end why) __attribute__((noreturn));
void double_wait(uint64_t us);

#endif
