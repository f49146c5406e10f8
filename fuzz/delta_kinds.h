/* SPDX-License-Identifier: Apache-2.0 */
/* The old images that patches of the fuzzers are for: by a number, small. */
#ifndef FUZZ_DELTA_KINDS_H
#define FUZZ_DELTA_KINDS_H

#include <string.h>

#include "made.h"

enum { KINDS = 4 * BL_DELTA_ISAS, KIND_FUNCTIONS = 3 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
                               unsigned int seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

/* Image `kind` and, by `later`, a version that follows it. */
static inline void kind_images(uint32_t kind, uint32_t later, struct made *m)
{
    struct dice d = {kind % KINDS + 1};
    struct dice e = {later};

    made_images(&d, kind % KINDS, KIND_FUNCTIONS, m);
    if (later % 4 == 1) {
        mutate(&e, m->now, &m->now_n, MADE_ROOM / 2);
    } else if (later % 4 == 2) {
        memcpy(m->now, m->old, m->old_n);
        m->now_n = m->old_n;
        mutate(&e, m->now, &m->now_n, MADE_ROOM / 2);
    }
}

#endif
