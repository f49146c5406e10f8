/* SPDX-License-Identifier: Apache-2.0 */
/* Registration of devices: one, or thousands in one commit. */
#include "device_input.h"
#include "device_view.h"
#include "report.h"
#include "router.h"

#include "host/file.h"

#include <openssl/rand.h>
#include <stdlib.h>

static int write_device(struct server *s, void *ctx, struct error *err)
{
    struct device *d = ctx;

    return store_device_add(&s->store, d, &d->number, err);
}

/* The token is shown this one time. */
static void reply_registered(struct server *s, struct http_request *rq,
                             const uint8_t id[16], const char *token)
{
    struct device *d;
    json_t *out = NULL;

    pthread_rwlock_rdlock(&s->catalog.lock);
    d = devices_lock(s->devices, id);
    if (d != NULL) {
        report_count(&s->catalog, d, 1);
        stream_fleet(s->stream);
        out = device_json(s, d);
        devices_unlock(s->devices, d);
    }
    pthread_rwlock_unlock(&s->catalog.lock);
    if (out != NULL) {
        json_object_set_new(out, "token", json_string(token));
    }
    api_json(rq, 201, out);
}

static void register_device(struct server *s, struct http_request *rq,
                            struct device *d, const struct product *product)
{
    struct error err = {BL_OK, 0, ""};
    char token[AUTH_DEVICE_TOKEN + 1];
    char id[33];
    struct device *there = devices_lock(s->devices, d->id);

    if (there != NULL) {
        devices_unlock(s->devices, there);
        api_error(rq, 409, "exists",
                  "the device is registered already; delete it first to give "
                  "it a new token");
        return;
    }
    if (device_check_name(s, rq, d->name, product->number, 0) != 0) {
        return;
    }
    d->product = product->number;
    if (auth_new_device_token(d->id, token, d->token, &err) != 0) {
        api_error(rq, 500, "random", "%s", err.text);
        return;
    }
    hex_encode(d->id, 16, id);
    if (api_change(s, rq, write_device, d, "device-add", id, product->name) !=
        0) {
        return;
    }
    if (devices_add(s->devices, d, &err) != 0) {
        api_error(rq, 503, "memory", "%s; restart the server", err.text);
        return;
    }
    d->name = NULL; /* the table owns them now */
    d->tags = NULL;
    d->channel = NULL;
    reply_registered(s, rq, d->id, token);
    explicit_bzero(token, sizeof token);
}

static int read_channel(struct http_request *rq, const json_t *body,
                        struct device *d)
{
    d->channel = device_read_channel(rq, body);
    if (d->channel == NULL) {
        return -1;
    }
    if (d->channel[0] == '\0') {
        free(d->channel);
        d->channel = NULL; /* stable */
    }
    return 0;
}

static int read_device(struct http_request *rq, const json_t *body,
                       struct device *d)
{
    const char *id = api_text(rq, body, "id", 32);
    const char *name;

    if (id == NULL) {
        return -1;
    }
    if (hex_decode(id, strlen(id), d->id, 16) != 0) {
        api_error(rq, 400, "field", "\"id\" must be 32 hex digits");
        return -1;
    }
    name = api_text_or_none(rq, body, "name", 128);
    d->name = name == NULL ? NULL : strdup(name);
    d->tags = d->name == NULL ? NULL : device_read_tags(rq, body);
    return d->tags == NULL || read_channel(rq, body, d) != 0 ? -1 : 0;
}

void device_add(struct server *s, struct http_request *rq)
{
    json_t *body = api_body(rq);
    const struct product *product = NULL;
    struct device d;
    const char *name;

    memset(&d, 0, sizeof d);
    device_state_init(&d.s);
    if (body == NULL) {
        return;
    }
    name = api_text(rq, body, "product", CATALOG_NAME - 1);
    if (name != NULL && read_device(rq, body, &d) == 0) {
        pthread_mutex_lock(&s->admin);
        product = catalog_product(&s->catalog, name);
        if (product == NULL) {
            api_error(rq, 404, "not-found", "there is no product %s", name);
        } else {
            register_device(s, rq, &d, product);
        }
        pthread_mutex_unlock(&s->admin);
    }
    free(d.name);
    free(d.tags);
    free(d.channel);
    json_decref(body);
}

/* --- Many at once ---------------------------------------------------------
 */

enum { BULK_MAX = 10000 };

struct bulk {
    const struct product *product;
    size_t n;
    struct device *device;
    char (*token)[AUTH_DEVICE_TOKEN + 1];
    char fault[256]; /* "" */
};

/* "id" when it is given, else one of its own. */
static int read_id(struct http_request *rq, const json_t *one,
                   struct device *d)
{
    const json_t *id = json_object_get(one, "id");
    const char *text;

    if (id == NULL || json_is_null(id)) {
        if (RAND_bytes(d->id, 16) != 1) {
            api_error(rq, 500, "random", "no random numbers");
            return -1;
        }
        return 0;
    }
    text = api_text(rq, one, "id", 32);
    if (text == NULL) {
        return -1;
    }
    if (hex_decode(text, strlen(text), d->id, 16) != 0) {
        api_error(rq, 400, "field", "\"id\" must be 32 hex digits");
        return -1;
    }
    return 0;
}

