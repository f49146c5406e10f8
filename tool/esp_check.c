/* SPDX-License-Identifier: Apache-2.0 */
/* Would the fleet take this image? Asked before it is released. */
#include <string.h>

#include "esp_keys.h"
#include "release.h"

struct check {
    struct call *c;
    const char *path;
    struct esp_rule rule;
    bool asks; /* not: learns */
};

/* --- What the release before was signed with --------------------------------
 */

static void learn_image(struct check *k, bl_span bytes, const char *source)
{
    struct author_esp_sector sector;
    struct image image;
    uint32_t i;

    image_read(bytes, &image);
    if (image.kind != IMAGE_ESP32 || image.esp.length == 0) {
        return;
    }
    author_esp_read(bytes, image.esp.length, &sector);
    for (i = 0; i < sector.n; i++) {
        if (sector.block[i].good &&
            esp_rule_add(&k->rule, sector.block[i].public.digest)) {
            k->rule.there = true;
            k->rule.source = source;
            if (!k->rule.hardware || esp_one_block(&image)) {
                return; /* the anchor: the first that holds */
            }
        }
    }
}

/* Calls `each` for every payload of the envelope whose bytes are at hand, as
 * long as it returns 0. */
static int each_payload(struct check *k, const char *path, bl_span envelope,
                        int (*each)(struct check *k, const char *name,
                                    bl_span bytes))
{
    struct bl_suit_envelope e;
    struct bl_suit_manifest m;
    struct bl_suit_fetch fetch;
    uint8_t slot;
    uint32_t i;
    int code = 0;

    if (bl_suit_read(envelope, &e) != BL_OK ||
        bl_suit_scan(&e, NULL, &m) != BL_OK) {
        return 0; /* said elsewhere */
    }
    for (slot = 0; slot < 2; slot++) {
        for (i = 0; code == 0 &&
                    bl_suit_every_payload(&e, &m, slot, i, &fetch) == BL_OK;
             i++) {
            struct buffer file = BUFFER(ESP_FILE_LIMIT);
            const char *name = fetch.integrated.n > 0
                                   ? path
                                   : release_payload(k->c, path, fetch.digest);

            if (fetch.integrated.n > 0) {
                code = each(k, name, fetch.integrated);
            } else if (name != NULL && file_read(name, &file, NULL) == 0) {
                code = each(k, name, buffer_span(&file));
            } else if (k->asks && k->rule.there) {
                note(k->c,
                     "The payload %.12s of %s is not here: its Secure Boot "
                     "signature was not checked.",
                     keep_hex(k->c, fetch.digest, 32), path);
            }
            buffer_free(&file);
        }
    }
    return code;
}

static int learn_payload(struct check *k, const char *name, bl_span bytes)
{
    (void)name;
    learn_image(k, bytes, k->path);
    return 0;
}

static int learn(struct check *k, const uint8_t class_id[16],
                 uint64_t sequence)
{
    struct check before = *k;
    struct release_file last;
    struct buffer file = BUFFER(ENVELOPE_LIMIT);
    int code = releases_before(k->c, class_id, sequence, &last);

    if (code != 0 || last.path == NULL ||
        file_read(last.path, &file, NULL) != 0) {
        return code;
    }
    before.path = last.path;
    before.asks = false;
    code = each_payload(&before, last.path, buffer_span(&file), learn_payload);
    buffer_free(&file);
    k->rule = before.rule;
    return code == 0 ? esp_rule_revoke(k->c, &k->rule) : code;
}

/* --- The image --------------------------------------------------------------
 */

/* Enough of a digest to tell keys apart. */
static const char *short_key(struct check *k, const uint8_t digest[32])
{
    return keep(k->c, "%s...", keep_hex(k->c, digest, 8));
}

/* What is wrong with a sector whatever the fleet runs. */
static int refuse_damaged(struct check *k, const char *name,
                          const struct author_esp_sector *sector)
{
    uint32_t i = 0;

    while (i < sector->n && sector->block[i].good) {
        i++;
    }
    return i < sector->n
               ? refuse(k->c, EXIT_INPUT,
                        "%s: block %u of its signature does not hold: %s; "
                        "sign the unsigned image anew (bowline esp sign)",
                        name, i + 1, sector->block[i].problem)
               : refuse(k->c, EXIT_INPUT,
                        "%s: its signature does not hold: %s; sign the "
                        "unsigned image anew (bowline esp sign)",
                        name, sector->problem);
}

