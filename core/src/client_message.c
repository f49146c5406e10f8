/* SPDX-License-Identifier: Apache-2.0 */
/* Poll requests and answers, docs/PROTOCOL.md. */
#include "client_private.h"

static void put_event(struct bl_cbor_writer *w, const struct bl_event *e)
{
    bl_cbor_put_array(w, 9);
    bl_cbor_put_uint(w, e->number);
    bl_cbor_put_uint(w, e->boot);
    bl_cbor_put_uint(w, e->uptime_s);
    bl_cbor_put_uint(w, e->state);
    bl_cbor_put_uint(w, e->code);
    bl_cbor_put_uint(w, e->sequence);
    bl_cbor_put_uint(w, e->slot);
    bl_cbor_put_uint(w, e->attempt);
    bl_cbor_put_uint(w, e->reset);
}

static void put_key_uint(struct bl_cbor_writer *w, uint32_t key, uint64_t v)
{
    bl_cbor_put_uint(w, key);
    bl_cbor_put_uint(w, v);
}

static void put_key_bytes(struct bl_cbor_writer *w, uint32_t key,
                          const void *p, size_t n)
{
    bl_cbor_put_uint(w, key);
    bl_cbor_put_bstr(w, bl_span_of(p, n));
}

static void put_events(struct bl_cbor_writer *w, const struct bl_event *event,
                       uint32_t n)
{
    bl_cbor_put_uint(w, 9);
    bl_cbor_put_array(w, n);
    for (uint32_t i = 0; i < n; i++) {
        put_event(w, &event[i]);
    }
}

static void put_download(struct bl_cbor_writer *w,
                         const struct bl_install *install)
{
    bl_cbor_put_uint(w, 13);
    bl_cbor_put_array(w, 2);
    bl_cbor_put_uint(w, (uint64_t)install->done + install->io_used);
    bl_cbor_put_uint(w, install->size);
}

/* Which of the keys that need not be there are there. */
struct extra {
    bool downloading;
    bool waits;
    bool offset;
    bool attributes;
    bool power;
    bool trial;
    bool delta;
};

static uint8_t percent(uint8_t battery)
{
    return battery > 100 ? BL_BATTERY_UNKNOWN : battery;
}

static struct extra extras(const struct bl_client *c, bool attributes)
{
    const struct bl_conditions *now = &c->conditions;
    struct extra x;

    x.downloading = c->phase == PHASE_PAYLOAD;
    x.waits = c->wait != BL_WAIT_NONE;
    x.offset = now->utc_offset >= -840 && now->utc_offset <= 840;
    x.attributes = attributes;
    x.power = percent(now->battery) != BL_BATTERY_UNKNOWN || now->flags != 0;
    x.trial = bl_client_on_trial(c);
    x.delta = c->fresh && c->config.delta != NULL && c->image_size > 0;
    return x;
}

static uint32_t count_extras(const struct extra *x)
{
    return (uint32_t)x->downloading + x->waits + x->offset + x->attributes +
           x->power + x->trial + x->delta;
}

/* Keys 1 to 12. */
static void put_facts(struct bl_cbor_writer *w, const struct bl_client *c,
                      const struct bl_event *event, uint32_t n)
{
    const struct bl_client_config *config = &c->config;

    put_key_bytes(w, 1, config->device_id, BL_ID_SIZE);
    if (c->fresh) {
        put_key_bytes(w, 2, c->nonce, sizeof(c->nonce));
    }
    put_key_uint(w, 3, c->root.version);
    put_key_bytes(w, 4, c->running, 32);
    put_key_uint(w, 5, c->slot);
    put_key_uint(w, 6, c->device_state);
    bl_cbor_put_uint(w, 7);
    bl_cbor_put_bool(w, bl_client_confirmed(c));
    put_key_uint(w, 8, c->state.slot[c->slot].sequence);
    put_events(w, event, n);
    put_key_bytes(w, 10, config->class_id, BL_ID_SIZE);
    bl_cbor_put_uint(w, 11);
    bl_cbor_put_tstr(w, config->hardware);
    bl_cbor_put_uint(w, 12);
    bl_cbor_put_tstr(w, config->version);
}

