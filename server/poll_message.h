/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two messages of POST /d/v1/poll (docs/PROTOCOL.md): decoding what a
 * device sent, which may be hostile, and encoding the answer. Pure; spans
 * point into the request.
 */
#ifndef SERVER_POLL_MESSAGE_H
#define SERVER_POLL_MESSAGE_H

#include "bowline/cbor.h"
#include "bowline/journal.h"
#include "bowline/ticket.h"
#include "poll_attributes.h"

enum {
    POLL_MAX = 4096,
    POLL_EVENTS = 8,
    POLL_TEXT = 31,
    POLL_ROOTS = 8,
    POLL_FAULT = 200
};

/* What is wrong with a poll that could not be read. */
struct poll_fault {
    uint64_t key;       /* 0: not a single value */
    uint32_t attribute; /* of key 18; 0: the map */
    const char *why;    /* or NULL */
};

struct poll {
    uint32_t has; /* bit k: key k was there */
    uint8_t id[BL_ID_SIZE];
    bl_span nonce; /* empty: a light poll */
    uint64_t root_version;
    const uint8_t *manifest; /* 32 bytes, or NULL */
    uint8_t slot;
    uint8_t state;
    bool confirmed;
    uint64_t sequence;
    uint32_t n_events;
    struct bl_event event[POLL_EVENTS];
    const uint8_t *class_id; /* 16 bytes, or NULL */
    bl_span hardware;
    bl_span version;
    uint32_t done;
    uint32_t total;
    uint64_t floor;
    const uint8_t *image; /* 32 bytes, or NULL */
    uint8_t wait;
    int16_t utc_offset; /* minutes east; INT16_MIN: absent */
    struct poll_attributes attributes;
    uint8_t battery;       /* percent; 255: absent or unknown */
    uint8_t link;          /* bits, device.h */
    uint8_t tries;         /* 255: absent */
    uint64_t delta_format; /* 0: absent */
    uint64_t delta_ram;
    uint64_t delta_isas;
    struct poll_fault fault;
};

/* Keys 1, 3, 4, 5, 6, 7, 8 must be there. On error only out->fault counts. */
bl_status poll_read(bl_span body, struct poll *out) BL_MUST_CHECK;
static inline bool poll_has(const struct poll *poll, uint32_t key)
{
    return (poll->has >> key & 1U) != 0;
}
/* One line for the device's developer. */
void poll_fault_text(const struct poll_fault *fault, char out[POLL_FAULT]);

/* What must hold on the device before it takes the offer up. */
struct poll_policy {
    uint8_t min_battery; /* percent; 0: any */
    bool no_metered;
    bool no_roaming;
    bool consent;
    bool forced;       /* the others count no more */
    uint32_t window_s; /* until the window closes; 0: it does not */
};

/* A patch for one payload: digests of 32 bytes each. */
struct poll_delta {
    const uint8_t *payload;
    const uint8_t *base;
    const uint8_t *patch;
    uint32_t size; /* 0: there is none */
};

struct poll_answer {
    bl_span ticket; /* empty: none */
    bl_span root[POLL_ROOTS];
    uint32_t n_roots;
    uint64_t envelope_size; /* 0: absent */
    bl_span permit;         /* empty: none */
    uint32_t interval_s;    /* 0: absent */
    bool has_event;
    uint32_t event;          /* last durable one */
    const uint8_t *manifest; /* 32 bytes, or NULL */
    struct poll_policy policy;
    struct poll_delta delta;
};

/* BL_BUFFER when `size` is too small. */
bl_status poll_answer_write(const struct poll_answer *answer, uint8_t *buffer,
                            size_t size, bl_span *out) BL_MUST_CHECK;

#endif
