/* SPDX-License-Identifier: Apache-2.0 */
/* Checksums of what a deflate stream holds, from its units. */
#ifndef DIFF_INFLATED_H
#define DIFF_INFLATED_H

#include "members.h"

struct sums {
    uint32_t crc32;
    uint32_t adler32;
};

/* The units are one whole stream of `inflated` bytes. */
int inflated_sums(const struct bl_member_unit *units, uint32_t n,
                  uint32_t inflated, struct sums *out, struct error *error);

#endif
