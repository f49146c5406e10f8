/* SPDX-License-Identifier: Apache-2.0 */
#include "storage.h"

/* --- Numbers ------------------------------------------------------------- */

uint32_t bl_crc32(uint32_t crc, const void *data, size_t n)
{
    /* One nibble at a time: 64 bytes of table instead of 1,024. */
    static const uint32_t table[16] = {
        0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4,
        0x4DB26158, 0x5005713C, 0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C,
        0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C};
    const uint8_t *p = data;

    crc = ~crc;
    while (n > 0) {
        crc ^= *p;
        crc = (crc >> 4) ^ table[crc & 15];
        crc = (crc >> 4) ^ table[crc & 15];
        p++;
        n--;
    }
    return ~crc;
}

uint32_t bl_get32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
           (uint32_t)p[3] << 24;
}

void bl_put32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
    p[2] = (uint8_t)(v >> 16);
    p[3] = (uint8_t)(v >> 24);
}

/* One number, between little endian and the processor's own order. */
static void field_copy(uint8_t *to, const uint8_t *from, uint32_t size)
{
    static const uint16_t one = 1;
    bool little = *(const uint8_t *)&one == 1;
    uint32_t i;

    for (i = 0; i < size; i++) {
        to[i] = from[little ? i : size - 1 - i];
    }
}

void bl_fields_put(const struct bl_field *field, size_t n, const void *from,
                   uint8_t *record)
{
    for (; n > 0; n--, field++) {
        field_copy(record + field->at, (const uint8_t *)from + field->offset,
                   field->size);
    }
}

void bl_fields_get(const struct bl_field *field, size_t n,
                   const uint8_t *record, void *to)
{
    for (; n > 0; n--, field++) {
        field_copy((uint8_t *)to + field->offset, record + field->at,
                   field->size);
    }
}

uint32_t bl_round_up(uint32_t v, uint32_t unit)
{
    return (v + unit - 1) & ~(unit - 1);
}

bool bl_all(const uint8_t *p, size_t n, uint8_t value)
{
    /* Equal to itself shifted by one: memcmp is the fastest scan at hand. */
    return n == 0 || (p[0] == value && memcmp(p, p + 1, n - 1) == 0);
}

/* --- Layout -------------------------------------------------------------- */

enum { FIXED_AREAS = 8, MAX_SIZE = 1 << 30 };

static bool power_of_two(uint32_t v)
{
    return v != 0 && (v & (v - 1)) == 0;
}

static bool flash_good(const struct bl_flash *flash)
{
    return flash != NULL && flash->read != NULL && flash->write != NULL &&
           flash->erase != NULL && flash->sync != NULL &&
           power_of_two(flash->erase_size) && flash->erase_size >= 256 &&
           power_of_two(flash->write_size) && flash->write_size <= 256 &&
           flash->size <= MAX_SIZE && flash->size % flash->erase_size == 0;
}

static bool area_good(const struct bl_flash *flash, const struct bl_area *area)
{
    return area->size > 0 && area->size % flash->erase_size == 0 &&
           area->offset % flash->erase_size == 0 &&
           area->size <= flash->size &&
           area->offset <= flash->size - area->size;
}

static uint32_t component_areas(const struct bl_component *component)
{
    switch (component->kind) {
    case BL_COMPONENT_SLOTS:
        return 2;
    case BL_COMPONENT_STAGE:
        return 1;
    default:
        return 0;
    }
}

static bool component_good(const struct bl_layout *layout, uint32_t i)
{
    const struct bl_component *c = &layout->component[i];

    if (c->id.p == NULL || c->id.n == 0 || c->kind > BL_COMPONENT_STAGE) {
        return false;
    }
    if (i == 0 && c->kind != BL_COMPONENT_SLOTS) {
        return false;
    }
    return c->kind != BL_COMPONENT_ACTIVE ||
           (c->of < layout->n_components &&
            layout->component[c->of].kind == BL_COMPONENT_SLOTS);
}

/* The areas of a layout by number, the fixed ones first; NULL: no more. */
static const struct bl_area *area_at(const struct bl_layout *layout,
                                     uint32_t n)
{
    const struct bl_area *fixed[4];
    uint32_t i;

    fixed[0] = layout->root;
    fixed[1] = layout->state;
    fixed[2] = layout->journal;
    fixed[3] = layout->manifest;
    if (n < FIXED_AREAS) {
        return &fixed[n / 2][n % 2];
    }
    n -= FIXED_AREAS;
    for (i = 0; i < layout->n_components; i++) {
        uint32_t areas = component_areas(&layout->component[i]);

        if (n < areas) {
            return &layout->component[i].area[n];
        }
        n -= areas;
    }
    return NULL;
}

static bool areas_overlap(const struct bl_area *a, const struct bl_area *b)
{
    return a->offset < b->offset + b->size && b->offset < a->offset + a->size;
}

static bool areas_good(const struct bl_layout *layout)
{
    const struct bl_area *a;
    const struct bl_area *b;
    uint32_t i;
    uint32_t j;

    for (i = 0; (a = area_at(layout, i)) != NULL; i++) {
        if (!area_good(layout->flash, a)) {
            return false;
        }
        for (j = 0; j < i; j++) {
            b = area_at(layout, j);
            if (areas_overlap(a, b)) {
                return false;
            }
        }
    }
    return true;
}

