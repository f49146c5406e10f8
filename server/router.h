/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of routes is the index of the program: router.c. A request goes
 * http.c -> router_begin (route, then auth) -> its handler -> http_reply.
 */
#ifndef SERVER_ROUTER_H
#define SERVER_ROUTER_H

#include "server.h"

enum access {
    ACCESS_ANY,
    ACCESS_METRICS, /* any, when metrics_public; else as a viewer */
    ACCESS_DEVICE,
    ACCESS_UNMANAGED, /* any, over TLS 1.2, too: docs/PROTOCOL.md */
    ACCESS_VIEWER,    /* every role */
    ACCESS_OPERATOR,  /* operator, admin */
    ACCESS_APPROVER,  /* approver, operator, admin: to approve, and to pause;
                         four eyes refuse one's own */
    ACCESS_SELF,      /* admin, or the session of the user in the path */
    ACCESS_ADMIN
};

typedef void route_handler(struct server *server, struct http_request *rq);

struct route {
    const char *method;
    const char *pattern; /* "{}" stands for one segment */
    enum access access;
    size_t body_max;
    route_handler *handle;
    /* For streamed bodies: called with the header, and for each piece. */
    route_handler *begin;
    void (*data)(struct server *server, struct http_request *rq,
                 bl_span piece);
};

struct http_app router_app(struct server *server);

/* The handlers, by file. */
/* device_api.c */
route_handler device_poll, device_manifest, device_payload, device_patch;
route_handler delta_list, delta_add, delta_action_remake,
    delta_action_withdraw;
/* A download is over: its places are free. */
void device_payload_end(struct server *s, struct http_request *rq);
/* unmanaged_api.c */
route_handler unmanaged_image;
void unmanaged_image_end(struct server *s, struct http_request *rq);
/* api_payloads.c */
route_handler payload_begin, payload_finish, payload_head;
void payload_data(struct server *server, struct http_request *rq,
                  bl_span piece);
void payload_end(struct http_request *rq);
/* api_metrics.c */
route_handler server_metrics;
/* api_server.c */
route_handler server_health, server_openapi, server_show, root_add, root_list,
    root_show;
/* api_audit.c */
route_handler audit_list, audit_export, audit_verify;
/* login.c */
route_handler session_add, session_show, session_delete;
/* api_users.c */
route_handler user_list, user_add, user_change, user_delete, user_login_code;
/* api_tokens.c */
route_handler token_list, token_add, token_delete;
/* settings.c */
route_handler settings_show, settings_change;
/* api_webhooks.c */
route_handler webhook_list, webhook_show, webhook_create, webhook_change,
    webhook_remove, webhook_test, webhook_deliveries;
/* api_exports.c */
route_handler export_devices, export_outcomes;
void exports_end(struct http_request *rq);
/* api_stream.c */
route_handler stream_show;
void stream_end(struct http_request *rq);
void stream_wake(void *rq);
/* page.c */
route_handler page_show;
/* api_products.c */
route_handler product_add, product_list, product_show, product_change,
    product_rollback;
/* api_unmanaged.c */
route_handler unmanaged_list, unmanaged_delete;
/* api_releases.c */
route_handler release_add, release_list, release_show, release_envelope;
/* api_devices.c */
route_handler device_add, device_list, device_show, device_delete,
    device_events, device_rollback;
/* api_rollouts.c */
route_handler rollout_add, rollout_preview, rollout_list, rollout_show,
    rollout_plan, rollout_outcomes, status_codes;
/* api_rollout_actions.c */
route_handler rollout_pause, rollout_resume, rollout_abort, rollout_advance,
    rollout_approve, rollout_deny, rollout_retry, rollout_return,
    rollout_return_preview;
/* api_release_marks.c */
route_handler release_change, release_promote, release_manifest,
    release_sbom_put, release_sbom;
/* api_rollout_change.c */
route_handler rollout_change;
/* api_fleet.c */
route_handler fleet_show, fleet_history;
/* api_device_register.c, api_device_one.c, api_device_past.c */
route_handler device_add_bulk, device_change, device_why, device_bucket,
    device_timeline;

#endif
