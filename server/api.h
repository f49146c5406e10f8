/* SPDX-License-Identifier: Apache-2.0 */
/* What the operator API's handlers share: JSON in and out, errors, lists. */
#ifndef SERVER_API_H
#define SERVER_API_H

#include "server.h"

#include "host/log.h"

#include <jansson.h>

/* {"error":{"code","message"}} */
void api_error(struct http_request *rq, int status, const char *code,
               const char *format, ...) __attribute__((format(printf, 4, 5)));
/* What the store could not do: 507 when the disk is full, else 500. */
void api_store_error(struct http_request *rq, const struct error *err);
/* A change and its audit line, in one transaction; the admin lock is held.
 * -1: nothing was changed, and the error is set. */
typedef int (*api_write)(struct server *s, void *ctx, struct error *err);
int api_change(struct server *s, struct http_request *rq, api_write write,
               void *ctx, const char *action, const char *object,
               const char *detail);
/* Takes `value` over. */
void api_json(struct http_request *rq, int status, json_t *value);
/* One line of text: errors of the device API. */
void http_reply_line(struct http_request *rq, int status, const char *text);

/* The body as an object, or NULL and the error is set. */
json_t *api_body(struct http_request *rq);
/* `how` with the body and the admin lock; a body that is none: the error. */
typedef void (*api_how)(struct server *s, struct http_request *rq,
                        const json_t *body);
void api_with_body(struct server *s, struct http_request *rq, api_how how);
/* A member that is text of 1..max bytes without control characters; NULL and
 * the error is set. */
const char *api_text(struct http_request *rq, const json_t *body,
                     const char *key, size_t max);
/* The same, "" when absent. */
const char *api_text_or_none(struct http_request *rq, const json_t *body,
                             const char *key, size_t max);

/* ?limit= and ?after=; -1 and the error is set. */
struct api_page {
    uint32_t limit;
    uint64_t after;
};

int api_page_read(struct http_request *rq, struct api_page *page);
/* {"items": items, "next": next or null}; takes `items` over. */
void api_list(struct http_request *rq, json_t *items, uint64_t next);

/* The catalog's entries by number: `item` makes JSON of one, or NULL when it
 * is not wanted. The list's lock is held. */
typedef json_t *(*api_item)(struct server *s, const struct http_request *rq,
                            void *entry);
void api_list_oldest(struct server *s, struct http_request *rq,
                     const struct list *entries, api_item item);
void api_list_newest(struct server *s, struct http_request *rq,
                     const struct list *entries, api_item item);

json_t *api_hex(const uint8_t *bytes, size_t n);
/* Base64, RFC 4648 section 4; returns bytes written or -1. */
int api_base64(const char *text, uint8_t *out, size_t size);

/* Shared between files. */
/* Under the catalog's lock. */
json_t *release_json(const struct server *s, const struct release *r);
/* The release that the path names, or NULL and the error is set. */
struct release *api_release_named(struct server *s, struct http_request *rq);
/* The release that "version" or "manifest" of `body` names. */
struct release *api_find_release(struct server *s, struct http_request *rq,
                                 const struct product *product,
                                 const json_t *body);
/* Reads "permit" and has core check it; -1 and the error is set. `device_id`
 * NULL: it must hold for every device of the product. */
int api_permit(struct server *s, struct http_request *rq, const json_t *body,
               const struct product *product, const struct release *release,
               const uint8_t *device_id, uint8_t *out, size_t size,
               bl_span *permit);
/* Tell those who listen (api_stream.c). `what`: "created", "advanced",
 * "paused", "resumed", "finished", "aborted", "returned", "approved",
 * "counts". */
void stream_rollout(struct server *s, const struct rollout *r,
                    const char *what);
void stream_release(struct server *s, const struct release *r);
/* An audit line is committed: what the store calls. */
void server_audited(void *server, int64_t number);

#endif
