/* SPDX-License-Identifier: Apache-2.0 */
#include "router.h"

#include "access.h"
#include "api.h"
#include "poll_message.h"

#include "bowline/crypto.h"
#include "host/file.h"
#include "host/log.h"

#include <inttypes.h>

enum {
    PLAN_MAX = 4 << 20,
    SBOM_MAX = 1 << 20,
    JSON_MAX = 65536,
    DOCUMENT_MAX = 65536,
    LOGIN_MAX = 1024
};

static const struct route routes[] = {
    /* Devices: docs/PROTOCOL.md. The poll comes first: it is the most. */
    {"POST", "/d/v1/poll", ACCESS_DEVICE, POLL_MAX, device_poll, 0, 0},
    {"GET", "/d/v1/manifests/{}", ACCESS_DEVICE, 0, device_manifest, 0, 0},
    {"GET", "/d/v1/payloads/{}", ACCESS_DEVICE, 0, device_payload, 0, 0},
    {"GET", "/d/v1/deltas/{}", ACCESS_DEVICE, 0, device_patch, 0, 0},
    /* Clients that are not ours. */
    {"GET", "/p/{}/{}/firmware.bin", ACCESS_UNMANAGED, 0, unmanaged_image, 0,
     0},
    /* Operators: openapi.json. */
    {"GET", "/healthz", ACCESS_ANY, 0, server_health, 0, 0},
    {"GET", "/metrics", ACCESS_METRICS, 0, server_metrics, 0, 0},
    {"GET", "/api/v1/openapi.json", ACCESS_ANY, 0, server_openapi, 0, 0},
    /* The dashboard. */
    {"GET", "/", ACCESS_ANY, 0, page_show, 0, 0},
    {"GET", "/assets/{}", ACCESS_ANY, 0, page_show, 0, 0},
    {"GET", "/api/v1/server", ACCESS_VIEWER, 0, server_show, 0, 0},
    {"GET", "/api/v1/audit", ACCESS_VIEWER, 0, audit_list, 0, 0},
    {"GET", "/api/v1/audit/export", ACCESS_VIEWER, 0, audit_export, 0, 0},
    {"GET", "/api/v1/audit/verify", ACCESS_VIEWER, 0, audit_verify, 0, 0},
    {"POST", "/api/v1/session", ACCESS_ANY, LOGIN_MAX, session_add, 0, 0},
    {"GET", "/api/v1/session", ACCESS_VIEWER, 0, session_show, 0, 0},
    {"DELETE", "/api/v1/session", ACCESS_VIEWER, 0, session_delete, 0, 0},
    {"GET", "/api/v1/users", ACCESS_ADMIN, 0, user_list, 0, 0},
    {"POST", "/api/v1/users", ACCESS_ADMIN, JSON_MAX, user_add, 0, 0},
    {"PATCH", "/api/v1/users/{}", ACCESS_SELF, JSON_MAX, user_change, 0, 0},
    {"DELETE", "/api/v1/users/{}", ACCESS_ADMIN, 0, user_delete, 0, 0},
    {"POST", "/api/v1/users/{}/login-code", ACCESS_ADMIN, JSON_MAX,
     user_login_code, 0, 0},
    {"GET", "/api/v1/tokens", ACCESS_ADMIN, 0, token_list, 0, 0},
    {"POST", "/api/v1/tokens", ACCESS_ADMIN, JSON_MAX, token_add, 0, 0},
    {"DELETE", "/api/v1/tokens/{}", ACCESS_ADMIN, 0, token_delete, 0, 0},
    {"GET", "/api/v1/settings", ACCESS_VIEWER, 0, settings_show, 0, 0},
    {"PATCH", "/api/v1/settings", ACCESS_ADMIN, JSON_MAX, settings_change, 0,
     0},
    {"GET", "/api/v1/stream", ACCESS_VIEWER, 0, stream_show, 0, 0},
    {"GET", "/api/v1/export/devices", ACCESS_VIEWER, 0, export_devices, 0, 0},
    {"GET", "/api/v1/export/rollouts/{}", ACCESS_VIEWER, 0, export_outcomes, 0,
     0},
    {"GET", "/api/v1/export/audit", ACCESS_VIEWER, 0, audit_export, 0, 0},
    {"GET", "/api/v1/webhooks", ACCESS_ADMIN, 0, webhook_list, 0, 0},
    {"POST", "/api/v1/webhooks", ACCESS_ADMIN, JSON_MAX, webhook_create, 0, 0},
    {"GET", "/api/v1/webhooks/{}", ACCESS_ADMIN, 0, webhook_show, 0, 0},
    {"PATCH", "/api/v1/webhooks/{}", ACCESS_ADMIN, JSON_MAX, webhook_change, 0,
     0},
    {"DELETE", "/api/v1/webhooks/{}", ACCESS_ADMIN, 0, webhook_remove, 0, 0},
    {"POST", "/api/v1/webhooks/{}/test", ACCESS_ADMIN, JSON_MAX, webhook_test,
     0, 0},
    {"GET", "/api/v1/webhooks/{}/deliveries", ACCESS_ADMIN, 0,
     webhook_deliveries, 0, 0},
    {"POST", "/api/v1/roots", ACCESS_OPERATOR, DOCUMENT_MAX, root_add, 0, 0},
    {"GET", "/api/v1/roots", ACCESS_VIEWER, 0, root_list, 0, 0},
    {"GET", "/api/v1/roots/{}", ACCESS_VIEWER, 0, root_show, 0, 0},
    {"POST", "/api/v1/products", ACCESS_OPERATOR, JSON_MAX, product_add, 0, 0},
    {"GET", "/api/v1/products", ACCESS_VIEWER, 0, product_list, 0, 0},
    {"GET", "/api/v1/products/{}", ACCESS_VIEWER, 0, product_show, 0, 0},
    {"PATCH", "/api/v1/products/{}", ACCESS_ADMIN, JSON_MAX, product_change, 0,
     0},
    {"POST", "/api/v1/products/{}/rollback", ACCESS_OPERATOR, JSON_MAX,
     product_rollback, 0, 0},
    {"GET", "/api/v1/unmanaged", ACCESS_VIEWER, 0, unmanaged_list, 0, 0},
    {"DELETE", "/api/v1/unmanaged/{}", ACCESS_OPERATOR, 0, unmanaged_delete, 0,
     0},
    {"PUT", "/api/v1/payloads/{}", ACCESS_OPERATOR, 0, payload_finish,
     payload_begin, payload_data},
    {"GET", "/api/v1/payloads/{}", ACCESS_VIEWER, 0, payload_head, 0, 0},
    {"POST", "/api/v1/releases", ACCESS_OPERATOR, DOCUMENT_MAX, release_add, 0,
     0},
    {"GET", "/api/v1/releases", ACCESS_VIEWER, 0, release_list, 0, 0},
    {"GET", "/api/v1/releases/{}", ACCESS_VIEWER, 0, release_show, 0, 0},
    {"PATCH", "/api/v1/releases/{}", ACCESS_OPERATOR, JSON_MAX, release_change,
     0, 0},
    {"POST", "/api/v1/releases/{}/promote", ACCESS_OPERATOR, JSON_MAX,
     release_promote, 0, 0},
    {"GET", "/api/v1/releases/{}/manifest", ACCESS_VIEWER, 0, release_manifest,
     0, 0},
    {"GET", "/api/v1/releases/{}/deltas", ACCESS_VIEWER, 0, delta_list, 0, 0},
    {"POST", "/api/v1/releases/{}/deltas", ACCESS_OPERATOR, JSON_MAX,
     delta_add, 0, 0},
    {"POST", "/api/v1/deltas/{}/remake", ACCESS_OPERATOR, JSON_MAX,
     delta_action_remake, 0, 0},
    {"POST", "/api/v1/deltas/{}/withdraw", ACCESS_OPERATOR, JSON_MAX,
     delta_action_withdraw, 0, 0},
    {"PUT", "/api/v1/releases/{}/sbom", ACCESS_OPERATOR, SBOM_MAX,
     release_sbom_put, 0, 0},
    {"GET", "/api/v1/releases/{}/sbom", ACCESS_VIEWER, 0, release_sbom, 0, 0},
    {"GET", "/api/v1/releases/{}/envelope", ACCESS_VIEWER, 0, release_envelope,
     0, 0},
    {"POST", "/api/v1/devices", ACCESS_OPERATOR, JSON_MAX, device_add, 0, 0},
    {"POST", "/api/v1/devices/bulk", ACCESS_OPERATOR, PLAN_MAX,
     device_add_bulk, 0, 0},
    {"GET", "/api/v1/devices", ACCESS_VIEWER, 0, device_list, 0, 0},
    {"GET", "/api/v1/devices/{}", ACCESS_VIEWER, 0, device_show, 0, 0},
    {"PATCH", "/api/v1/devices/{}", ACCESS_OPERATOR, JSON_MAX, device_change,
     0, 0},
    {"DELETE", "/api/v1/devices/{}", ACCESS_OPERATOR, 0, device_delete, 0, 0},
    {"GET", "/api/v1/devices/{}/timeline", ACCESS_VIEWER, 0, device_timeline,
     0, 0},
    {"GET", "/api/v1/devices/{}/why", ACCESS_VIEWER, 0, device_why, 0, 0},
    {"GET", "/api/v1/devices/{}/bucket", ACCESS_VIEWER, 0, device_bucket, 0,
     0},
    {"GET", "/api/v1/devices/{}/events", ACCESS_VIEWER, 0, device_events, 0,
     0},
    {"POST", "/api/v1/devices/{}/rollback", ACCESS_OPERATOR, JSON_MAX,
     device_rollback, 0, 0},
    {"POST", "/api/v1/rollouts", ACCESS_OPERATOR, PLAN_MAX, rollout_add, 0, 0},
    {"POST", "/api/v1/rollouts/preview", ACCESS_VIEWER, PLAN_MAX,
     rollout_preview, 0, 0},
    {"GET", "/api/v1/rollouts", ACCESS_VIEWER, 0, rollout_list, 0, 0},
    {"GET", "/api/v1/rollouts/{}", ACCESS_VIEWER, 0, rollout_show, 0, 0},
    {"GET", "/api/v1/rollouts/{}/plan", ACCESS_VIEWER, 0, rollout_plan, 0, 0},
    {"GET", "/api/v1/rollouts/{}/devices", ACCESS_VIEWER, 0, rollout_outcomes,
     0, 0},
    {"GET", "/api/v1/rollouts/{}/return", ACCESS_VIEWER, 0,
     rollout_return_preview, 0, 0},
    {"POST", "/api/v1/rollouts/{}/pause", ACCESS_APPROVER, JSON_MAX,
     rollout_pause, 0, 0},
    {"POST", "/api/v1/rollouts/{}/resume", ACCESS_OPERATOR, JSON_MAX,
     rollout_resume, 0, 0},
    {"POST", "/api/v1/rollouts/{}/abort", ACCESS_OPERATOR, JSON_MAX,
     rollout_abort, 0, 0},
    {"POST", "/api/v1/rollouts/{}/advance", ACCESS_OPERATOR, JSON_MAX,
     rollout_advance, 0, 0},
    {"POST", "/api/v1/rollouts/{}/approve", ACCESS_APPROVER, JSON_MAX,
     rollout_approve, 0, 0},
    {"POST", "/api/v1/rollouts/{}/deny", ACCESS_APPROVER, JSON_MAX,
     rollout_deny, 0, 0},
    {"POST", "/api/v1/rollouts/{}/retry", ACCESS_OPERATOR, JSON_MAX,
     rollout_retry, 0, 0},
    {"POST", "/api/v1/rollouts/{}/return", ACCESS_OPERATOR, PLAN_MAX,
     rollout_return, 0, 0},
    {"PATCH", "/api/v1/rollouts/{}", ACCESS_OPERATOR, PLAN_MAX, rollout_change,
     0, 0},
    {"GET", "/api/v1/fleet", ACCESS_VIEWER, 0, fleet_show, 0, 0},
    {"GET", "/api/v1/fleet/history", ACCESS_VIEWER, 0, fleet_history, 0, 0},
    {"GET", "/api/v1/codes", ACCESS_VIEWER, 0, status_codes, 0, 0},
};

