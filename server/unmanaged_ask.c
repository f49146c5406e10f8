/* SPDX-License-Identifier: Apache-2.0 */
#include "unmanaged_ask.h"

#include "bowline/sha256.h"
#include "host/file.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { NAME_MAX_TEXT = 64 };

/* --- Words ----------------------------------------------------------------
 */

/* Letters, digits and a few signs: what stands in logs, tables and pages. */
static bool plain(const char *text, size_t n)
{
    static const char good[] = "abcdefghijklmnopqrstuvwxyz"
                               "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:+@-";

    return strspn(text, good) >= n;
}

/* The value of " key=value" in User-Agent; its length, 0: not there. */
static size_t agent_word(const char *agent, const char *key,
                         const char **value)
{
    size_t n = strlen(key);
    const char *p = agent;

    while (p != NULL && (p = strstr(p, key)) != NULL) {
        bool begins = p == agent || strchr(" (;,", p[-1]) != NULL;

        if (begins && p[n] == '=') {
            *value = p + n + 1;
            return strcspn(*value, " );,");
        }
        p += n;
    }
    return 0;
}

static int put_word(const char *what, const char *text, size_t n, char *out,
                    size_t size, struct error *err)
{
    if (n == 0 || n >= size || !plain(text, n)) {
        return error_set(err,
                         "%s must be 1 to %zu letters, digits or any of "
                         "._:+@-",
                         what, size - 1);
    }
    memcpy(out, text, n);
    out[n] = '\0';
    return 0;
}

/* --- Who ------------------------------------------------------------------
 */

/* "A0:B1:C2:D3:E4:F5", or with '-', or with nothing between: 12 digits of
 * lower case. */
static int read_mac(const char *text, char out[13])
{
    size_t n = 0;

    for (; *text != '\0'; text++) {
        char c = *text;

        if ((c == ':' || c == '-') && n > 0 && n < 12 && n % 2 == 0 &&
            text[1] != ':' && text[1] != '-') {
            continue;
        }
        c = c >= 'A' && c <= 'F' ? (char)(c - 'A' + 'a') : c;
        if (n == 12 || c == '\0' || strchr("0123456789abcdef", c) == NULL) {
            return -1;
        }
        out[n++] = c;
    }
    out[n] = '\0';
    return n == 12 ? 0 : -1;
}

static int put_mac(const char *mac, struct ask *out, struct error *err)
{
    char digits[13];

    if (read_mac(mac, digits) != 0 || strcmp(digits, "000000000000") == 0) {
        return error_set(err, "STA-MAC must be a MAC address, as "
                              "A0:B1:C2:D3:E4:F5");
    }
    snprintf(out->key, sizeof out->key, "mac:%s", digits);
    return 0;
}

static int put_name(const char *kind, const char *what, const char *text,
                    size_t n, struct ask *out, struct error *err)
{
    char name[NAME_MAX_TEXT + 1];

    if (put_word(what, text, n, name, sizeof name, err) != 0) {
        return -1;
    }
    snprintf(out->key, sizeof out->key, "%s:%s", kind, name);
    return 0;
}

static int read_who(const struct ask_source *s, const char *mac,
                    const char *agent, struct ask *out, struct error *err)
{
    const char *query = s->query(s->ctx, "device");
    const char *field = s->field(s->ctx, "X-Bowline-Device");
    const char *word;
    size_t n = agent_word(agent, "device", &word);

    if (s->certificate != NULL) {
        out->certified = true;
        return put_name("cert", "the name in the client certificate",
                        s->certificate, strlen(s->certificate), out, err);
    }
    if (query != NULL) {
        return put_name("device", "?device=", query, strlen(query), out, err);
    }
    if (field != NULL) {
        return put_name("device", "X-Bowline-Device", field, strlen(field),
                        out, err);
    }
    if (mac != NULL) {
        return put_mac(mac, out, err);
    }
    return n == 0 ? 0
                  : put_name("device", "device= in User-Agent", word, n, out,
                             err);
}

/* Never that of a registered device: those are not made of a name. */
static void make_id(struct ask *a)
{
    static const char purpose[] = "bowline unmanaged 1 ";
    struct bl_sha256 c;
    uint8_t digest[32];

    if (a->key[0] == '\0') {
        return;
    }
    if (a->certified &&
        hex_decode(a->key + 5, strlen(a->key + 5), a->id, 16) == 0) {
        return; /* a registered one, or one that could be */
    }
    bl_sha256_init(&c);
    bl_sha256_update(&c, purpose, sizeof purpose - 1);
    bl_sha256_update(&c, a->key, strlen(a->key));
    bl_sha256_final(&c, digest);
    memcpy(a->id, digest, 16);
}

/* --- What -----------------------------------------------------------------
 */

/* A field of httpUpdate: x-ESP32-... or x-ESP8266-... */
static const char *esp_field(const struct ask_source *s,
                             enum ask_client client, const char *name)
{
    char full[64];

    if (client != ASK_ESP32 && client != ASK_ESP8266) {
        return NULL;
    }
    snprintf(full, sizeof full, "x-ESP%s-%s",
             client == ASK_ESP32 ? "32" : "8266", name);
    return s->field(s->ctx, full);
}

