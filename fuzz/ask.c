/* SPDX-License-Identifier: Apache-2.0 */
/* What a client that is not ours says: lines "Name: value" of a request's
 * head, "?name=value" of its query, "!name" of its certificate. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "range.h"
#include "unmanaged_ask.h"

enum { LINES = 16 };

struct said {
    int n;
    const char *name[LINES];
    const char *value[LINES];
    const char *certificate;
};

static void must(bool good)
{
    if (!good) {
        abort();
    }
}

static const char *find(const struct said *s, char kind, const char *name)
{
    for (int i = 0; i < s->n; i++) {
        bool query = s->name[i][0] == '?';

        if (query == (kind == '?') &&
            strcasecmp(s->name[i] + query, name) == 0) {
            return s->value[i];
        }
    }
    return NULL;
}

static const char *field(void *ctx, const char *name)
{
    return find(ctx, ':', name);
}

static const char *query(void *ctx, const char *name)
{
    return find(ctx, '?', name);
}

/* Cuts a line in two where it stands. */
static void take_line(struct said *s, char *line)
{
    char *middle = line + strcspn(line, line[0] == '?' ? "=" : ":");

    if (line[0] == '!') {
        s->certificate = line + 1;
    } else if (*middle != '\0' && s->n < LINES) {
        *middle = '\0';
        s->name[s->n] = line;
        s->value[s->n++] = middle + 1 + (middle[1] == ' ');
    }
}

static void take_lines(struct said *s, char *text)
{
    while (*text != '\0') {
        size_t n = strcspn(text, "\n");
        bool last = text[n] == '\0';

        text[n] = '\0';
        take_line(s, text);
        text += last ? n : n + 1;
    }
}

static void check_words(const struct ask *a)
{
    static const uint8_t none[16] = {0};

    for (const char *p = a->key; *p != '\0'; p++) {
        must(*p > ' ' && *p < 0x7F && strchr("<>&\"'\\/$`", *p) == NULL);
    }
    for (const char *p = a->version; *p != '\0'; p++) {
        must(*p >= ' ' && *p < 0x7F);
    }
    must(strspn(a->chip, "abcdefghijklmnopqrstuvwxyz0123456789") ==
         strlen(a->chip));
    must(a->key[0] != '\0' || memcmp(a->id, none, 16) == 0);
    must(a->client < ASK_CLIENTS);
}

static void check_range(const char *text, uint64_t size)
{
    struct range r;
    enum range_kind kind = range_read(text, size, &r);

    must(kind == RANGE_BEYOND || (r.from <= size && r.n <= size - r.from));
    must(kind != RANGE_WHOLE || (r.from == 0 && r.n == size && !r.open));
    must(kind != RANGE_PART || r.n > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    struct said said = {0};
    struct ask_source source = {&said, field, query, NULL};
    struct error err = {BL_OK, 0, ""};
    struct ask ask;

    if (text == NULL) {
        return 0;
    }
    memcpy(text, data, size);
    text[size] = '\0';
    take_lines(&said, text);
    source.certificate = said.certificate;
    if (ask_read(&source, &ask, &err) == 0) {
        check_words(&ask);
    } else {
        must(err.text[0] != '\0' && strchr(err.text, '\n') == NULL);
    }
    for (int i = 0; i < said.n; i++) {
        check_range(said.value[i], size);
        check_range(said.value[i], UINT64_MAX);
    }
    free(text);
    return 0;
}
