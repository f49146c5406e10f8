/* SPDX-License-Identifier: Apache-2.0 */
#include "vectors.h"

#include <stdio.h>
#include <stdlib.h>

struct vectors_bytes {
    struct vectors_bytes *next;
    uint8_t *p;
};

static void fail(const char *what, const char *name)
{
    fprintf(stderr, "test vectors: %s: %s\n", name, what);
    exit(99);
}

void vectors_open(struct vectors *v, const char *name)
{
    char path[512];
    json_error_t error;

    snprintf(path, sizeof path, "%s/%s", VECTORS, name);
    v->bytes = NULL;
    v->json = json_load_file(path, 0, &error);
    if (v->json == NULL) {
        fail(error.text, path);
    }
}

void vectors_close(struct vectors *v)
{
    while (v->bytes != NULL) {
        struct vectors_bytes *b = v->bytes;

        v->bytes = b->next;
        free(b->p);
        free(b);
    }
    json_decref(v->json);
}

json_t *vectors_member(const json_t *object, const char *key)
{
    json_t *member = json_object_get(object, key);

    if (member == NULL) {
        fail("member missing", key);
    }
    return member;
}

const char *vectors_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(vectors_member(object, key));

    if (text == NULL) {
        fail("not a text", key);
    }
    return text;
}

static uint8_t *allocate(struct vectors *v, size_t n)
{
    struct vectors_bytes *b = malloc(sizeof *b);

    if (b == NULL || (b->p = malloc(n == 0 ? 1 : n)) == NULL) {
        fail("no memory", "bytes");
        return NULL;
    }
    b->next = v->bytes;
    v->bytes = b;
    return b->p;
}

static uint8_t digit(char c, const char *hex)
{
    if (c >= '0' && c <= '9') {
        return (uint8_t)(c - '0');
    }
    if (c < 'a' || c > 'f') {
        fail("not lower-case hex", hex);
    }
    return (uint8_t)(c - 'a' + 10);
}

bl_span vectors_bytes(struct vectors *v, const char *hex)
{
    size_t n = strlen(hex) / 2;
    uint8_t *p = allocate(v, n);
    size_t i;

    if (strlen(hex) % 2 != 0) {
        fail("odd number of hex digits", hex);
    }
    for (i = 0; i < n; i++) {
        p[i] = (uint8_t)(digit(hex[2 * i], hex) << 4 |
                         digit(hex[2 * i + 1], hex));
    }
    return bl_span_of(p, n);
}

bl_span vectors_hex(struct vectors *v, const json_t *object, const char *key)
{
    return vectors_bytes(v, vectors_text(object, key));
}

uint8_t *vectors_copy(struct vectors *v, bl_span bytes)
{
    uint8_t *p = allocate(v, bytes.n);

    if (bytes.n != 0) {
        memcpy(p, bytes.p, bytes.n);
    }
    return p;
}
