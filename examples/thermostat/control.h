/* SPDX-License-Identifier: Apache-2.0 */
/* Heating on or off: a pure decision with some hysteresis. */
#ifndef CONTROL_H
#define CONTROL_H

#include <stdbool.h>

struct control {
    double target;     /* degrees Celsius */
    double hysteresis; /* either side of it */
    bool heating;
};

/* Decides by one reading; true when the heating was switched. */
bool control_decide(struct control *control, double celsius);

#endif
