/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ArduinoOTA's both sides, and the package that is pushed. The input is a
 * script: a byte says what happens next, the bytes behind it what comes. What
 * must hold whatever comes: nothing is begun without the password's answer,
 * nothing ends unless size and MD5 are right, no text is too long.
 */
#include "bowline/arduino_ota.h"
#include "bowline/push_package.h"

#include <stdlib.h>

enum { SECRET_RUNS = 2 };

struct seen {
    uint32_t begun;
    uint32_t size;
    uint32_t took;
    uint32_t ended;
    struct bl_esp_md5 sum;
    struct bl_arduino_device *device;
};

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static bl_status random_bytes(void *ctx, void *out, size_t n)
{
    (void)ctx;
    memset(out, 0x5A, n);
    return BL_OK;
}

static const char *begin(void *ctx, uint16_t command, uint32_t size)
{
    struct seen *seen = ctx;

    must(size > 0);
    seen->begun++;
    seen->size = size;
    seen->took = 0;
    bl_esp_md5_init(&seen->sum);
    return command == BL_ARDUINO_FLASH ? NULL : "Only Firmware Is Taken";
}

static const char *data(void *ctx, const uint8_t *bytes, size_t n)
{
    struct seen *seen = ctx;

    must(n <= seen->size - seen->took);
    seen->took += (uint32_t)n;
    bl_esp_md5_update(&seen->sum, bytes, n);
    return NULL;
}

static const char *end(void *ctx)
{
    struct seen *seen = ctx;
    uint8_t digest[BL_ESP_MD5_SIZE];

    must(seen->took == seen->size);
    bl_esp_md5_final(&seen->sum, digest);
    must(memcmp(digest, seen->device->md5, sizeof digest) == 0);
    seen->ended++;
    return NULL;
}

/* --- The script -----------------------------------------------------------
 */

struct script {
    const uint8_t *p;
    size_t n;
};

static uint8_t next_byte(struct script *s)
{
    if (s->n == 0) {
        return 0;
    }
    s->n--;
    return *s->p++;
}

/* A copy of its own, so that one byte read too far is seen. */
static bl_span next_bytes(struct script *s, uint8_t **owner)
{
    size_t n = next_byte(s) * 2U;
    bl_span out;

    n = n < s->n ? n : s->n;
    *owner = malloc(n + 1);
    must(*owner != NULL);
    memcpy(*owner, s->p, n);
    out = bl_span_of(*owner, n);
    s->p += n;
    s->n -= n;
    return out;
}

static void drain_device(struct bl_arduino_device *d, uint64_t now)
{
    struct bl_arduino_action action;

    for (int i = 0; i < 8; i++) {
        bl_arduino_device_next(d, now, &action);
        must(action.text.n <= BL_ARDUINO_TEXT);
        if (action.todo == BL_ARDUINO_WAIT || action.todo == BL_ARDUINO_READ) {
            return;
        }
    }
}

static void device_step(struct bl_arduino_device *d, uint8_t what,
                        struct script *s, uint64_t now)
{
    uint8_t peer[4] = {10, 0, 0, (uint8_t)(what >> 6)};
    char reply[BL_ARDUINO_TEXT];
    uint8_t *owner = NULL;
    bl_span bytes = next_bytes(s, &owner);

    switch (what % 6) {
    case 0:
    case 1:
        must(bl_arduino_device_datagram(d, now, bl_span_of(peer, 4), bytes,
                                        reply) <= sizeof reply);
        break;
    case 2:
        bl_arduino_device_connected(d, now, (what & 64U) != 0);
        break;
    case 3:
        bl_arduino_device_data(d, now, bytes.p, bytes.n);
        break;
    case 4:
        bl_arduino_device_closed(d, now);
        break;
    default:
        bl_arduino_device_abort(d, now);
        break;
    }
    drain_device(d, now);
    free(owner);
}

static void run_device(bl_arduino_scheme scheme, struct script s)
{
    struct bl_arduino_device d;
    struct seen seen = {.device = &d};
    struct bl_arduino_device_config config = {
        .scheme = scheme,
        .random = random_bytes,
        .begin = begin,
        .data = data,
        .end = end,
        .ctx = &seen,
    };
    uint64_t now = 0;

    bl_arduino_secret_password(&config.secret, "fuzz", 4);
    must(bl_arduino_device_init(&d, &config) == BL_OK);
    while (s.n > 0) {
        uint8_t what = next_byte(&s);

        now += (uint64_t)next_byte(&s) * 50;
        device_step(&d, what, &s, now);
    }
    must(seen.ended <= seen.begun);
}

static void run_sender(struct script s)
{
    struct bl_arduino_sender_config config = {.port = 4000,
                                              .size = 3000,
                                              .has_secret = true,
                                              .random = random_bytes};
    struct bl_arduino_sender sender;
    struct bl_arduino_action action;
    uint64_t now = 0;
    uint32_t answers = 0;

    bl_arduino_secret_password(&config.secret, "fuzz", 4);
    bl_arduino_sender_init(&sender, &config, 0);
    while (s.n > 0 && answers < SECRET_RUNS) {
        uint8_t what = next_byte(&s);
        uint8_t *owner = NULL;
        bl_span bytes;

        now += (uint64_t)next_byte(&s) * 20;
        bl_arduino_sender_next(&sender, now, &action);
        must(action.offset + action.size <= config.size);
        must(action.text.n <= BL_ARDUINO_TEXT);
        must(strlen(sender.said) < sizeof sender.said);
        bytes = next_bytes(&s, &owner);
        if (what % 3 == 0) {
            bl_arduino_sender_datagram(&sender, now, bytes);
        } else if (what % 3 == 1) {
            bl_arduino_sender_connected(&sender, now);
        } else {
            bl_arduino_sender_data(&sender, now, bytes.p, bytes.n);
        }
        answers += sender.scheme == BL_ARDUINO_PBKDF2;
        free(owner);
    }
}

static void run_package(struct script s)
{
    uint8_t *envelope = malloc(300);
    struct bl_push_reader reader;
    struct bl_push_part part;
    bl_status status = BL_OK;

    must(envelope != NULL);
    bl_push_reader_init(&reader, envelope, 300);
    while (s.n > 0 && status == BL_OK) {
        uint8_t *owner = NULL;
        bl_span bytes = next_bytes(&s, &owner);

        do {
            size_t before = bytes.n;

            status = bl_push_take(&reader, &bytes, &part);
            must(bytes.n <= before);
            must(status != BL_OK || part.what != BL_PUSH_NOTHING ||
                 bytes.n == 0);
        } while (status == BL_OK && bytes.n > 0);
        free(owner);
    }
    free(envelope);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct script s = {bytes, size};

    switch (next_byte(&s) % 6) {
    case 0:
    case 1:
        run_device(BL_ARDUINO_OPEN, s);
        break;
    case 2:
        run_device(BL_ARDUINO_MD5, s);
        break;
    case 3:
        run_device(BL_ARDUINO_PBKDF2, s);
        break;
    case 4:
        run_sender(s);
        break;
    default:
        run_package(s);
        break;
    }
    return 0;
}
