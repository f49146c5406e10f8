/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which Secure Boot V2 keys a fleet runs, and whether an image is signed so
 * that the fleet takes it.
 *
 * Without hardware secure boot (esp_secure_boot "off") a device compares the
 * FIRST block's key with that of the image it runs; further blocks count for
 * nothing, and no update can change the key. With it ("on") any one good
 * block of a key that the chip has not revoked will do.
 */
#ifndef ESP_KEYS_H
#define ESP_KEYS_H

#include "author/esp_sign.h"
#include "image.h"
#include "tool.h"

enum { ESP_KEYS = 16, ESP_FILE_LIMIT = 64 << 20 };

/* What a fleet takes. */
struct esp_rule {
    bool hardware;
    bool there;         /* somebody said which keys */
    const char *source; /* who: for people */
    uint32_t n;
    uint8_t key[ESP_KEYS][32];
};

enum esp_verdict {
    ESP_TAKEN,
    ESP_UNSIGNED,
    ESP_DAMAGED,   /* the block that would count does not hold */
    ESP_OTHER_KEY, /* none of the blocks that hold is by one of the keys */
    ESP_NOT_FIRST  /* one is, but only the first one counts */
};

/* `one_block`: the chip reads the first block only (ESP32). `*block` is the
 * one that was found. */
enum esp_verdict esp_judge(const struct author_esp_sector *sector,
                           const struct esp_rule *rule, bool one_block,
                           uint32_t *block);

/* esp_secure_boot, esp_key_digests, esp_revoked_digests of the project, or
 * the options. `there` is false when no digest is named. 0 or EXIT_INPUT. */
int esp_rule_load(struct call *c, struct esp_rule *out);
/* 64 hex digits; `where` is named in the error. 0 or EXIT_INPUT. */
int esp_digest_parse(struct call *c, const char *where, const char *text,
                     uint8_t out[32]);
/* Takes out what esp_revoked_digests names. */
int esp_rule_revoke(struct call *c, struct esp_rule *rule);
bool esp_rule_add(struct esp_rule *rule, const uint8_t key[32]);
bool esp_rule_has(const struct esp_rule *rule, const uint8_t key[32]);

/* An image and its sector. Refuses what is no whole image of the family. */
struct esp_file {
    const char *path;
    bl_span bytes;
    struct image image;
    struct author_esp_sector sector;
};

int esp_file_read(struct call *c, const char *path, bl_span bytes,
                  struct esp_file *out);
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
