/* SPDX-License-Identifier: Apache-2.0 */
#include "fields.h"

#include <string.h>
#include <strings.h>

#define BIT(c) (1ULL << ((c)&63))
#define RUN(c, n) (((1ULL << (n)) - 1) << ((c)&63))

/* The token characters of RFC 9110, section 5.6.2; a bit for each byte. */
static const uint64_t token_chars[4] = {
    BIT('!') | BIT('#') | BIT('$') | BIT('%') | BIT('&') | BIT('\'') |
        BIT('*') | BIT('+') | BIT('-') | BIT('.') | RUN('0', 10),
    BIT('^') | BIT('_') | BIT('`') | BIT('|') | BIT('~') | RUN('A', 26) |
        RUN('a', 26),
    0, 0};

static bool clean_name(const char *name, size_t n)
{
    uint64_t good = 1;

    for (size_t i = 0; i < n; i++) {
        uint8_t c = (uint8_t)name[i];

        good &= token_chars[c >> 6] >> (c & 63);
    }
    return n > 0 && good != 0;
}

/* Without an early end, so that the compiler takes many bytes at once. */
static bool clean_value(const char *value, size_t n)
{
    unsigned bad = 0;

    for (size_t i = 0; i < n; i++) {
        uint8_t c = (uint8_t)value[i];

        bad |= (unsigned)(c < 0x20) & (unsigned)(c != '\t');
        bad |= (unsigned)(c == 0x7F);
    }
    return bad == 0;
}

void fields_add(struct fields *f, const char *name, size_t name_n,
                const char *value, size_t value_n)
{
    if (!clean_name(name, name_n) ||
        (value != NULL && !clean_value(value, value_n))) {
        f->bad = true;
    }
    switch (name_n) {
    case sizeof "Host" - 1:
        f->n_hosts += strncasecmp(name, "Host", name_n) == 0;
        break;
    case sizeof "Authorization" - 1:
        f->n_auths += strncasecmp(name, "Authorization", name_n) == 0;
        break;
    case sizeof "Content-Length" - 1:
        if (strncasecmp(name, "Content-Length", name_n) == 0) {
            f->n_lengths++;
            f->length = value;
        }
        break;
    case sizeof "Transfer-Encoding" - 1:
        f->n_encodings += strncasecmp(name, "Transfer-Encoding", name_n) == 0;
        break;
    default:
        break;
    }
}

static int read_length(const char *text, uint64_t *out)
{
    uint64_t v = 0;

    if (text == NULL || *text == '\0' || strlen(text) > 18) {
        return -1;
    }
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9') {
            return -1;
        }
        v = v * 10 + (uint64_t)(*text - '0');
    }
    *out = v;
    return 0;
}

const char *fields_problem(const struct fields *f, int *status,
                           uint64_t *content_length)
{
    *status = 400;
    *content_length = 0;
    if (f->n_lengths > 1 || f->n_hosts > 1 || f->n_auths > 1 ||
        f->n_encodings > 1) {
        return "a header field stands there twice";
    }
    if (f->n_encodings > 0 && f->n_lengths > 0) {
        return "Transfer-Encoding beside Content-Length";
    }
    if (f->n_encodings > 0) {
        *status = 411;
        return "send a Content-Length, not Transfer-Encoding";
    }
    if (f->bad) {
        return "a header field with forbidden characters";
    }
    if (f->n_lengths == 1 && read_length(f->length, content_length) != 0) {
        return "Content-Length is not a number";
    }
    return NULL;
}

static int digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

size_t fields_unescape(char *text)
{
    char *out = text;

    for (const char *p = text; *p != '\0'; p++) {
        int high = *p == '%' ? digit(p[1]) : -1;
        int low = high < 0 ? -1 : digit(p[2]);

        if (low < 0) {
            *out++ = *p;
        } else {
            *out++ = high == 0 && low == 0 ? '\1' : (char)(high * 16 + low);
            p += 2;
        }
    }
    *out = '\0';
    return (size_t)(out - text);
}

bool fields_path_bad(const char *path)
{
    return !clean_value(path, strlen(path)) || strchr(path, '\t') != NULL;
}
