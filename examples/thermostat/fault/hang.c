/* SPDX-License-Identifier: Apache-2.0 */
/* Spins at start and never pets the watchdog. */
#include "fault.h"

void fault_at_start(void)
{
    static volatile bool forever = true;

    while (forever) {
    }
}

bool fault_sensor(void)
{
    return false;
}

bool fault_never_settles(void)
{
    return false;
}
