/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Secure Boot V2 sector behind an image. Byte 0 says what is mended, so
 * that the fuzzer gets behind the CRC and the digest, where a hostile holder
 * of a key would be; byte 1 how long the image is; the rest is the sector.
 */
#include "accept_all.h"
#include "esp_block.h"

#include <stdlib.h>
#include <string.h>

enum { IMAGE = 256, SECTOR_AT = AUTHOR_ESP_SECTOR, MEND_CRC = 1, MEND = 2 };

static void mend_block(uint8_t *p, uint8_t what)
{
    struct author_esp_block block;
    struct esp_fields fields;
    uint8_t digest[ESP_DIGEST_MAX];
    uint8_t image[SECTOR_AT];

    memset(image, 0xFF, sizeof image);
    memset(image, 0, IMAGE);
    (void)esp_block_read(p, &block, &fields);
    if (!block.has_key) {
        return;
    }
    if ((what & MEND) != 0 &&
        esp_digest_of(block.public.scheme, bl_span_of(image, sizeof image),
                      digest)) {
        memcpy(p + ESP_DIGEST_AT, digest,
               author_esp_digest_size(block.public.scheme));
    }
    if ((what & MEND_CRC) != 0) {
        /* Writing what was read gives the CRC, and zeros where they belong. */
        (void)esp_block_read(p, &block, &fields);
        esp_block_write(&block.public, &fields, p);
    }
}

static void check(const struct author_esp_sector *s)
{
    uint32_t i;
    bool all = s->n > 0 && s->problem[0] == '\0';

    for (i = 0; i < s->n; i++) {
        all = all && s->block[i].good;
        if (s->block[i].good != (s->block[i].problem[0] == '\0') ||
            (s->block[i].good && !s->block[i].has_key)) {
            abort();
        }
    }
    if (s->n > AUTHOR_ESP_BLOCKS || (s->n > 0 && !s->there) ||
        all != author_esp_is_good(s)) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct author_esp_sector sector;
    uint8_t *file;
    size_t n;
    size_t i;

    if (size < 2 || size > 2 + 2 * AUTHOR_ESP_SECTOR) {
        return 0;
    }
    n = SECTOR_AT + size - 2;
    file = malloc(n);
    if (file == NULL) {
        return 0;
    }
    memset(file, 0xFF, SECTOR_AT);
    memset(file, 0, IMAGE);
    memcpy(file + SECTOR_AT, data + 2, size - 2);
    for (i = 0; data[0] != 0 && i < AUTHOR_ESP_BLOCKS &&
                SECTOR_AT + (i + 1) * AUTHOR_ESP_BLOCK <= n;
         i++) {
        mend_block(file + SECTOR_AT + i * AUTHOR_ESP_BLOCK, data[0]);
    }
    author_esp_read(bl_span_of(file, n), data[1] == 0 ? IMAGE : data[1] * 64U,
                    &sector);
    check(&sector);
    free(file);
    return 0;
}
