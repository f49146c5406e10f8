/* SPDX-License-Identifier: Apache-2.0 */
/* GET /api/v1/audit: list, export, verify. */
#include "api.h"
#include "router.h"

#include "host/file.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum { PIECE = 500, TEXT_MAX = 4 << 20 };

/* --- List
 * ---------------------------------------------------------------------- */

struct listing {
    json_t *items;
    uint64_t last;
};

static int add_line(void *ctx, sqlite3_stmt *row)
{
    struct listing *l = ctx;
    bl_span hash = db_blob(row, 6);
    struct audit_line line;

    audit_row(row, &line);
    l->last = line.number;
    json_array_append_new(l->items,
                          json_pack("{s:I, s:I, s:s, s:s, s:s, s:s, s:o}",
                                    "number", (json_int_t)line.number, "time",
                                    (json_int_t)line.time, "actor", line.actor,
                                    "action", line.action, "object",
                                    line.object, "detail", line.detail, "hash",
                                    api_hex(hash.p, hash.n)));
    return 0;
}

#define COLUMNS "SELECT number, time, actor, action, object, detail, hash"
#define OLDEST " AND number > ? ORDER BY number LIMIT ?"
#define NEWEST " AND number < ? ORDER BY number DESC LIMIT ?"

struct filter {
    const char *actor; /* NULL: any */
    const char *action;
    bool newest;
    int64_t from;
    int64_t limit;
};

/* Each of them walks an index. */
static int list_lines(struct server *s, const struct filter *f,
                      struct listing *l, struct error *err)
{
    struct db *db = &s->store.db;

    if (f->actor != NULL && f->action != NULL) {
        return db_each(db, err, add_line, l,
                       f->newest ? COLUMNS " FROM audit WHERE actor = ? AND"
                                           " action = ?" NEWEST
                                 : COLUMNS " FROM audit WHERE actor = ? AND"
                                           " action = ?" OLDEST,
                       "ttii", f->actor, f->action, f->from, f->limit);
    }
    if (f->actor != NULL || f->action != NULL) {
        const char *sql =
            f->actor != NULL
                ? (f->newest ? COLUMNS " FROM audit WHERE actor = ?" NEWEST
                             : COLUMNS " FROM audit WHERE actor = ?" OLDEST)
                : (f->newest ? COLUMNS " FROM audit WHERE action = ?" NEWEST
                             : COLUMNS " FROM audit WHERE action = ?" OLDEST);

        return db_each(db, err, add_line, l, sql, "tii",
                       f->actor != NULL ? f->actor : f->action, f->from,
                       f->limit);
    }
    return db_each(db, err, add_line, l,
                   f->newest ? COLUMNS " FROM audit WHERE 1" NEWEST
                             : COLUMNS " FROM audit WHERE 1" OLDEST,
                   "ii", f->from, f->limit);
}

void audit_list(struct server *s, struct http_request *rq)
{
    const char *order = http_query(rq, "order");
    struct filter f = {http_query(rq, "actor"), http_query(rq, "action"),
                       order != NULL && strcmp(order, "newest") == 0, 0, 0};
    struct error err = {BL_OK, 0, ""};
    struct listing l = {NULL, 0};
    struct api_page page;
    int result;

    if (api_page_read(rq, &page) != 0) {
        return;
    }
    f.from = page.after > 0 || !f.newest ? (int64_t)page.after : INT64_MAX;
    f.limit = (int64_t)page.limit;
    l.items = json_array();
    store_lock(&s->store);
    result = list_lines(s, &f, &l, &err);
    store_unlock(&s->store);
    if (result != 0) {
        json_decref(l.items);
        api_store_error(rq, &err);
        return;
    }
    api_list(rq, l.items, json_array_size(l.items) == page.limit ? l.last : 0);
}

/* --- Verify
 * -------------------------------------------------------------------- */

static void verify_all(struct server *s, struct http_request *rq)
{
    struct error err = {BL_OK, 0, ""};
    struct audit_check check = {0, 0, 0, {0}, false};
    int result = 0;

    while (result == 0 && !check.whole) {
        store_lock(&s->store);
        result = audit_check_some(&s->store.db, &check, &s->store.head, &err);
        store_unlock(&s->store);
    }
    if (result != 0) {
        api_store_error(rq, &err);
        return;
    }
    if (check.first_bad != 0) {
        log_error("audit-chain", LOG_INT("first_bad", check.first_bad));
    }
    api_json(rq, 200,
             json_pack("{s:b, s:I, s:o, s:o}", "ok", check.first_bad == 0,
                       "lines", (json_int_t)check.lines, "first_bad",
                       check.first_bad == 0
                           ? json_null()
                           : json_integer((json_int_t)check.first_bad),
                       "head", api_hex(check.hash, AUDIT_HASH)));
}

void audit_verify(struct server *s, struct http_request *rq)
{
    worker_do(s->slow, rq, verify_all);
}

/* --- Export
 * -------------------------------------------------------------------- */

struct export_job {
    bool csv;
    struct buffer out;
    struct error *err;
    uint64_t number; /* of the last line */
    uint64_t lines;
    uint32_t seen; /* in this piece */
    uint8_t hash[AUDIT_HASH];
    bool failed;
};

