/* SPDX-License-Identifier: Apache-2.0 */
#include "store.h"

#include <string.h>

/* ["app"], the component that `bowline release` makes. */
static const uint8_t app_id[] = {0x81, 0x43, 'a', 'p', 'p'};

enum { FIXED_SECTORS = 6, LEAST_SECTORS = FIXED_SECTORS + 2, CHUNK = 256 };

/* --- Which partition, and where in it ------------------------------------ */

/* The partition that holds all of these bytes; *offset becomes relative. */
static const esp_partition_t *find(const struct bowline_store *store,
                                   uint32_t *offset, uint32_t n)
{
    uint32_t at = *offset;

    for (int i = 0; i < BOWLINE_PARTS; i++) {
        const esp_partition_t *part = store->part[i];

        if (at < part->size) {
            *offset = at;
            return n <= part->size - at ? part : NULL;
        }
        at -= part->size;
    }
    return NULL;
}

static bool erased(const uint8_t *p, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (p[i] != 0xFF) {
            return false;
        }
    }
    return true;
}

/* Block by block: what is erased on the chip is made to look so. */
static esp_err_t read_encrypted(const esp_partition_t *part, uint32_t offset,
                                uint8_t *out, uint32_t n)
{
    uint8_t raw[BOWLINE_CRYPT_BLOCK];
    esp_err_t err = esp_partition_read(part, offset, out, n);

    while (err == ESP_OK && n > 0) {
        uint32_t inside = offset % BOWLINE_CRYPT_BLOCK;
        uint32_t some = BOWLINE_CRYPT_BLOCK - inside;

        some = some < n ? some : n;
        err = esp_partition_read_raw(part, offset - inside, raw, sizeof raw);
        if (err == ESP_OK && erased(raw, sizeof raw)) {
            memset(out, 0xFF, some);
        }
        offset += some;
        out += some;
        n -= some;
    }
    return err;
}

/* Behind the last sector in which something is written. */
static esp_err_t written_end(const esp_partition_t *part, uint32_t *end)
{
    uint8_t raw[CHUNK];
    uint32_t at = part->size;
    esp_err_t err = ESP_OK;

    *end = 0;
    while (err == ESP_OK && *end == 0 && at > 0) {
        at -= CHUNK;
        err = esp_partition_read_raw(part, at, raw, sizeof raw);
        if (err == ESP_OK && !erased(raw, sizeof raw)) {
            *end = at / BOWLINE_SECTOR * BOWLINE_SECTOR + BOWLINE_SECTOR;
        }
    }
    return err;
}

esp_err_t bowline_store_fill(const struct bowline_store *store, uint8_t slot)
{
    const esp_partition_t *part = store->part[1 + slot];
    uint8_t raw[BOWLINE_CRYPT_BLOCK];
    uint32_t end = 0;
    esp_err_t err = part->encrypted ? written_end(part, &end) : ESP_OK;

    for (uint32_t at = 0; err == ESP_OK && at < end; at += sizeof raw) {
        err = esp_partition_read_raw(part, at, raw, sizeof raw);
        if (err == ESP_OK && erased(raw, sizeof raw)) {
            err = esp_partition_write(part, at, raw, sizeof raw);
        }
    }
    return err;
}

/* --- What core calls ----------------------------------------------------- */

static bl_status status_of(esp_err_t err)
{
    return err == ESP_OK ? BL_OK : BL_FLASH;
}

static bl_status flash_read(void *ctx, uint32_t offset, void *data, uint32_t n)
{
    const esp_partition_t *part = find(ctx, &offset, n);

    if (part == NULL) {
        return BL_FLASH;
    }
    return status_of(part->encrypted
                         ? read_encrypted(part, offset, data, n)
                         : esp_partition_read(part, offset, data, n));
}

