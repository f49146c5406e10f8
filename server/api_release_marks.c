/* SPDX-License-Identifier: Apache-2.0 */
/* What operators say of a release after it was published: channels, whether
 * it is a stepping stone or a security release, notes, its bill of
 * materials. */
#include "access.h"
#include "api.h"
#include "describe.h"
#include "router.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHANNELS_MAX = 8 };

struct new_marks {
    struct release *release;
    struct release_marks marks;
    char channels[CATALOG_CHANNELS];
};

static bool is_channel(const char *name)
{
    return name[0] != '\0' && strlen(name) < PLAN_CHANNEL &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") ==
               strlen(name);
}

static bool is_among(const char *words, const char *word)
{
    size_t n = strlen(word);

    while (*words != '\0') {
        size_t length = strcspn(words, " ");

        if (length == n && memcmp(words, word, n) == 0) {
            return true;
        }
        words += length + (words[length] == ' ');
    }
    return false;
}

static int add_channel(char out[CATALOG_CHANNELS], const char *name)
{
    size_t used = strlen(out);

    if (!is_channel(name) || used + strlen(name) + 2 > CATALOG_CHANNELS) {
        return -1;
    }
    if (!is_among(out, name)) {
        snprintf(out + used, CATALOG_CHANNELS - used, "%s%s",
                 used == 0 ? "" : " ", name);
    }
    return 0;
}

/* -1 and the error is set. */
static int read_channels(struct http_request *rq, const json_t *list,
                         char out[CATALOG_CHANNELS])
{
    size_t n = json_array_size(list);
    int result = json_is_array(list) && n <= CHANNELS_MAX ? 0 : -1;

    out[0] = '\0';
    for (size_t i = 0; result == 0 && i < n; i++) {
        const char *name = json_string_value(json_array_get(list, i));

        result = name == NULL ? -1 : add_channel(out, name);
    }
    if (result != 0) {
        api_error(rq, 400, "field",
                  "\"channels\" must list at most %d names of a-z, 0-9 and -",
                  CHANNELS_MAX);
    }
    return result;
}

static int read_flag(struct http_request *rq, const json_t *body,
                     const char *name, bool *out)
{
    const json_t *value = json_object_get(body, name);

    if (value == NULL) {
        return 0;
    }
    if (!json_is_boolean(value)) {
        api_error(rq, 400, "field", "\"%s\" must be true or false", name);
        return -1;
    }
    *out = json_is_true(value);
    return 0;
}

static int read_notes(struct http_request *rq, const json_t *body,
                      const char **out)
{
    const json_t *value = json_object_get(body, "notes");

    if (value == NULL) {
        return 0;
    }
    if (!json_is_string(value) || json_string_length(value) > CATALOG_NOTES ||
        strlen(json_string_value(value)) != json_string_length(value)) {
        api_error(rq, 400, "field",
                  "\"notes\" must be text of at most %d "
                  "bytes",
                  CATALOG_NOTES);
        return -1;
    }
    *out = json_string_value(value);
    return 0;
}

static void marks_now(struct release *r, struct new_marks *n)
{
    n->release = r;
    snprintf(n->channels, sizeof n->channels, "%s", r->channels);
    n->marks = (struct release_marks){n->channels, r->notes, r->stepping,
                                      r->security};
}

static int write_marks(struct server *s, void *ctx, struct error *err)
{
    const struct new_marks *n = ctx;

    return store_release_mark(&s->store, n->release->number, &n->marks, err);
}

/* --- Whose course it would change -----------------------------------------
 */

static bool lets_in(const char *channels, const char *channel)
{
    return channels[0] == '\0' || is_among(channels, channel);
}

/* Who has agreed to it, has agreed to it as it is. What has finished goes on
 * for devices that come later. */
static bool is_agreed(const struct rollout *r)
{
    const struct product *p = r->product;
    bool kept = false;

    if (rollout_open(r->state)) {
        return r->state != ROLLOUT_APPROVAL || r->steering.n_approvals > 0;
    }
    for (uint32_t i = 0; i < p->n_order; i++) {
        kept = kept || p->order[i] == r;
    }
    return kept && r->state == ROLLOUT_FINISHED;
}

/* Another set of devices, another order, or another release first? */
static bool would_change(const struct rollout *r, const struct new_marks *n)
{
    const struct release *was = n->release;
    const char *channel = r->plan.channel;

    if (r->kind != ROLLOUT_UPDATE) {
        return false;
    }
    if (r->release != was) {
        return n->marks.stepping != was->stepping &&
               r->release->sequence > was->sequence;
    }
    return (n->marks.security != was->security && rollout_open(r->state)) ||
           (strcmp(n->channels, was->channels) != 0 &&
            (channel[0] == '\0' || lets_in(n->channels, channel) !=
                                       lets_in(was->channels, channel)));
}

static const struct rollout *changed_by(const struct new_marks *n)
{
    const struct rollout *r = n->release->product->newest;

    while (r != NULL && !(is_agreed(r) && would_change(r, n))) {
        r = r->older;
    }
    return r;
}

static bool only_notes(const struct new_marks *n)
{
    return n->marks.stepping == n->release->stepping &&
           n->marks.security == n->release->security &&
           strcmp(n->channels, n->release->channels) == 0;
}

/* Marks steer rollouts: they take what rollouts take. */
static bool may_mark(struct server *s, struct http_request *rq,
                     const struct new_marks *n)
{
    const struct rollout *r = changed_by(n);
    uint8_t scopes = rq->caller.scopes;

    if (only_notes(n)) {
        return true;
    }
    if (scopes != 0 && (scopes & SCOPE_ROLLOUT) == 0 &&
        (r != NULL || settings_four_eyes(s))) {
        api_error(rq, 403, "scope",
                  "channels and marks steer rollouts: the token %s needs the "
                  "scope rollout",
                  rq->actor);
        return false;
    }
    if (r != NULL && settings_four_eyes(s)) {
        api_error(rq, 409, "approved",
                  "rollout %" PRIu64 " of %s is %s, and what was approved "
                  "stays as it is: this would change whom it reaches or what "
                  "they get first",
                  r->id, r->release->version, rollout_state_name(r->state));
        return false;
    }
    return true;
}

