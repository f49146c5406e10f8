/* SPDX-License-Identifier: Apache-2.0 */
/* Looking things up in the table of verbs. */
#include <string.h>

#include "suggest.h"
#include "tool.h"

static const struct option keys_options[] = {
    {"key", "FILE", "private key to sign with, instead of the project's",
     A_FILE, NULL, true, 0},
    {NULL, NULL, NULL, ANY, NULL, false, 0}};

static const struct option root_options[] = {
    {"root", "FILE", "root document to check with", A_FILE, NULL, false, 0},
    {NULL, NULL, NULL, ANY, NULL, false, 0}};

static const struct option server_options[] = {
    {"server", "URL", "address of the server", ANY, NULL, false, 0},
    {"ca-file", "FILE", "what the server's certificate is checked with",
     A_FILE, NULL, false, 0},
    {"token-file", "FILE", "a file with the operator's token", A_FILE, NULL,
     false, 0},
    {NULL, NULL, NULL, ANY, NULL, false, 0}};

static const struct option project_options[] = {
    {"config", "FILE", "the project file, instead of looking for it", A_FILE,
     NULL, false, 0},
    {NULL, NULL, NULL, ANY, NULL, false, 0}};

static const struct option common_options[] = {
    {"json", NULL, "print the result as JSON", ANY, NULL, false, 0},
    {"quiet", NULL, "no hints and no progress", ANY, NULL, false, 'q'},
    {"color", "WHEN", "when to use colors", WORDS, "auto always never", false,
     0},
    {"help", NULL, "explain this verb", ANY, NULL, false, 'h'},
    {NULL, NULL, NULL, ANY, NULL, false, 0}};

static const struct option *
walk(const struct option *list,
     bool (*each)(const struct option *option, void *ctx), void *ctx)
{
    const struct option *o;

    for (o = list; o != NULL && o->name != NULL; o++) {
        if (each(o, ctx)) {
            return o;
        }
    }
    return NULL;
}

const struct option *
verb_option(const struct verb *verb,
            bool (*each)(const struct option *option, void *ctx), void *ctx)
{
    unsigned takes = verb->takes;
    const struct option *const list[] = {
        verb->options,
        (takes & TAKES_KEYS) != 0 ? keys_options : NULL,
        (takes & TAKES_ROOT) != 0 ? root_options : NULL,
        (takes & TAKES_SERVER) != 0 ? server_options : NULL,
        (takes & TAKES_PROJECT) != 0 ? project_options : NULL,
        common_options};
    size_t i;

    for (i = 0; i < sizeof list / sizeof list[0]; i++) {
        const struct option *found = walk(list[i], each, ctx);

        if (found != NULL) {
            return found;
        }
    }
    return NULL;
}

const struct verb *verb_find(char *const *words, int n, int *used)
{
    const struct verb *found = NULL;
    size_t i;

    for (i = 0; n > 0 && i < n_verbs; i++) {
        const char *name = verbs[i].name;
        size_t first = strcspn(name, " ");

        if (strlen(words[0]) != first || memcmp(words[0], name, first) != 0) {
            continue;
        }
        if (name[first] == '\0') {
            found = &verbs[i];
            *used = 1;
        } else if (n > 1 && strcmp(name + first + 1, words[1]) == 0) {
            *used = 2;
            return &verbs[i];
        }
    }
    return found;
}

bool verb_in_group(const struct verb *verb, const char *word)
{
    size_t n = strlen(word);

    return strncmp(verb->name, word, n) == 0 &&
           (verb->name[n] == ' ' || verb->name[n] == '\0');
}

bool verb_is_group(const char *word)
{
    size_t i;

    for (i = 0; i < n_verbs; i++) {
        if (verb_in_group(&verbs[i], word) && strchr(verbs[i].name, ' ')) {
            return true;
        }
    }
    return false;
}

/* Nearest to the first word typed, or to the second one of a group. */
static struct suggest nearest(char *const *words, bool second)
{
    struct suggest s = {second ? words[1] : words[0], NULL, 0, 0};
    size_t i;

    for (i = 0; i < n_verbs; i++) {
        const char *name = verbs[i].name;
        size_t first = strcspn(name, " ");

        if (!second) {
            suggest_offer(&s, name, first);
        } else if (verb_in_group(&verbs[i], words[0]) && name[first] == ' ') {
            suggest_offer(&s, name + first + 1, strlen(name + first + 1));
        }
    }
    return s;
}

int verb_unknown(struct call *c, char *const *words, int n)
{
    bool more = n > 1 && words[1][0] != '-';
    bool group = n > 0 && verb_is_group(words[0]);
    bool second = group && more;
    struct suggest s;
    int used = 0;

    if (n == 0 || (group && !more)) {
        return refuse(c, EXIT_USAGE, "say which verb%s%s", n == 0 ? "" : ": ",
                      n == 0 ? "" : keep(c, "bowline %s ...", words[0]));
    }
    if (!group && verb_find(words, 1, &used) != NULL) {
        return refuse(c, EXIT_USAGE,
                      "there is no verb \"%s %s\", but \"%s\"; see bowline "
                      "help %s",
                      words[0], words[1], words[0], words[0]);
    }
    s = nearest(words, second);
    return refuse(c, EXIT_USAGE, "there is no verb \"%s%s%s\"; %s%s%s%.*s%s",
                  words[0], second ? " " : "", second ? words[1] : "",
                  s.word == NULL ? "see bowline help" : "did you mean \"",
                  s.word != NULL && second ? words[0] : "",
                  s.word != NULL && second ? " " : "", (int)s.n,
                  s.word == NULL ? "" : s.word, s.word == NULL ? "" : "\"?");
}

void option_phrase(const struct option *option, char *out, size_t size)
{
    const char *word = option->complete == WORDS ? option->words : "";
    int n = snprintf(out, size, "%s%s%s", option->help,
                     option->many ? "; may be repeated" : "",
                     word[0] == '\0' ? "" : "; one of");

    while (word[0] != '\0' && n >= 0 && (size_t)n < size) {
        int length = (int)strcspn(word, " ");

        n += snprintf(out + n, size - (size_t)n, " %.*s%s", length, word,
                      word[length] == ' ' ? "," : "");
        word += length + (word[length] == ' ');
    }
}
