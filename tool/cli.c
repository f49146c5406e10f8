/* SPDX-License-Identifier: Apache-2.0 */
/* The command line, read by the table of verbs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "suggest.h"
#include "tool.h"

struct wanted {
    const char *name;
    size_t n;
    char letter;
};

static bool is_wanted(const struct option *option, void *ctx)
{
    const struct wanted *w = ctx;

    if (w->letter != 0) {
        return option->letter == w->letter;
    }
    return strlen(option->name) == w->n &&
           memcmp(option->name, w->name, w->n) == 0;
}

static bool is_choice(const struct option *option, const char *value)
{
    const char *p = option->words;
    size_t n = strlen(value);

    if (option->complete != WORDS || p == NULL) {
        return true;
    }
    while (*p != '\0') {
        size_t w = strcspn(p, " ");

        if (w == n && memcmp(p, value, n) == 0) {
            return true;
        }
        p += w + (p[w] == ' ');
    }
    return false;
}

static int give(struct call *c, const struct option *option, const char *value)
{
    if (!option->many && cli_value(c, option->name) != NULL) {
        return refuse(c, EXIT_USAGE, "--%s is given twice", option->name);
    }
    if (value != NULL && !is_choice(option, value)) {
        return refuse(c, EXIT_USAGE, "--%s %s: say one of: %s", option->name,
                      value, option->words);
    }
    if (c->n_given == MANY) {
        return refuse(c, EXIT_USAGE, "more than %d options", MANY);
    }
    c->given[c->n_given].option = option;
    c->given[c->n_given].value = value == NULL ? "" : value;
    c->n_given++;
    return 0;
}

static bool offer_option(const struct option *option, void *ctx)
{
    suggest_offer(ctx, option->name, strlen(option->name));
    return false;
}

static int no_option(struct call *c, const char *word, const char *name)
{
    struct suggest s = {name, NULL, 0, 0};

    (void)verb_option(c->verb, offer_option, &s);
    if (s.word != NULL) {
        return refuse(c, EXIT_USAGE, "%s: no such option; did you mean --%s?",
                      word, s.word);
    }
    return refuse(c, EXIT_USAGE, "%s: no such option; see bowline %s --help",
                  word, c->verb->name);
}

/* One word that begins with '-'; *next is the word behind it, or NULL. */
static int read_option(struct call *c, const char *word, const char *next,
                       bool *used_next)
{
    const char *equals = strchr(word, '=');
    bool is_long = word[1] == '-';
    struct wanted w = {0};
    const struct option *option;

    w.name = word + 2;
    w.n = is_long ? strcspn(w.name, "=") : 0;
    w.letter = is_long ? 0 : word[1];
    if (!is_long && word[2] != '\0') {
        return refuse(c, EXIT_USAGE, "%s: one letter an option, please", word);
    }
    option = verb_option(c->verb, is_wanted, &w);
    if (option == NULL) {
        return no_option(c, word,
                         is_long ? keep(c, "%.*s", (int)w.n, w.name) : "");
    }
    if (option->value == NULL) {
        if (is_long && equals != NULL) {
            return refuse(c, EXIT_USAGE, "--%s takes no value", option->name);
        }
        return give(c, option, NULL);
    }
    if (is_long && equals != NULL) {
        return give(c, option, equals + 1);
    }
    if (next == NULL) {
        return refuse(c, EXIT_USAGE, "--%s needs %s", option->name,
                      option->value);
    }
    *used_next = true;
    return give(c, option, next);
}

static int count_arguments(struct call *c)
{
    const struct verb *v = c->verb;

    if (c->n_arguments < v->least) {
        return refuse(c, EXIT_USAGE, "%s is missing; see bowline %s --help",
                      v->arguments, v->name);
    }
    if (v->most >= 0 && c->n_arguments > v->most) {
        return refuse(c, EXIT_USAGE,
                      "\"%s\" is one argument too many; see bowline %s --help",
                      c->argument[v->most], v->name);
    }
    return 0;
}

int cli_parse(struct call *c, char **words, int n)
{
    bool only_arguments = false;
    int i;

    for (i = 0; i < n; i++) {
        bool used_next = false;

        if (!only_arguments && strcmp(words[i], "--") == 0) {
            only_arguments = true;
        } else if (!only_arguments && words[i][0] == '-' &&
                   words[i][1] != '\0') {
            const char *next = i + 1 < n ? words[i + 1] : NULL;
            int code = read_option(c, words[i], next, &used_next);

            if (code != 0) {
                return code;
            }
            i += used_next;
        } else if (c->n_arguments == MANY) {
            return refuse(c, EXIT_USAGE, "more than %d arguments", MANY);
        } else {
            c->argument[c->n_arguments++] = words[i];
        }
    }
    return cli_flag(c, "help") ? 0 : count_arguments(c);
}

const char *cli_value(const struct call *c, const char *name)
{
    int i;

    for (i = c->n_given; i > 0; i--) {
        if (strcmp(c->given[i - 1].option->name, name) == 0) {
            return c->given[i - 1].value;
        }
    }
    return NULL;
}

bool cli_flag(const struct call *c, const char *name)
{
    return cli_value(c, name) != NULL;
}

int cli_values(const struct call *c, const char *name, const char *out[MANY])
{
    int n = 0;
    int i;

    for (i = 0; i < c->n_given; i++) {
        if (strcmp(c->given[i].option->name, name) == 0) {
            out[n++] = c->given[i].value;
        }
    }
    return n;
}

int cli_number(struct call *c, const char *name, uint64_t low, uint64_t high,
               uint64_t *out)
{
    const char *text = cli_value(c, name);
    unsigned long long value;
    char *end;

    if (text == NULL) {
        return 0;
    }
    errno = 0;
    value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 ||
        value < low || value > high) {
        return refuse(c, EXIT_USAGE,
                      "--%s %s: say a whole number from %llu to %llu", name,
                      text, (unsigned long long)low, (unsigned long long)high);
    }
    *out = value;
    return 0;
}
