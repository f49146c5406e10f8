/* SPDX-License-Identifier: Apache-2.0 */
/* Users, sessions, codes and tokens in the store's tables. */
#include "people.h"

int people_store_user_add(struct store *store, const struct user *u,
                          struct error *err)
{
    return db_run(&store->db, err,
                  "INSERT INTO users (name, role, hash, disabled, created,"
                  " last_login) VALUES (?, ?, ?, ?, ?, 0)",
                  "titii", u->name, (int64_t)u->role, u->hash,
                  (int64_t)u->disabled, u->created);
}

int people_store_user_set(struct store *store, const struct user *u,
                          struct error *err)
{
    return db_run(&store->db, err,
                  "UPDATE users SET role = ?, hash = ?, disabled = ?"
                  " WHERE number = ?",
                  "itii", (int64_t)u->role, u->hash, (int64_t)u->disabled,
                  (int64_t)u->number);
}

int people_store_user_remove(struct store *store, uint32_t user,
                             struct error *err)
{
    if (people_store_sessions_end(store, user, err) != 0) {
        return -1;
    }
    return db_run(&store->db, err, "DELETE FROM users WHERE number = ?", "i",
                  (int64_t)user);
}

int people_store_logged_in(struct store *store, uint32_t user, int64_t now,
                           struct error *err)
{
    return db_run(&store->db, err,
                  "UPDATE users SET last_login = ? WHERE number = ?", "ii",
                  now, (int64_t)user);
}

int people_store_session_add(struct store *store, const struct session *s,
                             struct error *err)
{
    if (db_run(&store->db, err,
               "DELETE FROM sessions WHERE hash IN (SELECT hash FROM sessions"
               " WHERE user = ? ORDER BY created DESC, hash DESC"
               " LIMIT -1 OFFSET ?)",
               "ii", (int64_t)s->user,
               (int64_t)(PEOPLE_SESSIONS_EACH - 1)) != 0) {
        return -1;
    }
    return db_run(&store->db, err,
                  "INSERT INTO sessions (hash, user, by_code, created, used)"
                  " VALUES (?, ?, ?, ?, ?)",
                  "biiii", bl_span_of(s->sha256, 32), (int64_t)s->user,
                  (int64_t)s->by_code, s->created, s->used);
}

int people_store_session_end(struct store *store, const uint8_t sha256[32],
                             struct error *err)
{
    return db_run(&store->db, err, "DELETE FROM sessions WHERE hash = ?", "b",
                  bl_span_of(sha256, 32));
}

int people_store_sessions_end(struct store *store, uint32_t user,
                              struct error *err)
{
    if (db_run(&store->db, err, "DELETE FROM login_codes WHERE user = ?", "i",
               (int64_t)user) != 0) {
        return -1;
    }
    return db_run(&store->db, err, "DELETE FROM sessions WHERE user = ?", "i",
                  (int64_t)user);
}

int people_store_code_add(struct store *store, uint32_t user,
                          const uint8_t sha256[32], int64_t expires,
                          struct error *err)
{
    return db_run(&store->db, err,
                  "INSERT INTO login_codes (hash, user, expires)"
                  " VALUES (?, ?, ?)",
                  "bii", bl_span_of(sha256, 32), (int64_t)user, expires);
}

static int read_number(void *ctx, sqlite3_stmt *row)
{
    *(uint32_t *)ctx = (uint32_t)sqlite3_column_int64(row, 0);
    return 1;
}

int people_store_code_user(struct store *store, const uint8_t sha256[32],
                           int64_t now, uint32_t *user, struct error *err)
{
    int result;

    *user = 0;
    store_lock(store);
    result = db_each(&store->db, err, read_number, user,
                     "SELECT user FROM login_codes"
                     " WHERE hash = ? AND expires > ?",
                     "bi", bl_span_of(sha256, 32), now);
    store_unlock(store);
    return result;
}

int people_store_code_use(struct store *store, const uint8_t sha256[32],
                          struct error *err)
{
    if (db_run(&store->db, err, "DELETE FROM login_codes WHERE hash = ?", "b",
               bl_span_of(sha256, 32)) != 0) {
        return -1;
    }
    return sqlite3_changes(store->db.handle) == 1
               ? 0
               : error_set(err, "the code was used already");
}

int people_store_token_add(struct store *store, struct api_token *t,
                           struct error *err)
{
    if (db_run(&store->db, err,
               "INSERT INTO tokens (name, hash, role, scopes, created_by,"
               " created, expires, last_use) VALUES (?, ?, ?, ?, ?, ?, ?, 0)",
               "tbiitii", t->name, bl_span_of(t->sha256, 32), (int64_t)t->role,
               (int64_t)t->scopes, t->created_by, t->created,
               t->expires) != 0) {
        return -1;
    }
    t->number = (uint32_t)sqlite3_last_insert_rowid(store->db.handle);
    return 0;
}

int people_store_token_remove(struct store *store, uint32_t number,
                              struct error *err)
{
    return db_run(&store->db, err, "DELETE FROM tokens WHERE number = ?", "i",
                  (int64_t)number);
}
