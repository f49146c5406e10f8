/* SPDX-License-Identifier: Apache-2.0 */
/* POST, GET and DELETE /api/v1/session. */
#include "login.h"

#include "access.h"
#include "api.h"

#include "bowline/sha256.h"

#include <stdio.h>
#include <time.h>

/* By address; by name at one address; by name, wherever from; codes. */
static const struct throttle_rule by_address = {'a', 20, 10};
static const struct throttle_rule by_both = {'b', 5, 30};
static const struct throttle_rule by_name = {'n', 60, 10};
static const struct throttle_rule by_code = {'c', 10, 10};

void login_init(struct login *login)
{
    throttle_init(&login->tries);
    rate_init(&login->refused);
}

static int64_t now(void)
{
    return (int64_t)time(NULL);
}

/* --- Sessions --------------------------------------------------------------
 */

int login_new_session(uint32_t user, bool code, struct new_session *out,
                      struct error *err)
{
    memset(out, 0, sizeof *out);
    out->session.user = user;
    out->session.by_code = code;
    out->session.created = now();
    out->session.used = out->session.created;
    out->session.saved = out->session.created;
    return people_secret(out->secret, out->session.sha256, err);
}

void login_set_cookie(struct http_request *rq, const char *secret)
{
    char value[160];

    snprintf(value, sizeof value,
             ACCESS_COOKIE "=%s; Path=/; Max-Age=%d; Secure; HttpOnly; "
                           "SameSite=Strict",
             secret, secret[0] == '\0' ? 0 : SESSION_MOST_S);
    http_reply_header(rq, "Set-Cookie", value);
    explicit_bzero(value, sizeof value);
}

/* --- Refused ---------------------------------------------------------------
 */

/* Who can try as often as he likes cannot fill the audit log. */
static void audit_refusal(struct server *s, const char *name, const char *why,
                          const char *address)
{
    struct error err = {BL_OK, 0, ""};
    uint32_t left_out = 0;
    char detail[160];

    if (!rate_allows(&s->login.refused, monotonic_us(), &left_out)) {
        return;
    }
    snprintf(detail, sizeof detail, "%s, from %s; %u more not listed", why,
             address, left_out);
    log_warning("login-refused", LOG_TEXT("user", name), LOG_TEXT("why", why),
                LOG_TEXT("peer", address), LOG_INT("not_logged", left_out));
    if (store_begin(&s->store, &err) != 0) {
        return;
    }
    if (store_audit(&s->store, "anonymous", "login-refused", name, detail,
                    &err) != 0) {
        store_abort(&s->store);
    } else {
        store_commit(&s->store, &err);
    }
}

/* `name` is of a user: what else is typed there may be a password. */
static void refuse_login(struct server *s, struct http_request *rq,
                         const char *name, const char *why)
{
    char address[64];

    access_address(s, rq, address);
    atomic_fetch_add(&s->metrics.logins_refused, 1);
    audit_refusal(s, name, why, address);
    api_error(rq, 401, "login", "wrong name, password or code");
}

static void refuse_tries(struct server *s, struct http_request *rq,
                         const char *address, uint32_t wait)
{
    char seconds[16];

    atomic_fetch_add(&s->metrics.logins_limited, 1);
    audit_refusal(s, "", "too many tries", address);
    api_error(rq, 429, "too-many", "too many tries; again in %u s", wait);
    snprintf(seconds, sizeof seconds, "%u", wait);
    http_reply_header(rq, "Retry-After", seconds);
}

/* --- Tries -----------------------------------------------------------------
 */

struct attempt {
    const char *name; /* NULL: a code */
    const char *secret;
    char address[64];
    char both[160];
};

static int read_attempt(struct server *s, struct http_request *rq,
                        const json_t *body, struct attempt *a)
{
    const json_t *code = json_object_get(body, "code");

    a->name = NULL;
    a->secret = code != NULL ? api_text(rq, body, "code", 128)
                             : api_text(rq, body, "password", PASSWORD_MOST);
    if (a->secret == NULL) {
        return -1;
    }
    if (code == NULL) {
        a->name = api_text(rq, body, "name", 63);
        if (a->name == NULL) {
            return -1;
        }
    }
    access_address(s, rq, a->address);
    snprintf(a->both, sizeof a->both, "%s %s", a->address,
             a->name == NULL ? "" : a->name);
    return 0;
}

