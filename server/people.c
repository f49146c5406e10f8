/* SPDX-License-Identifier: Apache-2.0 */
#include "people.h"

#include "bowline/crypto.h"
#include "bowline/sha256.h"
#include "host/file.h"
#include "host/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { SAVE_AFTER_S = 300, UPKEEP_S = 60 };

void people_init(struct people *p)
{
    memset(p, 0, sizeof *p);
    pthread_rwlock_init(&p->lock, NULL);
}

void people_free(struct people *p)
{
    free(p->user);
    free(p->session);
    free(p->token);
    pthread_rwlock_destroy(&p->lock);
    memset(p, 0, sizeof *p);
}

int people_secret(char text[SECRET_TEXT], uint8_t sha256[32],
                  struct error *err)
{
    uint8_t secret[32];

    if (getrandom(secret, sizeof secret, 0) != (ssize_t)sizeof secret) {
        return error_errno(err, "no random numbers");
    }
    hex_encode(secret, sizeof secret, text);
    bl_sha256(text, SECRET_TEXT - 1, sha256);
    explicit_bzero(secret, sizeof secret);
    return 0;
}

/* --- Found, with the lock held --------------------------------------------
 */

static const struct user *user_numbered(const struct people *p,
                                        uint32_t number)
{
    for (uint32_t i = 0; i < p->n_users; i++) {
        if (p->user[i].number == number) {
            return &p->user[i];
        }
    }
    return NULL;
}

static const struct user *user_named(const struct people *p, const char *name)
{
    for (uint32_t i = 0; i < p->n_users; i++) {
        if (strcmp(p->user[i].name, name) == 0) {
            return &p->user[i];
        }
    }
    return NULL;
}

/* Of a SHA-256 of a random secret: the time it takes tells nothing. */
static struct session *session_of(const struct people *p,
                                  const uint8_t sha256[32])
{
    for (uint32_t i = 0; i < p->n_sessions; i++) {
        if (bl_equal(p->session[i].sha256, sha256, 32) == BL_GOOD) {
            return &p->session[i];
        }
    }
    return NULL;
}

static bool session_ended(const struct session *s, int64_t now)
{
    return now - s->used >= SESSION_IDLE_S ||
           now - s->created >= SESSION_MOST_S;
}

static int64_t session_expires(const struct session *s)
{
    int64_t idle = s->used + SESSION_IDLE_S;
    int64_t most = s->created + SESSION_MOST_S;

    return idle < most ? idle : most;
}

/* --- Who asks --------------------------------------------------------------
 */

static void say_who(struct caller *c, enum caller_kind kind, enum role role,
                    const uint8_t sha256[32])
{
    memcpy(c->credential, sha256, 32);
    c->kind = kind;
    c->role = role;
    c->scopes = 0;
    c->expires = 0;
    c->by_code = false;
    c->needs_password = false;
}

/* NULL: it lets nobody in. */
static const struct user *session_user(const struct people *p,
                                       const struct session *s, int64_t now)
{
    const struct user *u =
        s == NULL || session_ended(s, now) ? NULL : user_numbered(p, s->user);

    return u == NULL || u->disabled ? NULL : u;
}

bool people_by_session(struct people *p, const uint8_t sha256[32], int64_t now,
                       struct caller *caller, char name[64])
{
    const struct user *u;
    struct session *s;

    pthread_rwlock_wrlock(&p->lock);
    s = session_of(p, sha256);
    u = session_user(p, s, now);
    if (u != NULL) {
        s->used = now;
        say_who(caller, CALLER_SESSION, u->role, sha256);
        snprintf(name, 64, "%s", u->name);
        caller->by_code = s->by_code;
        caller->needs_password = u->hash[0] == '\0';
        caller->expires = session_expires(s);
    }
    pthread_rwlock_unlock(&p->lock);
    return u != NULL;
}

bool people_session_holds(struct people *p, const uint8_t sha256[32],
                          int64_t now)
{
    bool holds;

    pthread_rwlock_rdlock(&p->lock);
    holds = session_user(p, session_of(p, sha256), now) != NULL;
    pthread_rwlock_unlock(&p->lock);
    return holds;
}

static struct api_token *token_of(const struct people *p,
                                  const uint8_t sha256[32], int64_t now)
{
    struct api_token *found = NULL;

    for (uint32_t i = 0; i < p->n_tokens; i++) {
        if (bl_equal(p->token[i].sha256, sha256, 32) == BL_GOOD) {
            found = &p->token[i];
        }
    }
    return found != NULL && found->expires != 0 && found->expires <= now
               ? NULL
               : found;
}

bool people_by_token(struct people *p, const uint8_t sha256[32], int64_t now,
                     struct caller *caller, char name[64])
{
    struct api_token *found;

