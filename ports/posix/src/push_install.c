/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of a pushed file. */
#include <stdio.h>

#include "bowline/push_package.h"
#include "posix/platform.h"
#include "push_private.h"

enum { HEADS = 1024, PORTION = 65536, ROUNDS = 1000 };

/* Where the payloads lie in the file, behind its envelope. */
struct contents {
    bl_span envelope;
    bl_span payload[BL_SUIT_COMPONENTS * 2];
    uint32_t n_payloads;
    bool missing; /* one that was asked for */
};

static const char *because(struct push *push, const char *words)
{
    (void)snprintf(push->why, sizeof push->why, "%s", words);
    return push->why;
}

static const char *refusal(struct push *push, bl_status status)
{
    (void)snprintf(push->why, sizeof push->why, "Refused: %s (%s)",
                   bl_status_name(status), bl_status_meaning(status));
    return push->why;
}

/* --- Before and while it comes --------------------------------------------
 */

static uint64_t room(const struct push *push)
{
    const struct device_config *c = push->config;
    uint64_t n = push->client->config.envelope_size + HEADS;

    for (uint32_t i = 0; i < c->layout.n_components; i++) {
        n += c->component[i].area[0].size;
    }
    return n;
}

static bool is_on_trial(const struct push *push)
{
    return push->client->state.trial != BL_SLOT_NONE;
}

/* By its server's offer, also between two tries of a transfer. */
static bool is_at_work(const struct push *push)
{
    bl_device_state state = push->client->device_state;

    return state >= BL_STATE_DOWNLOADING && state <= BL_STATE_REBOOTING;
}

const char *push_begins(struct push *push, uint16_t command, uint32_t size)
{
    struct error err = {0};

    if (command != BL_ARDUINO_FLASH) {
        return "Only Firmware Is Taken";
    }
    if (is_on_trial(push)) {
        return "Busy: the running firmware is on trial, wait for its end";
    }
    if (is_at_work(push)) {
        return "Busy: another installation is under way";
    }
    if (size > room(push)) {
        return "Not Enough Space";
    }
    buffer_free(&push->file);
    push->file = (struct buffer)BUFFER(size);
    if (buffer_reserve(&push->file, size, &err) != 0) {
        return "Not Enough Memory";
    }
    push->begun_ms = platform_ms();
    platform_say(push->config->name, "a push of %lu bytes begins%s",
                 (unsigned long)size,
                 push->config->push.developer
                     ? "; DEVELOPER MODE: signed or not, it is installed"
                     : "");
    return NULL;
}

const char *push_takes(struct push *push, const uint8_t *data, size_t n)
{
    struct error err = {0};

    if (buffer_append(&push->file, data, n, &err) != 0) {
        return "Bad Size Given";
    }
    if (push->file.n >= 2 && !push->config->push.developer &&
        !bl_push_is_package(buffer_span(&push->file))) {
        return "Not A Signed Release";
    }
    return NULL;
}

/* --- All of it is here ----------------------------------------------------
 */

/* The envelope lies in the file as it is in the reader's buffer. */
static bl_status look_into(const struct push *push, struct buffer *room_for,
                           struct contents *out)
{
    bl_span rest = buffer_span(&push->file);
    struct bl_push_reader reader;
    struct bl_push_part part;
    bl_status status = BL_OK;
    struct error err = {0};

    if (buffer_reserve(room_for, push->client->config.envelope_size, &err) !=
        0) {
        return BL_BUFFER;
    }
    bl_push_reader_init(&reader, room_for->p,
                        push->client->config.envelope_size);
    while (status == BL_OK && rest.n > 0) {
        status = bl_push_take(&reader, &rest, &part);
        if (status == BL_OK && part.what == BL_PUSH_ENVELOPE) {
            out->envelope = part.bytes;
        } else if (status == BL_OK && part.what == BL_PUSH_DATA) {
            if (out->n_payloads == BL_SUIT_COMPONENTS * 2) {
                return BL_TOO_LARGE;
            }
            out->payload[out->n_payloads++] = part.bytes;
        }
    }
    if (status == BL_OK && !bl_push_is_whole(&reader)) {
        status = BL_PAYLOAD_SHORT;
    }
    return status;
}