enum { ROUTES = sizeof routes / sizeof routes[0] };

/* Takes the segment that stands for "{}"; -1 when empty or too long. */
static int take_param(struct http_request *rq, int i, const char **path)
{
    size_t n = strcspn(*path, "/");

    if (i >= HTTP_PARAMS || n == 0 || n >= sizeof rq->param[0]) {
        return -1;
    }
    memcpy(rq->param[i], *path, n);
    rq->param[i][n] = '\0';
    *path += n;
    return 0;
}

static bool path_fits(struct http_request *rq, const char *pattern)
{
    const char *path = rq->path;
    int n = 0;

    while (*pattern != '\0') {
        if (pattern[0] == '{') {
            if (take_param(rq, n++, &path) != 0) {
                return false;
            }
            pattern += 2;
        } else if (*path++ != *pattern++) {
            return false;
        }
    }
    return *path == '\0';
}

static bool method_fits(const char *asked, const char *offered)
{
    return strcmp(asked, offered) == 0 ||
           (strcmp(asked, "HEAD") == 0 && strcmp(offered, "GET") == 0);
}

static const struct route *find_route(struct http_request *rq, bool *known)
{
    *known = false;
    for (int i = 0; i < ROUTES; i++) {
        if (path_fits(rq, routes[i].pattern)) {
            *known = true;
            if (method_fits(rq->method, routes[i].method)) {
                return &routes[i];
            }
        }
    }
    return NULL;
}