    pthread_rwlock_wrlock(&p->lock);
    found = token_of(p, sha256, now);
    if (found != NULL) {
        found->last_use = now;
        say_who(caller, CALLER_TOKEN, found->role, sha256);
        snprintf(name, 64, "%s", found->name);
        caller->scopes = found->scopes;
        caller->expires = found->expires;
    }
    pthread_rwlock_unlock(&p->lock);
    return found != NULL;
}

bool people_token_holds(struct people *p, const uint8_t sha256[32],
                        int64_t now)
{
    bool holds;

    pthread_rwlock_rdlock(&p->lock);
    holds = token_of(p, sha256, now) != NULL;
    pthread_rwlock_unlock(&p->lock);
    return holds;
}

/* --- Copies ----------------------------------------------------------------
 */

bool people_user(struct people *p, const char *name, struct user *out)
{
    const struct user *u;

    pthread_rwlock_rdlock(&p->lock);
    u = user_named(p, name);
    if (u != NULL) {
        *out = *u;
    }
    pthread_rwlock_unlock(&p->lock);
    return u != NULL;
}

static const struct api_token *token_named(const struct people *p,
                                           const char *name)
{
    for (uint32_t i = 0; i < p->n_tokens; i++) {
        if (strcmp(p->token[i].name, name) == 0) {
            return &p->token[i];
        }
    }
    return NULL;
}

bool people_token_named(struct people *p, const char *name)
{
    bool found;

    pthread_rwlock_rdlock(&p->lock);
    found = token_named(p, name) != NULL;
    pthread_rwlock_unlock(&p->lock);
    return found;
}

void people_owner(struct people *p, const char *name, char out[64])
{
    const struct api_token *token;

    snprintf(out, 64, "%s", name);
    pthread_rwlock_rdlock(&p->lock);
    /* No chain is longer than there are tokens. */
    for (uint32_t i = 0; i < p->n_tokens; i++) {
        token = token_named(p, out);
        if (token == NULL) {
            break;
        }
        snprintf(out, 64, "%s", token->created_by);
    }
    pthread_rwlock_unlock(&p->lock);
}

bool people_token(struct people *p, uint32_t number, struct api_token *out)
{
    bool found = false;

    pthread_rwlock_rdlock(&p->lock);
    for (uint32_t i = 0; i < p->n_tokens; i++) {
        if (p->token[i].number == number) {
            *out = p->token[i];
            found = true;
        }
    }
    pthread_rwlock_unlock(&p->lock);
    return found;
}

bool people_session(struct people *p, const uint8_t sha256[32],
                    struct session *out)
{
    const struct session *s;

    pthread_rwlock_rdlock(&p->lock);
    s = session_of(p, sha256);
    if (s != NULL) {
        *out = *s;
    }
    pthread_rwlock_unlock(&p->lock);
    return s != NULL;
}

uint32_t people_other_admins(struct people *p, const char *name)
{
    uint32_t n = 0;

    pthread_rwlock_rdlock(&p->lock);
    for (uint32_t i = 0; i < p->n_users; i++) {
        const struct user *u = &p->user[i];

        n += u->role == ROLE_ADMIN && !u->disabled &&
             strcmp(u->name, name) != 0;
    }
    pthread_rwlock_unlock(&p->lock);
    return n;
}

uint32_t people_sessions_of(struct people *p, uint32_t user)
{
    uint32_t n = 0;

    pthread_rwlock_rdlock(&p->lock);
    for (uint32_t i = 0; i < p->n_sessions; i++) {
        n += p->session[i].user == user;
    }
    pthread_rwlock_unlock(&p->lock);
    return n;
}

/* --- Sessions in memory ----------------------------------------------------
 */

static void drop_session(struct people *p, uint32_t i)
{
    p->session[i] = p->session[--p->n_sessions];
}

static int make_room(struct people *p)
{
    uint32_t room = p->room == 0 ? 64 : 2 * p->room;
    struct session *bigger;

    if (p->n_sessions < p->room) {
        return 0;
    }
    bigger = realloc(p->session, room * sizeof *bigger);
    if (bigger == NULL) {
        return -1;
    }
    p->session = bigger;
    p->room = room;
    return 0;
}

static bool is_older(const struct session *a, const struct session *b)
{
    return a->created != b->created ? a->created < b->created
                                    : memcmp(a->sha256, b->sha256, 32) < 0;
}

/* The same one as people_store_session_add: none lives again after a restart.
 */
