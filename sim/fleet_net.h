/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP of thousands of devices over few connections: libcurl's multi
 * interface on epoll, TLS 1.3, sessions resumed. One struct per thread.
 *
 * A connection is whoever's turn it is: devices authenticate by request. With
 * `fresh` each exchange has its own, as of devices that sleep in between.
 */
#ifndef SIM_FLEET_NET_H
#define SIM_FLEET_NET_H

#include "host/buffer.h"
#include "host/error.h"

#include <stdbool.h>
#include <stdint.h>

struct fleet_net_config {
    const char *server; /* "https://host:port", no '/' at the end */
    const char *ca_file;
    uint32_t connections; /* exchanges at a time; the others queue */
    bool fresh;
};

/* What an exchange came to. */
struct fleet_end {
    int status; /* of HTTP; 0: no answer was received */
    bool whole; /* the answer came to its end */
    bool begun; /* `begin` was called */
    uint32_t retry_after_s;
    bl_span body; /* of a POST's answer; valid during the call */
};

#define FLEET_WHOLE UINT64_MAX

struct fleet_exchange {
    char path[192]; /* "/d/v1/poll" */
    char etag[72];  /* with quotes; "": none */
    bl_span body;   /* p not NULL: a POST */
    uint32_t offset;
    const char *token;
    uint64_t break_at; /* bytes of the answer's body after which the link
                          breaks; 0: the request arrives, no answer does */
    uint32_t slow;     /* bytes a second at most; 0: no limit */
    /* Of a GET. Anything but 0 ends it. */
    int (*begin)(void *owner, int status, uint64_t offset);
    int (*data)(void *owner, const void *data, size_t n);
    /* Always called, once, last. */
    void (*end)(void *owner, const struct fleet_end *end);
    void *owner;
    struct fleet_exchange *next; /* private */
};

struct fleet_net_counts {
    uint64_t exchanges;
    uint64_t connects;
    uint64_t resumed; /* of these: TLS sessions taken up again */
    uint64_t failed;  /* no answer; not those that were meant to break */
    uint64_t bytes;   /* of bodies received */
};

struct fleet_net;

struct fleet_net *fleet_net_open(const struct fleet_net_config *config,
                                 struct error *err);
/* What is under way is dropped without a call of `end`. */
void fleet_net_close(struct fleet_net *net);
/* `x` must stay where it is until `end` is called. Never calls back itself. */
void fleet_net_submit(struct fleet_net *net, struct fleet_exchange *x);
/* Moves bytes for at most `ms`; returns sooner when an exchange has ended. */
void fleet_net_run(struct fleet_net *net, uint32_t ms);
const struct fleet_net_counts *fleet_net_counts(const struct fleet_net *net);
/* What the last exchange that failed complained of; "" when none has. */
const char *fleet_net_trouble(const struct fleet_net *net);

#endif
