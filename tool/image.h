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

#include "bowline/esp_image.h"

enum image_kind { IMAGE_BINARY, IMAGE_ELF, IMAGE_ESP32, IMAGE_ESP8266 };

/* Where a version text was found. */
enum image_source {
    VERSION_NONE,
    VERSION_RECORD,     /* the Bowline firmware record */
    VERSION_DESCRIPTOR, /* the ESP32 application descriptor */
    VERSION_SDK         /* a descriptor, but of the Arduino SDK: not its own */
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
    char what[80];      /* "ESP32-S3 application" */
    bool valid;         /* whole, as far as its format lets us tell */
    char problem[160];  /* when it is not: one sentence */
    const char *advice; /* what to do about it; NULL: build or copy anew */
    uint64_t size;      /* of the file */
    enum image_source source;
    char version[33];
    char product[33];        /* "" when not said */
    uint64_t record_offset;  /* when source is VERSION_RECORD */
    struct bl_esp_image esp; /* of IMAGE_ESP32, IMAGE_ESP8266 */
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

/* One fault in words; 120 bytes are enough. */
void image_fault_text(const struct bl_esp_fault *fault, char *out,
                      size_t size);

/* Do a release's version and the embedded one agree? A descriptor holds 31
 * characters at most; builders cut longer ones. */
bool image_version_equal(const struct image *image, const char *version);

#endif
