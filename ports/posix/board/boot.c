/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The boot code of this board, a process of its own: bl_boot_run decides and
 * verifies, then the image is loaded out of its slot into memory that nobody
 * can change any more, and exactly those bytes are executed.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "board.h"
#include "bowline/boot.h"
#include "esp.h"
#include "posix/crypto.h"
#include "posix/describe.h"
#include "posix/device.h"
#include "posix/platform.h"

enum { ENVELOPE = 16384, IO = 8192 };

struct boot {
    struct device_config config;
    struct flash_file flash;
    int watchdog_fd;
    uint8_t envelope[ENVELOPE];
    uint8_t io[IO];
};

static void tell_board(const struct boot *boot, char news)
{
    (void)!write(boot->watchdog_fd, &news, 1);
}

static bl_status decide(struct boot *boot, bl_reset_cause cause,
                        struct bl_boot_result *result)
{
    const struct device_config *c = &boot->config;
    struct bl_suit_platform identity = {
        .vendor_id = c->vendor_id,
        .class_id = c->class_id,
        .n_class_ids = 1,
        .device_id = c->id,
    };
    struct bl_boot_config config = {
        .layout = &c->layout,
        .crypto = &posix_crypto,
        .identity = &identity,
        .reset = cause,
        .tries = c->boot_tries,
        .envelope = boot->envelope,
        .envelope_size = sizeof boot->envelope,
        .root_size = c->layout.root[0].size,
        .io = boot->io,
        .io_size = sizeof boot->io,
    };
    bl_status status;

    config.root = malloc(config.root_size);
    if (config.root == NULL) {
        return BL_BUFFER;
    }
    status = bl_boot_run(&config, result);
    free(config.root);
    return status;
}

/* The image from flash into an anonymous file; its descriptor or -1. What was
 * loaded, not what was looked at before, must have the digest. */
static int load(const struct boot *boot, const struct bl_boot_result *result,
                struct error *err)
{
    const struct bl_flash *flash = boot->config.layout.flash;
    int fd =
        memfd_create(boot->config.product, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    struct bl_sha256 hash;
    uint8_t digest[32];
    uint8_t part[IO];

    if (fd < 0) {
        return error_errno(err, "no memory for the image");
    }
    bl_sha256_init(&hash);
    for (uint32_t at = 0; at < result->image_size;) {
        uint32_t left = result->image_size - at;
        uint32_t n = left < sizeof part ? left : (uint32_t)sizeof part;

        if (flash->read(flash->ctx, result->area.offset + at, part, n) !=
                BL_OK ||
            write(fd, part, n) != (ssize_t)n) {
            return error_set(err, "the image could not be loaded");
        }
        bl_sha256_update(&hash, part, n);
        at += n;
    }
    bl_sha256_final(&hash, digest);
    if (bl_equal(digest, result->image_digest, 32) != BL_GOOD) {
        return error_set(err, "the image changed while it was loaded");
    }
    if (fcntl(fd, F_ADD_SEALS,
              F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0) {
        return error_errno(err, "the image could not be sealed");
    }
    return fd;
}

static void set_number(const char *name, long value)
{
    char text[24];

    (void)snprintf(text, sizeof text, "%ld", value);
    (void)setenv(name, text, 1);
}

static void hand_over(const struct boot *boot, bl_reset_cause cause)
{
    char dir[4096];

    (void)setenv(
        DEVICE_ENV_DIR,
        realpath(boot->config.dir, dir) != NULL ? dir : boot->config.dir, 1);
    set_number(DEVICE_ENV_BOARD, (long)getppid());
    set_number(DEVICE_ENV_WATCHDOG, boot->watchdog_fd);
    set_number(DEVICE_ENV_RESET, (long)cause);
    /* Handed to the firmware; the rest is closed on exec. */
    (void)fcntl(boot->watchdog_fd, F_SETFD, 0);
}

/* An emulated ESP32: its own bootloader, then the agent in the image's place.
 */
static _Noreturn void start_esp(struct boot *boot, bl_reset_cause cause)
{
    struct esp_board board;
    struct esp_follow follow;
    struct error err = {0};
    uint8_t slot = BL_SLOT_NONE;

    if (esp_board_open(&board, &boot->config, &err) != 0) {
        platform_say(boot->config.name, "bootloader: %s", err.text);
    } else {
        slot = esp_bootloader(&board);
    }
    if (slot == BL_SLOT_NONE) {
        tell_board(boot, BOARD_NEWS_NO_IMAGE);
        _exit(1);
    }
    tell_board(boot, BOARD_NEWS_STARTS);
    esp_board_follow(&board, &follow);
    if (esp_follow_start(&follow, slot, cause)) {
        _exit(DEVICE_EXIT_RESET);
    }
    set_number(DEVICE_ENV_SLOT, (long)slot + 1);
    flash_file_close(&boot->flash);
    device_config_free(&boot->config);
    exit(board_holder());
}

static _Noreturn void start(struct boot *boot,
                            const struct bl_boot_result *result)
{
    const char *who = boot->config.name;
    char *argv[] = {boot->config.product, NULL};
    struct error err = {0};
    int image;

    if (boot->config.holder) {
        flash_file_close(&boot->flash);
        device_config_free(&boot->config);
        tell_board(boot, BOARD_NEWS_STARTS);
        exit(board_holder());
    }
    set_number(DEVICE_ENV_SLOT, (long)result->slot + 1);
    image = load(boot, result, &err);
    if (image >= 0) {
        tell_board(boot, BOARD_NEWS_STARTS);
        (void)fexecve(image, argv, environ);
        (void)error_errno(&err, "the image cannot be executed here; a board "
                                "that holds another chip's image needs "
                                "\"holder = true;\" in device.conf");
    }
    platform_say(who, "boot: %s", err.text);
    _exit(1);
}

_Noreturn void board_boot(const char *dir, bl_reset_cause cause,
                          int watchdog_fd)
{
    static struct boot boot;
    struct bl_boot_result result;
    struct error err = {0};
    bl_status status;

    boot.watchdog_fd = watchdog_fd;
    if (device_config_load(&boot.config, dir, &err) != 0 ||
        device_config_flash(&boot.config, &boot.flash, &err) != 0) {
        platform_say(dir, "boot: %s", err.text);
        tell_board(&boot, BOARD_NEWS_NO_IMAGE);
        _exit(1);
    }
    hand_over(&boot, cause);
    if (boot.config.chip[0] != '\0') {
        start_esp(&boot, cause);
    }
    status = decide(&boot, cause, &result);
    if (status != BL_OK) {
        platform_say(boot.config.name, "boot: %s (%s)",
                     bl_status_meaning(status), bl_status_name(status));
        tell_board(&boot, BOARD_NEWS_NO_IMAGE);
        _exit(1);
    }
    if (result.why != BL_OK) {
        platform_say(boot.config.name, "boot: %s (%s)",
                     bl_status_meaning(result.why),
                     bl_status_name(result.why));
    }
    platform_say(boot.config.name,
                 "boot: starts slot %c%s, %" PRIu32 " bytes verified",
                 describe_slot(result.slot), result.trial ? " on trial" : "",
                 result.image_size);
    start(&boot, &result);
}