/* Of a device that is not let in the log tells enough to find it, seldom
 * enough not to be filled by it. */
static void log_refusal(struct server *s, const struct http_request *rq,
                        const uint8_t *id, const char *why)
{
    uint32_t left_out = 0;
    char hex[33] = "";
    char peer[64];

    if (!rate_allows(&s->refusals, monotonic_us(), &left_out)) {
        return;
    }
    if (id != NULL) {
        hex_encode(id, 16, hex);
    }
    http_peer(rq, peer);
    log_warning("device-refused", LOG_TEXT("device", id ? hex : NULL),
                LOG_TEXT("why", why), LOG_TEXT("peer", peer),
                LOG_INT("not_logged", left_out));
}

/* Why nobody is let in by this token, or NULL: it is good. */
static const char *token_fault(struct server *s, struct http_request *rq,
                               bool *named)
{
    bl_span token = auth_bearer(http_header(rq, "Authorization"));
    uint8_t sha256[32];
    struct device *d;
    bool good;

    *named = auth_device_token(token, rq->device_id, sha256) == 0;
    if (!*named) {
        return token.n == 0 ? "no token" : "not a device token";
    }
    d = devices_lock(s->devices, rq->device_id);
    if (d == NULL) {
        return "no such device: removed, or of another server";
    }
    good = bl_equal(sha256, d->token, 32) == BL_GOOD;
    devices_unlock(s->devices, d);
    return good ? NULL : "not its token: it was registered anew since";
}

