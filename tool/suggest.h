/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUGGEST_H
#define SUGGEST_H

#include <stddef.h>

enum { SUGGEST_WORD = 40 }; /* longer ones are not compared */

/* Begin with `typed` alone; offer each word there is; `word` is then the
 * nearest, or NULL when none is near. */
struct suggest {
    const char *typed;
    const char *word;
    size_t n; /* of `word`, which need not end there */
    size_t far;
};

void suggest_offer(struct suggest *s, const char *word, size_t n);

#endif