static void put_deltas(struct bl_cbor_writer *w,
                       const struct bl_client_config *config)
{
    bl_cbor_put_uint(w, 21);
    bl_cbor_put_array(w, 3);
    bl_cbor_put_uint(w, BL_DELTA_FORMAT_1);
    bl_cbor_put_uint(w, config->delta_memory_size);
    bl_cbor_put_uint(w, config->delta->sets());
}

/* Keys 16 to 21; false: attributes were left out. */
static bool put_conditions(struct bl_cbor_writer *w, const struct bl_client *c,
                           const struct extra *x)
{
    bool whole = true;

    if (x->waits) {
        put_key_uint(w, 16, c->wait);
    }
    if (x->offset) {
        bl_cbor_put_uint(w, 17);
        bl_cbor_put_int(w, c->conditions.utc_offset);
    }
    if (x->attributes) {
        bl_cbor_put_uint(w, 18);
        whole = bl_client_put_attributes(&c->config, w);
    }
    if (x->power) {
        bl_cbor_put_uint(w, 19);
        bl_cbor_put_array(w, 2);
        bl_cbor_put_uint(w, percent(c->conditions.battery));
        bl_cbor_put_uint(w, c->conditions.flags);
    }
    if (x->trial) {
        put_key_uint(w, 20, c->state.tries);
    }
    if (x->delta) {
        put_deltas(w, &c->config);
    }
    return whole;
}

static bool put_report(struct bl_cbor_writer *w, const struct bl_client *c,
                       const struct bl_event *event, uint32_t n,
                       bool attributes)
{
    struct extra x = extras(c, attributes);

    bl_cbor_put_map(w, 13U + c->fresh + count_extras(&x));
    put_facts(w, c, event, n);
    if (x.downloading) {
        put_download(w, &c->install);
    }
    put_key_uint(w, 14, c->state.floor);
    put_key_bytes(w, 15, c->image_digest, 32);
    return put_conditions(w, c, &x);
}

/* With each nonce, and when they are not what the server was told last. */
static bool attributes_due(struct bl_client *c)
{
    uint32_t sum;

    c->attributes_sent = 0;
    if (c->config.attributes == NULL || c->attributes_off) {
        return false;
    }
    sum = bl_client_sum_attributes(&c->config);
    if (!c->fresh && sum == c->attributes_told) {
        return false;
    }
    c->attributes_sent = sum;
    return true;
}

bl_status bl_client_write_poll(struct bl_client *c, bl_span *out)
{
    struct bl_event event[BL_CLIENT_EVENTS];
    bool attributes = attributes_due(c);
    struct bl_cbor_writer w;
    uint32_t all = 0;
    uint32_t n;
    bool whole;
    bl_status s;

    s = bl_journal_read(&c->journal, c->acked, event, BL_CLIENT_EVENTS, &all);
    if (s != BL_OK) {
        all = 0; /* flash that fails must not silence the device */
    }
    n = all;
    for (;;) {
        bl_cbor_writer_init(&w, c->config.message, c->config.message_size);
        whole = put_report(&w, c, event, n, attributes);
        s = bl_cbor_writer_finish(&w, out);
        if (s == BL_OK && attributes) {
            c->attributes_cut = !whole;
        }
        if (s == BL_OK || (n == 0 && !attributes)) {
            return s;
        }
        if (n > 1) {
            n /= 2; /* the others follow in the next poll */
        } else if (attributes) {
            attributes = false;
            c->attributes_cut = true;
            n = all;
        } else {
            n = 0;
        }
    }
}

static bl_status get_u32(struct bl_cbor *r, uint32_t *out)
{
    uint64_t v;
    bl_status s = bl_cbor_uint(r, &v);

    if (s == BL_OK) {
        *out = v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
    }
    return s;
}

static bl_status get_roots(struct bl_cbor *r, struct bl_answer *out)
{
    bl_status s = bl_cbor_array(r, &out->n_roots);
    bl_span document;

    out->roots = *r;
    for (uint32_t i = 0; s == BL_OK && i < out->n_roots; i++) {
        s = bl_cbor_bstr(r, &document);
    }
    return s;
}

