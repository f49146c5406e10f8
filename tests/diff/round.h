/* SPDX-License-Identifier: Apache-2.0 */
/* Made-up pairs (made.h) there and back: encoder, patch, decoder. */
#ifndef TESTS_DIFF_ROUND_H
#define TESTS_DIFF_ROUND_H

#include "bowline/sha256.h"
#include "host/error.h"

struct round {
    uint32_t first, count;
    struct bl_sha256 patches; /* of all patches, for comparing machines */
    uint64_t bytes_new, bytes_patches;
};

/* -1 with `error` at the first pair that does not come back. */
int round_all(struct round *r, struct error *error);

#endif
