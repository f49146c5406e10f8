/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "host/log.h"

#include "host/file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* One write of one line: lines of threads do not mix. */
enum { LINE_MAX_BYTES = 4000, HEX_SHOWN = 32 };

static struct {
    enum log_level level;
    bool json;
    int fd;
} config = {LOG_INFO, false, STDERR_FILENO};

struct line {
    char text[LINE_MAX_BYTES + 8];
    size_t n;
    bool full;
};

static const char *const level_name[] = {"error", "warning", "info", "debug"};

void log_configure(enum log_level level, bool json, int fd)
{
    config.level = level;
    config.json = json;
    config.fd = fd;
}

int log_level_parse(const char *text, enum log_level *out)
{
    int i;

    for (i = LOG_ERROR; i <= LOG_DEBUG; i++) {
        if (strcmp(text, level_name[i]) == 0) {
            *out = (enum log_level)i;
            return 0;
        }
    }
    return -1;
}

bool log_enabled(enum log_level level)
{
    return level <= config.level;
}

/* All or nothing: an escape must not be cut in the middle. */
static void put(struct line *line, const char *text)
{
    size_t n = strlen(text);

    if (line->full || n > LINE_MAX_BYTES - line->n) {
        line->full = true;
        return;
    }
    memcpy(line->text + line->n, text, n);
    line->n += n;
}

/* --- Values -------------------------------------------------------------- */

/* Length of the UTF-8 sequence that begins here; 0 when it is none. */
static size_t utf8_length(const unsigned char *s)
{
    size_t n = s[0] < 0x80                    ? 1
               : s[0] >= 0xC2 && s[0] < 0xE0  ? 2
               : s[0] >= 0xE0 && s[0] < 0xF0  ? 3
               : s[0] >= 0xF0 && s[0] <= 0xF4 ? 4
                                              : 0;
    size_t i;

    for (i = 1; i < n; i++) {
        if ((s[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    /* overlong forms, surrogates, beyond U+10FFFF */
    if ((s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xED && s[1] > 0x9F) ||
        (s[0] == 0xF0 && s[1] < 0x90) || (s[0] == 0xF4 && s[1] > 0x8F)) {
        return 0;
    }
    return n;
}

/* C1 controls (U+0080..U+009F) move the cursor on some terminals. */
static bool control(const unsigned char *s, size_t n)
{
    return s[0] < 0x20 || s[0] == 0x7F ||
           (n == 2 && s[0] == 0xC2 && s[1] < 0xA0);
}

static void put_character(struct line *line, const unsigned char *s, size_t n)
{
    char out[8];

    if (n == 0) {
        put(line, "\\ufffd");
    } else if (s[0] == '"' || s[0] == '\\') {
        (void)snprintf(out, sizeof out, "\\%c", s[0]);
        put(line, out);
    } else if (s[0] == '\n') {
        put(line, "\\n");
    } else if (control(s, n)) {
        (void)snprintf(out, sizeof out, "\\u%04x", n == 2 ? s[1] : s[0]);
        put(line, out);
    } else {
        memcpy(out, s, n);
        out[n] = 0;
        put(line, out);
    }
}

static void put_quoted(struct line *line, const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t n;

    put(line, "\"");
    while (*s != 0) {
        n = utf8_length(s);
        put_character(line, s, n);
        s += n == 0 ? 1 : n;
    }
    put(line, "\"");
}

/* logfmt leaves the quotes out where they are not needed. */
static bool plain(const char *text)
{
    return *text != 0 &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                        "0123456789-_.:/+@,") == strlen(text);
}

static void put_text(struct line *line, const char *text)
{
    if (!config.json && plain(text)) {
        put(line, text);
    } else {
        put_quoted(line, text);
    }
}

static void put_value(struct line *line, const struct log_field *field)
{
    char text[2 * HEX_SHOWN + 1];

    switch (field->type) {
    case LOG_TYPE_INT:
        (void)snprintf(text, sizeof text, "%lld", (long long)field->number);
        put(line, text);
        break;
    case LOG_TYPE_BYTES:
        hex_encode(field->p, field->n < HEX_SHOWN ? field->n : HEX_SHOWN,
                   text);
        put_text(line, text);
        break;
    default:
        put_text(line, field->p);
        break;
    }
}

/* --- Lines --------------------------------------------------------------- */

static void put_key(struct line *line, const char *key, bool first)
{
    if (config.json) {
        put(line, first ? "\"" : ",\"");
        put(line, key);
        put(line, "\":");
    } else {
        put(line, first ? "" : " ");
        put(line, key);
        put(line, "=");
    }
}

static void put_time(struct line *line)
{
    struct timespec now;
    struct tm tm;
    char text[40];
    size_t n;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)gmtime_r(&now.tv_sec, &tm);
    n = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
    (void)snprintf(text + n, sizeof text - n, ".%03ldZ",
                   now.tv_nsec / 1000000);
    put_key(line, "time", true);
    put_text(line, text);
}

static void write_line(const struct line *line)
{
    const char *p = line->text;
    size_t left = line->n;
    ssize_t done;

    while (left > 0) {
        done = write(config.fd, p, left);
        if (done < 0 && errno != EINTR) {
            return; /* nowhere to complain */
        }
        p += done > 0 ? done : 0;
        left -= done > 0 ? (size_t)done : 0;
    }
}

/* A field that does not fit is left out whole; the line says so. */
static void put_field(struct line *line, const struct log_field *field)
{
    size_t before = line->n;

    if (field->p == NULL && field->type != LOG_TYPE_INT) {
        return;
    }
    put_key(line, field->key, false);
    put_value(line, field);
    if (line->full) {
        line->n = before;
        line->full = false;
        put(line, config.json ? ",\"cut\":true" : " cut=true");
        line->full = true;
    }
}

void log_event(enum log_level level, const char *event,
               const struct log_field *fields, size_t n)
{
    struct line line = {.n = 0, .full = false};
    int saved = errno;
    size_t i;

    if (!log_enabled(level)) {
        return;
    }
    put(&line, config.json ? "{" : "");
    put_time(&line);
    put_key(&line, "level", false);
    put_text(&line, level_name[level]);
    put_key(&line, "event", false);
    put_text(&line, event);
    for (i = 0; i < n && !line.full; i++) {
        put_field(&line, &fields[i]);
    }
    if (config.json) {
        line.text[line.n++] = '}'; /* kept free behind LINE_MAX_BYTES */
    }
    line.text[line.n++] = '\n';
    write_line(&line);
    errno = saved;
}
