/* SPDX-License-Identifier: Apache-2.0 */
/* Members of vectors: text, numbers, hex, keys. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "conformance_private.h"

struct memory {
    struct memory *next;
    uint8_t bytes[];
};

bool failed(const struct check *c)
{
    return c->error[0] != '\0';
}

void fail(struct check *c, const char *format, ...)
{
    va_list args;
    int n;

    if (failed(c)) {
        return; /* the first error is the cause of the others */
    }
    n = snprintf(c->error, CONFORMANCE_MESSAGE, "%s: ", c->file);
    if (n < 0 || n >= CONFORMANCE_MESSAGE) {
        return;
    }
    va_start(args, format);
    (void)vsnprintf(c->error + n, (size_t)(CONFORMANCE_MESSAGE - n), format,
                    args);
    va_end(args);
}

uint8_t *remember(struct check *c, size_t n)
{
    struct memory *m = malloc(sizeof *m + n + 1);

    if (m == NULL) {
        (void)fputs("conformance: out of memory\n", stderr);
        exit(CONFORMANCE_ERROR);
    }
    m->next = c->memory;
    c->memory = m;
    return m->bytes;
}

void forget(struct check *c)
{
    struct memory *next;

    for (; c->memory != NULL; c->memory = next) {
        next = c->memory->next;
        free(c->memory);
    }
}

const char *optional_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text == NULL ? "" : text;
}

const char *text_of(struct check *c, const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    if (text == NULL) {
        fail(c, "%s: \"%s\" is missing or no text",
             optional_text(object, "name"), key);
        return "";
    }
    return text;
}

uint64_t number_of(struct check *c, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    if (!json_is_integer(value) || json_integer_value(value) < 0) {
        fail(c, "%s: \"%s\" is missing or no number",
             optional_text(object, "name"), key);
        return 0;
    }
    return (uint64_t)json_integer_value(value);
}

static int nibble(char ch)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = ch == '\0' ? NULL : strchr(digits, ch);

    return at == NULL ? -1 : (int)(at - digits);
}

bl_span hex_of(struct check *c, const json_t *object, const char *key)
{
    const char *hex = text_of(c, object, key);
    size_t n = strlen(hex) / 2;
    uint8_t *bytes = remember(c, n);
    size_t i;
    int high;
    int low;

    for (i = 0; i < n; i++) {
        high = nibble(hex[2 * i]);
        low = nibble(hex[2 * i + 1]);
        if (high < 0 || low < 0) {
            break;
        }
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    if (i < n || strlen(hex) % 2 != 0) {
        fail(c, "%s: \"%s\" is not lower-case hex",
             optional_text(object, "name"), key);
        n = 0;
    }
    return bl_span_of(bytes, n);
}

bool key_of(struct check *c, const json_t *object, struct bl_key *key)
{
    const char *kty = optional_text(object, "kty");
    const char *crv = optional_text(object, "crv");

    memset(key, 0, sizeof *key);
    if (strcmp(kty, "HSS-LMS") == 0) {
        key->alg = BL_ALG_HSS_LMS;
        key->x = hex_of(c, object,
                        json_object_get(object, "pub") != NULL ? "pub" : "x");
    } else if (strcmp(kty, "OKP") == 0 && strcmp(crv, "Ed25519") == 0) {
        key->alg = BL_ALG_ED25519;
        key->x = hex_of(c, object, "x");
    } else if (strcmp(kty, "EC2") == 0 && strcmp(crv, "P-256") == 0 &&
               json_object_get(object, "y") != NULL) {
        key->alg = BL_ALG_ESP256;
        key->x = hex_of(c, object, "x");
        key->y = hex_of(c, object, "y");
    } else {
        return false;
    }
    return !failed(c);
}

void keys_of(struct check *c, const json_t *keys)
{
    const char *name;
    json_t *value;

    c->n_keys = 0;
    json_object_foreach((json_t *)(uintptr_t)keys, name, value)
    {
        struct named_key *k = &c->key[c->n_keys];

        if (!key_of(c, value, &k->key)) {
            continue; /* one for encryption, or private only */
        }
        if (c->n_keys == MAX_KEYS) {
            fail(c, "more than %d keys", MAX_KEYS);
            return;
        }
        (void)snprintf(k->name, sizeof k->name, "%s", name);
        c->n_keys++;
    }
}

const struct bl_key *find_key(const struct check *c, const char *name)
{
    size_t i;

    for (i = 0; i < c->n_keys; i++) {
        if (strcmp(c->key[i].name, name) == 0) {
            return &c->key[i].key;
        }
    }
    return NULL;
}

json_t *load_file(struct check *c, const char *path)
{
    json_error_t why;
    json_t *json = json_load_file(path, JSON_REJECT_DUPLICATES, &why);

    if (json == NULL) {
        fail(c, why.line > 0 ? "line %d: %s" : "%.0d%s", why.line, why.text);
    }
    return json;
}
