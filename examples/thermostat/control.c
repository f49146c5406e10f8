/* SPDX-License-Identifier: Apache-2.0 */
#include "control.h"

bool control_decide(struct control *control, double celsius)
{
    bool before = control->heating;

    if (celsius < control->target - control->hysteresis) {
        control->heating = true;
    } else if (celsius > control->target + control->hysteresis) {
        control->heating = false;
    }
    return control->heating != before;
}
