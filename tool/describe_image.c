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

static bool in(const struct bl_esp_range *range, uint32_t address)
{
    return address >= range->from && address < range->to;
}

/* Where a segment is when the program runs. */
static const char *segment_kind(const struct bl_esp_image *e, uint8_t i)
{
    uint32_t address = e->segment[i].address;

    if (address < 0x10000000) {
        return "filler"; /* not loaded */
    }
    if (e->chip == NULL || e->chip->code.to == 0) {
        return NULL;
    }
    return in(&e->chip->data, address) || in(&e->chip->code, address) ? "flash"
                                                                      : "RAM";
}

static json_t *segments(struct call *c, const struct bl_esp_image *e)
{
    json_t *list = json_array();
    uint8_t i;

    for (i = 0; i < e->walked; i++) {
        json_t *row = json_object();

        put_text(row, "address", keep(c, "0x%08x", e->segment[i].address));
        put_number(row, "length", e->segment[i].length);
        put_number(row, "offset", e->segment[i].offset);
        put_text(row, "is", segment_kind(e, i));
        (void)json_array_append_new(list, row);
    }
    return list;
}

/* Also what is only odd: `odd` tells. */
static json_t *faults(struct call *c, const struct bl_esp_image *e)
{
    json_t *list = json_array();
    uint8_t i;

    for (i = 0; i < e->n_faults; i++) {
        const struct bl_esp_fault *f = &e->fault[i];
        json_t *row = json_object();
        char text[120];

        image_fault_text(f, text, sizeof text);
        put_text(row, "what", keep(c, "%s", text));
        put_number(row, "offset", f->offset);
        put_text(row, "advice", bl_esp_problem_advice(f->problem));
        put_bool(row, "odd", f->problem >= BL_ESP_ODD);
        (void)json_array_append_new(list, row);
    }
    return list;
}

static const char *built(struct call *c, const struct bl_esp_app *app)
{
    return app->date[0] == '\0' ? NULL
                                : keep(c, "%s %s", app->date, app->time);
}

static void application(struct call *c, const struct bl_esp_app *app,
                        json_t *out)
{
    put_text(out, "project", app->project);
    put_text(out, "descriptor_version", app->version);
    put_text(out, "built", built(c, app));
    put_text(out, "idf", app->idf);
    put_number(out, "secure_version", app->secure_version);
    put_text(out, "elf_sha256", keep_hex(c, app->elf_sha256, 32));
    put_number(out, "min_efuse_block", app->min_efuse);
    put_number(out, "max_efuse_block", app->max_efuse);
    put_number(out, "mmu_page_log2", app->mmu_page_log2);
}

static void bootloader(struct call *c, const struct bl_esp_bootloader *b,
                       json_t *out)
{
    put_number(out, "bootloader_version", b->version);
    put_number(out, "secure_version", b->secure_version);
    put_text(out, "built", keep(c, "%s", b->built));
    put_text(out, "idf", b->idf);
}

static void esp32_header(struct call *c, const struct bl_esp_image *e,
                         json_t *out)
{
    put_number(out, "chip_id", e->chip_id);
    put_text(out, "min_revision", revision(c, e->min_revision, false));
    put_text(out, "max_revision", revision(c, e->max_revision, true));
}

static void esp(struct call *c, const struct bl_esp_image *e, json_t *out)
{
    put_text(out, "chip", e->chip == NULL ? "unknown" : e->chip->name);
    if (e->family == BL_ESP_ESP32) {
        esp32_header(c, e, out);
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
    if (e->role == BL_ESP_APPLICATION) {
        application(c, &e->app, out);
    } else if (e->role == BL_ESP_BOOTLOADER) {
        bootloader(c, &e->bootloader, out);
    }
    put(out, "segments", segments(c, e));
    put(out, "faults", faults(c, e));
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
        esp(c, &image->esp, out);
    } else if (image->kind == IMAGE_ELF) {
        elf(c, &image->elf, out);
    }
    put(out, "verifies",
        can_tell(image) ? json_boolean(image->valid) : json_null());
    put_text(out, "problem",
             image->valid ? NULL : keep(c, "%s", image->problem));
}
