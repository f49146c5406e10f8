/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thermostat's temperature sensor. There is none: its values are computed
 * from device.conf, attributes: "temperature" is the room's, "sensor" is what
 * the hardware is like, "ok" or "broken".
 */
#ifndef SENSOR_H
#define SENSOR_H

#include <stdbool.h>

struct sensor {
    double room; /* degrees Celsius */
    bool broken;
    unsigned reading; /* how many were taken */
};

void sensor_open(struct sensor *sensor, double room, const char *state);
/* False when the sensor does not answer. */
bool sensor_read(struct sensor *sensor, double *celsius);

#endif
