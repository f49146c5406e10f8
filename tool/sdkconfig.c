/* SPDX-License-Identifier: Apache-2.0 */
#include "sdkconfig.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { ENTRIES = 1 << 16 };

static const char prefix[] = "CONFIG_";
static const char unset[] = " is not set";

static bool starts(bl_span s, const char *with)
{
    size_t n = strlen(with);

    return s.n >= n && memcmp(s.p, with, n) == 0;
}

static bool is(bl_span s, const char *text)
{
    return s.n == strlen(text) && starts(s, text);
}

static bl_span skip(bl_span s, size_t n)
{
    return bl_span_of(s.p + n, s.n - n);
}

static bl_span trimmed(bl_span s)
{
    while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t')) {
        s = skip(s, 1);
    }
    while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t' ||
                       s.p[s.n - 1] == '\r')) {
        s.n--;
    }
    return s;
}

/* How many characters of a name stand in front. */
static size_t name_length(bl_span s)
{
    size_t n = 0;

    while (n < s.n && ((s.p[n] >= 'A' && s.p[n] <= 'Z') ||
                       (s.p[n] >= 'a' && s.p[n] <= 'z') ||
                       (s.p[n] >= '0' && s.p[n] <= '9') || s.p[n] == '_')) {
        n++;
    }
    return n;
}

/* "# CONFIG_X is not set"; other comments say nothing, but for the version. */
static bool read_comment(bl_span line, struct sdkconfig_entry *e)
{
    size_t n;

    line = trimmed(skip(line, 1));
    if (!starts(line, prefix)) {
        return false;
    }
    line = skip(line, sizeof prefix - 1);
    n = name_length(line);
    e->name = bl_span_of(line.p, n);
    e->value = bl_span_of("n", 1);
    return n > 0 && is(skip(line, n), unset);
}

static void read_head(bl_span line, struct sdkconfig *out)
{
    static const char idf[] = "(ESP-IDF) ";
    const uint8_t *at = memmem(line.p, line.n, idf, sizeof idf - 1);

    if (memmem(line.p, line.n, "Automatically generated file", 28) != NULL) {
        out->complete = true;
    }
    if (at != NULL && out->idf.n == 0) {
        bl_span rest = skip(line, (size_t)(at - line.p) + sizeof idf - 1);
        const uint8_t *space = memchr(rest.p, ' ', rest.n);

        out->idf = bl_span_of(
            rest.p, space == NULL ? rest.n : (size_t)(space - rest.p));
    }
}

static bool read_assignment(bl_span line, struct sdkconfig_entry *e)
{
    size_t n;

    if (!starts(line, prefix)) {
        return false;
    }
    line = skip(line, sizeof prefix - 1);
    n = name_length(line);
    if (n == 0 || n == line.n || line.p[n] != '=') {
        return false;
    }
    e->name = bl_span_of(line.p, n);
    e->value = skip(line, n + 1);
    if (e->value.n >= 2 && e->value.p[0] == '"' &&
        e->value.p[e->value.n - 1] == '"') {
        e->value = bl_span_of(e->value.p + 1, e->value.n - 2);
    }
    return true;
}

static int add(struct call *c, struct sdkconfig *out,
               const struct sdkconfig_entry *e)
{
    if (out->n == ENTRIES) {
        return refuse(c, EXIT_INPUT, "%s has more than %d settings", out->path,
                      (int)ENTRIES);
    }
    out->entry[out->n++] = *e;
    return 0;
}

static int read_line(struct call *c, bl_span line, unsigned number,
                     struct sdkconfig *out)
{
    struct sdkconfig_entry e = {{NULL, 0}, {NULL, 0}, number};

    line = trimmed(line);
    if (line.n == 0) {
        return 0;
    }
    if (line.p[0] == '#') {
        if (!read_comment(line, &e)) {
            read_head(line, out);
            return 0;
        }
    } else if (!read_assignment(line, &e)) {
        return refuse(c, EXIT_INPUT,
                      "%s:%u: is no line of an sdkconfig (CONFIG_NAME=value)",
                      out->path, number);
    }
    return add(c, out, &e);
}

int sdkconfig_read(struct call *c, const char *path, bl_span text,
                   struct sdkconfig *out)
{
    unsigned number = 0;
    int code = 0;

    memset(out, 0, sizeof *out);
    out->path = path;
    out->entry = calloc(ENTRIES, sizeof *out->entry);
    if (out->entry == NULL) {
        return refuse(c, EXIT_LOCAL, "out of memory");
    }
    if (starts(text, "\xEF\xBB\xBF")) {
        text = skip(text, 3);
    }
    while (code == 0 && text.n > 0) {
        const uint8_t *end = memchr(text.p, '\n', text.n);
        size_t n = end == NULL ? text.n : (size_t)(end - text.p);

        code = read_line(c, bl_span_of(text.p, n), ++number, out);
        text = skip(text, n + (end != NULL));
    }
    if (code == 0 && out->n == 0) {
        code = refuse(c, EXIT_INPUT,
                      "%s holds no setting of ESP-IDF; say the sdkconfig of "
                      "the project's folder",
                      path);
    }
    return code;
}

void sdkconfig_free(struct sdkconfig *config)
{
    free(config->entry);
    config->entry = NULL;
    config->n = 0;
}

const struct sdkconfig_entry *sdkconfig_find(const struct sdkconfig *config,
                                             const char *name)
{
    size_t i = config->n;

    while (i-- > 0) {
        if (is(config->entry[i].name, name)) {
            return &config->entry[i];
        }
    }
    return NULL;
}

bool sdkconfig_is(const struct sdkconfig *config, const char *name,
                  const char *value)
{
    const struct sdkconfig_entry *e = sdkconfig_find(config, name);

    return e != NULL && is(e->value, value);
}

const char *sdkconfig_text(struct call *c, const struct sdkconfig *config,
                           const char *name)
{
    const struct sdkconfig_entry *e = sdkconfig_find(config, name);

    return e == NULL ? "" : keep_text(c, e->value);
}

uint64_t sdkconfig_number(struct call *c, const struct sdkconfig *config,
                          const char *name, uint64_t otherwise)
{
    const char *text = sdkconfig_text(c, config, name);
    char *end;
    uint64_t value;

    errno = 0;
    value = strtoull(text, &end, 0);
    return text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0
               ? otherwise
               : value;
}
