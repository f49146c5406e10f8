/* SPDX-License-Identifier: Apache-2.0 */
/* Real tables are read; each fault is found and named by its row. */
#include "bowline/esp_partition.h"

#include <stdio.h>
#include <string.h>

#include "bowline/esp_md5.h"
#include "support/cmocka_all.h"

enum { MB4 = 4 << 20 };

/* --- A table, row by row ------------------------------------------------- */

struct sheet {
    uint8_t bytes[BL_ESP_TABLE_SIZE];
    uint32_t rows;
};

static void start(struct sheet *s)
{
    memset(s->bytes, 0xFF, sizeof s->bytes);
    s->rows = 0;
}

static void put32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++) {
        p[i] = (uint8_t)(v >> (8 * i));
    }
}

static void row(struct sheet *s, uint8_t type, uint8_t subtype,
                uint32_t offset, uint32_t size, const char *label)
{
    uint8_t *p = s->bytes + (size_t)s->rows++ * BL_ESP_ROW;

    memset(p, 0, BL_ESP_ROW);
    p[0] = 0xAA;
    p[1] = 0x50;
    p[2] = type;
    p[3] = subtype;
    put32(p + 4, offset);
    put32(p + 8, size);
    assert_true(strlen(label) <= BL_ESP_LABEL);
    memcpy(p + 12, label, strlen(label));
}

static void md5(struct sheet *s)
{
    uint8_t *p = s->bytes + (size_t)s->rows * BL_ESP_ROW;

    memset(p, 0xFF, BL_ESP_ROW);
    p[0] = 0xEB;
    p[1] = 0xEB;
    bl_esp_md5(s->bytes, (size_t)s->rows * BL_ESP_ROW, p + 16);
    s->rows++;
}

/* otadata and two slots, as an update needs them */
static void usual(struct sheet *s)
{
    start(s);
    row(s, 1, 0x02, 0x9000, 0x4000, "nvs");
    row(s, 1, 0x00, 0xD000, 0x2000, "otadata");
    row(s, 0, 0x10, 0x10000, 0x180000, "ota_0");
    row(s, 0, 0x11, 0x190000, 0x180000, "ota_1");
}

static bl_status open_sheet(const struct sheet *s, struct bl_esp_table *table,
                            struct bl_esp_table_finding *finding)
{
    memset(finding, 0x5A, sizeof *finding);
    return bl_esp_table_open(bl_span_of(s->bytes, sizeof s->bytes), MB4, table,
                             finding);
}

static void refused(const struct sheet *s, enum bl_esp_table_fault fault,
                    uint32_t at)
{
    struct bl_esp_table table;
    struct bl_esp_table_finding finding;

    assert_int_equal(open_sheet(s, &table, &finding), BL_ARGUMENT);
    assert_int_equal(finding.fault, fault);
    assert_int_equal(finding.row, at);
}

/* Opens, and the first finding of the check is this one. */
static void found(const struct sheet *s, enum bl_esp_table_fault fault,
                  uint32_t at, uint32_t other)
{
    struct bl_esp_table table;
    struct bl_esp_table_finding finding;
    uint32_t next = 0;

    assert_int_equal(open_sheet(s, &table, &finding), BL_OK);
    bl_esp_table_check(&table, &next, &finding);
    assert_int_equal(finding.fault, fault);
    assert_int_equal(finding.row, at);
    assert_int_equal(finding.other, other);
    if (fault == BL_ESP_TABLE_OK) {
        bl_esp_table_check(&table, &next, &finding);
        assert_int_equal(finding.fault, BL_ESP_TABLE_OK);
    }
}

/* --- Real tables --------------------------------------------------------- */

static size_t load(const char *name, uint8_t *bytes, size_t size)
{
    char path[300];
    FILE *file;
    size_t n;

    assert_true(snprintf(path, sizeof path, "%s/%s", SAMPLES, name) > 0);
    file = fopen(path, "rb");
    assert_non_null(file);
    n = fread(bytes, 1, size, file);
    fclose(file);
    return n;
}

static void open_sample(const char *name, struct sheet *s,
                        struct bl_esp_table *table)
{
    struct bl_esp_table_finding finding;
    size_t n = load(name, s->bytes, sizeof s->bytes);

