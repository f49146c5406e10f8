/* SPDX-License-Identifier: Apache-2.0 */
/* bowline rollout return: back to what the updated devices ran before. */
#include <string.h>
#include <time.h>

#include "permit.h"
#include "print.h"
#include "rollout.h"

struct way_back {
    struct call *c;
    struct api *api;
    const char *id;
    json_t *preview;
    json_t *permits; /* list of {manifest, permit} */
};

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static long long number(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

static const char *devices(struct call *c, long long n)
{
    return keep(c, "%lld device%s", n, n == 1 ? "" : "s");
}

static void show_preview(const struct way_back *w)
{
    struct call *c = w->c;
    const json_t *to = json_object_get(w->preview, "to");
    const json_t *no = json_object_get(w->preview, "impossible");

    show(c, "%s%s%s", color(c, STRONG),
         print_scalar(c, "", json_object_get(w->preview, "sentence")),
         color(c, PLAIN));
    for (size_t i = 0; i < json_array_size(to); i++) {
        const json_t *row = json_array_get(to, i);

        field(c, i == 0 ? "back to" : "", "%s: %s, permit %s",
              print_scalar(c, "", json_object_get(row, "version")),
              devices(c, number(row, "devices")),
              print_scalar(c, "", json_object_get(row, "permit")));
    }
    for (size_t i = 0; i < json_array_size(no); i++) {
        const json_t *row = json_array_get(no, i);

        field(c, i == 0 ? "impossible" : "", "%s: %s",
              devices(c, number(row, "count")),
              print_scalar(c, "", json_object_get(row, "why")));
    }
}

static int make_permits(struct way_back *w, const char *product)
{
    struct call *c = w->c;
    const json_t *to = json_object_get(w->preview, "to");
    struct permit_wish wish = {0};
    uint64_t days = 7;
    int code = cli_number(c, "days", 1, 3650, &days);

    wish.expires = (uint64_t)time(NULL) + days * 86400;
    code = code == 0 ? permit_class(c, w->api, product, wish.class_id) : code;
    for (size_t i = 0; code == 0 && i < json_array_size(to); i++) {
        const json_t *row = json_array_get(to, i);
        const char *needs = text_of(row, "permit");
        const char *hex = text_of(row, "manifest");
        struct buffer permit = BUFFER(0);
        json_t *one;

        if (needs == NULL || strcmp(needs, "needed") != 0) {
            continue;
        }
        if (hex == NULL ||
            hex_decode(hex, strlen(hex), wish.manifest, 32) != 0) {
            return refuse(c, EXIT_SERVER, "the server's release has no id");
        }
        code = permit_make(c, &wish, &permit);
        if (code == 0) {
            one = json_object();
            put_text(one, "manifest", hex);
            put_text(one, "permit", permit_base64(c, &permit));
            (void)json_array_append_new(w->permits, one);
        }
        buffer_free(&permit);
    }
    return code;
}

/* One rollout for each release that devices go back to. */
static void show_returns(struct call *c, const json_t *rollout)
{
    const json_t *list = json_object_get(rollout, "returns");

    for (size_t i = 0; i < json_array_size(list); i++) {
        note(c, "Next: bowline rollout status %lld --watch",
             (long long)json_integer_value(json_array_get(list, i)));
    }
}

static int carry_out(struct way_back *w)
{
    struct call *c = w->c;
    json_t *rollout = NULL;
    json_t *answer = NULL;
    json_t *body = json_object();
    int code = api_call(w->api, "GET", keep(c, "/rollouts/%s", w->id), NULL,
                        &rollout);
    const char *product = text_of(rollout, "product");

    if (code == 0 && product == NULL) {
        code = refuse(c, EXIT_SERVER, "the server's rollout has no product");
    }
    code = code == 0 ? make_permits(w, product) : code;
    put(body, "permits", json_incref(w->permits));
    code = code == 0
               ? api_call(w->api, "POST",
                          keep(c, "/rollouts/%s/return", w->id), body, &answer)
               : code;
    if (code == 0) {
        put(c->result, "rollout", json_incref(answer));
        rollout_print(c, answer);
        show_returns(c, answer);
    }
    json_decref(rollout);
    json_decref(answer);
    json_decref(body);
    return code;
}

static int bring_back(struct way_back *w)
{
    struct call *c = w->c;
    int code = api_call(w->api, "GET", keep(c, "/rollouts/%s/return", w->id),
                        NULL, &w->preview);

    if (code != 0) {
        return code;
    }
    put(c->result, "preview", json_incref(w->preview));
    show_preview(w);
    if (cli_flag(c, "preview")) {
        return 0;
    }
    if (number(w->preview, "devices") == 0) {
        return refuse(c, EXIT_INPUT,
                      "rollout %s: there is no device to bring back", w->id);
    }
    return carry_out(w);
}

int verb_rollout_return(struct call *c)
{
    struct way_back w = {.c = c, .permits = json_array()};
    int code;

    w.api = api_open(c, &code);
    /* Also one that has ended: its devices may still be brought back. */
    w.id = w.api == NULL ? NULL : rollout_id(c, w.api, false, &code);
    if (w.id != NULL) {
        code = bring_back(&w);
    }
    json_decref(w.preview);
    json_decref(w.permits);
    api_close(w.api);
    return code;
}
