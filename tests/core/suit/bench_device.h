/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device for interpreter tests. Components 'a' to 'd' of four bytes each,
 * 'd' read-only and holding "dddd"; all are in slot 1. What runs leaves a
 * trace, one word each:
 *
 *   27     update-authorized was asked with that priority; it agrees when
 *          that is not negative
 *   a=aaaa a was written with that
 *   a<b    b was copied to a
 *   a<b+d  a was built from the patch b and the base d; it then gets four
 *          bytes of the patch's first
 *   a?uri  a is to be fetched; it then gets four bytes of the URI's last
 *          letter
 *   !a     a is to be invoked
 */
#ifndef TESTS_SUIT_BENCH_DEVICE_H
#define TESTS_SUIT_BENCH_DEVICE_H

#include "bowline/suit.h"

struct bench {
    struct bl_suit_platform platform;
    uint8_t content[4][4];
    bool present[4];
    bl_status copy_status; /* what copy and apply answer */
    char trace[2000];
    unsigned events;
};

void bench_init(struct bench *b);

/* Scans and runs a manifest; everything that was done is in the trace. */
bl_status bench_run(struct bench *b, bl_span manifest,
                    bl_suit_procedure procedure);

/*
 * A manifest with `n` components, whose shared sequence checks vendor and
 * class and goes on with `shared`, and with `sections`, e.g.
 * "20: <[27 15]>". To be freed with free_bytes.
 */
bl_span bench_manifest(unsigned n, const char *shared, const char *sections);
void free_bytes(bl_span bytes);

#endif