bl_status bl_layout_check(const struct bl_layout *layout)
{
    uint32_t i;

    if (layout == NULL || !flash_good(layout->flash) ||
        layout->component == NULL || layout->n_components == 0 ||
        layout->n_components > BL_LAYOUT_COMPONENTS) {
        return BL_ARGUMENT;
    }
    if (layout->root[0].size < BL_ROOT_AREA ||
        layout->root[1].size < BL_ROOT_AREA) {
        return BL_ARGUMENT;
    }
    for (i = 0; i < layout->n_components; i++) {
        if (!component_good(layout, i)) {
            return BL_ARGUMENT;
        }
    }
    return areas_good(layout) ? BL_OK : BL_ARGUMENT;
}

/* --- Reading what is there ----------------------------------------------- */

static uint32_t at_most(uint32_t n, size_t limit)
{
    return n < limit ? n : (uint32_t)limit;
}

/* Reads `n` bytes in chunks: BL_READ_BACK when they are not `data`, or, with
 * that NULL, not erased. */
static bl_status walk(const struct bl_flash *flash, uint32_t offset,
                      const uint8_t *data, uint32_t n)
{
    uint8_t chunk[BL_IO_CHUNK];

    while (n > 0) {
        uint32_t part = at_most(n, sizeof chunk);

        if (flash->read(flash->ctx, offset, chunk, part) != BL_OK) {
            return BL_FLASH;
        }
        if (data == NULL ? !bl_all(chunk, part, flash->erased)
                         : memcmp(chunk, data, part) != 0) {
            return BL_READ_BACK;
        }
        offset += part;
        if (data != NULL) {
            data += part;
        }
        n -= part;
    }
    return BL_OK;
}

bl_status bl_flash_erased(const struct bl_flash *flash, uint32_t offset,
                          uint32_t n, bool *erased)
{
    bl_status status = walk(flash, offset, NULL, n);

    *erased = status == BL_OK;
    return status == BL_FLASH ? status : BL_OK;
}

bl_status bl_flash_compare(const struct bl_flash *flash, uint32_t offset,
                           const uint8_t *data, uint32_t n)
{
    return walk(flash, offset, data, n);
}

/* --- A head and a body in an area of their own --------------------------- */

/* Fills `io` with the bytes from `at` on of head, body and padding. */
static void store_gather(bl_span head, bl_span body, uint8_t erased,
                         uint32_t at, uint8_t *io, uint32_t n)
{
    memset(io, erased, n);
    if (at < head.n) {
        uint32_t part = at_most(n, head.n - at);

        memcpy(io, head.p + at, part);
        io += part;
        n -= part;
        at += part;
    }
    if (n > 0 && at - head.n < body.n) {
        memcpy(io, body.p + (at - head.n), at_most(n, body.n - (at - head.n)));
    }
}

bl_status bl_flash_store(const struct bl_flash *flash,
                         const struct bl_area *area, bl_span head,
                         bl_span body, uint8_t *io, size_t io_size)
{
    if (io_size < flash->write_size) {
        return BL_BUFFER;
    }
    if (body.n > area->size || head.n > area->size - body.n) {
        return BL_NO_SPACE;
    }
    if (flash->erase(flash->ctx, area->offset, area->size) != BL_OK) {
        return BL_FLASH;
    }
    return bl_flash_fill(flash, area, head, body, io, io_size);
}

bl_status bl_flash_fill(const struct bl_flash *flash,
                        const struct bl_area *area, bl_span head, bl_span body,
                        uint8_t *io, size_t io_size)
{
    uint32_t step = at_most(area->size, io_size) & ~(flash->write_size - 1);
    uint32_t total =
        bl_round_up((uint32_t)(head.n + body.n), flash->write_size);
    uint32_t at;

    for (at = 0; at < total; at += step) {
        uint32_t n = at_most(total - at, step);
        uint32_t offset = area->offset + at;
        bl_status status;

        store_gather(head, body, flash->erased, at, io, n);
        if (flash->write(flash->ctx, offset, io, n) != BL_OK) {
            return BL_FLASH;
        }
        status = bl_flash_compare(flash, offset, io, n);
        if (status != BL_OK) {
            return status;
        }
    }
    return flash->sync(flash->ctx);
}

/* --- Logs ---------------------------------------------------------------- */

bl_status bl_log_end(const struct bl_flash *flash, const struct bl_area *area,
                     uint32_t place, uint32_t *end)
{
    uint32_t at = area->size;

    while (at > 0) {
        bool erased;

        if (bl_flash_erased(flash, area->offset + at - place, place,
                            &erased) != BL_OK) {
            return BL_FLASH;
        }
        if (!erased) {
            break;
        }
        at -= place;
    }
    *end = at;
    return BL_OK;
}

bl_status bl_log_append(const struct bl_flash *flash,
                        const struct bl_area *area, uint32_t place,
                        const uint8_t *record, uint32_t n, uint32_t *offset)
{
    while (*offset < area->size) {
        uint32_t at = area->offset + *offset;
        bl_status status;

        *offset += place;
        if (flash->write(flash->ctx, at, record, n) != BL_OK) {
            return BL_FLASH;
        }
        status = bl_flash_compare(flash, at, record, n);
        if (status != BL_READ_BACK) {
            return status == BL_OK ? flash->sync(flash->ctx) : status;
        }
    }
    return BL_NO_SPACE;
}
