/* SPDX-License-Identifier: Apache-2.0 */
#include "diagnostic.h"

#include <stdio.h>
#include <stdlib.h>

#include "bowline/sha256.h"

enum { SIZE = 4096 };

const uint8_t test_vendor[16] = "vendor-of-tests";
const uint8_t test_class[16] = "class-of-testss";

static void put(const char **t, struct bl_cbor_writer *w);

static void wrong(const char *at)
{
    (void)fprintf(stderr, "diagnostic: cannot read \"%.30s\"\n", at);
    abort();
}

static void blanks(const char **t)
{
    while (**t == ' ' || **t == ',' || **t == ':' || **t == '\n') {
        ++*t;
    }
}

/* Items up to `end`, encoded one after the other. */
static uint32_t several(const char **t, char end, struct bl_cbor_writer *w)
{
    uint32_t n = 0;

    for (blanks(t); **t != end; blanks(t)) {
        put(t, w);
        n++;
    }
    ++*t;
    return n;
}

static void nested(const char **t, char open, struct bl_cbor_writer *w)
{
    uint8_t *bytes = malloc(SIZE);
    struct bl_cbor_writer in;
    bl_span content;
    uint32_t n;

    bl_cbor_writer_init(&in, bytes, SIZE);
    n = several(t, open == '[' ? ']' : open == '{' ? '}' : '>', &in);
    if (bl_cbor_writer_finish(&in, &content) != BL_OK) {
        wrong("a whole that is too long");
    }
    if (open == '<') {
        bl_cbor_put_bstr(w, content);
    } else {
        if (open == '[') {
            bl_cbor_put_array(w, n);
        } else {
            bl_cbor_put_map(w, n / 2);
        }
        bl_cbor_put_raw(w, content);
    }
    free(bytes);
}

static void hex(const char **t, struct bl_cbor_writer *w)
{
    uint8_t bytes[200];
    size_t n = 0;
    unsigned value;

    for (*t += 2; **t != '\''; *t += 2) {
        if (n == sizeof bytes || sscanf(*t, "%2x", &value) != 1) {
            wrong(*t);
        }
        bytes[n++] = (uint8_t)value;
    }
    ++*t;
    bl_cbor_put_bstr(w, bl_span_of(bytes, n));
}

static void text(const char **t, struct bl_cbor_writer *w)
{
    const char *start = ++*t;

    while (**t != '\'') {
        ++*t;
    }
    bl_cbor_put_text(w, bl_span_of(start, (size_t)(*t - start)));
    ++*t;
}

static void variable(const char **t, struct bl_cbor_writer *w)
{
    char name = (*t)[1];
    uint8_t payload[4];
    uint8_t item[36] = {0x82, 0x2F, 0x58, 0x20};

    *t += 2;
    if (name == 'V' || name == 'C') {
        bl_cbor_put_bstr(
            w, bl_span_of(name == 'V' ? test_vendor : test_class, 16));
        return;
    }
    memset(payload, name, sizeof payload);
    bl_sha256(payload, sizeof payload, item + 4);
    bl_cbor_put_bstr(w, bl_span_of(item, sizeof item));
}

static bool word(const char **t, const char *name)
{
    if (strncmp(*t, name, strlen(name)) != 0) {
        return false;
    }
    *t += strlen(name);
    return true;
}

static void number(const char **t, struct bl_cbor_writer *w)
{
    char *end;
    long long value = strtoll(*t, &end, 10);

    if (end == *t) {
        wrong(*t);
    }
    *t = end;
    bl_cbor_put_int(w, value);
}

static void put(const char **t, struct bl_cbor_writer *w)
{
    char c = **t;

    if (c == '[' || c == '{' || c == '<') {
        ++*t;
        nested(t, c, w);
    } else if (c == 'h') {
        hex(t, w);
    } else if (c == '\'') {
        text(t, w);
    } else if (c == '$') {
        variable(t, w);
    } else if (word(t, "true")) {
        bl_cbor_put_bool(w, true);
    } else if (word(t, "false")) {
        bl_cbor_put_bool(w, false);
    } else if (word(t, "null")) {
        bl_cbor_put_nil(w);
    } else {
        number(t, w);
    }
}

bl_span diagnostic(const char *source)
{
    uint8_t *bytes = malloc(SIZE);
    uint8_t *exact;
    struct bl_cbor_writer w;
    bl_span out;

    bl_cbor_writer_init(&w, bytes, SIZE);
    blanks(&source);
    put(&source, &w);
    blanks(&source);
    if (*source != '\0' || bl_cbor_writer_finish(&w, &out) != BL_OK) {
        wrong(source);
    }
    exact = malloc(out.n);
    memcpy(exact, out.p, out.n);
    free(bytes);
    return bl_span_of(exact, out.n);
}
