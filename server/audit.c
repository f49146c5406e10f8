/* SPDX-License-Identifier: Apache-2.0 */
#include "audit.h"

#include <jansson.h>
#include <string.h>
#include <time.h>

void audit_row(sqlite3_stmt *row, struct audit_line *line)
{
    line->number = (uint64_t)sqlite3_column_int64(row, 0);
    line->time = sqlite3_column_int64(row, 1);
    line->actor = db_text(row, 2);
    line->action = db_text(row, 3);
    line->object = db_text(row, 4);
    line->detail = db_text(row, 5);
}

/* --- What is there at the migration ---------------------------------------
 */

struct chaining {
    struct db *db;
    struct error *err;
    struct audit_head head;
    bool failed;
};

static int chain_row(void *ctx, sqlite3_stmt *row)
{
    struct chaining *c = ctx;
    struct audit_line line;
    uint8_t hash[AUDIT_HASH];

    audit_row(row, &line);
    c->failed =
        audit_line_hash(c->head.hash, &line, hash, c->err) != 0 ||
        db_run(c->db, c->err, "UPDATE audit SET hash = ? WHERE number = ?",
               "bi", bl_span_of(hash, sizeof hash), (int64_t)line.number) != 0;
    memcpy(c->head.hash, hash, sizeof hash);
    c->head.number = line.number;
    c->head.lines++;
    return c->failed;
}

static int chain_all(struct db *db, struct error *err)
{
    struct chaining c = {db, err, {0, 0, {0}}, false};

    if (db_each(db, err, chain_row, &c,
                "SELECT number, time, actor, action, object, detail"
                " FROM audit ORDER BY number",
                "") != 0 ||
        c.failed) {
        return -1;
    }
    return db_run(db, err,
                  "INSERT INTO audit_head (one, number, lines, hash)"
                  " VALUES (1, ?, ?, ?)",
                  "iib", (int64_t)c.head.number, (int64_t)c.head.lines,
                  bl_span_of(c.head.hash, AUDIT_HASH));
}

static void chain_in_sql(sqlite3_context *call, int n, sqlite3_value **value)
{
    struct error err = {BL_OK, 0, ""};

    (void)n;
    (void)value;
    if (chain_all(sqlite3_user_data(call), &err) != 0) {
        sqlite3_result_error(call, err.text, -1);
    }
}

int audit_offer_chain(struct db *db, struct error *err)
{
    if (sqlite3_create_function(db->handle, "audit_chain", 0, SQLITE_UTF8, db,
                                chain_in_sql, NULL, NULL) != SQLITE_OK) {
        return error_set(err, "database: %s", sqlite3_errmsg(db->handle));
    }
    return 0;
}

/* --- Adding ----------------------------------------------------------------
 */

static int read_head(void *ctx, sqlite3_stmt *row)
{
    struct audit_head *head = ctx;
    bl_span hash = db_blob(row, 2);

    head->number = (uint64_t)sqlite3_column_int64(row, 0);
    head->lines = (uint64_t)sqlite3_column_int64(row, 1);
    if (hash.n == AUDIT_HASH) {
        memcpy(head->hash, hash.p, AUDIT_HASH);
    }
    return 0;
}

int audit_load_head(struct db *db, struct audit_head *head, struct error *err)
{
    memset(head, 0, sizeof *head);
    /* Without its row (somebody took it) numbers still must not repeat. */
    if (db_each(db, err, read_head, head,
                "SELECT number, number, hash FROM audit"
                " ORDER BY number DESC LIMIT 1",
                "") != 0) {
        return -1;
    }
    return db_each(db, err, read_head, head,
                   "SELECT max(number, (SELECT ifnull(max(number), 0)"
                   " FROM audit)), lines, hash FROM audit_head",
                   "");
}

/* Static text, or what is kept in *kept. */
static const char *clean(const char *text, json_t **kept)
{
    char *copy;

    *kept = json_string(text);
    if (*kept != NULL) {
        return text;
    }
    copy = strdup(text);
    for (char *p = copy; p != NULL && *p != '\0'; p++) {
        if ((unsigned char)*p > 0x7E) {
            *p = '?';
        }
    }
    *kept = copy == NULL ? NULL : json_string(copy);
    free(copy);
    return *kept == NULL ? "?" : json_string_value(*kept);
}

