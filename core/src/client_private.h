/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the client share; see bowline/client.h. */
#ifndef BOWLINE_CLIENT_PRIVATE_H
#define BOWLINE_CLIENT_PRIVATE_H

#include "bowline/cbor.h"
#include "bowline/client.h"

enum {
    PHASE_IDLE,     /* nothing but polls */
    PHASE_OFFER,    /* a ticket was accepted, work may begin */
    PHASE_WAIT,     /* the application does not want it yet */
    PHASE_ENVELOPE, /* the manifest is on its way */
    PHASE_PAYLOAD,  /* a payload is on its way */
    PHASE_REBOOT,   /* reset when the server has been told, or not */
    PHASE_RESET     /* reset at once */
};

enum { EXPECT_NONE, EXPECT_POLL, EXPECT_REPORT, EXPECT_GET };

/* A delta as the server offers it. */
struct bl_delta_offer {
    bl_span payload;
    bl_span base;
    bl_span patch; /* p NULL: absent */
    uint32_t size;
};

struct bl_answer {
    bl_span ticket; /* p NULL: absent, here and below */
    bl_span permit;
    bl_span hint;
    struct bl_cbor roots; /* checked: byte strings */
    uint32_t n_roots;
    uint32_t envelope_n;
    uint32_t poll_s;
    uint32_t acked;
    struct bl_policy policy;
    struct bl_delta_offer delta;
};

/* client_message.c */
bl_status bl_client_write_poll(struct bl_client *c,
                               bl_span *out) BL_MUST_CHECK;
bl_status bl_client_read_answer(bl_span body,
                                struct bl_answer *out) BL_MUST_CHECK;

/*
 * client_delta.c: all that is called of it goes through this table, so that
 * only a firmware that names it carries it.
 */
struct bl_delta_engine {
    /* Instruction sets, for poll key 21. */
    uint32_t (*sets)(void);
    /* Takes down what a ticket's answer offers, or that it offers none. */
    void (*offer)(struct bl_client *c, const struct bl_delta_offer *offer);
    /* Shall the payload that was just begun come by delta? */
    bool (*begin)(struct bl_client *c);
    /* Is the whole patch here already, before a transfer? */
    bool (*has_all)(const struct bl_client *c);
    void (*get)(struct bl_client *c, struct bl_action *action);
    bl_status (*body)(struct bl_client *c, int status, uint32_t offset);
    bl_status (*data)(struct bl_client *c, const uint8_t *data, size_t n);
    /* A transfer has ended, and how. BL_TRANSPORT, BL_HTTP: once more, from
     * where it is. BL_OK: the payload is in flash, and is the right one.
     * BL_TO_BE_FETCHED: whole, from now on. Else the installation ends. */
    bl_status (*done)(struct bl_client *c, bl_status broken, bool ok);
    /* A manifest's x-apply, from begin to end. */
    bl_status (*apply)(struct bl_client *c, const struct bl_suit_apply *apply);
};

/* Not an error, and a status that no function of an installation returns. */
#define BL_TO_BE_FETCHED BL_INTERRUPTED

/* client_developer.c, behind a table for the same reason. */
struct bl_client_developer {
    bl_status (*authenticate)(const struct bl_client *c);
};
/* Is the installation under way one that nobody needs to have signed? */
static inline bool bl_client_vouches(const struct bl_client *c)
{
    return c->pushed && c->config.developer != NULL;
}

/* client_attributes.c */
/* False: some were left out. */
bool bl_client_put_attributes(const struct bl_client_config *c,
                              struct bl_cbor_writer *w);
/* Another number when any of them is another; hardly ever 0. */
uint32_t bl_client_sum_attributes(const struct bl_client_config *c);

/* client_wait.c */
void bl_client_look_around(struct bl_client *c);
/* May the offer go on now? Sets `wait`. */
void bl_client_judge_wait(struct bl_client *c);
void bl_client_take_policy(struct bl_client *c,
                           const struct bl_policy *policy);

/* client.c */
uint64_t bl_client_interval_ms(const struct bl_client *c);
/* When to try again after `failures`: a random time that grows with them, but
 * not before the server's Retry-After, as far as that is followed at all. */
uint64_t bl_client_again_ms(const struct bl_client *c, uint32_t failures,
                            uint32_t retry_after_s, uint32_t most_s);
/* Enters a state and writes it down. An event that flash refuses is lost: the
 * update goes on without it. */
void bl_client_enter(struct bl_client *c, bl_device_state state,
                     bl_status code);

/* client_trial.c */
static inline bool bl_client_on_trial(const struct bl_client *c)
{
    return c->state.trial == c->slot; /* not: will be, after the reset */
}
/* Neither: an image that the boot code started for want of a better. */
static inline bool bl_client_confirmed(const struct bl_client *c)
{
    return !bl_client_on_trial(c) &&
           c->state.slot[c->slot].status == BL_SLOT_CONFIRMED;
}
void bl_client_trial_init(struct bl_client *c);
/* The journal's last event about a release, of the states whose bits are set;
 * false when there is none. */
bool bl_client_last_event(const struct bl_client *c, uint64_t sequence,
                          uint32_t states, struct bl_event *out);
void bl_client_test(struct bl_client *c);
void bl_client_give_up(struct bl_client *c, bl_status why);

/* client_update.c */
void bl_client_offer(struct bl_client *c, const struct bl_ticket *ticket,
                     const struct bl_answer *answer);
/* The offer again, when the application is ready for it. */
void bl_client_work(struct bl_client *c);
bool bl_client_goes_on(struct bl_client *c);
/* The envelope in the configuration's buffer is whole: judges and begins. */
void bl_client_begin(struct bl_client *c);
void bl_client_get(struct bl_client *c, struct bl_action *action);
/* `folder`, with its '/', and a digest's hex; in c->uri. */
bl_span bl_client_uri(struct bl_client *c, const char *folder,
                      const uint8_t digest[32]);

/* client_platform.c */
static inline uint8_t bl_client_target(const struct bl_client *c)
{
    return (uint8_t)(c->slot ^ 1U);
}
void bl_client_platform(struct bl_client *c);
bl_status bl_client_look(struct bl_client *c, uint8_t slot,
                         struct bl_slot_facts *facts) BL_MUST_CHECK;
/* Installs a payload that is in memory already. What was in flash from before
 * a power cut may be another's: then once more from nothing. */
bl_status bl_client_write_whole(struct bl_client *c, bl_span id,
                                bl_span content, uint32_t size,
                                const uint8_t digest[32]) BL_MUST_CHECK;

#endif
