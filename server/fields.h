/* SPDX-License-Identifier: Apache-2.0 */
/* The header fields of a request, looked at before the application sees
 * them: what two parsers might read differently ends the connection. */
#ifndef SERVER_FIELDS_H
#define SERVER_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zero before the first field. */
struct fields {
    int n_lengths;
    int n_hosts;
    int n_encodings;
    int n_auths;
    bool bad;
    const char *length;
};

/* `value` may be NULL. */
void fields_add(struct fields *f, const char *name, size_t name_n,
                const char *value, size_t value_n);

/* NULL when all is well, and the length is set, 0 without a body; else what
 * is wrong, and the status to refuse with. */
const char *fields_problem(const struct fields *f, int *status,
                           uint64_t *content_length);

/* Percent-decodes in place; returns the new length. What stands for no text,
 * NUL, becomes 1: a path must not seem to end there. */
size_t fields_unescape(char *text);
/* Has a path characters that no path here has: NUL, controls? */
bool fields_path_bad(const char *path);

#endif
