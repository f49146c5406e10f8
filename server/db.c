/* SPDX-License-Identifier: Apache-2.0 */
#include "db.h"

#include <stdarg.h>
#include <stdio.h>

static int fail(struct db *db, struct error *err)
{
    int code = sqlite3_errcode(db->handle) & 0xFF;

    error_set(err, "database: %s", sqlite3_errmsg(db->handle));
    if (err != NULL) {
        err->code = code;
    }
    return -1;
}

int db_script(struct db *db, struct error *err, const char *sql)
{
    if (sqlite3_exec(db->handle, sql, NULL, NULL, NULL) != SQLITE_OK) {
        return fail(db, err);
    }
    return 0;
}

int db_open(struct db *db, const char *path, struct error *err)
{
    int flags =
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;

    memset(db, 0, sizeof *db);
    if (sqlite3_open_v2(path, &db->handle, flags, NULL) != SQLITE_OK) {
        fail(db, err);
        error_prefix(err, "%s", path);
        db_close(db);
        return -1;
    }
    sqlite3_busy_timeout(db->handle, 5000);
    if (db_script(db, err,
                  "PRAGMA journal_mode=WAL;"
                  "PRAGMA synchronous=FULL;"
                  "PRAGMA foreign_keys=ON;"
                  "PRAGMA temp_store=MEMORY;"
                  "PRAGMA journal_size_limit=67108864;") != 0) {
        error_prefix(err, "%s", path);
        db_close(db);
        return -1;
    }
    return 0;
}

void db_close(struct db *db)
{
    for (int i = 0; i < db->n; i++) {
        sqlite3_finalize(db->kept[i].statement);
    }
    db->n = 0;
    sqlite3_close(db->handle);
    db->handle = NULL;
}

static sqlite3_stmt *prepare(struct db *db, const char *sql)
{
    sqlite3_stmt *statement = NULL;

    for (int i = 0; i < db->n; i++) {
        if (db->kept[i].sql == sql) {
            return db->kept[i].statement;
        }
    }
    if (db->n == DB_STATEMENTS) {
        sqlite3_finalize(db->kept[--db->n].statement);
    }
    if (sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT,
                           &statement, NULL) != SQLITE_OK) {
        return NULL;
    }
    db->kept[db->n].sql = sql;
    db->kept[db->n++].statement = statement;
    return statement;
}

static int bind(sqlite3_stmt *s, const char *kinds, va_list args)
{
    int result = SQLITE_OK;

    for (int i = 1; *kinds != '\0' && result == SQLITE_OK; kinds++, i++) {
        if (*kinds == 'i') {
            result = sqlite3_bind_int64(s, i, va_arg(args, int64_t));
        } else if (*kinds == 't') {
            result = sqlite3_bind_text(s, i, va_arg(args, const char *), -1,
                                       SQLITE_STATIC);
        } else {
            bl_span b = va_arg(args, bl_span);

            result = b.p == NULL
                         ? sqlite3_bind_null(s, i)
                         : sqlite3_bind_blob64(s, i, b.p, b.n, SQLITE_STATIC);
        }
    }
    return result;
}

static int step_all(struct db *db, sqlite3_stmt *s, db_row row, void *ctx,
                    struct error *err)
{
    int result;
    int stop = 0;

    while ((result = sqlite3_step(s)) == SQLITE_ROW && stop == 0) {
        stop = row == NULL ? 0 : row(ctx, s);
    }
    if (result != SQLITE_DONE && result != SQLITE_ROW) {
        fail(db, err);
        stop = -1;
    } else {
        stop = 0;
    }
    sqlite3_reset(s);
    sqlite3_clear_bindings(s);
    return stop;
}

int db_run(struct db *db, struct error *err, const char *sql,
           const char *kinds, ...)
{
    sqlite3_stmt *s = prepare(db, sql);
    va_list args;
    int result;

    if (s == NULL) {
        return fail(db, err);
    }
    va_start(args, kinds);
    result = bind(s, kinds, args);
    va_end(args);
    if (result != SQLITE_OK) {
        return fail(db, err);
    }
    return step_all(db, s, NULL, NULL, err);
}

int db_each(struct db *db, struct error *err, db_row row, void *ctx,
            const char *sql, const char *kinds, ...)
{
    sqlite3_stmt *s = prepare(db, sql);
    va_list args;
    int result;

    if (s == NULL) {
        return fail(db, err);
    }
    va_start(args, kinds);
    result = bind(s, kinds, args);
    va_end(args);
    if (result != SQLITE_OK) {
        return fail(db, err);
    }
    return step_all(db, s, row, ctx, err);
}

bl_span db_blob(sqlite3_stmt *row, int column)
{
    const void *p = sqlite3_column_blob(row, column);

    return bl_span_of(p, (size_t)sqlite3_column_bytes(row, column));
}

const char *db_text(sqlite3_stmt *row, int column)
{
    const unsigned char *t = sqlite3_column_text(row, column);

    return t == NULL ? "" : (const char *)t;
}
