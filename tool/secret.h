/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets come from files and go to files; none is ever an argument. */
#ifndef SECRET_H
#define SECRET_H

#include "tool.h"

/* The first line of a file that is its owner's alone, as text: 0 or an exit
 * code. Wipe it (buffer_wipe) in either case. */
int secret_read(struct call *c, const char *path, struct buffer *out);
/* The same line becomes body[key].
 * NULL: nothing is done. 0 or an exit code. */
int secret_in(struct call *c, const char *path, json_t *body, const char *key);
/* Into a file of mode 0600; "-": shown, and the result's `key`. */
int secret_out(struct call *c, const char *path, const char *key,
               const char *secret);

#endif
