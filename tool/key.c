/* SPDX-License-Identifier: Apache-2.0 */
/* bowline key new, key show. */
#include <string.h>
#include <unistd.h>

#include "host/progress.h"
#include "key.h"
#include "keys.h"
#include "print.h"

static void watch(void *ctx, uint32_t done, uint32_t total)
{
    progress_update(ctx, done, total);
}

static int write_public(struct call *c, const char *path, const char *public)
{
    struct author_key *key = author_key_open(path, &c->err);
    struct buffer text = BUFFER(8192);
    int code = EXIT_LOCAL;

    if (key == NULL) {
        return EXIT_INPUT;
    }
    if (author_key_write_public(key, &text, &c->err) == 0) {
        code = write_output(c, public, buffer_span(&text), 0644);
    }
    buffer_free(&text);
    author_key_free(key);
    return code;
}

int key_make(struct call *c, const char *path, const char *kind)
{
    char *public = keep(c, "%s.pub", path);
    struct progress bar;
    int result;

    if (access(path, F_OK) == 0 || access(public, F_OK) == 0) {
        return refuse(c, EXIT_INPUT,
                      "%s is there already; a key is never "
                      "replaced: name another file",
                      access(path, F_OK) == 0 ? path : public);
    }
    progress_begin(&bar, "making the key", false, c->quiet || c->json);
    result = author_key_create_watched(path, kind, watch, &bar, &c->err);
    progress_end(&bar, NULL);
    if (result != 0) {
        return EXIT_LOCAL;
    }
    return write_public(c, path, public);
}

int verb_key_new(struct call *c)
{
    const char *path = c->argument[0];
    const char *kind = cli_value(c, "kind");
    json_t *key;
    int code = key_make(c, path, kind == NULL ? "esp256" : kind);

    if (code != 0) {
        return code;
    }
    key = key_describe(c, path, false);
    if (key == NULL) {
        return EXIT_LOCAL;
    }
    put_text(key, "public_file", keep(c, "%s.pub", path));
    (void)json_object_del(key, "private");
    (void)json_object_update(c->result, key);
    json_decref(key);
    print_object(c, c->result);
    note(c, "Keep %s secret; hand out %s.pub.", path, path);
    return EXIT_YES;
}

int verb_key_show(struct call *c)
{
    bool pem = cli_flag(c, "pem");
    json_t *list = json_array();
    int i;

    put(c->result, "keys", list);
    for (i = 0; i < c->n_arguments; i++) {
        struct buffer file = {0};
        int code = read_input(c, c->argument[i], 1 << 20, &file);
        json_t *key;

        buffer_wipe(&file);
        if (code != 0) {
            return code;
        }
        key = key_describe(c, c->argument[i], true);
        if (key == NULL) {
            return EXIT_INPUT;
        }
        (void)json_array_append_new(list, key);
        if (pem) {
            show(c, "%s", json_string_value(json_object_get(key, "pem")));
            continue;
        }
        key = json_copy(key);
        (void)json_object_del(key, "pem");
        print_object(c, key);
        json_decref(key);
    }
    return EXIT_YES;
}
