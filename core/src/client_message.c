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

static void put_report(struct bl_cbor_writer *w, const struct bl_client *c,
                       const struct bl_event *event, uint32_t n)
{
    const struct bl_client_config *config = &c->config;
    bool downloading = c->phase == PHASE_PAYLOAD;
    bool waits = c->wait != BL_WAIT_NONE;

    bl_cbor_put_map(w, 13U + c->fresh + downloading + waits);
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
    if (downloading) {
        put_download(w, &c->install);
    }
    put_key_uint(w, 14, c->state.floor);
    put_key_bytes(w, 15, c->image_digest, 32);
    if (waits) {
        put_key_uint(w, 16, c->wait);
    }
}

bl_status bl_client_write_poll(const struct bl_client *c, bl_span *out)
{
    struct bl_event event[BL_CLIENT_EVENTS];
    struct bl_cbor_writer w;
    uint32_t n = 0;
    bl_status s;

    s = bl_journal_read(&c->journal, c->acked, event, BL_CLIENT_EVENTS, &n);
    if (s != BL_OK) {
        n = 0; /* flash that fails must not silence the device */
    }
    for (;;) {
        bl_cbor_writer_init(&w, c->config.message, c->config.message_size);
        put_report(&w, c, event, n);
        s = bl_cbor_writer_finish(&w, out);
        if (s == BL_OK || n == 0) {
            return s;
        }
        n /= 2; /* the others follow in the next poll */
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

static bl_status get_hint(struct bl_cbor *r, bl_span *out)
{
    bl_status s = bl_cbor_bstr(r, out);

    return s == BL_OK && out->n != 32 ? BL_CBOR : s;
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
        return get_hint(r, &out->hint);
    default:
        return bl_cbor_item(r, NULL);
    }
}

static bl_status read_pairs(struct bl_cbor *r, uint32_t pairs,
                            struct bl_answer *out)
{
    bl_span last = {NULL, 0};
    bl_status s = BL_OK;
    uint64_t key;

    while (s == BL_OK && pairs-- > 0) {
        s = bl_cbor_key_order(r, &last);
        if (s == BL_OK) {
            s = bl_cbor_uint(r, &key);
        }
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
