/* SPDX-License-Identifier: Apache-2.0 */
/* API tokens: list, add, remove. */
#include "access.h"
#include "api.h"

#include "bowline/sha256.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#define TOKEN_PREFIX "bwl_" /* what scanners for leaked secrets look for */

enum { TOKEN_DAYS = 90 };

json_t *api_scopes(uint8_t scopes)
{
    json_t *list = json_array();

    for (int i = 0; i < SCOPES; i++) {
        if ((scopes & (1U << i)) != 0) {
            json_array_append_new(list, json_string(scope_name(i)));
        }
    }
    return list;
}

static json_t *time_or_null(int64_t time)
{
    return time == 0 ? json_null() : json_integer(time);
}

static json_t *token_json(const struct api_token *t)
{
    return json_pack("{s:I, s:s, s:s, s:o, s:I, s:s, s:o, s:o}", "id",
                     (json_int_t)t->number, "name", t->name, "role",
                     role_name(t->role), "scopes", api_scopes(t->scopes),
                     "created", (json_int_t)t->created, "created_by",
                     t->created_by, "expires", time_or_null(t->expires),
                     "last_use", time_or_null(t->last_use));
}

void token_list(struct server *s, struct http_request *rq)
{
    json_t *items = json_array();

    pthread_rwlock_rdlock(&s->people.lock);
    for (uint32_t i = 0; i < s->people.n_tokens; i++) {
        json_array_append_new(items, token_json(&s->people.token[i]));
    }
    pthread_rwlock_unlock(&s->people.lock);
    api_list(rq, items, 0);
}

/* --- Add -------------------------------------------------------------------
 */

static int read_scopes(struct http_request *rq, const json_t *body,
                       struct api_token *t)
{
    const json_t *list = json_object_get(body, "scopes");

    if (list != NULL && !json_is_array(list)) {
        api_error(rq, 400, "field", "\"scopes\" must be a list");
        return -1;
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        uint8_t scope = text == NULL ? 0 : scope_read(text);

        if (scope == 0) {
            api_error(rq, 400, "field",
                      "a scope is read, publish, rollout, device or admin");
            return -1;
        }
        t->scopes |= scope;
    }
    return 0;
}

/* Not said: 90 days. Said as 0 or null: never. */
static int read_expires(struct http_request *rq, const json_t *body,
                        struct api_token *t)
{
    const json_t *when = json_object_get(body, "expires");

    if (when == NULL) {
        t->expires = t->created + TOKEN_DAYS * 86400;
        return 0;
    }
    if (json_is_null(when) ||
        (json_is_integer(when) && json_integer_value(when) == 0)) {
        t->expires = 0;
        return 0;
    }
    if (!json_is_integer(when) || json_integer_value(when) <= t->created) {
        api_error(rq, 400, "field",
                  "\"expires\" must be a time to come, or 0 for never");
        return -1;
    }
    t->expires = json_integer_value(when);
    return 0;
}

static int read_token(struct server *s, struct http_request *rq,
                      const json_t *body, struct api_token *t)
{
    static const char *const keys[] = {"name", "role", "scopes", "expires",
                                       NULL};
    const char *name;

    if (!api_only(rq, body, keys)) {
        return -1;
    }
    name = api_text(rq, body, "name", 63);
    if (name == NULL || api_role(rq, body, &t->role) != 0 ||
        read_scopes(rq, body, t) != 0 || read_expires(rq, body, t) != 0) {
        return -1;
    }
    snprintf(t->name, sizeof t->name, "%s", name);
    /* A chain of tokens would break where one of them is removed. */
    people_owner(&s->people, rq->actor, t->created_by);
    return 0;
}

/* A narrowed token makes none that may more. */
static bool within_own(struct http_request *rq, const struct api_token *t)
{
    uint8_t own = rq->caller.scopes;

    if (own == 0 || (t->scopes != 0 && (t->scopes & ~own) == 0)) {
        return true;
    }
    api_error(rq, 403, "scope", "the new token would have more scopes than %s",
              rq->actor);
    return false;
}

static int write_add(struct server *s, void *ctx, struct error *err)
{
    return people_store_token_add(&s->store, ctx, err);
}

