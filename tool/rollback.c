/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bowline rollback, device rollback: the permit is made here, where the
 * release keys are; the server only passes it on.
 */
#include <openssl/evp.h>
#include <string.h>
#include <time.h>

#include "device.h"
#include "keys.h"
#include "print.h"
#include "rollout.h"

enum { PERMIT_LIMIT = 64 * 1024 };

struct plan {
    struct call *c;
    struct api *api;
    const char *product;
    const char *version;
    uint8_t manifest[32];
    uint8_t class_id[BL_ID_SIZE];
    uint8_t id[BL_ID_SIZE];
    const uint8_t *device; /* `id`, or NULL: every one of the product */
    uint64_t expires;
    struct buffer permit;
};

/* The newest release of that version. */
static int find_release(struct plan *p)
{
    struct call *c = p->c;
    json_t *items = NULL;
    json_int_t best = -1;
    size_t i;
    int code = api_list(
        p->api, keep(c, "/releases?product=%s", url_part(c, p->product)), 0,
        &items);

    for (i = 0; code == 0 && i < json_array_size(items); i++) {
        const json_t *r = json_array_get(items, i);
        const char *version = json_string_value(json_object_get(r, "version"));
        const char *hex = json_string_value(json_object_get(r, "manifest"));
        json_int_t sequence =
            json_integer_value(json_object_get(r, "sequence"));

        if (version != NULL && hex != NULL && sequence > best &&
            strcmp(version, p->version) == 0 &&
            hex_decode(hex, strlen(hex), p->manifest, 32) == 0) {
            best = sequence;
        }
    }
    if (code == 0 && best < 0) {
        code = refuse(c, EXIT_INPUT, "%s has no release %s on the server",
                      p->product, p->version);
    }
    json_decref(items);
    return code;
}

/* A UUID, with its dashes or without. */
static int read_uuid(const char *text, uint8_t out[BL_ID_SIZE])
{
    char hex[2 * BL_ID_SIZE + 1];
    size_t n = 0;

    for (; *text != '\0' && n < sizeof hex - 1; text++) {
        if (*text != '-') {
            hex[n++] = *text;
        }
    }
    return *text == '\0' ? hex_decode(hex, n, out, BL_ID_SIZE) : -1;
}

static int find_class(struct plan *p)
{
    struct call *c = p->c;
    json_t *product = NULL;
    const char *id;
    int code = api_call(p->api, "GET",
                        keep(c, "/products/%s", url_part(c, p->product)), NULL,
                        &product);

    if (code != 0) {
        return code;
    }
    id = json_string_value(json_object_get(product, "class_id"));
    if (id == NULL || read_uuid(id, p->class_id) != 0) {
        code = refuse(c, EXIT_SERVER, "the server names no class id of %s",
                      p->product);
    }
    json_decref(product);
    return code;
}

static int make_permit(struct plan *p)
{
    struct call *c = p->c;
    struct author_permit permit = {0};
    struct keys keys;
    const char *copy = cli_value(c, "output");
    int code = keys_open_release(c, &keys);

    if (code != 0) {
        return code;
    }
    permit.issued = (uint64_t)time(NULL);
    permit.expiry = p->expires;
    permit.device_id = p->device;
    memcpy(permit.class_id, p->class_id, BL_ID_SIZE);
    memcpy(permit.manifest, p->manifest, 32);
    if (author_permit(&permit, keys.key, keys.n, &p->permit, &c->err) != 0) {
        code = EXIT_INPUT;
    }
    keys_close(&keys);
    if (code == 0 && copy != NULL) {
        code = write_output(c, copy, buffer_span(&p->permit), 0644);
    }
    return code;
}

static int send_permit(struct plan *p, const char *path, json_t **answer)
{
    struct call *c = p->c;
    char *base64 = keep(c, "%*s", (int)(4 * ((p->permit.n + 2) / 3)), "");
    json_t *body = json_object();
    int code;

    (void)EVP_EncodeBlock((unsigned char *)base64, p->permit.p,
                          (int)p->permit.n);
    put_text(body, "version", p->version);
    put_text(body, "manifest", keep_hex(c, p->manifest, 32));
    put_text(body, "permit", base64);
    code = api_call(p->api, "POST", path, body, answer);
    json_decref(body);
    if (code == EXIT_SERVER && api_error_is(p->api, "not-older")) {
        code = refuse(c, EXIT_INPUT,
                      "%s is not older than what runs now: that is no "
                      "rollback; bowline rollout start %s brings devices "
                      "forward",
                      p->version, p->version);
    }
    return code;
}

static int carry_out(struct plan *p, const char *path, json_t **answer)
{
    int code = find_release(p);

    code = code == 0 ? find_class(p) : code;
    code = code == 0 ? make_permit(p) : code;
    code = code == 0 ? send_permit(p, path, answer) : code;
    buffer_free(&p->permit);
    if (code == 0) {
        put_number(p->c->result, "expires", p->expires);
    }
    return code;
}

static int begin(struct call *c, struct plan *p)
{
    uint64_t days = 7;
    int code = cli_number(c, "days", 1, 3650, &days);

    memset(p, 0, sizeof *p);
    p->c = c;
    p->version = cli_value(c, "to");
    p->permit.limit = PERMIT_LIMIT;
    p->expires = (uint64_t)time(NULL) + days * 86400;
    if (code == 0 && p->version == NULL) {
        code = refuse(c, EXIT_USAGE,
                      "say the release to go back to: --to "
                      "VERSION");
    }
    if (code == 0) {
        p->api = api_open(c, &code);
    }
    return code;
}

int verb_rollback(struct call *c)
{
    struct plan p;
    json_t *answer = NULL;
    int code = begin(c, &p);

    if (code == 0) {
        p.product =
            c->n_arguments > 0 ? c->argument[0] : setting_needed(c, "product");
        code = p.product == NULL ? EXIT_INPUT
                                 : carry_out(&p,
                                             keep(c, "/products/%s/rollback",
                                                  url_part(c, p.product)),
                                             &answer);
    }
    if (code == 0) {
        put(c->result, "rollout", json_incref(answer));
        show(c, "%s goes back to %s; the permit is good until %s", p.product,
             p.version, keep_time(c, p.expires));
        rollout_print(c, answer);
    }
    json_decref(answer);
    api_close(p.api);
    return code;
}

static int rollback_device(struct call *c, struct plan *p, json_t **answer)
{
    uint8_t *id = p->id;
    json_t *device = NULL;
    const char *hex;
    int code = device_find(c, p->api, c->argument[0], &device);

    if (code != 0) {
        return code;
    }
    hex = keep(c, "%s", print_scalar(c, "id", json_object_get(device, "id")));
    p->product =
        keep(c, "%s",
             print_scalar(c, "product", json_object_get(device, "product")));
    json_decref(device);
    if (hex_decode(hex, strlen(hex), id, BL_ID_SIZE) != 0) {
        return refuse(c, EXIT_SERVER, "the server's device has no id");
    }
    p->device = id;
    return carry_out(p, keep(c, "/devices/%s/rollback", hex), answer);
}

int verb_device_rollback(struct call *c)
{
    struct plan p;
    json_t *answer = NULL;
    int code = begin(c, &p);

    if (code == 0) {
        code = rollback_device(c, &p, &answer);
    }
    if (code == 0) {
        (void)json_object_update(c->result, answer);
        show(c, "device %s goes back to %s; the permit is good until %s",
             c->argument[0], p.version, keep_time(c, p.expires));
    }
    json_decref(answer);
    api_close(p.api);
    return code;
}
