/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ESP32-family and ESP8266 images: header, segments, checksum, hash. The
 * length of the image is walked, never taken from the file's.
 */
#include <stdio.h>
#include <string.h>

#include "bowline/sha256.h"
#include "image.h"
#include "image_esp.h"

enum {
    ESP_MAGIC = 0xE9,
    ESP8266_V2_MAGIC = 0xEA,
    ESP8266_V2_COUNT = 4,
    ESP32_HEADER = 24,
    ESP8266_HEADER = 8,
    SEGMENT_HEADER = 8,
    SEGMENT_MAX = 16 << 20,
    CHECKSUM_INIT = 0xEF,
    SECTOR = 4096,
    BLOCK = 1216, /* of a Secure Boot V2 signature */
    BLOCKS = 3
};

static const struct {
    uint16_t id;
    const char *name;
} chips[] = {{0x0000, "ESP32"},
             {0x0002, "ESP32-S2"},
             {0x0005, "ESP32-C3"},
             {0x0009, "ESP32-S3"},
             {0x000C, "ESP32-C2"},
             {0x000D, "ESP32-C6"},
             {0x000E, "ESP32-H4 (2022 sample)"},
             {0x0010, "ESP32-H2"},
             {0x0012, "ESP32-P4"},
             {0x0014, "ESP32-C61"},
             {0x0017, "ESP32-C5"},
             {0x0019, "ESP32-H21"},
             {0x001C, "ESP32-H4"},
             {0x0020, "ESP32-S31"}};

uint16_t esp_u16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

uint32_t esp_u32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
           (uint32_t)p[3] << 24;
}

static const char *chip_name(uint16_t id)
{
    size_t i;

    for (i = 0; i < sizeof chips / sizeof chips[0]; i++) {
        if (chips[i].id == id) {
            return chips[i].name;
        }
    }
    return "unknown";
}

/* What a walk over the segments found. */
struct walk {
    uint64_t end; /* behind the last segment */
    uint64_t checksum_at;
    uint8_t checksum;
    bool whole; /* every segment and the checksum lie inside the file */
    char problem[120];
};

static uint8_t sum(const uint8_t *p, size_t n, uint8_t start)
{
    while (n-- > 0) {
        start ^= *p++;
    }
    return start;
}

/* One segment at *at; false with a problem. */
static bool walk_segment(bl_span file, uint64_t *at, unsigned i,
                         struct image_segment *out, struct walk *w)
{
    if (file.n - *at < SEGMENT_HEADER) {
        (void)snprintf(w->problem, sizeof w->problem,
                       "the file ends inside the head of segment %u", i);
        return false;
    }
    out->address = esp_u32(file.p + *at);
    out->length = esp_u32(file.p + *at + 4);
    *at += SEGMENT_HEADER;
    out->offset = (uint32_t)*at;
    if (out->length % 4 != 0 || out->length >= SEGMENT_MAX) {
        (void)snprintf(w->problem, sizeof w->problem,
                       "segment %u has an impossible length, %u bytes", i,
                       out->length);
        return false;
    }
    if (file.n - *at < out->length) {
        (void)snprintf(w->problem, sizeof w->problem,
                       "segment %u has %u bytes, but the file ends after %llu",
                       i, out->length, (unsigned long long)(file.n - *at));
        return false;
    }
    w->checksum = sum(file.p + *at, out->length, w->checksum);
    *at += out->length;
    return true;
}

static void walk(bl_span file, uint64_t at, unsigned n,
                 struct image_segment out[ESP_SEGMENTS], struct walk *w)
{
    unsigned i;

    memset(w, 0, sizeof *w);
    w->checksum = CHECKSUM_INIT;
    if (n < 1 || n > ESP_SEGMENTS) {
        (void)snprintf(w->problem, sizeof w->problem,
                       "it says it has %u segments; 1 to 16 are possible", n);
        return;
    }
    for (i = 0; i < n; i++) {
        if (!walk_segment(file, &at, i, &out[i], w)) {
            return;
        }
    }
    w->end = at;
    w->checksum_at = ((at + 16) & ~(uint64_t)15) - 1;
    w->whole = w->checksum_at < file.n;
    if (!w->whole) {
        (void)snprintf(w->problem, sizeof w->problem,
                       "the file ends before the checksum");
    }
}

static bool checksum_holds(bl_span file, const struct walk *w)
{
    return w->whole && file.p[w->checksum_at] == w->checksum;
}

/* The 32 bytes behind the checksum: are they the hash of what is before? */
static bool hash_holds(bl_span file, const struct walk *w)
{
    uint64_t n = w->checksum_at + 1;
    uint8_t digest[32];

    if (!w->whole || file.n - n < sizeof digest) {
        return false;
    }
    bl_sha256(file.p, (size_t)n, digest);
    return memcmp(digest, file.p + n, sizeof digest) == 0;
}

static void read_header(bl_span file, struct image_esp *e)
{
    const uint8_t *p = file.p;

    e->n_segments = p[1];
    e->spi_mode = p[2];
    e->flash_bytes = (p[3] >> 4) <= 7 ? 1U << (20 + (p[3] >> 4)) : 0;
    e->entry = esp_u32(p + 4);
    e->chip_id = esp_u16(p + 12);
    e->chip = chip_name(e->chip_id);
    e->min_revision = esp_u16(p + 15);
    e->max_revision = esp_u16(p + 17);
    e->hash_appended = p[23] == 1;
}