static int refuse_not_first(struct check *k, const char *name,
                            const struct author_esp_sector *sector,
                            uint32_t block)
{
    return refuse(
        k->c, EXIT_INPUT,
        "%s: the key that the fleet runs (by %s) signed block %u, but "
        "only the first one counts, and that is by %s; sign with the fleet's "
        "key first",
        name, k->rule.source, block + 1,
        short_key(k, sector->block[0].public.digest));
}

static int refuse_other(struct check *k, const char *name,
                        const struct author_esp_sector *sector)
{
    const char *key = short_key(k, sector->block[0].public.digest);

    if (k->rule.hardware) {
        return refuse(k->c, EXIT_INPUT,
                      "%s: it is signed by %s; no key that the fleet's chips "
                      "take (by %s) signed it, so none would start it",
                      name, key, k->rule.source);
    }
    return refuse(
        k->c, EXIT_INPUT,
        "%s: it is signed by %s; the fleet runs %s (by %s). Without hardware "
        "secure boot no update can change the key: every device would refuse "
        "it. If the chips' own secure boot is on, say so in bowline.conf: "
        "esp_secure_boot",
        name, key,
        k->rule.n == 0 ? "no key that counts" : short_key(k, k->rule.key[0]),
        k->rule.source);
}

static int check_payload(struct check *k, const char *name, bl_span bytes)
{
    struct author_esp_sector sector;
    struct image image;
    uint32_t block = 0;

    image_read(bytes, &image);
    if (image.kind != IMAGE_ESP32 || image.esp.length == 0) {
        return 0;
    }
    author_esp_read(bytes, image.esp.length, &sector);
    if (sector.there && !author_esp_is_good(&sector)) {
        return refuse_damaged(k, name, &sector);
    }
    if (!k->rule.there) {
        return 0;
    }
    switch (esp_judge(&sector, &k->rule, esp_one_block(&image), &block)) {
    case ESP_TAKEN:
        break;
    case ESP_UNSIGNED:
        return refuse(
            k->c, EXIT_INPUT,
            "%s is not signed, but the fleet runs signed images (by "
            "%s) and would refuse it: bowline esp sign %s --key FILE",
            name, k->rule.source, name);
    case ESP_DAMAGED:
        return refuse_damaged(k, name, &sector);
    case ESP_OTHER_KEY:
        return refuse_other(k, name, &sector);
    case ESP_NOT_FIRST:
        return refuse_not_first(k, name, &sector, block);
    }
    return 0;
}

static int load_rule(struct check *k, const uint8_t class_id[16],
                     uint64_t sequence)
{
    int code = esp_rule_load(k->c, &k->rule);

    return code == 0 && !k->rule.there ? learn(k, class_id, sequence) : code;
}

int esp_check_image(struct call *c, const char *path, bl_span bytes,
                    const uint8_t class_id[16], uint64_t sequence)
{
    struct check k = {c, path, {0}, true};
    struct image image;
    int code = load_rule(&k, class_id, sequence);

    image_read(bytes, &image);
    if (code == 0 && k.rule.there && image.kind != IMAGE_ESP32) {
        note(c,
             "%s is no image of the ESP32 family: no Secure Boot signature "
             "was looked for.",
             path);
    }
    return code == 0 ? check_payload(&k, path, bytes) : code;
}

int esp_check_release(struct call *c, const char *path, bl_span envelope)
{
    struct check k = {c, path, {0}, true};
    struct bl_suit_envelope e;
    struct bl_suit_manifest m;
    const uint8_t *vendor;
    const uint8_t *class_id;
    int code;

    if (bl_suit_read(envelope, &e) != BL_OK ||
        bl_suit_scan(&e, NULL, &m) != BL_OK ||
        bl_suit_identity(&m, &vendor, &class_id) != BL_OK) {
        return 0; /* said elsewhere */
    }
    code = load_rule(&k, class_id, m.sequence);
    return code == 0 ? each_payload(&k, path, envelope, check_payload) : code;
}
