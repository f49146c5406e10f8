/* SPDX-License-Identifier: Apache-2.0 */
#include "host/audit_line.h"

#include "bowline/sha256.h"
#include "host/file.h"

#include <inttypes.h>
#include <string.h>

/* The two-character escapes of JSON. */
static const char *short_escape(char c)
{
    switch (c) {
    case '"':
        return "\\\"";
    case '\\':
        return "\\\\";
    case '\b':
        return "\\b";
    case '\f':
        return "\\f";
    case '\n':
        return "\\n";
    case '\r':
        return "\\r";
    case '\t':
        return "\\t";
    default:
        return NULL;
    }
}

static int put_char(struct buffer *out, char c, struct error *err)
{
    const char *escape = short_escape(c);

    if (escape != NULL) {
        return buffer_append(out, escape, 2, err);
    }
    if ((unsigned char)c < 0x20) {
        return buffer_printf(out, err, "\\u%04x", (unsigned)c);
    }
    return buffer_append(out, &c, 1, err);
}

static int put_text(struct buffer *out, const char *name, const char *value,
                    struct error *err)
{
    if (buffer_printf(out, err, "\"%s\":\"", name) != 0) {
        return -1;
    }
    for (; *value != '\0'; value++) {
        if (put_char(out, *value, err) != 0) {
            return -1;
        }
    }
    return buffer_append(out, "\"", 1, err);
}

static int put_hash(struct buffer *out, const uint8_t *hash, struct error *err)
{
    char hex[2 * AUDIT_HASH + 1];

    if (hash == NULL) {
        return 0;
    }
    hex_encode(hash, AUDIT_HASH, hex);
    return buffer_printf(out, err, "\"hash\":\"%s\",", hex);
}

int audit_line_put(const struct audit_line *line, const uint8_t *hash,
                   struct buffer *out, struct error *err)
{
    if (buffer_append(out, "{", 1, err) != 0 ||
        put_text(out, "action", line->action, err) != 0 ||
        buffer_append(out, ",", 1, err) != 0 ||
        put_text(out, "actor", line->actor, err) != 0 ||
        buffer_append(out, ",", 1, err) != 0 ||
        put_text(out, "detail", line->detail, err) != 0 ||
        buffer_append(out, ",", 1, err) != 0 ||
        put_hash(out, hash, err) != 0 ||
        buffer_printf(out, err, "\"number\":%" PRIu64 ",", line->number) !=
            0 ||
        put_text(out, "object", line->object, err) != 0) {
        return -1;
    }
    return buffer_printf(out, err, ",\"time\":%" PRId64 "}", line->time);
}

int audit_line_hash(const uint8_t previous[AUDIT_HASH],
                    const struct audit_line *line, uint8_t hash[AUDIT_HASH],
                    struct error *err)
{
    struct buffer text = BUFFER(AUDIT_LINE_MAX);
    int result = buffer_append(&text, previous, AUDIT_HASH, err);

    if (result == 0) {
        result = audit_line_put(line, NULL, &text, err);
    }
    if (result == 0) {
        bl_sha256(text.p, text.n, hash);
    }
    buffer_free(&text);
    return result;
}
