/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/releases: an upload is checked by core before it is accepted. */
#include "api.h"
#include "describe.h"
#include "release.h"
#include "router.h"

#include "host/file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static json_t *channels_json(const struct release *r)
{
    json_t *list = json_array();
    const char *p = r->channels;

    while (*p != '\0') {
        size_t n = strcspn(p, " ");

        json_array_append_new(list, json_stringn(p, n));
        p += n + (p[n] == ' ');
    }
    return list;
}

json_t *release_json(const struct server *s, const struct release *r)
{
    json_t *kids = json_loads(r->signers, 0, NULL);
    json_t *out = json_pack(
        "{s:s, s:s, s:I, s:o, s:I, s:I, s:o, s:o, s:I, s:s, s:o, s:b, s:b,"
        " s:s, s:I, s:b, s:s}",
        "product", r->product->name, "version", r->version, "sequence",
        (json_int_t)r->sequence, "manifest", api_hex(r->manifest, 32),
        "created", (json_int_t)r->created, "envelope_size",
        (json_int_t)r->envelope.n, "signers",
        describe_signers(kids, &s->catalog.root), "payloads",
        json_loads(r->payloads, 0, NULL), "devices",
        (json_int_t)atomic_load(&r->running), "state", "published", "channels",
        channels_json(r), "stepping", r->stepping, "security", r->security,
        "notes", r->notes == NULL ? "" : r->notes, "running",
        (json_int_t)atomic_load(&r->running), "sbom", r->sbom, "min_version",
        r->min_version);

    json_decref(kids);
    return out;
}

static json_t *signers_json(const struct bl_root *root, uint8_t mask)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < root->n_keys; i++) {
        if ((mask & 1U << i) != 0) {
            json_array_append_new(list,
                                  api_hex(root->key[i].kid, BL_KID_SIZE));
        }
    }
    return list;
}

static json_t *payloads_json(const struct release_facts *f)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < f->n_payloads; i++) {
        const struct release_payload *p = &f->payload[i];

        json_array_append_new(
            list, json_pack("{s:s, s:s, s:o, s:I}", "component", p->component,
                            "uri", p->uri, "sha256", api_hex(p->sha256, 32),
                            "size", (json_int_t)p->size));
    }
    return list;
}

/* Every payload that devices will ask this server for must be here, whole. */
static int check_payloads(struct server *s, struct http_request *rq,
                          const struct release_facts *f)
{
    for (uint32_t i = 0; i < f->n_payloads; i++) {
        const struct release_payload *p = &f->payload[i];
        char hex[65];
        uint64_t size = 0;

        hex_encode(p->sha256, 32, hex);
        if (p->uri[0] == '\0' || strncmp(p->uri, "payloads/", 9) != 0) {
            continue; /* carried along, or kept elsewhere */
        }
        if (strcmp(p->uri + 9, hex) != 0) {
            api_error(rq, 422, "payload-uri",
                      "component %s: the URI %s does not name the payload's "
                      "SHA-256 %s",
                      p->component, p->uri, hex);
            return -1;
        }
        if (!blob_there(&s->blobs, p->sha256, &size)) {
            api_error(rq, 409, "payload-missing",
                      "component %s: payload %s is not on the server; upload "
                      "it first with PUT /api/v1/payloads/%s",
                      p->component, hex, hex);
            return -1;
        }
        if (size != p->size) {
            api_error(rq, 422, "payload-size",
                      "component %s: the manifest says %" PRIu32 " bytes, "
                      "payload %s has %" PRIu64,
                      p->component, p->size, hex, size);
            return -1;
        }
    }
    return 0;
}

/* People name a release by its version: it must mean one. */
static int check_version(struct server *s, struct http_request *rq,
                         const struct release_facts *f,
                         const struct product *p)
{
    const struct release *same =
        catalog_release_version(p, &s->catalog, f->version);

    if (same == NULL) {
        return 0;
    }
    api_error(rq, 409, "version-taken",
              "%s has another release %s, with sequence number %" PRIu64
              "; give this one a version of its own",
              p->name, f->version, same->sequence);
    return -1;
}

