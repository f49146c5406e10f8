/* SPDX-License-Identifier: Apache-2.0 */
/* A sender and a device of ArduinoOTA in one process, and what passed between
 * them; shared by the tests of both. */
#ifndef TESTS_ARDUINO_PAIR_H
#define TESTS_ARDUINO_PAIR_H

#include "bowline/arduino_ota.h"

enum { PAIR_FILE = 5000, PAIR_LINES = 32 };

/* What the device's application saw. */
struct pair_sink {
    uint8_t file[PAIR_FILE];
    uint32_t n;
    uint32_t begun;
    uint32_t ended;
    uint32_t errors;
    bl_arduino_error error;
    char why[BL_ARDUINO_TEXT];
    const char *refuse_begin; /* NULL: does not */
    const char *refuse_data;
    const char *refuse_end;
    const uint8_t *random; /* what the random source gives; NULL: fails */
};

/* A configuration whose callbacks fill `sink`. */
struct bl_arduino_device_config pair_device(struct pair_sink *sink,
                                            bl_arduino_scheme scheme,
                                            const char *password);
/* A sender's for `file`; NULL: no password. `random` as above. */
struct bl_arduino_sender_config pair_sender(bl_span file, const char *password,
                                            const uint8_t **random);

bl_span pair_text(const char *text);

struct pair {
    struct bl_arduino_device device;
    struct bl_arduino_sender sender;
    bl_span file;
    uint64_t now_ms;
    bool connected;
    uint32_t cut_after; /* the connection breaks after so many bytes, 0: not */
    bool restart;
    uint32_t steps;
};

/* Carries everything to and fro until the sender is done or failed, or
 * 100000 steps have passed (then false). */
bool pair_run(struct pair *p);

#endif