static void end_the_oldest(struct people *p, uint32_t user)
{
    uint32_t oldest = 0;
    uint32_t n = 0;

    for (uint32_t i = 0; i < p->n_sessions; i++) {
        if (p->session[i].user != user) {
            continue;
        }
        if (n == 0 || is_older(&p->session[i], &p->session[oldest])) {
            oldest = i;
        }
        n++;
    }
    if (n >= PEOPLE_SESSIONS_EACH) {
        drop_session(p, oldest);
    }
}

int people_session_add(struct people *p, const struct session *s)
{
    int result;

    pthread_rwlock_wrlock(&p->lock);
    end_the_oldest(p, s->user);
    result = make_room(p);
    if (result == 0) {
        p->session[p->n_sessions++] = *s;
    }
    pthread_rwlock_unlock(&p->lock);
    return result;
}

void people_session_end(struct people *p, const uint8_t sha256[32])
{
    struct session *s;

    pthread_rwlock_wrlock(&p->lock);
    s = session_of(p, sha256);
    if (s != NULL) {
        drop_session(p, (uint32_t)(s - p->session));
    }
    pthread_rwlock_unlock(&p->lock);
}

void people_sessions_end(struct people *p, uint32_t user)
{
    pthread_rwlock_wrlock(&p->lock);
    for (uint32_t i = p->n_sessions; i-- > 0;) {
        if (p->session[i].user == user) {
            drop_session(p, i);
        }
    }
    pthread_rwlock_unlock(&p->lock);
}

/* --- Loading ---------------------------------------------------------------
 */

struct loading {
    struct people fresh;
    bool sessions;
    bool failed;
};

static void copy_text(char *out, size_t size, sqlite3_stmt *row, int column)
{
    snprintf(out, size, "%s", db_text(row, column));
}

static int load_user(void *ctx, sqlite3_stmt *row)
{
    struct people *p = &((struct loading *)ctx)->fresh;
    struct user *u = &p->user[p->n_users];
    int64_t role = sqlite3_column_int64(row, 2);

    if (p->n_users == PEOPLE_USERS) {
        return 1;
    }
    u->number = (uint32_t)sqlite3_column_int64(row, 0);
    copy_text(u->name, sizeof u->name, row, 1);
    u->role = role >= 0 && role < ROLES ? (enum role)role : ROLE_VIEWER;
    copy_text(u->hash, sizeof u->hash, row, 3);
    u->disabled = sqlite3_column_int(row, 4) != 0;
    u->created = sqlite3_column_int64(row, 5);
    u->last_login = sqlite3_column_int64(row, 6);
    p->n_users++;
    return 0;
}

static int load_token(void *ctx, sqlite3_stmt *row)
{
    struct people *p = &((struct loading *)ctx)->fresh;
    struct api_token *t = &p->token[p->n_tokens];
    int64_t role = sqlite3_column_int64(row, 3);
    bl_span hash = db_blob(row, 2);

    if (p->n_tokens == PEOPLE_TOKENS) {
        return 1;
    }
    if (hash.n != 32) {
        return 0; /* nobody's */
    }
    t->number = (uint32_t)sqlite3_column_int64(row, 0);
    copy_text(t->name, sizeof t->name, row, 1);
    memcpy(t->sha256, hash.p, 32);
    t->role = role >= 0 && role < ROLES ? (enum role)role : ROLE_VIEWER;
    t->scopes = (uint8_t)sqlite3_column_int(row, 4);
    copy_text(t->created_by, sizeof t->created_by, row, 5);
    t->created = sqlite3_column_int64(row, 6);
    t->expires = sqlite3_column_int64(row, 7);
    t->last_use = sqlite3_column_int64(row, 8);
    t->saved = t->last_use;
    p->n_tokens++;
    return 0;
}

static int load_session(void *ctx, sqlite3_stmt *row)
{
    struct loading *l = ctx;
    bl_span hash = db_blob(row, 0);
    struct session s = {{0}, 0, false, 0, 0, 0};

    if (hash.n != 32) {
        return 0;
    }
    memcpy(s.sha256, hash.p, 32);
    s.user = (uint32_t)sqlite3_column_int64(row, 1);
    s.by_code = sqlite3_column_int(row, 2) != 0;
    s.created = sqlite3_column_int64(row, 3);
    s.used = sqlite3_column_int64(row, 4);
    s.saved = s.used;
    if (make_room(&l->fresh) != 0) {
        l->failed = true;
        return 1;
    }
    l->fresh.session[l->fresh.n_sessions++] = s;
    return 0;
}

static int load_all(struct loading *l, struct db *db, struct error *err)
{
    if (db_each(db, err, load_user, l,
                "SELECT number, name, role, hash, disabled, created,"
                " last_login FROM users ORDER BY name",
                "") != 0 ||
        db_each(db, err, load_token, l,
                "SELECT number, name, hash, role, scopes, created_by,"
                " created, expires, last_use FROM tokens ORDER BY number",
                "") != 0) {
        return -1;
    }
    return !l->sessions ? 0
                        : db_each(db, err, load_session, l,
                                  "SELECT hash, user, by_code, created, used"
                                  " FROM sessions",
                                  "");
}