/* The digest of all that is sent, with the prefix. */
static int make_secret(char text[sizeof TOKEN_PREFIX + SECRET_TEXT],
                       uint8_t sha256[32], struct error *err)
{
    memcpy(text, TOKEN_PREFIX, sizeof TOKEN_PREFIX - 1);
    if (people_secret(text + sizeof TOKEN_PREFIX - 1, sha256, err) != 0) {
        return -1;
    }
    bl_sha256(text, strlen(text), sha256);
    return 0;
}

/* RFC 3339. */
static void say_time(int64_t when, char *out, size_t size)
{
    time_t seconds = (time_t)when;
    struct tm tm;

    if (when == 0) {
        snprintf(out, size, "never");
    } else if (gmtime_r(&seconds, &tm) == NULL ||
               strftime(out, size, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0) {
        snprintf(out, size, "%" PRId64, when);
    }
}

static void say_token(const struct api_token *t, char *out, size_t size)
{
    size_t n = (size_t)snprintf(out, size, "%s, scopes:", role_name(t->role));

    for (int i = 0; i < SCOPES && n < size; i++) {
        if ((t->scopes & (1U << i)) != 0) {
            n += (size_t)snprintf(out + n, size - n, " %s", scope_name(i));
        }
    }
    if (n < size) {
        n += (size_t)snprintf(out + n, size - n, "%s, expires ",
                              t->scopes == 0 ? " all" : "");
    }
    if (n < size) {
        say_time(t->expires, out + n, size - n);
    }
}

static void add(struct server *s, struct http_request *rq, struct api_token *t)
{
    struct error err = {BL_OK, 0, ""};
    char text[sizeof TOKEN_PREFIX + SECRET_TEXT];
    char detail[256];
    json_t *shown;

    if (!within_own(rq, t) || !api_name_is_free(s, rq, t->name)) {
        return;
    }
    if (s->people.n_tokens == PEOPLE_TOKENS) {
        api_error(rq, 409, "too-many", "there are %d tokens already",
                  PEOPLE_TOKENS);
        return;
    }
    if (make_secret(text, t->sha256, &err) != 0) {
        api_store_error(rq, &err);
        return;
    }
    say_token(t, detail, sizeof detail);
    if (api_change(s, rq, write_add, t, "token-add", t->name, detail) != 0) {
        return;
    }
    if (people_load(&s->people, &s->store, false, &err) != 0) {
        api_error(rq, 503, "memory", "no memory; remove the token again");
        return;
    }
    shown = token_json(t);
    json_object_set_new(shown, "token", json_string(text));
    api_json(rq, 201, shown);
    explicit_bzero(text, sizeof text);
}

void token_add(struct server *s, struct http_request *rq)
{
    struct api_token t = {.created = (int64_t)time(NULL)};
    json_t *body = api_body(rq);

    if (body != NULL && read_token(s, rq, body, &t) == 0) {
        pthread_mutex_lock(&s->admin);
        add(s, rq, &t);
        pthread_mutex_unlock(&s->admin);
    }
    json_decref(body);
}

/* --- Remove ----------------------------------------------------------------
 */

static int write_remove(struct server *s, void *ctx, struct error *err)
{
    const struct api_token *t = ctx;

    return people_store_token_remove(&s->store, t->number, err);
}

void token_delete(struct server *s, struct http_request *rq)
{
    struct error err = {BL_OK, 0, ""};
    struct api_token t;
    char *end;
    unsigned long number = strtoul(rq->param[0], &end, 10);

    pthread_mutex_lock(&s->admin);
    if (*end != '\0' || number == 0 || number > UINT32_MAX ||
        !people_token(&s->people, (uint32_t)number, &t)) {
        api_error(rq, 404, "not-found", "there is no token %s", rq->param[0]);
    } else if (api_change(s, rq, write_remove, &t, "token-remove", t.name,
                          "") == 0) {
        if (people_load(&s->people, &s->store, false, &err) != 0) {
            api_error(rq, 503, "memory", "it is done, after a restart");
        } else {
            http_reply(rq, 204, NULL, bl_span_of(NULL, 0));
        }
    }
    pthread_mutex_unlock(&s->admin);
}
