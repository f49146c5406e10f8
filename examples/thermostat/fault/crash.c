/* SPDX-License-Identifier: Apache-2.0 */
/* Dies at the first step, as by a failed assertion. */
#include "fault.h"

#include <stdlib.h>

void fault_at_start(void)
{
    abort();
}

bool fault_sensor(void)
{
    return false;
}

bool fault_never_settles(void)
{
    return false;
}
