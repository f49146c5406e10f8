/* SPDX-License-Identifier: Apache-2.0 */
#include "base64.h"

#include <string.h>

static int digit(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int base64_decode(const char *text, uint8_t *out, size_t size)
{
    size_t n = strlen(text);
    size_t written = 0;
    uint32_t bits = 0;
    int have = 0;

    if (n % 4 != 0) {
        return -1;
    }
    while (n > 0 && text[n - 1] == '=' && n % 4 != 2) {
        n--;
    }
    for (size_t i = 0; i < n; i++) {
        int d = digit(text[i]);

        if (d < 0) {
            return -1;
        }
        bits = bits << 6 | (uint32_t)d;
        have += 6;
        if (have >= 8) {
            if (written == size) {
                return -1;
            }
            have -= 8;
            out[written++] = (uint8_t)(bits >> have);
        }
    }
    return (int)written;
}
