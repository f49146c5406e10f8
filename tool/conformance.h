/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conformance: published test vectors through core, and what came out beside
 * what was to be expected. Files are recognised by their content: envelopes,
 * root documents, tickets and reports of the Bowline profile, the examples of
 * draft-ietf-suit-manifest, COSE, HSS/LMS and its parameter sets, and
 * Wycheproof's signatures and MACs, patches of docs/DELTA.md.
 */
#ifndef CONFORMANCE_H
#define CONFORMANCE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum {
    CONFORMANCE_SAME = 0,
    CONFORMANCE_DIFFERS = 1,
    CONFORMANCE_ERROR = 2, /* a file that cannot be read */
    CONFORMANCE_MESSAGE = 400
};

/*
 * Runs every vector of `n` files. Each gets a line on `out` (when not NULL)
 * and an object in the array "vectors" of `result` (when not NULL), which
 * also gets the counts "same", "differs", "unsupported". What this build does
 * not support is named and counted apart, never left out. On
 * CONFORMANCE_ERROR `error` says which file and why.
 */
int conformance_check(const char *const *files, size_t n, FILE *out,
                      json_t *result, char error[CONFORMANCE_MESSAGE]);

/* The same for a program: text or one JSON object on `out`, errors on
 * stderr. */
int conformance_run(const char *const *files, size_t n, bool json, FILE *out);

#endif
