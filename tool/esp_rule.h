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
#ifndef ESP_RULE_H
#define ESP_RULE_H

#include "author/esp_sign.h"

enum { ESP_KEYS = 16 };

/* What a fleet takes. */
struct esp_rule {
    bool hardware;
    bool there;         /* somebody said which keys */
    const char *source; /* who: for people */
    uint32_t n;
    uint8_t key[ESP_KEYS][32];
};

/* False: no room. A key that is there already is not added again. */
bool esp_rule_add(struct esp_rule *rule, const uint8_t key[32]);
bool esp_rule_has(const struct esp_rule *rule, const uint8_t key[32]);

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

#endif
