/* SPDX-License-Identifier: Apache-2.0 */
/* What a person sees: result lines, hints, colors. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tool.h"

enum { FIELD_WIDTH = 14 };

struct kept {
    struct kept *next;
    char text[];
};

void show(const struct call *c, const char *format, ...)
{
    va_list args;

    if (c->json) {
        return;
    }
    va_start(args, format);
    (void)vprintf(format, args);
    va_end(args);
    (void)putchar('\n');
}

void note(const struct call *c, const char *format, ...)
{
    va_list args;

    if (c->json || c->quiet) {
        return;
    }
    (void)fflush(stdout);
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fputc('\n', stderr);
}

void field(const struct call *c, const char *name, const char *format, ...)
{
    va_list args;

    if (c->json) {
        return;
    }
    (void)printf("  %s%-*s%s ", color(c, DIM), FIELD_WIDTH, name,
                 color(c, PLAIN));
    va_start(args, format);
    (void)vprintf(format, args);
    va_end(args);
    (void)putchar('\n');
}

const char *color(const struct call *c, enum color which)
{
    static const char *const code[] = {"\033[0m",  "\033[32m", "\033[31m",
                                       "\033[33m", "\033[2m",  "\033[1m"};

    return c->color ? code[which] : "";
}

static char *keep_room(struct call *c, size_t size)
{
    struct kept *k = malloc(sizeof *k + size);

    if (k == NULL) {
        (void)fprintf(stderr, "bowline: out of memory\n");
        exit(EXIT_LOCAL);
    }
    k->next = c->kept;
    c->kept = k;
    return k->text;
}

char *keep(struct call *c, const char *format, ...)
{
    va_list args;
    char *text;
    int n;

    va_start(args, format);
    n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    text = keep_room(c, (size_t)(n < 0 ? 0 : n) + 1);
    text[0] = '\0';
    va_start(args, format);
    (void)vsnprintf(text, (size_t)(n < 0 ? 0 : n) + 1, format, args);
    va_end(args);
    return text;
}

void keep_drop(struct call *c, const struct kept *mark)
{
    while (c->kept != mark) {
        struct kept *next = c->kept->next;

        free(c->kept);
        c->kept = next;
    }
}

const char *keep_hex(struct call *c, const uint8_t *bytes, size_t n)
{
    char *text = keep_room(c, 2 * n + 1);

    hex_encode(bytes, n, text);
    return text;
}

const char *keep_text(struct call *c, bl_span text)
{
    char *out = keep_room(c, 4 * text.n + 1);
    size_t n = 0;
    size_t i;

    for (i = 0; i < text.n; i++) {
        if (text.p[i] >= 0x20 && text.p[i] < 0x7F) {
            out[n++] = (char)text.p[i];
        } else {
            n += (size_t)snprintf(out + n, 5, "\\x%02x", (unsigned)text.p[i]);
        }
    }
    out[n] = '\0';
    return out;
}

const char *keep_size(struct call *c, uint64_t bytes)
{
    static const char *const unit[] = {"B", "kB", "MB", "GB", "TB"};
    double value = (double)bytes;
    size_t i = 0;

    while (value >= 1000.0 && i + 1 < sizeof unit / sizeof unit[0]) {
        value /= 1000.0;
        i++;
    }
    return i == 0 ? keep(c, "%llu B", (unsigned long long)bytes)
                  : keep(c, "%.1f %s", value, unit[i]);
}

const char *keep_time(struct call *c, uint64_t seconds)
{
    time_t t = (time_t)seconds;
    char text[40];
    struct tm tm;

    /* Far beyond the year 9999 a date says nothing to a person. */
    if (seconds > 253402300799U || gmtime_r(&t, &tm) == NULL ||
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &tm) == 0) {
        return keep(c, "%llu s after 1970", (unsigned long long)seconds);
    }
    return keep(c, "%s", text);
}

const char *keep_ago(struct call *c, uint64_t seconds)
{
    uint64_t now = (uint64_t)time(NULL);
    unsigned long long n = now > seconds ? now - seconds : 0;

    return n < 120         ? keep(c, "%llu s ago", n)
           : n < 2 * 3600  ? keep(c, "%llu min ago", n / 60)
           : n < 2 * 86400 ? keep(c, "%llu h ago", n / 3600)
                           : keep(c, "%llu days ago", n / 86400);
}

void put(json_t *object, const char *key, json_t *value)
{
    (void)json_object_set_new(object, key, value);
}

void put_text(json_t *object, const char *key, const char *value)
{
    put(object, key, value == NULL ? json_null() : json_string(value));
}

void put_number(json_t *object, const char *key, uint64_t value)
{
    put(object, key, json_integer((json_int_t)value));
}

void put_bool(json_t *object, const char *key, bool value)
{
    put(object, key, json_boolean(value));
}
