/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "describe.h"

static const char *const source_name[] = {
    NULL, "firmware record", "ESP32 application descriptor",
    "descriptor of the Arduino SDK: not the application's"};

/* "3.1"; the limits that mean none become null. */
static const char *revision(struct call *c, uint16_t value, bool is_max)
{
    if (is_max && (value == 0 || value == 0xFFFF)) {
        return NULL;
    }
    return keep(c, "%u.%u", value / 100U, value % 100U);
}

static const char *spi_name(uint8_t mode)
{
    static const char *const name[] = {"QIO",  "QOUT",      "DIO",
                                       "DOUT", "FAST_READ", "SLOW_READ"};

    return mode < sizeof name / sizeof name[0] ? name[mode] : NULL;
}

static json_t *segments(struct call *c, const struct image_esp *e)
{
    json_t *list = json_array();
    uint8_t i;

    for (i = 0; i < e->n_segments && i < ESP_SEGMENTS; i++) {
        json_t *row = json_object();

        put_text(row, "address", keep(c, "0x%08x", e->segment[i].address));
        put_number(row, "length", e->segment[i].length);
        put_number(row, "offset", e->segment[i].offset);
        (void)json_array_append_new(list, row);
    }
    return list;
}

static void descriptor(struct call *c, const struct image_esp *e, json_t *out)
{
    put_text(out, "project", e->project);
    put_text(out, "descriptor_version", e->version);
    put_text(out, "built",
             e->date[0] == '\0' ? NULL : keep(c, "%s %s", e->date, e->time));
    put_text(out, "idf", e->idf);
    put_number(out, "secure_version", e->secure_version);
    put_text(out, "elf_sha256", keep_hex(c, e->elf_sha256, 32));
    put_number(out, "min_efuse_block", e->min_efuse);
    put_number(out, "max_efuse_block", e->max_efuse);
    put_number(out, "mmu_page_log2", e->mmu_page_log2);
}

static void esp(struct call *c, const struct image_esp *e, bool is_8266,
                json_t *out)
{
    put_text(out, "chip", e->chip);
    if (!is_8266) { /* which has no such fields */
        put_number(out, "chip_id", e->chip_id);
        put_text(out, "min_revision", revision(c, e->min_revision, false));
        put_text(out, "max_revision", revision(c, e->max_revision, true));
    }
    put_text(out, "spi_mode", spi_name(e->spi_mode));
    put_number(out, "flash_size", e->flash_bytes);
    put_text(out, "entry", keep(c, "0x%08x", e->entry));
    put_number(out, "length", e->length);
    put_text(out, "checksum", keep(c, "0x%02x", e->checksum));
    put_bool(out, "checksum_ok", e->checksum_ok);
    put_bool(out, "hash_appended", e->hash_appended);
    put(out, "hash_ok",
        e->hash_appended ? json_boolean(e->hash_ok) : json_null());
    put_number(out, "secure_boot_signatures", e->signatures);
    if (e->has_descriptor) {
        descriptor(c, e, out);
    } else if (e->is_bootloader) {
        put_number(out, "bootloader_version", e->bootloader_version);
        put_text(out, "built", keep(c, "%s %s", e->date, e->time));
        put_text(out, "idf", e->idf);
    }
    put(out, "segments", segments(c, e));
}

static void elf(struct call *c, const struct image_elf *e, json_t *out)
{
    put_number(out, "bits", e->bits);
    put_text(out, "byte_order", e->big_endian ? "big" : "little");
    put_text(out, "machine", e->machine_name);
    put_number(out, "machine_number", e->machine);
    put_text(out, "elf_type", e->type_name);
    put_text(out, "entry", keep(c, "0x%llx", (unsigned long long)e->entry));
    put_number(out, "sections", e->n_sections);
    put_bool(out, "bowline_section", e->has_bowline_section);
}

/* A binary has nothing that could show damage: null, not true. */
static bool can_tell(const struct image *image)
{
    return image->kind != IMAGE_BINARY || !image->valid;
}

void describe_image(struct call *c, const struct image *image, json_t *out)
{
    put_text(out, "type", "image");
    put_text(out, "format", image->what);
    put_text(out, "version",
             image->source == VERSION_NONE ? NULL : image->version);
    put_text(out, "product",
             image->product[0] == '\0' ? NULL : image->product);
    put_text(out, "version_from", source_name[image->source]);
    if (image->source == VERSION_RECORD) {
        put_number(out, "record_offset", image->record_offset);
    }
    if (image->kind == IMAGE_ESP32 || image->kind == IMAGE_ESP8266) {
        esp(c, &image->esp, image->kind == IMAGE_ESP8266, out);
    } else if (image->kind == IMAGE_ELF) {
        elf(c, &image->elf, out);
    }
    put(out, "verifies",
        can_tell(image) ? json_boolean(image->valid) : json_null());
    put_text(out, "problem",
             image->valid ? NULL : keep(c, "%s", image->problem));
}
