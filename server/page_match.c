/* SPDX-License-Identifier: Apache-2.0 */
/* What a browser's header says of a file: page.h. */
#include "page.h"

#include <strings.h>

enum { TOKEN_MAX = 160 };

/* The next element of a comma-separated list, without the spaces around it;
 * false at the end. */
static bool next_element(const char **at, bl_span *out)
{
    const char *p = *at;
    const char *end;

    while (*p == ',' || *p == ' ' || *p == '\t') {
        p++;
    }
    if (*p == '\0') {
        return false;
    }
    end = p + strcspn(p, ",");
    *at = end;
    while (end > p && (end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }
    *out = bl_span_of(p, (size_t)(end - p));
    return true;
}

/* "gzip", "gzip;q=0.5"; not "gzip;q=0", "gzip; q=0.000". */
static bool is_wanted(bl_span element)
{
    char text[TOKEN_MAX];
    const char *q;

    if (element.n >= sizeof text) {
        return false;
    }
    memcpy(text, element.p, element.n);
    text[element.n] = '\0';
    if (strncasecmp(text, "gzip", 4) != 0 ||
        (text[4] != '\0' && strchr("; \t", text[4]) == NULL)) {
        return false;
    }
    q = strpbrk(text, "qQ");
    return q == NULL || q[1] != '=' || strpbrk(q, "123456789") != NULL;
}

bool page_takes_gzip(const char *accept)
{
    bl_span element;

    while (accept != NULL && next_element(&accept, &element)) {
        if (is_wanted(element)) {
            return true;
        }
    }
    return false;
}

static bl_span strong(bl_span tag)
{
    bool weak = tag.n > 2 && memcmp(tag.p, "W/", 2) == 0;

    return weak ? bl_span_of(tag.p + 2, tag.n - 2) : tag;
}

bool page_same(const char *if_none_match, const char *etag)
{
    bl_span wanted = strong(bl_span_of(etag, strlen(etag)));
    bl_span element;

    while (if_none_match != NULL && next_element(&if_none_match, &element)) {
        if (bl_span_equal(strong(element), wanted) ||
            bl_span_equal(element, bl_span_of("*", 1))) {
            return true;
        }
    }
    return false;
}
