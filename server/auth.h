/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who asks? Operators by a bearer token whose SHA-256 is in the file of the
 * key operator_tokens (lines `name:sha256hex:role`); devices by a bearer
 * token `<id hex>.<secret hex>` whose secret's SHA-256 is stored, or by a
 * client certificate that names the id.
 */
#ifndef SERVER_AUTH_H
#define SERVER_AUTH_H

#include "bowline/span.h"
#include "host/error.h"

#include <pthread.h>

enum { AUTH_OPERATORS = 256, AUTH_DEVICE_TOKEN = 32 + 1 + 64 };

/* Kept in the store by number. */
enum role { ROLE_VIEWER, ROLE_OPERATOR, ROLE_ADMIN, ROLE_APPROVER };

enum { ROLES = 4 };

struct operators {
    pthread_rwlock_t lock;
    uint32_t n;
    struct operator_token {
        char name[64];
        uint8_t sha256[32];
        enum role role;
    } entry[AUTH_OPERATORS];
};

/* Who asks as an operator, and how this was shown. */
enum caller_kind { CALLER_NONE, CALLER_FILE, CALLER_TOKEN, CALLER_SESSION };

struct caller {
    enum caller_kind kind;
    enum role role;
    uint8_t scopes; /* of access.h; 0: all of the role */
    bool by_code;   /* of a session: no password was said */
    bool needs_password;
    int64_t expires;        /* 0: never */
    uint8_t credential[32]; /* SHA-256 of the secret that was shown */
};

/* "viewer", ... */
const char *role_name(enum role role);
int role_read(const char *text, enum role *out);

int operators_init(struct operators *o);
/* Replaces the list; on error the old one stays. */
int operators_load(struct operators *o, const char *path, struct error *err);

/* The token behind "Bearer "; empty when the value is of another form. */
bl_span auth_bearer(const char *header);
/* Who holds this token? Compares with every entry, in constant time. */
bool auth_operator(struct operators *o, bl_span token, char name[64],
                   enum role *role);

/* Is there still a token of this SHA-256? And one that is called so? */
bool auth_operator_holds(struct operators *o, const uint8_t sha256[32]);
bool auth_operator_named(struct operators *o, const char *name);

/* Takes a device token apart: id, and the SHA-256 of the secret. */
int auth_device_token(bl_span token, uint8_t id[16], uint8_t sha256[32]);
/* A new one: text for the device, hash for the server. */
int auth_new_device_token(const uint8_t id[16],
                          char text[AUTH_DEVICE_TOKEN + 1], uint8_t sha256[32],
                          struct error *err);

#endif
