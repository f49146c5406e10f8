/* SPDX-License-Identifier: Apache-2.0 */
/* The device API, docs/PROTOCOL.md: manifests and payloads. Polls are in
 * device_poll.c. */
#include "delta_keeper.h"
#include "device_delta.h"
#include "device_reply.h"
#include "router.h"

#include "host/file.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

/* One, and one that has broken and is not yet known to have. */
enum { DOWNLOADS_EACH = 2 };

static uint32_t product_of(struct server *s, const uint8_t *device_id)
{
    struct device *d = devices_lock(s->devices, device_id);
    uint32_t product;

    if (d == NULL) {
        return 0;
    }
    product = d->product;
    devices_unlock(s->devices, d);
    return product;
}

void device_manifest(struct server *s, struct http_request *rq)
{
    uint32_t product = product_of(s, rq->device_id);
    const struct release *r = NULL;
    uint8_t digest[32];
    char etag[70];

    if (hex_decode(rq->param[0], strlen(rq->param[0]), digest, 32) != 0) {
        http_reply_line(rq, 404, "not a digest of 64 hex digits");
        return;
    }
    pthread_rwlock_rdlock(&s->catalog.lock);
    r = catalog_release(&s->catalog, digest);
    pthread_rwlock_unlock(&s->catalog.lock);
    if (r == NULL || r->product->number != product) {
        http_reply_line(rq, 404, "no such manifest");
        return;
    }
    http_reply(rq, 200, "application/suit-envelope+cose", r->envelope);
    snprintf(etag, sizeof etag, "\"%.64s\"", rq->param[0]);
    http_reply_header(rq, "ETag", etag);
}

enum range { RANGE_NONE, RANGE_PART, RANGE_BEYOND };

/* "bytes=N-" only; anything else is ignored, as RFC 9110 section 14.2 lets
 * one. A validator that is not ours means: the whole. */
static enum range read_range(const struct http_request *rq, const char *etag,
                             uint64_t size, uint64_t *from)
{
    const char *range = http_header(rq, "Range");
    const char *validator = http_header(rq, "If-Range");
    uint64_t v = 0;
    const char *p;

    if (range == NULL || strncmp(range, "bytes=", 6) != 0 ||
        (validator != NULL && strcmp(validator, etag) != 0)) {
        return RANGE_NONE;
    }
    for (p = range + 6; *p >= '0' && *p <= '9' && p < range + 24; p++) {
        v = v * 10 + (uint64_t)(*p - '0');
    }
    if (p == range + 6 || strcmp(p, "-") != 0) {
        return RANGE_NONE;
    }
    *from = v;
    return v >= size ? RANGE_BEYOND : RANGE_PART;
}

/* What a device fetches. */
struct sending {
    bool patch;
    uint8_t sha256[32];
    int fd;
    uint64_t size;
};

/* Whose offer is it that the device fetches? Counted before it can say what
 * came of it; what does not come is taken back at the end. */
static void count_bytes(struct server *s, struct http_request *rq,
                        const struct sending *what, uint64_t from)
{
    uint64_t sent = what->size - from;
    struct rollout *r = NULL;
    struct device *d;

    pthread_rwlock_rdlock(&s->catalog.lock);
    d = devices_lock(s->devices, rq->device_id);
    if (d != NULL) {
        r = d->s.offer % 2 == 1 ? NULL
                                : catalog_rollout(&s->catalog, d->s.offer / 2);
        if (what->patch) {
            device_delta_sent(s, d, what->sha256, sent);
        } else {
            device_payload_sent(s, d, what->sha256);
        }
        devices_unlock(s->devices, d);
    }
    rq->from = from;
    rq->rollout = r == NULL ? 0 : r->id;
    if (r != NULL) {
        atomic_fetch_add(&r->sent, sent);
        atomic_fetch_add(&r->saved, from);
    }
    pthread_rwlock_unlock(&s->catalog.lock);
}

/* The connection broke. */
static void take_back(struct server *s, const struct http_request *rq,
                      uint64_t missing, bool nothing)
{
    struct rollout *r;
    struct device *d;
    uint8_t sha256[32];

    pthread_rwlock_rdlock(&s->catalog.lock);
    r = rq->rollout == 0 ? NULL : catalog_rollout(&s->catalog, rq->rollout);
    if (r != NULL) {
        atomic_fetch_sub(&r->sent, missing);
        atomic_fetch_sub(&r->saved, nothing ? rq->from : 0);
    }
    d = devices_lock(s->devices, rq->device_id);
    if (d != NULL) {
        if (hex_decode(rq->param[0], 64, sha256, 32) == 0) {
            device_delta_missing(s, d, sha256, missing);
        }
        devices_unlock(s->devices, d);
    }
    pthread_rwlock_unlock(&s->catalog.lock);
}

static void end_sending(struct server *s, const struct http_request *rq,
                        uint64_t asked)
{
    uint64_t missing = http_missing(rq);

    atomic_fetch_add(&s->metrics.download_bytes, asked - missing);
    if (missing > 0) {
        take_back(s, rq, missing, missing == asked);
    }
}

