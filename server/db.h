/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite behind four calls. Parameters are described by a string: 'i' an
 * int64_t, 't' const char * (NULL: null), 'b' a bl_span by value. SQL texts
 * must be string literals: statements are kept, found by the text's address.
 * Not thread-safe: the caller holds the store's lock.
 */
#ifndef SERVER_DB_H
#define SERVER_DB_H

#include "bowline/span.h"
#include "host/error.h"

#include <sqlite3.h>

enum { DB_STATEMENTS = 256 };

struct db {
    sqlite3 *handle;
    struct {
        const char *sql;
        sqlite3_stmt *statement;
    } kept[DB_STATEMENTS];
    int n;
};

/* WAL, synchronous=FULL: what is committed is on the disk. */
int db_open(struct db *db, const char *path, struct error *err);
void db_close(struct db *db);

/* One statement without rows. A violated constraint gives err->code
 * SQLITE_CONSTRAINT, a full disk SQLITE_FULL. */
int db_run(struct db *db, struct error *err, const char *sql,
           const char *kinds, ...);
/* Calls `row` for each row; a row that returns not 0 ends it. */
typedef int (*db_row)(void *ctx, sqlite3_stmt *row);
int db_each(struct db *db, struct error *err, db_row row, void *ctx,
            const char *sql, const char *kinds, ...);
/* Several statements without parameters, not kept. */
int db_script(struct db *db, struct error *err, const char *sql);

bl_span db_blob(sqlite3_stmt *row, int column);
/* Never NULL. */
const char *db_text(sqlite3_stmt *row, int column);

#endif
