/* SPDX-License-Identifier: Apache-2.0 */
#include "BowlineFloor.h"

#include <Preferences.h>

static const char *const SPACE = "bowline";
static const char *const FLOOR = "floor";
static const char *const TRIAL = "trial";

static uint64_t read(const char *key)
{
    Preferences nvs;
    uint64_t value = 0;

    if (nvs.begin(SPACE, true)) {
        value = nvs.getULong64(key, 0);
        nvs.end();
    }
    return value;
}

static bool write(const char *key, uint64_t value)
{
    Preferences nvs;
    bool ok = false;

    if (nvs.begin(SPACE, false)) {
        ok = nvs.putULong64(key, value) == sizeof value;
        nvs.end();
    }
    return ok;
}

uint64_t bowline_floor()
{
    return read(FLOOR);
}

bool bowline_floor_try(uint64_t sequence)
{
    return read(TRIAL) == sequence || write(TRIAL, sequence);
}

void bowline_floor_confirm()
{
    uint64_t sequence = read(TRIAL);

    if (sequence > read(FLOOR)) {
        (void)write(FLOOR, sequence);
    }
}
