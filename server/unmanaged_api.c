/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET and HEAD /p/PRODUCT/CHANNEL/firmware.bin: the image for clients that
 * are not ours, docs/PROTOCOL.md "Unmanaged clients". Off, for each product,
 * until an admin says otherwise.
 */
#include "access.h"
#include "api.h"
#include "clock.h"
#include "device_reply.h"
#include "pace.h"
#include "range.h"
#include "router.h"
#include "unmanaged_decide.h"

#include "host/file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Ranges of 4 KB of an image of 4 MB are a thousand requests, and one more a
 * second is what nobody needs. */
static const struct throttle_rule each_client = {'u', 2400, 1};
/* Names that were never heard of, and requests without one, by address: a
 * site behind one address may start 2000 devices at once. */
static const struct throttle_rule each_address = {'v', 2000, 1};

struct work {
    struct ask ask;
    struct unmanaged client;
    struct give give;
    struct image_facts image;
    const struct product *product;
    bool named;
    bool head;
    struct range range;
    enum range_kind kind;
    char etag[70];
};

/* --- Answers --------------------------------------------------------------
 */

static void note(struct work *w, int status, const char *why)
{
    w->client.status = (uint16_t)status;
    snprintf(w->client.why, sizeof w->client.why, "%s", why);
}

static void refuse(struct http_request *rq, struct work *w, int status,
                   const char *text)
{
    note(w, status, text);
    http_reply_line(rq, status, text);
}

static void nothing_new(struct http_request *rq, struct work *w,
                        const char *why)
{
    char after[12];

    note(w, 304, why);
    http_reply(rq, 304, NULL, bl_span_of(NULL, 0));
    http_reply_header(rq, "X-Bowline-Why", why);
    http_reply_header(rq, "Cache-Control", "no-store");
    if (w->give.wait_s > 0) {
        snprintf(after, sizeof after, "%" PRIu32, w->give.wait_s);
        http_reply_header(rq, "Retry-After", after);
    }
}

/* The same for a product that is not there and one that is closed: nobody
 * learns here which there are. */
static void no_such_address(struct http_request *rq)
{
    http_reply_line(
        rq, 404,
        "nothing is served at this address: /p/PRODUCT/CHANNEL/firmware.bin "
        "needs the name of a product that is open to clients of this kind. "
        "Look at: bowline product show NAME; open it with: bowline product "
        "set NAME --unmanaged on");
}

/* --- May it ask now? -------------------------------------------------------
 */

static bool limited(struct server *s, struct http_request *rq,
                    const struct work *w)
{
    const struct throttle_rule *rule = &each_address;
    char key[64];
    uint32_t wait_s;

    if (w->named &&
        unmanaged_known(s->unmanaged, w->product->number, w->ask.id)) {
        rule = &each_client;
        hex_encode(w->ask.id, 16, key);
    } else {
        access_address(s, rq, key);
    }
    wait_s = throttle_take(&s->unmanaged_tries, rule, key, rq->began_us);
    if (wait_s > 0) {
        atomic_fetch_add(&s->metrics.polls_refused, 1);
        say_in(rq, 429, wait_s, "too many requests; come again later");
    }
    return wait_s > 0;
}

/* Its id is that of a device with a token or certificate of ours. */
static bool is_registered(struct server *s, const struct work *w)
{
    struct device *d =
        w->ask.certified ? devices_lock(s->devices, w->ask.id) : NULL;

    if (d != NULL) {
        devices_unlock(s->devices, d);
    }
    return d != NULL;
}

/* --- Is the image for it? ---------------------------------------------------
 */

static const char *chip_name(uint32_t id)
{
    const struct bl_esp_chip *chip = bl_esp_chip(id);

    return chip == NULL ? "a chip that is not known" : chip->name;
}

static bool is_esp(const struct ask *a)
{
    return a->client != ASK_OTHER || a->chip[0] != '\0';
}

/* What the client's own library says that it is. */
static bool family_differs(const struct ask *a, const struct image_facts *i)
{
    bool old = i->family == BL_ESP_ESP8266 || i->family == BL_ESP_ESP8266_V2;

    return (a->client == ASK_ESP8266 && !old) ||
           ((a->client == ASK_ESP32 || a->client == ASK_IDF) && old);
}

