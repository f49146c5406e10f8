/* SPDX-License-Identifier: Apache-2.0 */
/* Looking things up in the table of verbs. */
#include "verb.h"

#include <string.h>

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
    {"color", "WHEN", "colors", WORDS, "auto always never", false, 0},
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

const struct verb *verb_find(char **words, int n, int *used)
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

bool verb_is_group(const char *word)
{
    size_t n = strlen(word);
    size_t i;

    for (i = 0; i < n_verbs; i++) {
        if (strncmp(verbs[i].name, word, n) == 0 && verbs[i].name[n] == ' ') {
            return true;
        }
    }
    return false;
}
