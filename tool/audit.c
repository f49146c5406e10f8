/* SPDX-License-Identifier: Apache-2.0 */
/* bowline audit list, export, verify. A file is verified here, without the
 * server: host/audit_line.h says how, to the byte. */
#include "api.h"
#include "print.h"

#include "host/audit_line.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- list ------------------------------------------------------------------
 */

static const char *narrowed(struct call *c, const char *query,
                            const char *name)
{
    const char *value = cli_value(c, name);

    return value == NULL
               ? query
               : keep(c, "%s&%s=%s", query, name, url_part(c, value));
}

int verb_audit_list(struct call *c)
{
    static const char *const columns[] = {"number", "time",   "actor",
                                          "action", "object", "detail"};
    const char *query = "/audit?order=newest";
    json_t *items = NULL;
    uint64_t limit = 100;
    struct api *api;
    int code = cli_number(c, "limit", 1, 1000000, &limit);

    if (code != 0) {
        return code;
    }
    query = narrowed(c, query, "actor");
    query = narrowed(c, query, "action");
    api = api_open(c, &code);
    if (api != NULL) {
        code = api_list(api, query, limit, &items);
    }
    if (code == 0) {
        put(c->result, "items", items);
        print_table(c, items, columns, 6);
    }
    api_close(api);
    return code;
}

/* --- export ----------------------------------------------------------------
 */

/* A new file of one's own, or the one that --force replaces. */
static FILE *open_export(struct call *c, const char *path)
{
    int flags = O_WRONLY | O_CREAT | O_CLOEXEC |
                (cli_flag(c, "force") ? O_TRUNC : O_EXCL);
    int fd;
    FILE *out;

    if (strcmp(path, "-") == 0) {
        return stdout;
    }
    fd = open(path, flags, 0600);
    out = fd < 0 ? NULL : fdopen(fd, "wb");
    if (out == NULL) {
        (void)error_errno(&c->err, "%s", path);
        if (fd >= 0) {
            close(fd);
        }
    }
    return out;
}

static int close_export(struct call *c, FILE *out, const char *path, int code)
{
    bool bad;

    if (out == stdout) {
        return fflush(out) == 0 ? code : EXIT_LOCAL;
    }
    bad = fflush(out) != 0 || fsync(fileno(out)) != 0;
    bad = fclose(out) != 0 || bad;
    if (code == 0 && bad) {
        (void)error_errno(&c->err, "%s", path);
        code = EXIT_LOCAL;
    }
    if (code != 0) {
        (void)unlink(path);
    }
    return code;
}

int verb_audit_export(struct call *c)
{
    const char *format = cli_value(c, "format");
    const char *path = cli_value(c, "output");
    struct api *api;
    FILE *out;
    int code;

    format = format == NULL ? "jsonl" : format;
    path = path == NULL ? keep(c, "audit.%s", format) : path;
    api = api_open(c, &code);
    if (api == NULL) {
        return code;
    }
    out = open_export(c, path);
    code = out == NULL
               ? EXIT_LOCAL
               : api_download(api, keep(c, "/audit/export?format=%s", format),
                              out);
    if (out != NULL) {
        code = close_export(c, out, path, code);
    }
    api_close(api);
    if (code == 0 && out != stdout) {
        put_text(c->result, "file", path);
        put_text(c->result, "format", format);
        print_object(c, c->result);
    }
    return code;
}

/* --- verify ----------------------------------------------------------------
 */

struct verdict {
    uint64_t lines;
    uint64_t row; /* of the file */
    uint64_t number;
    uint8_t hash[AUDIT_HASH];
    const char *noted; /* NULL, or the head that must be in the chain */
    bool met;          /* it is */
    bool ended;        /* the line that says the end was seen */
    const char *fault; /* NULL: none yet */
};

static const char *text_of(const json_t *line, const char *key)
{
    return json_string_value(json_object_get(line, key));
}

static bool meet(struct verdict *v)
{
    char hex[2 * AUDIT_HASH + 1];

    hex_encode(v->hash, AUDIT_HASH, hex);
    return v->noted != NULL && strcmp(hex, v->noted) == 0;
}

static const char *check_end(struct verdict *v, const json_t *line)
{
    const char *head = text_of(line, "head");
    char hex[2 * AUDIT_HASH + 1];

    hex_encode(v->hash, AUDIT_HASH, hex);
    v->ended = true;
    if (strcmp(head, hex) != 0 || (uint64_t)json_integer_value(json_object_get(
                                      line, "lines")) != v->lines) {
        return "the end that the file names is another: lines are missing";
    }
    return NULL;
}

