/* SPDX-License-Identifier: Apache-2.0 */
/* The list of faults, and the words for each. */
#include "image_private.h"

void esp_fault_add(struct bl_esp_image *out, const struct bl_esp_fault *fault)
{
    if (out->n_faults < BL_ESP_FAULTS) {
        out->fault[out->n_faults++] = *fault;
    }
}

void esp_fault(struct bl_esp_image *out, enum bl_esp_problem problem,
               uint32_t offset, uint32_t found, uint32_t wanted)
{
    struct bl_esp_fault fault;

    fault.problem = problem;
    fault.segment = ESP_NO_SEGMENT;
    fault.offset = offset;
    fault.found = found;
    fault.wanted = wanted;
    esp_fault_add(out, &fault);
}

const struct bl_esp_fault *bl_esp_image_fault(const struct bl_esp_image *image)
{
    uint8_t i;

    for (i = 0; i < image->n_faults; i++) {
        if (image->fault[i].problem < BL_ESP_ODD) {
            return &image->fault[i];
        }
    }
    return NULL;
}

bool bl_esp_image_valid(const struct bl_esp_image *image)
{
    return image->family != BL_ESP_NO_IMAGE &&
           bl_esp_image_fault(image) == NULL;
}

#define COPY "copy it again from where it was built"
#define BUILD "build it again, and release what the build leaves"

static const struct words {
    enum bl_esp_problem problem;
    const char *text;
    const char *advice;
} words[] = {
    {BL_ESP_READ_FAILED, "it cannot be read",
     "look at the medium that it is on"},
    {BL_ESP_MAGIC, "the first byte is no image's", COPY},
    {BL_ESP_SEGMENT_COUNT, "the number of segments is impossible", COPY},
    {BL_ESP_SEGMENT_HEAD_CUT, "the file ends inside the head of a segment",
     COPY},
    {BL_ESP_SEGMENT_LENGTH, "a segment has an impossible length", BUILD},
    {BL_ESP_SEGMENT_CUT, "the file ends inside a segment", COPY},
    {BL_ESP_CHECKSUM_CUT, "the file ends before the checksum", COPY},
    {BL_ESP_CHECKSUM, "the checksum is not the segments'", COPY},
    {BL_ESP_HASH_FLAG, "the flag for the appended SHA-256 is wrong", COPY},
    {BL_ESP_HASH_CUT, "the file ends before the appended SHA-256", COPY},
    {BL_ESP_HASH, "the appended SHA-256 is not the image's",
     COPY "; if a tool has edited it, let esptool write it anew"},
    {BL_ESP_REVISIONS, "no revision of the chip is allowed to run it",
     "set the minimum chip revision below the maximum in menuconfig"},
    {BL_ESP_EFUSE_REVISIONS, "no eFuse block revision is allowed to run it",
     "set the minimum eFuse block revision below the maximum in menuconfig"},
    {BL_ESP_PAGE_SIZE, "its descriptor names an impossible page size", BUILD},
    {BL_ESP_UNMAPPABLE, "a segment cannot be mapped from its place in flash",
     "build it again; let esptool's elf2image place the segments"},
    {BL_ESP_DESCRIPTOR_SHORT,
     "its first segment is too short for a descriptor", BUILD},
    {BL_ESP_ENTRY, "it starts at an address that it does not load", BUILD},
    {BL_ESP_SKETCH, "the CRC of Arduino's sketch does not hold", COPY},
    {BL_ESP_CHIP_UNKNOWN, "its chip is none that is known here",
     "set chip in bowline.conf, so that no other chip gets it"},
    {BL_ESP_SPI_MODE, "its SPI mode is none that is known here",
     "set the flash mode in menuconfig"},
    {BL_ESP_NO_HASH, "it carries no SHA-256, only a checksum of 8 bits",
     "build it without --dont-append-digest"},
    {BL_ESP_TRAILING, "bytes that are no part of it follow the image",
     "release the file that the build leaves"},
    {BL_ESP_SKETCH_SIZE, "the sketch says another size than the file has",
     "compare it with the file that the build left"}};

static const struct words *find(enum bl_esp_problem problem)
{
    size_t i;

    for (i = 0; i + 1 < sizeof words / sizeof words[0]; i++) {
        if (words[i].problem == problem) {
            break;
        }
    }
    return &words[i];
}

const char *bl_esp_problem_text(enum bl_esp_problem problem)
{
    return find(problem)->text;
}

const char *bl_esp_problem_advice(enum bl_esp_problem problem)
{
    return find(problem)->advice;
}