/* The product, when the release fits behind what is there. */
static struct product *check_place(struct server *s, struct http_request *rq,
                                   const struct release_facts *f)
{
    struct product *p = catalog_product_class(&s->catalog, f->class_id);

    if (p == NULL || memcmp(p->vendor_id, f->vendor_id, 16) != 0) {
        api_error(rq, 422, "unknown-product",
                  "no product has the manifest's vendor and class id; create "
                  "it with POST /api/v1/products");
        return NULL;
    }
    if (f->sequence <= p->highest) {
        api_error(rq, 409, "sequence",
                  "sequence number %" PRIu64 " is not above %" PRIu64
                  ", the highest of %s; release it anew",
                  f->sequence, p->highest, p->name);
        return NULL;
    }
    if (f->version[0] == '\0') {
        api_error(rq, 422, "version",
                  "the manifest says no version, neither in its text nor in "
                  "set-version");
        return NULL;
    }
    return check_version(s, rq, f, p) == 0 ? p : NULL;
}

struct new_release {
    struct store_release row;
    uint32_t number;
};

static int write_release(struct server *s, void *ctx, struct error *err)
{
    struct new_release *r = ctx;

    return store_release_add(&s->store, &r->row, &r->number, err);
}

/* Devices may run it already: it came to them another way. */
static void count_running(struct server *s, struct release *r)
{
    for (uint32_t i = 1; i <= devices_last(s->devices); i++) {
        struct device *d = devices_lock_number(s->devices, i);

        if (d == NULL) {
            continue;
        }
        if (d->runs == 0 && memcmp(d->s.manifest, r->manifest, 32) == 0) {
            d->runs = r->number;
            atomic_fetch_add(&r->running, 1);
        }
        devices_unlock(s->devices, d);
    }
}

static void publish(struct server *s, struct http_request *rq,
                    const struct release_facts *f, const struct product *p)
{
    json_t *signers = signers_json(&s->catalog.root, f->signers);
    json_t *payloads = payloads_json(f);
    char *signers_text = json_dumps(signers, JSON_COMPACT);
    char *payloads_text = json_dumps(payloads, JSON_COMPACT);
    struct new_release r = {
        .row.product = p->number,
        .row.version = f->version,
        .row.sequence = f->sequence,
        .row.manifest = f->manifest,
        .row.envelope = rq->body,
        .row.signers = signers_text,
        .row.payloads = payloads_text,
    };
    struct release *added = NULL;

    json_decref(signers);
    json_decref(payloads);
    if (api_change(s, rq, write_release, &r, "release-add", p->name,
                   f->version) == 0) {
        pthread_rwlock_wrlock(&s->catalog.lock);
        added = catalog_add_release(&s->catalog, r.number, &r.row,
                                    (uint64_t)time(NULL));
        if (added != NULL) {
            count_running(s, added);
            api_json(rq, 201, release_json(s, added));
            stream_release(s, added);
        } else {
            api_error(rq, 503, "memory", "no memory; restart the server");
        }
        pthread_rwlock_unlock(&s->catalog.lock);
    }
    free(signers_text);
    free(payloads_text);
}

static void add_release(struct server *s, struct http_request *rq)
{
    struct error err = {BL_OK, 0, ""};
    struct release_facts f;
    struct product *p;

    if (!s->catalog.has_root) {
        api_error(rq, 409, "no-root",
                  "there is no root document yet; POST it to /api/v1/roots");
        return;
    }
    if (release_read(rq->body, &s->catalog.root, s->crypto, &f, &err) != 0) {
        api_error(rq, 422,
                  err.status == BL_OK ? "manifest"
                                      : bl_status_name(err.status),
                  "%s", err.text);
        return;
    }
    const struct release *same = catalog_release(&s->catalog, f.manifest);
    if (same != NULL) {
        api_json(rq, 200, release_json(s, same));
        return;
    }
    p = check_place(s, rq, &f);
    if (p != NULL && check_payloads(s, rq, &f) == 0) {
        publish(s, rq, &f, p);
    }
}

