/* SPDX-License-Identifier: Apache-2.0 */
/* The partition table that an sdkconfig chooses. */
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "partition_csv.h"

enum { CSV_LIMIT = 64 * 1024 };

/* The tables that come with ESP-IDF. */
static const struct {
    const char *setting;
    uint8_t slots;
    bool factory;
} known[] = {{"PARTITION_TABLE_SINGLE_APP", 0, true},
             {"PARTITION_TABLE_SINGLE_APP_LARGE", 0, true},
             {"PARTITION_TABLE_SINGLE_APP_ENCRYPTED_NVS", 0, true},
             {"PARTITION_TABLE_SINGLE_APP_LARGE_ENC_NVS", 0, true},
             {"PARTITION_TABLE_SINGLE_APP_TEE", 0, true},
             {"PARTITION_TABLE_TWO_OTA", 2, true},
             {"PARTITION_TABLE_TWO_OTA_ENCRYPTED_NVS", 2, true},
             {"PARTITION_TABLE_TWO_OTA_LARGE", 2, false},
             {"PARTITION_TABLE_TWO_OTA_TEE", 2, false}};

enum { COUNT = sizeof known / sizeof known[0], NONE = -1 };

static const char custom[] = "PARTITION_TABLE_CUSTOM";

/* Line of a setting that is on, else 0. */
static unsigned line_of(const struct check *k, const char *setting)
{
    const struct sdkconfig_entry *e = sdkconfig_find(k->config, setting);

    return e != NULL && sdkconfig_is(k->config, setting, "y") ? e->line : 0;
}

/* One of `known`, COUNT for the project's own, NONE: of lines that exclude
 * each other the last counts. */
static int chosen(const struct check *k)
{
    unsigned last = line_of(k, custom);
    int found = last > 0 ? COUNT : NONE;
    int i;

    for (i = 0; i < COUNT; i++) {
        unsigned line = line_of(k, known[i].setting);

        if (line > last) {
            last = line;
            found = i;
        }
    }
    return found;
}

/* The ready table needs 4 MB; of nothing said ESP-IDF builds for 2 MB. */
static bool too_small(const struct check *k)
{
    static const char *const enough[] = {"4", "8", "16", "32", "64", "128"};
    const struct sdkconfig_entry *size =
        sdkconfig_find(k->config, "ESPTOOLPY_FLASHSIZE");
    size_t i;

    if (size == NULL && k->config->complete) {
        return false;
    }
    for (i = 0; i < sizeof enough / sizeof enough[0]; i++) {
        const char *mb = keep(k->c, "%sMB", enough[i]);

        if (line_of(k, keep(k->c, "ESPTOOLPY_FLASHSIZE_%s", mb)) > 0 ||
            sdkconfig_is(k->config, "ESPTOOLPY_FLASHSIZE", mb)) {
            return false;
        }
    }
    return true;
}

const char *check_two_slots(const struct check *k)
{
    static const char *const without[] = {"3.", "4.", "5.0", "5.1"};
    size_t i;

    if (chosen(k) == COUNT) {
        return NULL;
    }
    for (i = 0; i < sizeof without / sizeof without[0]; i++) {
        size_t n = strlen(without[i]);

        if (k->config->idf.n >= n &&
            memcmp(k->config->idf.p, without[i], n) == 0) {
            return "CONFIG_PARTITION_TABLE_CUSTOM=y; "
                   "CONFIG_PARTITION_TABLE_CUSTOM_FILENAME=\"partitions.csv\"";
        }
    }
    return too_small(k) ? "CONFIG_PARTITION_TABLE_TWO_OTA_LARGE=y; "
                          "CONFIG_ESPTOOLPY_FLASHSIZE_4MB=y"
                        : "CONFIG_PARTITION_TABLE_TWO_OTA_LARGE=y";
}

static void say_slots(struct check *k, unsigned slots, bool factory,
                      const char *setting)
{
    if (slots >= 2) {
        check_add(k, "two OTA slots", HOLDS,
                  factory ? "and a factory application" : NULL, setting, NULL);
    } else {
        check_add(k, "two OTA slots", BRICKS,
                  keep(k->c,
                       "there is no second slot: no update can be installed, "
                       "and a device in the field needs a cable for another "
                       "table%s",
                       chosen(k) == COUNT
                           ? "; give yours otadata, ota_0 and ota_1"
                           : ""),
                  setting, check_two_slots(k));
    }
}