static bool find(const struct contents *contents,
                 const struct bl_action *action, bl_span *out)
{
    for (uint32_t i = 0; i < contents->n_payloads; i++) {
        uint8_t digest[32];

        if (contents->payload[i].n != action->size) {
            continue;
        }
        bl_sha256(contents->payload[i].p, contents->payload[i].n, digest);
        if (memcmp(digest, action->etag, 32) == 0) {
            *out = contents->payload[i];
            return true;
        }
    }
    return false;
}

static void serve(struct push *push, struct contents *contents,
                  const struct bl_action *action)
{
    struct bl_client *client = push->client;
    bl_span payload = {NULL, 0};
    size_t at = action->offset;
    bl_status status;

    if (!find(contents, action, &payload) || at > payload.n) {
        contents->missing = true;
        (void)!bl_client_body(client, 404, 0);
        bl_client_done(client, platform_ms(), false, 0);
        return;
    }
    status = bl_client_body(client, at > 0 ? 206 : 200, action->offset);
    while (status == BL_OK && at < payload.n) {
        size_t n = payload.n - at < PORTION ? payload.n - at : PORTION;

        status = bl_client_data(client, payload.p + at, n);
        at += n;
        push->pet(push->ctx);
    }
    bl_client_done(client, platform_ms(), status == BL_OK, 0);
}

static const char *ended(struct push *push, const struct contents *contents)
{
    if (push->client->device_state == BL_STATE_WAITING) {
        return because(push, "Busy: the application is not ready");
    }
    return contents->missing ? because(push, "A Payload Is Missing Or Damaged")
                             : refusal(push, push->client->refused_why);
}

/* What the client asks for until it wants a reset, or has given up. Reports
 * to the server wait until there is time for them. */
static const char *install(struct push *push, struct contents *contents)
{
    struct bl_client *client = push->client;
    struct bl_action action;

    for (int i = 0; i < ROUNDS; i++) {
        bl_client_next(client, platform_ms(), &action);
        push->pet(push->ctx);
        switch (action.todo) {
        case BL_TODO_RESET:
            return NULL;
        case BL_TODO_POLL:
            bl_client_unreachable(client, platform_ms());
            break;
        case BL_TODO_GET:
            if (action.offset > 0 || action.size > 0) {
                serve(push, contents, &action);
            } else {
                bl_client_unreachable(client, platform_ms());
            }
            break;
        case BL_TODO_SLEEP:
            return ended(push, contents);
        }
    }
    return because(push, "Aborted");
}

static const char *offer(struct push *push, struct contents *contents)
{
    struct bl_client *client = push->client;
    bl_status status =
        bl_client_push(client, platform_ms(), contents->envelope);

    if (status == BL_BUSY &&
        memcmp(client->wanted, client->running, 32) == 0) {
        return because(push, "Already Runs This Release");
    }
    if (status == BL_BUSY) {
        return because(push, "Busy: another installation is under way, or "
                             "the application is not ready");
    }
    return status != BL_OK ? refusal(push, status) : install(push, contents);
}

const char *push_installs(struct push *push)
{
    bl_span file = buffer_span(&push->file);
    struct buffer envelope = BUFFER(push->client->config.envelope_size);
    struct contents contents = {.n_payloads = 0};
    bl_status status;
    const char *why;

    if (push->config->push.developer && !bl_push_is_package(file)) {
        status = push_envelope(push, file, &envelope);
        contents.envelope = buffer_span(&envelope);
        contents.payload[0] = file;
        contents.n_payloads = 1;
    } else {
        status = look_into(push, &envelope, &contents);
    }
    why = status == BL_OK ? offer(push, &contents) : refusal(push, status);
    buffer_free(&envelope);
    buffer_free(&push->file);
    platform_say(push->config->name, "the push: %s",
                 why == NULL ? "installed, on trial after the restart" : why);
    return why;
}
