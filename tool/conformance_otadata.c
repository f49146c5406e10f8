/* SPDX-License-Identifier: Apache-2.0 */
/* Which slot ESP-IDF's bootloader chooses, and what it writes before. */
#include <string.h>

#include "bowline/esp_otadata.h"
#include "conformance_private.h"

static void options_of(struct check *c, const char *config,
                       struct bl_esp_boot_options *options)
{
    memset(options, 0, sizeof *options);
    if (strcmp(config, "antirb") == 0) {
        options->rollback = true;
        options->anti_rollback = true;
    } else if (strcmp(config, "rollback") == 0) {
        options->rollback = true;
    } else if (strcmp(config, "none") != 0) {
        fail(c, "a bootloader configured as \"%s\"", config);
    }
}

static bl_span record_of(struct check *c, const json_t *vector,
                         const char *key)
{
    bl_span bytes = hex_of(c, vector, key);

    if (!failed(c) && bytes.n != BL_ESP_OTA_RECORD) {
        fail(c, "\"%s\" is not of 32 bytes", key);
    }
    return bytes;
}

static void versions_of(struct check *c, const json_t *vector,
                        struct bl_esp_choose_facts *facts)
{
    const json_t *versions = json_object_get(vector, "secure_versions");
    size_t i;

    if (json_array_size(versions) != facts->n_ota) {
        fail(c, "not as many \"secure_versions\" as \"ota_slots\"");
        return;
    }
    for (i = 0; i < facts->n_ota; i++) {
        facts->described[i] = true;
        facts->secure_version[i] =
            (uint32_t)json_integer_value(json_array_get(versions, i));
    }
}

static void facts_of(struct check *c, const json_t *vector,
                     struct bl_esp_choose_facts *facts)
{
    uint64_t slots = number_of(c, vector, "ota_slots");
    bl_span first = record_of(c, vector, "entry0");
    bl_span second = record_of(c, vector, "entry1");

    memset(facts, 0, sizeof *facts);
    if (failed(c) || slots > BL_ESP_OTA_SLOTS) {
        fail(c, "more than %d \"ota_slots\"", BL_ESP_OTA_SLOTS);
        return;
    }
    options_of(c, text_of(c, vector, "config"), &facts->options);
    facts->n_ota = (uint32_t)slots;
    facts->factory = json_is_true(json_object_get(vector, "factory"));
    facts->efuse = (uint32_t)number_of(c, vector, "efuse");
    bl_esp_ota_get(first.p, &facts->record[0]);
    bl_esp_ota_get(second.p, &facts->record[1]);
    versions_of(c, vector, facts);
}

static bool record_is(const struct bl_esp_ota_record *record, bl_span wanted)
{
    uint8_t bytes[BL_ESP_OTA_RECORD];

    bl_esp_ota_put(record, bytes);
    return memcmp(bytes, wanted.p, sizeof bytes) == 0;
}

void check_otadata(struct check *c, const json_t *vector, size_t number)
{
    const json_t *selected = json_object_get(vector, "selected");
    bl_span after0 = record_of(c, vector, "entry0_after");
    bl_span after1 = record_of(c, vector, "entry1_after");
    uint64_t efuse = number_of(c, vector, "efuse_after");
    struct bl_esp_choose_facts facts;
    struct bl_esp_choice choice;
    char name[MAX_NAME];
    const char *odd = NULL;

    facts_of(c, vector, &facts);
    if (failed(c)) {
        return;
    }
    bl_esp_boot_choose(&facts, &choice);
    if (choice.index != json_integer_value(selected)) {
        odd = "another slot";
    } else if (!record_is(&choice.record[0], after0) ||
               !record_is(&choice.record[1], after1)) {
        odd = "other records written";
    } else if (choice.efuse != efuse) {
        odd = "another version in the eFuse";
    }
    (void)snprintf(name, sizeof name, "otadata %zu: %s, %u slots%s", number,
                   text_of(c, vector, "config"), (unsigned)facts.n_ota,
                   facts.factory ? ", factory" : "");
    result(c, name, true, BL_OK, odd);
}