    assert_int_equal(
        bl_esp_table_open(bl_span_of(s->bytes, n), MB4, table, &finding),
        BL_OK);
}

static void real_tables_are_read_and_in_order(void **unused)
{
    static const struct {
        const char *name;
        uint32_t rows;
        bool md5;
    } table_of[] = {
        {"partition-tables/esp-idf/partitions.bin", 3, true},
        {"partition-tables/esp-idf/partitions-utf8-bom.bin", 3, true},
        {"partition-tables/esp-idf-part/factory_app_two_ota.bin", 6, true},
        {"partition-tables/esp-idf-part/single_factory_no_ota.bin", 3, true},
        {"partition-tables/esp8266/2020-12-07_partition-table.bin", 3, false},
    };
    struct sheet s;
    struct bl_esp_table table;
    struct bl_esp_table_finding finding;

    (void)unused;
    for (size_t i = 0; i < sizeof table_of / sizeof table_of[0]; i++) {
        uint32_t next = 0;

        open_sample(table_of[i].name, &s, &table);
        assert_int_equal(table.rows, table_of[i].rows);
        assert_int_equal(table.md5, table_of[i].md5);
        bl_esp_table_check(&table, &next, &finding);
        assert_int_equal(finding.fault, BL_ESP_TABLE_OK);
    }
}

static void slots_of_a_real_table_are_found(void **unused)
{
    struct sheet s;
    struct bl_esp_table table;
    struct bl_esp_slots slots;
    struct bl_esp_partition p;

    (void)unused;
    open_sample("partition-tables/esp-idf-part/factory_app_two_ota.bin", &s,
                &table);
    bl_esp_slots_of(&table, &slots);
    assert_int_equal(slots.n_ota, 2);
    assert_int_equal(slots.otadata.offset, 0xD000);
    assert_int_equal(slots.otadata.size, 0x2000);
    assert_int_equal(bl_esp_slot(&slots, 0)->offset, 0x110000);
    assert_int_equal(bl_esp_slot(&slots, 1)->offset, 0x210000);
    assert_int_equal(bl_esp_slot(&slots, BL_ESP_FACTORY)->offset, 0x10000);
    assert_null(bl_esp_slot(&slots, BL_ESP_TEST));
    assert_null(bl_esp_slot(&slots, 2));
    assert_null(bl_esp_slot(&slots, BL_ESP_NOTHING));
    assert_true(
        bl_esp_table_find(&table, BL_ESP_TYPE_DATA, BL_ESP_DATA_NVS, &p));
    assert_string_equal(p.label, "nvs");
    assert_int_equal(p.offset, 0x9000);
    assert_false(bl_esp_table_find(&table, BL_ESP_TYPE_APP, 0x12, &p));
}

