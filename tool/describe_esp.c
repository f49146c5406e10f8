/* SPDX-License-Identifier: Apache-2.0 */
/* What lies in an ESP32's flash beside images: the partition table, otadata,
 * and a whole dump of it. */
#include <string.h>

#include "bowline/esp_otadata.h"
#include "bowline/esp_slot.h"
#include "describe.h"

/* --- What a file is -------------------------------------------------------
 */

static bool erased(bl_span bytes, size_t from, size_t to)
{
    for (; from < to; from++) {
        if (bytes.p[from] != 0xFF) {
            return false;
        }
    }
    return true;
}

bool describe_is_table(bl_span bytes)
{
    return bytes.n >= BL_ESP_ROW && bytes.p[0] == 0xAA && bytes.p[1] == 0x50;
}

bool describe_is_otadata(bl_span bytes)
{
    return bytes.n == BL_ESP_OTADATA_SIZE &&
           erased(bytes, BL_ESP_OTA_RECORD, BL_ESP_FLASH_SECTOR) &&
           erased(bytes, BL_ESP_FLASH_SECTOR + BL_ESP_OTA_RECORD,
                  BL_ESP_OTADATA_SIZE);
}

static bl_span part(bl_span bytes, uint64_t offset, uint64_t size)
{
    if (offset > bytes.n || size > bytes.n - offset) {
        return bl_span_of(NULL, 0);
    }
    return bl_span_of(bytes.p + offset, (size_t)size);
}

bool describe_is_flash(bl_span bytes)
{
    bl_span at = part(bytes, BL_ESP_TABLE_OFFSET, BL_ESP_TABLE_SIZE);
    struct bl_esp_table_finding finding;
    struct bl_esp_table table;

    return at.n > 0 && describe_is_table(at) &&
           bl_esp_table_open(at, 0, &table, &finding) == BL_OK && table.md5;
}

/* --- The partition table ------------------------------------------------- */

static const char *label_of(struct call *c, const struct bl_esp_partition *p)
{
    return keep_text(c, bl_span_of(p->label, strlen(p->label)));
}

static const char *named(struct call *c, const char *name, unsigned number)
{
    return name[0] != '\0' ? name : keep(c, "0x%02x", number);
}

static const char *flags_of(struct call *c, uint32_t flags)
{
    switch (flags) {
    case 0:
        return NULL;
    case BL_ESP_FLAG_ENCRYPTED:
        return "encrypted";
    case BL_ESP_FLAG_READONLY:
        return "readonly";
    case BL_ESP_FLAG_ENCRYPTED | BL_ESP_FLAG_READONLY:
        return "encrypted readonly";
    default:
        return keep(c, "0x%x", (unsigned)flags);
    }
}

static json_t *row(struct call *c, const struct bl_esp_partition *p)
{
    json_t *out = json_object();

    put_text(out, "label", label_of(c, p));
    put_text(out, "type", named(c, bl_esp_type_name(p->type), p->type));
    put_text(out, "subtype",
             named(c, bl_esp_subtype_name(p->type, p->subtype), p->subtype));
    put_text(out, "offset", keep(c, "0x%x", (unsigned)p->offset));
    put_number(out, "size", p->size);
    put_text(out, "flags", flags_of(c, p->flags));
    return out;
}

static const char *finding_text(struct call *c,
                                const struct bl_esp_table *table,
                                const struct bl_esp_table_finding *f)
{
    const char *text = bl_esp_table_fault_text(f->fault);
    struct bl_esp_partition first;
    struct bl_esp_partition second;

    bl_esp_table_at(table, f->row, &first);
    if (f->other == f->row) {
        return keep(c, "%s: %s", label_of(c, &first), text);
    }
    bl_esp_table_at(table, f->other, &second);
    return keep(c, "%s and %s: %s", label_of(c, &second), label_of(c, &first),
                text);
}