/* "" when the image fits. */
static void misfit(const struct ask *a, const struct image_facts *i,
                   const char *version, char *out, size_t size)
{
    const struct bl_esp_chip *chip =
        a->chip[0] == '\0' ? NULL : bl_esp_chip_named(a->chip);

    out[0] = '\0';
    if (a->client == ASK_ESP8266 && i->gzip) {
        return;
    }
    if (is_esp(a) && i->family == BL_ESP_NO_IMAGE) {
        snprintf(out, size, "%.40s is no image for an ESP chip", version);
    } else if (a->chip[0] != '\0' && chip == NULL) {
        snprintf(out, size, "%s is no chip that is known", a->chip);
    } else if (family_differs(a, i) ||
               (chip != NULL && chip->id != i->chip_id)) {
        snprintf(out, size, "%.40s is for %s, and this device is %s", version,
                 chip_name(i->chip_id),
                 chip != NULL               ? chip->name
                 : a->client == ASK_ESP8266 ? "an ESP8266"
                                            : "of the ESP32 family");
    } else if (a->free_space > 0 && a->free_space < i->size) {
        snprintf(out, size,
                 "%.40s has %" PRIu64 " bytes, and this device has room for "
                 "%" PRIu64,
                 version, i->size, a->free_space);
    }
}

/* --- The image --------------------------------------------------------------
 */

/* Half of the places are never for who may have invented himself. */
static bool all_taken(struct server *s, int64_t open, int64_t unmanaged)
{
    int64_t most = s->config.max_downloads;

    return open >= most || unmanaged >= (most + 1) / 2;
}

static bool take_place(struct server *s, struct http_request *rq,
                       const struct work *w)
{
    int64_t open = atomic_fetch_add(&s->metrics.downloads_open, 1);
    int64_t unmanaged = atomic_fetch_add(&s->metrics.unmanaged_open, 1);
    const char *problem = NULL;

    if (all_taken(s, open, unmanaged)) {
        problem = "too many downloads at once";
    } else if (w->named &&
               !unmanaged_begin(s->unmanaged, w->product->number, w->ask.id)) {
        problem = "this device has as many downloads open as it may";
    }
    if (problem != NULL) {
        atomic_fetch_sub(&s->metrics.downloads_open, 1);
        atomic_fetch_sub(&s->metrics.unmanaged_open, 1);
        atomic_fetch_add(&s->metrics.downloads_busy, 1);
        say_later(rq, 429, problem);
        return false;
    }
    rq->product = w->product->number;
    memcpy(rq->device_id, w->ask.id, 16);
    return true;
}

static void count_sent(struct http_request *rq, struct work *w)
{
    struct rollout *r = w->give.rollout;

    rq->rollout = r->id;
    rq->from = w->range.from;
    rq->sends = w->range.n;
    atomic_fetch_add(&r->sent, rq->sends);
    atomic_fetch_add(&r->unmanaged_open, 1);
}

static void put_headers(struct http_request *rq, const struct work *w)
{
    char text[96];

    if (w->kind == RANGE_PART) {
        snprintf(text, sizeof text, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64,
                 w->range.from, w->range.from + w->range.n - 1, w->image.size);
        http_reply_header(rq, "Content-Range", text);
    } else {
        hex_encode(w->image.md5, 16, text);
        http_reply_header(rq, "x-MD5", text);
    }
    http_reply_header(rq, "ETag", w->etag);
    http_reply_header(rq, "Accept-Ranges", "bytes");
    http_reply_header(rq, "Cache-Control", "no-store");
    http_reply_header(rq, "X-Bowline-Version", w->give.release->version);
}

static void beyond(struct http_request *rq, struct work *w)
{
    char text[48];

    refuse(rq, w, 416, "the range begins behind the end");
    snprintf(text, sizeof text, "bytes */%" PRIu64, w->image.size);
    http_reply_header(rq, "Content-Range", text);
}

static void note_sent(struct work *w)
{
    struct unmanaged *u = &w->client;
    bool anew = w->range.from == 0 || u->got != w->give.release->number;

    note(w, w->kind == RANGE_PART ? 206 : 200, w->give.why);
    if (u->got != w->give.release->number ||
        u->offer != w->give.rollout->id * 2) {
        u->tries = 0;
    } else if (anew && u->got_bytes >= w->image.size) {
        u->tries++;
    }
    u->restart = anew;
    u->got = w->give.release->number;
    u->offer = w->head ? u->offer : w->give.rollout->id * 2;
    u->got_at = anew ? u->last_seen : u->got_at;
}

static void send_image(struct server *s, struct http_request *rq,
                       struct work *w)
{
    struct error err;
    uint64_t size;
    int fd;

