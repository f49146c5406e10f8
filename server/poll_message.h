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

enum { POLL_MAX = 4096, POLL_EVENTS = 8, POLL_TEXT = 31, POLL_ROOTS = 8 };

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
};

/* Keys 1, 3, 4, 5, 6, 7, 8 must be there. */
bl_status poll_read(bl_span body, struct poll *out) BL_MUST_CHECK;

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
};

/* BL_BUFFER when `size` is too small. */
bl_status poll_answer_write(const struct poll_answer *answer, uint8_t *buffer,
                            size_t size, bl_span *out) BL_MUST_CHECK;

#endif
