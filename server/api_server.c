/* SPDX-License-Identifier: Apache-2.0 */
/* The server itself: health, its description, root documents. */
#include "api.h"
#include "describe.h"
#include "router.h"

#include "bowline/sha256.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#ifndef BOWLINE_VERSION
#define BOWLINE_VERSION "0"
#endif

/* openapi.json, put into the program by the build. */
extern const unsigned char openapi_json[];
extern const size_t openapi_json_size;

void server_health(struct server *s, struct http_request *rq)
{
    if (journal_failing(s->journal)) {
        api_error(rq, 503, "disk",
                  "what devices report cannot be stored; "
                  "see the log");
        return;
    }
    api_json(rq, 200, json_pack("{s:s}", "status", "ok"));
}

void server_openapi(struct server *s, struct http_request *rq)
{
    (void)s;
    http_reply(rq, 200, "application/json",
               bl_span_of(openapi_json, openapi_json_size));
}

void server_show(struct server *s, struct http_request *rq)
{
    pthread_rwlock_rdlock(&s->catalog.lock);
    api_json(rq, 200,
             json_pack("{s:s, s:o, s:I, s:I, s:I, s:b, s:i}", "version",
                       BOWLINE_VERSION, "root_version",
                       s->catalog.has_root
                           ? json_integer((json_int_t)s->catalog.root.version)
                           : json_null(),
                       "devices", (json_int_t)devices_count(s->devices),
                       "time", (json_int_t)time(NULL), "started",
                       (json_int_t)s->started, "tickets",
                       s->catalog.has_root &&
                           tickets_trusted(&s->tickets, &s->catalog.root),
                       "clock_speed", s->config.clock_speed));
    pthread_rwlock_unlock(&s->catalog.lock);
}

/* --- Root documents
 * ---------------------------------------------------------- */

static json_t *root_json(const struct root_entry *e)
{
    json_t *what = describe_root(e->document);
    json_t *out;
    uint8_t digest[32];

    bl_sha256(e->document.p, e->document.n, digest);
    out = json_pack("{s:I, s:o, s:I}", "version", (json_int_t)e->version,
                    "sha256", api_hex(digest, 32), "size",
                    (json_int_t)e->document.n);
    json_object_update(out, what);
    json_decref(what);
    return out;
}

struct new_root {
    uint64_t version;
    bl_span document;
};

static int write_root(struct server *s, void *ctx, struct error *err)
{
    const struct new_root *new = ctx;

    return store_root_add(&s->store, new->version, new->document, err);
}

static int store_root(struct server *s, struct http_request *rq,
                      uint64_t version)
{
    struct new_root new = {version, rq->body};
    char text[24];

    snprintf(text, sizeof text, "%" PRIu64, version);
    return api_change(s, rq, write_root, &new, "root-add", text, "");
}

static void warn_tickets(struct server *s)
{
    if (s->catalog.has_root &&
        !tickets_trusted(&s->tickets, &s->catalog.root)) {
        log_warning("tickets-untrusted",
                    LOG_INT("root_version", s->catalog.root.version),
                    LOG_TEXT("advice",
                             "the ticket key is not in the ticket role of "
                             "the newest root document: devices that ask "
                             "with a nonce get 503"));
    }
}

static void add_root(struct server *s, struct http_request *rq)
{
    const struct bl_root *trusted =
        s->catalog.has_root ? &s->catalog.root : NULL;
    struct bl_root root;
    bl_status status;

    if (rq->body.n > BL_ROOT_MAX) {
        api_error(rq, 422, bl_status_name(BL_TOO_LARGE),
                  "the root document has %zu bytes; devices have room for %d: "
                  "one with fewer keys or signatures is needed",
                  rq->body.n, BL_ROOT_MAX);
        return;
    }
    status = bl_root_accept(rq->body, trusted, s->crypto, &root);
    if (status != BL_OK) {
        api_error(rq, status == BL_ROOT_VERSION ? 409 : 422,
                  bl_status_name(status), "the root document is refused: %s%s",
                  bl_status_meaning(status),
                  trusted == NULL ? " (none is trusted yet: version 1 comes "
                                    "first)"
                                  : "");
        return;
    }
    if (trusted == NULL && root.version != 1) {
        api_error(rq, 409, "root-version",
                  "the first root document must have version 1, this has "
                  "%" PRIu64,
                  root.version);
        return;
    }
    if (store_root(s, rq, root.version) != 0) {
        return;
    }
    pthread_rwlock_wrlock(&s->catalog.lock);
    if (catalog_add_root(&s->catalog, root.version, rq->body) != 0) {
        api_error(rq, 503, "memory", "no memory; restart the server");
    } else {
        api_json(rq, 201,
                 json_pack("{s:I}", "version", (json_int_t)root.version));
    }
    pthread_rwlock_unlock(&s->catalog.lock);
    warn_tickets(s);
}

void root_add(struct server *s, struct http_request *rq)
{
    pthread_mutex_lock(&s->admin);
    add_root(s, rq);
    pthread_mutex_unlock(&s->admin);
}

void root_list(struct server *s, struct http_request *rq)
{
    json_t *items = json_array();

    pthread_rwlock_rdlock(&s->catalog.lock);
    for (uint32_t i = 0; i < s->catalog.roots.n; i++) {
        if (s->catalog.roots.at[i] != NULL) {
            json_array_append_new(items, root_json(s->catalog.roots.at[i]));
        }
    }
    pthread_rwlock_unlock(&s->catalog.lock);
    api_list(rq, items, 0);
}

void root_show(struct server *s, struct http_request *rq)
{
    char *end;
    unsigned long long version = strtoull(rq->param[0], &end, 10);
    const struct root_entry *e = NULL;

    pthread_rwlock_rdlock(&s->catalog.lock);
    if (*end == '\0' && version < s->catalog.roots.n) {
        e = s->catalog.roots.at[version];
    }
    pthread_rwlock_unlock(&s->catalog.lock);
    if (e == NULL) {
        api_error(rq, 404, "not-found", "there is no root document %s",
                  rq->param[0]);
        return;
    }
    http_reply(rq, 200, "application/octet-stream", e->document);
}
