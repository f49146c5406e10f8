/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ArduinoOTA's device side. Whoever is on the network can send it datagrams:
 * nothing in one is believed before the password was, and what is malformed
 * gets no answer, so that nobody is answered who did not ask.
 */
#include "arduino_private.h"

#include "bowline/crypto.h"

enum {
    PHASE_LISTEN,
    PHASE_CHALLENGED, /* a nonce is out */
    PHASE_CONNECT,    /* to be handed out */
    PHASE_CONNECTING,
    PHASE_RECEIVE,
    PHASE_JUDGE, /* all is here; the acknowledgement first goes out alone */
    PHASE_TELL   /* the last text, then the connection's end */
};

enum {
    CONNECT_MS = 10000,
    STALL_MS = 1000,  /* as the Arduino core: the last ack once more, */
    STALLS = 3,       /* so many times, then it ends */
    MOST_MS = 900000, /* a byte now and then would keep it busy for ever */
    NONCE_MS = 10000,
    HOLD_MS = 3000, /* so long a nonce is not displaced by another's */
    REST_MS = 60,   /* between the last ack and the result */
    FREE_TRIES = 3,
    LOCK_MS = 2000,
    LOCK_MOST_MS = 60000,
    FORGIVE_MS = 600000
};

const char *bl_arduino_error_text(bl_arduino_error error)
{
    switch (error) {
    case BL_ARDUINO_AUTH_ERROR:
        return "Auth Failed";
    case BL_ARDUINO_BEGIN_ERROR:
        return "Begin Failed";
    case BL_ARDUINO_CONNECT_ERROR:
        return "Connect Failed";
    case BL_ARDUINO_RECEIVE_ERROR:
        return "Receive Failed";
    case BL_ARDUINO_END_ERROR:
        return "End Failed";
    }
    return "Unknown Error";
}

static bool secret_will_do(const struct bl_arduino_device_config *config)
{
    const struct bl_arduino_secret *secret = &config->secret;

    switch (config->scheme) {
    case BL_ARDUINO_OPEN:
        return true;
    case BL_ARDUINO_MD5:
        return secret->md5[0] != '\0';
    case BL_ARDUINO_PBKDF2:
        return secret->sha256[0] != '\0' || secret->md5[0] != '\0';
    }
    return false;
}

bl_status bl_arduino_device_init(struct bl_arduino_device *d,
                                 const struct bl_arduino_device_config *config)
{
    if (config->random == NULL || config->begin == NULL ||
        config->data == NULL || config->end == NULL ||
        !secret_will_do(config)) {
        return BL_ARGUMENT;
    }
    memset(d, 0, sizeof(*d));
    d->config = *config;
    return BL_OK;
}

/* --- The end of a push ----------------------------------------------------
 */

static void go(struct bl_arduino_device *d, uint8_t phase, uint64_t now_ms)
{
    d->phase = phase;
    d->since_ms = now_ms;
}

static void rest(struct bl_arduino_device *d, uint64_t now_ms)
{
    d->busy = false;
    d->nonce[0] = '\0';
    go(d, PHASE_LISTEN, now_ms);
}

static void report(struct bl_arduino_device *d, bl_arduino_error error,
                   const char *why)
{
    if (d->config.error != NULL) {
        d->config.error(d->config.ctx, error, why);
    }
}

/* The sender hears why, in a line of its own. */
static void fail(struct bl_arduino_device *d, uint64_t now_ms,
                 bl_arduino_error error, const char *why)
{
    struct bl_arduino_writer w;

    report(d, error, why);
    bl_arduino_begin(&w, d->text, sizeof(d->text) - 2);
    bl_arduino_put(&w, why);
    w.size = sizeof(d->text);
    bl_arduino_put(&w, "\r\n");
    d->text_n = w.n;
    d->close = true;
    d->restart = false;
    go(d, PHASE_TELL, now_ms);
}

/* Nobody is there any more to be told. */
static void drop(struct bl_arduino_device *d, uint64_t now_ms,
                 bl_arduino_error error, const char *why)
{
    report(d, error, why);
    d->text_n = 0;
    d->close = true;
    d->restart = false;
    go(d, PHASE_TELL, now_ms);
}

void bl_arduino_device_abort(struct bl_arduino_device *d, uint64_t now_ms)
{
    if (!d->busy || d->phase == PHASE_TELL) {
        return;
    }
    if (d->phase == PHASE_RECEIVE || d->phase == PHASE_JUDGE) {
        fail(d, now_ms, BL_ARDUINO_RECEIVE_ERROR, "Aborted");
    } else {
        drop(d, now_ms, BL_ARDUINO_CONNECT_ERROR, "Aborted");
    }
}

/* --- Invitations ----------------------------------------------------------
 */

