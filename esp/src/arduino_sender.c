/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ArduinoOTA's sending side, what espota.py does. Devices in the field merge
 * and split their acknowledgements: digits are only taken as "go on", "OK" is
 * success, any other letter begins an error's text.
 */
#include "arduino_private.h"

enum {
    PHASE_INVITE,
    PHASE_INVITED,
    PHASE_ANSWERED, /* the password's answer is on its way */
    PHASE_ACCEPT,   /* it said OK: it will connect */
    PHASE_SEND,
    PHASE_RESULT, /* the file is sent */
    PHASE_ERROR,  /* an error's text has begun: its rest, for a moment */
    PHASE_END
};

enum {
    INVITE_MS = 1000,
    ANSWER_MS = 10000, /* small chips compute PBKDF2 for seconds */
    ACCEPT_MS = 10000,
    ERROR_MS = 500
};

static void go(struct bl_arduino_sender *s, uint8_t phase, uint64_t now_ms)
{
    s->phase = phase;
    s->since_ms = now_ms;
}

static void fail(struct bl_arduino_sender *s, bl_arduino_failure failure)
{
    s->failure = failure;
    s->phase = PHASE_END;
    s->send = false;
}

static uint32_t or_else(uint32_t given, uint32_t otherwise)
{
    return given != 0 ? given : otherwise;
}

void bl_arduino_sender_init(struct bl_arduino_sender *s,
                            const struct bl_arduino_sender_config *config,
                            uint64_t now_ms)
{
    memset(s, 0, sizeof(*s));
    s->config = *config;
    s->config.answer_s = or_else(config->answer_s, 10);
    s->config.ack_s = or_else(config->ack_s, 10);
    s->config.result_s = or_else(config->result_s, 60);
    s->begun_ms = now_ms;
    go(s, PHASE_INVITE, now_ms);
}

/* --- What is said ---------------------------------------------------------
 */

/* What a device says goes to a terminal: nothing but printable ASCII. */
static void hear(struct bl_arduino_sender *s, bl_span text)
{
    for (size_t i = 0; i < text.n && s->said_n + 1 < sizeof(s->said); i++) {
        uint8_t c = text.p[i];

        if (c >= ' ' && c <= '~') {
            s->said[s->said_n++] = (char)c;
        }
    }
    s->said[s->said_n] = '\0';
}

static void hear_anew(struct bl_arduino_sender *s, bl_span text)
{
    s->said_n = 0;
    hear(s, text);
}

static void invite(struct bl_arduino_sender *s, uint64_t now_ms)
{
    const struct bl_arduino_sender_config *c = &s->config;
    struct bl_arduino_writer w;
    char md5[2 * BL_ESP_MD5_SIZE + 1];

    bl_arduino_hex(c->md5, sizeof(c->md5), md5);
    bl_arduino_begin(&w, s->text, sizeof(s->text));
    bl_arduino_put_number(&w, c->command);
    bl_arduino_put(&w, " ");
    bl_arduino_put_number(&w, c->port);
    bl_arduino_put(&w, " ");
    bl_arduino_put_number(&w, c->size);
    bl_arduino_put(&w, " ");
    bl_arduino_put(&w, md5);
    bl_arduino_put(&w, "\n");
    s->text_n = w.n;
    s->send = true;
    go(s, PHASE_INVITED, now_ms);
}

/* --- Passwords ------------------------------------------------------------
 */

static const char *pbkdf2_secret(const struct bl_arduino_sender *s)
{
    const struct bl_arduino_secret *secret = &s->config.secret;

    return s->weak || secret->sha256[0] == '\0' ? secret->md5 : secret->sha256;
}

static void write_answer(struct bl_arduino_sender *s, const char *cnonce,
                         const char *response)
{
    struct bl_arduino_writer w;

    bl_arduino_begin(&w, s->text, sizeof(s->text));
    bl_arduino_put_number(&w, BL_ARDUINO_AUTH);
    bl_arduino_put(&w, " ");
    bl_arduino_put(&w, cnonce);
    bl_arduino_put(&w, " ");
    bl_arduino_put(&w, response);
    bl_arduino_put(&w, "\n");
    s->text_n = w.n;
    s->send = true;
}

