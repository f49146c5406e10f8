/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one table of verbs (verbs.c). --help, the man pages and the shell
 * completions are made from it, so that none of them can be out of date.
 */
#ifndef VERB_H
#define VERB_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct call;

/* Exit codes, also of every script that calls the program. */
#define EXIT_LIST(X)                                                          \
    X(YES, 0, "done; or the answer is yes")                                   \
    X(NO, 1, "the answer is no: does not verify, differs, not reached")       \
    X(USAGE, 2, "the command line is wrong")                                  \
    X(INPUT, 3, "something given was refused: a file, key, image, setting")   \
    X(SERVER, 4, "the server refused the request")                            \
    X(UNREACHABLE, 5, "the server could not be reached")                      \
    X(TIMEOUT, 6, "timed out")                                                \
    X(LOCAL, 7, "this machine failed: a file could not be written")

enum {
#define EXIT_ENUM(name, number, meaning) EXIT_##name = number,
    EXIT_LIST(EXIT_ENUM)
#undef EXIT_ENUM
};

/* What a shell offers for a value. */
enum complete { ANY, A_FILE, A_FOLDER, WORDS };

struct option {
    const char *name;  /* without the dashes */
    const char *value; /* its name in the help; NULL: a flag */
    const char *help;
    enum complete complete;
    const char *words; /* WORDS: the choices, divided by spaces */
    bool many;         /* may be given more than once */
    char letter;       /* short form, or 0 */
};

/* Options that several verbs share. */
enum {
    TAKES_PROJECT = 1, /* --config */
    TAKES_SERVER = 2,  /* --server, --ca-file, --token-file */
    TAKES_KEYS = 4,    /* --key */
    TAKES_ROOT = 8     /* --root */
};

#define DOES(code) (1U << EXIT_##code)
/* Every verb may end with these. */
#define DOES_LOCAL (DOES(YES) | DOES(USAGE) | DOES(INPUT) | DOES(LOCAL))
#define DOES_REMOTE (DOES_LOCAL | DOES(SERVER) | DOES(UNREACHABLE))

struct verb {
    const char *name;      /* "key new" */
    const char *arguments; /* as the help shows them: "FILE..." */
    int least;
    int most; /* -1: any number */
    enum complete complete;
    const char *words;
    int (*run)(struct call *c);
    const char *summary;          /* one line */
    const char *about;            /* paragraphs divided by empty lines */
    const struct option *options; /* ends with a name of NULL; may be NULL */
    unsigned takes;
    unsigned exits;
    const char *json;    /* "key meaning" lines: the result with --json */
    const char *example; /* lines */
};

extern const struct verb verbs[];
extern const size_t n_verbs;

/* Every option that a verb understands, shared ones last: calls `each` until
 * it returns true; returns that option or NULL. */
const struct option *
verb_option(const struct verb *verb,
            bool (*each)(const struct option *option, void *ctx), void *ctx);
/* The verb whose name is the first one or two words; *used says how many. */
const struct verb *verb_find(char *const *words, int n, int *used);
/* "key": is there a verb with two words that begins so? */
bool verb_is_group(const char *word);

/* "yes", "no", ... and the meaning of an exit code. */
const char *exit_meaning(int code);

bool verb_in_group(const struct verb *verb, const char *word);
/* EXIT_USAGE: the words name no verb, and which one may be meant. */
int verb_unknown(struct call *c, char *const *words, int n);
/* The help of an option as one phrase, with its choices. */
void option_phrase(const struct option *option, char *out, size_t size);

/* help.c: the verbs of a group, or all when it is NULL. */
void help_list(struct call *c, const char *group);
void help_verb(struct call *c, const struct verb *verb);
/* The list's lines alone. */
void help_lines(FILE *out, const char *group);
/* help_json.c */
void help_json_list(json_t *out, const char *group);
void help_json_verb(json_t *out, const struct verb *verb);
/* markdown.c */
void help_markdown(void);
/* man.c: a page in mdoc; NULL is bowline(1) itself. */
void man_page(const struct verb *verb, void *file);
/* Every page, as <folder>/bowline-key-new.1 and so on. */
int man_write_all(struct call *c, const char *folder);

#define VERB(name) int verb_##name(struct call *c)
VERB(init);
VERB(key_new);
VERB(key_show);
VERB(root_new);
VERB(root_sign);
VERB(root_show);
VERB(release);
VERB(inspect);
VERB(check_sdkconfig);
VERB(diff);
VERB(patch);
VERB(esp_sign);
VERB(esp_verify);
VERB(esp_digest);
VERB(publish);
VERB(push);
VERB(product_add);
VERB(product_list);
VERB(product_show);
VERB(product_set);
VERB(device_unmanaged);
VERB(rollout_start);
VERB(rollout_preview);
VERB(rollout_set);
VERB(rollout_plan);
VERB(rollout_apply);
VERB(rollout_approve);
VERB(rollout_deny);
VERB(rollout_retry);
VERB(rollout_return);
VERB(rollout_bucket);
VERB(release_list);
VERB(release_set);
VERB(release_promote);
VERB(release_show);
VERB(release_delta);
VERB(device_set);
VERB(device_why);
VERB(fleet_status);
VERB(rollout_status);
VERB(rollout_list);
VERB(rollout_pause);
VERB(rollout_resume);
VERB(rollout_abort);
VERB(rollout_advance);
VERB(device_add);
VERB(device_list);
VERB(device_show);
VERB(device_events);
VERB(device_remove);
VERB(device_rollback);
VERB(rollback);
VERB(permit);
VERB(server_init);
VERB(server_status);
VERB(user_add);
VERB(user_list);
VERB(user_set);
VERB(user_remove);
VERB(login_code);
VERB(token_new);
VERB(token_list);
VERB(token_revoke);
VERB(settings);
VERB(webhook_add);
VERB(webhook_list);
VERB(webhook_set);
VERB(webhook_remove);
VERB(webhook_test);
VERB(webhook_deliveries);
VERB(audit_list);
VERB(audit_export);
VERB(audit_verify);
VERB(conformance);
VERB(status_codes);
VERB(completion);
VERB(help);
VERB(version);
#undef VERB

#endif
