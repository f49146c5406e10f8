/* SPDX-License-Identifier: Apache-2.0 */
#include "server.h"

#include "bowline/cbor.h"
#include "bowline/sha256.h"
#include "host/file.h"

/* --- What a device says
 * ------------------------------------------------------ */

static bl_status read_bytes(struct bl_cbor *r, uint8_t *out, size_t n)
{
    bl_span v;
    bl_status s = bl_cbor_bstr(r, &v);

    if (s == BL_OK && v.n != n) {
        return BL_CBOR;
    }
    if (s == BL_OK) {
        memcpy(out, v.p, n);
    }
    return s;
}

static bl_status read_event(struct bl_cbor *r, uint64_t value[9])
{
    uint32_t n = 0;
    bl_status s = bl_cbor_array(r, &n);

    if (s == BL_OK && n != 9) {
        return BL_CBOR;
    }
    for (uint32_t i = 0; s == BL_OK && i < 9; i++) {
        s = bl_cbor_uint(r, &value[i]);
    }
    return s;
}

static void hear(struct sim_server *server, const uint64_t value[9])
{
    if (value[0] <= server->acked) {
        return; /* a repetition */
    }
    server->acked = (uint32_t)value[0];
    if (value[5] == server->about && value[3] < 16 &&
        (value[3] != server->last_state || value[1] != server->last_boot)) {
        server->heard[value[3]]++;
        server->last_state = value[3];
        server->last_boot = value[1];
    }
}

static bl_status read_events(struct sim_server *server, struct bl_cbor *r,
                             struct sim_poll *out)
{
    bl_status s = bl_cbor_array(r, &out->n_events);
    uint64_t value[9];

    if (s == BL_OK && out->n_events > 8) {
        return BL_CBOR;
    }
    for (uint32_t i = 0; s == BL_OK && i < out->n_events; i++) {
        s = read_event(r, value);
        if (s == BL_OK) {
            hear(server, value);
        }
    }
    return s;
}

static bl_status read_download(struct bl_cbor *r, struct sim_poll *out)
{
    uint32_t n = 0;
    bl_status s = bl_cbor_array(r, &n);

    if (s == BL_OK && n != 2) {
        return BL_CBOR;
    }
    if (s == BL_OK) {
        s = bl_cbor_uint(r, &out->done);
    }
    return s == BL_OK ? bl_cbor_uint(r, &out->size) : s;
}

static bl_status read_power(struct bl_cbor *r, struct sim_poll *out)
{
    uint32_t n = 0;
    bl_status s = bl_cbor_array(r, &n);

    if (s == BL_OK && n != 2) {
        return BL_CBOR;
    }
    out->has_power = true;
    if (s == BL_OK) {
        s = bl_cbor_uint(r, &out->battery);
    }
    return s == BL_OK ? bl_cbor_uint(r, &out->flags) : s;
}

static bl_status read_deltas(struct bl_cbor *r, struct sim_poll *out)
{
    uint32_t n = 0;
    bl_status s = bl_cbor_array(r, &n);

    if (s == BL_OK && n != 3) {
        return BL_CBOR;
    }
    out->has_deltas = true;
    if (s == BL_OK) {
        s = bl_cbor_uint(r, &out->delta_format);
    }
    if (s == BL_OK) {
        s = bl_cbor_uint(r, &out->delta_memory);
    }
    return s == BL_OK ? bl_cbor_uint(r, &out->delta_sets) : s;
}

static bl_status read_known(struct sim_server *server, struct bl_cbor *r,
                            uint64_t key, struct sim_poll *out)
{
    uint8_t id[16];

    switch (key) {
    case 1:
    case 10:
        return read_bytes(r, id, 16);
    case 2:
        return bl_cbor_bstr(r, &out->nonce);
    case 3:
        return bl_cbor_uint(r, &out->root_version);
    case 4:
        return read_bytes(r, out->running, 32);
    case 5:
        return bl_cbor_uint(r, &out->slot);
    case 6:
        return bl_cbor_uint(r, &out->state);
    case 7:
        return bl_cbor_bool(r, &out->confirmed);
    case 8:
        return bl_cbor_uint(r, &out->sequence);
    case 9:
        return read_events(server, r, out);
    case 13:
        return read_download(r, out);
    case 14:
        return bl_cbor_uint(r, &out->floor);
    case 15:
        return read_bytes(r, out->image, 32);
    case 16:
        return bl_cbor_uint(r, &out->wait);
    case 17:
        out->has_offset = true;
        return bl_cbor_int(r, &out->utc_offset);
    case 18:
        return bl_cbor_item(r, &out->attributes);
    case 19:
        return read_power(r, out);
    case 20:
        return bl_cbor_uint(r, &out->tries);
    case 21:
        return read_deltas(r, out);
    default:
        return bl_cbor_item(r, NULL);
    }
}