static void answer(struct bl_arduino_sender *s, uint64_t now_ms, bl_span nonce)
{
    bool old = nonce.n == 32;
    const char *secret = old ? s->config.secret.md5 : pbkdf2_secret(s);
    size_t n = old ? 16 : 32;
    uint8_t bytes[32];
    char cnonce[65];
    char response[65];
    bl_span mine;

    s->scheme = old ? BL_ARDUINO_MD5 : BL_ARDUINO_PBKDF2;
    if (!s->config.has_secret || secret[0] == '\0') {
        fail(s, BL_ARDUINO_PASSWORD_NEEDED);
        return;
    }
    if (s->config.random == NULL ||
        s->config.random(s->config.ctx, bytes, n) != BL_OK) {
        fail(s, BL_ARDUINO_RANDOM);
        return;
    }
    bl_arduino_hex(bytes, n, cnonce);
    mine = bl_span_of(cnonce, 2 * n);
    if (old) {
        bl_arduino_answer_md5(secret, nonce, mine, response);
    } else {
        bl_arduino_answer_pbkdf2(secret, nonce, mine, response);
    }
    write_answer(s, cnonce, response);
    go(s, PHASE_ANSWERED, now_ms);
}

/* A device of the newer scheme may keep the password's MD5 from before. */
static void was_wrong(struct bl_arduino_sender *s, uint64_t now_ms)
{
    const struct bl_arduino_secret *secret = &s->config.secret;

    if (s->scheme == BL_ARDUINO_PBKDF2 && !s->weak &&
        secret->sha256[0] != '\0' && secret->md5[0] != '\0') {
        s->weak = true;
        s->begun_ms = now_ms;
        go(s, PHASE_INVITE, now_ms);
    } else {
        fail(s, BL_ARDUINO_PASSWORD_WRONG);
    }
}

static bl_span trim(bl_span text)
{
    while (text.n > 0 &&
           (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == '\r' ||
            text.p[text.n - 1] == '\0')) {
        text.n--;
    }
    return text;
}

static bool is_nonce(bl_span text)
{
    uint8_t bytes[32];

    return bl_arduino_unhex(text, bytes, 16) ||
           bl_arduino_unhex(text, bytes, 32);
}

void bl_arduino_sender_datagram(struct bl_arduino_sender *s, uint64_t now_ms,
                                bl_span datagram)
{
    bl_span text = trim(datagram);
    bl_span nonce = text;

    if (s->phase != PHASE_INVITED && s->phase != PHASE_ANSWERED) {
        return;
    }
    if (bl_span_equal(text, bl_span_of("OK", 2))) {
        go(s, PHASE_ACCEPT, now_ms);
        return;
    }
    if (s->phase == PHASE_ANSWERED) {
        hear_anew(s, text);
        if (bl_arduino_starts(text, "AUTH ")) {
            return; /* of an invitation that was repeated before */
        }
        if (bl_arduino_starts(text, "ERR")) {
            fail(s, BL_ARDUINO_REFUSED);
        } else {
            was_wrong(s, now_ms);
        }
        return;
    }
    if (bl_arduino_starts(text, "AUTH ")) {
        nonce.p += 5;
        nonce.n -= 5;
        if (is_nonce(nonce)) {
            answer(s, now_ms, nonce);
            return;
        }
    }
    hear_anew(s, text);
    fail(s, BL_ARDUINO_REFUSED);
}

/* --- The transfer ----------------------------------------------------------
 */

void bl_arduino_sender_connected(struct bl_arduino_sender *s, uint64_t now_ms)
{
    /* Its OK may have been lost on the way: that it connects says the same. */
    if (s->phase == PHASE_ACCEPT || s->phase == PHASE_ANSWERED ||
        s->phase == PHASE_INVITED) {
        s->send = false;
        s->acked = true;
        s->said_n = 0;
        s->said[0] = '\0';
        go(s, PHASE_SEND, now_ms);
    }
}

static void closed(struct bl_arduino_sender *s)
{
    if (s->phase == PHASE_ERROR) {
        fail(s, BL_ARDUINO_DEVICE_ERROR);
    } else if (s->phase == PHASE_SEND || s->phase == PHASE_RESULT) {
        fail(s, BL_ARDUINO_LOST);
    }
}

/* Digits before letters are acknowledgements that came along. */
static bool is_ack(uint8_t c)
{
    return (c >= '0' && c <= '9') || c == '\r' || c == '\n' || c == ' ';
}

static void word(struct bl_arduino_sender *s, uint64_t now_ms, bl_span text)
{
    hear(s, text);
    if (s->phase == PHASE_RESULT && s->said[0] == 'O' && s->said[1] == 'K') {
        s->phase = PHASE_END;
        return;
    }
    if (s->phase == PHASE_RESULT && s->said[0] == 'O' && s->said_n == 1) {
        return; /* the K follows */
    }
    if (s->phase != PHASE_ERROR) {
        go(s, PHASE_ERROR, now_ms);
    }
}

