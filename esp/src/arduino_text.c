/* SPDX-License-Identifier: Apache-2.0 */
/* ArduinoOTA's datagrams as text: written and read, without a C library. */
#include "arduino_private.h"

void bl_arduino_begin(struct bl_arduino_writer *w, char *out, size_t size)
{
    w->at = out;
    w->n = 0;
    w->size = size;
    out[0] = '\0';
}

void bl_arduino_put_bytes(struct bl_arduino_writer *w, bl_span bytes)
{
    size_t room = w->size - 1 - w->n;
    size_t n = bytes.n < room ? bytes.n : room;

    if (n > 0) {
        memcpy(w->at + w->n, bytes.p, n);
    }
    w->n += n;
    w->at[w->n] = '\0';
}

void bl_arduino_put(struct bl_arduino_writer *w, const char *text)
{
    bl_arduino_put_bytes(w, bl_span_of(text, strlen(text)));
}

void bl_arduino_put_number(struct bl_arduino_writer *w, uint32_t number)
{
    char digits[10];
    size_t n = sizeof(digits);

    do {
        digits[--n] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    bl_arduino_put_bytes(w, bl_span_of(digits + n, sizeof(digits) - n));
}

void bl_arduino_hex(const uint8_t *bytes, size_t n, char *out)
{
    static const char digit[] = "0123456789abcdef";

    for (size_t i = 0; i < n; i++) {
        *out++ = digit[bytes[i] >> 4];
        *out++ = digit[bytes[i] & 15U];
    }
    *out = '\0';
}

/* 16: no digit. */
static uint8_t hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return (uint8_t)(c - '0');
    }
    if (c >= 'a' && c <= 'f') {
        return (uint8_t)(c - 'a' + 10);
    }
    if (c >= 'A' && c <= 'F') {
        return (uint8_t)(c - 'A' + 10);
    }
    return 16;
}

bool bl_arduino_unhex(bl_span text, uint8_t *out, size_t n)
{
    if (text.n != 2 * n) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        uint8_t high = hex_digit(text.p[2 * i]);
        uint8_t low = hex_digit(text.p[2 * i + 1]);

        if (high > 15 || low > 15) {
            return false;
        }
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

bool bl_arduino_starts(bl_span text, const char *with)
{
    size_t n = strlen(with);

    return text.n >= n && memcmp(text.p, with, n) == 0;
}

/* --- Reading: words divided by one space each, a line's end ---------------
 */

static bl_span next_word(bl_span *rest)
{
    bl_span word = *rest;
    size_t n = 0;

    while (n < rest->n && rest->p[n] != ' ') {
        n++;
    }
    word.n = n;
    if (n < rest->n) {
        n++; /* the space */
    }
    rest->p += n;
    rest->n -= n;
    return word;
}

/* Tools send one, some with a return before it, and some none. */
static bl_span without_end(bl_span line)
{
    if (line.n > 0 && line.p[line.n - 1] == '\n') {
        line.n--;
    }
    if (line.n > 0 && line.p[line.n - 1] == '\r') {
        line.n--;
    }
    return line;
}

static bool read_number(bl_span word, uint32_t most, uint32_t *out)
{
    uint32_t v = 0;

    if (word.n == 0 || word.n > 10) {
        return false;
    }
    for (size_t i = 0; i < word.n; i++) {
        uint32_t digit = (uint32_t)word.p[i] - '0';

        if (word.p[i] < '0' || digit > 9 || v > (most - digit) / 10) {
            return false;
        }
        v = v * 10 + digit;
    }
    *out = v;
    return true;
}

bool bl_arduino_read_invitation(bl_span datagram,
                                struct bl_arduino_invitation *out)
{
    bl_span rest = without_end(datagram);
    uint32_t command = 0;
    uint32_t port = 0;
    uint32_t size = 0;

    if (!read_number(next_word(&rest), 199, &command) ||
        !read_number(next_word(&rest), 65535, &port) || port == 0 ||
        !read_number(next_word(&rest), UINT32_MAX, &size) ||
        !bl_arduino_unhex(rest, out->md5, sizeof(out->md5))) {
        return false;
    }
    out->command = (uint16_t)command;
    out->port = (uint16_t)port;
    out->size = size;
    return true;
}

static bool is_hex(bl_span text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (hex_digit(text.p[i]) > 15) {
            return false;
        }
    }
    return text.n == 32 || text.n == 64;
}

bool bl_arduino_read_answer(bl_span datagram, bl_span *cnonce,
                            bl_span *response)
{
    bl_span rest = without_end(datagram);
    uint32_t command = 0;

    if (!read_number(next_word(&rest), BL_ARDUINO_AUTH, &command) ||
        command != BL_ARDUINO_AUTH) {
        return false;
    }
    *cnonce = next_word(&rest);
    *response = rest;
    return is_hex(*cnonce) && is_hex(*response);
}
