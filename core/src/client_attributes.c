/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a device tells of itself, into a poll. The server refuses a poll with a
 * malformed attribute, and a device must not lose its updates over one: what
 * may not be sent is left out.
 */
#include "client_private.h"

static bool is_name(bl_span text)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = (char)text.p[i];

        if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' &&
            c != '.' && c != '-') {
            return false;
        }
    }
    return text.n > 0 && text.n <= BL_ATTRIBUTE_NAME;
}

static bool is_value(bl_span text)
{
    if (text.n > BL_ATTRIBUTE_VALUE || !bl_cbor_is_utf8(text)) {
        return false;
    }
    for (size_t i = 0; i < text.n; i++) {
        uint8_t c = text.p[i];

        if (c < 0x20 || c == 0x7F ||
            (c == 0xC2 && text.p[i + 1] < 0xA0)) { /* U+0080 to U+009F */
            return false;
        }
    }
    return true;
}

static bl_span text_of(const char *text)
{
    return bl_span_of(text, strlen(text));
}

static bool may_be_sent(const struct bl_attribute *a)
{
    return a->name != NULL && a->value != NULL && is_name(text_of(a->name)) &&
           is_value(text_of(a->value));
}

/* CBOR's order: the shorter first. */
static int compare(const char *a, const char *b)
{
    size_t n = strlen(a);
    size_t m = strlen(b);

    return n != m ? (n < m ? -1 : 1) : memcmp(a, b, n);
}

/* The least that is greater than `last` (NULL: the least of all), or NULL.
 * So each name comes once, in order, without memory to sort in. */
static const struct bl_attribute *following(const struct bl_client_config *c,
                                            const char *last)
{
    const struct bl_attribute *least = NULL;

    for (uint32_t i = 0; i < c->n_attributes; i++) {
        const struct bl_attribute *a = &c->attributes[i];

        if (may_be_sent(a) && (last == NULL || compare(a->name, last) > 0) &&
            (least == NULL || compare(a->name, least->name) < 0)) {
            least = a;
        }
    }
    return least;
}

static uint32_t count(const struct bl_client_config *c)
{
    const struct bl_attribute *a = following(c, NULL);
    uint32_t n = 0;

    while (a != NULL && n < BL_ATTRIBUTES) {
        n++;
        a = following(c, a->name);
    }
    return n;
}

/* Places that are not free. */
static uint32_t taken(const struct bl_client_config *c)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < c->n_attributes; i++) {
        n += c->attributes[i].name != NULL;
    }
    return n;
}

bool bl_client_put_attributes(const struct bl_client_config *c,
                              struct bl_cbor_writer *w)
{
    const struct bl_attribute *a = following(c, NULL);
    uint32_t n = count(c);

    bl_cbor_put_map(w, n);
    for (uint32_t i = 0; i < n; i++) {
        bl_cbor_put_tstr(w, a->name);
        bl_cbor_put_tstr(w, a->value);
        a = following(c, a->name);
    }
    return n == taken(c);
}

/* FNV-1a: to tell whether anything has changed. */
static uint32_t mix(uint32_t sum, const char *text)
{
    if (text == NULL) {
        text = "";
    }
    do {
        sum = (sum ^ (uint8_t)*text) * 16777619U;
    } while (*text++ != '\0');
    return sum;
}

uint32_t bl_client_sum_attributes(const struct bl_client_config *c)
{
    uint32_t sum = 2166136261U;

    for (uint32_t i = 0; i < c->n_attributes; i++) {
        sum = mix(mix(sum, c->attributes[i].name), c->attributes[i].value);
    }
    return sum;
}
