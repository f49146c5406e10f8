/* SPDX-License-Identifier: Apache-2.0 */
#include "host/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 256 };

/* The next size to hold `need` bytes and the zero behind them; doubling keeps
 * the number of copies small, the limit keeps the last step exact. */
static size_t next_capacity(const struct buffer *b, size_t need)
{
    size_t capacity =
        b->capacity < FIRST_CAPACITY ? FIRST_CAPACITY : b->capacity;

    while (capacity <= need) {
        if (capacity > SIZE_MAX / 2) {
            return need + 1;
        }
        capacity *= 2;
    }
    if (capacity > b->limit && b->limit < SIZE_MAX) {
        return b->limit + 1;
    }
    return capacity;
}

int buffer_reserve(struct buffer *b, size_t n, struct error *err)
{
    size_t capacity;
    uint8_t *p;

    if (b->n > b->limit || n > b->limit - b->n || n >= SIZE_MAX - b->n) {
        return error_set(err, "%zu bytes and %zu more: over the limit of %zu",
                         b->n, n, b->limit);
    }
    if (b->p != NULL && b->n + n < b->capacity) {
        return 0;
    }
    capacity = next_capacity(b, b->n + n);
    p = realloc(b->p, capacity);
    if (p == NULL) {
        return error_set(err, "out of memory for %zu bytes", capacity);
    }
    b->p = p;
    b->capacity = capacity;
    return 0;
}

int buffer_append(struct buffer *b, const void *data, size_t n,
                  struct error *err)
{
    if (buffer_reserve(b, n, err) != 0) {
        return -1;
    }
    if (n > 0) {
        memcpy(b->p + b->n, data, n);
    }
    b->n += n;
    b->p[b->n] = 0;
    return 0;
}

int buffer_printf(struct buffer *b, struct error *err, const char *format, ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0) {
        return error_set(err, "text could not be formatted");
    }
    if (buffer_reserve(b, (size_t)n, err) != 0) {
        return -1;
    }
    va_start(args, format);
    (void)vsnprintf((char *)b->p + b->n, (size_t)n + 1, format, args);
    va_end(args);
    b->n += (size_t)n;
    return 0;
}

void buffer_clear(struct buffer *b)
{
    b->n = 0;
    if (b->p != NULL) {
        b->p[0] = 0;
    }
}

void buffer_free(struct buffer *b)
{
    free(b->p);
    b->p = NULL;
    b->n = 0;
    b->capacity = 0;
}

void buffer_wipe(struct buffer *b)
{
    volatile uint8_t *p = b->p;
    size_t i;

    /* volatile: a plain memset before free may be left out */
    for (i = 0; p != NULL && i < b->capacity; i++) {
        p[i] = 0;
    }
    buffer_free(b);
}

bl_span buffer_span(const struct buffer *b)
{
    return bl_span_of(b->p, b->n);
}
