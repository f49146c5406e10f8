/* SPDX-License-Identifier: Apache-2.0 */
#include "device_filter.h"

#include "api.h"
#include "census.h"
#include "decide.h"

#include "host/file.h"

#include <stdlib.h>

struct device_filter {
    struct server *s;
    char *product_name; /* NULL, as those below: any */
    char *state;
    char *version;
    char *text;
    char *outcome;
    struct query *query;
    uint64_t id; /* of a rollout, 0: any */
    bool attention;
    uint32_t lost_before;
    const struct product *product;
    struct rollout *rollout;
    struct decision decision;
};

/* --- One device -----------------------------------------------------------
 */

/* What the device was offered last tells most of them; not what a device has
 * yet to be offered. */
static bool has_outcome(struct device_filter *f, struct device *d)
{
    uint8_t o = d->s.outcome;

    if (f->id == 0) {
        return true;
    }
    if (f->outcome != NULL && strcmp(f->outcome, "untouched") == 0) {
        return f->rollout != NULL &&
               census_untouched(f->s, f->rollout, d, &f->decision);
    }
    if (d->s.offer != f->id * 2) {
        return false;
    }
    if (f->outcome == NULL) {
        return true;
    }
    if (strcmp(f->outcome, "silent") == 0) {
        return rollout_under_way(o) && d->s.last_seen <= f->lost_before;
    }
    if (strcmp(f->outcome, "quarantined") == 0) {
        return census_quarantined(d, (uint64_t)time(NULL));
    }
    return strcmp(f->outcome, bl_device_state_name((bl_device_state)o)) == 0;
}

static bool has_text(const struct device_filter *f, const struct device *d)
{
    char id[33];

    if (f->text == NULL) {
        return true;
    }
    hex_encode(d->id, 16, id);
    return strncmp(id, f->text, strlen(f->text)) == 0 ||
           strcasestr(d->name, f->text) != NULL ||
           strstr(d->tags, f->text) != NULL;
}

static bool has_query(const struct device_filter *f, struct device *d)
{
    struct device_facts facts = {.device = d};

    if (f->query == NULL) {
        return true;
    }
    facts.product = catalog_product_number(&f->s->catalog, d->product)->name;
    return query_match(f->query, device_fact, &facts);
}

bool device_filter_has(struct device_filter *f, struct device *d)
{
    const char *state = bl_device_state_name((bl_device_state)d->s.state);

    if (f->product_name != NULL &&
        (f->product == NULL || d->product != f->product->number)) {
        return false;
    }
    if ((f->state != NULL && strcmp(f->state, state) != 0) ||
        (f->version != NULL && strcmp(f->version, d->s.version) != 0) ||
        !has_text(f, d) || !has_outcome(f, d) || !has_query(f, d)) {
        return false;
    }
    if (f->attention) {
        device_decide(f->s, d, &f->decision);
        return census_needs_person(&f->decision, d, f->lost_before);
    }
    return true;
}

void device_filter_look_up(struct device_filter *f)
{
    const struct catalog *c = &f->s->catalog;

    f->product =
        f->product_name == NULL ? NULL : catalog_product(c, f->product_name);
    f->rollout = f->id == 0 ? NULL : catalog_rollout(c, f->id);
}

/* --- The request ----------------------------------------------------------
 */

/* -1: no memory. Nothing was asked: *out stays NULL. */
static int keep(struct http_request *rq, const char *name, char **out)
{
    const char *value = http_query(rq, name);

    if (*out != NULL || value == NULL || value[0] == '\0') {
        return 0;
    }
    *out = strdup(value);
    return *out == NULL ? -1 : 0;
}

static int read_query(struct http_request *rq, struct device_filter *f)
{
    const char *query = http_query(rq, "query");
    struct error err = {BL_OK, 0, ""};

    if (query == NULL || query[0] == '\0') {
        return 0;
    }
    f->query = query_compile(query, &err);
    if (f->query == NULL && err.text[0] != '\0') {
        api_error(rq, 400, "query", "query: %s", err.text);
        return -1;
    }
    return 0;
}

static int read_all(struct http_request *rq, struct device_filter *f)
{
    const char *rollout = http_query(rq, "rollout");
    const char *attention = http_query(rq, "attention");

    f->attention = attention != NULL && strcmp(attention, "1") == 0;
    if (rollout != NULL && rollout[0] != '\0') {
        f->id = strtoull(rollout, NULL, 10);
    }
    if (keep(rq, "product", &f->product_name) != 0 ||
        keep(rq, "state", &f->state) != 0 ||
        keep(rq, "version", &f->version) != 0 ||
        keep(rq, "search", &f->text) != 0 || keep(rq, "q", &f->text) != 0 ||
        keep(rq, "outcome", &f->outcome) != 0) {
        api_error(rq, 503, "memory", "no memory");
        return -1;
    }
    return read_query(rq, f);
}

struct device_filter *device_filter_read(struct server *s,
                                         struct http_request *rq)
{
    struct device_filter *f = calloc(1, sizeof *f);

    if (f == NULL) {
        api_error(rq, 503, "memory", "no memory");
        return NULL;
    }
    f->s = s;
    f->lost_before = lost_before(s);
    if (read_all(rq, f) != 0) {
        device_filter_free(f);
        return NULL;
    }
    return f;
}

void device_filter_free(struct device_filter *f)
{
    if (f == NULL) {
        return;
    }
    query_free(f->query);
    free(f->product_name);
    free(f->state);
    free(f->version);
    free(f->text);
    free(f->outcome);
    free(f);
}