/* "4MB" */
static uint32_t flash_size(struct check *k)
{
    const char *text = sdkconfig_text(k->c, k->config, "ESPTOOLPY_FLASHSIZE");
    uint64_t megabytes = strtoull(text, NULL, 10);

    return megabytes >= 1 && megabytes <= 128 ? (uint32_t)megabytes << 20 : 0;
}

static const char *row_name(struct check *k, const uint8_t *rows, uint32_t i)
{
    const char *label = (const char *)rows + (size_t)i * BL_ESP_ROW + 12;

    return keep_text(k->c, bl_span_of(label, strnlen(label, BL_ESP_LABEL)));
}

static void say_fault(struct check *k, const char *path, const uint8_t *rows,
                      const struct bl_esp_table_finding *f)
{
    check_add(k, "partition table", BRICKS,
              keep(k->c, "%s, partition %s: %s", path,
                   row_name(k, rows, f->row),
                   bl_esp_table_fault_text(f->fault)),
              "PARTITION_TABLE_CUSTOM_FILENAME", NULL);
}

static void judge(struct check *k, const char *path, const uint8_t *rows,
                  bool *factory)
{
    struct bl_esp_table_finding finding = {BL_ESP_TABLE_OK, 0, 0};
    struct bl_esp_table table;
    struct bl_esp_slots slots;
    uint32_t next = 0;

    if (bl_esp_table_open(bl_span_of(rows, BL_ESP_TABLE_SIZE), flash_size(k),
                          &table, &finding) != BL_OK) {
        say_fault(k, path, rows, &finding);
        return;
    }
    for (;;) {
        bl_esp_table_check(&table, &next, &finding);
        if (finding.fault == BL_ESP_TABLE_OK) {
            break;
        }
        say_fault(k, path, rows, &finding);
    }
    bl_esp_slots_of(&table, &slots);
    *factory = slots.factory.size != 0;
    say_slots(k, slots.n_ota, *factory, "PARTITION_TABLE_CUSTOM_FILENAME");
}

static const char *beside(struct check *k, const char *name)
{
    const char *slash = strrchr(k->config->path, '/');

    return slash == NULL || name[0] == '/'
               ? name
               : keep(k->c, "%.*s/%s", (int)(slash - k->config->path),
                      k->config->path, name);
}

static int check_custom(struct check *k, bool *factory)
{
    const char *name =
        sdkconfig_text(k->c, k->config, "PARTITION_TABLE_CUSTOM_FILENAME");
    const char *path = beside(k, name[0] == '\0' ? "partitions.csv" : name);
    uint64_t offset = sdkconfig_number(
        k->c, k->config, "PARTITION_TABLE_OFFSET", BL_ESP_TABLE_OFFSET);
    uint8_t rows[BL_ESP_TABLE_SIZE];
    struct buffer text = {0};
    int code;

    if (access(path, F_OK) != 0) {
        check_add(k, "two OTA slots", TOLD,
                  keep(k->c, "not checked: there is no %s", path),
                  "PARTITION_TABLE_CUSTOM_FILENAME", NULL);
        return 0;
    }
    code = read_input(k->c, path, CSV_LIMIT, &text);
    if (code == 0) {
        code = partition_csv(
            k->c, path, buffer_span(&text),
            offset > 0x1000000 ? BL_ESP_TABLE_OFFSET : (uint32_t)offset, rows);
    }
    if (code == 0) {
        judge(k, path, rows, factory);
    }
    buffer_free(&text);
    return code;
}

int check_partitions(struct check *k, bool *factory)
{
    int i = chosen(k);

    *factory = false;
    if (i == COUNT) {
        return check_custom(k, factory);
    }
    if (i != NONE) {
        *factory = known[i].factory;
        say_slots(k, known[i].slots, *factory, known[i].setting);
        return 0;
    }
    if (k->config->complete) {
        check_add(k, "two OTA slots", TOLD,
                  "not checked: the table is none that is known here", NULL,
                  NULL);
        return 0;
    }
    *factory = true; /* ESP-IDF's own choice */
    say_slots(k, 0, true, "PARTITION_TABLE_SINGLE_APP");
    return 0;
}
