/* SPDX-License-Identifier: Apache-2.0 */
/* bowline publish: payloads first, then the envelope that names them. */
#include <string.h>

#include "api.h"
#include "esp_keys.h"
#include "inspect.h"
#include "print.h"
#include "release.h"

struct upload {
    struct call *c;
    struct api *api;
    const char *path; /* of the envelope */
    json_t *row;
    uint64_t uploaded; /* payloads */
    json_t *sent;      /* their digests */
};

static int check_payload(struct upload *u, const char *path,
                         const struct bl_suit_fetch *fetch)
{
    uint8_t digest[32];
    uint64_t size;

    if (file_sha256(path, digest, &size, &u->c->err) != 0) {
        return EXIT_INPUT;
    }
    if (size != fetch->size || memcmp(digest, fetch->digest, 32) != 0) {
        return refuse(u->c, EXIT_INPUT,
                      "%s is not the payload that %s names: "
                      "it was changed after the release was made; release it "
                      "anew with a higher version",
                      path, u->path);
    }
    return 0;
}

static int send_payload(struct upload *u, const struct bl_suit_fetch *fetch)
{
    const char *hex = keep_hex(u->c, fetch->digest, 32);
    const char *resource = keep(u->c, "/payloads/%s", hex);
    const char *path = release_payload(u->c, u->path, fetch->digest);
    int code = path == NULL ? 0 : check_payload(u, path, fetch);
    int there;

    if (code != 0) {
        return code;
    }
    there = api_has(u->api, resource, &code);
    if (there < 0) {
        return code;
    }
    if (there > 0) {
        note(u->c, "payload %.12s is on the server already", hex);
        return 0;
    }
    if (path == NULL) {
        return refuse(u->c, EXIT_INPUT,
                      "the payload %s of %s is neither on "
                      "the server nor in %s/payloads",
                      hex, u->path, releases_folder(u->c));
    }
    u->uploaded++;
    return api_upload(u->api, resource, path, keep(u->c, "upload %.12s", hex),
                      NULL);
}

static void say_published(struct upload *u, const json_t *answer,
                          uint64_t sequence)
{
    struct call *c = u->c;
    bool already = api_status(u->api) == 200;

    put_bool(u->row, "already", already);
    show(c, "%s %s %s, sequence %llu",
         already ? "already published:" : "published",
         print_scalar(c, "product", json_object_get(answer, "product")),
         print_scalar(c, "version", json_object_get(answer, "version")),
         (unsigned long long)sequence);
    if (already) {
        note(c, "Nothing is new. bowline release makes the next release.");
    }
}

/* Alternatives, and both slots, may ask for the same. */
static bool is_sent(struct upload *u, const struct bl_suit_fetch *fetch)
{
    const char *hex = keep_hex(u->c, fetch->digest, 32);
    bool sent = json_object_get(u->sent, hex) != NULL;

    put_bool(u->sent, hex, true);
    return sent;
}

static int send_envelope(struct upload *u, bl_span bytes)
{
    struct bl_suit_envelope e;
    struct bl_suit_manifest m;
    struct bl_suit_fetch fetch;
    uint32_t i;
    uint8_t slot;
    json_t *answer = NULL;
    bl_status status = bl_suit_read(bytes, &e);
    int code = 0;

    if (status == BL_OK) {
        status = bl_suit_scan(&e, NULL, &m);
    }
    if (status != BL_OK) {
        (void)error_status(&u->c->err, status, "%s", u->path);
        return EXIT_INPUT;
    }
    for (slot = 0; slot < 2; slot++) {
        for (i = 0; code == 0 &&
                    bl_suit_every_payload(&e, &m, slot, i, &fetch) == BL_OK;
             i++) {
            if (fetch.integrated.n == 0 && !is_sent(u, &fetch)) {
                code = send_payload(u, &fetch);
            }
        }
    }
    if (code == 0) {
        code = api_send(u->api, "POST", "/releases", bytes, &answer);
    }
    if (code == 0) {
        put_text(u->row, "type", "release");
        put_number(u->row, "uploaded", u->uploaded);
        put(u->row, "answer", json_incref(answer));
        say_published(u, answer, m.sequence);
    }
    json_decref(answer);
    return code;
}

static int send_root(struct upload *u, bl_span bytes)
{
    json_t *answer = NULL;
    int code = api_send(u->api, "POST", "/roots", bytes, &answer);

    if (code == 0) {
        put_text(u->row, "type", "root document");
        put_number(u->row, "uploaded", 1);
        put(u->row, "answer", json_incref(answer));
        show(
            u->c, "published root document %lld",
            (long long)json_integer_value(json_object_get(answer, "version")));
    }
    json_decref(answer);
    return code;
}

static int publish_file(struct call *c, struct api *api, const char *path,
                        json_t *list)
{
    struct upload u = {c, api, path, json_object(), 0, json_object()};
    struct buffer file = {0};
    int code = read_input(c, path, 256 << 20, &file);

    (void)json_array_append_new(list, u.row);
    put_text(u.row, "file", path);
    if (code == 0) {
        switch (inspect_type(buffer_span(&file))) {
        case TYPE_ENVELOPE:
            code = esp_check_release(c, path, buffer_span(&file));
            code = code == 0 ? send_envelope(&u, buffer_span(&file)) : code;
            break;
        case TYPE_ROOT:
            code = send_root(&u, buffer_span(&file));
            break;
        default:
            code =
                refuse(c, EXIT_INPUT,
                       "%s is neither a release (.suit) nor "
                       "a root document; bowline release makes a release of "
                       "a firmware image",
                       path);
            break;
        }
    }
    buffer_free(&file);
    json_decref(u.sent);
    return code;
}

static int newest(struct call *c, const char **path)
{
    struct release_file last = {0};
    uint8_t vendor_id[16];
    uint8_t class_id[16];
    int code = product_ids(c, vendor_id, class_id);

    if (code == 0) {
        code = releases_newest(c, class_id, &last);
    }
    if (code == 0 && last.path == NULL) {
        return refuse(c, EXIT_INPUT,
                      "no release of %s in %s; make one with "
                      "bowline release",
                      setting(c, "product"), releases_folder(c));
    }
    *path = last.path;
    return code;
}

int verb_publish(struct call *c)
{
    json_t *list = json_array();
    struct api *api;
    int code = 0;
    int i;

    put(c->result, "published", list);
    if (c->n_arguments == 0) {
        code = newest(c, &c->argument[0]);
        if (code != 0) {
            return code;
        }
        c->n_arguments = 1;
    }
    api = api_open(c, &code);
    for (i = 0; api != NULL && code == 0 && i < c->n_arguments; i++) {
        code = publish_file(c, api, c->argument[i], list);
    }
    api_close(api);
    return code;
}
