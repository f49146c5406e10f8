/* SPDX-License-Identifier: Apache-2.0 */
#include "poll_message.h"

#include "device.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    LAST_KEY = 21,
    MAX_PAIRS = 32,
    EAST = 840, /* minutes: as far as clocks go on Earth */
    KNOWN_LINK = 31
};

static bl_status read_uint(struct bl_cbor *r, uint64_t max, uint64_t *out)
{
    uint64_t v;
    bl_status s = bl_cbor_uint(r, &v);

    if (s != BL_OK) {
        return s;
    }
    if (v > max) {
        return BL_CBOR;
    }
    *out = v;
    return BL_OK;
}

static bl_status read_u8(struct bl_cbor *r, uint8_t max, uint8_t *out)
{
    uint64_t v;
    bl_status s = read_uint(r, max, &v);

    if (s == BL_OK) {
        *out = (uint8_t)v;
    }
    return s;
}

static bl_status read_u32(struct bl_cbor *r, uint32_t *out)
{
    uint64_t v;
    bl_status s = read_uint(r, UINT32_MAX, &v);

    if (s == BL_OK) {
        *out = (uint32_t)v;
    }
    return s;
}

static bl_status read_fixed(struct bl_cbor *r, size_t n, const uint8_t **out)
{
    bl_span v;
    bl_status s = bl_cbor_bstr(r, &v);

    if (s != BL_OK) {
        return s;
    }
    if (v.n != n) {
        return BL_CBOR;
    }
    *out = v.p;
    return BL_OK;
}

/* Text that is stored and shown: no control characters. */
static bl_status read_text(struct bl_cbor *r, bl_span *out)
{
    bl_span v;
    bl_status s = bl_cbor_tstr(r, &v);

    if (s != BL_OK) {
        return s;
    }
    if (v.n > POLL_TEXT) {
        return BL_CBOR;
    }
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] < 0x20 || v.p[i] == 0x7F) {
            return BL_CBOR;
        }
    }
    *out = v;
    return BL_OK;
}

static bl_status read_event(struct bl_cbor *r, struct bl_event *out)
{
    uint64_t v[9];
    static const uint64_t max[9] = {UINT32_MAX, UINT32_MAX, UINT32_MAX,
                                    UINT8_MAX,  UINT16_MAX, INT64_MAX,
                                    UINT8_MAX,  UINT8_MAX,  UINT8_MAX};
    uint32_t n;
    bl_status s = bl_cbor_array(r, &n);

    if (s != BL_OK) {
        return s;
    }
    if (n != 9) {
        return BL_CBOR;
    }
    for (int i = 0; i < 9; i++) {
        s = read_uint(r, max[i], &v[i]);
        if (s != BL_OK) {
            return s;
        }
    }
    out->number = (uint32_t)v[0];
    out->boot = (uint32_t)v[1];
    out->uptime_s = (uint32_t)v[2];
    out->state = (uint8_t)v[3];
    out->code = (uint16_t)v[4];
    out->sequence = v[5];
    out->slot = (uint8_t)v[6];
    out->attempt = (uint8_t)v[7];
    out->reset = (uint8_t)v[8];
    return BL_OK;
}

static bl_status read_events(struct bl_cbor *r, struct poll *out)
{
    uint32_t n;
    bl_status s = bl_cbor_array(r, &n);

    if (s != BL_OK) {
        return s;
    }
    if (n > POLL_EVENTS) {
        return BL_CBOR;
    }
    for (uint32_t i = 0; i < n; i++) {
        s = read_event(r, &out->event[i]);
        if (s != BL_OK) {
            return s;
        }
        /* Oldest first: numbers rise, or the acknowledgement would lie. */
        if (i > 0 && out->event[i].number <= out->event[i - 1].number) {
            return BL_CBOR;
        }
    }
    out->n_events = n;
    return BL_OK;
}

static bl_status read_id(struct bl_cbor *r, struct poll *out)
{
    const uint8_t *id;
    bl_status s = read_fixed(r, BL_ID_SIZE, &id);

    if (s == BL_OK) {
        memcpy(out->id, id, BL_ID_SIZE);
    }
    return s;
}

static bl_status read_nonce(struct bl_cbor *r, struct poll *out)
{
    bl_span nonce;
    bl_status s = bl_cbor_bstr(r, &nonce);

    if (s != BL_OK) {
        return s;
    }
    if (nonce.n < BL_NONCE_MIN || nonce.n > BL_NONCE_MAX) {
        return BL_CBOR;
    }
    out->nonce = nonce;
    return BL_OK;
}

static bl_status read_progress(struct bl_cbor *r, struct poll *out)
{
    uint32_t n;
    bl_status s = bl_cbor_array(r, &n);

    if (s != BL_OK) {
        return s;
    }
    if (n != 2) {
        return BL_CBOR;
    }
    s = read_u32(r, &out->done);
    return s != BL_OK ? s : read_u32(r, &out->total);
}