/* When it was last used is newer in memory. */
static void keep_use(const struct people *old, struct people *fresh)
{
    for (uint32_t i = 0; i < fresh->n_tokens; i++) {
        for (uint32_t k = 0; k < old->n_tokens; k++) {
            if (old->token[k].number == fresh->token[i].number) {
                fresh->token[i].last_use = old->token[k].last_use;
            }
        }
    }
}

static void take_over(struct people *p, struct loading *l)
{
    pthread_rwlock_wrlock(&p->lock);
    keep_use(p, &l->fresh);
    free(p->user);
    free(p->token);
    p->user = l->fresh.user;
    p->n_users = l->fresh.n_users;
    p->token = l->fresh.token;
    p->n_tokens = l->fresh.n_tokens;
    if (l->sessions) {
        free(p->session);
        p->session = l->fresh.session;
        p->n_sessions = l->fresh.n_sessions;
        p->room = l->fresh.room;
    }
    pthread_rwlock_unlock(&p->lock);
}

int people_load(struct people *p, struct store *store, bool sessions,
                struct error *err)
{
    struct loading l = {.sessions = sessions};
    int result = -1;

    l.fresh.user = calloc(PEOPLE_USERS, sizeof *l.fresh.user);
    l.fresh.token = calloc(PEOPLE_TOKENS, sizeof *l.fresh.token);
    if (l.fresh.user == NULL || l.fresh.token == NULL) {
        error_set(err, "no memory for users and tokens");
    } else {
        store_lock(store);
        result = load_all(&l, &store->db, err);
        store_unlock(store);
        if (result == 0 && l.failed) {
            result = error_set(err, "no memory for sessions");
        }
    }
    if (result == 0) {
        take_over(p, &l);
        return 0;
    }
    free(l.fresh.user);
    free(l.fresh.token);
    free(l.fresh.session);
    return result;
}

/* --- Upkeep ----------------------------------------------------------------
 */

static int save_session(struct session *s, struct db *db, struct error *err)
{
    if (s->used - s->saved < SAVE_AFTER_S) {
        return 0;
    }
    s->saved = s->used;
    return db_run(db, err, "UPDATE sessions SET used = ? WHERE hash = ?", "ib",
                  s->used, bl_span_of(s->sha256, 32));
}

static int save_token(struct api_token *t, struct db *db, struct error *err)
{
    if (t->last_use - t->saved < SAVE_AFTER_S) {
        return 0;
    }
    t->saved = t->last_use;
    return db_run(db, err, "UPDATE tokens SET last_use = ? WHERE number = ?",
                  "ii", t->last_use, (int64_t)t->number);
}

static int save_uses(struct people *p, struct db *db, struct error *err)
{
    for (uint32_t i = 0; i < p->n_sessions; i++) {
        if (save_session(&p->session[i], db, err) != 0) {
            return -1;
        }
    }
    for (uint32_t i = 0; i < p->n_tokens; i++) {
        if (save_token(&p->token[i], db, err) != 0) {
            return -1;
        }
    }
    return 0;
}

static int forget_old(struct db *db, int64_t now, struct error *err)
{
    if (db_run(db, err, "DELETE FROM login_codes WHERE expires <= ?", "i",
               now) != 0) {
        return -1;
    }
    return db_run(db, err,
                  "DELETE FROM sessions WHERE used <= ? OR created <= ?", "ii",
                  now - SESSION_IDLE_S, now - SESSION_MOST_S);
}

void people_upkeep(struct people *p, struct store *store, int64_t now)
{
    struct error err = {BL_OK, 0, ""};
    int result;

    if (now - p->kept < UPKEEP_S && now >= p->kept) {
        return;
    }
    p->kept = now;
    result = store_begin(store, &err);
    if (result == 0) {
        /* Also while requests wait: there are few of them, and few rows. */
        pthread_rwlock_wrlock(&p->lock);
        for (uint32_t i = p->n_sessions; i-- > 0;) {
            if (session_ended(&p->session[i], now)) {
                drop_session(p, i);
            }
        }
        result = save_uses(p, &store->db, &err);
        pthread_rwlock_unlock(&p->lock);
        if (result != 0 || forget_old(&store->db, now, &err) != 0) {
            result = store_abort(store);
        } else {
            result = store_commit(store, &err);
        }
    }
    if (result != 0) {
        log_error("sessions", LOG_TEXT("error", err.text));
    }
}
