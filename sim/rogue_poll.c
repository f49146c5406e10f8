/* SPDX-License-Identifier: Apache-2.0 */
/* The device API (docs/PROTOCOL.md), spoken with bad intent. */
#include <stdio.h>
#include <time.h>

#include "bowline/cbor.h"
#include "host/file.h"
#include "rogue.h"

enum { ANSWER = 4096, TICKET_LIMIT = 1024, EVENT_FIELDS = 9 };

static bl_status read_events(struct bl_cbor *r, struct rogue_poll *out)
{
    uint32_t n = 0;
    bl_status status = bl_cbor_array(r, &n);

    if (status != BL_OK || n > sizeof out->event / sizeof out->event[0]) {
        return BL_CBOR;
    }
    for (uint32_t i = 0; i < n; i++) {
        uint64_t field[EVENT_FIELDS];
        uint32_t fields = 0;

        status = bl_cbor_array(r, &fields);
        if (status != BL_OK || fields != EVENT_FIELDS) {
            return BL_CBOR;
        }
        for (uint32_t f = 0; f < EVENT_FIELDS; f++) {
            status = bl_cbor_uint(r, &field[f]);
            if (status != BL_OK) {
                return status;
            }
        }
        out->event[i].number = field[0];
        out->event[i].state = field[3];
        out->event[i].code = field[4];
    }
    out->n_events = n;
    return BL_OK;
}

static bl_status read_bytes(struct bl_cbor *r, size_t n, const uint8_t **out)
{
    bl_span bytes;
    bl_status status = bl_cbor_bstr(r, &bytes);

    if (status == BL_OK && bytes.n == n) {
        *out = bytes.p;
        return BL_OK;
    }
    return BL_CBOR;
}

static bl_status read_value(struct bl_cbor *r, uint64_t key,
                            struct rogue_poll *out)
{
    switch (key) {
    case 1:
        return read_bytes(r, BL_ID_SIZE, &out->id);
    case 2:
        return bl_cbor_bstr(r, &out->nonce);
    case 3:
        return bl_cbor_uint(r, &out->root_version);
    case 4:
        return read_bytes(r, 32, &out->running);
    case 9:
        return read_events(r, out);
    case 10:
        return read_bytes(r, BL_ID_SIZE, &out->class_id);
    default:
        return bl_cbor_item(r, NULL);
    }
}

int rogue_poll_read(bl_span body, struct rogue_poll *out)
{
    struct bl_cbor r;
    uint32_t pairs = 0;
    bl_status status;

    memset(out, 0, sizeof *out);
    bl_cbor_init(&r, body);
    status = bl_cbor_map(&r, &pairs);
    while (status == BL_OK && pairs-- > 0) {
        uint64_t key = 0;

        status = bl_cbor_uint(&r, &key);
        if (status == BL_OK) {
            status = read_value(&r, key, out);
        }
    }
    return status == BL_OK && bl_cbor_finish(&r) == BL_OK && out->id != NULL &&
                   out->running != NULL
               ? 0
               : -1;
}

bool rogue_poll_matters(const struct rogue *rogue,
                        const struct rogue_poll *poll)
{
    return !rogue->one_class ||
           (poll->class_id != NULL &&
            memcmp(poll->class_id, rogue->class_id, BL_ID_SIZE) == 0);
}

/* --- Who is asking ---------------------------------------------------------
 */

static struct rogue_device *find(struct rogue *rogue,
                                 const struct rogue_poll *poll)
{
    struct rogue_device *d;

    for (uint32_t i = 0; i < rogue->n_devices; i++) {
        if (memcmp(rogue->device[i].id, poll->id, BL_ID_SIZE) == 0) {
            return &rogue->device[i];
        }
    }
    if (rogue->n_devices == ROGUE_DEVICES) {
        return NULL;
    }
    d = &rogue->device[rogue->n_devices++];
    memcpy(d->id, poll->id, BL_ID_SIZE);
    memcpy(d->running, poll->running, 32);
    while (!rogue->offer[rogue->attack_of_next % ROGUE_ATTACKS].ready) {
        rogue->attack_of_next++;
    }
    d->attack = rogue->attack_of_next++ % ROGUE_ATTACKS;
    for (uint32_t i = 0; i < poll->n_events; i++) {
        d->seen = poll->event[i].number;
    }
    return d;
}

