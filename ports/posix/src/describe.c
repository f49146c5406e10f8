/* SPDX-License-Identifier: Apache-2.0 */
#include "posix/describe.h"

#include <inttypes.h>
#include <stdio.h>

#include "bowline/cbor.h"

enum { TEXT_VERSION = 6 }; /* SUIT text: component version */

static const char *phrase(uint8_t state)
{
    switch (state) {
    case BL_STATE_OFFERED:
        return "was offered";
    case BL_STATE_WAITING:
        return "waits with";
    case BL_STATE_DOWNLOADING:
        return "downloads";
    case BL_STATE_VERIFYING:
        return "verifies";
    case BL_STATE_INSTALLING:
        return "installs";
    case BL_STATE_REBOOTING:
        return "restarts into";
    case BL_STATE_TESTING:
        return "tests";
    case BL_STATE_CONFIRMED:
        return "confirmed";
    case BL_STATE_RETURNED:
        return "returned from";
    case BL_STATE_FAILED:
        return "failed to install";
    case BL_STATE_REFUSED:
        return "refused";
    default:
        return "is idle with";
    }
}

static bool tells_reset(const struct bl_event *event)
{
    return event->state == BL_STATE_RETURNED &&
           event->reset >= BL_RESET_WATCHDOG;
}

void describe_event(const struct bl_event *event, char out[DESCRIPTION])
{
    bl_status code = (bl_status)event->code;
    char release[40] = "a release";
    int n;

    if (event->sequence != 0) {
        (void)snprintf(release, sizeof release, "release %" PRIu64,
                       event->sequence);
    }
    n = snprintf(out, DESCRIPTION, "%s %s", phrase(event->state), release);
    if (code != BL_OK && n > 0 && n < DESCRIPTION) {
        bool reset = tells_reset(event);

        (void)snprintf(
            out + n, (size_t)(DESCRIPTION - n), ": %s (%s%s%s)",
            bl_status_meaning(code), bl_status_name(code), reset ? ", " : "",
            reset ? bl_reset_cause_name((bl_reset_cause)event->reset) : "");
    }
}

char describe_slot(uint8_t slot)
{
    return slot == BL_SLOT_A ? 'A' : slot == BL_SLOT_B ? 'B' : '-';
}

const char *describe_slot_status(uint8_t status)
{
    static const char *const name[] = {"empty", "writing", "ready",
                                       "confirmed", "bad"};

    return status < sizeof name / sizeof name[0] ? name[status] : "unknown";
}

static bool keep(bl_span text, char out[VERSION_TEXT])
{
    size_t n = text.n < VERSION_TEXT - 1 ? text.n : VERSION_TEXT - 1;

    for (size_t i = 0; i < n; i++) {
        if (text.p[i] < ' ' || text.p[i] > '~') {
            return false;
        }
        out[i] = (char)text.p[i];
    }
    out[n] = '\0';
    return n > 0;
}

/* { 1: vendor, 2: model, ..., 6: version } */
static bool version_of_component(struct bl_cbor *r, char out[VERSION_TEXT])
{
    uint32_t pairs;
    bool found = false;

    if (bl_cbor_map(r, &pairs) != BL_OK) {
        return false;
    }
    while (pairs-- > 0) {
        uint64_t key = 0;
        bl_span text;

        if (bl_cbor_peek(r) == BL_CBOR_UINT &&
            bl_cbor_uint(r, &key) == BL_OK && key == TEXT_VERSION &&
            bl_cbor_tstr(r, &text) == BL_OK) {
            found = keep(text, out);
        } else if (bl_cbor_item(r, NULL) != BL_OK) {
            return false;
        }
    }
    return found;
}

/* { language: { [component id]: {...}, number: text } }: the first one. */
static bool version_of_text(bl_span text, char out[VERSION_TEXT])
{
    struct bl_cbor r;
    uint32_t languages;
    uint32_t pairs;
    bl_span language;

    bl_cbor_init(&r, text);
    if (bl_cbor_map(&r, &languages) != BL_OK || languages == 0 ||
        bl_cbor_tstr(&r, &language) != BL_OK ||
        bl_cbor_map(&r, &pairs) != BL_OK) {
        return false;
    }
    while (pairs-- > 0) {
        bool component = bl_cbor_peek(&r) == BL_CBOR_ARRAY;

        if (bl_cbor_item(&r, NULL) != BL_OK) {
            return false;
        }
        if (component) {
            return version_of_component(&r, out);
        }
        if (bl_cbor_item(&r, NULL) != BL_OK) {
            return false;
        }
    }
    return false;
}

/* 1,4,-1,1 is 1.4-rc.1 */
static void version_of_numbers(bl_span numbers, char out[VERSION_TEXT])
{
    static const char *const stage[] = {"-rc", "-beta", "-alpha"};
    struct bl_cbor r;
    uint32_t items = 0;
    int n = 0;

    bl_cbor_init(&r, numbers);
    if (bl_cbor_array(&r, &items) != BL_OK) {
        return;
    }
    for (uint32_t i = 0; i < items && n < VERSION_TEXT; i++) {
        int64_t v = 0;
        size_t room = (size_t)(VERSION_TEXT - n);

        if (bl_cbor_int(&r, &v) != BL_OK || v < -3) {
            return;
        }
        n += v < 0
                 ? snprintf(out + n, room, "%s", stage[-v - 1])
                 : snprintf(out + n, room, "%s%" PRId64, i > 0 ? "." : "", v);
    }
}

void describe_version(bl_span envelope, char out[VERSION_TEXT])
{
    struct bl_suit_envelope suit;
    struct bl_suit_manifest manifest;

    out[0] = '\0';
    if (bl_suit_read(envelope, &suit) != BL_OK ||
        bl_suit_scan(&suit, NULL, &manifest) != BL_OK) {
        return;
    }
    if (!version_of_text(manifest.text, out)) {
        out[0] = '\0';
        version_of_numbers(manifest.set_version, out);
    }
}
