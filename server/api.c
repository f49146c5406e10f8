/* SPDX-License-Identifier: Apache-2.0 */
#include "api.h"
#include "base64.h"

#include "host/file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { LIST_DEFAULT = 100, LIST_MAX = 1000 };

void api_json(struct http_request *rq, int status, json_t *value)
{
    char *text = value == NULL
                     ? NULL
                     : json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

    json_decref(value);
    if (text == NULL) {
        http_reply(rq, 500, "application/json", bl_span_of("{}", 2));
        return;
    }
    http_reply(rq, status, "application/json", bl_span_of(text, strlen(text)));
    free(text);
}

/* Bytes that are no UTF-8 may come from a URL: shown as '?'. */
static void make_ascii(char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || (unsigned char)*text > 0x7E) {
            *text = '?';
        }
    }
}

void api_error(struct http_request *rq, int status, const char *code,
               const char *format, ...)
{
    char text[640];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    make_ascii(text);
    api_json(
        rq, status,
        json_pack("{s:{s:s, s:s}}", "error", "code", code, "message", text));
}

void api_store_error(struct http_request *rq, const struct error *err)
{
    bool full = err->code == SQLITE_FULL || err->code == ENOSPC ||
                err->code == EFBIG || err->code == EDQUOT;

    log_error("store", LOG_TEXT("error", err->text));
    api_error(rq, full ? 507 : 500, full ? "disk-full" : "store",
              "%s; nothing was changed%s", err->text,
              full ? "; free space in the data directory" : "");
}

static int change(struct server *s, const char *actor, api_write write,
                  void *ctx, const char *action, const char *object,
                  const char *detail, struct error *err)
{
    if (store_begin(&s->store, err) != 0) {
        return -1;
    }
    if (write(s, ctx, err) != 0 ||
        store_audit(&s->store, actor, action, object, detail, err) != 0) {
        return store_abort(&s->store);
    }
    return store_commit(&s->store, err);
}

int api_change(struct server *s, struct http_request *rq, api_write write,
               void *ctx, const char *action, const char *object,
               const char *detail)
{
    struct error err = {BL_OK, 0, ""};

    if (change(s, rq->actor, write, ctx, action, object, detail, &err) != 0) {
        api_store_error(rq, &err);
        return -1;
    }
    return 0;
}

void http_reply_line(struct http_request *rq, int status, const char *text)
{
    char line[640];
    int n = snprintf(line, sizeof line, "%s\n", text);

    if (n >= (int)sizeof line) {
        n = (int)sizeof line - 1;
    }
    http_reply(rq, status, "text/plain", bl_span_of(line, (size_t)n));
}

json_t *api_body(struct http_request *rq)
{
    json_error_t e;
    json_t *body = json_loadb((const char *)rq->body.p, rq->body.n,
                              JSON_REJECT_DUPLICATES, &e);

    if (body == NULL) {
        api_error(rq, 400, "json", "the body is not JSON: %s (byte %d)",
                  e.text, e.position);
        return NULL;
    }
    if (!json_is_object(body)) {
        json_decref(body);
        api_error(rq, 400, "json", "the body must be a JSON object");
        return NULL;
    }
    return body;
}

void api_with_body(struct server *s, struct http_request *rq, api_how how)
{
    json_t *body = api_body(rq);

    if (body != NULL) {
        pthread_mutex_lock(&s->admin);
        how(s, rq, body);
        pthread_mutex_unlock(&s->admin);
        json_decref(body);
    }
}

static bool printable(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7F) {
            return false;
        }
    }
    return true;
}

const char *api_text(struct http_request *rq, const json_t *body,
                     const char *key, size_t max)
{
    const json_t *value = json_object_get(body, key);
    size_t n = json_string_length(value);

    if (!json_is_string(value) || n == 0 || n > max ||
        strlen(json_string_value(value)) != n ||
        !printable(json_string_value(value))) {
        api_error(rq, 400, "field",
                  "\"%s\" must be text of 1 to %zu bytes without control "
                  "characters",
                  key, max);
        return NULL;
    }
    return json_string_value(value);
}

const char *api_text_or_none(struct http_request *rq, const json_t *body,
                             const char *key, size_t max)
{
    const json_t *value = json_object_get(body, key);

    if (value == NULL || json_is_null(value) ||
        (json_is_string(value) && json_string_length(value) == 0)) {
        return "";
    }
    return api_text(rq, body, key, max);
}

static int read_number(const char *text, uint64_t max, uint64_t *out)
{
    char *end;

    if (text[0] < '0' || text[0] > '9' || strlen(text) > 19) {
        return -1;
    }
    errno = 0;
    *out = strtoull(text, &end, 10);
    return *end != '\0' || errno != 0 || *out > max ? -1 : 0;
}

int api_page_read(struct http_request *rq, struct api_page *page)
{
    const char *limit = http_query(rq, "limit");
    const char *after = http_query(rq, "after");
    uint64_t n = LIST_DEFAULT;

    page->after = 0;
    if ((limit != NULL && (read_number(limit, LIST_MAX, &n) != 0 || n == 0)) ||
        (after != NULL &&
         read_number(after, (uint64_t)INT64_MAX, &page->after) != 0)) {
        api_error(rq, 400, "page",
                  "limit must be 1 to %d, after a cursor from an answer",
                  LIST_MAX);
        return -1;
    }
    page->limit = (uint32_t)n;
    return 0;
}

void api_list(struct http_request *rq, json_t *items, uint64_t next)
{
    json_t *cursor = json_null();
    char text[24];

    if (next > 0) {
        snprintf(text, sizeof text, "%" PRIu64, next);
        cursor = json_string(text);
    }
    api_json(rq, 200, json_pack("{s:o, s:o}", "items", items, "next", cursor));
}

/* Takes entry `i` in; false when the page is full and there is more. */
static bool take_item(struct server *s, struct http_request *rq,
                      struct api_page *page, json_t *items, api_item item,
                      const struct list *entries, uint64_t i)
{
    json_t *one = entries->at[i] == NULL ? NULL : item(s, rq, entries->at[i]);

    if (one == NULL) {
        return true;
    }
    if (json_array_size(items) == page->limit) {
        json_decref(one);
        return false;
    }
    json_array_append_new(items, one);
    page->after = i;
    return true;
}

void api_list_oldest(struct server *s, struct http_request *rq,
                     const struct list *entries, api_item item)
{
    struct api_page page;
    json_t *items;
    bool all = true;

    if (api_page_read(rq, &page) != 0) {
        return;
    }
    items = json_array();
    for (uint64_t i = page.after + 1; all && i < entries->n; i++) {
        all = take_item(s, rq, &page, items, item, entries, i);
    }
    api_list(rq, items, all ? 0 : page.after);
}

void api_list_newest(struct server *s, struct http_request *rq,
                     const struct list *entries, api_item item)
{
    struct api_page page;
    json_t *items;
    bool all = true;
    uint64_t i;

    if (api_page_read(rq, &page) != 0) {
        return;
    }
    items = json_array();
    i = page.after == 0 || page.after > entries->n ? entries->n : page.after;
    while (all && i-- > 1) {
        all = take_item(s, rq, &page, items, item, entries, i);
    }
    api_list(rq, items, all ? 0 : page.after);
}

json_t *api_hex(const uint8_t *bytes, size_t n)
{
    char text[129];

    hex_encode(bytes, n > 64 ? 64 : n, text);
    return json_string(text);
}

int api_base64(const char *text, uint8_t *out, size_t size)
{
    return base64_decode(text, out, size);
}
