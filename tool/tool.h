/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tool: what every verb of `bowline` shares. One call of the program is one
 * struct call: the verb, its options, the project's settings, the result.
 *
 * A verb returns one of the exit codes below. When that is not EXIT_YES it
 * has set c->err, except for EXIT_NO, where what was printed is the answer.
 * With --json a verb prints nothing itself: main prints c->result.
 */
#ifndef TOOL_H
#define TOOL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "host/error.h"
#include "host/file.h"
#include "posix/crypto.h"
#include "verb.h"

enum { MANY = 64 }; /* arguments and options of one call */

struct given { /* an option that was given */
    const struct option *option;
    const char *value;
};

struct kept; /* text that lives as long as the call */
struct project;

struct call {
    const struct verb *verb;
    const char *argument[MANY];
    int n_arguments;
    struct given given[MANY];
    int n_given;
    bool json;
    bool quiet;
    bool color;
    struct project *project;
    struct kept *kept;
    json_t *result; /* an object, filled by the verb */
    struct error err;
};

/* --- Options (cli.c) ------------------------------------------------------
 */

/* Fills `c` from the words after the verb's name; 0 or EXIT_USAGE. */
int cli_parse(struct call *c, char **words, int n);
/* The last value given for an option of the verb; NULL when not given. */
const char *cli_value(const struct call *c, const char *name);
bool cli_flag(const struct call *c, const char *name);
/* Each value given for a repeated option; returns how many. */
int cli_values(const struct call *c, const char *name, const char *out[MANY]);
/* A number between `low` and `high`; `*out` is untouched when not given. */
int cli_number(struct call *c, const char *name, uint64_t low, uint64_t high,
               uint64_t *out);

/* --- Text (output.c) -------------------------------------------------------
 */

/* A line of the result for a person; silent with --json. */
void show(const struct call *c, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* A hint or a step, to stderr; silent with --json and --quiet. */
void note(const struct call *c, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Text that lives as long as the call; ends the program without memory. */
char *keep(struct call *c, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Drops what was kept since c->kept was `mark`; NULL: all. */
void keep_drop(struct call *c, const struct kept *mark);
/* Lower-case hex, kept. */
const char *keep_hex(struct call *c, const uint8_t *bytes, size_t n);
/* The bytes as printable text: what is not becomes \xNN. Kept. */
const char *keep_text(struct call *c, bl_span text);

enum color { PLAIN, GOOD, BAD, WARN, DIM, STRONG };
/* Escape sequence that begins a color, or "" when there is none. */
const char *color(const struct call *c, enum color which);
/* "name        value" with the names of one block aligned. */
void field(const struct call *c, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* "1.4 MB" */
const char *keep_size(struct call *c, uint64_t bytes);
/* "2026-01-31 12:00:00 UTC" */
const char *keep_time(struct call *c, uint64_t seconds);
/* "12 min ago" */
const char *keep_ago(struct call *c, uint64_t seconds);

/* --- Results ----------------------------------------------------------------
 */

/* Set a key of an object; a NULL text becomes null. */
void put_text(json_t *object, const char *key, const char *value);
void put_number(json_t *object, const char *key, uint64_t value);
void put_bool(json_t *object, const char *key, bool value);
void put(json_t *object, const char *key, json_t *value); /* takes it */

/* --- Project file (project.c) ----------------------------------------------
 */

/*
 * A setting of the project: from the option of the same name (with '-' for
 * '_'), the environment, or bowline.conf, in this order; NULL when none says.
 * Paths in the file are relative to its folder. A file that is there but
 * wrong is an error: c->err is set, *failed becomes true.
 */
int project_load(struct call *c);
const char *setting(struct call *c, const char *name);
/* The same; when missing sets c->err to what to do, and returns NULL. */
const char *setting_needed(struct call *c, const char *name);
/* release_keys: the --key options or the file's list. */
int setting_keys(struct call *c, const char *out[MANY]);
/* The same of any setting that is a list. */
int setting_list(struct call *c, const char *name, const char *out[MANY]);
void project_free(struct call *c);

/* --- Shared by verbs
 * --------------------------------------------------------- */

/* The message stays c->err; returns `code`: `return refuse(c, EXIT_INPUT)`. */
int refuse(struct call *c, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Reads a regular file of at most `limit` bytes; a folder, an empty file and
 * a file too large are one clear error each. EXIT_INPUT or 0. */
int read_input(struct call *c, const char *path, size_t limit,
               struct buffer *out);
/* Writes a file that must not be there yet, unless --force. */
int write_output(struct call *c, const char *path, bl_span content, int mode);

/* How signatures are checked: core with OpenSSL. */
#define tool_crypto posix_crypto

#endif
