/* SPDX-License-Identifier: Apache-2.0 */
/* What esp/ reads of an image, as one of the images of image.h; and the
 * numbers of its faults in words. */
#include <stdio.h>
#include <string.h>

#include "image.h"

/* The ones whose numbers say more than the plain text. */
static bool numbers(const struct bl_esp_fault *f, char *out, size_t n)
{
    switch (f->problem) {
    case BL_ESP_MAGIC:
        (void)snprintf(out, n, "the first byte is 0x%02x, not 0x%02x",
                       f->found, f->wanted);
        return true;
    case BL_ESP_SEGMENT_COUNT:
        (void)snprintf(out, n,
                       "it says it has %u segments; 1 to %u are possible",
                       f->found, f->wanted);
        return true;
    case BL_ESP_SEGMENT_HEAD_CUT:
        (void)snprintf(out, n, "the file ends inside the head of segment %u",
                       f->segment);
        return true;
    case BL_ESP_SEGMENT_LENGTH:
        (void)snprintf(out, n, "segment %u has an impossible length, %u bytes",
                       f->segment, f->found);
        return true;
    case BL_ESP_SEGMENT_CUT:
        (void)snprintf(out, n,
                       "segment %u has %u bytes, but the file ends after %u",
                       f->segment, f->wanted, f->found);
        return true;
    case BL_ESP_CHECKSUM:
        (void)snprintf(out, n, "the checksum is 0x%02x, but 0x%02x is stored",
                       f->wanted, f->found);
        return true;
    case BL_ESP_HASH_FLAG:
        (void)snprintf(out, n,
                       "the flag for the appended SHA-256 is %u; it must be "
                       "%u",
                       f->found, f->wanted);
        return true;
    case BL_ESP_HASH_CUT:
        (void)snprintf(out, n,
                       "the file ends before the appended SHA-256: %u bytes "
                       "of %u are there",
                       f->found, f->wanted);
        return true;
    default:
        return false;
    }
}

static bool more_numbers(const struct bl_esp_fault *f, char *out, size_t n)
{
    switch (f->problem) {
    case BL_ESP_REVISIONS:
    case BL_ESP_EFUSE_REVISIONS:
        (void)snprintf(out, n, "%s: at least %u.%u, at most %u.%u",
                       bl_esp_problem_text(f->problem), f->found / 100,
                       f->found % 100, f->wanted / 100, f->wanted % 100);
        return true;
    case BL_ESP_UNMAPPABLE:
        (void)snprintf(out, n,
                       "segment %u, at 0x%08x, cannot be mapped from its "
                       "place in the file",
                       f->segment, f->found);
        return true;
    case BL_ESP_DESCRIPTOR_SHORT:
        (void)snprintf(out, n, "%s: %u bytes of %u",
                       bl_esp_problem_text(f->problem), f->found, f->wanted);
        return true;
    case BL_ESP_ENTRY:
        (void)snprintf(out, n, "it starts at 0x%08x, which is in no segment",
                       f->found);
        return true;
    case BL_ESP_CHIP_UNKNOWN:
        (void)snprintf(out, n, "%s: number 0x%04x",
                       bl_esp_problem_text(f->problem), f->found);
        return true;
    case BL_ESP_PAGE_SIZE:
    case BL_ESP_SPI_MODE:
        (void)snprintf(out, n, "%s: %u", bl_esp_problem_text(f->problem),
                       f->found);
        return true;
    case BL_ESP_SKETCH:
        (void)snprintf(out, n,
                       "the CRC of the sketch is 0x%08x, but 0x%08x "
                       "is stored",
                       f->wanted, f->found);
        return true;
    case BL_ESP_SKETCH_SIZE:
        (void)snprintf(out, n, "the sketch says it has %u bytes, the file %u",
                       f->wanted, f->found);
        return true;
    case BL_ESP_TRAILING:
        (void)snprintf(out, n,
                       "%u bytes that are no part of it follow the "
                       "image",
                       f->found);
        return true;
    default:
        return false;
    }
}

void image_fault_text(const struct bl_esp_fault *fault, char *out, size_t size)
{
    if (!numbers(fault, out, size) && !more_numbers(fault, out, size)) {
        (void)snprintf(out, size, "%s", bl_esp_problem_text(fault->problem));
    }
}

static void name(struct image *out)
{
    static const char *const role[] = {"image without descriptor",
                                       "application", "bootloader"};
    const struct bl_esp_image *e = &out->esp;

    if (out->kind == IMAGE_ESP8266) {
        (void)snprintf(out->what, sizeof out->what, "ESP8266 image%s",
                       e->sketch                        ? ", Arduino sketch"
                       : e->family == BL_ESP_ESP8266_V2 ? ", version 2"
                                                        : "");
        return;
    }
    (void)snprintf(out->what, sizeof out->what, "%s %s",
                   e->chip == NULL ? "ESP32-family unknown" : e->chip->name,
                   role[e->role]);
}

static void take_version(struct image *out)
{
    const struct bl_esp_app *app = &out->esp.app;

    if (out->esp.role != BL_ESP_APPLICATION) {
        return;
    }
    out->source = bl_esp_app_is_sdk(app)    ? VERSION_SDK
                  : app->version[0] == '\0' ? VERSION_NONE
                                            : VERSION_DESCRIPTOR;
    (void)snprintf(out->version, sizeof out->version, "%s", app->version);
}

static void take_fault(struct image *out)
{
    const struct bl_esp_fault *fault = bl_esp_image_fault(&out->esp);
    char text[120];

    if (fault != NULL) {
        image_fault_text(fault, text, sizeof text);
        image_problem(out, "%s (at offset %u)", text, fault->offset);
        out->advice = bl_esp_problem_advice(fault->problem);
    }
}

bool image_esp_read(bl_span file, struct image *out)
{
    struct bl_esp_image *e = &out->esp;

    bl_esp_image_read_span(file, e);
    if (e->family == BL_ESP_NO_IMAGE) {
        return false;
    }
    out->kind = e->family == BL_ESP_ESP32 ? IMAGE_ESP32 : IMAGE_ESP8266;
    take_fault(out);
    take_version(out);
    name(out);
    image_find_record(file, 0,
                      out->kind == IMAGE_ESP8266 || e->length == 0 ? file.n
                                                                   : e->length,
                      out);
    return true;
}