static void tell(const struct rogue *rogue, const struct rogue_device *d)
{
    const char *state = d->fell
                            ? "fell for it"
                            : bl_device_state_name((bl_device_state)d->state);
    const char *code = bl_status_name((bl_status)d->code);
    char id[2 * BL_ID_SIZE + 1];

    hex_encode(d->id, BL_ID_SIZE, id);
    if (rogue->json) {
        (void)printf("{\"device\": \"%s\", \"attack\": \"%s\", "
                     "\"state\": \"%s\", \"code\": \"%s\", \"fell\": %s}\n",
                     id, rogue_attack_name(d->attack), state, code,
                     d->fell ? "true" : "false");
    } else {
        (void)printf("%s  %-8s %s: %s (%s)\n", id,
                     rogue_attack_name(d->attack), state,
                     bl_status_meaning((bl_status)d->code), code);
    }
    (void)fflush(stdout);
}

static void hear(const struct rogue *rogue, struct rogue_device *d,
                 const struct rogue_poll *poll)
{
    if (!d->fell && memcmp(d->running, poll->running, 32) != 0) {
        d->fell = true;
        tell(rogue, d);
    }
    for (uint32_t i = 0; i < poll->n_events && !d->answered; i++) {
        uint64_t state = poll->event[i].state;

        if (poll->event[i].number > d->seen &&
            (state == BL_STATE_REFUSED || state == BL_STATE_FAILED)) {
            d->answered = true;
            d->state = state;
            d->code = poll->event[i].code;
            tell(rogue, d);
        }
    }
}

/* --- What it is told -------------------------------------------------------
 */

static int make_ticket(struct rogue *rogue, const struct rogue_device *d,
                       const struct rogue_poll *poll, struct buffer *out,
                       struct error *err)
{
    static const uint8_t recorded[16] = "another request";
    struct author_ticket ticket = {
        .issued = (uint64_t)time(NULL),
        .nonce = poll->nonce,
        .root_version = poll->root_version,
    };

    ticket.expiry = ticket.issued + 3600;
    if (d->attack == ROGUE_STALE) {
        ticket.nonce = bl_span_of(recorded, sizeof recorded);
    }
    memcpy(ticket.device_id, d->id, BL_ID_SIZE);
    memcpy(ticket.manifest, rogue->offer[d->attack].manifest, 32);
    return author_ticket(&ticket, rogue->ticket_key, out, err);
}

/* No event is acknowledged: the real server will hear of all this. */
static int write_answer(const struct rogue_offer *offer, bl_span ticket,
                        struct buffer *out, struct error *err)
{
    uint8_t bytes[ANSWER];
    struct bl_cbor_writer w;
    bl_span whole;

    bl_cbor_writer_init(&w, bytes, sizeof bytes);
    bl_cbor_put_map(&w, ticket.n > 0 ? 4 : 3);
    if (ticket.n > 0) {
        bl_cbor_put_uint(&w, 1);
        bl_cbor_put_bstr(&w, ticket);
    }
    bl_cbor_put_uint(&w, 3);
    bl_cbor_put_uint(&w, offer->envelope.n);
    bl_cbor_put_uint(&w, 5);
    bl_cbor_put_uint(&w, 1);
    bl_cbor_put_uint(&w, 7);
    bl_cbor_put_bstr(&w, bl_span_of(offer->manifest, 32));
    if (bl_cbor_writer_finish(&w, &whole) != BL_OK) {
        return error_set(err, "the answer does not fit");
    }
    return buffer_append(out, whole.p, whole.n, err);
}

int rogue_poll_answer(struct rogue *rogue, const struct rogue_poll *poll,
                      struct buffer *out, struct error *err)
{
    struct rogue_device *d = find(rogue, poll);
    struct buffer ticket = BUFFER(TICKET_LIMIT);
    int result = 0;

    if (d == NULL) {
        return error_set(err, "more devices than this attacker can handle");
    }
    hear(rogue, d, poll);
    if (poll->nonce.n > 0) {
        result = make_ticket(rogue, d, poll, &ticket, err);
    }
    if (result == 0) {
        result = write_answer(&rogue->offer[d->attack], buffer_span(&ticket),
                              out, err);
    }
    buffer_free(&ticket);
    return result;
}
