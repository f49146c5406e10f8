/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images of the ESP32 family and the ESP8266: read, validated, explained.
 *
 * Bytes come from wherever they are (a file, a partition) through one
 * callback; nothing is allocated, nothing outside of `size` is asked for, 1.5
 * KB of stack. The length of an image is walked, never taken from the
 * file's: what follows it (a signature sector, FF) is not part of it.
 *
 * Everything that is wrong is noted with its place, and reading goes on as
 * far as it makes sense. bl_esp_image_read never fails but by a read error.
 */
#ifndef BOWLINE_ESP_IMAGE_H
#define BOWLINE_ESP_IMAGE_H

#include "bowline/esp_chip.h"
#include "bowline/span.h"

enum {
    BL_ESP_SEGMENTS = 16,
    BL_ESP_TEXT = 33, /* a field of 32 that may be full, and its end */
    BL_ESP_FAULTS = 16,
    /* Bytes in front that hold header and descriptor. */
    BL_ESP_HEAD = 24 + 8 + 256
};

/* Where the bytes are. */
struct bl_esp_source {
    void *context;
    uint32_t size;
    /* Copies n bytes from `at`; at + n <= size. False: cannot be read. */
    bool (*read)(void *context, uint32_t at, void *to, uint32_t n);
};

enum bl_esp_family {
    BL_ESP_NO_IMAGE, /* nothing of what follows means anything */
    BL_ESP_ESP32,
    BL_ESP_ESP8266,
    BL_ESP_ESP8266_V2 /* a flash segment in front of what version 1 has */
};

enum bl_esp_role {
    BL_ESP_UNTOLD,      /* no descriptor: an old bootloader, a RAM program */
    BL_ESP_APPLICATION, /* has an application descriptor */
    BL_ESP_BOOTLOADER   /* has a bootloader descriptor */
};

/*
 * What can be wrong. `offset`, `found` and `wanted` say where and how; the
 * comment says what the two are when they are more than the field's value.
 */
enum bl_esp_problem {
    BL_ESP_READ_FAILED = 1,
    BL_ESP_MAGIC,            /* the first byte is not 0xE9; the rest fits */
    BL_ESP_SEGMENT_COUNT,    /* 1 to 16 are possible */
    BL_ESP_SEGMENT_HEAD_CUT, /* the file ends inside the head */
    BL_ESP_SEGMENT_LENGTH,   /* no multiple of 4, or 16 MB and more */
    BL_ESP_SEGMENT_CUT,      /* found: bytes that are there */
    BL_ESP_CHECKSUM_CUT,     /* the file ends before it */
    BL_ESP_CHECKSUM,         /* found: stored, wanted: by the bytes */
    BL_ESP_HASH_FLAG,        /* neither 0 nor 1, or 0 although it is there */
    BL_ESP_HASH_CUT,         /* found: bytes that are there */
    BL_ESP_HASH,
    BL_ESP_REVISIONS, /* found: least, wanted: at most */
    BL_ESP_EFUSE_REVISIONS,
    BL_ESP_PAGE_SIZE,        /* found: its log2 */
    BL_ESP_UNMAPPABLE,       /* found: address, wanted: low bits of offset */
    BL_ESP_DESCRIPTOR_SHORT, /* found: length of the first segment */
    BL_ESP_ENTRY,            /* found: entry point, in no segment */
    BL_ESP_SKETCH,           /* of ESP8266: found: stored CRC, wanted */
    /* From here on: odd, but such images run. */
    BL_ESP_ODD,
    BL_ESP_CHIP_UNKNOWN = BL_ESP_ODD,
    BL_ESP_SPI_MODE,
    BL_ESP_NO_HASH,    /* only 8 bits of checksum say that it is whole */
    BL_ESP_TRAILING,   /* found: bytes behind the image, no signature, no FF */
    BL_ESP_SKETCH_SIZE /* of ESP8266: found: bytes there, wanted: stored */
};