static bl_status read_offset(struct bl_cbor *r, struct poll *out)
{
    int64_t v;
    bl_status s = bl_cbor_int(r, &v);

    if (s != BL_OK) {
        return s;
    }
    if (v < -EAST || v > EAST) {
        return BL_CBOR;
    }
    out->utc_offset = (int16_t)v;
    return BL_OK;
}

static bl_status read_attributes(struct bl_cbor *r, struct poll *out)
{
    struct poll_fault *f = &out->fault;
    bl_status s =
        poll_attributes_read(r, &out->attributes, &f->attribute, &f->why);

    if (s == BL_OK) {
        f->attribute = 0;
        f->why = NULL;
    }
    return s;
}

static bl_status read_power(struct bl_cbor *r, struct poll *out)
{
    uint64_t flags = 0;
    uint32_t n;
    bl_status s = bl_cbor_array(r, &n);

    if (s != BL_OK) {
        return s;
    }
    if (n != 2) {
        return BL_CBOR;
    }
    s = read_u8(r, DEVICE_NO_BATTERY, &out->battery);
    if (s != BL_OK) {
        return s;
    }
    if (out->battery > 100 && out->battery != DEVICE_NO_BATTERY) {
        return BL_CBOR;
    }
    s = read_uint(r, UINT32_MAX, &flags);
    out->link = (uint8_t)(flags & KNOWN_LINK); /* later ones may come */
    return s;
}

/* Later formats may have more in it. */
static bl_status read_deltas(struct bl_cbor *r, struct poll *out)
{
    uint32_t n;
    bl_status s = bl_cbor_array(r, &n);

    if (s != BL_OK) {
        return s;
    }
    if (n < 3) {
        return BL_CBOR;
    }
    s = bl_cbor_uint(r, &out->delta_format);
    s = s != BL_OK ? s : bl_cbor_uint(r, &out->delta_ram);
    s = s != BL_OK ? s : bl_cbor_uint(r, &out->delta_isas);
    for (uint32_t i = 3; i < n && s == BL_OK; i++) {
        s = bl_cbor_item(r, NULL);
    }
    return s;
}

/* docs/PROTOCOL.md, the table of the request. */
static bl_status read_value(struct bl_cbor *r, uint64_t key, struct poll *out)
{
    switch (key) {
    case 1:
        return read_id(r, out);
    case 2:
        return read_nonce(r, out);
    case 3:
        return read_uint(r, INT64_MAX, &out->root_version);
    case 4:
        return read_fixed(r, 32, &out->manifest);
    case 5:
        return read_u8(r, 1, &out->slot);
    case 6:
        return read_u8(r, BL_STATE_REFUSED, &out->state);
    case 7:
        return bl_cbor_bool(r, &out->confirmed);
    case 8:
        return read_uint(r, INT64_MAX, &out->sequence);
    case 9:
        return read_events(r, out);
    case 10:
        return read_fixed(r, BL_ID_SIZE, &out->class_id);
    case 11:
        return read_text(r, &out->hardware);
    case 12:
        return read_text(r, &out->version);
    case 13:
        return read_progress(r, out);
    case 14:
        return read_uint(r, INT64_MAX, &out->floor);
    case 15:
        return read_fixed(r, 32, &out->image);
    case 16:
        return read_u8(r, 4, &out->wait);
    case 17:
        return read_offset(r, out);
    case 18:
        return read_attributes(r, out);
    case 19:
        return read_power(r, out);
    case 20:
        return read_u8(r, DEVICE_NO_TRIES, &out->tries);
    case 21:
        return read_deltas(r, out);
    default:
        return bl_cbor_item(r, NULL);
    }
}

static bl_status read_pairs(struct bl_cbor *r, uint32_t pairs,
                            struct poll *out)
{
    uint64_t next = 0;
    bl_status s = BL_OK;

    for (uint32_t i = 0; i < pairs && s == BL_OK; i++) {
        uint64_t key = 0;

        s = bl_cbor_next_key(r, &next, &key);
        out->fault.key = key;
        s = s != BL_OK ? s : read_value(r, key, out);
        if (s == BL_OK && key <= LAST_KEY) {
            out->has |= 1U << key;
        }
    }
    return s;
}

bl_status poll_read(bl_span body, struct poll *out)
{
    const uint32_t required =
        1U << 1 | 1U << 3 | 1U << 4 | 1U << 5 | 1U << 6 | 1U << 7 | 1U << 8;
    struct bl_cbor r;
    uint32_t pairs;
    bl_status s;

    memset(out, 0, sizeof *out);
    out->utc_offset = DEVICE_NO_OFFSET;
    out->battery = DEVICE_NO_BATTERY;
    out->tries = DEVICE_NO_TRIES;
    bl_cbor_init(&r, body);
    s = bl_cbor_map(&r, &pairs);
    if (s != BL_OK) {
        return s;
    }
    if (pairs > MAX_PAIRS) {
        return BL_TOO_LARGE;
    }
    s = read_pairs(&r, pairs, out);
    if (s != BL_OK) {
        return s;
    }
    out->fault.key = 0;
    if ((out->has & required) != required) {
        out->fault.why = "keys 1, 3, 4, 5, 6, 7, 8 must be there";
        return BL_CBOR;
    }
    return bl_cbor_finish(&r);
}

