/* SPDX-License-Identifier: Apache-2.0 */
#include "host/file.h"

void hex_encode(const uint8_t *bytes, size_t n, char *out)
{
    static const char digit[] = "0123456789abcdef";
    size_t i;

    for (i = 0; i < n; i++) {
        out[2 * i] = digit[bytes[i] >> 4];
        out[2 * i + 1] = digit[bytes[i] & 15];
    }
    out[2 * n] = 0;
}

static int value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

int hex_decode(const char *text, size_t text_n, uint8_t *out, size_t n)
{
    size_t i;
    int high;
    int low;

    if (n > SIZE_MAX / 2 || text_n != 2 * n) {
        return -1;
    }
    for (i = 0; i < n; i++) {
        high = value(text[2 * i]);
        low = value(text[2 * i + 1]);
        if (high < 0 || low < 0) {
            return -1;
        }
        out[i] = (uint8_t)(high * 16 + low);
    }
    return 0;
}
