/* SPDX-License-Identifier: Apache-2.0 */
/* bowline server init: everything that a new server and its operator need. */
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bowline/sha256.h"
#include "describe.h"
#include "key.h"
#include "print.h"
#include "x509.h"

enum { PEM_LIMIT = 16384, TOKEN_BYTES = 32, DOCUMENT_LIMIT = 64 * 1024 };

struct setup {
    struct call *c;
    const char *folder;
    const char *name[MANY];
    int n_names;
    uint64_t port;
    uint64_t days;
    const char *root_key[BL_ROOT_KEYS]; /* files, private */
    int n_root_keys;
    const char *release_key[BL_ROOT_KEYS];
    int n_release_keys;
    json_t *made;
};

static const char *place(const struct setup *s, const char *name)
{
    return keep(s->c, "%s/%s", s->folder, name);
}

static void made(struct setup *s, const char *file, const char *what,
                 bool offline)
{
    json_t *row = json_object();

    put_text(row, "file", file);
    put_text(row, "what", what);
    put_bool(row, "offline", offline);
    (void)json_array_append_new(s->made, row);
}

static int write_new(struct setup *s, const char *name, bl_span content,
                     int mode, const char *what, bool offline)
{
    const char *path = place(s, name);
    int code = write_output(s->c, path, content, mode);

    if (code == 0) {
        made(s, path, what, offline);
    }
    return code;
}

static int read_options(struct setup *s)
{
    struct call *c = s->c;
    const char *release_key[MANY];
    int code;

    s->port = 8443;
    s->days = 3650;
    s->n_names = cli_values(c, "name", s->name);
    if (s->n_names == 0) {
        s->name[0] = "localhost";
        s->name[1] = "127.0.0.1";
        s->name[2] = "::1";
        s->n_names = 3;
    }
    s->n_release_keys = cli_values(c, "release-key", release_key);
    if (s->n_release_keys > BL_ROOT_KEYS) {
        return refuse(c, EXIT_USAGE, "at most %d release keys", BL_ROOT_KEYS);
    }
    memcpy(s->release_key, release_key,
           (size_t)s->n_release_keys * sizeof release_key[0]);
    code = cli_number(c, "port", 1, 65535, &s->port);
    return code != 0 ? code : cli_number(c, "days", 1, 36500, &s->days);
}

static int make_folders(struct setup *s)
{
    struct call *c = s->c;

    if (access(place(s, "bowlined.conf"), F_OK) == 0) {
        return refuse(c, EXIT_INPUT,
                      "%s holds a server already; name another "
                      "folder",
                      s->folder);
    }
    if (file_make_dirs(s->folder, 0755, &c->err) != 0 ||
        file_make_dirs(place(s, "data"), 0700, &c->err) != 0 ||
        file_make_dirs(place(s, "offline"), 0700, &c->err) != 0) {
        return EXIT_LOCAL;
    }
    return 0;
}

static int write_certificates(struct setup *s, const struct authority *a)
{
    struct buffer ca = BUFFER(PEM_LIMIT);
    struct buffer ca_key = BUFFER(PEM_LIMIT);
    struct buffer certificate = BUFFER(PEM_LIMIT);
    struct buffer key = BUFFER(PEM_LIMIT);
    struct error *err = &s->c->err;
    int code = EXIT_INPUT;

    if (authority_certificate(a, &ca, err) == 0 &&
        authority_key(a, &ca_key, err) == 0 &&
        authority_issue(a, s->name, s->n_names, (long)s->days, &certificate,
                        &key, err) == 0) {
        code = write_new(s, "ca.pem", buffer_span(&ca), 0644,
                         "certificate authority: give it to devices and "
                         "operators",
                         false);
    }
    if (code == 0) {
        code = write_new(s, "offline/ca.key", buffer_span(&ca_key), 0600,
                         "key of the certificate authority", true);
    }
    if (code == 0) {
        code = write_new(s, "server.pem", buffer_span(&certificate), 0644,
                         "the server's certificate", false);
    }
    if (code == 0) {
        code = write_new(s, "server.key", buffer_span(&key), 0600,
                         "the server's TLS key", false);
    }
    buffer_free(&ca);
    buffer_wipe(&ca_key);
    buffer_free(&certificate);
    buffer_wipe(&key);
    return code;
}

static int make_certificates(struct setup *s)
{
    struct authority *a =
        authority_new("Bowline authority", (long)s->days, &s->c->err);
    int code = EXIT_LOCAL;

    if (a != NULL) {
        code = write_certificates(s, a);
    }
    authority_free(a);
    return code;
}

static int make_key(struct setup *s, const char *name, const char *kind,
                    const char *what, bool offline)
{
    const char *path = place(s, name);
    int code = key_make(s->c, path, kind);

    if (code == 0) {
        made(s, path, what, offline);
    }
    return code;
}