static void check_token(struct server *s, struct http_request *rq)
{
    bool named;
    const char *why = token_fault(s, rq, &named);

    if (why == NULL) {
        return;
    }
    log_refusal(s, rq, named ? rq->device_id : NULL, why);
    http_reply_line(rq, 401,
                    "not authenticated: no valid device token or "
                    "client certificate");
    http_reply_header(rq, "WWW-Authenticate", "Bearer");
}

/* A certificate of the client CA names the device; the handshake proved it. */
static bool known_by_certificate(struct server *s, struct http_request *rq)
{
    const char *name = http_client_name(rq);
    struct device *d;

    if (name == NULL || hex_decode(name, strlen(name), rq->device_id, 16)) {
        return false;
    }
    d = devices_lock(s->devices, rq->device_id);
    if (d == NULL) {
        return false;
    }
    devices_unlock(s->devices, d);
    return true;
}

static void allow(struct server *s, struct http_request *rq)
{
    enum access access = rq->route->access;

    if (access == ACCESS_DEVICE) {
        if (!known_by_certificate(s, rq)) {
            check_token(s, rq);
        }
    } else if (access != ACCESS_ANY && access != ACCESS_UNMANAGED &&
               (access != ACCESS_METRICS || !s->config.metrics_public)) {
        access_check(s, rq);
    }
}

