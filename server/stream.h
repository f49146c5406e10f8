/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hub of notices: what has changed is told to those who listen, as
 * server-sent events. A notice says what to look at anew, never what it is
 * now: it is small, and losing some costs a look, no truth. Kept is one ring
 * for all; a listener has a place in it and one notice being sent. Who falls
 * behind the ring, or comes back with an id that is not in it, gets "reset":
 * look at everything anew.
 *
 * Thread-safe. Its lock is the last of all: any other may be held.
 */
#ifndef SERVER_STREAM_H
#define SERVER_STREAM_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    STREAM_RING = 1024,
    STREAM_TEXT = 384, /* a notice, whole */
    STREAM_BEAT_S = 15 /* a comment line, when nothing else was sent */
};

struct stream;
struct stream_listener;

/* `wake` is called, with the hub's lock held, when stream_read may have
 * something again. */
struct stream *stream_new(void (*wake)(void *ctx));
void stream_free(struct stream *s);

/*
 * Takes `data` over. Types: "rollout", "release", "audit", "session", for
 * all; "fleet" is put together to one a second at most; "device" reaches
 * only those who asked for its "id". Cheap when nobody listens. A NULL hub
 * takes it, and forgets it.
 */
void stream_publish(struct stream *s, const char *type, json_t *data);
/* The same for these two, without JSON: for polls. */
void stream_fleet(struct stream *s);
void stream_device(struct stream *s, const uint8_t id[16]);
/* Call it each second: "fleet", and heartbeats. */
void stream_tick(struct stream *s, uint64_t now_s);

struct stream_filter {
    const uint8_t *device; /* also its "device" notices, or NULL */
    uint64_t rollout;      /* of "rollout" notices only its own; 0: all */
    const char *last_id;   /* goes on after this one, or NULL */
};

struct stream_listener *stream_join(struct stream *s,
                                    const struct stream_filter *filter,
                                    void *wake_ctx);
/* After it returns, its `wake` is not called any more. */
void stream_leave(struct stream_listener *l);
/* The next bytes of text/event-stream; 0: none until `wake`. */
size_t stream_read(struct stream_listener *l, uint8_t *out, size_t room);

uint32_t stream_listeners(struct stream *s);

#endif