static enum ask_client read_client(const struct ask_source *s,
                                   const char *agent)
{
    static const char *const any[] = {"STA-MAC", "sketch-md5", "chip-size",
                                      "version", "mode"};

    for (size_t i = 0; i < sizeof any / sizeof any[0]; i++) {
        if (esp_field(s, ASK_ESP32, any[i]) != NULL) {
            return ASK_ESP32;
        }
        if (esp_field(s, ASK_ESP8266, any[i]) != NULL) {
            return ASK_ESP8266;
        }
    }
    return agent != NULL && strncmp(agent, "ESP32 HTTP Client/", 18) == 0
               ? ASK_IDF
               : ASK_OTHER;
}

/* Free text of the sketch's author: what it may not hold is said. */
static int put_version(const char *what, const char *text, size_t n,
                       struct ask *out, struct error *err)
{
    if (n >= sizeof out->version) {
        return error_set(err, "%s is longer than %d bytes", what,
                         ASK_VERSION - 1);
    }
    for (size_t i = 0; i < n; i++) {
        if ((uint8_t)text[i] < 0x20 || (uint8_t)text[i] > 0x7E) {
            return error_set(err, "%s must be ASCII text", what);
        }
    }
    memcpy(out->version, text, n);
    out->version[n] = '\0';
    return 0;
}

static int read_version(const struct ask_source *s, const char *agent,
                        struct ask *out, struct error *err)
{
    const char *query = s->query(s->ctx, "version");
    const char *field = esp_field(s, out->client, "version");
    const char *word;
    size_t n = agent_word(agent, "version", &word);

    if (query != NULL) {
        return put_version("?version=", query, strlen(query), out, err);
    }
    if (field != NULL) {
        return put_version("the field -version", field, strlen(field), out,
                           err);
    }
    return n == 0 ? 0
                  : put_version("version= in User-Agent", word, n, out, err);
}

/* "ESP32-C3", "esp32c3": the same. */
static int read_chip(const struct ask_source *s, const char *agent,
                     struct ask *out, struct error *err)
{
    const char *text = s->query(s->ctx, "chip");
    size_t n = text == NULL ? agent_word(agent, "chip", &text) : strlen(text);
    size_t used = 0;

    for (size_t i = 0; i < n; i++) {
        char c = text[i];

        c = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
        if (c == '-' || c == '_') {
            continue;
        }
        if (used + 1 >= sizeof out->chip ||
            strchr("abcdefghijklmnopqrstuvwxyz0123456789", c) == NULL) {
            return error_set(err, "chip must be a name as esp32c3");
        }
        out->chip[used++] = c;
    }
    out->chip[used] = '\0';
    return 0;
}

static int read_number(const char *what, const char *text, uint64_t *out,
                       struct error *err)
{
    size_t n = text == NULL ? 0 : strlen(text);

    *out = 0;
    if (text == NULL) {
        return 0;
    }
    if (n == 0 || n > 12 || strspn(text, "0123456789") != n) {
        return error_set(err, "the field -%s must be a number of bytes", what);
    }
    for (size_t i = 0; i < n; i++) {
        *out = *out * 10 + (uint64_t)(text[i] - '0');
    }
    return 0;
}

/* A digest that is not known is left out ("" of old cores); one of another
 * form is an error. */
static int read_digest(const char *what, const char *text, uint8_t *out,
                       size_t n, bool *has, struct error *err)
{
    *has = text != NULL && text[0] != '\0';
    if (*has && hex_decode(text, strlen(text), out, n) != 0) {
        *has = false;
        return error_set(err, "the field -%s must be %zu hex digits", what,
                         n * 2);
    }
    return 0;
}

static int read_sketch(const struct ask_source *s, struct ask *out,
                       struct error *err)
{
    const char *mode = esp_field(s, out->client, "mode");

    out->filesystem = mode != NULL && strcmp(mode, "sketch") != 0;
    if (read_digest("sketch-md5", esp_field(s, out->client, "sketch-md5"),
                    out->md5, 16, &out->has_md5, err) != 0 ||
        read_digest("sketch-sha256",
                    esp_field(s, out->client, "sketch-sha256"), out->sha256,
                    32, &out->has_sha256, err) != 0) {
        return -1;
    }
    return read_number("free-space", esp_field(s, out->client, "free-space"),
                       &out->free_space, err);
}

int ask_read(const struct ask_source *source, struct ask *out,
             struct error *err)
{
    const char *agent = source->field(source->ctx, "User-Agent");
    const char *mac;

    memset(out, 0, sizeof *out);
    out->client = read_client(source, agent);
    mac = esp_field(source, out->client, "STA-MAC");
    if (read_who(source, mac, agent, out, err) != 0 ||
        read_version(source, agent, out, err) != 0 ||
        read_chip(source, agent, out, err) != 0 ||
        read_sketch(source, out, err) != 0) {
        return -1;
    }
    make_id(out);
    return 0;
}

const char *ask_client_name(enum ask_client client)
{
    static const char *const name[ASK_CLIENTS] = {
        "other", "esp_https_ota", "httpUpdate", "ESP8266httpUpdate"};

    return client < ASK_CLIENTS ? name[client] : "other";
}