static uint32_t take_try(struct server *s, const struct attempt *a)
{
    struct throttle *t = &s->login.tries;
    uint64_t us = monotonic_us();
    uint32_t wait;

    if (a->name == NULL) {
        return throttle_take(t, &by_code, a->address, us);
    }
    wait = throttle_take(t, &by_address, a->address, us);
    if (wait == 0) {
        wait = throttle_take(t, &by_both, a->both, us);
    }
    return wait != 0 ? wait : throttle_take(t, &by_name, a->name, us);
}

static void give_back(struct server *s, const struct attempt *a)
{
    struct throttle *t = &s->login.tries;
    uint64_t us = monotonic_us();

    if (a->name == NULL) {
        throttle_give_back(t, &by_code, a->address, us);
        return;
    }
    throttle_give_back(t, &by_address, a->address, us);
    throttle_give_back(t, &by_both, a->both, us);
    throttle_give_back(t, &by_name, a->name, us);
}

/* --- Who it is -------------------------------------------------------------
 */

struct entry {
    struct user user;
    struct new_session new;
    uint8_t code[32];
    bool by_code;
};

static bool user_numbered(struct people *p, uint32_t number, struct user *out)
{
    bool found = false;

    pthread_rwlock_rdlock(&p->lock);
    for (uint32_t i = 0; i < p->n_users; i++) {
        if (p->user[i].number == number) {
            *out = p->user[i];
            found = true;
        }
    }
    pthread_rwlock_unlock(&p->lock);
    return found;
}

static bool know_code(struct server *s, const char *code, struct entry *e)
{
    struct error err = {BL_OK, 0, ""};
    uint32_t number;

    e->by_code = true;
    bl_sha256(code, strlen(code), e->code);
    return people_store_code_user(&s->store, e->code, now(), &number, &err) ==
               0 &&
           number != 0 && user_numbered(&s->people, number, &e->user) &&
           !e->user.disabled;
}

static bool know_password(struct server *s, const struct attempt *a,
                          struct entry *e)
{
    bool there = people_user(&s->people, a->name, &e->user);

    if (!there) {
        e->user.hash[0] = '\0';
        e->user.name[0] = '\0';
    }
    e->by_code = false;
    return password_matches(a->secret, e->user.hash) && there &&
           !e->user.disabled;
}

/* Between the look and the lock much may have happened. */
static bool still_so(struct server *s, const struct entry *e)
{
    struct error err = {BL_OK, 0, ""};
    struct user u;
    uint32_t number = e->user.number;

    if (e->by_code && (people_store_code_user(&s->store, e->code, now(),
                                              &number, &err) != 0 ||
                       number != e->user.number)) {
        return false;
    }
    return people_user(&s->people, e->user.name, &u) && !u.disabled &&
           u.number == e->user.number && strcmp(u.hash, e->user.hash) == 0;
}

static int write_login(struct server *s, void *ctx, struct error *err)
{
    const struct entry *e = ctx;

    if (e->by_code && people_store_code_use(&s->store, e->code, err) != 0) {
        return -1;
    }
    if (people_store_session_add(&s->store, &e->new.session, err) != 0) {
        return -1;
    }
    return people_store_logged_in(&s->store, e->user.number,
                                  e->new.session.created, err);
}

static void reply_session(struct http_request *rq, const struct entry *e)
{
    char csrf[ACCESS_CSRF];

    access_csrf(e->new.secret, csrf);
    api_json(rq, 200,
             json_pack("{s:s, s:s, s:b, s:s}", "name", e->user.name, "role",
                       role_name(e->user.role), "must_set_password",
                       e->user.hash[0] == '\0', "csrf", csrf));
    login_set_cookie(rq, e->new.secret);
}

/* A session that the browser had before ends: nobody can have planted it. */
static void end_former(struct server *s, struct http_request *rq)
{
    struct error err = {BL_OK, 0, ""};
    char secret[SECRET_TEXT];
    uint8_t sha256[32];

    if (!access_cookie(rq, secret)) {
        return;
    }
    bl_sha256(secret, strlen(secret), sha256);
    people_session_end(&s->people, sha256);
    if (store_begin(&s->store, &err) == 0) {
        if (people_store_session_end(&s->store, sha256, &err) != 0) {
            store_abort(&s->store);
        } else {
            store_commit(&s->store, &err);
        }
    }
}

