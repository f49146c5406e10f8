/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server as one struct: what every handler may need. Locks are taken in
 * this order: admin, store, catalog, a device, the journal's, the stream's.
 */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include "auth.h"
#include "blob.h"
#include "catalog.h"
#include "config.h"
#include "deltas.h"
#include "devices.h"
#include "http.h"
#include "image_facts.h"
#include "journal.h"
#include "login.h"
#include "rate.h"
#include "settings.h"
#include "stream.h"
#include "throttle.h"
#include "tickets.h"
#include "unmanaged.h"
#include "webhooks.h"
#include "worker.h"

struct server {
    struct config config;
    struct store store;
    struct catalog catalog;
    struct devices *devices;
    struct journal *journal;
    struct blobs blobs;
    struct blobs patches;
    struct deltas deltas;
    struct delta_keeper *delta_keeper;
    struct metrics metrics;
    struct rate refusals; /* of devices, in the log */
    struct unmanaged_set *unmanaged;
    struct throttle unmanaged_tries;
    struct image_cache images;
    struct operators operators;
    struct tickets tickets;
    struct settings settings;
    struct http *http;
    struct stream *stream;
    struct people people;
    struct login login;
    struct worker *logins;  /* hashes passwords */
    struct worker *slow;    /* walks over much */
    struct worker *walks;   /* over all devices, for who asks */
    struct worker *changes; /* that take such a walk */
    struct webhooks *webhooks;
    const struct bl_crypto *crypto;
    /* Operators' changes, one at a time: check, store, then apply. */
    pthread_mutex_t admin;
    uint64_t started;                 /* seconds since 1970 */
    uint64_t started_us;              /* monotonic */
    int64_t certificate_until;        /* 0: no TLS */
    struct census_keeper *census;     /* census.h */
    _Atomic uint64_t rollout_changed; /* seconds since 1970 */
};

#endif
