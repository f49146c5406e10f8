/* SPDX-License-Identifier: Apache-2.0 */
#include "access.h"

#include "api.h"

#include "bowline/crypto.h"
#include "bowline/sha256.h"
#include "host/file.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <strings.h>
#include <time.h>

/* --- Roles and scopes ------------------------------------------------------
 */

static const char *const scope_names[SCOPES] = {"read", "publish", "rollout",
                                                "device", "admin"};

const char *scope_name(int i)
{
    return scope_names[i];
}

uint8_t scope_read(const char *text)
{
    for (int i = 0; i < SCOPES; i++) {
        if (strcmp(text, scope_names[i]) == 0) {
            return (uint8_t)(1U << i);
        }
    }
    return 0;
}

static bool role_allows(enum role role, enum access access)
{
    switch (access) {
    case ACCESS_OPERATOR:
        return role == ROLE_OPERATOR || role == ROLE_ADMIN;
    case ACCESS_APPROVER:
        return role != ROLE_VIEWER;
    case ACCESS_ADMIN:
        return role == ROLE_ADMIN;
    default:
        return true;
    }
}

static const char *role_needed(enum access access)
{
    return access == ACCESS_ADMIN || access == ACCESS_SELF ? "admin"
           : access == ACCESS_APPROVER                     ? "approver"
                                                           : "operator";
}

/* By the pattern of the route: the first that fits. What is new and not here
 * is an admin's to change. */
static const struct area {
    const char *prefix;
    uint8_t scope;
} areas[] = {
    {"/api/v1/products/{}/rollback", SCOPE_ROLLOUT},
    {"/api/v1/rollouts", SCOPE_ROLLOUT},
    {"/api/v1/devices", SCOPE_DEVICE},
    {"/api/v1/unmanaged", SCOPE_DEVICE},
    {"/api/v1/payloads", SCOPE_PUBLISH},
    {"/api/v1/releases", SCOPE_PUBLISH},
    {"/api/v1/roots", SCOPE_PUBLISH},
    {"/api/v1/products", SCOPE_PUBLISH},
    {"/api/v1/users", SCOPE_ADMIN},
    {"/api/v1/tokens", SCOPE_ADMIN},
    {"/api/v1/settings", SCOPE_ADMIN},
    {"/api/v1/webhooks", SCOPE_ADMIN},
    {"/api/v1/audit", SCOPE_ADMIN},
    {"/api/v1/export/audit", SCOPE_ADMIN},
};

static uint8_t area_of(const char *pattern)
{
    for (size_t i = 0; i < sizeof areas / sizeof areas[0]; i++) {
        if (strncmp(pattern, areas[i].prefix, strlen(areas[i].prefix)) == 0) {
            return areas[i].scope;
        }
    }
    return 0;
}

/* A preview of a rollout is asked with a plan, and changes nothing. */
static bool is_question(const struct http_request *rq)
{
    return strcmp(rq->route->pattern, "/api/v1/rollouts/preview") == 0;
}

static bool is_change(const struct http_request *rq)
{
    return strcmp(rq->method, "GET") != 0 && strcmp(rq->method, "HEAD") != 0;
}

static bool scope_allows(const struct http_request *rq)
{
    uint8_t area = area_of(rq->route->pattern);
    uint8_t needed = area == 0 ? SCOPE_ADMIN : area;

    if (rq->caller.scopes == 0) {
        return true;
    }
    if (!is_change(rq) || is_question(rq)) {
        return area != SCOPE_ADMIN ||
               (rq->caller.scopes & (SCOPE_READ | SCOPE_ADMIN)) != 0;
    }
    return (rq->caller.scopes & needed) != 0;
}

/* --- The page's own --------------------------------------------------------
 */

void access_csrf(const char *secret, char out[ACCESS_CSRF])
{
    static const char purpose[] = "bowline csrf 1 ";
    struct bl_sha256 c;
    uint8_t digest[32];

    bl_sha256_init(&c);
    bl_sha256_update(&c, purpose, sizeof purpose - 1);
    bl_sha256_update(&c, secret, strlen(secret));
    bl_sha256_final(&c, digest);
    hex_encode(digest, sizeof digest, out);
}