static int make_keys(struct setup *s)
{
    const char *kind[MANY];
    const char *ticket = cli_value(s->c, "ticket-kind");
    int n = cli_values(s->c, "root-kind", kind);
    int code;
    int i;

    if (n == 0) {
        kind[0] = "esp256";
        n = 1;
    }
    if (n > 4) {
        return refuse(s->c, EXIT_USAGE,
                      "at most 4 root keys here; bowline "
                      "root new makes any root document");
    }
    for (i = 0; i < n; i++) {
        char *name = keep(s->c, "offline/root-%d.pem", i + 1);

        code =
            make_key(s, name, kind[i], "root key: signs root documents", true);
        if (code != 0) {
            return code;
        }
        s->root_key[s->n_root_keys++] = place(s, name);
    }
    code = make_key(s, "ticket.pem", ticket == NULL ? "esp256" : ticket,
                    "ticket key: the server signs with it", false);
    if (code == 0 && s->n_release_keys == 0) {
        code = make_key(s, "offline/release.pem", "esp256",
                        "release key: for who makes releases", true);
        s->release_key[s->n_release_keys++] = place(s, "offline/release.pem");
    }
    return code;
}

static int fill_role(struct setup *s, struct author_role *role,
                     const char *const *path, int n, const char *option,
                     struct keys *keys)
{
    uint64_t threshold = (uint64_t)n;
    uint32_t i;
    int code = keys_open(s->c, path, n, true, keys);

    if (code == 0 && option != NULL) {
        code = cli_number(s->c, option, 1, (uint64_t)n, &threshold);
    }
    role->threshold = (uint32_t)threshold;
    for (i = 0; code == 0 && i < keys->n; i++) {
        role->key[role->n_keys++] = keys->key[i];
    }
    return code;
}

static int sign_root(struct setup *s, struct buffer *document)
{
    struct bl_root accepted;
    struct keys keys;
    uint32_t i;
    bl_status status;
    int code = keys_open(s->c, s->root_key, s->n_root_keys, false, &keys);

    for (i = 0; code == 0 && i < keys.n; i++) {
        struct buffer next = BUFFER(DOCUMENT_LIMIT);

        if (author_root_sign(buffer_span(document), bl_span_of(NULL, 0),
                             keys.key[i], &next, &s->c->err) != 0) {
            code = EXIT_LOCAL;
        } else {
            buffer_free(document);
            *document = next;
        }
    }
    keys_close(&keys);
    if (code != 0) {
        return code;
    }
    status =
        bl_root_accept(buffer_span(document), NULL, &tool_crypto, &accepted);
    if (status != BL_OK) {
        (void)error_status(&s->c->err, status, "the new root document");
        return EXIT_LOCAL;
    }
    return 0;
}

static int make_root(struct setup *s)
{
    const char *ticket = place(s, "ticket.pem.pub");
    struct author_root root = {0};
    struct buffer document = BUFFER(DOCUMENT_LIMIT);
    struct keys keys[4] = {{{0}, {0}, 0}};
    int code;
    int i;

    root.version = 1;
    root.issued = (uint64_t)time(NULL);
    code = fill_role(s, &root.role[BL_ROLE_ROOT], s->root_key, s->n_root_keys,
                     "root-threshold", &keys[0]);
    if (code == 0) {
        code = fill_role(s, &root.role[BL_ROLE_RELEASE], s->release_key,
                         s->n_release_keys, "release-threshold", &keys[1]);
    }
    if (code == 0) {
        code = fill_role(s, &root.role[BL_ROLE_TICKET], &ticket, 1, NULL,
                         &keys[2]);
    }
    if (code == 0 && author_root_new(&root, &document, &s->c->err) != 0) {
        code = EXIT_INPUT;
    }
    if (code == 0) {
        code = sign_root(s, &document);
    }
    if (code == 0) {
        code = write_new(s, "root-1.cbor", buffer_span(&document), 0644,
                         "root document: devices are made with it", false);
    }
    for (i = 0; i < 4; i++) {
        keys_close(&keys[i]);
    }
    buffer_free(&document);
    return code;
}

