/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The byte pump: does what core's client asks for, over HTTP. One client, one
 * pump, one thread. The token goes to the servers of device.conf only:
 * payload addresses are taken relative to them, absolute ones are refused.
 */
#ifndef POSIX_PUMP_H
#define POSIX_PUMP_H

#include "bowline/client.h"
#include "host/http.h"
#include "posix/config.h"

enum { PUMP_URI = 128 };

struct pump {
    struct bl_client *client;
    const struct device_config *config;
    struct http *http;
    struct error error; /* why the last transfer did not work; its code is
                           the HTTP status of a poll's answer that was none */
    const char *server; /* the one that answered last */
    bool started;       /* a transfer's body has begun */
    uint64_t fetched;   /* bytes of it that came, from `offset` on */
    uint32_t offset;
    char uri[PUMP_URI]; /* of the last transfer, below /d/v1/ */
    /* Called about once a second or more often, also while a transfer stands
     * still: the place to pet the watchdog. */
    void (*idle)(void *ctx);
    void *ctx;
};

/* Set `client`, `config`, `idle` and `ctx` before. */
int pump_open(struct pump *pump, struct error *err);
void pump_close(struct pump *pump);

/* Does one action of the client, sleeping at most 250 ms; says which
 * it was. After BL_TODO_RESET the caller ends the process. */
bl_todo pump_step(struct pump *pump);

#endif
