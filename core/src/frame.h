/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BOWLINE_FRAME_H
#define BOWLINE_FRAME_H

/*
 * For a function with large locals whose caller goes on to others as deep:
 * inlined, both would stand on the stack at once.
 */
#if defined(__GNUC__) || defined(__clang__)
#define BL_APART __attribute__((noinline))
#else
#define BL_APART
#endif

#endif