/* "name=value; name=value": the value of ours, when it is there once. */
bool access_cookie(const struct http_request *rq, char out[2 * 32 + 1])
{
    static const char name[] = ACCESS_COOKIE "=";
    const char *p = http_header(rq, "Cookie");
    int found = 0;

    for (; p != NULL; p = strchr(p, ';')) {
        p += strspn(p, "; ");
        if (strncmp(p, name, sizeof name - 1) == 0) {
            size_t n = strcspn(p + sizeof name - 1, "; ");

            if (n != 64 || found++ > 0) {
                return false;
            }
            memcpy(out, p + sizeof name - 1, n);
            out[n] = '\0';
        }
    }
    return found == 1;
}

/* "https://host:port" against the field Host. */
static bool origin_is_host(const char *origin, const char *host)
{
    const char *p = strstr(origin, "://");

    return p != NULL && host != NULL &&
           (strncmp(origin, "https://", 8) == 0 ||
            strncmp(origin, "http://", 7) == 0) &&
           strcasecmp(p + 3, host) == 0;
}

static bool from_elsewhere(const struct http_request *rq)
{
    const char *site = http_header(rq, "Sec-Fetch-Site");
    const char *origin = http_header(rq, "Origin");

    if (site != NULL && strcmp(site, "same-origin") != 0 &&
        (strcmp(site, "none") != 0 || is_change(rq))) {
        return true;
    }
    return origin != NULL && !origin_is_host(origin, http_header(rq, "Host"));
}

/* What a form cannot send. */
static bool has_json_type(const struct http_request *rq)
{
    static const char json[] = "application/json";
    const char *type = http_header(rq, "Content-Type");
    size_t n = sizeof json - 1;

    return type != NULL && strncasecmp(type, json, n) == 0 &&
           (type[n] == '\0' || type[n] == ';' || type[n] == ' ');
}

static bool is_form_type(const struct http_request *rq)
{
    static const char *const forms[] = {"application/x-www-form-urlencoded",
                                        "multipart/form-data", "text/plain"};
    const char *type = http_header(rq, "Content-Type");

    for (size_t i = 0; type != NULL && i < 3; i++) {
        if (strncasecmp(type, forms[i], strlen(forms[i])) == 0) {
            return true;
        }
    }
    return false;
}

static bool refuse_elsewhere(struct http_request *rq)
{
    if (!from_elsewhere(rq)) {
        return false;
    }
    api_error(rq, 403, "cross-site",
              "the request comes from another site's page");
    return true;
}

bool access_own_page(struct http_request *rq)
{
    if (refuse_elsewhere(rq)) {
        return false;
    }
    if (!has_json_type(rq)) {
        api_error(rq, 415, "type", "say Content-Type: application/json");
        return false;
    }
    return true;
}

static void check_session(struct http_request *rq, const char *secret)
{
    const char *given = http_header(rq, "X-Bowline-CSRF");
    char wanted[ACCESS_CSRF];

    if (refuse_elsewhere(rq) || !is_change(rq)) {
        return;
    }
    access_csrf(secret, wanted);
    if (given == NULL || strlen(given) != ACCESS_CSRF - 1 ||
        bl_equal((const uint8_t *)given, (const uint8_t *)wanted,
                 ACCESS_CSRF - 1) != BL_GOOD) {
        api_error(rq, 403, "csrf",
                  "a session's change needs the header X-Bowline-CSRF; "
                  "GET /api/v1/session says it");
    } else if (is_form_type(rq)) {
        api_error(rq, 415, "type", "say Content-Type: application/json");
    }
}

/* --- Who -------------------------------------------------------------------
 */

static int64_t now(void)
{
    return (int64_t)time(NULL);
}

static bool by_token(struct server *s, struct http_request *rq, bl_span token)
{
    struct caller *c = &rq->caller;

    if (auth_operator(&s->operators, token, rq->actor, &c->role)) {
        c->kind = CALLER_FILE;
        bl_sha256(token.p, token.n, c->credential);
        return true;
    }
    bl_sha256(token.p, token.n, c->credential);
    return people_by_token(&s->people, c->credential, now(), c, rq->actor);
}

