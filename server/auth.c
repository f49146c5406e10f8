/* SPDX-License-Identifier: Apache-2.0 */
#include "auth.h"

#include "bowline/crypto.h"
#include "bowline/sha256.h"
#include "host/file.h"

#include <stdio.h>
#include <strings.h>
#include <sys/random.h>
#include <sys/stat.h>

int operators_init(struct operators *o)
{
    memset(o, 0, sizeof *o);
    return pthread_rwlock_init(&o->lock, NULL);
}

static const char *const role_names[ROLES] = {"viewer", "operator", "admin",
                                              "approver"};

const char *role_name(enum role role)
{
    return role_names[role];
}

int role_read(const char *text, enum role *out)
{
    for (int i = 0; i < ROLES; i++) {
        if (strcmp(text, role_names[i]) == 0) {
            *out = (enum role)i;
            return 0;
        }
    }
    return -1;
}

static int read_line(char *line, struct operator_token *out, struct error *err)
{
    char *hash = strchr(line, ':');
    char *role = hash == NULL ? NULL : strchr(hash + 1, ':');

    if (role == NULL) {
        return error_set(err, "must be name:sha256hex:role");
    }
    *hash++ = '\0';
    *role++ = '\0';
    if (line[0] == '\0' || strlen(line) >= sizeof out->name) {
        return error_set(err, "the name is empty or longer than 63 bytes");
    }
    if (hex_decode(hash, strlen(hash), out->sha256, 32) != 0) {
        return error_set(err, "the second field is not the 64 hex digits of "
                              "a SHA-256");
    }
    if (role_read(role, &out->role) != 0) {
        return error_set(err, "the role is none of viewer, operator, "
                              "approver, admin");
    }
    snprintf(out->name, sizeof out->name, "%s", line);
    return 0;
}

static int read_lines(char *text, struct operators *o, struct error *err)
{
    char *rest = text;
    int number = 0;

    while (rest != NULL && *rest != '\0') {
        char *line = rest;

        rest = strchr(line, '\n');
        if (rest != NULL) {
            *rest++ = '\0';
        }
        number++;
        line[strcspn(line, "\r")] = '\0';
        if (line[0] == '\0' || line[0] == '#') {
            continue;
        }
        if (o->n == AUTH_OPERATORS) {
            return error_set(err, "more than %d tokens", AUTH_OPERATORS);
        }
        if (read_line(line, &o->entry[o->n], err) != 0) {
            return error_prefix(err, "line %d", number);
        }
        o->n++;
    }
    return 0;
}

static int check_mode(const char *path, struct error *err)
{
    struct stat st;

    if (stat(path, &st) != 0) {
        return error_errno(err, "operator_tokens: %s", path);
    }
    if ((st.st_mode & 077) != 0) {
        return error_set(err,
                         "operator_tokens: %s can be read by others; "
                         "chmod 600 it",
                         path);
    }
    return 0;
}

int operators_load(struct operators *o, const char *path, struct error *err)
{
    static struct operators fresh; /* large; used at start and on SIGHUP */
    struct buffer text = BUFFER(1 << 20);
    int result;

    if (check_mode(path, err) != 0 || file_read(path, &text, err) != 0) {
        buffer_free(&text);
        return -1;
    }
    fresh.n = 0;
    result = text.n == 0 ? 0 : read_lines((char *)text.p, &fresh, err);
    buffer_wipe(&text);
    if (result != 0) {
        return error_prefix(err, "%s", path);
    }
    pthread_rwlock_wrlock(&o->lock);
    memcpy(o->entry, fresh.entry, sizeof o->entry);
    o->n = fresh.n;
    pthread_rwlock_unlock(&o->lock);
    return 0;
}

bl_span auth_bearer(const char *header)
{
    if (header == NULL || strncasecmp(header, "Bearer ", 7) != 0) {
        return bl_span_of(NULL, 0);
    }
    return bl_span_of(header + 7, strlen(header + 7));
}

bool auth_operator(struct operators *o, bl_span token, char name[64],
                   enum role *role)
{
    uint8_t digest[32];
    bool found = false;

    bl_sha256(token.p, token.n, digest);
    pthread_rwlock_rdlock(&o->lock);
    for (uint32_t i = 0; i < o->n; i++) {
        if (bl_equal(digest, o->entry[i].sha256, 32) == BL_GOOD) {
            snprintf(name, 64, "%s", o->entry[i].name);
            *role = o->entry[i].role;
            found = true;
        }
    }
    pthread_rwlock_unlock(&o->lock);
    return found && token.n > 0;
}

bool auth_operator_holds(struct operators *o, const uint8_t sha256[32])
{
    bool found = false;

    pthread_rwlock_rdlock(&o->lock);
    for (uint32_t i = 0; i < o->n; i++) {
        found = found || bl_equal(sha256, o->entry[i].sha256, 32) == BL_GOOD;
    }
    pthread_rwlock_unlock(&o->lock);
    return found;
}

bool auth_operator_named(struct operators *o, const char *name)
{
    bool found = false;

    pthread_rwlock_rdlock(&o->lock);
    for (uint32_t i = 0; i < o->n; i++) {
        found = found || strcmp(name, o->entry[i].name) == 0;
    }
    pthread_rwlock_unlock(&o->lock);
    return found;
}

int auth_device_token(bl_span token, uint8_t id[16], uint8_t sha256[32])
{
    const char *text = (const char *)token.p;
    uint8_t secret[32];

    if (token.n != AUTH_DEVICE_TOKEN || text[32] != '.' ||
        hex_decode(text, 32, id, 16) != 0 ||
        hex_decode(text + 33, 64, secret, 32) != 0) {
        return -1;
    }
    bl_sha256(secret, sizeof secret, sha256);
    return 0;
}

int auth_new_device_token(const uint8_t id[16],
                          char text[AUTH_DEVICE_TOKEN + 1], uint8_t sha256[32],
                          struct error *err)
{
    uint8_t secret[32];

    if (getrandom(secret, sizeof secret, 0) != (ssize_t)sizeof secret) {
        return error_errno(err, "no random numbers");
    }
    hex_encode(id, 16, text);
    text[32] = '.';
    hex_encode(secret, 32, text + 33);
    bl_sha256(secret, sizeof secret, sha256);
    explicit_bzero(secret, sizeof secret);
    return 0;
}
