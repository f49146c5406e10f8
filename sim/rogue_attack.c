/* SPDX-License-Identifier: Apache-2.0 */
/* What the attacker has to offer. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "host/file.h"
#include "rogue.h"

enum { ENVELOPE_LIMIT = 1 << 20, PAYLOAD_LIMIT = 64 << 20, AHEAD = 1000 };

static const struct {
    const char *name;
    const char *meaning;
} attacks[ROGUE_ATTACKS] = {
    {"flip", "a genuine release, one bit of its payload flipped"},
    {"key", "a manifest signed by the attacker's own key"},
    {"product", "a genuine manifest, of another product"},
    {"old", "an old genuine release, replayed"},
    {"stale", "a ticket that was recorded earlier"},
};

const char *rogue_attack_name(enum rogue_attack attack)
{
    return attacks[attack].name;
}

const char *rogue_attack_meaning(enum rogue_attack attack)
{
    return attacks[attack].meaning;
}

static int read_files(struct rogue_offer *offer, const char *envelope,
                      const char *payload, struct error *err)
{
    if (file_read(envelope, &offer->envelope, err) != 0 ||
        (payload != NULL && file_read(payload, &offer->payload, err) != 0)) {
        return -1;
    }
    bl_sha256(offer->payload.p, offer->payload.n, offer->sha256);
    return 0;
}

static int name_manifest(struct rogue_offer *offer, struct error *err)
{
    struct bl_suit_envelope suit;
    struct bl_suit_manifest manifest;
    const uint8_t *vendor = NULL;
    const uint8_t *class = NULL;
    bl_status status = bl_suit_read(buffer_span(&offer->envelope), &suit);

    if (status == BL_OK) {
        status = bl_suit_scan(&suit, NULL, &manifest);
    }
    if (status == BL_OK) {
        status = bl_suit_identity(&manifest, &vendor, &class);
    }
    if (status != BL_OK) {
        return error_status(err, status, "the envelope");
    }
    memcpy(offer->manifest, suit.digest, 32);
    memcpy(offer->class_id, class, BL_ID_SIZE);
    offer->ready = true;
    return 0;
}

/* The key of somebody who is nobody; its file does not outlive this. */
static struct author_key *own_key(struct error *err)
{
    char dir[FILE_TEMP];
    char path[FILE_TEMP + 16];
    struct author_key *key = NULL;

    if (file_temp_folder("rogue", dir, err) != 0) {
        return NULL;
    }
    (void)snprintf(path, sizeof path, "%s/key.pem", dir);
    if (author_key_create(path, "esp256", err) == 0) {
        key = author_key_open(path, err);
    }
    (void)unlink(path);
    (void)rmdir(dir);
    return key;
}

/* The same product, a higher sequence number, everything right but the key. */
static int forge(struct rogue_offer *offer, struct error *err)
{
    struct author_image image = {.component = "app",
                                 .size = (uint32_t)offer->payload.n};
    struct author_manifest forged = {
        .version = "6.6.6", .image = &image, .n_images = 1};
    struct bl_suit_envelope suit;
    struct bl_suit_manifest manifest;
    const uint8_t *vendor = NULL;
    const uint8_t *class = NULL;
    struct author_key *key;
    int result;

    if (bl_suit_read(buffer_span(&offer->envelope), &suit) != BL_OK ||
        bl_suit_scan(&suit, NULL, &manifest) != BL_OK ||
        bl_suit_identity(&manifest, &vendor, &class) != BL_OK) {
        return error_set(err, "the envelope to imitate cannot be read");
    }
    memcpy(image.sha256, offer->sha256, 32);
    memcpy(forged.vendor_id, vendor, 16);
    memcpy(forged.class_id, class, 16);
    forged.sequence = manifest.sequence + AHEAD;
    key = own_key(err);
    if (key == NULL) {
        return -1;
    }
    buffer_clear(&offer->envelope);
    result = author_envelope(&forged, &key, 1, &offer->envelope, err);
    author_key_free(key);
    return result;
}

int rogue_offer_make(struct rogue_offer *offer, enum rogue_attack attack,
                     const char *envelope, const char *payload,
                     struct error *err)
{
    offer->envelope = (struct buffer)BUFFER(ENVELOPE_LIMIT);
    offer->payload = (struct buffer)BUFFER(PAYLOAD_LIMIT);
    if (read_files(offer, envelope, payload, err) != 0) {
        return error_prefix(err, "%s", attacks[attack].name);
    }
    if (attack == ROGUE_KEY && forge(offer, err) != 0) {
        return -1;
    }
    if (attack == ROGUE_FLIP && offer->payload.n > 0) {
        offer->payload.p[offer->payload.n / 2] ^= 1;
    }
    return name_manifest(offer, err);
}

void rogue_offer_free(struct rogue_offer *offer)
{
    buffer_free(&offer->envelope);
    buffer_free(&offer->payload);
}
