/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing buffer with a maximum given at birth; growing past it fails.
 * `= BUFFER(limit)` initialises one. Zero-terminated after every append, the
 * zero not counted.
 */
#ifndef HOST_BUFFER_H
#define HOST_BUFFER_H

#include "bowline/span.h"
#include "host/error.h"

struct buffer {
    uint8_t *p;
    size_t n;
    size_t capacity;
    size_t limit;
};

#define BUFFER(max)                                                           \
    {                                                                         \
        NULL, 0, 0, (max)                                                     \
    }

int buffer_append(struct buffer *b, const void *data, size_t n,
                  struct error *err);
int buffer_printf(struct buffer *b, struct error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Room for `n` more bytes, to be written by the caller; then add to b->n. */
int buffer_reserve(struct buffer *b, size_t n, struct error *err);
void buffer_clear(struct buffer *b); /* keeps the memory */
void buffer_free(struct buffer *b);  /* and makes it empty */
/* Overwrites before it frees: for secrets. */
void buffer_wipe(struct buffer *b);
bl_span buffer_span(const struct buffer *b);

#endif