static void one_flipped_bit_in_a_row_is_found_by_the_md5(void **unused)
{
    struct sheet s;
    struct bl_esp_table table;
    struct bl_esp_table_finding finding;

    (void)unused;
    usual(&s);
    md5(&s);
    for (uint32_t bit = 0; bit < (s.rows - 1) * BL_ESP_ROW * 8; bit++) {
        s.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(open_sheet(&s, &table, &finding), BL_ARGUMENT);
        s.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_int_equal(open_sheet(&s, &table, &finding), BL_OK);
}

static void rows_behind_the_md5_row_are_partitions_too(void **unused)
{
    struct sheet s;
    struct bl_esp_table table;
    struct bl_esp_table_finding finding;
    struct bl_esp_partition p;

    (void)unused;
    usual(&s);
    md5(&s);
    row(&s, 1, 0x82, 0x310000, 0x1000, "behind");
    assert_int_equal(open_sheet(&s, &table, &finding), BL_OK);
    assert_int_equal(table.rows, 5);
    bl_esp_table_at(&table, 3, &p);
    assert_string_equal(p.label, "ota_1");
    bl_esp_table_at(&table, 4, &p);
    assert_string_equal(p.label, "behind");
}

static void label_of_16_characters_is_ended(void **unused)
{
    struct sheet s;
    struct bl_esp_table table;
    struct bl_esp_table_finding finding;
    struct bl_esp_partition p;

    (void)unused;
    start(&s);
    row(&s, 0, 0, 0x10000, 0x10000, "sixteen_letters_");
    assert_int_equal(open_sheet(&s, &table, &finding), BL_OK);
    bl_esp_table_at(&table, 0, &p);
    assert_string_equal(p.label, "sixteen_letters_");
}

/* --- What no bootloader starts with -------------------------------------- */

static void tables_that_cannot_be_read_are_refused_by_row(void **unused)
{
    struct sheet s;

    (void)unused;
    usual(&s);
    s.bytes[2 * BL_ESP_ROW] = 0x00;
    refused(&s, BL_ESP_TABLE_ROW, 2);
    usual(&s);
    md5(&s);
    md5(&s);
    refused(&s, BL_ESP_TABLE_TWO_MD5, 5);
    usual(&s);
    row(&s, 1, 0x82, 0x3FF000, 0x2000, "over");
    refused(&s, BL_ESP_TABLE_BEYOND, 4);
    usual(&s);
    row(&s, 1, 0x82, 0xFFFFF000, 0x2000, "wraps");
    refused(&s, BL_ESP_TABLE_BEYOND, 4);
    start(&s);
    for (uint32_t i = 0; i < BL_ESP_ROWS; i++) {
        row(&s, 1, 0x82, 0x9000 + i * 0x1000, 0x1000, "x");
    }
    refused(&s, BL_ESP_TABLE_NO_END, BL_ESP_ROWS);
}

static void table_cut_at_any_byte_is_short_never_read_beyond(void **unused)
{
    struct sheet s;
    struct bl_esp_table table;
    struct bl_esp_table_finding finding;
    size_t needed = 6 * BL_ESP_ROW;

    (void)unused;
    usual(&s);
    md5(&s);
    for (size_t n = 0; n <= needed; n++) {
        uint8_t *exact = malloc(n + 1);
        bl_status status;

        assert_non_null(exact);
        memcpy(exact + 1, s.bytes, n);
        status =
            bl_esp_table_open(bl_span_of(exact + 1, n), MB4, &table, &finding);
        assert_int_equal(status, n < needed ? BL_ARGUMENT : BL_OK);
        if (n < needed) {
            assert_int_equal(finding.fault, BL_ESP_TABLE_SHORT);
        }
        free(exact);
    }
}

/* --- What goes wrong later ----------------------------------------------- */

static void table_of_two_slots_is_in_order(void **unused)
{
    struct sheet s;

    (void)unused;
    usual(&s);
    found(&s, BL_ESP_TABLE_OK, 3, 3);
}

static void faults_of_one_row_are_found(void **unused)
{
    struct sheet s;

    (void)unused;
    usual(&s);
    row(&s, 1, 0x82, 0x310000, 0, "empty");
    found(&s, BL_ESP_TABLE_EMPTY, 4, 4);
    usual(&s);
    row(&s, 0, 0x12, 0x311000, 0x1000, "ota_2");
    found(&s, BL_ESP_TABLE_APP_ALIGN, 4, 4);
    usual(&s);
    row(&s, 1, 0x82, 0x310800, 0x1000, "odd");
    found(&s, BL_ESP_TABLE_ALIGN, 4, 4);
    usual(&s);
    row(&s, 1, 0x82, 0x8000, 0x1000, "low");
    found(&s, BL_ESP_TABLE_IN_TABLE, 4, 4);
    start(&s);
    row(&s, 1, 0x00, 0xD000, 0x1000, "otadata");
    found(&s, BL_ESP_TABLE_OTADATA_SIZE, 0, 0);
}

static void faults_of_two_rows_name_both(void **unused)
{
    struct sheet s;

    (void)unused;
    usual(&s);
    row(&s, 1, 0x82, 0x18F000, 0x1000, "over");
    found(&s, BL_ESP_TABLE_OVERLAP, 4, 2);
    usual(&s);
    row(&s, 1, 0x82, 0x310000, 0x1000, "ota_0");
    found(&s, BL_ESP_TABLE_LABEL, 4, 2);
    usual(&s);
    row(&s, 0, 0x10, 0x310000, 0x1000, "again");
    found(&s, BL_ESP_TABLE_TWO_SLOTS, 4, 2);
    usual(&s);
    row(&s, 1, 0x00, 0x310000, 0x2000, "again");
    found(&s, BL_ESP_TABLE_TWO_OTADATA, 4, 1);
    start(&s);
    row(&s, 0, 0x00, 0x10000, 0x10000, "one");
    row(&s, 0, 0x00, 0x20000, 0x10000, "two");
    found(&s, BL_ESP_TABLE_TWO_FACTORY, 1, 0);
}

static void faults_of_the_whole_table_are_found(void **unused)
{
    struct sheet s;

    (void)unused;
    start(&s);
    row(&s, 1, 0x02, 0x9000, 0x4000, "nvs");
    found(&s, BL_ESP_TABLE_NO_APP, 0, 0);
    start(&s);
    row(&s, 0, 0x10, 0x10000, 0x10000, "ota_0");
    row(&s, 0, 0x11, 0x20000, 0x10000, "ota_1");
    found(&s, BL_ESP_TABLE_NO_OTADATA, 1, 1);
    start(&s);
    row(&s, 1, 0x00, 0xD000, 0x2000, "otadata");
    row(&s, 0, 0x10, 0x10000, 0x10000, "ota_0");
    row(&s, 0, 0x12, 0x20000, 0x10000, "ota_2");
    found(&s, BL_ESP_TABLE_SLOT_GAP, 2, 2);
    start(&s);
    row(&s, 1, 0x00, 0xD000, 0x2000, "otadata");
    row(&s, 0, 0x10, 0x10000, 0x10000, "ota_0");
    found(&s, BL_ESP_TABLE_ONE_SLOT, 1, 1);
}

static void all_faults_are_listed_one_by_one(void **unused)
{
    struct sheet s;
    struct bl_esp_table table;
    struct bl_esp_table_finding finding;
    uint32_t next = 0;
    uint32_t faults = 0;

    (void)unused;
    start(&s);
    row(&s, 1, 0x02, 0x9001, 0x4000, "nvs");
    row(&s, 1, 0x82, 0x20000, 0, "empty");
    assert_int_equal(open_sheet(&s, &table, &finding), BL_OK);
    for (;;) {
        bl_esp_table_check(&table, &next, &finding);
        if (finding.fault == BL_ESP_TABLE_OK) {
            break;
        }
        faults++;
    }
    assert_int_equal(faults, 3); /* not aligned, empty, no application */
}

static void names_are_those_of_the_csv_files(void **unused)
{
    (void)unused;
    assert_string_equal(bl_esp_type_name(0), "app");
    assert_string_equal(bl_esp_type_name(3), "partition_table");
    assert_string_equal(bl_esp_type_name(0x40), "");
    assert_string_equal(bl_esp_subtype_name(0, 0x00), "factory");
    assert_string_equal(bl_esp_subtype_name(0, 0x1F), "ota_15");
    assert_string_equal(bl_esp_subtype_name(1, 0x82), "spiffs");
    assert_string_equal(bl_esp_subtype_name(1, 0xFE), "");
    assert_string_not_equal(bl_esp_table_fault_text(BL_ESP_TABLE_OVERLAP), "");
    assert_string_equal(bl_esp_table_fault_text((enum bl_esp_table_fault)1000),
                        "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(real_tables_are_read_and_in_order),
        cmocka_unit_test(slots_of_a_real_table_are_found),
        cmocka_unit_test(one_flipped_bit_in_a_row_is_found_by_the_md5),
        cmocka_unit_test(rows_behind_the_md5_row_are_partitions_too),
        cmocka_unit_test(label_of_16_characters_is_ended),
        cmocka_unit_test(tables_that_cannot_be_read_are_refused_by_row),
        cmocka_unit_test(table_cut_at_any_byte_is_short_never_read_beyond),
        cmocka_unit_test(table_of_two_slots_is_in_order),
        cmocka_unit_test(faults_of_one_row_are_found),
        cmocka_unit_test(faults_of_two_rows_name_both),
        cmocka_unit_test(faults_of_the_whole_table_are_found),
        cmocka_unit_test(all_faults_are_listed_one_by_one),
        cmocka_unit_test(names_are_those_of_the_csv_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
