/* SPDX-License-Identifier: Apache-2.0 */
/* The few header fields that the client reads; from a server, so hostile. */
#ifndef HTTP_HEADER_H
#define HTTP_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* If `line` is the field `name`, copies its trimmed value (false when it does
 * not fit) and returns true. */
bool http_header_value(const char *line, size_t n, const char *name, char *out,
                       size_t size);
/* "bytes 100-199/1000", or ".../" followed by an asterisk. */
bool http_content_range(const char *value, uint64_t *first, uint64_t *last);
/* Seconds, or an HTTP date; 0 when neither or past. */
uint32_t http_retry_after(const char *value, time_t now);

#endif