static void limit_body(struct http_request *rq)
{
    size_t most = rq->route->body_max;

    if (rq->content_length > most && rq->bare) {
        http_reply_line(rq, 413, "the body is too large");
    } else if (rq->content_length > most) {
        api_error(rq, 413, "too-large",
                  "the body has %" PRIu64 " bytes, at most %zu are taken",
                  rq->content_length, most);
    }
}

static void router_begin(void *ctx, struct http_request *rq)
{
    struct server *s = ctx;
    bool known;

    rq->route = find_route(rq, &known);
    if (rq->route == NULL) {
        rq->body_max = JSON_MAX;
        api_error(rq, known ? 405 : 404, known ? "method" : "not-found",
                  known ? "%s is not possible on %s" : "%s %s: no such thing",
                  rq->method, rq->path);
        return;
    }
    if (rq->route->access != ACCESS_UNMANAGED && http_tls_old(rq)) {
        http_reply_line(rq, 426,
                        "TLS 1.3 is needed here; 1.2 is for /p/ only");
        return;
    }
    rq->bare = rq->route->access == ACCESS_DEVICE ||
               rq->route->access == ACCESS_UNMANAGED;
    rq->body_max = rq->route->body_max;
    allow(s, rq);
    if (http_replied(rq)) {
        return;
    }
    if (rq->route->begin != NULL) {
        rq->stream = true;
        rq->route->begin(s, rq);
    } else {
        limit_body(rq);
    }
}

static void router_data(void *ctx, struct http_request *rq, bl_span piece)
{
    rq->route->data(ctx, rq, piece);
}

static void router_finish(void *ctx, struct http_request *rq)
{
    rq->route->handle(ctx, rq);
}

static void log_request(const struct http_request *rq)
{
    char peer[64];
    int status = http_reply_status(rq);

    if (!log_enabled(status >= 500 ? LOG_WARNING : LOG_DEBUG)) {
        return;
    }
    http_peer(rq, peer);
    LOG_EVENT(status >= 500 ? LOG_WARNING : LOG_DEBUG, "request",
              LOG_TEXT("method", rq->method), LOG_TEXT("path", rq->path),
              LOG_INT("status", status), LOG_TEXT("peer", peer),
              LOG_INT("us", monotonic_us() - rq->began_us));
}

static void router_end(void *ctx, struct http_request *rq)
{
    struct server *s = ctx;

    device_payload_end(s, rq);
    unmanaged_image_end(s, rq);
    payload_end(rq);
    stream_end(rq);
    exports_end(rq);
    log_request(rq);
}

struct http_app router_app(struct server *server)
{
    struct http_app app = {server, router_begin, router_data, router_finish,
                           router_end};

    return app;
}
