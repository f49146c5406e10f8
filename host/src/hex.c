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

/* No branch on the digit: secrets pass here. */
static int value(char c)
{
    unsigned digit = (unsigned)(uint8_t)c - '0';
    unsigned letter = ((unsigned)(uint8_t)c | 0x20) - 'a';
    int number = digit < 10 ? (int)digit : -1;

    return letter < 6 ? (int)letter + 10 : number;
}

int hex_decode(const char *text, size_t text_n, uint8_t *out, size_t n)
{
    int bad = 0;

    if (n > SIZE_MAX / 2 || text_n != 2 * n) {
        return -1;
    }
    for (size_t i = 0; i < n; i++) {
        int high = value(text[2 * i]);
        int low = value(text[2 * i + 1]);

        bad |= high | low; /* negative when one is */
        out[i] = (uint8_t)((unsigned)high << 4 | (unsigned)low);
    }
    return bad < 0 ? -1 : 0;
}