static int put_line(struct db *db, const struct audit_line *line,
                    const struct audit_head *head, struct error *err)
{
    bl_span hash = bl_span_of(head->hash, AUDIT_HASH);

    if (db_run(db, err,
               "INSERT INTO audit (number, time, actor, action, object,"
               " detail, hash) VALUES (?, ?, ?, ?, ?, ?, ?)",
               "iittttb", (int64_t)line->number, line->time, line->actor,
               line->action, line->object, line->detail, hash) != 0) {
        return -1;
    }
    /* Never inserted: a row that somebody took away stays away. */
    return db_run(db, err,
                  "UPDATE audit_head SET number = ?, lines = ?, hash = ?",
                  "iib", (int64_t)line->number, (int64_t)head->lines, hash);
}

int audit_append(struct db *db, struct audit_head *head, const char *actor,
                 const char *action, const char *object, const char *detail,
                 struct error *err)
{
    json_t *kept[2];
    struct audit_head next = *head;
    struct audit_line line = {
        .number = head->number + 1,
        .time = (int64_t)time(NULL),
        .actor = actor,
        .action = action,
        .object = clean(object, &kept[0]),
        .detail = clean(detail, &kept[1]),
    };
    int result = audit_line_hash(head->hash, &line, next.hash, err);

    next.number = line.number;
    next.lines++;
    if (result == 0) {
        result = put_line(db, &line, &next, err);
    }
    if (result == 0) {
        *head = next;
    }
    json_decref(kept[0]);
    json_decref(kept[1]);
    return result;
}

/* --- Checking --------------------------------------------------------------
 */

struct checking {
    struct audit_check *check;
    struct error *err;
    uint32_t seen;
};

static int check_row(void *ctx, sqlite3_stmt *row)
{
    struct checking *c = ctx;
    struct audit_check *check = c->check;
    bl_span hash = db_blob(row, 6);
    uint8_t wanted[AUDIT_HASH];
    struct audit_line line;

    audit_row(row, &line);
    c->seen++;
    check->lines++;
    check->number = line.number;
    if (audit_line_hash(check->hash, &line, wanted, c->err) != 0 ||
        hash.n != AUDIT_HASH || memcmp(hash.p, wanted, AUDIT_HASH) != 0) {
        check->first_bad = line.number;
        return 1;
    }
    memcpy(check->hash, wanted, AUDIT_HASH);
    return 0;
}

static bool same_end(const struct audit_check *check,
                     const struct audit_head *head)
{
    return head->number == check->number && head->lines == check->lines &&
           memcmp(head->hash, check->hash, AUDIT_HASH) == 0;
}

/* A chain that ends too early, or elsewhere: the first line that is missing
 * is named. */
static int check_end(struct db *db, struct audit_check *check,
                     const struct audit_head *head, struct error *err)
{
    struct audit_head stored = {0, 0, {0}};

    if (db_each(db, err, read_head, &stored,
                "SELECT number, lines, hash FROM audit_head", "") != 0) {
        return -1;
    }
    if (!same_end(check, head) || !same_end(check, &stored)) {
        check->first_bad = check->number + 1;
    }
    return 0;
}

int audit_check_some(struct db *db, struct audit_check *check,
                     const struct audit_head *head, struct error *err)
{
    struct checking c = {check, err, 0};

    if (db_each(db, err, check_row, &c,
                "SELECT number, time, actor, action, object, detail, hash"
                " FROM audit WHERE number > ? ORDER BY number LIMIT ?",
                "ii", (int64_t)check->number, (int64_t)AUDIT_PIECE) != 0) {
        return -1;
    }
    check->whole = check->first_bad != 0 || c.seen < AUDIT_PIECE;
    if (check->whole && check->first_bad == 0) {
        return check_end(db, check, head, err);
    }
    return 0;
}