void release_add(struct server *s, struct http_request *rq)
{
    pthread_mutex_lock(&s->admin);
    add_release(s, rq);
    pthread_mutex_unlock(&s->admin);
}

static json_t *listed(struct server *s, const struct http_request *rq,
                      void *entry)
{
    const char *product = http_query(rq, "product");
    const struct release *r = entry;

    return product == NULL || strcmp(product, r->product->name) == 0
               ? release_json(s, r)
               : NULL;
}

void release_list(struct server *s, struct http_request *rq)
{
    pthread_rwlock_rdlock(&s->catalog.lock);
    api_list_oldest(s, rq, &s->catalog.releases, listed);
    pthread_rwlock_unlock(&s->catalog.lock);
}

struct release *api_release_named(struct server *s, struct http_request *rq)
{
    uint8_t manifest[32];
    struct release *r = NULL;

    pthread_rwlock_rdlock(&s->catalog.lock);
    if (hex_decode(rq->param[0], strlen(rq->param[0]), manifest, 32) == 0) {
        r = catalog_release(&s->catalog, manifest);
    }
    pthread_rwlock_unlock(&s->catalog.lock);
    if (r == NULL) {
        api_error(rq, 404, "not-found",
                  "there is no release with the manifest digest %s",
                  rq->param[0]);
    }
    return r;
}

void release_show(struct server *s, struct http_request *rq)
{
    const struct release *r = api_release_named(s, rq);
    json_t *out;

    if (r != NULL) {
        /* Its marks may be changed, and its notes freed, meanwhile. */
        pthread_rwlock_rdlock(&s->catalog.lock);
        out = release_json(s, r);
        pthread_rwlock_unlock(&s->catalog.lock);
        api_json(rq, 200, out);
    }
}

void release_envelope(struct server *s, struct http_request *rq)
{
    const struct release *r = api_release_named(s, rq);

    if (r != NULL) {
        http_reply(rq, 200, "application/suit-envelope+cose", r->envelope);
    }
}

struct release *api_find_release(struct server *s, struct http_request *rq,
                                 const struct product *product,
                                 const json_t *body)
{
    const char *hex = json_string_value(json_object_get(body, "manifest"));
    const char *version = json_string_value(json_object_get(body, "version"));
    struct release *r = NULL;
    uint8_t manifest[32];

    if (hex == NULL && version == NULL) {
        api_error(rq, 400, "field",
                  "\"version\" or \"manifest\" must say "
                  "which release");
        return NULL;
    }
    if (hex != NULL && hex_decode(hex, strlen(hex), manifest, 32) == 0) {
        r = catalog_release(&s->catalog, manifest);
    } else if (hex == NULL) {
        r = catalog_release_version(product, &s->catalog, version);
    }
    if (r == NULL || r->product != product) {
        api_error(rq, 404, "not-found", "product %s has no release %s",
                  product->name, hex != NULL ? hex : version);
        return NULL;
    }
    return r;
}

int api_permit(struct server *s, struct http_request *rq, const json_t *body,
               const struct product *product, const struct release *release,
               const uint8_t *device_id, uint8_t *out, size_t size,
               bl_span *permit)
{
    static const uint8_t nobody[BL_ID_SIZE] = {0};
    const char *text = json_string_value(json_object_get(body, "permit"));
    int n = text == NULL ? -1 : api_base64(text, out, size);
    bl_status status;

    if (n <= 0) {
        api_error(rq, 400, "field",
                  "\"permit\" must be the permit in base64; "
                  "make it with bowline");
        return -1;
    }
    *permit = bl_span_of(out, (size_t)n);
    if (!s->catalog.has_root) {
        api_error(rq, 409, "no-root", "there is no root document yet");
        return -1;
    }
    /* For a product: no device's id fits a permit that names one. */
    status = bl_permit_check(
        *permit, &s->catalog.root, device_id != NULL ? device_id : nobody,
        product->class_id, release->manifest, (uint64_t)time(NULL), s->crypto);
    if (status != BL_OK) {
        api_error(rq, 422, bl_status_name(status), "the permit is refused: %s",
                  bl_status_meaning(status));
        return -1;
    }
    return 0;
}
