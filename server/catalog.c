/* SPDX-License-Identifier: Apache-2.0 */
#include "catalog_internal.h"

#include <stdio.h>
#include <stdlib.h>

bl_span span_copy(bl_span from)
{
    uint8_t *p = malloc(from.n == 0 ? 1 : from.n);

    if (p == NULL) {
        return bl_span_of(NULL, 0);
    }
    if (from.n > 0) {
        memcpy(p, from.p, from.n);
    }
    return bl_span_of(p, from.n);
}

void span_free(bl_span s)
{
    union {
        const uint8_t *in;
        uint8_t *out;
    } p = {s.p};

    free(p.out);
}

int list_put(struct list *l, uint32_t i, void *entry)
{
    if (i >= l->n) {
        uint32_t n = i < 16 ? 32 : (i + 1) * 2;
        void **at = realloc(l->at, n * sizeof *at);

        if (at == NULL) {
            return -1;
        }
        memset(at + l->n, 0, (n - l->n) * sizeof *at);
        l->at = at;
        l->n = n;
    }
    l->at[i] = entry;
    return 0;
}

void *list_get(const struct list *l, uint64_t i)
{
    return i < l->n ? l->at[i] : NULL;
}

int catalog_init(struct catalog *c)
{
    memset(c, 0, sizeof *c);
    return pthread_rwlock_init(&c->lock, NULL);
}

static void free_release(struct release *r)
{
    if (r != NULL) {
        span_free(r->envelope);
        free(r->signers);
        free(r->payloads);
        free(r->notes);
    }
    free(r);
}

static void free_root(struct root_entry *e)
{
    if (e != NULL) {
        span_free(e->document);
    }
    free(e);
}

static void free_entries(struct catalog *c)
{
    for (uint32_t i = 0; i < c->roots.n; i++) {
        free_root(c->roots.at[i]);
    }
    for (uint32_t i = 0; i < c->releases.n; i++) {
        free_release(c->releases.at[i]);
    }
    for (uint32_t i = 0; i < c->rollouts.n; i++) {
        catalog_free_rollout(c->rollouts.at[i]);
    }
    for (uint32_t i = 0; i < c->products.n; i++) {
        free(c->products.at[i]);
    }
}

void catalog_free(struct catalog *c)
{
    free_entries(c);
    free(c->roots.at);
    free(c->products.at);
    free(c->releases.at);
    free(c->rollouts.at);
    pthread_rwlock_destroy(&c->lock);
}

void catalog_breathe(struct catalog *c, uint64_t i)
{
    if (i % 1024 == 0) {
        pthread_rwlock_unlock(&c->lock);
        pthread_rwlock_rdlock(&c->lock);
    }
}

struct product *catalog_product(const struct catalog *c, const char *name)
{
    for (uint32_t i = 0; i < c->products.n; i++) {
        struct product *p = c->products.at[i];

        if (p != NULL && strcmp(p->name, name) == 0) {
            return p;
        }
    }
    return NULL;
}

struct product *catalog_product_number(const struct catalog *c, uint32_t n)
{
    return list_get(&c->products, n);
}

struct product *catalog_product_class(const struct catalog *c,
                                      const uint8_t class_id[16])
{
    for (uint32_t i = 0; i < c->products.n; i++) {
        struct product *p = c->products.at[i];

        if (p != NULL && memcmp(p->class_id, class_id, 16) == 0) {
            return p;
        }
    }
    return NULL;
}

/* Polls ask: constant in the number of releases, as good as. */
struct release *catalog_release(const struct catalog *c,
                                const uint8_t manifest[32])
{
    struct release *r = c->by_manifest[manifest[0]];

    while (r != NULL && memcmp(r->manifest, manifest, 32) != 0) {
        r = r->next;
    }
    return r;
}

struct release *catalog_release_number(const struct catalog *c, uint32_t n)
{
    return list_get(&c->releases, n);
}

struct release *catalog_release_version(const struct product *product,
                                        const struct catalog *c,
                                        const char *version)
{
    struct release *found = NULL;

    for (uint32_t i = 0; i < c->releases.n; i++) {
        struct release *r = c->releases.at[i];

        if (r != NULL && r->product == product &&
            strcmp(r->version, version) == 0 &&
            (found == NULL || r->sequence > found->sequence)) {
            found = r;
        }
    }
    return found;
}

struct release *catalog_release_sequence(const struct catalog *c,
                                         const struct product *product,
                                         uint64_t sequence)
{
    for (uint32_t i = 0; i < c->releases.n; i++) {
        struct release *r = c->releases.at[i];

        if (r != NULL && r->product == product && r->sequence == sequence) {
            return r;
        }
    }
    return NULL;
}

bool catalog_has_payload(const struct catalog *c, uint32_t product,
                         const uint8_t sha256[32])
{
    for (uint32_t i = 0; i < c->releases.n; i++) {
        const struct release *r = c->releases.at[i];

        for (uint32_t k = 0;
             r != NULL && r->product->number == product && k < r->digests.n;
             k++) {
            if (memcmp(r->digests.payload[k], sha256, 32) == 0) {
                return true;
            }
        }
    }
    return false;
}