void bl_arduino_sender_data(struct bl_arduino_sender *s, uint64_t now_ms,
                            const void *data, size_t n)
{
    bl_span text = bl_span_of(data, n);

    if (n == 0) {
        closed(s);
        return;
    }
    if (s->phase < PHASE_SEND || s->phase == PHASE_END) {
        return;
    }
    while (s->said_n == 0 && text.n > 0 && is_ack(text.p[0])) {
        text.p++;
        text.n--;
        s->acked = true;
        if (s->phase == PHASE_SEND) {
            s->since_ms = now_ms;
        }
    }
    if (text.n > 0) {
        word(s, now_ms, text);
    }
}

/* --- What next ------------------------------------------------------------
 */

static bool has_passed(uint64_t now_ms, uint64_t since_ms, uint32_t s)
{
    return now_ms - since_ms >= (uint64_t)s * 1000;
}

static void invited_waits(struct bl_arduino_sender *s, uint64_t now_ms)
{
    if (has_passed(now_ms, s->begun_ms, s->config.answer_s)) {
        fail(s, BL_ARDUINO_NO_ANSWER);
    } else if (now_ms - s->since_ms >= INVITE_MS) {
        invite(s, now_ms);
    }
}

static void look_at_clock(struct bl_arduino_sender *s, uint64_t now_ms)
{
    uint64_t passed = now_ms - s->since_ms;

    switch (s->phase) {
    case PHASE_INVITE:
        invite(s, now_ms);
        break;
    case PHASE_INVITED:
        invited_waits(s, now_ms);
        break;
    case PHASE_ANSWERED:
        if (passed >= ANSWER_MS) {
            fail(s, BL_ARDUINO_NO_ANSWER);
        }
        break;
    case PHASE_ACCEPT:
        if (passed >= ACCEPT_MS) {
            fail(s, BL_ARDUINO_NO_CONNECTION);
        }
        break;
    case PHASE_SEND:
        if (!s->acked && has_passed(now_ms, s->since_ms, s->config.ack_s)) {
            fail(s, BL_ARDUINO_NO_ACK);
        }
        break;
    case PHASE_RESULT:
        if (has_passed(now_ms, s->since_ms, s->config.result_s)) {
            fail(s, BL_ARDUINO_NO_RESULT);
        }
        break;
    case PHASE_ERROR:
        if (passed >= ERROR_MS) {
            fail(s, BL_ARDUINO_DEVICE_ERROR);
        }
        break;
    default:
        break;
    }
}

static void send_piece(struct bl_arduino_sender *s, uint64_t now_ms,
                       struct bl_arduino_action *action)
{
    uint32_t left = s->config.size - s->done;

    action->todo = BL_ARDUINO_SEND_FILE;
    action->offset = s->done;
    action->size = left < BL_ARDUINO_PIECE ? left : BL_ARDUINO_PIECE;
    s->done += action->size;
    s->acked = false;
    go(s, s->done == s->config.size ? PHASE_RESULT : PHASE_SEND, now_ms);
}

static uint64_t phase_ends(const struct bl_arduino_sender *s)
{
    switch (s->phase) {
    case PHASE_INVITED:
        return s->since_ms + INVITE_MS;
    case PHASE_ANSWERED:
        return s->since_ms + ANSWER_MS;
    case PHASE_ACCEPT:
        return s->since_ms + ACCEPT_MS;
    case PHASE_SEND:
        return s->since_ms + (uint64_t)s->config.ack_s * 1000;
    case PHASE_RESULT:
        return s->since_ms + (uint64_t)s->config.result_s * 1000;
    default:
        return s->since_ms + ERROR_MS;
    }
}

void bl_arduino_sender_next(struct bl_arduino_sender *s, uint64_t now_ms,
                            struct bl_arduino_action *action)
{
    memset(action, 0, sizeof(*action));
    look_at_clock(s, now_ms);
    if (s->send) {
        s->send = false;
        action->todo = BL_ARDUINO_DATAGRAM;
        action->text = bl_span_of(s->text, s->text_n);
        return;
    }
    if (s->phase == PHASE_END) {
        action->todo = s->failure == BL_ARDUINO_NO_FAILURE ? BL_ARDUINO_DONE
                                                           : BL_ARDUINO_FAILED;
        return;
    }
    if (s->phase == PHASE_SEND && s->acked) {
        send_piece(s, now_ms, action);
        return;
    }
    action->todo = s->phase < PHASE_SEND ? BL_ARDUINO_WAIT : BL_ARDUINO_READ;
    action->until_ms = phase_ends(s);
}