static bl_status get_digest(struct bl_cbor *r, bl_span *out)
{
    bl_status s = bl_cbor_bstr(r, out);

    return s == BL_OK && out->n != 32 ? BL_CBOR : s;
}

static bl_status get_no(struct bl_cbor *r, bool *out)
{
    bool allowed;
    bl_status s = bl_cbor_bool(r, &allowed);

    if (s == BL_OK) {
        *out = !allowed;
    }
    return s;
}

static bl_status get_rule(struct bl_cbor *r, uint64_t key,
                          struct bl_policy *out)
{
    uint32_t v = 0;
    bl_status s;

    switch (key) {
    case 1:
        s = get_u32(r, &v);
        out->min_battery = v > 100 ? 100 : (uint8_t)v;
        return s;
    case 2:
        return get_no(r, &out->no_metered);
    case 3:
        return get_no(r, &out->no_roaming);
    case 4:
        return bl_cbor_bool(r, &out->consent);
    case 5:
        return bl_cbor_bool(r, &out->forced);
    case 6:
        return get_u32(r, &out->window_s);
    default:
        return bl_cbor_item(r, NULL);
    }
}

static bl_status get_policy(struct bl_cbor *r, struct bl_policy *out)
{
    uint64_t next = 0;
    uint32_t pairs = 0;
    bl_status s = bl_cbor_map(r, &pairs);
    uint64_t key;

    while (s == BL_OK && pairs-- > 0) {
        s = bl_cbor_next_key(r, &next, &key);
        if (s == BL_OK) {
            s = get_rule(r, key, out);
        }
    }
    return s;
}

static bl_status get_delta(struct bl_cbor *r, struct bl_delta_offer *out)
{
    uint32_t n = 0;
    bl_status s = bl_cbor_array(r, &n);

    if (s == BL_OK && n != 4) {
        return BL_CBOR;
    }
    if (s == BL_OK) {
        s = get_digest(r, &out->payload);
    }
    if (s == BL_OK) {
        s = get_digest(r, &out->base);
    }
    if (s == BL_OK) {
        s = get_digest(r, &out->patch);
    }
    return s == BL_OK ? get_u32(r, &out->size) : s;
}

static bl_status get_value(struct bl_cbor *r, uint64_t key,
                           struct bl_answer *out)
{
    switch (key) {
    case 1:
        return bl_cbor_bstr(r, &out->ticket);
    case 2:
        return get_roots(r, out);
    case 3:
        return get_u32(r, &out->envelope_n);
    case 4:
        return bl_cbor_bstr(r, &out->permit);
    case 5:
        return get_u32(r, &out->poll_s);
    case 6:
        return get_u32(r, &out->acked);
    case 7:
        return get_digest(r, &out->hint);
    case 8:
        return get_policy(r, &out->policy);
    case 9:
        return get_delta(r, &out->delta);
    default:
        return bl_cbor_item(r, NULL);
    }
}

static bl_status read_pairs(struct bl_cbor *r, uint32_t pairs,
                            struct bl_answer *out)
{
    uint64_t next = 0;
    bl_status s = BL_OK;
    uint64_t key;

    while (s == BL_OK && pairs-- > 0) {
        s = bl_cbor_next_key(r, &next, &key);
        if (s == BL_OK) {
            s = get_value(r, key, out);
        }
    }
    return s;
}

bl_status bl_client_read_answer(bl_span body, struct bl_answer *out)
{
    struct bl_cbor r;
    uint32_t pairs;
    bl_status s;

    memset(out, 0, sizeof(*out));
    bl_cbor_init(&r, body);
    s = bl_cbor_map(&r, &pairs);
    if (s == BL_OK) {
        s = read_pairs(&r, pairs, out);
    }
    if (s == BL_OK) {
        s = bl_cbor_finish(&r);
    }
    return s == BL_OK ? BL_OK : BL_ANSWER;
}
