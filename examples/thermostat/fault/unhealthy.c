/* SPDX-License-Identifier: Apache-2.0 */
/* The new driver does not get along with the sensor. */
#include "fault.h"

void fault_at_start(void)
{
}

bool fault_sensor(void)
{
    return true;
}

bool fault_never_settles(void)
{
    return false;
}