void poll_fault_text(const struct poll_fault *f, char out[POLL_FAULT])
{
    char key[40] = "";
    char which[40] = "";

    if (f->key > 0) {
        snprintf(key, sizeof key, " at key %" PRIu64, f->key);
    }
    if (f->attribute > 0) {
        snprintf(which, sizeof which, ", attribute %" PRIu32, f->attribute);
    }
    snprintf(out, POLL_FAULT, "the poll is malformed%s%s: %s", key, which,
             f->why != NULL ? f->why : "see docs/PROTOCOL.md");
}

/* --- The answer -----------------------------------------------------------
 */

static uint32_t count_rules(const struct poll_policy *p)
{
    return (uint32_t)(p->min_battery > 0) + (uint32_t)p->no_metered +
           (uint32_t)p->no_roaming + (uint32_t)p->consent +
           (uint32_t)p->forced + (uint32_t)(p->window_s > 0);
}

static void put_flag(struct bl_cbor_writer *w, uint32_t key, bool wanted,
                     bool value)
{
    if (wanted) {
        bl_cbor_put_uint(w, key);
        bl_cbor_put_bool(w, value);
    }
}

/* Only what is not the default. */
static void put_policy(struct bl_cbor_writer *w, const struct poll_policy *p)
{
    bl_cbor_put_uint(w, 8);
    bl_cbor_put_map(w, count_rules(p));
    if (p->min_battery > 0) {
        bl_cbor_put_uint(w, 1);
        bl_cbor_put_uint(w, p->min_battery);
    }
    put_flag(w, 2, p->no_metered, false);
    put_flag(w, 3, p->no_roaming, false);
    put_flag(w, 4, p->consent, true);
    put_flag(w, 5, p->forced, true);
    if (p->window_s > 0) {
        bl_cbor_put_uint(w, 6);
        bl_cbor_put_uint(w, p->window_s);
    }
}

static uint32_t count_pairs(const struct poll_answer *a)
{
    return (uint32_t)(a->ticket.n > 0) + (uint32_t)(a->n_roots > 0) +
           (uint32_t)(a->envelope_size > 0) + (uint32_t)(a->permit.n > 0) +
           (uint32_t)(a->interval_s > 0) + (uint32_t)a->has_event +
           (uint32_t)(a->manifest != NULL) +
           (uint32_t)(count_rules(&a->policy) > 0) +
           (uint32_t)(a->delta.size > 0);
}

static void put_delta(struct bl_cbor_writer *w, const struct poll_delta *d)
{
    bl_cbor_put_uint(w, 9);
    bl_cbor_put_array(w, 4);
    bl_cbor_put_bstr(w, bl_span_of(d->payload, 32));
    bl_cbor_put_bstr(w, bl_span_of(d->base, 32));
    bl_cbor_put_bstr(w, bl_span_of(d->patch, 32));
    bl_cbor_put_uint(w, d->size);
}

bl_status poll_answer_write(const struct poll_answer *a, uint8_t *buffer,
                            size_t size, bl_span *out)
{
    struct bl_cbor_writer w;

    bl_cbor_writer_init(&w, buffer, size);
    bl_cbor_put_map(&w, count_pairs(a));
    if (a->ticket.n > 0) {
        bl_cbor_put_uint(&w, 1);
        bl_cbor_put_bstr(&w, a->ticket);
    }
    if (a->n_roots > 0) {
        bl_cbor_put_uint(&w, 2);
        bl_cbor_put_array(&w, a->n_roots);
        for (uint32_t i = 0; i < a->n_roots; i++) {
            bl_cbor_put_bstr(&w, a->root[i]);
        }
    }
    if (a->envelope_size > 0) {
        bl_cbor_put_uint(&w, 3);
        bl_cbor_put_uint(&w, a->envelope_size);
    }
    if (a->permit.n > 0) {
        bl_cbor_put_uint(&w, 4);
        bl_cbor_put_bstr(&w, a->permit);
    }
    if (a->interval_s > 0) {
        bl_cbor_put_uint(&w, 5);
        bl_cbor_put_uint(&w, a->interval_s);
    }
    if (a->has_event) {
        bl_cbor_put_uint(&w, 6);
        bl_cbor_put_uint(&w, a->event);
    }
    if (a->manifest != NULL) {
        bl_cbor_put_uint(&w, 7);
        bl_cbor_put_bstr(&w, bl_span_of(a->manifest, 32));
    }
    if (count_rules(&a->policy) > 0) {
        put_policy(&w, &a->policy);
    }
    if (a->delta.size > 0) {
        put_delta(&w, &a->delta);
    }
    return bl_cbor_writer_finish(&w, out);
}
