/* SPDX-License-Identifier: Apache-2.0 */
/* The field Range of a request, RFC 9110 section 14: one range of bytes. No
 * I/O. */
#ifndef SERVER_RANGE_H
#define SERVER_RANGE_H

#include <stdbool.h>
#include <stdint.h>

enum range_kind {
    RANGE_WHOLE, /* none, or one that is answered with the whole */
    RANGE_PART,
    RANGE_BEYOND /* it begins behind the end: 416 */
};

struct range {
    uint64_t from;
    uint64_t n;
    bool open; /* "bytes=N-": whoever asks goes on where it was cut off */
};

/*
 * `text` may be NULL. An end behind the last byte is cut: esp_https_ota may
 * ask for one byte too many. Several ranges, other units and what is no range
 * are answered with the whole, as the RFC lets one.
 */
enum range_kind range_read(const char *text, uint64_t size, struct range *out);

#endif
