/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Token bytes of deflate streams (deflate_code.h) that a writer takes: blocks
 * of each type and form, whole sets of code lengths, copies that reach back no
 * further than there is text. What makes no stream at all is refused at its
 * first bytes; these come to where the checks are.
 */
#ifndef FUZZ_TOKENS_H
#define FUZZ_TOKENS_H

#include "draw.h"

/* A stream's tokens: how many bytes, at most `room`. */
size_t tokens_draw(struct draw *d, uint8_t *out, size_t room);

/* The stream of those tokens, as far as they are ones. */
size_t tokens_stream(const uint8_t *tokens, size_t n, uint8_t *out,
                     size_t room);

#endif