static void let_in(struct server *s, struct http_request *rq,
                   const struct attempt *a, struct entry *e)
{
    struct error err = {BL_OK, 0, ""};
    char detail[128];

    if (login_new_session(e->user.number, e->by_code, &e->new, &err) != 0) {
        api_store_error(rq, &err);
        return;
    }
    snprintf(detail, sizeof detail, "%s, from %s",
             e->by_code ? "login code" : "password", a->address);
    snprintf(rq->actor, sizeof rq->actor, "%s", e->user.name);
    if (api_change(s, rq, write_login, e, "login", e->user.name, detail) !=
        0) {
        return;
    }
    end_former(s, rq);
    if (people_session_add(&s->people, &e->new.session) != 0 ||
        people_load(&s->people, &s->store, false, &err) != 0) {
        api_error(rq, 503, "memory", "no memory; try again");
        return;
    }
    atomic_fetch_add(&s->metrics.logins_good, 1);
    give_back(s, a);
    reply_session(rq, e);
}

static void try_attempt(struct server *s, struct http_request *rq,
                        const struct attempt *a)
{
    struct entry e = {.by_code = false};
    bool known = a->name == NULL ? know_code(s, a->secret, &e)
                                 : know_password(s, a, &e);

    if (known) {
        pthread_mutex_lock(&s->admin);
        known = still_so(s, &e);
        if (known) {
            let_in(s, rq, a, &e);
        }
        pthread_mutex_unlock(&s->admin);
    }
    if (!known) {
        refuse_login(s, rq, a->name == NULL ? "" : e.user.name,
                     a->name == NULL ? "wrong code" : "wrong password");
    }
    explicit_bzero(&e, sizeof e);
}

static void log_in(struct server *s, struct http_request *rq)
{
    struct attempt a;
    json_t *body = api_body(rq);

    if (body != NULL && read_attempt(s, rq, body, &a) == 0) {
        try_attempt(s, rq, &a);
    }
    json_decref(body);
    http_wipe_body(rq);
}

void session_add(struct server *s, struct http_request *rq)
{
    struct attempt a;
    uint32_t wait;
    json_t *body;

    if (!access_own_page(rq)) {
        return;
    }
    body = api_body(rq);
    if (body != NULL && read_attempt(s, rq, body, &a) == 0) {
        wait = take_try(s, &a);
        if (wait != 0) {
            refuse_tries(s, rq, a.address, wait);
        } else {
            worker_do(s->logins, rq, log_in);
        }
    }
    json_decref(body);
}

/* --- Who am I; out ---------------------------------------------------------
 */

void session_show(struct server *s, struct http_request *rq)
{
    const struct caller *c = &rq->caller;
    bool is_session = c->kind == CALLER_SESSION;
    char secret[SECRET_TEXT] = "";
    char csrf[ACCESS_CSRF] = "";

    (void)s;
    if (is_session && access_cookie(rq, secret)) {
        access_csrf(secret, csrf);
    }
    api_json(
        rq, 200,
        json_pack("{s:s, s:s, s:o, s:o, s:o, s:s, s:b}", "name", rq->actor,
                  "role", role_name(c->role), "scopes", api_scopes(c->scopes),
                  "csrf", is_session ? json_string(csrf) : json_null(),
                  "expires",
                  c->expires == 0 ? json_null() : json_integer(c->expires),
                  "kind", is_session ? "session" : "token",
                  "must_set_password", c->needs_password));
    explicit_bzero(secret, sizeof secret);
}

static int write_logout(struct server *s, void *ctx, struct error *err)
{
    return people_store_session_end(&s->store, ctx, err);
}

void session_delete(struct server *s, struct http_request *rq)
{
    if (rq->caller.kind != CALLER_SESSION) {
        api_error(rq, 409, "no-session", "a token is not a session");
        return;
    }
    pthread_mutex_lock(&s->admin);
    if (api_change(s, rq, write_logout, rq->caller.credential, "logout",
                   rq->actor, "") == 0) {
        people_session_end(&s->people, rq->caller.credential);
        http_reply(rq, 204, NULL, bl_span_of(NULL, 0));
        login_set_cookie(rq, "");
    }
    pthread_mutex_unlock(&s->admin);
}
