/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration: defaults, then the file (libconfig), then the environment
 * (BOWLINE_LISTEN for `listen`, and so on). packaging/bowlined.conf is the
 * annotated list of keys. A relative path is relative to the file's folder.
 */
#ifndef SERVER_CONFIG_H
#define SERVER_CONFIG_H

#include "host/error.h"
#include "host/log.h"

enum { CONFIG_TEXT = 512 };

struct config {
    char listen[CONFIG_TEXT];
    char tls_certificate[CONFIG_TEXT];
    char tls_key[CONFIG_TEXT];
    char client_ca[CONFIG_TEXT];
    int plain_http;
    int tls12_unmanaged;   /* for /p/, and nothing else */
    int unmanaged_devices; /* kept, of each product */
    char data[CONFIG_TEXT];
    char ticket_key[CONFIG_TEXT];
    char operator_tokens[CONFIG_TEXT];
    int ticket_validity_s;
    int poll_interval_s;
    int max_downloads;
    int polls_per_minute; /* of a device, that cost; 0: no limit */
    int events_per_device;
    int threads;
    int max_connections; /* 0: what the limit of open files allows */
    int connections_per_address;
    int request_timeout_s;
    char log_format[CONFIG_TEXT];
    char log_level[CONFIG_TEXT];
    int max_payload_mb;
    int metrics_public;
    int clock_speed;    /* above 1 for tests and demos only */
    int silent_after_s; /* of a device under way; 0: by the poll interval */
    int four_eyes;      /* until the settings say otherwise */
    int webhook_allow_http;
    int webhook_allow_private;
    char webhook_ca[CONFIG_TEXT];
    int webhook_retry_s;
    int deltas;                      /* until the settings say otherwise */
    int delta_share;                 /* percent of the payload, at most */
    int delta_workers;               /* patches made at once */
    int delta_seconds;               /* that one may take */
    int delta_memory_mb;             /* that one may take; 0: any */
    int delta_effort;                /* diff.h */
    int delta_bases;                 /* of one target */
    int delta_ahead_s;               /* before a rollout starts */
    int delta_store_mb;              /* all patches together */
    int delta_failures;              /* devices; then it is withdrawn */
    int delta_pause_s;               /* before one that was killed again */
    int delta_wait_s;                /* of devices, for one that is coming */
    char delta_program[CONFIG_TEXT]; /* "": this one */
    int journal_idle_ms;
    int journal_flush_ms;
    int journal_sweep_s;
};

/* `path` may be NULL: defaults and environment only. */
int config_load(struct config *c, const char *path, struct error *err);
enum log_level config_log_level(const struct config *c);

#endif
