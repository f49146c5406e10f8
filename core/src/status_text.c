/* SPDX-License-Identifier: Apache-2.0 */
#include "bowline/journal.h"
#include "bowline/status.h"

#include <stddef.h>

static const struct text {
    uint8_t number;
    uint8_t reason;
    const char *name;
    const char *meaning;
} texts[] = {
#define TEXT(name, number, reason, text, meaning)                             \
    {number, reason, text, meaning},
    BL_STATUS_LIST(TEXT)
#undef TEXT
};

/* SUIT report reason 11: the operation failed, which says least. */
static const struct text unknown = {0, 11, "unknown", "an unknown status"};

static const struct text *find(bl_status status)
{
    size_t i;

    for (i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (texts[i].number == (unsigned)status) {
            return &texts[i];
        }
    }
    return &unknown;
}

const char *bl_status_name(bl_status status)
{
    return find(status)->name;
}

const char *bl_status_meaning(bl_status status)
{
    return find(status)->meaning;
}

int bl_status_suit_reason(bl_status status)
{
    return find(status)->reason;
}

const char *bl_reset_cause_name(bl_reset_cause cause)
{
    static const char *const names[] = {"unknown", "power", "software",
                                        "watchdog", "crash"};
    unsigned i = (unsigned)cause;

    return names[i < sizeof names / sizeof names[0] ? i : 0];
}

const char *bl_device_state_name(bl_device_state state)
{
    static const char *const names[] = {
#define STATE_NAME(name, number, text) [number] = text,
        BL_DEVICE_STATE_LIST(STATE_NAME)
#undef STATE_NAME
    };
    unsigned i = (unsigned)state;

    return i < sizeof names / sizeof names[0] ? names[i] : "unknown";
}
