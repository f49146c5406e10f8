/* SPDX-License-Identifier: Apache-2.0 */
#include "device_facts.h"

#include "host/file.h"

#include <inttypes.h>
#include <stdio.h>

/* --- JSON strings, read in place ------------------------------------------
 */

static uint32_t hex4(const char *p)
{
    uint32_t v = 0;

    for (int i = 0; i < 4; i++) {
        char c = p[i];

        v = v << 4 | (uint32_t)(c >= 'a'   ? c - 'a' + 10
                                : c >= 'A' ? c - 'A' + 10
                                           : c - '0');
    }
    return v;
}

/* jansson escapes only control characters by number: below 0x20. */
static char escaped(const char **p)
{
    char c = **p;

    switch (c) {
    case 'n':
        return '\n';
    case 't':
        return '\t';
    case 'r':
        return '\r';
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'u':
        if (strlen(*p) < 5) {
            return '?';
        }
        c = (char)hex4(*p + 1);
        *p += 4;
        return c;
    default:
        return c;
    }
}

/* `p` is behind the opening quote; gives what is behind the closing one. */
static const char *take_string(const char *p, char *out, size_t size)
{
    size_t n = 0;

    for (; *p != '\0' && *p != '"'; p++) {
        char c = *p;

        if (c == '\\' && p[1] != '\0') {
            p++;
            c = escaped(&p);
        }
        if (n + 1 < size) {
            out[n++] = c;
        }
    }
    out[n] = '\0';
    return *p == '"' ? p + 1 : p;
}

const char *json_text_item(const char *json, unsigned i, char *out,
                           size_t size)
{
    const char *p = json == NULL ? NULL : strchr(json, '"');

    while (p != NULL) {
        p = take_string(p + 1, out, size);
        if (i-- == 0) {
            return out;
        }
        p = strchr(p, '"');
    }
    return NULL;
}

const char *json_text_member(const char *json, const char *key, char *out,
                             size_t size)
{
    const char *p = json == NULL ? NULL : strchr(json, '"');

    while (p != NULL) {
        bool found;

        p = take_string(p + 1, out, size);
        found = strcmp(out, key) == 0;
        p = strchr(p, '"');
        if (p == NULL) {
            return NULL;
        }
        p = take_string(p + 1, out, size);
        if (found) {
            return out;
        }
        p = strchr(p, '"');
    }
    return NULL;
}

/* --- Names ----------------------------------------------------------------
 */

static const char *number(struct device_facts *f, uint64_t value)
{
    snprintf(f->text, sizeof f->text, "%" PRIu64, value);
    return f->text;
}

static const char *some(const char *text)
{
    return text == NULL || text[0] == '\0' ? NULL : text;
}

static const char *of_record(struct device_facts *f, const char *name)
{
    const struct device *d = f->device;
    bool seen = d->s.first_seen != 0;

    if (strcmp(name, "id") == 0) {
        hex_encode(d->id, BL_ID_SIZE, f->text);
        return f->text;
    }
    if (strcmp(name, "name") == 0) {
        return some(d->name);
    }
    if (strcmp(name, "product") == 0) {
        return some(f->product);
    }
    if (strcmp(name, "channel") == 0) {
        return d->channel == NULL ? "stable" : d->channel;
    }
    if (strcmp(name, "hardware") == 0) {
        return some(d->s.hardware);
    }
    if (strcmp(name, "version") == 0) {
        return some(d->s.version);
    }
    if (strcmp(name, "state") == 0) {
        return seen ? bl_device_state_name((bl_device_state)d->s.state) : NULL;
    }
    if (strcmp(name, "slot") == 0) {
        return !seen ? NULL : d->s.slot == 0 ? "A" : "B";
    }
    if (strcmp(name, "sequence") == 0) {
        return seen ? number(f, d->s.sequence) : NULL;
    }
    return json_text_member(d->attributes, name, f->text, sizeof f->text);
}

const char *device_fact(void *ctx, const char *name, unsigned i)
{
    struct device_facts *f = ctx;

    if (strcmp(name, "tag") == 0) {
        return json_text_item(f->device->tags, i, f->text, sizeof f->text);
    }
    return i == 0 ? of_record(f, name) : NULL;
}
