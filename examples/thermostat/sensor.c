/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor.h"

#include <string.h>

enum { CYCLE = 120 }; /* readings of one slow swing */

void sensor_open(struct sensor *sensor, double room, const char *state)
{
    sensor->room = room;
    sensor->broken = strcmp(state, "ok") != 0;
    sensor->reading = 0;
}

bool sensor_read(struct sensor *sensor, double *celsius)
{
    unsigned phase = sensor->reading++ % CYCLE;
    unsigned swing = phase < CYCLE / 2 ? phase : CYCLE - phase;

    if (sensor->broken) {
        return false;
    }
    *celsius = sensor->room + 2.0 * (double)swing / CYCLE - 0.5;
    return true;
}
