/* SPDX-License-Identifier: Apache-2.0 */
/* The descriptors at file offset 32: of the application, the bootloader. */
#include "image_private.h"

enum {
    BOOTLOADER_MAGIC = 0x50,
    VERSION_MAX = 31, /* characters that a descriptor has room for */
    /* Where the descriptor does not say: the smallest page of any chip. */
    SMALLEST_PAGE_LOG2 = 13
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

bool esp_is_app(bl_span head)
{
    return head.n >= ESP_DESCRIPTOR + ESP_APP_SIZE &&
           esp_u32(head.p + ESP_DESCRIPTOR) == APP_MAGIC;
}

/* One byte is little: the reserved bytes must be what the format says. */
bool esp_is_bootloader(bl_span head)
{
    const uint8_t *p = head.p + ESP_DESCRIPTOR;
    size_t i;

    if (head.n < ESP_DESCRIPTOR + ESP_BOOTLOADER_SIZE ||
        p[0] != BOOTLOADER_MAGIC || p[8] < 0x20 || p[8] >= 0x7F) {
        return false;
    }
    for (i = 40 + 24; i < ESP_BOOTLOADER_SIZE; i++) {
        if (p[i] != 0) {
            return false;
        }
    }
    return true;
}

bool bl_esp_app_read(bl_span head, struct bl_esp_app *out)
{
    const uint8_t *p = head.p + ESP_DESCRIPTOR;

    if (!esp_is_app(head)) {
        return false;
    }
    out->secure_version = esp_u32(p + 4);
    text(out->version, p + 16, 32);
    text(out->project, p + 48, 32);
    text(out->time, p + 80, 16);
    text(out->date, p + 96, 16);
    text(out->idf, p + 112, 32);
    memcpy(out->elf_sha256, p + 144, 32);
    out->min_efuse = esp_u16(p + 176);
    out->max_efuse = esp_u16(p + 178);
    out->mmu_page_log2 = p[180];
    out->spi_mode = p[181];
    return true;
}

static void read_bootloader(const uint8_t *p, struct bl_esp_bootloader *out)
{
    out->secure_version = p[3];
    out->version = esp_u32(p + 4);
    text(out->idf, p + 8, 32);
    text(out->built, p + 40, 24);
}

void esp_descriptor_read(bl_span head, struct bl_esp_image *out)
{
    if (bl_esp_app_read(head, &out->app)) {
        out->role = BL_ESP_APPLICATION;
    } else if (esp_is_bootloader(head)) {
        out->role = BL_ESP_BOOTLOADER;
        read_bootloader(head.p + ESP_DESCRIPTOR, &out->bootloader);
    }
}

/* --- What they say of the image ------------------------------------------ */

static bool within(const struct bl_esp_range *range, uint32_t address)
{
    return address >= range->from && address < range->to;
}

/* Is segment i looked at where it lies in flash, not copied to RAM? The first
 * one of an application is, on every chip. */
static bool is_mapped(const struct bl_esp_image *image, uint8_t i)
{
    uint32_t address = image->segment[i].address;

    return i == 0 ||
           (image->chip != NULL && (within(&image->chip->data, address) ||
                                    within(&image->chip->code, address)));
}

/* Flash is mapped in pages: address and file offset must agree. */
static void judge_mapping(struct bl_esp_image *out)
{
    uint8_t bits = out->app.mmu_page_log2;
    uint32_t mask;
    uint8_t i;

    bits = bits == 0 ? (uint8_t)SMALLEST_PAGE_LOG2 : bits;
    if (bits < 12 || bits > 20) {
        esp_fault(out, BL_ESP_PAGE_SIZE, ESP_DESCRIPTOR + 180, bits, 16);
        return;
    }
    mask = (1U << bits) - 1;
    for (i = 0; i < out->walked; i++) {
        const struct bl_esp_segment *s = &out->segment[i];
        struct bl_esp_fault fault = {BL_ESP_UNMAPPABLE, i,
                                     s->offset - ESP_SEGMENT_HEADER,
                                     s->address, s->offset & mask};

        if (is_mapped(out, i) && (s->address & mask) != (s->offset & mask)) {
            esp_fault_add(out, &fault);
        }
    }
}

void esp_descriptor_judge(struct bl_esp_image *out)
{
    const struct bl_esp_app *app = &out->app;

    if (out->role != BL_ESP_APPLICATION) {
        return;
    }
    if (out->walked > 0) {
        judge_mapping(out);
        if (out->segment[0].length < ESP_APP_SIZE) {
            esp_fault(out, BL_ESP_DESCRIPTOR_SHORT, ESP_HEADER + 4,
                      out->segment[0].length, ESP_APP_SIZE);
        }
    }
    if (app->max_efuse != 0 && app->max_efuse != 0xFFFF &&
        app->min_efuse > app->max_efuse) {
        esp_fault(out, BL_ESP_EFUSE_REVISIONS, ESP_DESCRIPTOR + 176,
                  app->min_efuse, app->max_efuse);
    }
}

/* --- Versions -------------------------------------------------------------
 */

bool bl_esp_app_is_sdk(const struct bl_esp_app *app)
{
    return strcmp(app->project, "esp32-arduino-lib-builder") == 0 ||
           strcmp(app->project, "arduino-lib-builder") == 0;
}

bool bl_esp_version_equal(const char *embedded, const char *version)
{
    return strncmp(embedded, version, VERSION_MAX) == 0;
}