static bl_status flash_write(void *ctx, uint32_t offset, const void *data,
                             uint32_t n)
{
    const esp_partition_t *part = find(ctx, &offset, n);

    return part == NULL
               ? BL_FLASH
               : status_of(esp_partition_write(part, offset, data, n));
}

static bl_status flash_erase(void *ctx, uint32_t offset, uint32_t n)
{
    const esp_partition_t *part = find(ctx, &offset, n);

    return part == NULL
               ? BL_FLASH
               : status_of(esp_partition_erase_range(part, offset, n));
}

static bl_status flash_sync(void *ctx)
{
    (void)ctx;
    return BL_OK;
}

/* --- The layout ---------------------------------------------------------- */

static struct bl_area area(uint32_t *at, uint32_t sectors)
{
    struct bl_area a = {*at, sectors * BOWLINE_SECTOR};

    *at += a.size;
    return a;
}

static void lay_out(struct bowline_store *store)
{
    struct bl_layout *layout = &store->layout;
    uint32_t own = store->part[0]->size;
    uint32_t manifest = (own / BOWLINE_SECTOR - FIXED_SECTORS) / 2;
    uint32_t at = 0;

    for (int i = 0; i < 2; i++) {
        layout->root[i] = area(&at, 1);
    }
    for (int i = 0; i < 2; i++) {
        layout->state[i] = area(&at, 1);
    }
    for (int i = 0; i < 2; i++) {
        layout->journal[i] = area(&at, 1);
    }
    for (int i = 0; i < 2; i++) {
        layout->manifest[i] = area(&at, manifest);
    }
    store->component.id = bl_span_of(app_id, sizeof app_id);
    store->component.kind = BL_COMPONENT_SLOTS;
    store->component.area[0].offset = own;
    store->component.area[0].size = store->part[1]->size;
    store->component.area[1].offset = own + store->part[1]->size;
    store->component.area[1].size = store->part[2]->size;
    layout->flash = &store->flash;
    layout->component = &store->component;
    layout->n_components = 1;
}

static void join(struct bowline_store *store)
{
    struct bl_flash *flash = &store->flash;

    flash->ctx = store;
    flash->erase_size = BOWLINE_SECTOR;
    flash->write_size = 4;
    flash->erased = 0xFF;
    flash->read = flash_read;
    flash->write = flash_write;
    flash->erase = flash_erase;
    flash->sync = flash_sync;
    for (int i = 0; i < BOWLINE_PARTS; i++) {
        flash->size += store->part[i]->size;
        if (store->part[i]->encrypted) {
            flash->write_size = BOWLINE_CRYPT_BLOCK;
        }
    }
}

esp_err_t bowline_store_open(struct bowline_store *store, const char **missing)
{
    static const char *const name[BOWLINE_PARTS] = {"bowline", "ota_0",
                                                    "ota_1"};
    uint32_t least = LEAST_SECTORS * BOWLINE_SECTOR;

    memset(store, 0, sizeof *store);
    store->part[0] = esp_partition_find_first(
        ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY, name[0]);
    store->part[1] = esp_partition_find_first(
        ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_APP_OTA_0, NULL);
    store->part[2] = esp_partition_find_first(
        ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_APP_OTA_1, NULL);
    for (int i = 0; i < BOWLINE_PARTS; i++) {
        if (store->part[i] == NULL ||
            store->part[i]->size % BOWLINE_SECTOR != 0 ||
            (i == 0 && store->part[i]->size < least)) {
            *missing = name[i];
            return ESP_ERR_NOT_FOUND;
        }
    }
    join(store);
    lay_out(store);
    return ESP_OK;
}

uint8_t bowline_store_slot(const struct bowline_store *store,
                           const esp_partition_t *part)
{
    for (uint8_t slot = BL_SLOT_A; slot <= BL_SLOT_B; slot++) {
        if (part != NULL && part->address == store->part[1 + slot]->address) {
            return slot;
        }
    }
    return BL_SLOT_NONE;
}
