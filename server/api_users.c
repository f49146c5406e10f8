/* SPDX-License-Identifier: Apache-2.0 */
/* Users: list, add, change, remove, login codes. Those that may hash a
 * password run on the worker for logins. */
#include "access.h"
#include "api.h"

#include <stdio.h>
#include <time.h>

static json_t *user_json(struct server *s, const struct user *u)
{
    return json_pack(
        "{s:s, s:s, s:b, s:b, s:I, s:o, s:I}", "name", u->name, "role",
        role_name(u->role), "disabled", u->disabled, "password",
        u->hash[0] != '\0', "created", (json_int_t)u->created, "last_login",
        u->last_login == 0 ? json_null() : json_integer(u->last_login),
        "sessions", (json_int_t)people_sessions_of(&s->people, u->number));
}

void user_list(struct server *s, struct http_request *rq)
{
    json_t *items = json_array();
    struct user *copy = NULL;
    uint32_t n;

    pthread_rwlock_rdlock(&s->people.lock);
    n = s->people.n_users;
    copy = calloc(n + 1, sizeof *copy);
    if (copy != NULL) {
        memcpy(copy, s->people.user, n * sizeof *copy);
    }
    pthread_rwlock_unlock(&s->people.lock);
    for (uint32_t i = 0; copy != NULL && i < n; i++) {
        json_array_append_new(items, user_json(s, &copy[i]));
    }
    free(copy);
    api_list(rq, items, 0);
}

/* --- Reading ---------------------------------------------------------------
 */

static bool is_name(const char *name)
{
    static const char *const reserved[] = {"bowline", "server", "anonymous"};
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._@-");

    for (int i = 0; i < 3; i++) {
        if (strcmp(name, reserved[i]) == 0) {
            return false;
        }
    }
    return n > 0 && n < 64 && name[n] == '\0' &&
           strchr("._@-", name[0]) == NULL;
}

bool api_name_is_free(struct server *s, struct http_request *rq,
                      const char *name)
{
    struct user u;

    if (!is_name(name)) {
        api_error(rq, 400, "field",
                  "a name has 1 to 63 of a-z, 0-9, '.', '_', '@', '-' and "
                  "begins with a letter or digit");
        return false;
    }
    if (people_user(&s->people, name, &u) ||
        people_token_named(&s->people, name) ||
        auth_operator_named(&s->operators, name)) {
        api_error(rq, 409, "exists", "a user or token is called %s already",
                  name);
        return false;
    }
    return true;
}

int api_role(struct http_request *rq, const json_t *body, enum role *role)
{
    const char *text = json_string_value(json_object_get(body, "role"));

    if (text == NULL || role_read(text, role) != 0) {
        api_error(rq, 400, "field",
                  "\"role\" must be viewer, operator, approver or admin");
        return -1;
    }
    return 0;
}

bool api_only(struct http_request *rq, const json_t *body,
              const char *const *keys)
{
    size_t known = 0;

    for (; *keys != NULL; keys++) {
        known += json_object_get(body, *keys) != NULL;
    }
    if (known != json_object_size(body)) {
        api_error(rq, 400, "field", "the body has a member that is unknown");
        return false;
    }
    return true;
}

/* Hashes "password" of the body into the user. */
static int take_password(struct http_request *rq, const json_t *body,
                         struct user *u)
{
    struct error err = {BL_OK, 0, ""};
    const char *password = api_text(rq, body, "password", PASSWORD_MOST);
    const char *fault =
        password == NULL ? NULL : password_fault(password, u->name);

    if (password == NULL) {
        return -1;
    }
    if (fault != NULL) {
        api_error(rq, 422, "password",
                  "%s; take a longer one of several words", fault);
        return -1;
    }
    if (password_hash(password, u->hash, &err) != 0) {
        api_store_error(rq, &err);
        return -1;
    }
    return 0;
}

/* --- Add -------------------------------------------------------------------
 */

static int write_add(struct server *s, void *ctx, struct error *err)
{
    return people_store_user_add(&s->store, ctx, err);
}

static void reply_user(struct server *s, struct http_request *rq, int status,
                       const char *name)
{
    struct error err = {BL_OK, 0, ""};
    struct user u;

    if (people_load(&s->people, &s->store, false, &err) != 0 ||
        !people_user(&s->people, name, &u)) {
        api_error(rq, 503, "memory", "it is done, but cannot be shown");
    } else {
        api_json(rq, status, user_json(s, &u));
    }
}

static void add(struct server *s, struct http_request *rq, struct user *u)
{
    if (!api_name_is_free(s, rq, u->name)) {
        return;
    }
    if (s->people.n_users == PEOPLE_USERS) {
        api_error(rq, 409, "too-many", "there are %d users already",
                  PEOPLE_USERS);
    } else if (api_change(s, rq, write_add, u, "user-add", u->name,
                          role_name(u->role)) == 0) {
        reply_user(s, rq, 201, u->name);
    }
}