/* A Secure Boot V2 sector follows at the next 4096 behind the image. */
static uint8_t count_signatures(bl_span file, uint64_t length)
{
    uint64_t at = (length + SECTOR - 1) / SECTOR * SECTOR;
    uint8_t n = 0;

    if (length == 0 || file.n < at || file.n - at < SECTOR) {
        return 0;
    }
    while (n < BLOCKS && file.p[at + (uint64_t)n * BLOCK] == 0xE7) {
        n++;
    }
    return n;
}

static void judge(bl_span file, const struct walk *w, struct image *out)
{
    struct image_esp *e = &out->esp;
    uint64_t end = w->checksum_at + 1;

    if (!w->whole) {
        image_problem(out, "%s", w->problem);
        return;
    }
    e->checksum = file.p[w->checksum_at];
    e->checksum_ok = checksum_holds(file, w);
    e->hash_ok = e->hash_appended && hash_holds(file, w);
    if (!e->checksum_ok) {
        image_problem(out, "the checksum is 0x%02x, but 0x%02x is stored",
                      w->checksum, e->checksum);
    }
    if (e->hash_appended && file.n - end < 32) {
        image_problem(out, "the file ends before the appended SHA-256");
        return;
    }
    if (e->hash_appended && !e->hash_ok) {
        image_problem(out, "the appended SHA-256 is not the image's");
    }
    e->length = end + (e->hash_appended ? 32 : 0);
    e->signatures = count_signatures(file, e->length);
}

static void name_esp32(struct image *out)
{
    struct image_esp *e = &out->esp;

    (void)snprintf(out->what, sizeof out->what, "%s%s %s",
                   strcmp(e->chip, "unknown") == 0 ? "ESP32-family " : "",
                   e->chip,
                   e->has_descriptor  ? "application"
                   : e->is_bootloader ? "bootloader"
                                      : "image without descriptor");
}

static void read_esp32(bl_span file, struct image *out)
{
    struct walk w;

    out->kind = IMAGE_ESP32;
    read_header(file, &out->esp);
    walk(file, ESP32_HEADER, out->esp.n_segments, out->esp.segment, &w);
    judge(file, &w, out);
    esp_read_descriptor(file, out);
    name_esp32(out);
    image_find_record(file, 0, out->esp.length == 0 ? file.n : out->esp.length,
                      out);
}

static void read_esp8266(bl_span file, uint64_t at, const struct walk *w,
                         struct image *out)
{
    struct image_esp *e = &out->esp;

    out->kind = IMAGE_ESP8266;
    e->chip = "ESP8266";
    e->n_segments = file.p[at + 1];
    e->spi_mode = file.p[at + 2];
    e->entry = esp_u32(file.p + at + 4);
    e->hash_appended = hash_holds(file, w);
    judge(file, w, out);
    (void)snprintf(out->what, sizeof out->what, "ESP8266 image%s",
                   file.p[0] == ESP8266_V2_MAGIC ? ", version 2" : "");
    image_find_record(file, 0, file.n, out);
}

/* Version 2: a flash segment first, then an image as version 1 has it. Its
 * checksum leaves the flash segment out. */
static bool read_esp8266_v2(bl_span file, struct image *out)
{
    uint64_t at = ESP8266_HEADER + SEGMENT_HEADER;
    uint32_t length;
    struct walk w;

    if (file.n < at + ESP8266_HEADER || file.p[1] != ESP8266_V2_COUNT) {
        return false;
    }
    length = esp_u32(file.p + ESP8266_HEADER + 4);
    if (length % 4 != 0 || length > file.n - at - ESP8266_HEADER ||
        file.p[at + length] != ESP_MAGIC) {
        return false;
    }
    at += length;
    walk(file, at + ESP8266_HEADER, file.p[at + 1], out->esp.segment, &w);
    read_esp8266(file, at, &w, out);
    return true;
}

/*
 * Both families begin with 0xE9. An image that is whole as one of them is
 * that one; for a damaged one, a known chip or a descriptor speaks for ESP32.
 */
bool image_esp_read(bl_span file, struct image *out)
{
    struct image_segment ignored[ESP_SEGMENTS];
    struct walk w32;
    struct walk w8266;
    bool known;

    if (file.n < ESP32_HEADER + SEGMENT_HEADER) {
        return false;
    }
    if (file.p[0] == ESP8266_V2_MAGIC) {
        return read_esp8266_v2(file, out);
    }
    if (file.p[0] != ESP_MAGIC || file.p[1] == 0 || file.p[1] > ESP_SEGMENTS) {
        return false;
    }
    known = strcmp(chip_name(esp_u16(file.p + 12)), "unknown") != 0;
    walk(file, ESP32_HEADER, file.p[1], ignored, &w32);
    walk(file, ESP8266_HEADER, file.p[1], out->esp.segment, &w8266);
    if (!checksum_holds(file, &w32) && !esp_has_descriptor(file) &&
        (checksum_holds(file, &w8266) ||
         (w8266.whole && !w32.whole && !known))) {
        read_esp8266(file, 0, &w8266, out);
        return true;
    }
    if (!w32.whole && !known && !esp_has_descriptor(file)) {
        memset(out->esp.segment, 0, sizeof out->esp.segment);
        return false; /* one byte of magic is no evidence */
    }
    read_esp32(file, out);
    return true;
}