int sim_server_read(struct sim_server *server, bl_span body,
                    struct sim_poll *out)
{
    struct bl_cbor r;
    uint64_t next = 0;
    uint32_t pairs = 0;
    uint64_t key = 0;
    bl_status s;

    memset(out, 0, sizeof(*out));
    bl_cbor_init(&r, body);
    s = bl_cbor_map(&r, &pairs);
    while (s == BL_OK && pairs-- > 0) {
        s = bl_cbor_next_key(&r, &next, &key);
        if (s == BL_OK) {
            s = read_known(server, &r, key, out);
        }
    }
    return s == BL_OK && bl_cbor_finish(&r) == BL_OK ? 0 : -1;
}

/* --- What the server says
 * ------------------------------------------------------ */

/* Tickets signed once in a process: devices with few random numbers ask the
 * same over and over. */
enum { TICKETS = 4096, TICKET_MAX = 256 };

static struct ticket {
    uint8_t question[32];
    uint8_t bytes[TICKET_MAX];
    size_t n; /* 0: not in use */
} tickets[TICKETS];

static void question(const struct author_ticket *ticket, uint8_t out[32])
{
    struct bl_sha256 h;

    bl_sha256_init(&h);
    bl_sha256_update(&h, ticket->nonce.p, ticket->nonce.n);
    bl_sha256_update(&h, ticket->device_id, 16);
    bl_sha256_update(&h, ticket->manifest, 32);
    bl_sha256_update(&h, &ticket->root_version, 8);
    bl_sha256_final(&h, out);
}

static int sign(const struct sim_fixture *f,
                const struct author_ticket *ticket, struct ticket *place)
{
    struct buffer out = BUFFER(TICKET_MAX);
    int r = author_ticket(ticket, f->key[SIM_KEY_TICKET], &out, NULL);

    if (r == 0) {
        question(ticket, place->question);
        memcpy(place->bytes, out.p, out.n);
        place->n = out.n;
    }
    buffer_free(&out);
    return r;
}

static int put_ticket(const struct sim_server *server,
                      const struct sim_poll *poll, struct bl_cbor_writer *w)
{
    const struct sim_fixture *f = server->fixture;
    struct author_ticket ticket = {.issued = SIM_TIME + 60,
                                   .expiry = SIM_TIME + 3660,
                                   .nonce = poll->nonce,
                                   .root_version = server->root};
    struct ticket *place;
    uint8_t asked[32];

    memcpy(ticket.device_id, f->device_id, 16);
    memcpy(ticket.manifest, f->release[server->wanted].manifest, 32);
    question(&ticket, asked);
    place = &tickets[((unsigned)asked[0] << 8 | asked[1]) % TICKETS];
    if ((place->n == 0 || memcmp(place->question, asked, 32) != 0) &&
        sign(f, &ticket, place) != 0) {
        return -1;
    }
    bl_cbor_put_uint(w, 1);
    bl_cbor_put_bstr(w, bl_span_of(place->bytes, place->n));
    return 0;
}

static void put_roots(const struct sim_server *server, uint64_t version,
                      struct bl_cbor_writer *w)
{
    bl_cbor_put_uint(w, 2);
    bl_cbor_put_array(w, server->root - (uint32_t)version);
    for (uint64_t v = version; v < server->root; v++) {
        bl_cbor_put_bstr(w, buffer_span(&server->fixture->root[v]));
    }
}

static uint32_t count_rules(const struct bl_policy *p)
{
    return (uint32_t)(p->min_battery > 0) + p->no_metered + p->no_roaming +
           p->consent + p->forced + (p->window_s > 0);
}

static void put_rule(struct bl_cbor_writer *w, uint32_t key, bool there,
                     bool value)
{
    if (there) {
        bl_cbor_put_uint(w, key);
        bl_cbor_put_bool(w, value);
    }
}

