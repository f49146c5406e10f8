/* SPDX-License-Identifier: Apache-2.0 */
#include "bowline/journal.h"
#include "bowline/status.h"

#include <stddef.h>
#include <string.h>

/* One text behind the other, names apart from meanings: no pointers, and who
 * prints names only does not carry the rest. */
#define NAME(name, number, reason, text, meaning) text "\0"
#define MEANING(name, number, reason, text, meaning) meaning "\0"
static const char names[] = BL_STATUS_LIST(NAME);
static const char meanings[] = BL_STATUS_LIST(MEANING);

static const struct code {
    uint8_t number;
    uint8_t reason;
} codes[] = {
#define CODE(name, number, reason, text, meaning) {number, reason},
    BL_STATUS_LIST(CODE)
#undef CODE
};
enum { CODES = sizeof codes / sizeof codes[0] };

/* CODES when there is none. */
static size_t find(bl_status status)
{
    size_t i;

    for (i = 0; i < CODES && codes[i].number != (unsigned)status; i++) {
    }
    return i;
}

static const char *text_at(const char *texts, size_t i, const char *unknown)
{
    if (i == CODES) {
        return unknown;
    }
    for (; i > 0; i--) {
        texts += strlen(texts) + 1;
    }
    return texts;
}

const char *bl_status_name(bl_status status)
{
    return text_at(names, find(status), "unknown");
}

const char *bl_status_meaning(bl_status status)
{
    return text_at(meanings, find(status), "an unknown status");
}

int bl_status_suit_reason(bl_status status)
{
    size_t i = find(status);

    /* Reason 11: the operation failed, which says least. */
    return i == CODES ? 11 : codes[i].reason;
}

const char *bl_reset_cause_name(bl_reset_cause cause)
{
    static const char *const causes[] = {"unknown", "power", "software",
                                         "watchdog", "crash"};
    unsigned i = (unsigned)cause;

    return causes[i < sizeof causes / sizeof causes[0] ? i : 0];
}

const char *bl_device_state_name(bl_device_state state)
{
    static const char *const states[] = {
#define STATE_NAME(name, number, text) [number] = text,
        BL_DEVICE_STATE_LIST(STATE_NAME)
#undef STATE_NAME
    };
    unsigned i = (unsigned)state;

    return i < sizeof states / sizeof states[0] ? states[i] : "unknown";
}