/* In quotes; what a spreadsheet would take for a formula gets a ' in front. */
static int put_field(struct export_job *x, const char *text)
{
    int result = buffer_append(&x->out, ",\"", 2, x->err);

    if (result == 0 && text[0] != '\0' &&
        strchr("=+-@\t\r", text[0]) != NULL) {
        result = buffer_append(&x->out, "'", 1, x->err);
    }
    for (; result == 0 && *text != '\0'; text++) {
        result = *text == '"' ? buffer_append(&x->out, "\"\"", 2, x->err)
                              : buffer_append(&x->out, text, 1, x->err);
    }
    return result != 0 ? -1 : buffer_append(&x->out, "\"", 1, x->err);
}

static int put_csv(struct export_job *x, const struct audit_line *line)
{
    char hex[2 * AUDIT_HASH + 1];

    hex_encode(x->hash, AUDIT_HASH, hex);
    return buffer_printf(&x->out, x->err, "%" PRIu64 ",%" PRId64, line->number,
                         line->time) != 0 ||
                   put_field(x, line->actor) != 0 ||
                   put_field(x, line->action) != 0 ||
                   put_field(x, line->object) != 0 ||
                   put_field(x, line->detail) != 0 ||
                   buffer_printf(&x->out, x->err, ",%s\r\n", hex) != 0
               ? -1
               : 0;
}

static int export_row(void *ctx, sqlite3_stmt *row)
{
    struct export_job *x = ctx;
    struct audit_line line;
    bl_span hash = db_blob(row, 6);

    audit_row(row, &line);
    memset(x->hash, 0, sizeof x->hash);
    if (hash.n == AUDIT_HASH) {
        memcpy(x->hash, hash.p, AUDIT_HASH);
    }
    x->failed = x->csv
                    ? put_csv(x, &line) != 0
                    : audit_line_put(&line, x->hash, &x->out, x->err) != 0 ||
                          buffer_append(&x->out, "\n", 1, x->err) != 0;
    x->number = line.number;
    x->lines++;
    x->seen++;
    return x->failed;
}

static int write_out(struct export_job *x, int fd)
{
    size_t done = 0;

    while (done < x->out.n) {
        ssize_t n = write(fd, x->out.p + done, x->out.n - done);

        if (n < 0) {
            return error_errno(x->err, "the export");
        }
        done += (size_t)n;
    }
    buffer_clear(&x->out);
    return 0;
}

static int export_piece(struct server *s, struct export_job *x, int fd)
{
    int result;

    x->seen = 0;
    store_lock(&s->store);
    result = db_each(&s->store.db, x->err, export_row, x,
                     COLUMNS " FROM audit WHERE number > ?"
                             " ORDER BY number LIMIT ?",
                     "ii", (int64_t)x->number, (int64_t)PIECE);
    store_unlock(&s->store);
    return result != 0 || x->failed ? -1 : write_out(x, fd);
}

/* The last line says where the chain ended: what is cut off is noticed. */
static int export_end(struct export_job *x, int fd)
{
    char hex[2 * AUDIT_HASH + 1];

    if (x->csv) {
        return 0;
    }
    hex_encode(x->hash, AUDIT_HASH, hex);
    if (buffer_printf(&x->out, x->err,
                      "{\"head\":\"%s\",\"lines\":%" PRIu64 "}\n", hex,
                      x->lines) != 0) {
        return -1;
    }
    return write_out(x, fd);
}

static int export_to(struct server *s, struct export_job *x, int fd)
{
    if (x->csv &&
        buffer_printf(&x->out, x->err,
                      "number,time,actor,action,object,detail,hash\r\n") !=
            0) {
        return -1;
    }
    do {
        if (export_piece(s, x, fd) != 0) {
            return -1;
        }
    } while (x->seen == PIECE);
    return export_end(x, fd);
}

static void reply_export(struct http_request *rq, bool csv, int fd)
{
    off_t size = lseek(fd, 0, SEEK_END);

    http_reply_file(rq, 200, csv ? "text/csv" : "application/jsonl", fd, 0,
                    (uint64_t)size);
    http_reply_header(rq, "Content-Disposition",
                      csv ? "attachment; filename=\"audit.csv\""
                          : "attachment; filename=\"audit.jsonl\"");
}

static void export_all(struct server *s, struct http_request *rq)
{
    const char *format = http_query(rq, "format");
    struct error err = {BL_OK, 0, ""};
    struct export_job x = {.out = BUFFER(TEXT_MAX), .err = &err};
    int fd = open(s->config.data, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    int result = fd < 0 ? error_errno(&err, "%s", s->config.data) : 0;

    x.csv = format != NULL && strcmp(format, "csv") == 0;
    if (result == 0) {
        result = export_to(s, &x, fd);
    }
    buffer_free(&x.out);
    if (result == 0) {
        reply_export(rq, x.csv, fd);
        return;
    }
    if (fd >= 0) {
        close(fd);
    }
    api_store_error(rq, &err);
}

void audit_export(struct server *s, struct http_request *rq)
{
    const char *format = http_query(rq, "format");

    if (format != NULL && strcmp(format, "csv") != 0 &&
        strcmp(format, "jsonl") != 0) {
        api_error(rq, 400, "format", "the format is jsonl or csv");
        return;
    }
    worker_do(s->slow, rq, export_all);
}
