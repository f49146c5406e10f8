/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The version inside the image: a 128-byte record that tools find by its
 * magic in an ELF file or a raw binary, and that the firmware reads as its own
 * version. One line in the firmware: BL_FIRMWARE("thermostat", "1.1.0");
 *
 * Layout (docs/SPEC.md, "Firmware record"): 16 bytes magic, u16 format 1,
 * 14 bytes zero, version[32], product[32], 32 bytes zero; text is
 * zero-terminated.
 */
#ifndef BOWLINE_FIRMWARE_H
#define BOWLINE_FIRMWARE_H

#include <stdint.h>

struct bl_firmware {
    char magic[16]; /* 89 'B' 'O' 'W' 'L' 'I' 'N' 'E' '-' 'F' 'W' 0D 0A 1A 0A
                       00 */
    uint8_t format[2];
    uint8_t zero[14];
    char version[32];
    char product[32];
    uint8_t reserved[32];
};

/*
 * Nothing in a firmware has to refer to the record: the linker keeps it in
 * spite of -Wl,--gc-sections (flag R of the section; binutils 2.36, lld 13).
 * gcc for ARM has no such attribute although its assembler knows the flag: it
 * is told behind gcc's back, and @ begins a comment there. With something
 * older: KEEP(*(.bowline)) in the linker script, or -Wl,-u,bl_firmware.
 */
#define BL_FIRMWARE_KEPT used, section(".bowline")
#if defined(__GNUC__) && !defined(__clang__) && defined(__arm__)
#undef BL_FIRMWARE_KEPT
#define BL_FIRMWARE_KEPT used, section(".bowline,\"aR\",%progbits @")
#elif defined(__has_attribute)
#if __has_attribute(retain)
#undef BL_FIRMWARE_KEPT
#define BL_FIRMWARE_KEPT used, retain, section(".bowline")
#endif
#endif

#define BL_FIRMWARE(product_name, version_text)                               \
    __attribute__((BL_FIRMWARE_KEPT))                                         \
    const struct bl_firmware bl_firmware = {"\x89"                            \
                                            "BOWLINE-FW\r\n\x1a\n",           \
                                            {1, 0},                           \
                                            {0},                              \
                                            version_text,                     \
                                            product_name,                     \
                                            {0}}

extern const struct bl_firmware bl_firmware;

/*
 * A version text as the numbers SUIT compares: "1.4.2" = 1,4,2;
 * "1.4-rc.1" = 1,4,-1,1; -beta -2, -alpha -3 (update-management section 4.4).
 * Anything else behind '-' or '+' ends the number part and is ignored. Returns
 * how many numbers were written, 0 when the text is no version.
 */
uint32_t bl_version_parse(const char *text, int32_t *out, uint32_t max);
/* -1, 0, 1, element by element; missing elements count as 0. */
int bl_version_compare(const int32_t *a, uint32_t n_a, const int32_t *b,
                       uint32_t n_b);

#endif