static void add_user(struct server *s, struct http_request *rq)
{
    static const char *const keys[] = {"name", "role", "password", NULL};
    struct user u = {.created = (int64_t)time(NULL)};
    json_t *body = api_body(rq);
    const char *name;

    if (body != NULL && api_only(rq, body, keys) &&
        (name = api_text(rq, body, "name", 63)) != NULL &&
        api_role(rq, body, &u.role) == 0) {
        snprintf(u.name, sizeof u.name, "%s", name);
        if (json_object_get(body, "password") == NULL ||
            take_password(rq, body, &u) == 0) {
            pthread_mutex_lock(&s->admin);
            add(s, rq, &u);
            pthread_mutex_unlock(&s->admin);
        }
    }
    json_decref(body);
    http_wipe_body(rq);
    explicit_bzero(&u, sizeof u);
}

void user_add(struct server *s, struct http_request *rq)
{
    worker_do(s->logins, rq, add_user);
}

/* --- Change ----------------------------------------------------------------
 */

struct change {
    struct user user;
    bool fresh; /* the own session goes on, under a new secret */
    struct new_session new;
};

static int find_user(struct server *s, struct http_request *rq, struct user *u)
{
    if (people_user(&s->people, rq->param[0], u)) {
        return 0;
    }
    api_error(rq, 404, "not-found", "there is no user %s", rq->param[0]);
    return -1;
}

/* Who has only got hold of the session does not know the password. */
static int check_own_password(struct http_request *rq, const json_t *body,
                              const struct user *u)
{
    const char *old = json_string_value(json_object_get(body, "old_password"));

    if (rq->caller.kind != CALLER_SESSION || strcmp(rq->actor, u->name) != 0 ||
        u->hash[0] == '\0' || rq->caller.by_code) {
        return 0;
    }
    if (old == NULL || !password_matches(old, u->hash)) {
        api_error(rq, 403, "old-password",
                  "\"old_password\" must be the password until now");
        return -1;
    }
    return 0;
}

static int read_disabled(struct http_request *rq, const json_t *body,
                         struct user *u)
{
    const json_t *flag = json_object_get(body, "disabled");

    if (flag != NULL && !json_is_boolean(flag)) {
        api_error(rq, 400, "field", "\"disabled\" must be true or false");
        return -1;
    }
    u->disabled = flag == NULL ? u->disabled : json_is_true(flag);
    return 0;
}

/* `u` as it is, then as the body wants it. */
static int read_change(struct http_request *rq, const json_t *body,
                       struct user *u)
{
    static const char *const keys[] = {"role", "password", "old_password",
                                       "disabled", NULL};
    static const char *const own[] = {"password", "old_password", NULL};
    bool admin = rq->caller.role == ROLE_ADMIN;

    if (!api_only(rq, body, keys) ||
        (json_object_get(body, "role") != NULL &&
         api_role(rq, body, &u->role) != 0) ||
        read_disabled(rq, body, u) != 0) {
        return -1;
    }
    if (!admin && !api_only(rq, body, own)) {
        api_error(rq, 403, "not-allowed",
                  "%s may change the own password only", rq->actor);
        return -1;
    }
    if (json_object_get(body, "password") == NULL) {
        return 0;
    }
    return check_own_password(rq, body, u) != 0 ? -1
                                                : take_password(rq, body, u);
}

static bool manages(const struct user *u)
{
    return u->role == ROLE_ADMIN && !u->disabled;
}

/* Somebody must be left who can log in and manage; the token file's holder
 * may do as he likes. `will` is NULL when the user goes. */
static bool leaves_an_admin(struct server *s, struct http_request *rq,
                            const struct user *was, const struct user *will)
{
    if (!manages(was) || (will != NULL && manages(will)) ||
        rq->caller.kind == CALLER_FILE ||
        people_other_admins(&s->people, was->name) > 0) {
        return true;
    }
    api_error(rq, 409, "last-admin",
              "%s is the last admin; make another one first", was->name);
    return false;
}

static int write_change(struct server *s, void *ctx, struct error *err)
{
    const struct change *c = ctx;

    if (people_store_user_set(&s->store, &c->user, err) != 0 ||
        people_store_sessions_end(&s->store, c->user.number, err) != 0) {
        return -1;
    }
    return c->fresh ? people_store_session_add(&s->store, &c->new.session, err)
                    : 0;
}

static void say_changes(const struct user *was, const struct user *u,
                        char *out, size_t size)
{
    snprintf(out, size, "%s%s%s%s", role_name(u->role),
             u->disabled ? ", disabled" : "",
             strcmp(was->hash, u->hash) != 0 ? ", new password" : "",
             was->role != u->role ? ", other role" : "");
}