    if (!w->head && !take_place(s, rq, w)) {
        note(w, 429, "too many downloads");
        return;
    }
    fd = blob_open(&s->blobs, w->image.sha256, &size, &err);
    if (fd < 0) {
        refuse(rq, w, 503, "the image cannot be read; come again later");
        return;
    }
    http_reply_file(rq, w->kind == RANGE_PART ? 206 : 200,
                    "application/octet-stream", fd, w->range.from, w->range.n);
    put_headers(rq, w);
    note_sent(w);
    if (!w->head) {
        atomic_fetch_add(&s->metrics.downloads, 1);
        count_sent(rq, w);
    }
}

/* Ranges of one image are not mixed with those of another: who goes on gets
 * the new one whole, who takes it in pieces must begin anew. */
static bool is_another(struct http_request *rq, struct work *w)
{
    const struct unmanaged *u = &w->client;

    if (w->range.from == 0 || u->number == 0 || u->got == 0 ||
        u->got == w->give.release->number) {
        return false;
    }
    if (w->range.open) {
        w->kind = RANGE_WHOLE;
        w->range = (struct range){0, w->image.size, false};
        return false;
    }
    refuse(rq, w, 409,
           "another release is to be sent since this download began: begin "
           "anew");
    return true;
}

static void read_wish(struct http_request *rq, struct work *w)
{
    const char *validator = http_header(rq, "If-Range");
    const char *range = http_header(rq, "Range");
    char hex[65];

    hex_encode(w->image.sha256, 32, hex);
    snprintf(w->etag, sizeof w->etag, "\"%s\"", hex);
    if (validator != NULL && strcmp(validator, w->etag) != 0) {
        range = NULL;
    }
    w->kind = range_read(range, w->image.size, &w->range);
}

static bool has_it(const struct http_request *rq, const struct work *w)
{
    const char *known = http_header(rq, "If-None-Match");

    return known != NULL && strstr(known, w->etag) != NULL;
}

static int find_image(struct server *s, struct http_request *rq,
                      struct work *w)
{
    const struct release *r = w->give.release;
    struct error err = {BL_OK, 0, ""};
    char text[UNMANAGED_WHY];

    if (memcmp(r->digests.image[0], r->digests.image[1], 32) != 0) {
        refuse(rq, w, 409,
               "the release has an image for each slot, and clients of this "
               "kind do not say which they need");
        return -1;
    }
    if (image_facts(&s->images, &s->blobs, r->digests.image[0], &w->image,
                    &err) != 0) {
        snprintf(text, sizeof text, "%.40s: %.100s", r->version,
                 err.code == ENOENT ? "its image is no file of its own"
                                    : err.text);
        refuse(rq, w, 409, text);
        return -1;
    }
    misfit(&w->ask, &w->image, r->version, text, sizeof text);
    if (text[0] != '\0') {
        refuse(rq, w, 409, text);
        return -1;
    }
    return 0;
}

static void serve(struct server *s, struct http_request *rq, struct work *w)
{
    struct rollout *r = w->give.rollout;
    bool known = w->client.offer == r->id * 2;

    if (find_image(s, rq, w) != 0) {
        return;
    }
    read_wish(rq, w);
    if (has_it(rq, w)) {
        nothing_new(rq, w, "the client has it already");
    } else if (w->kind == RANGE_BEYOND) {
        beyond(rq, w);
    } else if (!is_another(rq, w)) {
        send_image(s, rq, w);
        if (!known && !w->head && w->range.from == 0 && rq->product != 0) {
            pace_take(&r->unmanaged_pace_us, r->plan.rate_per_hour,
                      clock_us(s));
        }
    }
}

/* --- One request ------------------------------------------------------------
 */

/* It asks for what comes after its first bytes. */
static bool goes_on(const struct http_request *rq)
{
    struct range range;

    return range_read(http_header(rq, "Range"), UINT64_MAX, &range) ==
               RANGE_PART &&
           range.from > 0;
}

static void note_runs(struct server *s, const struct http_request *rq,
                      struct work *w)
{
    struct unmanaged *u = &w->client;
    uint32_t runs = unmanaged_runs(s, w->product, &w->ask);

    u->told = w->ask.has_md5 || w->ask.has_sha256 || w->ask.version[0] != '\0';
    u->goes_on = goes_on(rq);
    if (runs != u->runs && u->runs != 0 && runs != 0) {
        u->before = u->runs;
    }
    /* Not what it said another time: it may have been put back by hand. */
    u->runs = runs;
    if (w->ask.version[0] == '\0') {
        u->version[0] = '\0';
    }
}

