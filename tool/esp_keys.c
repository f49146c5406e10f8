/* SPDX-License-Identifier: Apache-2.0 */
/* What the project says of its keys, and images with their sectors. */
#include "esp_keys.h"

#include <string.h>

/* --- What the project says -------------------------------------------------
 */

int esp_digest_parse(struct call *c, const char *where, const char *text,
                     uint8_t out[32])
{
    if (hex_decode(text, strlen(text), out, 32) != 0) {
        return refuse(c, EXIT_INPUT,
                      "%s: \"%s\" is no key's digest, 64 hex digits; bowline "
                      "esp digest KEY prints it",
                      where, text);
    }
    return 0;
}

static int load_digests(struct call *c, const char *name, struct esp_rule *out)
{
    const char *text[MANY];
    int n = setting_list(c, name, text);
    uint8_t key[32];
    int code = 0;
    int i;

    for (i = 0; code == 0 && i < n; i++) {
        code = esp_digest_parse(c, name, text[i], key);
        if (code == 0 && !esp_rule_add(out, key)) {
            code = refuse(c, EXIT_INPUT, "%s: more than %d digests", name,
                          ESP_KEYS);
        }
    }
    return code;
}

static void drop_revoked(struct esp_rule *rule, const struct esp_rule *revoked)
{
    uint32_t i = 0;

    while (i < rule->n) {
        if (esp_rule_has(revoked, rule->key[i])) {
            rule->n--;
            memmove(rule->key[i], rule->key[i + 1],
                    (size_t)(rule->n - i) * sizeof rule->key[0]);
        } else {
            i++;
        }
    }
}

int esp_rule_revoke(struct call *c, struct esp_rule *rule)
{
    struct esp_rule revoked = {0};
    int code = load_digests(c, "esp_revoked_digests", &revoked);

    if (code == 0) {
        drop_revoked(rule, &revoked);
    }
    return code;
}

int esp_rule_load(struct call *c, struct esp_rule *out)
{
    const char *mode = setting(c, "esp_secure_boot");
    int code;

    memset(out, 0, sizeof *out);
    if (mode != NULL && strcmp(mode, "on") != 0 && strcmp(mode, "off") != 0) {
        return refuse(c, EXIT_INPUT,
                      "esp_secure_boot \"%s\": say \"on\" when the chips' own "
                      "secure boot is burnt in, or \"off\"",
                      mode);
    }
    out->hardware = mode != NULL && strcmp(mode, "on") == 0;
    out->source = "esp_key_digests of bowline.conf";
    code = load_digests(c, "esp_key_digests", out);
    out->there = out->n > 0;
    return code == 0 ? esp_rule_revoke(c, out) : code;
}

/* --- A file ----------------------------------------------------------------
 */

int esp_file_read(struct call *c, const char *path, bl_span bytes,
                  struct esp_file *out)
{
    memset(out, 0, sizeof *out);
    out->path = path;
    out->bytes = bytes;
    image_read(bytes, &out->image);
    if (out->image.kind == IMAGE_ESP8266) {
        return refuse(c, EXIT_INPUT,
                      "%s is an image for the ESP8266, which has no secure "
                      "boot",
                      path);
    }
    if (out->image.kind != IMAGE_ESP32) {
        return refuse(c, EXIT_INPUT,
                      "%s is no image of the ESP32 family, but: %s", path,
                      out->image.what);
    }
    if (out->image.esp.length == 0) {
        return refuse(c, EXIT_INPUT, "%s: %s, damaged: %s", path,
                      out->image.what, out->image.problem);
    }
    author_esp_read(bytes, out->image.esp.length, &out->sector);
    return 0;
}

bool esp_one_block(const struct image *image)
{
    return image->esp.chip_id == 0;
}