static void apply_change(struct server *s, struct http_request *rq,
                         struct change *c)
{
    struct error err = {BL_OK, 0, ""};
    char csrf[ACCESS_CSRF];
    struct user u;

    people_sessions_end(&s->people, c->user.number);
    if ((c->fresh && people_session_add(&s->people, &c->new.session) != 0) ||
        people_load(&s->people, &s->store, false, &err) != 0 ||
        !people_user(&s->people, c->user.name, &u)) {
        api_error(rq, 503, "memory", "it is done; log in again");
        return;
    }
    json_t *shown = user_json(s, &u);
    if (c->fresh) {
        access_csrf(c->new.secret, csrf);
        json_object_set_new(shown, "csrf", json_string(csrf));
    }
    api_json(rq, 200, shown);
    if (c->fresh) {
        login_set_cookie(rq, c->new.secret);
    }
}

/* Sessions end with every change of what they stand on. */
static void change(struct server *s, struct http_request *rq,
                   const struct user *was, struct change *c)
{
    struct error err = {BL_OK, 0, ""};
    struct user now;
    char detail[96];

    if (!people_user(&s->people, was->name, &now) ||
        now.number != was->number || strcmp(now.hash, was->hash) != 0) {
        api_error(rq, 409, "changed", "%s was changed meanwhile", was->name);
        return;
    }
    if (!leaves_an_admin(s, rq, was, &c->user)) {
        return;
    }
    c->fresh = rq->caller.kind == CALLER_SESSION &&
               strcmp(rq->actor, was->name) == 0 && !c->user.disabled;
    if (c->fresh &&
        login_new_session(was->number, false, &c->new, &err) != 0) {
        api_store_error(rq, &err);
        return;
    }
    say_changes(was, &c->user, detail, sizeof detail);
    if (api_change(s, rq, write_change, c, "user-change", was->name, detail) ==
        0) {
        apply_change(s, rq, c);
    }
}

static void change_user(struct server *s, struct http_request *rq)
{
    struct change c = {.fresh = false};
    struct user was;
    json_t *body = api_body(rq);

    if (body != NULL && find_user(s, rq, &was) == 0) {
        c.user = was;
        if (read_change(rq, body, &c.user) == 0) {
            pthread_mutex_lock(&s->admin);
            change(s, rq, &was, &c);
            pthread_mutex_unlock(&s->admin);
        }
    }
    json_decref(body);
    http_wipe_body(rq);
    explicit_bzero(&c, sizeof c);
}

void user_change(struct server *s, struct http_request *rq)
{
    worker_do(s->logins, rq, change_user);
}

/* --- Remove, login code ----------------------------------------------------
 */

static int write_remove(struct server *s, void *ctx, struct error *err)
{
    const struct user *u = ctx;

    return people_store_user_remove(&s->store, u->number, err);
}

void user_delete(struct server *s, struct http_request *rq)
{
    struct error err = {BL_OK, 0, ""};
    struct user u;

    pthread_mutex_lock(&s->admin);
    if (find_user(s, rq, &u) == 0 && leaves_an_admin(s, rq, &u, NULL) &&
        api_change(s, rq, write_remove, &u, "user-remove", u.name, "") == 0) {
        people_sessions_end(&s->people, u.number);
        if (people_load(&s->people, &s->store, false, &err) != 0) {
            api_error(rq, 503, "memory", "it is done, after a restart");
        } else {
            http_reply(rq, 204, NULL, bl_span_of(NULL, 0));
        }
    }
    pthread_mutex_unlock(&s->admin);
}

struct new_code {
    uint32_t user;
    char text[SECRET_TEXT];
    uint8_t sha256[32];
    int64_t expires;
};

static int write_code(struct server *s, void *ctx, struct error *err)
{
    const struct new_code *c = ctx;

    return people_store_code_add(&s->store, c->user, c->sha256, c->expires,
                                 err);
}

static void make_code(struct server *s, struct http_request *rq,
                      const struct user *u)
{
    struct error err = {BL_OK, 0, ""};
    struct new_code c = {.user = u->number,
                         .expires = (int64_t)time(NULL) + LOGIN_CODE_S};

    if (u->disabled) {
        api_error(rq, 409, "disabled", "%s is disabled", u->name);
    } else if (people_secret(c.text, c.sha256, &err) != 0) {
        api_store_error(rq, &err);
    } else if (api_change(s, rq, write_code, &c, "login-code", u->name, "") ==
               0) {
        api_json(rq, 201,
                 json_pack("{s:s, s:I}", "code", c.text, "expires",
                           (json_int_t)c.expires));
    }
    explicit_bzero(&c, sizeof c);
}

void user_login_code(struct server *s, struct http_request *rq)
{
    struct user u;

    pthread_mutex_lock(&s->admin);
    if (find_user(s, rq, &u) == 0) {
        make_code(s, rq, &u);
    }
    pthread_mutex_unlock(&s->admin);
}
