/* SPDX-License-Identifier: Apache-2.0 */
#include "device.h"

enum { FIRST = 1, WITH_PLANS = 2, VERSION = 3 };

/* One walk over the fields serves both directions, so that they cannot
 * disagree. */
struct walk {
    uint8_t *p;
    bool put;
};

static void walk_uint(struct walk *w, void *field, size_t n)
{
    uint8_t *bytes = field;

    for (size_t i = 0; i < n; i++) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        uint8_t *b = &bytes[i];
#else
        uint8_t *b = &bytes[n - 1 - i];
#endif
        if (w->put) {
            w->p[i] = *b;
        } else {
            *b = w->p[i];
        }
    }
    w->p += n;
}

static void walk_bytes(struct walk *w, void *field, size_t n)
{
    if (w->put) {
        memcpy(w->p, field, n);
    } else {
        memcpy(field, w->p, n);
    }
    w->p += n;
}

#define UINT(field) walk_uint(w, &s->field, sizeof s->field)
#define BYTES(field) walk_bytes(w, s->field, sizeof s->field)

static void walk_state(struct walk *w, struct device_state *s)
{
    BYTES(manifest);
    BYTES(image);
    UINT(sequence);
    UINT(floor);
    UINT(root_version);
    UINT(offer);
    UINT(noted_sequence);
    UINT(first_seen);
    UINT(last_seen);
    UINT(event);
    UINT(done);
    UINT(total);
    UINT(code);
    UINT(noted_code);
    UINT(outcome);
    UINT(noted_state);
    UINT(noted_reset);
    UINT(state);
    UINT(slot);
    UINT(confirmed);
    UINT(wait);
    UINT(expect);
    BYTES(hardware);
    BYTES(version);
}

/* What version 2 adds. */
static void walk_more(struct walk *w, struct device_state *s)
{
    BYTES(prev_manifest);
    UINT(prev_sequence);
    UINT(offer_release);
    UINT(offered_at);
    UINT(quarantined_until);
    UINT(utc_offset);
    UINT(attempts);
    UINT(faulted);
    UINT(battery);
    UINT(link);
    UINT(tries);
}

/* What version 3 adds. */
static void walk_deltas(struct walk *w, struct device_state *s)
{
    UINT(delta_ram);
    UINT(delta_isas);
    UINT(delta_failed);
    UINT(delta_row);
    UINT(delta_sent);
}

void device_state_init(struct device_state *s)
{
    memset(s, 0, sizeof *s);
    s->utc_offset = DEVICE_NO_OFFSET;
    s->battery = DEVICE_NO_BATTERY;
    s->tries = DEVICE_NO_TRIES;
}

void device_record_put(const struct device_state *s, uint8_t *out)
{
    struct device_state copy = *s;
    struct walk w = {out, true};

    memset(out, 0, DEVICE_RECORD);
    *w.p++ = VERSION;
    walk_state(&w, &copy);
    walk_more(&w, &copy);
    walk_deltas(&w, &copy);
}

size_t device_record_size(bl_span bytes)
{
    size_t size = 0;

    if (bytes.n > 0 && bytes.p[0] == VERSION) {
        size = DEVICE_RECORD;
    } else if (bytes.n > 0 && bytes.p[0] == WITH_PLANS) {
        size = DEVICE_RECORD_SECOND;
    } else if (bytes.n > 0 && bytes.p[0] == FIRST) {
        size = DEVICE_RECORD_FIRST;
    }
    return size <= bytes.n ? size : 0;
}

int device_record_get(struct device_state *s, bl_span record)
{
    uint8_t bytes[DEVICE_RECORD];
    struct walk w = {bytes, false};

    if (record.n == 0 || device_record_size(record) != record.n) {
        return -1;
    }
    memcpy(bytes, record.p, record.n);
    device_state_init(s);
    w.p++;
    walk_state(&w, s);
    if (bytes[0] >= WITH_PLANS) {
        walk_more(&w, s);
    }
    if (bytes[0] >= VERSION) {
        walk_deltas(&w, s);
    }
    s->hardware[DEVICE_TEXT - 1] = '\0';
    s->version[DEVICE_TEXT - 1] = '\0';
    return 0;
}

/* busy_us is when what it has asked for would be done at an even pace. */
bool device_may_poll(struct device *d, uint64_t now_us, uint32_t per_minute,
                     uint32_t *wait_s)
{
    enum { SECOND = 1000000, MINUTE = 60 * SECOND };
    uint64_t from = d->busy_us > now_us ? d->busy_us : now_us;
    uint64_t each = per_minute == 0 ? 0 : MINUTE / per_minute;

    if (from + each > now_us + MINUTE) {
        *wait_s = (uint32_t)((from + each - now_us - MINUTE) / SECOND) + 1;
        return false;
    }
    d->busy_us = per_minute == 0 ? 0 : from + each;
    return true;
}

void device_begin_life(struct device *d)
{
    d->life++;
    d->s.event = 0;
    d->durable = 0;
    d->dirty = true;
}
