/* SPDX-License-Identifier: Apache-2.0 */
/* Secure Boot V2 blocks as JSON. */
#include "esp_keys.h"

static json_t *block_row(struct call *c, const struct author_esp_block *block,
                         uint32_t number)
{
    json_t *row = json_object();

    put_number(row, "block", number);
    put_text(row, "scheme",
             block->has_key ? author_esp_scheme_name(block->public.scheme)
                            : NULL);
    put_text(row, "key",
             block->has_key ? keep_hex(c, block->public.digest, 32) : NULL);
    put_bool(row, "good", block->good);
    put_text(row, "problem",
             block->good ? NULL : keep(c, "%s", block->problem));
    return row;
}

void esp_put_blocks(struct call *c, const struct author_esp_sector *sector,
                    const char *name, json_t *out)
{
    json_t *list = json_array();
    uint32_t i;

    for (i = 0; i < sector->n; i++) {
        (void)json_array_append_new(list,
                                    block_row(c, &sector->block[i], i + 1));
    }
    put(out, name, list);
}

/* An image can be whole and its signature not hold: then it does not
 * verify, whoever's keys count. */
void esp_describe_sector(struct call *c, bl_span bytes,
                         const struct image *image, json_t *out)
{
    struct author_esp_sector sector;
    const char *problem;

    if (image->kind != IMAGE_ESP32 || image->esp.length == 0) {
        return;
    }
    author_esp_read(bytes, image->esp.length, &sector);
    if (!sector.there) {
        return;
    }
    esp_put_blocks(c, &sector, "signatures", out);
    problem = esp_sector_problem(c, &sector);
    if (image->valid && problem != NULL) {
        put(out, "verifies", json_false());
        put_text(out, "problem", problem);
    }
}

const char *esp_sector_problem(struct call *c,
                               const struct author_esp_sector *sector)
{
    uint32_t i;

    for (i = 0; i < sector->n; i++) {
        if (!sector->block[i].good) {
            return keep(c, "signature %u: %s", i + 1,
                        sector->block[i].problem);
        }
    }
    return sector->problem[0] == '\0' ? NULL : keep(c, "%s", sector->problem);
}
