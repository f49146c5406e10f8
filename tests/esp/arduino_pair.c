/* SPDX-License-Identifier: Apache-2.0 */
#include "arduino_pair.h"

#include <stdio.h>

static const uint8_t peer[4] = {192, 168, 1, 2};

bl_span pair_text(const char *text)
{
    return bl_span_of(text, strlen(text));
}

static bl_status give(const uint8_t *random, void *out, size_t n)
{
    if (random == NULL) {
        return BL_FLASH;
    }
    memcpy(out, random, n);
    return BL_OK;
}

static bl_status sink_random(void *ctx, void *out, size_t n)
{
    const struct pair_sink *sink = ctx;

    return give(sink->random, out, n);
}

static bl_status sender_random(void *ctx, void *out, size_t n)
{
    const uint8_t *const *random = ctx;

    return give(*random, out, n);
}

static const char *begin(void *ctx, uint16_t command, uint32_t size)
{
    struct pair_sink *sink = ctx;

    if (command != BL_ARDUINO_FLASH || size > PAIR_FILE) {
        return "Not Enough Space";
    }
    sink->begun++;
    sink->n = 0;
    return sink->refuse_begin;
}

static const char *data(void *ctx, const uint8_t *bytes, size_t n)
{
    struct pair_sink *sink = ctx;

    if (n > PAIR_FILE - sink->n) {
        return "Not Enough Space";
    }
    memcpy(sink->file + sink->n, bytes, n);
    sink->n += (uint32_t)n;
    return sink->refuse_data;
}

static const char *end(void *ctx)
{
    struct pair_sink *sink = ctx;

    sink->ended++;
    return sink->refuse_end;
}

static void error(void *ctx, bl_arduino_error which, const char *why)
{
    struct pair_sink *sink = ctx;

    sink->errors++;
    sink->error = which;
    (void)snprintf(sink->why, sizeof sink->why, "%s", why);
}

struct bl_arduino_device_config pair_device(struct pair_sink *sink,
                                            bl_arduino_scheme scheme,
                                            const char *password)
{
    struct bl_arduino_device_config config = {
        .scheme = scheme,
        .random = sink_random,
        .begin = begin,
        .data = data,
        .end = end,
        .error = error,
        .ctx = sink,
    };

    if (password != NULL) {
        bl_arduino_secret_password(&config.secret, password, strlen(password));
    }
    return config;
}

struct bl_arduino_sender_config pair_sender(bl_span file, const char *password,
                                            const uint8_t **random)
{
    struct bl_arduino_sender_config config = {
        .port = 4000,
        .size = (uint32_t)file.n,
        .has_secret = password != NULL,
        .random = sender_random,
        .ctx = random,
    };

    bl_esp_md5(file.p, file.n, config.md5);
    if (password != NULL) {
        bl_arduino_secret_password(&config.secret, password, strlen(password));
    }
    return config;
}

/* --- Carrying -------------------------------------------------------------
 */

/* In reads of uneven sizes, as a network makes them. */
static void to_device(struct pair *p, bl_span bytes)
{
    while (bytes.n > 0 && p->connected) {
        size_t n = 1 + (p->steps * 7919U) % BL_ARDUINO_READ_MOST;

        n = n < bytes.n ? n : bytes.n;
        bl_arduino_device_data(&p->device, p->now_ms, bytes.p, n);
        bytes.p += n;
        bytes.n -= n;
        p->steps++;
    }
}

static void cut(struct pair *p)
{
    p->connected = false;
    bl_arduino_device_closed(&p->device, p->now_ms);
    bl_arduino_sender_data(&p->sender, p->now_ms, NULL, 0);
}

/* True: it did something. */
static bool sender_step(struct pair *p)
{
    struct bl_arduino_action action;
    char reply[BL_ARDUINO_TEXT];
    size_t n;

    bl_arduino_sender_next(&p->sender, p->now_ms, &action);
    if (action.todo == BL_ARDUINO_DATAGRAM) {
        n = bl_arduino_device_datagram(&p->device, p->now_ms,
                                       bl_span_of(peer, sizeof peer),
                                       action.text, reply);
        if (n > 0) {
            bl_arduino_sender_datagram(&p->sender, p->now_ms,
                                       bl_span_of(reply, n));
        }
        return true;
    }
    if (action.todo != BL_ARDUINO_SEND_FILE) {
        return false;
    }
    if (p->cut_after != 0 && action.offset >= p->cut_after) {
        cut(p);
    } else {
        to_device(p, bl_span_of(p->file.p + action.offset, action.size));
    }
    return true;
}

static bool device_step(struct pair *p)
{
    struct bl_arduino_action action;

    bl_arduino_device_next(&p->device, p->now_ms, &action);
    switch (action.todo) {
    case BL_ARDUINO_CONNECT:
        p->connected = true;
        bl_arduino_sender_connected(&p->sender, p->now_ms);
        bl_arduino_device_connected(&p->device, p->now_ms, true);
        return true;
    case BL_ARDUINO_SEND:
        if (p->connected) {
            bl_arduino_sender_data(&p->sender, p->now_ms, action.text.p,
                                   action.text.n);
        }
        return true;
    case BL_ARDUINO_CLOSE:
        if (p->connected) {
            bl_arduino_sender_data(&p->sender, p->now_ms, NULL, 0);
        }
        p->connected = false;
        return true;
    case BL_ARDUINO_RESTART:
        p->restart = true;
        return true;
    default:
        return false;
    }
}

static bool over(struct pair *p)
{
    struct bl_arduino_action action;

    bl_arduino_sender_next(&p->sender, p->now_ms, &action);
    return action.todo == BL_ARDUINO_DONE || action.todo == BL_ARDUINO_FAILED;
}

bool pair_run(struct pair *p)
{
    uint32_t last = p->steps + 100000;

    while (p->steps < last) {
        bool busy = sender_step(p);

        busy = device_step(p) || busy;
        if (!busy) {
            if (over(p) && !p->device.busy) {
                return true;
            }
            p->now_ms += 20;
        }
        p->steps++;
    }
    return false;
}
