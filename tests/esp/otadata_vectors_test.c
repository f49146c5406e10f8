/* SPDX-License-Identifier: Apache-2.0 */
/* ESP-IDF's own choices: through the pure function, and through a flash. */
#include <stdlib.h>
#include <string.h>

#include "otadata_rig.h"
#include "support/cmocka_all.h"
#include "support/vectors.h"

static int number(const json_t *vector, const char *key)
{
    return (int)json_integer_value(vectors_member(vector, key));
}

static uint32_t version_of(const json_t *vector, size_t i)
{
    return (uint32_t)json_integer_value(
        json_array_get(vectors_member(vector, "secure_versions"), i));
}

static void put_record(struct rig *rig, struct vectors *v,
                       const json_t *vector, int i)
{
    bl_span bytes = vectors_hex(v, vector, i == 0 ? "entry0" : "entry1");
    struct bl_esp_ota_record record;

    bl_esp_ota_get(bytes.p, &record);
    rig_record(rig, i, &record);
}

static void set_up(struct rig *rig, struct vectors *v, const json_t *vector)
{
    const char *config = vectors_text(vector, "config");
    int n = number(vector, "ota_slots");

    rig_open(rig, (uint32_t)n,
             json_is_true(vectors_member(vector, "factory")));
    rig->ota.options.rollback = strcmp(config, "none") != 0;
    rig->ota.options.anti_rollback = strcmp(config, "antirb") == 0;
    rig->efuse = (uint32_t)number(vector, "efuse");
    for (int i = 0; i < n; i++) {
        rig_image(rig, i, version_of(vector, (size_t)i));
    }
    if (rig->slots.factory.size != 0) {
        rig_image(rig, BL_ESP_FACTORY, 0);
    }
    put_record(rig, v, vector, 0);
    put_record(rig, v, vector, 1);
}

/* Where loading ends when every image is whole: ESP-IDF chose `selected`. */
static int loaded(const struct rig *rig, int selected)
{
    int n = (int)rig->slots.n_ota;

    for (int i = selected; i >= BL_ESP_FACTORY; i--) {
        const struct bl_area *slot = bl_esp_slot(&rig->slots, i);
        uint32_t version;

        if (slot != NULL &&
            (!rig->ota.options.anti_rollback ||
             (rig->ota.describe(rig->ota.ctx, slot, &version) &&
              version >= rig->efuse))) {
            return i;
        }
    }
    for (int i = selected + 1; i < n; i++) {
        uint32_t version;

        if (!rig->ota.options.anti_rollback ||
            (rig->ota.describe(rig->ota.ctx, bl_esp_slot(&rig->slots, i),
                               &version) &&
             version >= rig->efuse)) {
            return i;
        }
    }
    return BL_ESP_NOTHING;
}

static bool never(bl_span bytes)
{
    struct bl_esp_ota_record r;

    bl_esp_ota_get(bytes.p, &r);
    return r.number == BL_ESP_OTA_BLANK || r.crc != bl_esp_ota_crc(r.number);
}

/* A flash in which every image is whole: what starts, and what is left. */
static void boots_as_esp_idf(struct vectors *v, const json_t *vector)
{
    bl_span after0 = vectors_hex(v, vector, "entry0_after");
    bl_span after1 = vectors_hex(v, vector, "entry1_after");
    int selected = number(vector, "selected");
    const uint8_t *otadata;
    struct rig rig;
    int expected;
    int index = BL_ESP_NOTHING;
    bl_status status;

    set_up(&rig, v, vector);
    otadata = rig.sim.bytes + rig.slots.otadata.offset;
    status = bl_esp_boot_run(&rig.ota, &index);
    expected = loaded(&rig, selected);
    assert_int_equal(status, expected == BL_ESP_NOTHING ? BL_NO_IMAGE : BL_OK);
    assert_int_equal(index, expected);
    assert_memory_equal(otadata + BL_ESP_FLASH_SECTOR, after1.p, after1.n);
    if (index >= 0 && rig.slots.factory.size == 0 && never(after0) &&
        never(after1) && (selected == 0 || rig.ota.options.anti_rollback)) {
        struct bl_esp_ota_record r;

        bl_esp_ota_get(otadata, &r); /* written once an image has loaded */
        assert_int_equal(r.number, index + 1);
        assert_int_equal(r.state, BL_ESP_OTA_VALID);
    } else {
        assert_memory_equal(otadata, after0.p, after0.n);
        assert_int_equal(rig.efuse, number(vector, "efuse_after"));
    }
    assert_null(rig.sim.breach);
    rig_close(&rig);
}

static void every_vector_boots_as_esp_idf_does(void **unused)
{
    struct vectors v;
    const json_t *vector;
    size_t i;

    (void)unused;
    vectors_open(&v, "esp/otadata-select.json");
    assert_int_equal(json_array_size(vectors_member(v.json, "vectors")), 489);
    json_array_foreach(vectors_member(v.json, "vectors"), i, vector)
    {
        boots_as_esp_idf(&v, vector);
    }
    vectors_close(&v);
}

static void records_survive_reading_and_writing(void **unused)
{
    struct vectors v;
    const json_t *vector;
    size_t i;

    (void)unused;
    vectors_open(&v, "esp/otadata-select.json");
    json_array_foreach(vectors_member(v.json, "vectors"), i, vector)
    {
        bl_span bytes = vectors_hex(&v, vector, "entry0");
        struct bl_esp_ota_record record;
        uint8_t again[BL_ESP_OTA_RECORD];

        assert_int_equal(bytes.n, sizeof again);
        bl_esp_ota_get(bytes.p, &record);
        bl_esp_ota_put(&record, again);
        assert_memory_equal(again, bytes.p, sizeof again);
    }
    vectors_close(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_vector_boots_as_esp_idf_does),
        cmocka_unit_test(records_survive_reading_and_writing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
