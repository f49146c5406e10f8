/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A decoder that stands in for libbowline-delta, for patches of three kinds
 * of operations. It does what bowline/delta.h says, and breaks where a test
 * wants it to.
 */
#ifndef TESTS_CLIENT_DOUBLE_H
#define TESTS_CLIENT_DOUBLE_H

#include "bowline/delta.h"

enum {
    DOUBLE_HEAD = 24,
    DOUBLE_QUANTUM = 512,
    DOUBLE_COPY = 'C',    /* u32 from, u32 n: of the old image */
    DOUBLE_AGAIN = 'A',   /* u32 from, u32 n: of the new image */
    DOUBLE_LITERAL = 'L', /* u32 n, u32 0, n bytes */
    DOUBLE_BAD = 'X'      /* is no operation */
};

/* Another build of the decoder: it does not know what was kept before. */
extern uint32_t double_build;
/* What the decoders of this process have put out, in all. */
extern uint64_t double_output;

#endif
