/* SPDX-License-Identifier: Apache-2.0 */
/*
 * May this request be? Who asks: an operator's token (the file, or the table
 * of API tokens), or the session cookie of the page. A session's changes must
 * come from the page itself: the header X-Bowline-CSRF, and Origin and
 * Sec-Fetch-Site where the browser sends them. Then the role that the route
 * asks for, and the scope of a token.
 */
#ifndef SERVER_ACCESS_H
#define SERVER_ACCESS_H

#include "router.h"

#include <jansson.h>

/* Areas that a token may be narrowed to; reading what is no area of admins
 * is part of each. */
enum scope {
    SCOPE_READ = 1,
    SCOPE_PUBLISH = 2,
    SCOPE_ROLLOUT = 4,
    SCOPE_DEVICE = 8,
    SCOPE_ADMIN = 16
};

enum { SCOPES = 5 };

const char *scope_name(int i);
/* 0: there is none of this name. */
uint8_t scope_read(const char *text);

#define ACCESS_COOKIE "__Host-bowline"
enum { ACCESS_CSRF = 2 * 32 + 1 };

/* Replies when it may not be; else rq->actor and rq->caller are known. */
void access_check(struct server *s, struct http_request *rq);
/* Does what was shown still hold? For answers that go on for hours. */
bool access_holds(struct server *s, const struct http_request *rq);

/* Names of users and tokens, and what their requests share. Each replies when
 * it is not good. */
bool api_name_is_free(struct server *s, struct http_request *rq,
                      const char *name);
int api_role(struct http_request *rq, const json_t *body, enum role *role);
/* Has the body no member but these? */
bool api_only(struct http_request *rq, const json_t *body,
              const char *const *keys);
json_t *api_scopes(uint8_t scopes);

/* Is `who`, who asks now, the person who acted as `name`? A token speaks for
 * who made it. `person` is who that was then, tokens go: "" was not kept. */
bool access_is_person(struct server *s, const char *person, const char *name,
                      const char *who);

/* A body that comes from this site's page, or from no page at all, and says
 * that it is JSON: for logging in. Replies when not. */
bool access_own_page(struct http_request *rq);
/* What a session must send along, of the text in its cookie. */
void access_csrf(const char *secret, char out[ACCESS_CSRF]);
/* The session's secret in the request's cookie; false: none, or several. */
bool access_cookie(const struct http_request *rq, char out[2 * 32 + 1]);
/* Who asked, as limits count: the peer, or whom a TLS proxy on this machine
 * names. An IPv6 address counts by its /64. */
void access_address(struct server *s, const struct http_request *rq,
                    char out[64]);

#endif
