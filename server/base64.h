/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVER_BASE64_H
#define SERVER_BASE64_H

#include <stddef.h>
#include <stdint.h>

/* How many bytes were written, -1 when it is no base64 or has no room. */
int base64_decode(const char *text, uint8_t *out, size_t size);

#endif