static size_t say(char reply[BL_ARDUINO_TEXT], const char *a, const char *b)
{
    struct bl_arduino_writer w;

    bl_arduino_begin(&w, reply, BL_ARDUINO_TEXT);
    bl_arduino_put(&w, a);
    bl_arduino_put(&w, b);
    return w.n;
}

/* The invitation holds: the application is asked, then it is connected. */
static size_t accept(struct bl_arduino_device *d, uint64_t now_ms,
                     char reply[BL_ARDUINO_TEXT])
{
    const char *why =
        d->size == 0 ? "Bad Size Given"
                     : d->config.begin(d->config.ctx, d->command, d->size);

    d->nonce[0] = '\0';
    if (why != NULL) {
        report(d, BL_ARDUINO_BEGIN_ERROR, why);
        rest(d, now_ms);
        return say(reply, "ERR: ", why);
    }
    d->busy = true;
    d->done = 0;
    d->last = 0;
    d->stalls = 0;
    d->begun_ms = now_ms;
    bl_esp_md5_init(&d->sum);
    go(d, PHASE_CONNECT, now_ms);
    return say(reply, "OK", "");
}

static size_t challenge(struct bl_arduino_device *d, uint64_t now_ms,
                        char reply[BL_ARDUINO_TEXT])
{
    size_t n = d->config.scheme == BL_ARDUINO_MD5 ? 16 : 32;
    uint8_t bytes[32];

    if (d->config.random(d->config.ctx, bytes, n) != BL_OK) {
        rest(d, now_ms); /* a nonce that can be guessed protects nobody */
        return say(reply, "ERR: ", "No Random Numbers");
    }
    bl_arduino_hex(bytes, n, d->nonce);
    go(d, PHASE_CHALLENGED, now_ms);
    return say(reply, "AUTH ", d->nonce);
}

static bool is_peer(const struct bl_arduino_device *d, bl_span peer)
{
    return bl_span_equal(peer, bl_span_of(d->peer, d->peer_n));
}

static size_t locked(const struct bl_arduino_device *d, uint64_t now_ms,
                     char reply[BL_ARDUINO_TEXT])
{
    struct bl_arduino_writer w;

    bl_arduino_begin(&w, reply, BL_ARDUINO_TEXT);
    bl_arduino_put(&w, "ERR: Too Many Wrong Passwords, Wait ");
    bl_arduino_put_number(&w, (uint32_t)((d->locked_ms - now_ms) / 1000) + 1);
    bl_arduino_put(&w, " s");
    return w.n;
}

static size_t invited(struct bl_arduino_device *d, uint64_t now_ms,
                      bl_span peer, const struct bl_arduino_invitation *i,
                      char reply[BL_ARDUINO_TEXT])
{
    if (d->phase == PHASE_CHALLENGED && !is_peer(d, peer) &&
        now_ms - d->since_ms < HOLD_MS) {
        return 0; /* somebody is answering at this moment */
    }
    if (d->config.scheme != BL_ARDUINO_OPEN && now_ms < d->locked_ms) {
        rest(d, now_ms);
        return locked(d, now_ms, reply);
    }
    memcpy(d->peer, peer.p, peer.n);
    d->peer_n = (uint8_t)peer.n;
    d->command = i->command;
    d->port = i->port;
    d->size = i->size;
    memcpy(d->md5, i->md5, sizeof(d->md5));
    return d->config.scheme == BL_ARDUINO_OPEN ? accept(d, now_ms, reply)
                                               : challenge(d, now_ms, reply);
}

/* --- Passwords ------------------------------------------------------------
 */

/* Hex of either case, in a time that does not tell how much is right. */
static bl_verdict same_md5(const struct bl_arduino_device *d,
                           const char *secret, bl_span cnonce,
                           const uint8_t response[16])
{
    uint8_t expected[16];
    char hex[33];

    bl_arduino_answer_md5(secret, bl_span_of(d->nonce, strlen(d->nonce)),
                          cnonce, hex);
    if (secret[0] == '\0' ||
        !bl_arduino_unhex(bl_span_of(hex, 32), expected, sizeof(expected))) {
        return BL_BAD;
    }
    return bl_equal(expected, response, sizeof(expected));
}

static bl_verdict same_pbkdf2(const struct bl_arduino_device *d,
                              const char *secret, bl_span cnonce,
                              const uint8_t response[32])
{
    uint8_t expected[32];
    char hex[65];

    if (secret[0] == '\0') {
        return BL_BAD;
    }
    bl_arduino_answer_pbkdf2(secret, bl_span_of(d->nonce, strlen(d->nonce)),
                             cnonce, hex);
    if (!bl_arduino_unhex(bl_span_of(hex, 64), expected, sizeof(expected))) {
        return BL_BAD;
    }
    return bl_equal(expected, response, sizeof(expected));
}

