/* SPDX-License-Identifier: Apache-2.0 */
#include "http_header.h"

#include <curl/curl.h>
#include <string.h>
#include <strings.h>

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool http_header_value(const char *line, size_t n, const char *name, char *out,
                       size_t size)
{
    size_t name_n = strlen(name);

    if (n <= name_n || line[name_n] != ':' ||
        strncasecmp(line, name, name_n) != 0) {
        return false;
    }
    line += name_n + 1;
    n -= name_n + 1;
    while (n > 0 && blank(*line)) {
        line++;
        n--;
    }
    while (n > 0 && blank(line[n - 1])) {
        n--;
    }
    if (n >= size) {
        return false;
    }
    memcpy(out, line, n);
    out[n] = 0;
    return true;
}

static bool number(const char **p, uint64_t *out)
{
    const char *s = *p;
    uint64_t v = 0;

    while (*s >= '0' && *s <= '9') {
        uint64_t digit = (uint64_t)(*s - '0');

        if (v > (UINT64_MAX - digit) / 10) {
            return false;
        }
        v = v * 10 + digit;
        s++;
    }
    if (s == *p) {
        return false;
    }
    *p = s;
    *out = v;
    return true;
}

bool http_content_range(const char *value, uint64_t *first, uint64_t *last)
{
    uint64_t from;
    uint64_t to;
    uint64_t total;

    if (strncasecmp(value, "bytes ", 6) != 0) {
        return false;
    }
    value += 6;
    if (!number(&value, &from) || *value++ != '-' || !number(&value, &to) ||
        *value++ != '/' || to < from) {
        return false;
    }
    if (strcmp(value, "*") != 0 &&
        (!number(&value, &total) || *value != 0 || to >= total)) {
        return false;
    }
    *first = from;
    *last = to;
    return true;
}

uint32_t http_retry_after(const char *value, time_t now)
{
    const char *p = value;
    uint64_t seconds;
    time_t date;

    if (*value >= '0' && *value <= '9') {
        if (!number(&p, &seconds) || *p != 0) {
            return 0;
        }
        return seconds > UINT32_MAX ? UINT32_MAX : (uint32_t)seconds;
    }
    date = curl_getdate(value, NULL);
    if (date <= now) {
        return 0;
    }
    return date - now > (time_t)UINT32_MAX ? UINT32_MAX
                                           : (uint32_t)(date - now);
}
