/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of ArduinoOTA share; see bowline/arduino_ota.h. */
#ifndef BOWLINE_ARDUINO_PRIVATE_H
#define BOWLINE_ARDUINO_PRIVATE_H

#include "bowline/arduino_ota.h"

enum { BL_ARDUINO_AUTH = 200 };

/* --- arduino_text.c -------------------------------------------------------
 */

/* Appends to text that ends with a zero byte; what does not fit is cut. */
struct bl_arduino_writer {
    char *at;
    size_t n;
    size_t size;
};

void bl_arduino_begin(struct bl_arduino_writer *w, char *out, size_t size);
void bl_arduino_put(struct bl_arduino_writer *w, const char *text);
void bl_arduino_put_bytes(struct bl_arduino_writer *w, bl_span bytes);
void bl_arduino_put_number(struct bl_arduino_writer *w, uint32_t number);

/* Lower-case hex and a zero byte: 2 n + 1 bytes of `out`. */
void bl_arduino_hex(const uint8_t *bytes, size_t n, char *out);
/* Of either case, exactly n bytes' worth. */
bool bl_arduino_unhex(bl_span text, uint8_t *out, size_t n);

/* "0 3232 5000 a7db...\n" and "200 <cnonce> <response>\n", strictly. */
struct bl_arduino_invitation {
    uint16_t command;
    uint16_t port;
    uint32_t size;
    uint8_t md5[BL_ESP_MD5_SIZE];
};

bool bl_arduino_read_invitation(bl_span datagram,
                                struct bl_arduino_invitation *out);
bool bl_arduino_read_answer(bl_span datagram, bl_span *cnonce,
                            bl_span *response);
bool bl_arduino_starts(bl_span text, const char *with);

/* --- arduino_secret.c -----------------------------------------------------
 */

/* MD5hex(secret:nonce:cnonce). */
void bl_arduino_answer_md5(const char *secret, bl_span nonce, bl_span cnonce,
                           char out[33]);
/* SHA256hex(K:nonce:cnonce), K = PBKDF2-HMAC-SHA256(secret, nonce:cnonce). */
void bl_arduino_answer_pbkdf2(const char *secret, bl_span nonce,
                              bl_span cnonce, char out[65]);

#endif
