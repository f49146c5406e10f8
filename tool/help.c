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

void help_lines(FILE *out, const char *group)
{
    size_t i;

    for (i = 0; i < n_verbs; i++) {
        if (group == NULL || verb_in_group(&verbs[i], group)) {
            (void)fprintf(out, "  %-20s %s\n", verbs[i].name,
                          verbs[i].summary);
        }
    }
}

void help_list(struct call *c, const char *group)
{
    if (c->json) {
        help_json_list(c->result, group);
        return;
    }
    if (group != NULL) {
        help_lines(stdout, group);
        return;
    }
    printf("bowline: firmware updates over the air\n\n"
           "Usage: bowline VERB [ARGUMENTS] [OPTIONS]\n\n");
    help_lines(stdout, NULL);
    printf("\nbowline VERB --help says more. Exit codes:\n");
#define LINE(name, number, meaning) printf("  %d  %s\n", number, meaning);
    EXIT_LIST(LINE)
#undef LINE
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

void help_verb(struct call *c, const struct verb *v)
{
    if (c->json) {
        help_json_verb(c->result, v);
        return;
    }
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

/* The sources: man pages and the reference. */
static int help_source(struct call *c, const struct verb *v)
{
    const char *folder = cli_value(c, "man-folder");

    if (c->json) {
        return refuse(c, EXIT_USAGE,
                      "a man page and the reference are never JSON");
    }
    if (folder != NULL) {
        return man_write_all(c, folder);
    }
    if (cli_flag(c, "markdown")) {
        help_markdown();
    } else {
        man_page(v, stdout);
    }
    return EXIT_YES;
}

int verb_help(struct call *c)
{
    char *words[MANY] = {NULL};
    const struct verb *v;
    int n = c->n_arguments;
    int used = 0;
    int i;

    for (i = 0; i < n; i++) {
        words[i] = keep(c, "%s", c->argument[i]);
    }
    v = verb_find(words, n, &used);
    if (n == 1 && v == NULL && verb_is_group(words[0])) {
        help_list(c, words[0]);
        return EXIT_YES;
    }
    if (n > 0 && (v == NULL || used != n)) {
        return verb_unknown(c, words, n);
    }
    if (cli_flag(c, "man") || cli_flag(c, "markdown") ||
        cli_flag(c, "man-folder")) {
        return help_source(c, v);
    }
    if (v == NULL) {
        help_list(c, NULL);
    } else {
        help_verb(c, v);
    }
    return EXIT_YES;
}
