/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Users, their sessions, and API tokens: what is asked at each request is in
 * memory; the tables `users`, `sessions`, `tokens` and `login_codes` hold it
 * over restarts. Of every secret only the SHA-256 is kept (they are random;
 * passwords have a slow hash: password.h).
 *
 * Changes are made with the server's admin lock held: people_store_* in the
 * transaction, then people_load or people_session_* for the memory.
 */
#ifndef SERVER_PEOPLE_H
#define SERVER_PEOPLE_H

#include "auth.h"
#include "password.h"
#include "store.h"

enum {
    PEOPLE_USERS = 1000,
    PEOPLE_TOKENS = 1000,
    PEOPLE_SESSIONS_EACH = 20, /* the one used longest ago ends */
    SESSION_IDLE_S = 12 * 3600,
    SESSION_MOST_S = 7 * 86400,
    LOGIN_CODE_S = 600,
    SECRET_TEXT = 2 * 32 + 1
};

struct user {
    uint32_t number;
    char name[64];
    enum role role;
    bool disabled;
    char hash[PASSWORD_HASH]; /* "": no password yet */
    int64_t created;
    int64_t last_login;
};

struct session {
    uint8_t sha256[32];
    uint32_t user;
    bool by_code; /* no password was said */
    int64_t created;
    int64_t used;
    int64_t saved; /* what of `used` the store has */
};

struct api_token {
    uint32_t number;
    char name[64];
    uint8_t sha256[32];
    enum role role;
    uint8_t scopes;      /* 0: all */
    char created_by[64]; /* the person, also when a token made it */
    int64_t created;
    int64_t expires; /* 0: never */
    int64_t last_use;
    int64_t saved;
};

struct people {
    pthread_rwlock_t lock; /* of the lists */
    struct user *user;
    uint32_t n_users;
    struct session *session;
    uint32_t n_sessions;
    uint32_t room; /* for sessions */
    struct api_token *token;
    uint32_t n_tokens;
    int64_t kept; /* when upkeep was last done */
};

void people_init(struct people *p);
void people_free(struct people *p);
/* Users and tokens; with `sessions`, these too. */
int people_load(struct people *p, struct store *store, bool sessions,
                struct error *err);

/* Who is asking (auth.h), under which name? `now` counts as use. */
bool people_by_session(struct people *p, const uint8_t sha256[32], int64_t now,
                       struct caller *caller, char name[64]);
bool people_by_token(struct people *p, const uint8_t sha256[32], int64_t now,
                     struct caller *caller, char name[64]);

/* Would it still be let in? Does not count as use. */
bool people_session_holds(struct people *p, const uint8_t sha256[32],
                          int64_t now);
bool people_token_holds(struct people *p, const uint8_t sha256[32],
                        int64_t now);

/* Copies; false when there is none. */
bool people_user(struct people *p, const char *name, struct user *out);
bool people_token_named(struct people *p, const char *name);
/* The person behind a name: of a token who made it, and who made the token
 * that made it; else the name. */
void people_owner(struct people *p, const char *name, char out[64]);
bool people_token(struct people *p, uint32_t number, struct api_token *out);
bool people_session(struct people *p, const uint8_t sha256[32],
                    struct session *out);
/* Admins that may log in, but for this one. */
uint32_t people_other_admins(struct people *p, const char *name);
uint32_t people_sessions_of(struct people *p, uint32_t user);

/* Memory only; the store's part is people_store_*. */
int people_session_add(struct people *p, const struct session *s);
void people_session_end(struct people *p, const uint8_t sha256[32]);
void people_sessions_end(struct people *p, uint32_t user);

/* Ends what is too old, and keeps when things were last used: each minute,
 * however often it is called. */
void people_upkeep(struct people *p, struct store *store, int64_t now);

/* --- The store's part (people_store.c), in a transaction ------------------
 */

int people_store_user_add(struct store *store, const struct user *u,
                          struct error *err);
/* Role, hash, disabled. */
int people_store_user_set(struct store *store, const struct user *u,
                          struct error *err);
/* The user's codes and sessions go, too. */
int people_store_user_remove(struct store *store, uint32_t user,
                             struct error *err);
int people_store_logged_in(struct store *store, uint32_t user, int64_t now,
                           struct error *err);
/* Makes room first: PEOPLE_SESSIONS_EACH. */
int people_store_session_add(struct store *store, const struct session *s,
                             struct error *err);
int people_store_session_end(struct store *store, const uint8_t sha256[32],
                             struct error *err);
/* All of a user, and the codes. */
int people_store_sessions_end(struct store *store, uint32_t user,
                              struct error *err);
int people_store_code_add(struct store *store, uint32_t user,
                          const uint8_t sha256[32], int64_t expires,
                          struct error *err);
/* The user of a code that holds, else 0. Takes the lock. */
int people_store_code_user(struct store *store, const uint8_t sha256[32],
                           int64_t now, uint32_t *user, struct error *err);
/* -1 also when another was quicker. */
int people_store_code_use(struct store *store, const uint8_t sha256[32],
                          struct error *err);
int people_store_token_add(struct store *store, struct api_token *t,
                           struct error *err);
int people_store_token_remove(struct store *store, uint32_t number,
                              struct error *err);

/* A secret as hex, and what is kept of it. */
int people_secret(char text[SECRET_TEXT], uint8_t sha256[32],
                  struct error *err);

#endif