static int read_one(struct server *s, struct http_request *rq,
                    const json_t *one, struct bulk *b, size_t i)
{
    struct device *d = &b->device[i];
    struct device *there;
    struct error err;
    const char *name;

    device_state_init(&d->s);
    d->product = b->product->number;
    if (read_id(rq, one, d) != 0) {
        return -1;
    }
    name = api_text_or_none(rq, one, "name", 128);
    d->name = name == NULL ? NULL : strdup(name);
    d->tags = d->name == NULL ? NULL : device_read_tags(rq, one);
    if (d->tags == NULL || read_channel(rq, one, d) != 0) {
        return -1;
    }
    there = devices_lock(s->devices, d->id);
    if (there != NULL) {
        devices_unlock(s->devices, there);
        api_error(rq, 409, "exists",
                  "device %zu of the list is registered already", i + 1);
        return -1;
    }
    if (auth_new_device_token(d->id, b->token[i], d->token, &err) != 0) {
        api_error(rq, 500, "random", "%s", err.text);
        return -1;
    }
    return 0;
}

static int read_all(struct server *s, struct http_request *rq,
                    const json_t *list, struct bulk *b)
{
    b->n = json_array_size(list);
    if (b->n < 1 || b->n > BULK_MAX) {
        api_error(rq, 400, "field", "\"devices\" must list 1 to %d devices",
                  BULK_MAX);
        b->n = 0;
        return -1;
    }
    b->device = calloc(b->n, sizeof *b->device);
    b->token = calloc(b->n, sizeof *b->token);
    if (b->device == NULL || b->token == NULL) {
        b->n = 0;
        api_error(rq, 503, "memory", "no memory");
        return -1;
    }
    for (size_t i = 0; i < b->n; i++) {
        if (read_one(s, rq, json_array_get(list, i), b, i) != 0) {
            return -1;
        }
    }
    return 0;
}

/* In the transaction; a name or an id twice in the list is found here. */
static int write_all(struct server *s, struct bulk *b, struct error *err)
{
    for (size_t i = 0; i < b->n; i++) {
        struct device *d = &b->device[i];
        uint32_t other = 0;

        if (store_device_named(&s->store, d->product, d->name, &other, err) !=
            0) {
            return -1;
        }
        if (other != 0) {
            snprintf(b->fault, sizeof b->fault,
                     "device %zu of the list: another one is named %.128s",
                     i + 1, d->name);
            return error_set(err, "%s", b->fault);
        }
        if (store_device_add(&s->store, d, &d->number, err) != 0) {
            if (err->code == SQLITE_CONSTRAINT) {
                snprintf(b->fault, sizeof b->fault,
                         "device %zu of the list has the id of another",
                         i + 1);
            }
            return -1;
        }
    }
    return 0;
}

static int store_all(struct server *s, struct http_request *rq, struct bulk *b)
{
    struct error err = {BL_OK, 0, ""};
    char count[24];
    int result = -1;

    snprintf(count, sizeof count, "%zu", b->n);
    if (store_begin(&s->store, &err) == 0) {
        if (write_all(s, b, &err) != 0 ||
            store_audit(&s->store, rq->actor, "device-add-bulk",
                        b->product->name, count, &err) != 0) {
            store_abort(&s->store);
        } else {
            result = store_commit(&s->store, &err);
        }
    }
    if (result != 0 && b->fault[0] != '\0') {
        api_error(rq, 409, "name-taken", "%s", b->fault);
    } else if (result != 0) {
        api_store_error(rq, &err);
    }
    return result;
}

static void put_one(struct server *s, struct device *d)
{
    struct error err;

    if (devices_add(s->devices, d, &err) != 0) {
        return;
    }
    d->name = NULL; /* the table owns them now */
    d->tags = NULL;
    d->channel = NULL;
    pthread_rwlock_rdlock(&s->catalog.lock);
    d = devices_lock(s->devices, d->id);
    if (d != NULL) {
        report_count(&s->catalog, d, 1);
        devices_unlock(s->devices, d);
    }
    pthread_rwlock_unlock(&s->catalog.lock);
}

/* The tokens are shown this one time. */
static void reply_all(struct server *s, struct http_request *rq,
                      struct bulk *b)
{
    json_t *items = json_array();

    for (size_t i = 0; i < b->n; i++) {
        struct device *d = &b->device[i];

        json_array_append_new(items, json_pack("{s:o, s:s, s:s}", "id",
                                               api_hex(d->id, 16), "name",
                                               d->name, "token", b->token[i]));
        put_one(s, d);
    }
    stream_fleet(s->stream);
    api_json(rq, 201, json_pack("{s:o}", "items", items));
}

static void free_bulk(struct bulk *b)
{
    for (size_t i = 0; b->device != NULL && i < b->n; i++) {
        free(b->device[i].name);
        free(b->device[i].tags);
        free(b->device[i].channel);
    }
    if (b->token != NULL) {
        explicit_bzero(b->token, b->n * sizeof *b->token);
    }
    free(b->device);
    free(b->token);
}

void device_add_bulk(struct server *s, struct http_request *rq)
{
    json_t *body = api_body(rq);
    struct bulk b = {0};
    const char *name;

    if (body == NULL) {
        return;
    }
    name = api_text(rq, body, "product", CATALOG_NAME - 1);
    if (name != NULL) {
        pthread_mutex_lock(&s->admin);
        b.product = catalog_product(&s->catalog, name);
        if (b.product == NULL) {
            api_error(rq, 404, "not-found", "there is no product %s", name);
        } else if (read_all(s, rq, json_object_get(body, "devices"), &b) ==
                       0 &&
                   store_all(s, rq, &b) == 0) {
            reply_all(s, rq, &b);
        }
        pthread_mutex_unlock(&s->admin);
        free_bulk(&b);
    }
    json_decref(body);
}
