/* SPDX-License-Identifier: Apache-2.0 */
#include "image_facts.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void image_cache_init(struct image_cache *cache)
{
    pthread_mutex_init(&cache->lock, NULL);
    cache->n = 0;
    cache->next = 0;
}

static int read_whole(int fd, uint8_t *out, size_t n)
{
    size_t done = 0;

    while (done < n) {
        ssize_t got = pread(fd, out + done, n - done, (off_t)done);

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return -1;
        }
        done += (size_t)got;
    }
    return 0;
}

static int md5(bl_span bytes, uint8_t out[16])
{
    unsigned n = 16;

    return EVP_Digest(bytes.p, bytes.n, out, &n, EVP_md5(), NULL) == 1 ? 0
                                                                       : -1;
}

static int look(bl_span file, struct image_facts *out)
{
    struct bl_esp_image image;
    size_t n;

    bl_esp_image_read_span(file, &image);
    out->family = image.family;
    out->gzip = file.n > 2 && file.p[0] == 0x1F && file.p[1] == 0x8B;
    out->chip_id = image.chip_id;
    out->has_digest = image.family == BL_ESP_ESP32 && image.hash_appended &&
                      image.length >= 32 && image.length <= file.n;
    if (out->has_digest) {
        memcpy(out->digest, file.p + image.length - 32, 32);
    }
    n = image.family != BL_ESP_NO_IMAGE && image.length > 0 &&
                image.length < file.n
            ? image.length
            : file.n;
    return md5(file, out->md5) == 0 &&
                   md5(bl_span_of(file.p, n), out->image_md5) == 0
               ? 0
               : -1;
}

static int read_facts(int fd, struct image_facts *out, struct error *err)
{
    uint8_t *bytes;
    int result = -1;

    if (out->size > IMAGE_MAX) {
        error_set(err, "the image has more than %d MB", IMAGE_MAX >> 20);
        err->code = EFBIG;
        return -1;
    }
    bytes = malloc(out->size + 1);
    if (bytes == NULL || read_whole(fd, bytes, out->size) != 0) {
        error_set(err, "the payload cannot be read");
    } else if (look(bl_span_of(bytes, out->size), out) != 0) {
        error_set(err, "no MD5 is to be had from OpenSSL");
    } else {
        result = 0;
    }
    free(bytes);
    return result;
}

static int make(const struct blobs *blobs, const uint8_t sha256[32],
                struct image_facts *out, struct error *err)
{
    int fd;
    int result;

    memset(out, 0, sizeof *out);
    memcpy(out->sha256, sha256, 32);
    fd = blob_open(blobs, sha256, &out->size, err);
    if (fd < 0) {
        return -1;
    }
    result = read_facts(fd, out, err);
    close(fd);
    return result;
}

static const struct image_facts *find(const struct image_cache *cache,
                                      const uint8_t sha256[32])
{
    for (uint32_t i = 0; i < cache->n; i++) {
        if (memcmp(cache->at[i].sha256, sha256, 32) == 0) {
            return &cache->at[i];
        }
    }
    return NULL;
}

/* The lock is held while a file is read: of many who ask for a new release at
 * once, one reads it. */
int image_facts(struct image_cache *cache, const struct blobs *blobs,
                const uint8_t sha256[32], struct image_facts *out,
                struct error *err)
{
    const struct image_facts *known;
    int result = 0;

    pthread_mutex_lock(&cache->lock);
    known = find(cache, sha256);
    if (known != NULL) {
        *out = *known;
    } else {
        result = make(blobs, sha256, out, err);
    }
    if (known == NULL && result == 0) {
        cache->at[cache->next] = *out;
        cache->next = (cache->next + 1) % IMAGES_KEPT;
        cache->n += cache->n < IMAGES_KEPT;
    }
    pthread_mutex_unlock(&cache->lock);
    return result;
}

bool image_known(struct image_cache *cache, const uint8_t sha256[32])
{
    bool known;

    pthread_mutex_lock(&cache->lock);
    known = find(cache, sha256) != NULL;
    pthread_mutex_unlock(&cache->lock);
    return known;
}
