/* SPDX-License-Identifier: Apache-2.0 */
/* The new feature: some KB of code and tables that come with a release. */
#include <stdio.h>
#include <string.h>

#include "app.h"

enum { DAYS = 7, SLOTS = 6, HOLIDAYS = 24 };

struct slot {
    uint8_t hour;
    uint8_t minute;
    int16_t tenths;
};

static const char *const day_names[DAYS] = {
    "Monday", "Tuesday",  "Wednesday", "Thursday",
    "Friday", "Saturday", "Sunday",
};

static struct slot week[DAYS][SLOTS] = {
    {{6, 0, 210}, {8, 30, 185}, {16, 0, 205}, {21, 30, 190}, {23, 0, 165}},
    {{6, 0, 210}, {8, 30, 185}, {16, 0, 205}, {21, 30, 190}, {23, 0, 165}},
    {{6, 0, 210}, {8, 15, 185}, {13, 0, 200}, {21, 30, 190}, {23, 0, 165}},
    {{6, 0, 210}, {8, 30, 185}, {16, 0, 205}, {21, 30, 190}, {23, 0, 165}},
    {{6, 0, 210}, {8, 30, 185}, {15, 0, 208}, {22, 30, 190}, {23, 45, 165}},
    {{7, 30, 208}, {11, 0, 204}, {18, 0, 212}, {23, 30, 170}},
    {{8, 0, 208}, {12, 0, 206}, {18, 0, 210}, {22, 0, 190}, {23, 0, 165}},
};
static uint32_t holidays[HOLIDAYS];
static unsigned n_holidays;

static unsigned day_of(uint64_t now)
{
    return (unsigned)((now / 86400u + 3u) % DAYS);
}

static int is_holiday(uint64_t now)
{
    uint32_t day = (uint32_t)(now / 86400u);

    for (unsigned i = 0; i < n_holidays; i++) {
        if (holidays[i] == day) {
            return 1;
        }
    }
    return 0;
}

static const struct slot *slot_at(unsigned day, unsigned minute)
{
    const struct slot *found = &week[(day + DAYS - 1) % DAYS][SLOTS - 2];

    for (unsigned i = 0; i < SLOTS; i++) {
        const struct slot *slot = &week[day][i];

        if (slot->tenths != 0 && slot->hour * 60u + slot->minute <= minute) {
            found = slot;
        }
    }
    return found;
}

void schedule_apply(uint64_t now, double *target)
{
    unsigned minute = (unsigned)(now % 86400u / 60u);
    const struct slot *slot =
        slot_at(is_holiday(now) ? 6 : day_of(now), minute);

    if (slot->tenths < 50 || slot->tenths > 300) {
        app_say(
            "schedule: a temperature beyond 5 to 30 degrees is left out\n");
        return;
    }
    *target = slot->tenths / 10.0;
}

void schedule_say(void)
{
    char line[96];

    for (unsigned day = 0; day < DAYS; day++) {
        app_say(day_names[day]);
        app_say("\n");
        for (unsigned i = 0; i < SLOTS; i++) {
            const struct slot *slot = &week[day][i];

            if (slot->tenths != 0) {
                (void)snprintf(line, sizeof line,
                               "  from %02u:%02u on %4.1f degrees\n",
                               (unsigned)slot->hour, (unsigned)slot->minute,
                               slot->tenths / 10.0);
                app_say(line);
            }
        }
    }
}

void schedule_holiday(void)
{
    char line[64];

    if (n_holidays == HOLIDAYS) {
        app_say("schedule: no room for another holiday; remove one first\n");
        return;
    }
    holidays[n_holidays++] = 20000u + n_holidays * 7u;
    for (unsigned i = 0; i < n_holidays; i++) {
        (void)snprintf(line, sizeof line, "holiday %u: day %lu\n", i,
                       (unsigned long)holidays[i]);
        app_say(line);
    }
}
