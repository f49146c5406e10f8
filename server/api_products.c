/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/products */
#include "api.h"
#include "api_rollouts.h"
#include "router.h"

#include "author/author.h"

#include <stdio.h>

/* A UUID in its usual form, RFC 9562 section 4. */
static json_t *uuid(const uint8_t id[16])
{
    char text[37];
    int n = 0;

    for (int i = 0; i < 16; i++) {
        bool dash = i == 4 || i == 6 || i == 8 || i == 10;

        n += snprintf(text + n, sizeof text - (size_t)n, "%s%02x",
                      dash ? "-" : "", id[i]);
    }
    return json_string(text);
}

static json_t *product_json(struct server *s, const struct product *p)
{
    return json_pack("{s:s, s:s, s:o, s:o, s:I, s:I, s:b, s:I}", "name",
                     p->name, "vendor_domain", p->domain, "vendor_id",
                     uuid(p->vendor_id), "class_id", uuid(p->class_id),
                     "devices", (json_int_t)atomic_load(&p->devices),
                     "sequence", (json_int_t)p->highest, "unmanaged",
                     (int)atomic_load(&p->unmanaged), "unmanaged_devices",
                     (json_int_t)unmanaged_count(s->unmanaged, p->number));
}

/* Names stand in URLs and commands. */
/* "." and ".." would be steps of a path in many a client. */
static bool plain_name(const char *name)
{
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        return false;
    }
    return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                        "0123456789._-") == strlen(name);
}

struct new_product {
    const char *name;
    const char *domain;
    uint8_t vendor_id[16];
    uint8_t class_id[16];
    uint32_t number;
};

static int write_product(struct server *s, void *ctx, struct error *err)
{
    struct new_product *p = ctx;

    return store_product_add(&s->store, p->name, p->domain, p->vendor_id,
                             p->class_id, &p->number, err);
}

static void add_product(struct server *s, struct http_request *rq,
                        const char *name, const char *domain)
{
    struct new_product new = {.name = name, .domain = domain};
    struct product *p = catalog_product(&s->catalog, name);

    if (p != NULL && strcmp(p->domain, domain) == 0) {
        api_json(rq, 200, product_json(s, p));
        return;
    }
    if (p != NULL) {
        api_error(rq, 409, "exists",
                  "product %s is there already, of vendor %s", name,
                  p->domain);
        return;
    }
    author_vendor_id(domain, new.vendor_id);
    author_class_id(new.vendor_id, name, new.class_id);
    if (api_change(s, rq, write_product, &new, "product-add", name, domain) !=
        0) {
        return;
    }
    pthread_rwlock_wrlock(&s->catalog.lock);
    p = catalog_add_product(&s->catalog, new.number, name, domain,
                            new.vendor_id, new.class_id);
    pthread_rwlock_unlock(&s->catalog.lock);
    if (p == NULL) {
        api_error(rq, 503, "memory", "no memory; restart the server");
        return;
    }
    api_json(rq, 201, product_json(s, p));
}

void product_add(struct server *s, struct http_request *rq)
{
    json_t *body = api_body(rq);
    const char *name;
    const char *domain;

    if (body == NULL) {
        return;
    }
    name = api_text(rq, body, "name", CATALOG_NAME - 1);
    domain = name == NULL
                 ? NULL
                 : api_text(rq, body, "vendor_domain", CATALOG_DOMAIN - 1);
    if (domain != NULL && (!plain_name(name) || !plain_name(domain))) {
        api_error(rq, 400, "field",
                  "name and vendor_domain may hold "
                  "letters, digits, '.', '_', '-'");
    } else if (domain != NULL) {
        pthread_mutex_lock(&s->admin);
        add_product(s, rq, name, domain);
        pthread_mutex_unlock(&s->admin);
    }
    json_decref(body);
}

static json_t *listed(struct server *s, const struct http_request *rq,
                      void *entry)
{
    (void)rq;
    return product_json(s, entry);
}

void product_list(struct server *s, struct http_request *rq)
{
    pthread_rwlock_rdlock(&s->catalog.lock);
    api_list_oldest(s, rq, &s->catalog.products, listed);
    pthread_rwlock_unlock(&s->catalog.lock);
}

void product_show(struct server *s, struct http_request *rq)
{
    const struct product *p;

    pthread_rwlock_rdlock(&s->catalog.lock);
    p = catalog_product(&s->catalog, rq->param[0]);
    if (p == NULL) {
        api_error(rq, 404, "not-found", "there is no product %s",
                  rq->param[0]);
    } else {
        api_json(rq, 200, product_json(s, p));
    }
    pthread_rwlock_unlock(&s->catalog.lock);
}

/* --- What may change --------------------------------------------------------
 */

struct opening {
    struct product *product;
    bool open;
};

static int write_opening(struct server *s, void *ctx, struct error *err)
{
    const struct opening *o = ctx;

    return store_product_unmanaged(&s->store, o->product->number, o->open,
                                   err);
}

static void change(struct server *s, struct http_request *rq,
                   const json_t *body)
{
    const json_t *unmanaged = json_object_get(body, "unmanaged");
    struct opening o = {catalog_product(&s->catalog, rq->param[0]),
                        json_is_true(unmanaged)};

    if (o.product == NULL) {
        api_error(rq, 404, "not-found", "there is no product %s",
                  rq->param[0]);
    } else if (!json_is_boolean(unmanaged) || json_object_size(body) != 1) {
        api_error(rq, 400, "field",
                  "what may change in a product is \"unmanaged\": true or "
                  "false");
    } else if (api_change(
                   s, rq, write_opening, &o, "product-change", o.product->name,
                   o.open ? "unmanaged=true" : "unmanaged=false") == 0) {
        atomic_store(&o.product->unmanaged, o.open);
        api_json(rq, 200, product_json(s, o.product));
    }
}

void product_change(struct server *s, struct http_request *rq)
{
    api_with_body(s, rq, change);
}

/* --- The way back -----------------------------------------------------------
 */

/* A permit is for the way back; forward goes a rollout, in stages. */
static int check_back(struct server *s, struct http_request *rq,
                      const struct rollout_wish *wish)
{
    if (rollout_leads_forward(s, wish->product, wish->release)) {
        api_error(rq, 409, "not-older",
                  "%s is newer than what the devices of %s run: that is no "
                  "way back; start a rollout of it",
                  wish->release->version, wish->product->name);
        return -1;
    }
    return 0;
}

static void roll_back(struct server *s, struct http_request *rq,
                      const json_t *body)
{
    uint8_t bytes[8192];
    struct rollout_wish wish = {
        .product = catalog_product(&s->catalog, rq->param[0]),
        .name = "rollback",
        .kind = ROLLOUT_ROLLBACK,
        .actor = rq->actor,
        .instead = true,
        .approval = settings_four_eyes(s),
    };

    if (wish.product == NULL) {
        api_error(rq, 404, "not-found", "there is no product %s",
                  rq->param[0]);
        return;
    }
    wish.release = api_find_release(s, rq, wish.product, body);
    if (wish.release == NULL || check_back(s, rq, &wish) != 0 ||
        api_permit(s, rq, body, wish.product, wish.release, NULL, bytes,
                   sizeof bytes, &wish.permit) != 0) {
        return;
    }
    plan_default(&wish.plan);
    rollout_reply_new(s, rq, 202, &wish);
    plan_free(&wish.plan);
}

static void rollback(struct server *s, struct http_request *rq)
{
    api_with_body(s, rq, roll_back);
}

void product_rollback(struct server *s, struct http_request *rq)
{
    worker_change(s->changes, rq, rollback);
}
