/* SPDX-License-Identifier: Apache-2.0 */
/* bowline: finds the verb, reads its options, runs it, prints the outcome. */
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
    (void)fprintf(stderr, "bowline %s: %s\n", c->verb->name, c->err.text);
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

static int finish(struct call *c, int code)
{
    if (code != EXIT_YES && c->err.text[0] != '\0') {
        print_error(c, code);
    }
    if (c->json) {
        (void)json_dumpf(c->result, stdout,
                         JSON_INDENT(2) | JSON_PRESERVE_ORDER);
        (void)putchar('\n');
    }
    if ((fflush(stdout) != 0 || ferror(stdout) != 0) && code == EXIT_YES) {
        (void)fprintf(stderr, "bowline: the output could not be written\n");
        code = EXIT_LOCAL;
    }
    project_free(c);
    json_decref(c->result);
    keep_free(c);
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
    return cli_flag(c, "json");
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
        c.json = false;
        help_verb(verb);
        return finish(&c, EXIT_YES);
    }
    return finish(&c, code == 0 ? run(&c) : code);
}

static int no_verb(int argc, char **argv)
{
    if (argc < 2) {
        help_all();
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        help_all();
        return EXIT_YES;
    }
    if (verb_is_group(argv[1])) {
        bool asked = argc > 2 && (strcmp(argv[2], "--help") == 0 ||
                                  strcmp(argv[2], "-h") == 0);

        if (!asked) {
            (void)fprintf(stderr, "bowline %s: say which:\n", argv[1]);
            (void)fflush(stderr);
        }
        help_group(argv[1]);
        return asked ? EXIT_YES : EXIT_USAGE;
    }
    (void)fprintf(stderr,
                  "bowline: there is no verb \"%s\"; see bowline "
                  "help\n",
                  argv[1]);
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    const struct verb *verb;
    int used = 0;

    /* A reader that goes away ends us by a failed write, not silently. */
    (void)signal(SIGPIPE, SIG_IGN);
    if (argc > 1 && strcmp(argv[1], "--version") == 0) {
        argv[1] += 2; /* the verb of that name */
    }
    verb = argc < 2 ? NULL : verb_find(argv + 1, argc - 1, &used);
    if (verb == NULL) {
        return no_verb(argc, argv);
    }
    return call_verb(verb, argv + 1 + used, argc - 1 - used);
}