static void answer(struct server *s, struct http_request *rq, struct work *w)
{
    if (w->ask.filesystem) {
        refuse(rq, w, 404, "file systems are not served here, only firmware");
        return;
    }
    note_runs(s, rq, w);
    unmanaged_decide(s, w->product, &w->client, w->named, &w->give);
    if (w->give.never) {
        refuse(rq, w, 404,
               "no release of this product was ever rolled out: bowline "
               "rollout start");
    } else if (w->give.release == NULL) {
        nothing_new(rq, w, w->give.why);
    } else {
        serve(s, rq, w);
    }
}

static void ask_set(struct server *s, struct http_request *rq, struct work *w)
{
    uint32_t now = (uint32_t)time(NULL);

    if (limited(s, rq, w)) {
        return;
    }
    if (w->named) {
        (void)unmanaged_take(s->unmanaged, w->product->number, &w->ask, now,
                             &w->client);
    } else {
        w->client.product = w->product->number;
        w->client.last_seen = now;
        memcpy(w->client.version, w->ask.version, sizeof w->client.version);
    }
    snprintf(w->client.channel, sizeof w->client.channel, "%.31s",
             rq->param[1]);
    w->client.client = (uint8_t)w->ask.client;
    answer(s, rq, w);
    unmanaged_put(s->unmanaged, &w->client);
    stream_fleet(s->stream);
}

static const char *header_of(void *ctx, const char *name)
{
    return http_header(ctx, name);
}

static const char *query_of(void *ctx, const char *name)
{
    return http_query(ctx, name);
}

static int read_ask(struct http_request *rq, struct ask *out)
{
    const struct ask_source source = {rq, header_of, query_of,
                                      http_client_name(rq)};
    struct error err;

    if (ask_read(&source, out, &err) != 0) {
        http_reply_line(rq, 400, err.text);
        return -1;
    }
    return 0;
}

/* As for a managed device's channel. */
static bool is_channel(const char *text)
{
    size_t n = strlen(text);

    return n > 0 && n < UNMANAGED_CHANNEL &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-") == n;
}

void unmanaged_image(struct server *s, struct http_request *rq)
{
    struct work w;

    memset(&w, 0, sizeof w);
    pthread_rwlock_rdlock(&s->catalog.lock);
    w.product = catalog_product(&s->catalog, rq->param[0]);
    w.head = strcmp(rq->method, "HEAD") == 0;
    if (w.product == NULL || !atomic_load(&w.product->unmanaged)) {
        no_such_address(rq);
    } else if (!is_channel(rq->param[1])) {
        http_reply_line(rq, 404,
                        "a channel is up to 31 of a-z, 0-9, _ and -: stable, "
                        "beta");
    } else if (read_ask(rq, &w.ask) == 0) {
        w.named = w.ask.key[0] != '\0';
        if (is_registered(s, &w)) {
            http_reply_line(rq, 403,
                            "this certificate is a registered device's: it "
                            "updates by Bowline's own protocol");
        } else {
            ask_set(s, rq, &w);
        }
    }
    pthread_rwlock_unlock(&s->catalog.lock);
}

/* --- Its end ---------------------------------------------------------------
 */

static void count_end(struct server *s, const struct http_request *rq,
                      uint64_t missing)
{
    struct rollout *r;

    pthread_rwlock_rdlock(&s->catalog.lock);
    r = catalog_rollout(&s->catalog, rq->rollout);
    if (r != NULL) {
        atomic_fetch_sub(&r->sent, missing);
        atomic_fetch_sub(&r->unmanaged_open, 1);
    }
    pthread_rwlock_unlock(&s->catalog.lock);
}

void unmanaged_image_end(struct server *s, struct http_request *rq)
{
    uint64_t missing;

    if (rq->product == 0) {
        return;
    }
    missing = rq->sends == 0 ? 0 : http_missing(rq);
    if (rq->rollout != 0) {
        count_end(s, rq, missing);
    }
    atomic_fetch_add(&s->metrics.download_bytes, rq->sends - missing);
    atomic_fetch_sub(&s->metrics.downloads_open, 1);
    atomic_fetch_sub(&s->metrics.unmanaged_open, 1);
    unmanaged_end(s->unmanaged, rq->product, rq->device_id, rq->from,
                  rq->sends - missing);
    rq->product = 0;
}
