/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where bytes of the new image could come from: at each place of the new
 * image the longest match in the old one, by a suffix array. Works on masked
 * images (mask.h), so that moved references do not break a match.
 */
#ifndef DIFF_MATCH_H
#define DIFF_MATCH_H

#include "diff/diff.h"

/* From `at` in the new image on, old bytes at `at` + `shift` match. */
struct match {
    uint32_t at;
    int32_t shift;
};

struct matches {
    struct match *m; /* by `at` */
    uint32_t n, room;
};

struct stop; /* progress.h */

/* Matches of at least `least` bytes. */
int matches_find(const uint8_t *old, uint32_t old_n, const uint8_t *new,
                 uint32_t new_n, uint32_t least, struct matches *out,
                 const struct stop *stop, struct error *error);
void matches_free(struct matches *m);

#endif