static bl_verdict check(const struct bl_arduino_device *d, bl_span cnonce,
                        bl_span response)
{
    const struct bl_arduino_secret *secret = &d->config.secret;
    uint8_t bytes[32];

    if (d->config.scheme == BL_ARDUINO_MD5) {
        if (!bl_arduino_unhex(response, bytes, 16)) {
            return BL_BAD;
        }
        return same_md5(d, secret->md5, cnonce, bytes) == BL_GOOD
                   ? BL_GOOD
                   : same_md5(d, secret->md5_bom, cnonce, bytes);
    }
    if (d->config.scheme != BL_ARDUINO_PBKDF2 ||
        !bl_arduino_unhex(response, bytes, 32)) {
        return BL_BAD;
    }
    return same_pbkdf2(d, secret->sha256, cnonce, bytes) == BL_GOOD
               ? BL_GOOD
               : same_pbkdf2(d, secret->md5, cnonce, bytes);
}

/* Newer tools try a second hash of the password by themselves: the first few
 * are free. For everybody at once, since addresses can be made up. */
static void count_failure(struct bl_arduino_device *d, uint64_t now_ms)
{
    uint64_t lock = LOCK_MS;

    if (d->failures > 0 && now_ms >= d->locked_ms &&
        now_ms - d->locked_ms > FORGIVE_MS) {
        d->failures = 0;
    }
    if (d->failures < UINT8_MAX) {
        d->failures++;
    }
    for (uint8_t i = FREE_TRIES; i < d->failures && lock < LOCK_MOST_MS; i++) {
        lock *= 2;
    }
    if (lock > LOCK_MOST_MS) {
        lock = LOCK_MOST_MS;
    }
    d->locked_ms = d->failures < FREE_TRIES ? now_ms : now_ms + lock;
}

static size_t answered(struct bl_arduino_device *d, uint64_t now_ms,
                       bl_span cnonce, bl_span response,
                       char reply[BL_ARDUINO_TEXT])
{
    bl_verdict verdict = check(d, cnonce, response);

    d->nonce[0] = '\0'; /* good for one answer, whatever it is */
    if (verdict == BL_GOOD) {
        d->failures = 0;
        return accept(d, now_ms, reply);
    }
    count_failure(d, now_ms);
    report(d, BL_ARDUINO_AUTH_ERROR, "Authentication Failed");
    rest(d, now_ms);
    return say(reply, "Authentication Failed", "");
}

size_t bl_arduino_device_datagram(struct bl_arduino_device *d, uint64_t now_ms,
                                  bl_span peer, bl_span datagram,
                                  char reply[BL_ARDUINO_TEXT])
{
    struct bl_arduino_invitation invitation;
    bl_span cnonce;
    bl_span response;

    if (d->busy || peer.n == 0 || peer.n > BL_ARDUINO_PEER ||
        datagram.n > BL_ARDUINO_TEXT) {
        return 0;
    }
    if (d->phase == PHASE_CHALLENGED && now_ms - d->since_ms > NONCE_MS) {
        rest(d, now_ms);
    }
    if (bl_arduino_read_invitation(datagram, &invitation)) {
        return invited(d, now_ms, peer, &invitation, reply);
    }
    if (d->phase == PHASE_CHALLENGED && is_peer(d, peer) &&
        bl_arduino_read_answer(datagram, &cnonce, &response)) {
        return answered(d, now_ms, cnonce, response, reply);
    }
    return 0;
}

/* --- The transfer ----------------------------------------------------------
 */

void bl_arduino_device_connected(struct bl_arduino_device *d, uint64_t now_ms,
                                 bool ok)
{
    if (d->phase != PHASE_CONNECTING) {
        return;
    }
    if (ok) {
        go(d, PHASE_RECEIVE, now_ms);
    } else {
        drop(d, now_ms, BL_ARDUINO_CONNECT_ERROR, "Connect Failed");
    }
}

static void acknowledge(struct bl_arduino_device *d)
{
    struct bl_arduino_writer w;

    bl_arduino_begin(&w, d->text, sizeof(d->text));
    bl_arduino_put_number(&w, d->last);
    d->text_n = w.n;
}

void bl_arduino_device_data(struct bl_arduino_device *d, uint64_t now_ms,
                            const uint8_t *data, size_t n)
{
    const char *why;

    if (d->phase != PHASE_RECEIVE || n == 0) {
        return;
    }
    if (n > d->size - d->done) {
        fail(d, now_ms, BL_ARDUINO_RECEIVE_ERROR, "Bad Size Given");
        return;
    }
    bl_esp_md5_update(&d->sum, data, n);
    why = d->config.data(d->config.ctx, data, n);
    if (why != NULL) {
        fail(d, now_ms, BL_ARDUINO_RECEIVE_ERROR, why);
        return;
    }
    d->done += (uint32_t)n;
    d->last = (uint32_t)n;
    d->stalls = 0;
    acknowledge(d);
    go(d, d->done == d->size ? PHASE_JUDGE : PHASE_RECEIVE, now_ms);
}

