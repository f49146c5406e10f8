/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client without a manifest wants to know of a payload: its MD5
 * (httpUpdate's x-MD5: it finds a broken transfer, it proves nothing), and
 * for which of Espressif's chips it is. Found by reading the blob once; kept
 * in memory.
 */
#ifndef SERVER_IMAGE_FACTS_H
#define SERVER_IMAGE_FACTS_H

#include "blob.h"

#include "bowline/esp_image.h"

#include <pthread.h>

enum { IMAGE_MAX = 32 << 20, IMAGES_KEPT = 1024 };

struct image_facts {
    uint8_t sha256[32]; /* of the payload: its name */
    uint64_t size;
    uint8_t md5[16];
    uint8_t image_md5[16]; /* without what follows the image, a signature */
    enum bl_esp_family family; /* BL_ESP_NO_IMAGE: none of Espressif's */
    uint32_t chip_id;
    bool gzip;          /* which ESP8266 cores unpack by themselves */
    uint8_t digest[32]; /* that the image ends with: how a device names what
                           it runs */
    bool has_digest;
};

struct image_cache {
    pthread_mutex_t lock;
    uint32_t n;
    uint32_t next; /* that is given up next, once all are taken */
    struct image_facts at[IMAGES_KEPT];
};

void image_cache_init(struct image_cache *cache);
/* -1 with err->code ENOENT: there is no such payload; with EFBIG: it has more
 * than IMAGE_MAX bytes. */
int image_facts(struct image_cache *cache, const struct blobs *blobs,
                const uint8_t sha256[32], struct image_facts *out,
                struct error *err);
/* Was it read already? */
bool image_known(struct image_cache *cache, const uint8_t sha256[32]);

#endif