static const char *check_line(struct call *c, struct verdict *v,
                              const json_t *line)
{
    const json_t *number = json_object_get(line, "number");
    const json_t *time = json_object_get(line, "time");
    const char *hash = text_of(line, "hash");
    uint8_t stored[AUDIT_HASH];
    struct audit_line a = {.actor = text_of(line, "actor"),
                           .action = text_of(line, "action"),
                           .object = text_of(line, "object"),
                           .detail = text_of(line, "detail")};
    uint8_t wanted[AUDIT_HASH];

    if (a.actor == NULL || a.action == NULL || a.object == NULL ||
        a.detail == NULL || hash == NULL || !json_is_integer(number) ||
        !json_is_integer(time) || json_object_size(line) != 7 ||
        hex_decode(hash, strlen(hash), stored, AUDIT_HASH) != 0) {
        return "this is no line of an audit log";
    }
    a.number = (uint64_t)json_integer_value(number);
    a.time = json_integer_value(time);
    v->number = a.number;
    if (audit_line_hash(v->hash, &a, wanted, &c->err) != 0) {
        return "the line is too long";
    }
    if (memcmp(wanted, stored, AUDIT_HASH) != 0) {
        return "the chain is broken: this line, or one before it, was "
               "altered or taken out";
    }
    memcpy(v->hash, wanted, AUDIT_HASH);
    v->lines++;
    v->met = v->met || meet(v);
    return NULL;
}

static void check_row(struct call *c, struct verdict *v, const char *row,
                      size_t n)
{
    json_t *line = json_loadb(row, n, JSON_REJECT_DUPLICATES, NULL);

    v->row++;
    if (!json_is_object(line)) {
        v->fault = "this is no JSON object";
    } else if (v->ended) {
        v->fault = "something follows the end";
    } else if (text_of(line, "head") != NULL) {
        v->fault = check_end(v, line);
    } else {
        v->fault = check_line(c, v, line);
    }
    json_decref(line);
}

static int read_rows(struct call *c, const char *path, struct verdict *v)
{
    FILE *in = fopen(path, "rb");
    char *row = NULL;
    size_t room = 0;
    ssize_t n;

    if (in == NULL) {
        return refuse(c, EXIT_INPUT, "%s: %s", path, strerror(errno));
    }
    while (v->fault == NULL && (n = getline(&row, &room, in)) > 0) {
        check_row(c, v, row, (size_t)n);
    }
    if (ferror(in) != 0) {
        (void)refuse(c, EXIT_INPUT, "%s: cannot be read", path);
    }
    free(row);
    (void)fclose(in);
    return c->err.text[0] != '\0' && v->fault == NULL ? EXIT_INPUT : 0;
}

static void conclude(struct call *c, const struct verdict *v)
{
    const char *head = keep_hex(c, v->hash, AUDIT_HASH);

    put_bool(c->result, "ok", v->fault == NULL);
    put_number(c->result, "lines", v->lines);
    put_text(c->result, "head", head);
    put_text(c->result, "problem", v->fault);
    if (v->fault == NULL) {
        put(c->result, "first_bad", json_null());
        show(c, "%swhole%s: %" PRIu64 " lines, head %s", color(c, GOOD),
             color(c, PLAIN), v->lines, head);
        return;
    }
    put_number(c->result, "first_bad", v->number);
    show(c,
         "%sbroken%s at row %" PRIu64 " of the file (number %" PRIu64 "): %s",
         color(c, BAD), color(c, PLAIN), v->row, v->number, v->fault);
}

static int verify_file(struct call *c, const char *path)
{
    struct verdict v = {.noted = cli_value(c, "head")};
    int code = read_rows(c, path, &v);

    if (code != 0) {
        return code;
    }
    c->err.text[0] = '\0';
    if (v.fault == NULL && v.lines == 0 && !v.ended) {
        return refuse(c, EXIT_INPUT, "%s is no export of an audit log", path);
    }
    if (v.fault == NULL && !v.ended) {
        v.fault = "the file does not say its end: something was cut off";
    }
    if (v.fault == NULL && v.noted != NULL && !v.met) {
        v.fault = "the head that was noted is not in this chain: it was made "
                  "anew, or is of another server";
    }
    put_text(c->result, "file", path);
    conclude(c, &v);
    return v.fault == NULL ? EXIT_YES : EXIT_NO;
}

static int verify_server(struct call *c)
{
    json_t *answer = NULL;
    int code;
    struct api *api;
    bool good;

    if (cli_value(c, "head") != NULL) {
        return refuse(c, EXIT_USAGE,
                      "--head goes with a file: bowline audit export first");
    }
    api = api_open(c, &code);
    if (api != NULL) {
        code = api_call(api, "GET", "/audit/verify", NULL, &answer);
    }
    api_close(api);
    if (code != 0) {
        return code;
    }
    good = json_is_true(json_object_get(answer, "ok"));
    (void)json_object_update(c->result, answer);
    show(c, "%s%s%s", color(c, good ? GOOD : BAD),
         good ? "The server's chain holds." : "The server's chain is broken.",
         color(c, PLAIN));
    print_object(c, answer);
    json_decref(answer);
    return good ? EXIT_YES : EXIT_NO;
}

int verb_audit_verify(struct call *c)
{
    return c->n_arguments > 0 ? verify_file(c, c->argument[0])
                              : verify_server(c);
}
