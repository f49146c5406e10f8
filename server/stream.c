/* SPDX-License-Identifier: Apache-2.0 */
#include "stream.h"

#include "host/file.h"
#include "host/log.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    /* So long notices are kept for one who was there and may come back. */
    RETURN_S = 60,
    /* What a browser waits before it comes back. */
    RETRY_MS = 2000
};

struct notice {
    uint64_t rollout; /* that it is about, or 0 */
    char *text;       /* as it is sent */
};

struct stream_listener {
    struct stream *stream;
    struct stream_listener *next;
    struct stream_listener *previous;
    struct stream_listener *next_device; /* those with a device */
    void *wake_ctx;
    uint64_t sent; /* the newest notice that it has got, or passed over */
    uint64_t rollout;
    uint64_t quiet_since_s;
    uint8_t device[16];
    bool has_device;
    bool greet;
    bool lost; /* its place is not in the ring */
    bool device_changed;
    bool beat;
    uint16_t at; /* of `text` */
    uint16_t n;
    char text[STREAM_TEXT];
};

struct stream {
    void (*wake)(void *ctx);
    pthread_mutex_t lock;
    struct notice ring[STREAM_RING];
    uint64_t first; /* the oldest id in the ring */
    uint64_t next;  /* the id that comes next */
    uint64_t now_s;
    uint64_t left_s; /* when the last listener went */
    struct stream_listener *listeners;
    struct stream_listener *of_devices;
    _Atomic uint32_t n;
    _Atomic uint32_t n_devices;
    _Atomic bool fleet;
};

struct stream *stream_new(void (*wake)(void *ctx))
{
    struct stream *s = calloc(1, sizeof *s);

    if (s == NULL) {
        return NULL;
    }
    s->wake = wake;
    s->now_s = (uint64_t)time(NULL);
    /* Ids of an earlier run are not in the ring: they lie below, as long as
     * it told of fewer than a million things a second. */
    s->next = s->now_s * 1000000;
    s->first = s->next;
    pthread_mutex_init(&s->lock, NULL);
    return s;
}

void stream_free(struct stream *s)
{
    if (s == NULL) {
        return;
    }
    for (int i = 0; i < STREAM_RING; i++) {
        free(s->ring[i].text);
    }
    pthread_mutex_destroy(&s->lock);
    free(s);
}

/* --- Telling --------------------------------------------------------------
 */

static void wake_all(struct stream *s)
{
    for (struct stream_listener *l = s->listeners; l != NULL; l = l->next) {
        s->wake(l->wake_ctx);
    }
}

/* As if nothing had ever been told: who comes back gets "reset". */
static void forget(struct stream *s)
{
    s->next++;
    s->first = s->next;
}

static char *make_text(uint64_t id, const char *type, const char *data)
{
    char text[STREAM_TEXT];
    int n =
        snprintf(text, sizeof text, "id: %" PRIu64 "\nevent: %s\ndata: %s\n\n",
                 id, type, data);

    if (n >= (int)sizeof text) {
        log_error("notice-too-long", LOG_TEXT("type", type));
        return NULL;
    }
    return strdup(text);
}

static void put(struct stream *s, const char *type, const char *data,
                uint64_t rollout)
{
    struct notice *n = &s->ring[s->next % STREAM_RING];
    char *text;

    if (s->listeners == NULL && s->now_s - s->left_s > RETURN_S) {
        forget(s);
        return;
    }
    text = make_text(s->next, type, data);
    if (text == NULL) {
        forget(s);
        wake_all(s);
        return;
    }
    free(n->text);
    n->text = text;
    n->rollout = rollout;
    s->next++;
    if (s->next - s->first > STREAM_RING) {
        s->first = s->next - STREAM_RING;
    }
    wake_all(s);
}

static void publish(struct stream *s, const char *type, const json_t *data)
{
    const json_t *id = json_object_get(data, "id");
    char *text = json_dumps(data, JSON_COMPACT);

    if (text == NULL) {
        return;
    }
    pthread_mutex_lock(&s->lock);
    put(s, type, text,
        strcmp(type, "rollout") == 0 ? (uint64_t)json_integer_value(id) : 0);
    pthread_mutex_unlock(&s->lock);
    free(text);
}

static void publish_device(struct stream *s, const json_t *data)
{
    const char *hex = json_string_value(json_object_get(data, "id"));
    uint8_t id[16];

    if (hex != NULL && hex_decode(hex, strlen(hex), id, sizeof id) == 0) {
        stream_device(s, id);
    }
}

void stream_publish(struct stream *s, const char *type, json_t *data)
{
    if (s != NULL && strcmp(type, "fleet") == 0) {
        stream_fleet(s);
    } else if (s != NULL && strcmp(type, "device") == 0) {
        publish_device(s, data);
    } else if (s != NULL) {
        publish(s, type, data);
    }
    json_decref(data);
}

void stream_fleet(struct stream *s)
{
    if (s != NULL) {
        atomic_store_explicit(&s->fleet, true, memory_order_relaxed);
    }
}

void stream_device(struct stream *s, const uint8_t id[16])
{
    if (s == NULL || atomic_load(&s->n_devices) == 0) {
        return;
    }
    pthread_mutex_lock(&s->lock);
    for (struct stream_listener *l = s->of_devices; l != NULL;
         l = l->next_device) {
        if (!l->device_changed && memcmp(l->device, id, 16) == 0) {
            l->device_changed = true;
            s->wake(l->wake_ctx);
        }
    }
    pthread_mutex_unlock(&s->lock);
}

