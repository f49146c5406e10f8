/* SPDX-License-Identifier: Apache-2.0 */
#include "secret.h"

#include <string.h>

enum { LIMIT = 1024 };

int secret_read(struct call *c, const char *path, struct buffer *out)
{
    int code;

    if (file_check_private(path, &c->err) != 0) {
        return EXIT_INPUT;
    }
    code = read_input(c, path, LIMIT, out);
    if (code == 0) {
        out->p[strcspn((const char *)out->p, "\r\n")] = '\0';
        if (out->p[0] == '\0') {
            code = refuse(c, EXIT_INPUT, "%s: its first line is empty", path);
        }
    }
    return code;
}

int secret_in(struct call *c, const char *path, json_t *body, const char *key)
{
    struct buffer text = BUFFER(LIMIT);
    int code;

    if (path == NULL) {
        return 0;
    }
    code = secret_read(c, path, &text);
    if (code == 0) {
        put_text(body, key, (const char *)text.p);
        if (json_object_get(body, key) == NULL) {
            code = refuse(c, EXIT_INPUT, "%s is no UTF-8 text", path);
        }
    }
    buffer_wipe(&text);
    return code;
}

int secret_out(struct call *c, const char *path, const char *key,
               const char *secret)
{
    struct buffer text = BUFFER(4096);
    int code = 0;

    if (secret == NULL) {
        return refuse(c, EXIT_SERVER, "the server gave no %s", key);
    }
    (void)buffer_printf(&text, NULL, "%s\n", secret);
    if (strcmp(path, "-") == 0) {
        put_text(c->result, key, secret);
        show(c, "%s", secret);
    } else {
        code = write_output(c, path, buffer_span(&text), 0600);
    }
    buffer_wipe(&text);
    return code;
}
