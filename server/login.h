/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logging in: a password, or a code that an admin has made and that holds
 * once, for ten minutes. Tries are limited by address, by name and address,
 * and by name; a code needs no name, so that an admin is never locked out.
 * Who does not exist takes as long as who gives a wrong password.
 */
#ifndef SERVER_LOGIN_H
#define SERVER_LOGIN_H

#include "people.h"
#include "rate.h"
#include "throttle.h"

struct http_request;
struct server;

struct login {
    struct throttle tries;
    struct rate refused; /* in the audit log */
};

void login_init(struct login *login);

/* A new session's secret, and the session itself. */
struct new_session {
    char secret[SECRET_TEXT];
    struct session session;
};

int login_new_session(uint32_t user, bool by_code, struct new_session *out,
                      struct error *err);
/* Adds the cookie to a reply that is set. */
void login_set_cookie(struct http_request *rq, const char *secret);

#endif
