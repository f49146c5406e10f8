/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Structured logs to stderr, one line an event, as logfmt:
 *   time=2026-11-23T01:02:03.456Z level=info event=poll device=0e8f status=200
 * or as JSON objects. Values are escaped, so that a name chosen by a device
 * cannot forge a line. Lines are written whole; any thread may log.
 *
 *   log_info("poll", LOG_HEX("device", id, 16), LOG_INT("status", 200));
 *
 * Secrets (tokens, keys, signed URLs) are never passed here.
 */
#ifndef HOST_LOG_H
#define HOST_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_ERROR = 0, LOG_WARNING = 1, LOG_INFO = 2, LOG_DEBUG = 3 };

enum log_type { LOG_TYPE_TEXT, LOG_TYPE_INT, LOG_TYPE_BYTES };

struct log_field {
    const char *key; /* letters, digits, '_' */
    enum log_type type;
    int64_t number;
    const void *p; /* NULL text is left out */
    size_t n;
};

#define LOG_TEXT(name, text)                                                  \
    ((struct log_field){(name), LOG_TYPE_TEXT, 0, (text), 0})
#define LOG_INT(name, value)                                                  \
    ((struct log_field){(name), LOG_TYPE_INT, (int64_t)(value), NULL, 0})
/* Bytes as hex digits, at most 64 of them shown. */
#define LOG_HEX(name, bytes, length)                                          \
    ((struct log_field){(name), LOG_TYPE_BYTES, 0, (bytes), (length)})

/* Before other threads start. Default: info, logfmt, stderr. */
void log_configure(enum log_level level, bool json, int fd);
/* "error", "warning", "info", "debug"; -1 for another word. */
int log_level_parse(const char *text, enum log_level *out);
bool log_enabled(enum log_level level);

void log_event(enum log_level level, const char *event,
               const struct log_field *fields, size_t n);

#define LOG_EVENT(level, event, ...)                                          \
    log_event((level), (event), (const struct log_field[]){__VA_ARGS__},      \
              sizeof((const struct log_field[]){__VA_ARGS__}) /               \
                  sizeof(struct log_field))
#define log_error(event, ...) LOG_EVENT(LOG_ERROR, event, __VA_ARGS__)
#define log_warning(event, ...) LOG_EVENT(LOG_WARNING, event, __VA_ARGS__)
#define log_info(event, ...) LOG_EVENT(LOG_INFO, event, __VA_ARGS__)
#define log_debug(event, ...) LOG_EVENT(LOG_DEBUG, event, __VA_ARGS__)

#endif
