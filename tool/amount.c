/* SPDX-License-Identifier: Apache-2.0 */
#include "amount.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Digits at *text, at most nine. */
static bool number(const char **text, uint64_t *out)
{
    const char *p = *text;

    *out = 0;
    while (*p >= '0' && *p <= '9' && p - *text < 10) {
        *out = *out * 10 + (uint64_t)(*p++ - '0');
    }
    if (p == *text || p - *text > 9) {
        return false;
    }
    *text = p;
    return true;
}

bool amount_duration(const char *text, uint64_t *seconds)
{
    static const struct {
        const char *name;
        uint64_t seconds;
    } unit[] = {{"s", 1}, {"min", 60}, {"m", 60}, {"h", 3600}, {"d", 86400}};
    uint64_t total = 0;

    if (*text == '\0') {
        return false;
    }
    while (*text != '\0') {
        uint64_t n;
        size_t word;
        uint64_t each = 0;

        if (!number(&text, &n)) {
            return false;
        }
        text += strspn(text, " ");
        word = strspn(text, "abcdefghijklmnopqrstuvwxyz");
        for (size_t i = 0; i < sizeof unit / sizeof unit[0]; i++) {
            if (strlen(unit[i].name) == word &&
                memcmp(unit[i].name, text, word) == 0) {
                each = unit[i].seconds;
            }
        }
        /* Only seconds may go without their name. */
        if (word == 0 && *text == '\0' && total == 0) {
            each = 1;
        }
        if (each == 0) {
            return false;
        }
        total += n * each;
        text += word;
        text += strspn(text, " ");
    }
    *seconds = total;
    return true;
}

static bool calendar(const char *text, uint64_t *seconds)
{
    struct tm t = {0};
    struct tm again;
    char between;
    int used = 0;
    time_t value;

    if (sscanf(text, "%4d-%2d-%2d%c%2d:%2d%n", &t.tm_year, &t.tm_mon,
               &t.tm_mday, &between, &t.tm_hour, &t.tm_min, &used) != 6 ||
        (between != ' ' && between != 'T')) {
        return false;
    }
    text += used;
    if (*text == ':') {
        if (sscanf(text, ":%2d%n", &t.tm_sec, &used) != 1) {
            return false;
        }
        text += used;
    }
    if (strcmp(text, "") != 0 && strcmp(text, "Z") != 0 &&
        strcmp(text, " UTC") != 0) {
        return false;
    }
    t.tm_year -= 1900;
    t.tm_mon -= 1;
    again = t;
    value = timegm(&again);
    /* No 31st of February, no 25th hour. */
    if (value <= 0 || again.tm_mday != t.tm_mday || again.tm_mon != t.tm_mon ||
        again.tm_hour != t.tm_hour || again.tm_min != t.tm_min ||
        again.tm_sec != t.tm_sec) {
        return false;
    }
    *seconds = (uint64_t)value;
    return true;
}

bool amount_time(const char *text, uint64_t now, uint64_t *seconds)
{
    uint64_t value;
    char *end;

    if (text[0] == '+') {
        if (!amount_duration(text + 1, &value)) {
            return false;
        }
        *seconds = now + value;
        return true;
    }
    if (text[0] >= '0' && text[0] <= '9' && strlen(text) < 13) {
        value = strtoull(text, &end, 10);
        if (*end == '\0') {
            *seconds = value;
            return true;
        }
    }
    return calendar(text, seconds);
}

/* --- Windows ------------------------------------------------------------- */

static const char days[7][4] = {"mon", "tue", "wed", "thu",
                                "fri", "sat", "sun"};

static int day(const char **text)
{
    for (int d = 0; d < 7; d++) {
        if (strncmp(*text, days[d], 3) == 0) {
            *text += 3;
            return d;
        }
    }
    return -1;
}

/* "mon-fri,sun " */
static bool read_days(const char **text, bool chosen[7])
{
    do {
        int first = day(text);
        int last = first;

        if (**text == '-') {
            ++*text;
            last = day(text);
        }
        if (first < 0 || last < 0) {
            return false;
        }
        for (int d = first;; d = (d + 1) % 7) {
            chosen[d] = true;
            if (d == last) {
                break;
            }
        }
    } while (*(*text)++ == ',');
    return (*text)[-1] == ' ';
}

static bool is_clock(const char *text)
{
    static const char form[] = "00:00";

    for (int i = 0; i < 5; i++) {
        bool digit = text[i] >= '0' && text[i] <= '9';

        if (form[i] == ':' ? text[i] != ':' : !digit) {
            return false;
        }
    }
    return true;
}

json_t *amount_window(const char *text)
{
    json_t *window = json_object();
    bool chosen[7] = {false};
    bool named = text[0] < '0' || text[0] > '9';

    if ((named && !read_days(&text, chosen)) || strlen(text) != 11 ||
        !is_clock(text) || text[5] != '-' || !is_clock(text + 6)) {
        json_decref(window);
        return NULL;
    }
    if (named) {
        json_t *list = json_array();

        for (int d = 0; d < 7; d++) {
            if (chosen[d]) {
                (void)json_array_append_new(list, json_string(days[d]));
            }
        }
        (void)json_object_set_new(window, "days", list);
    }
    (void)json_object_set_new(window, "from", json_stringn(text, 5));
    (void)json_object_set_new(window, "to", json_stringn(text + 6, 5));
    return window;
}

/* --- Stages -------------------------------------------------------------- */

json_t *amount_stages(const char *text)
{
    bool counts = strchr(text, '%') != NULL;
    json_t *list = json_array();
    uint64_t last[2] = {0, 0};

    for (;;) {
        uint64_t n;
        bool percent;

        if (!number(&text, &n)) {
            break;
        }
        percent = !counts || *text == '%';
        text += *text == '%';
        if (n <= last[percent] || (percent && n > 100) || last[1] == 100 ||
            (*text != ',' && *text != '\0')) {
            break;
        }
        last[percent] = n;
        /* A plain number is a percentage, to every server there is. */
        (void)json_array_append_new(
            list, percent ? json_integer((json_int_t)n)
                          : json_pack("{s:I}", "count", (json_int_t)n));
        if (*text++ == '\0') {
            return list;
        }
    }
    json_decref(list);
    return NULL;
}