/* --- Doing it -------------------------------------------------------------
 */

static void apply(struct server *s, struct http_request *rq,
                  struct new_marks *n, const char *action, const char *detail)
{
    int result;

    if (!may_mark(s, rq, n)) {
        return;
    }
    if (n->marks.stepping && !n->release->stepping &&
        n->release->product->n_stones >= CATALOG_STONES) {
        api_error(rq, 409, "stepping",
                  "%s has %d stepping stones: take the mark from one first",
                  n->release->product->name, CATALOG_STONES);
        return;
    }
    if (api_change(s, rq, write_marks, n, action, n->release->version,
                   detail) != 0) {
        return;
    }
    pthread_rwlock_wrlock(&s->catalog.lock);
    result = catalog_mark_release(&s->catalog, n->release, &n->marks);
    pthread_rwlock_unlock(&s->catalog.lock);
    if (result != 0) {
        api_error(rq, 503, "memory", "no memory; restart the server");
        return;
    }
    stream_publish(s->stream, "release",
                   json_pack("{s:o, s:s, s:s}", "manifest",
                             api_hex(n->release->manifest, 32), "product",
                             n->release->product->name, "version",
                             n->release->version));
    api_json(rq, 200, release_json(s, n->release));
}

static void change(struct server *s, struct http_request *rq,
                   const json_t *body)
{
    struct release *r = api_release_named(s, rq);
    const json_t *channels = json_object_get(body, "channels");
    struct new_marks n;

    if (r == NULL) {
        return;
    }
    marks_now(r, &n);
    if ((channels != NULL && read_channels(rq, channels, n.channels) != 0) ||
        read_flag(rq, body, "stepping", &n.marks.stepping) != 0 ||
        read_flag(rq, body, "security", &n.marks.security) != 0 ||
        read_notes(rq, body, &n.marks.notes) != 0) {
        return;
    }
    apply(s, rq, &n, "release-change", r->product->name);
}

/* From dev to beta to stable: it may go to one channel more. */
static void promote(struct server *s, struct http_request *rq,
                    const json_t *body)
{
    struct release *r = api_release_named(s, rq);
    const char *to =
        r == NULL ? NULL : api_text(rq, body, "to", PLAN_CHANNEL - 1);
    struct new_marks n;

    if (to == NULL) {
        return;
    }
    marks_now(r, &n);
    if (r->channels[0] == '\0') {
        api_error(rq, 409, "channels",
                  "%s has no channels: it goes anywhere already", r->version);
        return;
    }
    if (add_channel(n.channels, to) != 0) {
        api_error(rq, 400, "field", "\"to\" must be of a-z, 0-9 and -");
        return;
    }
    apply(s, rq, &n, "release-promote", to);
}

void release_change(struct server *s, struct http_request *rq)
{
    api_with_body(s, rq, change);
}

void release_promote(struct server *s, struct http_request *rq)
{
    api_with_body(s, rq, promote);
}

void release_manifest(struct server *s, struct http_request *rq)
{
    const struct release *r = api_release_named(s, rq);

    if (r != NULL) {
        api_json(rq, 200, describe_release(r->envelope));
    }
}

/* --- Bill of materials ----------------------------------------------------
 */

struct new_sbom {
    struct release *release;
    char *text;
};

static int write_sbom(struct server *s, void *ctx, struct error *err)
{
    const struct new_sbom *n = ctx;

    return db_run(&s->store.db, err,
                  "INSERT OR REPLACE INTO sboms (release, document, created)"
                  " VALUES (?, ?, ?)",
                  "iti", (int64_t)n->release->number, n->text,
                  (int64_t)time(NULL));
}

static void put_sbom(struct server *s, struct http_request *rq,
                     const json_t *body)
{
    struct new_sbom n = {api_release_named(s, rq), NULL};

    if (n.release == NULL) {
        return;
    }
    n.text = json_dumps(body, JSON_COMPACT);
    if (n.text == NULL) {
        api_error(rq, 503, "memory", "no memory");
    } else if (api_change(s, rq, write_sbom, &n, "release-sbom",
                          n.release->version, n.release->product->name) == 0) {
        pthread_rwlock_wrlock(&s->catalog.lock);
        n.release->sbom = true;
        pthread_rwlock_unlock(&s->catalog.lock);
        api_json(rq, 200, release_json(s, n.release));
    }
    free(n.text);
}

void release_sbom_put(struct server *s, struct http_request *rq)
{
    api_with_body(s, rq, put_sbom);
}

static int read_sbom(void *ctx, sqlite3_stmt *row)
{
    *(char **)ctx = strdup(db_text(row, 0));
    return 1;
}

void release_sbom(struct server *s, struct http_request *rq)
{
    const struct release *r = api_release_named(s, rq);
    char *text = NULL;

    if (r == NULL) {
        return;
    }
    store_lock(&s->store);
    db_each(&s->store.db, NULL, read_sbom, &text,
            "SELECT document FROM sboms WHERE release = ?", "i",
            (int64_t)r->number);
    store_unlock(&s->store);
    if (text == NULL) {
        api_error(rq, 404, "not-found",
                  "%s has no bill of materials; PUT one here", r->version);
    } else {
        http_reply(rq, 200, "application/json",
                   bl_span_of(text, strlen(text)));
    }
    free(text);
}
