/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is wrong with this build. Each fault is a file of its own (fault/),
 * chosen by the build: the good thermostat carries none of the bad ones.
 */
#ifndef FAULT_H
#define FAULT_H

#include <stdbool.h>

void fault_at_start(void);      /* may crash, may hang */
bool fault_sensor(void);        /* true: the driver misreads the sensor */
bool fault_never_settles(void); /* true: a check never comes to a verdict */

#endif
