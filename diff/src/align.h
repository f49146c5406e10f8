/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which old bytes each part of the new image is made from: the cheapest way
 * through all matches, in estimated bits of patch (Viterbi: at each place the
 * shifts that are still worth it, each with its cost so far).
 */
#ifndef DIFF_ALIGN_H
#define DIFF_ALIGN_H

#include "match.h"
#include "plan.h"

/* Eager: changes of place and of bytes are taken to cost less, as they do in
 * images of which little has stayed. */
enum aligning { ALIGN_USUAL, ALIGN_EAGER };

int align(const uint8_t *old, uint32_t old_n, const uint8_t *new,
          uint32_t new_n, const struct matches *matches,
          enum aligning aligning, struct operations *out,
          const struct stop *stop, struct error *error);

#endif