static void refuse_unknown(struct http_request *rq)
{
    api_error(rq, 401, "not-authenticated",
              "no valid operator token or session: send Authorization: "
              "Bearer ..., or log in");
    http_reply_header(rq, "WWW-Authenticate", "Bearer");
}

/* Who sends both means the token. */
static void identify(struct server *s, struct http_request *rq)
{
    const char *header = http_header(rq, "Authorization");
    char secret[2 * 32 + 1];
    uint8_t sha256[32];

    if (header != NULL) {
        if (!by_token(s, rq, auth_bearer(header))) {
            refuse_unknown(rq);
        }
        return;
    }
    if (!access_cookie(rq, secret)) {
        refuse_unknown(rq);
        return;
    }
    bl_sha256(secret, strlen(secret), sha256);
    if (people_by_session(&s->people, sha256, now(), &rq->caller, rq->actor)) {
        check_session(rq, secret);
    } else {
        refuse_unknown(rq);
    }
    explicit_bzero(secret, sizeof secret);
}

static bool is_self(const struct http_request *rq)
{
    return rq->caller.kind == CALLER_SESSION &&
           strcmp(rq->param[0], rq->actor) == 0;
}

static void check_rights(struct http_request *rq)
{
    enum access access = rq->route->access;
    enum role role = rq->caller.role;

    if (!role_allows(role, access) ||
        (access == ACCESS_SELF && role != ROLE_ADMIN && !is_self(rq))) {
        api_error(rq, 403, "not-allowed",
                  "%s has the role %s: this needs the role %s", rq->actor,
                  role_name(role), role_needed(access));
    } else if (!scope_allows(rq)) {
        api_error(rq, 403, "scope", "the token %s is narrowed to other things",
                  rq->actor);
    }
}

void access_check(struct server *s, struct http_request *rq)
{
    identify(s, rq);
    if (!http_replied(rq)) {
        check_rights(rq);
    }
}

bool access_holds(struct server *s, const struct http_request *rq)
{
    switch (rq->caller.kind) {
    case CALLER_FILE:
        return auth_operator_holds(&s->operators, rq->caller.credential);
    case CALLER_TOKEN:
        return people_token_holds(&s->people, rq->caller.credential, now());
    case CALLER_SESSION:
        return people_session_holds(&s->people, rq->caller.credential, now());
    default:
        return false;
    }
}

bool access_is_person(struct server *s, const char *person, const char *name,
                      const char *who)
{
    char of_name[64];
    char of_who[64];

    people_owner(&s->people, name, of_name);
    people_owner(&s->people, who, of_who);
    return strcmp(person[0] == '\0' ? of_name : person, of_who) == 0;
}

/* --- Where from ------------------------------------------------------------
 */

/* The last that the proxy on this machine has added. */
static const char *forwarded(struct server *s, const struct http_request *rq,
                             const char *peer)
{
    const char *list = http_header(rq, "X-Forwarded-For");
    const char *last = list == NULL ? NULL : strrchr(list, ',');
    bool here = strncmp(peer, "127.", 4) == 0 || strcmp(peer, "::1") == 0;

    if (!s->config.plain_http || !here || list == NULL) {
        return NULL;
    }
    last = last == NULL ? list : last + 1;
    return last + strspn(last, " ");
}

/* A socket for both families says IPv4 addresses as mapped ones: each of them
 * counts alone. */
static void network_of(struct in6_addr *v6, char out[64])
{
    if (IN6_IS_ADDR_V4MAPPED(v6)) {
        inet_ntop(AF_INET, v6->s6_addr + 12, out, 64);
        return;
    }
    memset(v6->s6_addr + 8, 0, 8);
    inet_ntop(AF_INET6, v6, out, 60);
    memcpy(out + strlen(out), "/64", sizeof "/64");
}

void access_address(struct server *s, const struct http_request *rq,
                    char out[64])
{
    const char *named;
    struct in6_addr v6;
    struct in_addr v4;

    http_peer(rq, out);
    named = forwarded(s, rq, out);
    if (named != NULL && (inet_pton(AF_INET, named, &v4) == 1 ||
                          inet_pton(AF_INET6, named, &v6) == 1)) {
        snprintf(out, 64, "%s", named);
    }
    if (inet_pton(AF_INET6, out, &v6) == 1) {
        network_of(&v6, out);
    }
}
