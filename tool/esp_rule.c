/* SPDX-License-Identifier: Apache-2.0 */
/* The rule of a fleet: whose signature on an image counts, and where. */
#include "esp_rule.h"

#include <string.h>

bool esp_rule_has(const struct esp_rule *rule, const uint8_t key[32])
{
    uint32_t i;

    for (i = 0; i < rule->n; i++) {
        if (memcmp(rule->key[i], key, 32) == 0) {
            return true;
        }
    }
    return false;
}

bool esp_rule_add(struct esp_rule *rule, const uint8_t key[32])
{
    if (esp_rule_has(rule, key)) {
        return true;
    }
    if (rule->n == ESP_KEYS) {
        return false;
    }
    memcpy(rule->key[rule->n++], key, 32);
    return true;
}

/* The first good block by one of the keys, below `n`; else `n`. */
static uint32_t find(const struct author_esp_sector *sector,
                     const struct esp_rule *rule, uint32_t n)
{
    uint32_t i;

    for (i = 0; i < n; i++) {
        if (sector->block[i].good &&
            esp_rule_has(rule, sector->block[i].public.digest)) {
            break;
        }
    }
    return i;
}

static bool any_good(const struct author_esp_sector *sector, uint32_t n)
{
    uint32_t i;

    for (i = 0; i < n; i++) {
        if (sector->block[i].good) {
            return true;
        }
    }
    return false;
}

enum esp_verdict esp_judge(const struct author_esp_sector *sector,
                           const struct esp_rule *rule, bool one_block,
                           uint32_t *block)
{
    uint32_t n = sector->n;

    if (!sector->there || n == 0) {
        return sector->there ? ESP_DAMAGED : ESP_UNSIGNED;
    }
    if (!rule->hardware || one_block) {
        n = 1;
    }
    *block = find(sector, rule, n);
    if (*block < n) {
        return ESP_TAKEN;
    }
    *block = 0;
    if (!any_good(sector, n)) {
        return ESP_DAMAGED;
    }
    n = find(sector, rule, sector->n);
    if (n == sector->n) {
        return ESP_OTHER_KEY;
    }
    *block = n;
    return ESP_NOT_FIRST;
}