static json_t *findings(struct call *c, const struct bl_esp_table *table)
{
    json_t *list = json_array();
    struct bl_esp_table_finding f;
    uint32_t next = 0;

    for (;;) {
        bl_esp_table_check(table, &next, &f);
        if (f.fault == BL_ESP_TABLE_OK) {
            return list;
        }
        (void)json_array_append_new(
            list,
            json_string(table->rows == 0 ? bl_esp_table_fault_text(f.fault)
                                         : finding_text(c, table, &f)));
    }
}

/* Its rows and what is wrong; false: it cannot be read. */
static bool table_rows(struct call *c, bl_span bytes, uint32_t flash_size,
                       struct bl_esp_table *table, json_t *out)
{
    struct bl_esp_table_finding finding;
    struct bl_esp_partition p;
    struct bl_esp_slots slots;
    json_t *rows = json_array();
    json_t *list;
    uint32_t i;

    put(out, "partitions", rows);
    if (bl_esp_table_open(bytes, flash_size, table, &finding) != BL_OK) {
        put_bool(out, "verifies", false);
        put_text(out, "problem",
                 keep(c, "row %u: %s", (unsigned)finding.row,
                      bl_esp_table_fault_text(finding.fault)));
        return false;
    }
    for (i = 0; i < table->rows; i++) {
        bl_esp_table_at(table, i, &p);
        (void)json_array_append_new(rows, row(c, &p));
    }
    put_bool(out, "md5", table->md5);
    list = findings(c, table);
    put_bool(out, "verifies", json_array_size(list) == 0);
    put_text(out, "problem", json_string_value(json_array_get(list, 0)));
    put(out, "faults", list);
    bl_esp_slots_of(table, &slots);
    if (slots.n_ota == 0) {
        put_text(out, "note", "no OTA slot: no update can be installed");
    }
    return true;
}

void describe_table(const struct subject *s, json_t *out)
{
    struct bl_esp_table table;

    put_text(out, "type", "partition table");
    put_text(out, "format", "ESP32 partition table");
    (void)table_rows(s->call, s->bytes, 0, &table, out);
}

/* --- otadata ------------------------------------------------------------- */

static const char *slot_name(struct call *c, int index)
{
    switch (index) {
    case BL_ESP_FACTORY:
        return "factory";
    case BL_ESP_TEST:
        return "test";
    case BL_ESP_NOTHING:
        return NULL;
    default:
        return keep(c, "ota_%d", index);
    }
}

static json_t *record(struct call *c, const struct bl_esp_ota_record *r,
                      uint32_t n_ota)
{
    json_t *out = json_object();
    bool blank = r->number == BL_ESP_OTA_BLANK;

    put_bool(out, "blank", blank);
    put(out, "number", blank ? json_null() : json_integer(r->number));
    put_text(out, "slot",
             blank || n_ota == 0
                 ? NULL
                 : slot_name(c, (int)bl_esp_ota_slot(r, n_ota)));
    put_text(out, "state",
             r->state > BL_ESP_OTA_ABORTED && r->state != BL_ESP_OTA_UNDEFINED
                 ? keep(c, "unknown (0x%x)", (unsigned)r->state)
                 : bl_esp_ota_state_name(r->state));
    put_text(out, "crc",
             r->crc == bl_esp_ota_crc(r->number) ? "right"
             : blank                             ? NULL
                                                 : "wrong");
    put_bool(out, "usable", bl_esp_ota_usable(r));
    return out;
}

/* What a bootloader would do next, built without rollback and with it. */
static const char *next_boot(struct call *c,
                             const struct bl_esp_ota_record records[2],
                             uint32_t n_ota, bool factory, bool rollback)
{
    struct bl_esp_choose_facts facts;
    struct bl_esp_choice choice;
    const char *text;
    int i;

    memset(&facts, 0, sizeof facts);
    facts.options.rollback = rollback;
    memcpy(facts.record, records, sizeof facts.record);
    facts.n_ota = n_ota;
    facts.factory = factory;
    bl_esp_boot_choose(&facts, &choice);
    text = slot_name(c, choice.index);
    for (i = 0; i < 2; i++) {
        if (choice.write[i]) {
            text = keep(c, "%s; record %d becomes %s", text, i,
                        bl_esp_ota_state_name(choice.record[i].state));
        }
    }
    return text;
}

