/* SPDX-License-Identifier: Apache-2.0 */
/* One interface for all images, and the firmware record in any of them. */
#include "image.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bowline/firmware.h"

/* Not as one piece: a tool that holds the magic is not a firmware. */
static const uint8_t magic[16] = {0x89, 'B', 'O', 'W',  'L',  'I',  'N',  'E',
                                  '-',  'F', 'W', 0x0D, 0x0A, 0x1A, 0x0A, 0};

void image_problem(struct image *out, const char *format, ...)
{
    va_list args;

    out->valid = false;
    if (out->problem[0] == '\0') {
        va_start(args, format);
        (void)vsnprintf(out->problem, sizeof out->problem, format, args);
        va_end(args);
    }
}

/* Printable ASCII, zero-terminated within its 32 bytes. */
static bool is_text(const uint8_t *p, bool may_be_empty)
{
    size_t n = 0;

    while (n < 32 && p[n] >= 0x20 && p[n] < 0x7F) {
        n++;
    }
    return n < 32 && p[n] == 0 && (may_be_empty || n > 0);
}

static bool is_record(const uint8_t *p)
{
    size_t i;

    if (memcmp(p, magic, sizeof magic) != 0 || p[16] != 1 || p[17] != 0) {
        return false;
    }
    for (i = 18; i < 32; i++) {
        if (p[i] != 0) {
            return false;
        }
    }
    return is_text(p + 32, false) && is_text(p + 64, true);
}

static void take_record(bl_span file, uint64_t at, struct image *out)
{
    const char *version = (const char *)file.p + at + 32;
    const char *product = (const char *)file.p + at + 64;

    if (out->source == VERSION_RECORD) {
        if (strcmp(out->version, version) != 0 ||
            strcmp(out->product, product) != 0) {
            image_problem(out,
                          "it carries two firmware records that differ: "
                          "\"%s\" %s and \"%s\" %s",
                          out->product, out->version, product, version);
        }
        return;
    }
    out->source = VERSION_RECORD;
    out->record_offset = at;
    (void)snprintf(out->version, sizeof out->version, "%s", version);
    (void)snprintf(out->product, sizeof out->product, "%s", product);
}

void image_find_record(bl_span file, uint64_t from, uint64_t to,
                       struct image *out)
{
    const size_t size = sizeof(struct bl_firmware);
    uint64_t at = from;

    if (to > file.n) {
        to = file.n;
    }
    while (at < to && to - at >= size) {
        const uint8_t *p =
            memchr(file.p + at, magic[0], (size_t)(to - at - size + 1));

        if (p == NULL) {
            return;
        }
        at = (uint64_t)(p - file.p);
        if (is_record(p)) {
            take_record(file, at, out);
            at += size;
        } else {
            at++;
        }
    }
}

void image_binary_read(bl_span file, struct image *out)
{
    out->kind = IMAGE_BINARY;
    (void)snprintf(out->what, sizeof out->what, "binary");
    image_find_record(file, 0, file.n, out);
}

void image_read(bl_span file, struct image *out)
{
    memset(out, 0, sizeof *out);
    out->valid = true;
    out->size = file.n;
    if (!image_elf_read(file, out) && !image_esp_read(file, out)) {
        image_binary_read(file, out);
    }
}

bool image_version_equal(const struct image *image, const char *version)
{
    if (image->source == VERSION_DESCRIPTOR) {
        return bl_esp_version_equal(image->version, version);
    }
    return strcmp(image->version, version) == 0;
}
