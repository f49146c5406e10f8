/* SPDX-License-Identifier: Apache-2.0 */
/* The descriptors at file offset 32: of the application, the bootloader. */
#include <stdio.h>
#include <string.h>

#include "image.h"
#include "image_esp.h"

enum {
    AT = 32,
    APP_SIZE = 256,
    BOOT_SIZE = 80,
    BOOT_MAGIC = 0x50,
    /* Where the descriptor does not say: the smallest page of any chip. */
    MMU_PAGE_LOG2 = 13
};
#define APP_MAGIC 0xABCD5432U

/* Copies text that may fill its field; unprintable bytes become '?'. */
static void text(char *out, const uint8_t *p, size_t n)
{
    size_t i;

    for (i = 0; i < n && p[i] != 0; i++) {
        out[i] = p[i] >= 0x20 && p[i] < 0x7F ? (char)p[i] : '?';
    }
    out[i] = '\0';
}

static bool is_app(bl_span file)
{
    return file.n >= AT + APP_SIZE && esp_u32(file.p + AT) == APP_MAGIC;
}

/* One byte is little: the reserved bytes must be what the format says. */
static bool is_bootloader(bl_span file)
{
    const uint8_t *p = file.p + AT;
    size_t i;

    if (file.n < AT + BOOT_SIZE || p[0] != BOOT_MAGIC || p[8] < 0x20 ||
        p[8] >= 0x7F) {
        return false;
    }
    for (i = 40 + 24; i < BOOT_SIZE; i++) {
        if (p[i] != 0) {
            return false;
        }
    }
    return true;
}

bool esp_has_descriptor(bl_span file)
{
    return is_app(file) || is_bootloader(file);
}

static void read_app(const uint8_t *p, struct image_esp *e)
{
    e->has_descriptor = true;
    e->secure_version = esp_u32(p + 4);
    text(e->version, p + 16, 32);
    text(e->project, p + 48, 32);
    text(e->time, p + 80, 16);
    text(e->date, p + 96, 16);
    text(e->idf, p + 112, 32);
    memcpy(e->elf_sha256, p + 144, 32);
    e->min_efuse = esp_u16(p + 176);
    e->max_efuse = esp_u16(p + 178);
    e->mmu_page_log2 = p[180];
}

static void read_bootloader(const uint8_t *p, struct image_esp *e)
{
    char when[25];

    e->is_bootloader = true;
    e->secure_version = p[3];
    e->bootloader_version = esp_u32(p + 4);
    text(e->idf, p + 8, 32);
    text(when, p + 40, 24); /* "Jan 23 2025 15:50:09" */
    (void)snprintf(e->date, sizeof e->date, "%.11s", when);
    if (strlen(when) > 12) {
        (void)snprintf(e->time, sizeof e->time, "%.8s", when + 12);
    }
}

/* The descriptor of firmware built with Arduino is the precompiled SDK's. */
static bool is_sdk(const struct image_esp *e)
{
    return strcmp(e->project, "esp32-arduino-lib-builder") == 0 ||
           strcmp(e->project, "arduino-lib-builder") == 0;
}

/* The flash is mapped in pages: address and file offset must agree. */
static void check_mapping(struct image *out)
{
    const struct image_esp *e = &out->esp;
    unsigned bits = e->mmu_page_log2 == 0 ? MMU_PAGE_LOG2 : e->mmu_page_log2;
    uint32_t mask;

    if (bits < 12 || bits > 20) {
        image_problem(out, "its descriptor names an impossible page size");
        return;
    }
    mask = (1U << bits) - 1;
    if ((e->segment[0].address & mask) != (e->segment[0].offset & mask)) {
        image_problem(out,
                      "its first segment, at 0x%08x, cannot be mapped from "
                      "offset %u",
                      e->segment[0].address, e->segment[0].offset);
    }
    if (e->segment[0].length < APP_SIZE) {
        image_problem(out, "its first segment is too short for a descriptor");
    }
}

void esp_read_descriptor(bl_span file, struct image *out)
{
    struct image_esp *e = &out->esp;

    if (is_app(file)) {
        read_app(file.p + AT, e);
        out->source = is_sdk(e)               ? VERSION_SDK
                      : e->version[0] == '\0' ? VERSION_NONE
                                              : VERSION_DESCRIPTOR;
        (void)snprintf(out->version, sizeof out->version, "%s", e->version);
        check_mapping(out);
    } else if (is_bootloader(file)) {
        read_bootloader(file.p + AT, e);
    }
}