void stream_tick(struct stream *s, uint64_t now_s)
{
    pthread_mutex_lock(&s->lock);
    s->now_s = now_s;
    if (atomic_exchange(&s->fleet, false)) {
        put(s, "fleet", "{}", 0);
    }
    for (struct stream_listener *l = s->listeners; l != NULL; l = l->next) {
        if (now_s < l->quiet_since_s) {
            l->quiet_since_s = now_s; /* the clock was set back */
        } else if (now_s - l->quiet_since_s >= STREAM_BEAT_S) {
            l->quiet_since_s = now_s;
            l->beat = true;
            s->wake(l->wake_ctx);
        }
    }
    pthread_mutex_unlock(&s->lock);
}

/* --- Listening ------------------------------------------------------------
 */

static void take_place(struct stream_listener *l, const char *last_id)
{
    const struct stream *s = l->stream;
    unsigned long long id;
    char *end;

    l->sent = s->next - 1;
    if (last_id == NULL) {
        return;
    }
    id = strtoull(last_id, &end, 10);
    l->lost =
        *end != '\0' || end == last_id || id >= s->next || id + 1 < s->first;
    if (!l->lost) {
        l->sent = id;
    }
    /* What was told of the device meanwhile is not in the ring. */
    l->device_changed = l->has_device;
}

static void link_listener(struct stream *s, struct stream_listener *l)
{
    l->next = s->listeners;
    if (l->next != NULL) {
        l->next->previous = l;
    }
    s->listeners = l;
    atomic_fetch_add(&s->n, 1);
    if (l->has_device) {
        l->next_device = s->of_devices;
        s->of_devices = l;
        atomic_fetch_add(&s->n_devices, 1);
    }
}

struct stream_listener *stream_join(struct stream *s,
                                    const struct stream_filter *filter,
                                    void *wake_ctx)
{
    struct stream_listener *l = calloc(1, sizeof *l);

    if (l == NULL) {
        return NULL;
    }
    l->stream = s;
    l->wake_ctx = wake_ctx;
    l->rollout = filter->rollout;
    l->greet = true;
    if (filter->device != NULL) {
        memcpy(l->device, filter->device, sizeof l->device);
        l->has_device = true;
    }
    pthread_mutex_lock(&s->lock);
    l->quiet_since_s = s->now_s;
    take_place(l, filter->last_id);
    link_listener(s, l);
    pthread_mutex_unlock(&s->lock);
    return l;
}

static void unlink_device(struct stream *s, const struct stream_listener *l)
{
    struct stream_listener **at = &s->of_devices;

    while (*at != l) {
        at = &(*at)->next_device;
    }
    *at = l->next_device;
    atomic_fetch_sub(&s->n_devices, 1);
}

void stream_leave(struct stream_listener *l)
{
    struct stream *s = l->stream;

    pthread_mutex_lock(&s->lock);
    if (l->next != NULL) {
        l->next->previous = l->previous;
    }
    if (l->previous != NULL) {
        l->previous->next = l->next;
    } else {
        s->listeners = l->next;
    }
    if (l->has_device) {
        unlink_device(s, l);
    }
    atomic_fetch_sub(&s->n, 1);
    s->left_s = s->now_s;
    pthread_mutex_unlock(&s->lock);
    free(l);
}

static void set_text(struct stream_listener *l, const char *text)
{
    l->at = 0;
    l->n = (uint16_t)snprintf(l->text, sizeof l->text, "%s", text);
}

static bool wanted(const struct stream_listener *l, const struct notice *n)
{
    return n->rollout == 0 || l->rollout == 0 || n->rollout == l->rollout;
}

static bool next_of_ring(struct stream_listener *l)
{
    const struct stream *s = l->stream;

    while (l->sent + 1 < s->next) {
        const struct notice *n = &s->ring[++l->sent % STREAM_RING];

        if (wanted(l, n)) {
            set_text(l, n->text);
            return true;
        }
    }
    return false;
}

static void say_reset(struct stream_listener *l)
{
    char text[96];

    l->lost = false;
    l->sent = l->stream->next - 1;
    snprintf(text, sizeof text, "id: %" PRIu64 "\nevent: reset\ndata: {}\n\n",
             l->sent);
    set_text(l, text);
}

static void say_device(struct stream_listener *l)
{
    char hex[33];
    char text[96];

    l->device_changed = false;
    hex_encode(l->device, sizeof l->device, hex);
    snprintf(text, sizeof text, "event: device\ndata: {\"id\":\"%s\"}\n\n",
             hex);
    set_text(l, text);
}

/* Chooses what comes next into `text`; false when there is nothing. */
static bool next_text(struct stream_listener *l)
{
    char text[64];

    if (l->greet) {
        l->greet = false;
        snprintf(text, sizeof text, ": bowline\nretry: %d\n\n", RETRY_MS);
        set_text(l, text);
        return true;
    }
    if (l->lost || l->sent + 1 < l->stream->first) {
        say_reset(l);
        return true;
    }
    if (next_of_ring(l)) {
        return true;
    }
    if (l->device_changed) {
        say_device(l);
        return true;
    }
    if (l->beat) {
        set_text(l, ":\n\n");
        return true;
    }
    return false;
}

size_t stream_read(struct stream_listener *l, uint8_t *out, size_t room)
{
    size_t written = 0;

    pthread_mutex_lock(&l->stream->lock);
    while (written < room && (l->at < l->n || next_text(l))) {
        size_t n = (size_t)(l->n - l->at);

        n = n < room - written ? n : room - written;
        memcpy(out + written, l->text + l->at, n);
        l->at = (uint16_t)(l->at + n);
        written += n;
        l->beat = false; /* what is sent is one */
        l->quiet_since_s = l->stream->now_s;
    }
    pthread_mutex_unlock(&l->stream->lock);
    return written;
}

uint32_t stream_listeners(struct stream *s)
{
    return s == NULL ? 0 : atomic_load(&s->n);
}