static void put_policy(const struct bl_policy *p, struct bl_cbor_writer *w)
{
    bl_cbor_put_uint(w, 8);
    bl_cbor_put_map(w, count_rules(p));
    if (p->min_battery > 0) {
        bl_cbor_put_uint(w, 1);
        bl_cbor_put_uint(w, p->min_battery);
    }
    put_rule(w, 2, p->no_metered, false);
    put_rule(w, 3, p->no_roaming, false);
    put_rule(w, 4, p->consent, true);
    put_rule(w, 5, p->forced, true);
    if (p->window_s > 0) {
        bl_cbor_put_uint(w, 6);
        bl_cbor_put_uint(w, p->window_s);
    }
}

static void put_patch(struct sim_server *server, struct bl_cbor_writer *w)
{
    const struct sim_patch *patch = server->patch;

    server->patches++;
    bl_cbor_put_uint(w, 9);
    bl_cbor_put_array(w, 4);
    bl_cbor_put_bstr(w, bl_span_of(patch->payload, 32));
    bl_cbor_put_bstr(w, bl_span_of(patch->base, 32));
    bl_cbor_put_bstr(w, bl_span_of(patch->sha256, 32));
    bl_cbor_put_uint(w, patch->bytes.n);
}

static int put_answer(struct sim_server *server, const struct sim_poll *poll,
                      struct bl_cbor_writer *w)
{
    const struct sim_release *r = &server->fixture->release[server->wanted];
    bool new_roots = !server->keeps_roots && poll->root_version > 0 &&
                     poll->root_version < server->root;
    bool differs = memcmp(poll->running, r->manifest, 32) != 0;
    bool fresh = poll->nonce.p != NULL;
    bool permit = differs && server->permit;
    bool policy = differs && count_rules(&server->policy) > 0;

    bool patch = differs && fresh && poll->has_deltas && server->patch != NULL;

    bl_cbor_put_map(w, 2U + fresh + new_roots + differs + permit + policy +
                           patch);
    if (fresh) {
        server->tickets++;
        if (put_ticket(server, poll, w) != 0) {
            return -1;
        }
    }
    if (new_roots) {
        put_roots(server, poll->root_version, w);
    }
    if (differs) {
        bl_cbor_put_uint(w, 3);
        bl_cbor_put_uint(w, r->envelope.n);
    }
    if (permit) {
        bl_cbor_put_uint(w, 4);
        bl_cbor_put_bstr(w, buffer_span(&r->permit[server->root - 1]));
    }
    bl_cbor_put_uint(w, 6);
    bl_cbor_put_uint(w, server->acked);
    bl_cbor_put_uint(w, 7);
    bl_cbor_put_bstr(w, bl_span_of(r->manifest, 32));
    if (policy) {
        put_policy(&server->policy, w);
    }
    if (patch) {
        put_patch(server, w);
    }
    return 0;
}

int sim_server_poll(struct sim_server *server, bl_span body,
                    uint8_t out[SIM_ANSWER_MAX], bl_span *answer)
{
    struct bl_cbor_writer w;
    struct sim_poll poll;

    server->polls++;
    if (body.n > 4096 || sim_server_read(server, body, &poll) != 0) {
        return -1;
    }
    server->last = poll;
    if (server->recalls && poll.state == BL_STATE_TESTING) {
        server->wanted = server->recalled;
    }
    bl_cbor_writer_init(&w, out, SIM_ANSWER_MAX);
    if (put_answer(server, &poll, &w) != 0) {
        return -1;
    }
    return bl_cbor_writer_finish(&w, answer) == BL_OK ? 0 : -1;
}

static bool is_uri(bl_span uri, const char *folder, const uint8_t digest[32])
{
    char text[32 + 65];
    size_t n = strlen(folder);

    memcpy(text, folder, n);
    hex_encode(digest, 32, text + n);
    return bl_span_equal(uri, bl_span_of(text, n + 64));
}

bl_span sim_server_get(const struct sim_server *server, bl_span uri)
{
    uint8_t digest[32];

    for (unsigned i = 0; i < SIM_RELEASES; i++) {
        const struct sim_release *r = &server->fixture->release[i];

        if (is_uri(uri, "manifests/", r->manifest)) {
            return buffer_span(&r->envelope);
        }
        if (is_uri(uri, "payloads/", r->app_sha256)) {
            return bl_span_of(r->app, SIM_APP_SIZE);
        }
        if (r->patch.n > 0) {
            bl_sha256(r->patch.p, r->patch.n, digest);
            if (is_uri(uri, "payloads/", digest)) {
                return buffer_span(&r->patch);
            }
        }
    }
    if (server->patch != NULL && !server->no_patch &&
        is_uri(uri, "deltas/", server->patch->sha256)) {
        return server->patch->bytes;
    }
    return bl_span_of(NULL, 0);
}
