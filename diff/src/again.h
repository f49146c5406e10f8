/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes of literals that stand in the new image before: cheaper said by where.
 */
#ifndef DIFF_AGAIN_H
#define DIFF_AGAIN_H

#include "plan.h"

/* `out` begins empty: the operations with literals split where it pays. */
int again_find(const uint8_t *now, uint32_t n, const struct operations *in,
               struct operations *out, struct error *error);

#endif