void bl_arduino_device_closed(struct bl_arduino_device *d, uint64_t now_ms)
{
    /* Once all is here, a tool may have stopped listening: go on. */
    if (d->phase == PHASE_RECEIVE) {
        drop(d, now_ms, BL_ARDUINO_RECEIVE_ERROR, "Stream Read Timeout");
    }
}

static void stall(struct bl_arduino_device *d, uint64_t now_ms)
{
    if (d->stalls >= STALLS) {
        fail(d, now_ms, BL_ARDUINO_RECEIVE_ERROR, "Stream Read Timeout");
        return;
    }
    d->stalls++;
    if (d->last > 0) {
        acknowledge(d); /* it may have been lost on the tool's side */
    }
    d->since_ms = now_ms;
}

static void judge(struct bl_arduino_device *d, uint64_t now_ms)
{
    uint8_t digest[BL_ESP_MD5_SIZE];
    const char *why = "MD5 Check Failed";

    bl_esp_md5_final(&d->sum, digest);
    if (memcmp(digest, d->md5, sizeof(digest)) == 0) {
        why = d->config.end(d->config.ctx);
    }
    if (why != NULL) {
        fail(d, now_ms, BL_ARDUINO_END_ERROR, why);
        return;
    }
    memcpy(d->text, "OK", 3);
    d->text_n = 2;
    d->close = true;
    d->restart = true;
    go(d, PHASE_TELL, now_ms);
}

/* --- What next ------------------------------------------------------------
 */

/* Time alone can end a phase. */
static void look_at_clock(struct bl_arduino_device *d, uint64_t now_ms)
{
    uint64_t passed = now_ms - d->since_ms;

    if (d->text_n > 0) {
        return; /* what is to be said comes first */
    }
    if (d->phase == PHASE_CHALLENGED && passed > NONCE_MS) {
        rest(d, now_ms);
    } else if (d->phase == PHASE_CONNECTING && passed >= CONNECT_MS) {
        drop(d, now_ms, BL_ARDUINO_CONNECT_ERROR, "Connect Failed");
    } else if (d->phase == PHASE_RECEIVE && now_ms - d->begun_ms > MOST_MS) {
        fail(d, now_ms, BL_ARDUINO_RECEIVE_ERROR, "Took Too Long");
    } else if (d->phase == PHASE_RECEIVE && passed >= STALL_MS) {
        stall(d, now_ms);
    } else if (d->phase == PHASE_JUDGE && passed >= REST_MS) {
        judge(d, now_ms);
    }
}

static bool speak(struct bl_arduino_device *d,
                  struct bl_arduino_action *action)
{
    if (d->text_n == 0) {
        return false;
    }
    memcpy(d->out, d->text, d->text_n);
    action->todo = BL_ARDUINO_SEND;
    action->text = bl_span_of(d->out, d->text_n);
    d->text_n = 0;
    return true;
}

/* After the last text: the connection, then the restart. */
static void finish(struct bl_arduino_device *d, uint64_t now_ms,
                   struct bl_arduino_action *action)
{
    if (d->close) {
        d->close = false;
        action->todo = BL_ARDUINO_CLOSE;
        return;
    }
    action->todo = d->restart ? BL_ARDUINO_RESTART : BL_ARDUINO_WAIT;
    action->until_ms = now_ms;
    d->restart = false;
    rest(d, now_ms);
}

static uint64_t phase_ends(const struct bl_arduino_device *d)
{
    switch (d->phase) {
    case PHASE_CONNECTING:
        return d->since_ms + CONNECT_MS;
    case PHASE_RECEIVE:
        return d->since_ms + STALL_MS;
    case PHASE_JUDGE:
        return d->since_ms + REST_MS;
    case PHASE_CHALLENGED:
        return d->since_ms + NONCE_MS + 1;
    default:
        return UINT64_MAX;
    }
}

void bl_arduino_device_next(struct bl_arduino_device *d, uint64_t now_ms,
                            struct bl_arduino_action *action)
{
    memset(action, 0, sizeof(*action));
    look_at_clock(d, now_ms);
    if (speak(d, action)) {
        return;
    }
    if (d->phase == PHASE_TELL) {
        finish(d, now_ms, action);
        return;
    }
    if (d->phase == PHASE_CONNECT) {
        go(d, PHASE_CONNECTING, now_ms);
        action->todo = BL_ARDUINO_CONNECT;
        action->port = d->port;
    } else if (d->phase == PHASE_RECEIVE) {
        action->todo = BL_ARDUINO_READ;
    } else {
        action->todo = BL_ARDUINO_WAIT;
    }
    action->until_ms = phase_ends(d);
}