struct bl_esp_fault {
    enum bl_esp_problem problem;
    uint8_t segment; /* 255: of no segment */
    uint32_t offset; /* in the file */
    uint32_t found;
    uint32_t wanted;
};

struct bl_esp_segment {
    uint32_t address;
    uint32_t length;
    uint32_t offset; /* of the data in the file */
};

/* The application descriptor. Unprintable characters become '?'. */
struct bl_esp_app {
    uint32_t secure_version;
    char version[BL_ESP_TEXT]; /* builders cut at 31 characters */
    char project[BL_ESP_TEXT];
    char time[17];
    char date[17];
    char idf[BL_ESP_TEXT];
    uint8_t elf_sha256[32]; /* names the build */
    uint16_t min_efuse;
    uint16_t max_efuse;
    uint8_t mmu_page_log2; /* 0: not said */
    uint8_t spi_mode;      /* 0: not said */
};

struct bl_esp_bootloader {
    uint8_t secure_version;
    uint32_t version;
    char idf[BL_ESP_TEXT];
    char built[25]; /* "Jan 23 2025 15:50:09" */
};

struct bl_esp_image {
    enum bl_esp_family family;
    enum bl_esp_role role;

    uint32_t chip_id;               /* BL_ESP_CHIP_ESP8266 of that family */
    const struct bl_esp_chip *chip; /* NULL: not known */
    uint8_t n_segments;             /* as the header says */
    uint8_t walked; /* that were read; the rest of segment[] is 0 */
    struct bl_esp_segment segment[BL_ESP_SEGMENTS];
    uint8_t spi_mode;
    uint8_t spi_speed;    /* the nibble */
    uint32_t flash_bytes; /* 0: not said */
    uint32_t entry;
    uint16_t min_revision; /* major * 100 + minor */
    uint16_t max_revision; /* 0 or 65535: none */
    bool hash_appended;
    uint8_t checksum; /* as stored */
    bool checksum_ok;
    bool hash_ok;    /* false also when there is none */
    uint32_t length; /* of the image, hash included; 0: cut off */
    /* ESP8266: Arduino's boot code is in front, a sketch at 4096; `length` is
     * that of both, the rest of this says the boot code's. */
    bool sketch;
    /* Secure Boot V2 blocks in the sector behind the image: 0 to 3. Counted
     * by their first byte, not verified. */
    uint8_t signatures;

    struct bl_esp_app app;               /* of BL_ESP_APPLICATION */
    struct bl_esp_bootloader bootloader; /* of BL_ESP_BOOTLOADER */

    uint8_t n_faults; /* the first is the one to tell */
    struct bl_esp_fault fault[BL_ESP_FAULTS];
};

/* Fills all of `out`. */
void bl_esp_image_read(const struct bl_esp_source *source,
                       struct bl_esp_image *out);
/* The same of bytes in memory. */
void bl_esp_image_read_span(bl_span file, struct bl_esp_image *out);

/* Would a chip's boot code take it and start it? An image, and nothing wrong
 * but what is only odd. */
bool bl_esp_image_valid(const struct bl_esp_image *image);
/* The first fault that is more than odd; NULL when it is valid. */
const struct bl_esp_fault *
bl_esp_image_fault(const struct bl_esp_image *image);

/* The application descriptor alone, of the first BL_ESP_HEAD bytes of an
 * image (the first block of a download); false when there is none. */
bool bl_esp_app_read(bl_span head, struct bl_esp_app *out);
/* The descriptor of firmware built with Arduino is the precompiled SDK's:
 * it says nothing of the application. */
bool bl_esp_app_is_sdk(const struct bl_esp_app *app);
/* Does a descriptor's version stand for this one? It holds 31 characters. */
bool bl_esp_version_equal(const char *embedded, const char *version);

/* What is wrong, and what to do; one phrase each, without numbers. */
const char *bl_esp_problem_text(enum bl_esp_problem problem);
const char *bl_esp_problem_advice(enum bl_esp_problem problem);

#endif
