/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Firmware images made by any build: what they are, which version they carry,
 * and whether they are whole, read from the bytes alone. The bytes may be
 * hostile; nothing is allocated, nothing outside the span is read.
 *
 * image_read never fails: what cannot be told apart is a binary.
 */
#ifndef IMAGE_H
#define IMAGE_H

#include <stdbool.h>

#include "bowline/span.h"

enum image_kind { IMAGE_BINARY, IMAGE_ELF, IMAGE_ESP32, IMAGE_ESP8266 };

/* Where a version text was found. */
enum image_source {
    VERSION_NONE,
    VERSION_RECORD,     /* the Bowline firmware record */
    VERSION_DESCRIPTOR, /* the ESP32 application descriptor */
    VERSION_SDK         /* a descriptor, but of the Arduino SDK: not its own */
};

enum { ESP_SEGMENTS = 16, ESP_TEXT = 33, IMAGE_RECORDS = 4 };

struct image_segment {
    uint32_t address;
    uint32_t length;
    uint32_t offset; /* of the data in the file */
};

struct image_esp {
    const char *chip; /* "ESP32-S3"; "unknown" */
    uint16_t chip_id;
    uint8_t n_segments;
    uint8_t spi_mode;
    uint32_t flash_bytes; /* 0: not said */
    uint32_t entry;
    uint16_t min_revision; /* major * 100 + minor */
    uint16_t max_revision; /* 0 or 65535: none */
    bool hash_appended;
    uint8_t checksum; /* as stored */
    bool checksum_ok;
    bool hash_ok;
    uint64_t length; /* of the image, without what follows; 0: cut off */
    struct image_segment segment[ESP_SEGMENTS];
    uint8_t signatures; /* Secure Boot V2 blocks behind the image */

    bool has_descriptor;
    uint32_t secure_version;
    char version[ESP_TEXT];
    char project[ESP_TEXT];
    char time[17];
    char date[17];
    char idf[ESP_TEXT];
    uint8_t elf_sha256[32];
    uint16_t min_efuse;
    uint16_t max_efuse;
    uint8_t mmu_page_log2;

    bool is_bootloader; /* has a bootloader descriptor */
    uint32_t bootloader_version;
};

struct image_elf {
    uint8_t bits; /* 32, 64 */
    bool big_endian;
    uint16_t type;
    uint16_t machine;
    const char *type_name;
    const char *machine_name;
    uint64_t entry;
    uint32_t n_sections;
    bool has_bowline_section;
};

struct image {
    enum image_kind kind;
    char what[80];     /* "ESP32-S3 application" */
    bool valid;        /* whole, as far as its format lets us tell */
    char problem[160]; /* when it is not: one sentence */
    uint64_t size;     /* of the file */
    enum image_source source;
    char version[33];
    char product[33];       /* "" when not said */
    uint64_t record_offset; /* when source is VERSION_RECORD */
    struct image_esp esp;
    struct image_elf elf;
};

void image_read(bl_span file, struct image *out);

/* The readers behind it; each returns false when the bytes are no such
 * image, and leaves `out` as it was. */
bool image_esp_read(bl_span file, struct image *out);
bool image_elf_read(bl_span file, struct image *out);
void image_binary_read(bl_span file, struct image *out);

/* Looks for firmware records between two offsets; sets version, product,
 * source. Two records that differ make the image invalid. */
void image_find_record(bl_span file, uint64_t from, uint64_t to,
                       struct image *out);

/* Sets problem (the first one stays) and valid = false. */
void image_problem(struct image *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Do a release's version and the embedded one agree? A descriptor holds 31
 * characters at most; builders cut longer ones. */
bool image_version_equal(const struct image *image, const char *version);

#endif