int catalog_add_root(struct catalog *c, uint64_t version, bl_span document)
{
    struct root_entry *e = calloc(1, sizeof *e);

    if (e == NULL) {
        return -1;
    }
    e->version = version;
    e->document = span_copy(document);
    if (e->document.p == NULL || version > UINT32_MAX ||
        bl_root_read(e->document, &c->root) != BL_OK ||
        list_put(&c->roots, (uint32_t)version, e) != 0) {
        span_free(e->document);
        free(e);
        return -1;
    }
    c->has_root = true;
    return 0;
}

struct product *catalog_add_product(struct catalog *c, uint32_t number,
                                    const char *name, const char *domain,
                                    const uint8_t vendor_id[16],
                                    const uint8_t class_id[16])
{
    struct product *p = calloc(1, sizeof *p);

    if (p == NULL) {
        return NULL;
    }
    p->number = number;
    snprintf(p->name, sizeof p->name, "%s", name);
    snprintf(p->domain, sizeof p->domain, "%s", domain);
    memcpy(p->vendor_id, vendor_id, 16);
    memcpy(p->class_id, class_id, 16);
    if (list_put(&c->products, number, p) != 0) {
        free(p);
        return NULL;
    }
    return p;
}

/* By sequence; one that is no stepping stone leaves the list. */
static int place_stone(struct release *r)
{
    struct product *p = r->product;
    uint32_t i = 0;

    while (i < p->n_stones && p->stone[i].manifest != r->manifest) {
        i++;
    }
    if (i < p->n_stones) {
        p->n_stones--;
        memmove(&p->stone[i], &p->stone[i + 1],
                (p->n_stones - i) * sizeof p->stone[0]);
    }
    if (!r->stepping) {
        return 0;
    }
    if (p->n_stones == CATALOG_STONES) {
        return -1;
    }
    for (i = p->n_stones; i > 0 && p->stone[i - 1].sequence > r->sequence;
         i--) {
        p->stone[i] = p->stone[i - 1];
    }
    p->stone[i] = (struct rollout_stone){r->sequence, r->manifest,
                                         r->min_version, r->version};
    p->n_stones++;
    return 0;
}

int catalog_mark_release(struct catalog *c, struct release *r,
                         const struct release_marks *marks)
{
    char *notes = strdup(marks->notes == NULL ? "" : marks->notes);
    bool before = r->stepping;

    (void)c;
    r->stepping = marks->stepping;
    if (notes == NULL || place_stone(r) != 0) {
        r->stepping = before;
        free(notes);
        return -1;
    }
    free(r->notes);
    r->notes = notes;
    r->security = marks->security;
    snprintf(r->channels, sizeof r->channels, "%s",
             marks->channels == NULL ? "" : marks->channels);
    catalog_arrange(r->product);
    return 0;
}

static void index_release(struct catalog *c, struct release *r)
{
    r->next = c->by_manifest[r->manifest[0]];
    c->by_manifest[r->manifest[0]] = r;
}

/* Of each component once: its image may be another for the other slot. */
static uint64_t payload_bytes(const char *payloads)
{
    json_t *list = json_loads(payloads, 0, NULL);
    const char *before = "";
    uint64_t sum = 0;
    size_t i;
    json_t *one;

    json_array_foreach(list, i, one)
    {
        const char *component =
            json_string_value(json_object_get(one, "component"));

        if (component != NULL && strcmp(component, before) != 0) {
            sum += (uint64_t)json_integer_value(json_object_get(one, "size"));
            before = component;
        }
    }
    json_decref(list);
    return sum;
}

struct release *catalog_add_release(struct catalog *c, uint32_t number,
                                    const struct store_release *from,
                                    uint64_t created)
{
    struct release *r = calloc(1, sizeof *r);

    if (r == NULL) {
        return NULL;
    }
    r->number = number;
    r->product = catalog_product_number(c, from->product);
    snprintf(r->version, sizeof r->version, "%s", from->version);
    r->sequence = from->sequence;
    memcpy(r->manifest, from->manifest, 32);
    r->envelope = span_copy(from->envelope);
    r->signers = strdup(from->signers);
    r->payloads = strdup(from->payloads);
    r->created = created;
    r->sbom = from->sbom;
    r->payload_bytes = payload_bytes(from->payloads);
    release_minimum(r->envelope, r->min_version, sizeof r->min_version);
    if (r->product == NULL || r->envelope.p == NULL || r->signers == NULL ||
        r->payloads == NULL ||
        release_digests(r->envelope, &r->digests) != 0 ||
        list_put(&c->releases, number, r) != 0) {
        free_release(r);
        return NULL;
    }
    index_release(c, r);
    if (r->sequence > r->product->highest) {
        r->product->highest = r->sequence;
    }
    catalog_mark_release(c, r, &from->marks);
    return r;
}
