/* SPDX-License-Identifier: Apache-2.0 */
/* --help, from the table of verbs. */
#include <stdio.h>
#include <string.h>

#include "tool.h"

enum { NAME_WIDTH = 28, WIDTH = 78 };

/* Words of `text`, wrapped, each line indented by `indent`. */
static void wrapped(const char *text, int indent)
{
    int column = 0;

    while (*text != '\0') {
        int n = (int)strcspn(text, " \n");
        bool paragraph = text[n] == '\n';

        if (column > 0 && column + 1 + n > WIDTH) {
            printf("\n");
            column = 0;
        }
        if (column == 0) {
            column = printf("%*s%.*s", indent, "", n, text);
        } else {
            column += printf(" %.*s", n, text);
        }
        text += n;
        text += *text != '\0';
        if (paragraph) {
            printf("\n\n");
            column = 0;
            text += strspn(text, "\n");
        }
    }
    printf("\n");
}

static void indented_lines(const char *text)
{
    while (*text != '\0') {
        int n = (int)strcspn(text, "\n");

        printf("  %.*s\n", n, text);
        text += n;
        text += *text == '\n';
    }
}

static void one_line(const struct verb *v)
{
    printf("  %-18s %s\n", v->name, v->summary);
}

void help_all(void)
{
    size_t i;

    printf("bowline: firmware updates over the air\n\n"
           "Usage: bowline VERB [ARGUMENTS] [OPTIONS]\n\n");
    for (i = 0; i < n_verbs; i++) {
        one_line(&verbs[i]);
    }
    printf("\nbowline VERB --help says more. Exit codes:\n");
#define LINE(name, number, meaning) printf("  %d  %s\n", number, meaning);
    EXIT_LIST(LINE)
#undef LINE
}

void help_group(const char *word)
{
    size_t n = strlen(word);
    size_t i;

    for (i = 0; i < n_verbs; i++) {
        if (strncmp(verbs[i].name, word, n) == 0 &&
            (verbs[i].name[n] == ' ' || verbs[i].name[n] == '\0')) {
            one_line(&verbs[i]);
        }
    }
}

/* "one of: ..." in the right column, wrapped. */
static void print_choices(const char *words)
{
    int column = printf("  %-*s one of:", NAME_WIDTH, "");

    while (*words != '\0') {
        int n = (int)strcspn(words, " ");

        if (column + 1 + n > WIDTH) {
            column = printf("\n  %-*s  ", NAME_WIDTH, "") - 1;
        }
        column += printf(" %.*s", n, words);
        words += n + (words[n] == ' ');
    }
    printf("\n");
}

static bool print_option(const struct option *option, void *ctx)
{
    char left[80];

    (void)ctx;
    (void)snprintf(left, sizeof left, "%c%c%s--%s%s%s",
                   option->letter == 0 ? ' ' : '-',
                   option->letter == 0 ? ' ' : option->letter,
                   option->letter == 0 ? "  " : ", ", option->name,
                   option->value == NULL ? "" : " ",
                   option->value == NULL ? "" : option->value);
    printf("  %-*s %s%s\n", NAME_WIDTH, left, option->help,
           option->many ? "; may be repeated" : "");
    if (option->complete == WORDS) {
        print_choices(option->words);
    }
    return false;
}

static void print_exits(unsigned exits)
{
    printf("\nExit codes:\n");
#define LINE(name, number, meaning)                                           \
    if ((exits & (1U << (number))) != 0) {                                    \
        printf("  %d  %s\n", number, meaning);                                \
    }
    EXIT_LIST(LINE)
#undef LINE
}

void help_verb(const struct verb *v)
{
    printf("bowline %s: %s\n\nUsage: bowline %s%s%s [OPTIONS]\n\n", v->name,
           v->summary, v->name, v->arguments[0] == '\0' ? "" : " ",
           v->arguments);
    wrapped(v->about, 0);
    printf("\nOptions:\n");
    (void)verb_option(v, print_option, NULL);
    if (v->json != NULL) {
        printf("\nWith --json, one object:\n");
        indented_lines(v->json);
    }
    print_exits(v->exits);
    if (v->example != NULL) {
        printf("\nExample:\n");
        indented_lines(v->example);
    }
}

const char *exit_meaning(int code)
{
#define LINE(name, number, meaning)                                           \
    if (code == (number)) {                                                   \
        return meaning;                                                       \
    }
    EXIT_LIST(LINE)
#undef LINE
    return "";
}

int verb_help(struct call *c)
{
    const char *folder = cli_value(c, "man-folder");
    char *words[MANY];
    const struct verb *v;
    int used = 0;
    int i;

    if (folder != NULL) {
        return man_write_all(c, folder);
    }
    if (cli_flag(c, "markdown")) {
        help_markdown();
        return EXIT_YES;
    }
    for (i = 0; i < c->n_arguments; i++) {
        words[i] = keep(c, "%s", c->argument[i]);
    }
    v = verb_find(words, c->n_arguments, &used);
    if (c->n_arguments > 0 && (v == NULL || used != c->n_arguments)) {
        if (c->n_arguments == 1 && verb_is_group(words[0])) {
            help_group(words[0]);
            return EXIT_YES;
        }
        return refuse(c, EXIT_USAGE,
                      "there is no verb \"%s\"; see bowline help",
                      c->argument[0]);
    }
    if (cli_flag(c, "man")) {
        man_page(v, stdout);
    } else if (v == NULL) {
        help_all();
    } else {
        help_verb(v);
    }
    return EXIT_YES;
}