static void ota_records(struct call *c, bl_span bytes, uint32_t n_ota,
                        bool factory, json_t *out)
{
    struct bl_esp_ota_record records[2];
    json_t *list = json_array();
    json_t *boots = json_object();
    int active;
    int i;

    for (i = 0; i < 2; i++) {
        bl_esp_ota_get(bytes.p + (size_t)i * BL_ESP_FLASH_SECTOR, &records[i]);
        (void)json_array_append_new(list, record(c, &records[i], n_ota));
    }
    active = bl_esp_ota_active(records);
    put(out, "records", list);
    put(out, "active_record", active < 0 ? json_null() : json_integer(active));
    put_text(boots, "without_rollback",
             next_boot(c, records, n_ota, factory, false));
    put_text(boots, "with_rollback",
             next_boot(c, records, n_ota, factory, true));
    put(out, "boots", boots);
}

/* otadata does not say how many slots there are: two, as nearly always. */
void describe_otadata(const struct subject *s, json_t *out)
{
    put_text(out, "type", "otadata");
    put_text(out, "format", "ESP32 otadata");
    put_number(out, "slots", 2);
    ota_records(s->call, s->bytes, 2, false, out);
    put_text(out, "note",
             "slots as of a table with ota_0 and ota_1 and no "
             "factory application; a dump of the whole flash "
             "says it for its own table");
    verdict_unknown(out, NULL);
}

/* --- A whole flash ------------------------------------------------------- */

static json_t *image_in(struct call *c, bl_span slot, int index)
{
    json_t *out = json_object();
    struct bl_esp_image image;

    bl_esp_image_read_span(slot, &image);
    put_text(out, "slot", slot_name(c, index));
    put_bool(out, "whole",
             bl_esp_image_valid(&image) && image.family == BL_ESP_ESP32);
    if (image.family == BL_ESP_ESP32) {
        put_text(out, "chip",
                 image.chip == NULL ? "unknown" : image.chip->name);
        put_number(out, "length", image.length);
    }
    if (image.role == BL_ESP_APPLICATION) {
        put_text(out, "project", keep(c, "%s", image.app.project));
        put_text(out, "version", keep(c, "%s", image.app.version));
    }
    return out;
}

static json_t *images(struct call *c, bl_span flash,
                      const struct bl_esp_slots *slots)
{
    json_t *list = json_array();
    int i;

    for (i = BL_ESP_TEST; i < BL_ESP_OTA_SLOTS; i++) {
        const struct bl_area *slot = bl_esp_slot(slots, i);
        bl_span bytes;

        if (slot == NULL) {
            continue;
        }
        bytes = part(flash, slot->offset, slot->size);
        if (bytes.n > 0 && !erased(bytes, 0, BL_ESP_HEAD)) {
            (void)json_array_append_new(list, image_in(c, bytes, i));
        }
    }
    return list;
}

void describe_flash(const struct subject *s, json_t *out)
{
    struct bl_esp_slots slots;
    struct bl_esp_table table;
    bl_span otadata;

    put_text(out, "type", "flash");
    put_text(out, "format", "ESP32 flash");
    if (!table_rows(s->call,
                    part(s->bytes, BL_ESP_TABLE_OFFSET, BL_ESP_TABLE_SIZE),
                    (uint32_t)s->bytes.n, &table, out)) {
        return;
    }
    bl_esp_slots_of(&table, &slots);
    otadata = part(s->bytes, slots.otadata.offset, slots.otadata.size);
    if (otadata.n >= BL_ESP_OTADATA_SIZE) {
        ota_records(s->call, otadata, slots.n_ota, slots.factory.size != 0,
                    out);
    }
    put(out, "images", images(s->call, s->bytes, &slots));
}
