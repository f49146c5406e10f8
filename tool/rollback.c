/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bowline rollback, device rollback, permit: the permit is made here, where
 * the release keys are; the server only passes it on.
 */
#include <string.h>
#include <time.h>

#include "device.h"
#include "permit.h"
#include "print.h"
#include "rollout.h"

struct plan {
    struct call *c;
    struct api *api;
    const char *product;
    const char *version;
    uint8_t id[BL_ID_SIZE];
    struct permit_wish wish; /* wish.device: `id`, or NULL */
    struct buffer permit;
};

static int find_release(struct plan *p)
{
    struct call *c = p->c;
    json_t *release = NULL;
    const char *hex;
    int code = release_find(c, p->api, p->product, p->version, &release);

    if (code == 0) {
        hex = json_string_value(json_object_get(release, "manifest"));
        if (hex_decode(hex, strlen(hex), p->wish.manifest, 32) != 0) {
            code = refuse(c, EXIT_SERVER, "the server's release has no id");
        }
    }
    json_decref(release);
    return code;
}

static int make_permit(struct plan *p)
{
    struct call *c = p->c;
    const char *copy = cli_value(c, "output");
    int code = permit_make(c, &p->wish, &p->permit);

    if (code == 0 && copy != NULL) {
        code = write_output(c, copy, buffer_span(&p->permit), 0644);
    }
    return code;
}

static int send_permit(struct plan *p, const char *path, json_t **answer)
{
    struct call *c = p->c;
    json_t *body = json_object();
    int code;

    put_text(body, "version", p->version);
    put_text(body, "manifest", keep_hex(c, p->wish.manifest, 32));
    put_text(body, "permit", permit_base64(c, &p->permit));
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

    code = code == 0 ? permit_class(p->c, p->api, p->product, p->wish.class_id)
                     : code;
    code = code == 0 ? make_permit(p) : code;
    code = code == 0 ? send_permit(p, path, answer) : code;
    buffer_free(&p->permit);
    if (code == 0) {
        put_number(p->c->result, "expires", p->wish.expires);
    }
    return code;
}

static int begin(struct call *c, struct plan *p, const char *version)
{
    uint64_t days = 7;
    int code = cli_number(c, "days", 1, 3650, &days);

    memset(p, 0, sizeof *p);
    p->c = c;
    p->version = version;
    p->wish.expires = (uint64_t)time(NULL) + days * 86400;
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
    int code = begin(c, &p, cli_value(c, "to"));

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
             p.version, keep_time(c, p.wish.expires));
        rollout_print(c, answer);
    }
    json_decref(answer);
    api_close(p.api);
    return code;
}

/* Makes it a permit for this device, and for its product. */
static int find_device(struct call *c, struct plan *p, const char *name)
{
    json_t *device = NULL;
    const char *hex;
    int code = device_find(c, p->api, name, &device);

    if (code != 0) {
        return code;
    }
    hex = keep(c, "%s", print_scalar(c, "id", json_object_get(device, "id")));
    p->product =
        keep(c, "%s",
             print_scalar(c, "product", json_object_get(device, "product")));
    json_decref(device);
    if (hex_decode(hex, strlen(hex), p->id, BL_ID_SIZE) != 0) {
        return refuse(c, EXIT_SERVER, "the server's device has no id");
    }
    p->wish.device = p->id;
    return 0;
}

static int rollback_device(struct call *c, struct plan *p, json_t **answer)
{
    int code = find_device(c, p, c->argument[0]);

    return code != 0 ? code
                     : carry_out(p,
                                 keep(c, "/devices/%s/rollback",
                                      keep_hex(c, p->id, BL_ID_SIZE)),
                                 answer);
}

int verb_device_rollback(struct call *c)
{
    struct plan p;
    json_t *answer = NULL;
    int code = begin(c, &p, cli_value(c, "to"));

    if (code == 0) {
        code = rollback_device(c, &p, &answer);
    }
    if (code == 0) {
        (void)json_object_update(c->result, answer);
        show(c, "device %s goes back to %s; the permit is good until %s",
             c->argument[0], p.version, keep_time(c, p.wish.expires));
    }
    json_decref(answer);
    api_close(p.api);
    return code;
}

/* --- Only the permit ------------------------------------------------------
 */

static int write_permit(struct plan *p)
{
    struct call *c = p->c;
    const char *path = cli_value(c, "output");
    int code = permit_make(c, &p->wish, &p->permit);

    path = path == NULL ? keep(c, "%s.permit", p->version) : path;
    code = code == 0 ? write_output(c, path, buffer_span(&p->permit), 0644)
                     : code;
    buffer_free(&p->permit);
    if (code == 0) {
        put_text(c->result, "file", path);
        put_text(c->result, "version", p->version);
        put_text(c->result, "manifest", keep_hex(c, p->wish.manifest, 32));
        if (p->wish.device != NULL) {
            put_text(c->result, "device", keep_hex(c, p->id, BL_ID_SIZE));
        }
        put_number(c->result, "expires", p->wish.expires);
        show(c, "%s: a permit to go back to %s, for %s; good until %s", path,
             p->version,
             p->wish.device != NULL
                 ? keep(c, "device %s", keep_hex(c, p->id, BL_ID_SIZE))
                 : keep(c, "every %s", p->product),
             keep_time(c, p->wish.expires));
    }
    return code;
}

int verb_permit(struct call *c)
{
    const char *device = cli_value(c, "device");
    struct plan p;
    int code = begin(c, &p, c->argument[0]);

    if (code == 0 && device != NULL) {
        code = find_device(c, &p, device);
    } else if (code == 0) {
        p.product = setting_needed(c, "product");
        code = p.product == NULL ? EXIT_INPUT : 0;
    }
    code = code == 0 ? find_release(&p) : code;
    code =
        code == 0 ? permit_class(c, p.api, p.product, p.wish.class_id) : code;
    code = code == 0 ? write_permit(&p) : code;
    api_close(p.api);
    return code;
}