static void send_payload(struct server *s, struct http_request *rq,
                         const struct sending *what)
{
    uint64_t size = what->size;
    int fd = what->fd;
    char etag[70];
    char text[96];
    uint64_t from = 0;
    enum range range;

    snprintf(etag, sizeof etag, "\"%.64s\"", rq->param[0]);
    range = read_range(rq, etag, size, &from);
    if (range == RANGE_BEYOND) {
        close(fd);
        http_reply_line(rq, 416, "the range begins behind the end");
        snprintf(text, sizeof text, "bytes */%" PRIu64, size);
        http_reply_header(rq, "Content-Range", text);
        return;
    }
    rq->sends = size - from;
    http_reply_file(rq, range == RANGE_PART ? 206 : 200,
                    "application/octet-stream", fd, from, size - from);
    if (range == RANGE_PART) {
        snprintf(text, sizeof text, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64,
                 from, size - 1, size);
        http_reply_header(rq, "Content-Range", text);
    }
    http_reply_header(rq, "ETag", etag);
    http_reply_header(rq, "Accept-Ranges", "bytes");
    http_reply_header(rq, "Cache-Control", "private, immutable");
    atomic_fetch_add(&s->metrics.downloads, 1);
    count_bytes(s, rq, what, from);
}

static bool take_own_slot(struct server *s, const uint8_t *device_id)
{
    struct device *d = devices_lock(s->devices, device_id);
    bool free = d != NULL && d->downloads < DOWNLOADS_EACH;

    if (d == NULL) {
        return false;
    }
    d->downloads += free;
    devices_unlock(s->devices, d);
    return free;
}

static void leave_own_slot(struct server *s, const uint8_t *device_id)
{
    struct device *d = devices_lock(s->devices, device_id);

    if (d == NULL) {
        return;
    }
    if (d->downloads > 0) { /* registered anew since: it has none */
        d->downloads--;
    }
    devices_unlock(s->devices, d);
}

/* NULL, or who has too many. */
static const char *take_slot(struct server *s, struct http_request *rq)
{
    int64_t open = atomic_fetch_add(&s->metrics.downloads_open, 1);
    const char *problem = NULL;

    if (open >= s->config.max_downloads) {
        problem = "too many downloads at once";
    } else if (!take_own_slot(s, rq->device_id)) {
        problem = "this device has as many downloads open as it may";
    }
    rq->counted = problem == NULL;
    if (problem != NULL) {
        atomic_fetch_sub(&s->metrics.downloads_open, 1);
        atomic_fetch_add(&s->metrics.downloads_busy, 1);
    }
    return problem;
}

void device_payload_end(struct server *s, struct http_request *rq)
{
    if (rq->counted) {
        rq->counted = false;
        if (rq->sends > 0) {
            end_sending(s, rq, rq->sends);
        }
        atomic_fetch_sub(&s->metrics.downloads_open, 1);
        leave_own_slot(s, rq->device_id);
    }
}

static bool is_for(struct server *s, const uint8_t *device_id,
                   const uint8_t sha256[32])
{
    uint32_t product = product_of(s, device_id);
    bool found;

    pthread_rwlock_rdlock(&s->catalog.lock);
    found = product != 0 && catalog_has_payload(&s->catalog, product, sha256);
    pthread_rwlock_unlock(&s->catalog.lock);
    return found;
}

/* A patch is for whoever it leads from and to a payload of his product. */
static bool patch_is_for(struct server *s, const uint8_t *device_id,
                         const uint8_t sha256[32])
{
    uint8_t base[32];
    uint8_t target[32];

    return settings_deltas(s) &&
           deltas_patch(&s->deltas, sha256, base, target) &&
           is_for(s, device_id, target) && is_for(s, device_id, base);
}

static void send_blob(struct server *s, struct http_request *rq,
                      const struct blobs *blobs, struct sending *what)
{
    const char *what_text = what->patch ? "no such delta" : "no such payload";
    struct error err = {BL_OK, 0, ""};
    const char *problem;

    /* The ETag is the path's text: one spelling of it. */
    hex_encode(what->sha256, 32, rq->param[0]);
    problem = take_slot(s, rq);
    if (problem != NULL) {
        say_later(rq, 429, problem);
        return;
    }
    what->fd = blob_open(blobs, what->sha256, &what->size, &err);
    if (what->fd < 0) {
        if (what->patch) {
            delta_sound(s, what->sha256, -1);
        }
        http_reply_line(rq, 404, what_text);
        return;
    }
    if (what->patch && !delta_sound(s, what->sha256, what->fd)) {
        close(what->fd);
        http_reply_line(rq, 404, what_text);
        return;
    }
    send_payload(s, rq, what);
}

static int read_digest(struct http_request *rq, uint8_t sha256[32])
{
    if (hex_decode(rq->param[0], strlen(rq->param[0]), sha256, 32) != 0) {
        http_reply_line(rq, 404, "not a digest of 64 hex digits");
        return -1;
    }
    return 0;
}

void device_payload(struct server *s, struct http_request *rq)
{
    struct sending what = {.patch = false};

    if (read_digest(rq, what.sha256) != 0) {
        return;
    }
    if (!is_for(s, rq->device_id, what.sha256)) {
        http_reply_line(rq, 404, "no such payload");
        return;
    }
    send_blob(s, rq, &s->blobs, &what);
}

void device_patch(struct server *s, struct http_request *rq)
{
    struct sending what = {.patch = true};

    if (read_digest(rq, what.sha256) != 0) {
        return;
    }
    if (!patch_is_for(s, rq->device_id, what.sha256)) {
        http_reply_line(rq, 404, "no such delta");
        return;
    }
    send_blob(s, rq, &s->patches, &what);
}
