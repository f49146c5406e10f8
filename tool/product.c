/* SPDX-License-Identifier: Apache-2.0 */
/* bowline product add, product list, server status. */
#include "api.h"
#include "print.h"

static int add(struct call *c, struct api *api)
{
    const char *name =
        c->n_arguments > 0 ? c->argument[0] : setting_needed(c, "product");
    const char *vendor =
        name == NULL ? NULL : setting_needed(c, "vendor_domain");
    json_t *body;
    json_t *answer = NULL;
    int code;

    if (vendor == NULL) {
        return EXIT_INPUT;
    }
    body = json_object();
    put_text(body, "name", name);
    put_text(body, "vendor_domain", vendor);
    code = api_call(api, "POST", "/products", body, &answer);
    json_decref(body);
    if (code == 0) {
        (void)json_object_update(c->result, answer);
        print_object(c, c->result);
    }
    json_decref(answer);
    return code;
}

int verb_product_add(struct call *c)
{
    int code;
    struct api *api = api_open(c, &code);

    if (api != NULL) {
        code = add(c, api);
    }
    api_close(api);
    return code;
}

int verb_product_list(struct call *c)
{
    static const char *const columns[] = {"name", "vendor_domain", "class_id"};
    int code;
    struct api *api = api_open(c, &code);
    json_t *items = NULL;

    if (api != NULL) {
        code = api_list(api, "/products", 0, &items);
    }
    if (code == 0) {
        put(c->result, "items", items);
        print_table(c, items, columns, 3);
    }
    api_close(api);
    return code;
}

/* What "tickets" means, in words. */
static void print_server(struct call *c, const json_t *server)
{
    json_t *shown = json_deep_copy(server);
    bool good = json_is_true(json_object_get(server, "tickets"));

    put_text(shown, "tickets",
             good ? "devices take them: the root document names the key"
                  : "devices refuse them: the newest root document does not "
                    "name the server's ticket key");
    print_object(c, shown);
    json_decref(shown);
}

int verb_server_status(struct call *c)
{
    int code;
    struct api *api = api_open(c, &code);
    json_t *answer = NULL;

    if (api != NULL) {
        code = api_call(api, "GET", "/server", NULL, &answer);
    }
    if (code == 0) {
        (void)json_object_update(c->result, answer);
        print_server(c, answer);
    }
    json_decref(answer);
    api_close(api);
    return code;
}
