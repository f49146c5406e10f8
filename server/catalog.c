/* SPDX-License-Identifier: Apache-2.0 */
#include "catalog.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static bl_span copy_span(bl_span from)
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

static void free_span(bl_span s)
{
    union {
        const uint8_t *in;
        uint8_t *out;
    } p = {s.p};

    free(p.out);
}

/* Puts `entry` at place `i`; grows by doubling. */
static int list_put(struct list *l, uint32_t i, void *entry)
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

static void *list_get(const struct list *l, uint64_t i)
{
    return i < l->n ? l->at[i] : NULL;
}

int catalog_init(struct catalog *c)
{
    memset(c, 0, sizeof *c);
    return pthread_rwlock_init(&c->lock, NULL);
}

static void free_entries(struct catalog *c)
{
    for (uint32_t i = 0; i < c->roots.n; i++) {
        struct root_entry *e = c->roots.at[i];

        if (e != NULL) {
            free_span(e->document);
        }
        free(e);
    }
    for (uint32_t i = 0; i < c->releases.n; i++) {
        struct release *r = c->releases.at[i];

        if (r != NULL) {
            free_span(r->envelope);
            free(r->signers);
            free(r->payloads);
        }
        free(r);
    }
    for (uint32_t i = 0; i < c->rollouts.n; i++) {
        struct rollout *r = c->rollouts.at[i];

        if (r != NULL) {
            free_span(r->permit);
        }
        free(r);
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

struct release *catalog_release(const struct catalog *c,
                                const uint8_t manifest[32])
{
    for (uint32_t i = 0; i < c->releases.n; i++) {
        struct release *r = c->releases.at[i];

        if (r != NULL && memcmp(r->manifest, manifest, 32) == 0) {
            return r;
        }
    }
    return NULL;
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

struct rollout *catalog_rollout(const struct catalog *c, uint64_t id)
{
    return list_get(&c->rollouts, id);
}

struct rollout *catalog_active(const struct product *product)
{
    struct rollout *r = product->newest;

    for (; r != NULL; r = r->older) {
        if (r->state == ROLLOUT_RUNNING || r->state == ROLLOUT_PAUSED) {
            return r;
        }
    }
    return NULL;
}

int catalog_add_root(struct catalog *c, uint64_t version, bl_span document)
{
    struct root_entry *e = calloc(1, sizeof *e);

    if (e == NULL) {
        return -1;
    }
    e->version = version;
    e->document = copy_span(document);
    if (e->document.p == NULL || version > UINT32_MAX ||
        bl_root_read(e->document, &c->root) != BL_OK ||
        list_put(&c->roots, (uint32_t)version, e) != 0) {
        free_span(e->document);
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

static void free_release(struct release *r)
{
    free_span(r->envelope);
    free(r->signers);
    free(r->payloads);
    free(r);
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
    r->envelope = copy_span(from->envelope);
    r->signers = strdup(from->signers);
    r->payloads = strdup(from->payloads);
    r->created = created;
    if (r->product == NULL || r->envelope.p == NULL || r->signers == NULL ||
        r->payloads == NULL ||
        release_digests(r->envelope, &r->digests) != 0 ||
        list_put(&c->releases, number, r) != 0) {
        free_release(r);
        return NULL;
    }
    if (r->sequence > r->product->highest) {
        r->product->highest = r->sequence;
    }
    return r;
}

int rollout_stages_parse(struct rollout *r, const char *json)
{
    json_t *list = json_loads(json, 0, NULL);
    size_t n = json_array_size(list);
    int result = n >= 1 && n <= ROLLOUT_STAGES ? 0 : -1;

    for (size_t i = 0; i < n && result == 0; i++) {
        json_t *pair = json_array_get(list, i);

        r->percent[i] = (uint32_t)json_integer_value(json_array_get(pair, 0));
        r->limit[i] = (uint32_t)json_integer_value(json_array_get(pair, 1));
    }
    r->n_stages = (uint32_t)n;
    json_decref(list);
    return result;
}

char *rollout_stages_text(const struct rollout *r)
{
    json_t *list = json_array();
    char *text;

    for (uint32_t i = 0; i < r->n_stages; i++) {
        json_array_append_new(
            list, json_pack("[i, i]", (int)r->percent[i], (int)r->limit[i]));
    }
    text = json_dumps(list, JSON_COMPACT);
    json_decref(list);
    return text;
}

int rollout_ended_parse(struct rollout *r, const char *json)
{
    json_t *ended;
    const json_t *list;

    if (json == NULL || json[0] == '\0') {
        return 0;
    }
    ended = json_loads(json, 0, NULL);
    list = json_object_get(ended, "devices");
    r->ended = json_array_size(list) == r->n_stages;
    for (uint32_t i = 0; r->ended && i < r->n_stages; i++) {
        r->stage_devices[i] =
            (uint32_t)json_integer_value(json_array_get(list, i));
    }
    r->blocked =
        (uint32_t)json_integer_value(json_object_get(ended, "blocked"));
    json_decref(ended);
    return r->ended ? 0 : -1;
}

char *rollout_ended_text(const struct rollout *r)
{
    json_t *list = json_array();
    json_t *ended;
    char *text;

    for (uint32_t i = 0; i < r->n_stages; i++) {
        json_array_append_new(list, json_integer(r->stage_devices[i]));
    }
    ended = json_pack("{s:o, s:I}", "devices", list, "blocked",
                      (json_int_t)r->blocked);
    text = json_dumps(ended, JSON_COMPACT);
    json_decref(ended);
    return text;
}

struct rollout *catalog_add_rollout(struct catalog *c,
                                    const struct store_rollout *from,
                                    uint64_t created, uint64_t changed)
{
    struct rollout *r = calloc(1, sizeof *r);

    if (r == NULL) {
        return NULL;
    }
    r->id = from->id;
    r->product = catalog_product_number(c, from->product);
    r->release = catalog_release_number(c, from->release);
    snprintf(r->name, sizeof r->name, "%s", from->name);
    r->kind = from->kind;
    r->state = from->state;
    r->stage = from->stage;
    r->permit = copy_span(from->permit);
    r->created = created;
    r->changed = changed;
    if (r->product == NULL || r->release == NULL || r->permit.p == NULL ||
        rollout_stages_parse(r, from->stages) != 0 ||
        rollout_ended_parse(r, from->ended) != 0 || r->stage >= r->n_stages ||
        list_put(&c->rollouts, (uint32_t)r->id, r) != 0) {
        free_span(r->permit);
        free(r);
        return NULL;
    }
    r->older = r->product->newest;
    r->product->newest = r;
    return r;
}

struct pin *pin_new(uint64_t order, struct release *release, bl_span permit)
{
    struct pin *pin = malloc(sizeof *pin);

    if (pin == NULL) {
        return NULL;
    }
    pin->order = order;
    pin->release = release;
    pin->permit = copy_span(permit);
    if (pin->permit.p == NULL) {
        free(pin);
        return NULL;
    }
    return pin;
}

void pin_free(struct pin *pin)
{
    if (pin != NULL) {
        free_span(pin->permit);
        free(pin);
    }
}

static void put_rollout(struct rollout_candidate *out, const struct rollout *r)
{
    out->order = r->id * 2;
    out->kind = r->kind;
    out->state = r->state;
    out->limit = r->limit[r->stage];
    out->sequence = r->release->sequence;
    out->manifest = r->release->manifest;
}

static void put_pin(struct rollout_candidate *out, const struct pin *pin)
{
    out->order = pin->order;
    out->kind = ROLLOUT_PIN;
    out->state = ROLLOUT_RUNNING;
    out->limit = ROLLOUT_BUCKETS;
    out->sequence = pin->release->sequence;
    out->manifest = pin->release->manifest;
}

uint32_t
catalog_candidates(const struct product *product, const struct pin *pin,
                   struct rollout_candidate out[CATALOG_CANDIDATES + 1])
{
    uint32_t n = 0;

    for (const struct rollout *r = product->newest;
         r != NULL && n < CATALOG_CANDIDATES; r = r->older) {
        if (pin != NULL && pin->order > r->id * 2) {
            break;
        }
        if (r->state == ROLLOUT_ABORTED) {
            continue;
        }
        put_rollout(&out[n++], r);
        if (out[n - 1].limit >= ROLLOUT_BUCKETS) {
            return n;
        }
    }
    if (pin != NULL) {
        put_pin(&out[n++], pin);
    }
    return n;
}

struct release *catalog_offer(const struct catalog *c, const struct pin *pin,
                              uint64_t order, bl_span *permit)
{
    const struct rollout *r;

    *permit = bl_span_of(NULL, 0);
    if (order % 2 == 1) {
        if (pin == NULL || pin->order != order) {
            return NULL;
        }
        *permit = pin->permit;
        return pin->release;
    }
    r = catalog_rollout(c, order / 2);
    if (r == NULL) {
        return NULL;
    }
    *permit = r->permit;
    return r->release;
}

struct load {
    struct catalog *c;
    struct error *err;
};

static int damaged(struct load *l, const char *table, int64_t number)
{
    error_set(l->err,
              "the database's table %s, row %lld, is not what this program "
              "wrote; restore a backup",
              table, (long long)number);
    return 1;
}

static int load_root(void *ctx, sqlite3_stmt *row)
{
    struct load *l = ctx;
    int64_t version = sqlite3_column_int64(row, 0);

    if (catalog_add_root(l->c, (uint64_t)version, db_blob(row, 1)) != 0) {
        return damaged(l, "roots", version);
    }
    return 0;
}

static int load_product(void *ctx, sqlite3_stmt *row)
{
    struct load *l = ctx;
    int64_t number = sqlite3_column_int64(row, 0);
    bl_span vendor = db_blob(row, 3);
    bl_span class_id = db_blob(row, 4);

    if (vendor.n != 16 || class_id.n != 16 ||
        catalog_add_product(l->c, (uint32_t)number, db_text(row, 1),
                            db_text(row, 2), vendor.p, class_id.p) == NULL) {
        return damaged(l, "products", number);
    }
    return 0;
}

static int load_release(void *ctx, sqlite3_stmt *row)
{
    struct load *l = ctx;
    int64_t number = sqlite3_column_int64(row, 0);
    struct store_release r = {
        .product = (uint32_t)sqlite3_column_int64(row, 1),
        .version = db_text(row, 2),
        .sequence = (uint64_t)sqlite3_column_int64(row, 3),
        .envelope = db_blob(row, 5),
        .signers = db_text(row, 6),
        .payloads = db_text(row, 7),
    };
    bl_span manifest = db_blob(row, 4);

    r.manifest = manifest.p;
    if (manifest.n != 32 ||
        catalog_add_release(l->c, (uint32_t)number, &r,
                            (uint64_t)sqlite3_column_int64(row, 8)) == NULL) {
        return damaged(l, "releases", number);
    }
    return 0;
}

static int load_rollout(void *ctx, sqlite3_stmt *row)
{
    struct load *l = ctx;
    struct store_rollout r = {
        .id = (uint64_t)sqlite3_column_int64(row, 0),
        .product = (uint32_t)sqlite3_column_int64(row, 1),
        .release = (uint32_t)sqlite3_column_int64(row, 2),
        .name = db_text(row, 3),
        .kind = (uint8_t)sqlite3_column_int(row, 4),
        .state = (uint8_t)sqlite3_column_int(row, 5),
        .stage = (uint32_t)sqlite3_column_int(row, 6),
        .stages = db_text(row, 7),
        .permit = db_blob(row, 8),
        .ended = db_text(row, 11),
    };

    if (catalog_add_rollout(l->c, &r, (uint64_t)sqlite3_column_int64(row, 9),
                            (uint64_t)sqlite3_column_int64(row, 10)) == NULL) {
        return damaged(l, "rollouts", (int64_t)r.id);
    }
    return 0;
}

int catalog_load(struct catalog *c, struct store *store, struct error *err)
{
    struct load l = {c, err};
    struct error first = {BL_OK, 0, ""};
    struct db *db = &store->db;

    l.err = &first;
    if (db_each(db, err, load_root, &l,
                "SELECT version, document FROM roots ORDER BY version",
                "") != 0 ||
        db_each(db, err, load_product, &l,
                "SELECT number, name, domain, vendor_id, class_id"
                " FROM products ORDER BY number",
                "") != 0 ||
        db_each(db, err, load_release, &l,
                "SELECT number, product, version, sequence, manifest,"
                " envelope, signers, payloads, created"
                " FROM releases ORDER BY number",
                "") != 0 ||
        db_each(db, err, load_rollout, &l,
                "SELECT number, product, release, name, kind, state, stage,"
                " stages, permit, created, changed, ended"
                " FROM rollouts ORDER BY number",
                "") != 0) {
        return -1;
    }
    if (first.text[0] != '\0') {
        return error_set(err, "%s", first.text);
    }
    return 0;
}
