/* SPDX-License-Identifier: Apache-2.0 */
/* Dies at the first step, as by a null pointer. */
#include "fault.h"

#include <signal.h>

void fault_at_start(void)
{
    (void)raise(SIGSEGV);
}

bool fault_sensor(void)
{
    return false;
}

bool fault_never_settles(void)
{
    return false;
}