/* The server keeps who may do what; the operator keeps the token. */
static int make_token(struct setup *s)
{
    uint8_t bytes[TOKEN_BYTES];
    char token[2 * TOKEN_BYTES + 2];
    uint8_t digest[32];
    char hash[65];
    struct buffer list = BUFFER(1024);
    int code;

    if (RAND_bytes(bytes, sizeof bytes) != 1) {
        return refuse(s->c, EXIT_LOCAL, "no random bytes");
    }
    hex_encode(bytes, sizeof bytes, token);
    bl_sha256(token, strlen(token), digest);
    hex_encode(digest, sizeof digest, hash);
    (void)buffer_printf(&list, NULL,
                        "# name:SHA-256 of the token:role, which is viewer, "
                        "operator or admin\noperator:%s:admin\n",
                        hash);
    code = write_new(s, "operators", buffer_span(&list), 0600,
                     "who may use the server: hashes of tokens", false);
    token[sizeof bytes * 2] = '\n';
    token[sizeof bytes * 2 + 1] = '\0';
    if (code == 0) {
        code = write_new(s, "operator.token", bl_span_of(token, strlen(token)),
                         0600, "your token: move it to where you work", false);
    }
    OPENSSL_cleanse(token, sizeof token);
    OPENSSL_cleanse(bytes, sizeof bytes);
    buffer_wipe(&list);
    return code;
}

static bool only_local(const struct setup *s)
{
    int i;

    for (i = 0; i < s->n_names; i++) {
        if (strcmp(s->name[i], "localhost") != 0 &&
            strcmp(s->name[i], "::1") != 0 &&
            strncmp(s->name[i], "127.", 4) != 0) {
            return false;
        }
    }
    return true;
}

static int write_config(struct setup *s, const char *url)
{
    struct buffer text = BUFFER(8192);
    int code;

    (void)buffer_printf(
        &text, NULL,
        "# bowlined.conf: the update server %s, made by bowline server "
        "init.\n"
        "# A relative path is relative to this file's folder; the "
        "environment\n"
        "# (BOWLINE_LISTEN for listen, and so on) comes before it.\n\n"
        "# Address and port. 0.0.0.0 is every address of this machine.\n"
        "listen = \"%s:%llu\";\n\n"
        "# TLS 1.3 only.\n"
        "tls_certificate = \"server.pem\";\n"
        "tls_key = \"server.key\";\n\n"
        "# Database, root documents, payloads.\n"
        "data = \"data\";\n\n"
        "# Signs what devices are told to run: the ticket role of the root\n"
        "# document.\n"
        "ticket_key = \"ticket.pem\";\n\n"
        "# Who may use the operator API.\n"
        "operator_tokens = \"operators\";\n",
        url, only_local(s) ? "127.0.0.1" : "0.0.0.0",
        (unsigned long long)s->port);
    code = write_new(s, "bowlined.conf", buffer_span(&text), 0644,
                     "the server's configuration", false);
    buffer_free(&text);
    return code;
}

static void print_part(struct setup *s, bool offline, int width)
{
    size_t i;

    for (i = 0; i < json_array_size(s->made); i++) {
        const json_t *row = json_array_get(s->made, i);

        if (json_is_true(json_object_get(row, "offline")) == offline) {
            show(s->c, "  %-*s  %s", width,
                 json_string_value(json_object_get(row, "file")),
                 json_string_value(json_object_get(row, "what")));
        }
    }
}

static void print_made(struct setup *s)
{
    struct call *c = s->c;
    size_t width = 0;
    size_t i;

    for (i = 0; i < json_array_size(s->made); i++) {
        size_t n = json_string_length(
            json_object_get(json_array_get(s->made, i), "file"));

        width = n > width ? n : width;
    }
    show(c, "%sOn the server%s", color(c, STRONG), color(c, PLAIN));
    print_part(s, false, (int)width);
    show(c, "%sOffline: move these away before you start the server%s",
         color(c, STRONG), color(c, PLAIN));
    print_part(s, true, (int)width);
}

static int make_all(struct setup *s, const char *url)
{
    int code = make_folders(s);

    code = code == 0 ? make_certificates(s) : code;
    code = code == 0 ? make_keys(s) : code;
    code = code == 0 ? make_root(s) : code;
    code = code == 0 ? make_token(s) : code;
    /* Last: a folder with a configuration is a folder that is done. */
    return code == 0 ? write_config(s, url) : code;
}

int verb_server_init(struct call *c)
{
    struct setup s = {0};
    const char *url;
    int code;

    s.c = c;
    s.folder = c->argument[0];
    s.made = json_array();
    code = read_options(&s);
    url = keep(c,
               strchr(s.name[0], ':') == NULL ? "https://%s:%llu"
                                              : "https://[%s]:%llu",
               s.name[0], (unsigned long long)s.port);
    put_text(c->result, "folder", s.folder);
    put_text(c->result, "config", place(&s, "bowlined.conf"));
    put_text(c->result, "url", url);
    put_number(c->result, "root_version", 1);
    put(c->result, "made", s.made);
    code = code == 0 ? make_all(&s, url) : code;
    if (code != 0) {
        return code;
    }
    print_made(&s);
    note(c,
         "Next: bowlined --config %s, and in your project: bowline init "
         "--from %s. For the dashboard: bowline user add NAME --role admin.",
         place(&s, "bowlined.conf"), s.folder);
    return EXIT_YES;
}
