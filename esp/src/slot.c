/* SPDX-License-Identifier: Apache-2.0 */
#include "bowline/esp_slot.h"

struct place {
    const struct bl_flash *flash;
    uint32_t offset;
};

static bool read_place(void *context, uint32_t at, void *to, uint32_t n)
{
    const struct place *place = context;

    return place->flash->read(place->flash->ctx, place->offset + at, to, n) ==
           BL_OK;
}

bool bl_esp_slot_whole(const struct bl_flash *flash,
                       const struct bl_area *slot, uint32_t chip_id,
                       struct bl_esp_image *image)
{
    struct bl_esp_image own;
    struct place place;
    struct bl_esp_source source;

    if (image == NULL) {
        image = &own;
    }
    place.flash = flash;
    place.offset = slot->offset;
    source.context = &place;
    source.size = slot->size;
    source.read = read_place;
    bl_esp_image_read(&source, image);
    return bl_esp_image_valid(image) && image->family == BL_ESP_ESP32 &&
           (chip_id == BL_ESP_ANY_CHIP || image->chip_id == chip_id);
}

bool bl_esp_slot_app(const struct bl_flash *flash, const struct bl_area *slot,
                     struct bl_esp_app *app)
{
    uint8_t head[BL_ESP_HEAD];

    return slot->size >= sizeof head &&
           flash->read(flash->ctx, slot->offset, head, sizeof head) == BL_OK &&
           bl_esp_app_read(bl_span_of(head, sizeof head), app);
}
