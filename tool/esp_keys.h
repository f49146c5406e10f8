/* SPDX-License-Identifier: Apache-2.0 */
/* The keys that a project names, and images with their signature sectors. */
#ifndef ESP_KEYS_H
#define ESP_KEYS_H

#include "esp_rule.h"
#include "image.h"
#include "tool.h"

enum { ESP_FILE_LIMIT = 64 << 20 };

/* esp_secure_boot, esp_key_digests, esp_revoked_digests of the project, or
 * the options. `there` is false when no digest is named. 0 or EXIT_INPUT. */
int esp_rule_load(struct call *c, struct esp_rule *out);
/* 64 hex digits; `where` is named in the error. 0 or EXIT_INPUT. */
int esp_digest_parse(struct call *c, const char *where, const char *text,
                     uint8_t out[32]);
/* Takes out what esp_revoked_digests names. */
int esp_rule_revoke(struct call *c, struct esp_rule *rule);

/* An image and its sector. Refuses what is no whole image of the family. */
struct esp_file {
    const char *path;
    bl_span bytes;
    struct image image;
    struct author_esp_sector sector;
};

int esp_file_read(struct call *c, const char *path, bl_span bytes,
                  struct esp_file *out);
/* What does not hold, of a block or the sector; NULL: nothing. Kept. */
const char *esp_sector_problem(struct call *c,
                               const struct author_esp_sector *sector);
/* A list of {block, scheme, key, good, problem}. */
void esp_put_blocks(struct call *c, const struct author_esp_sector *sector,
                    const char *name, json_t *out);
/* For inspect: "signatures" of a signed image, and the verdict with them. */
void esp_describe_sector(struct call *c, bl_span bytes,
                         const struct image *image, json_t *out);
/* Does its chip read the first block only? */
bool esp_one_block(const struct image *image);

/*
 * Before a release is made or published: would the fleet take this image?
 * The keys are the project's; else those of the newest release with a lower
 * sequence number in the releases folder, when that is signed. What is no
 * image of the family is passed over.
 */
int esp_check_image(struct call *c, const char *path, bl_span bytes,
                    const uint8_t class_id[16], uint64_t sequence);
/* The same of all payloads of an envelope that are at hand. */
int esp_check_release(struct call *c, const char *path, bl_span envelope);

#endif
