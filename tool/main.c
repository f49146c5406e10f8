/* SPDX-License-Identifier: Apache-2.0 */
/* bowline: finds the verb, reads its options, runs it, prints the outcome. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tool.h"

static void choose_color(struct call *c)
{
    const char *when = cli_value(c, "color");
    const char *no = getenv("NO_COLOR");
    const char *term = getenv("TERM");

    if (when != NULL && strcmp(when, "auto") != 0) {
        c->color = strcmp(when, "always") == 0;
        return;
    }
    c->color = (no == NULL || no[0] == '\0') && isatty(STDOUT_FILENO) != 0 &&
               (term == NULL || strcmp(term, "dumb") != 0);
}

static void print_error(const struct call *c, int code)
{
    (void)fflush(stdout);
    (void)fprintf(stderr, "bowline%s%s: %s\n", c->verb == NULL ? "" : " ",
                  c->verb == NULL ? "" : c->verb->name, c->err.text);
    if (c->json) {
        json_t *error = json_object();

        put_text(error, "message", c->err.text);
        put_text(error, "status",
                 c->err.status == BL_OK ? NULL
                                        : bl_status_name(c->err.status));
        put_number(error, "exit", (uint64_t)code);
        put(c->result, "error", error);
    }
}

static int run(struct call *c)
{
    int code;

    if ((c->verb->takes & TAKES_PROJECT) != 0) {
        code = project_load(c);
        if (code != 0) {
            return code;
        }
    }
    return c->verb->run(c);
}

/* Nobody reads our output any more, as behind "| head": no error of ours. */
static bool reader_is_gone(void)
{
    struct pollfd out = {STDOUT_FILENO, POLLOUT, 0};

    return poll(&out, 1, 0) == 1 && (out.revents & (POLLERR | POLLHUP)) != 0;
}

static int finish(struct call *c, int code)
{
    if (code != EXIT_YES && c->err.text[0] != '\0') {
        print_error(c, code);
    }
    if (c->json) {
        (void)json_dumpf(c->result, stdout,
                         JSON_INDENT(2) | JSON_PRESERVE_ORDER |
                             JSON_REAL_PRECISION(10));
        (void)putchar('\n');
    }
    if ((fflush(stdout) != 0 || ferror(stdout) != 0) && code == EXIT_YES &&
        !reader_is_gone()) {
        (void)fprintf(stderr, "bowline: the output could not be written\n");
        code = EXIT_LOCAL;
    }
    project_free(c);
    json_decref(c->result);
    keep_drop(c, NULL);
    return code;
}

/* Also when the words behind it could not be read. */
static bool wants_json(const struct call *c, char **words, int n)
{
    int i;

    for (i = 0; i < n && strcmp(words[i], "--") != 0; i++) {
        if (strcmp(words[i], "--json") == 0) {
            return true;
        }
    }
    return c->verb != NULL && cli_flag(c, "json");
}

static int call_verb(const struct verb *verb, char **words, int n)
{
    struct call c = {0};
    int code;

    c.verb = verb;
    c.result = json_object();
    code = cli_parse(&c, words, n);
    c.json = wants_json(&c, words, n);
    c.quiet = cli_flag(&c, "quiet");
    choose_color(&c);
    if (code == 0 && cli_flag(&c, "help")) {
        help_verb(&c, verb);
        return finish(&c, EXIT_YES);
    }
    if (code == 0 && c.json && verb->json == NULL) {
        code = refuse(&c, EXIT_USAGE, "its output is never JSON");
    }
    return finish(&c, code == 0 ? run(&c) : code);
}

static bool asks_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* The words name no verb: help, or what may be meant. */
static int no_verb(char **words, int n)
{
    struct call c = {0};
    int code = EXIT_YES;
    bool lists;

    c.result = json_object();
    c.json = wants_json(&c, words, n);
    if (n > 0 && asks_help(words[0])) {
        help_list(&c, NULL);
    } else if (n > 1 && asks_help(words[1]) && verb_is_group(words[0])) {
        help_list(&c, words[0]);
    } else {
        code = verb_unknown(&c, words, n);
    }
    lists = code != EXIT_YES && !c.json && (n == 0 || verb_is_group(words[0]));
    code = finish(&c, code);
    if (lists) {
        help_lines(stderr, n == 0 ? NULL : words[0]);
    }
    return code;
}

int main(int argc, char **argv)
{
    const struct verb *verb;
    int used = 0;

    /* A reader that goes away is a failed write, which finish() judges. */
    (void)signal(SIGPIPE, SIG_IGN);
    if (argc > 1 && strcmp(argv[1], "--version") == 0) {
        argv[1] += 2; /* the verb of that name */
    }
    verb = argc < 2 ? NULL : verb_find(argv + 1, argc - 1, &used);
    if (verb == NULL) {
        return no_verb(argv + 1, argc < 1 ? 0 : argc - 1);
    }
    return call_verb(verb, argv + 1 + used, argc - 1 - used);
}
