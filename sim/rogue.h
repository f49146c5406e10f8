/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An update server that was broken into: it holds the genuine ticket key and a
 * certificate that devices trust, everything but the release keys. It tries
 * one attack on each device and listens for what the device says to it.
 */
#ifndef ROGUE_H
#define ROGUE_H

#include <pthread.h>

#include "author/author.h"
#include "bowline/journal.h"
#include "bowline/sha256.h"
#include "bowline/suit.h"

enum rogue_attack {
    ROGUE_FLIP,    /* a genuine release, one bit of its payload flipped */
    ROGUE_KEY,     /* a manifest signed by the attacker's own key */
    ROGUE_PRODUCT, /* a genuine manifest of another product */
    ROGUE_OLD,     /* an old genuine release, replayed */
    ROGUE_STALE,   /* a ticket that was recorded earlier */
    ROGUE_ATTACKS
};

enum { ROGUE_DEVICES = 256 };

struct rogue_offer {
    bool ready;
    struct buffer envelope;
    struct buffer payload;
    uint8_t manifest[32];
    uint8_t sha256[32]; /* by which the payload is asked for */
    uint8_t class_id[BL_ID_SIZE];
};

struct rogue_device {
    uint8_t id[BL_ID_SIZE];
    enum rogue_attack attack;
    uint8_t running[32]; /* what it ran when it came */
    uint64_t seen;       /* its last event before the attack */
    bool answered;       /* it said no, and why: */
    uint64_t state;
    uint64_t code;
    bool fell; /* it runs something else now */
};

struct rogue {
    pthread_mutex_t lock;
    struct author_key *ticket_key;
    struct rogue_offer offer[ROGUE_ATTACKS];
    struct rogue_device device[ROGUE_DEVICES];
    uint32_t n_devices;
    uint32_t attack_of_next; /* which attack the next new device gets */
    bool one_class;          /* only devices of this class are attacked */
    uint8_t class_id[BL_ID_SIZE];
    bool json;
};

/* What a poll says, as far as it is of interest here. */
struct rogue_poll {
    const uint8_t *id;
    bl_span nonce;
    uint64_t root_version;
    const uint8_t *running;
    const uint8_t *class_id; /* NULL: not said */
    uint32_t n_events;
    struct {
        uint64_t number;
        uint64_t state;
        uint64_t code;
    } event[16];
};

/* rogue_poll.c */
int rogue_poll_read(bl_span body, struct rogue_poll *out);
/* Is it one of those that are attacked? The others are put off. */
bool rogue_poll_matters(const struct rogue *rogue,
                        const struct rogue_poll *poll);
/* Hears a poll and writes the answer. Call with the lock held. */
int rogue_poll_answer(struct rogue *rogue, const struct rogue_poll *poll,
                      struct buffer *out, struct error *err);

/* rogue_attack.c */
const char *rogue_attack_name(enum rogue_attack attack);
const char *rogue_attack_meaning(enum rogue_attack attack);
/* From an envelope and, where the attack serves one, a payload file. */
int rogue_offer_make(struct rogue_offer *offer, enum rogue_attack attack,
                     const char *envelope, const char *payload,
                     struct error *err);
void rogue_offer_free(struct rogue_offer *offer);

/* rogue_http.c */
struct rogue_http;
struct rogue_http *rogue_http_start(struct rogue *rogue, uint16_t port,
                                    const char *cert_file,
                                    const char *key_file, struct error *err);
void rogue_http_stop(struct rogue_http *http);

#endif
