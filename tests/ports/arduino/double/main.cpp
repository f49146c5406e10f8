/* SPDX-License-Identifier: Apache-2.0 */
/* One start of the board: bootloader, the core's startup, the sketch. */
#include <stdlib.h>

#include "Arduino.h"

#include "double.h"

int main()
{
    setvbuf(stdout, nullptr, _IOLBF, 0);
    double_flash_open();
    if (double_boot() < 0) {
        printf("[double] nothing can be started\n");
        return DOUBLE_EXIT_BRICK;
    }
    printf("[double] boots slot %d\n", double_running());
    initArduino();
    setup();
    for (;;) {
        loop();
        delay(1);
    }
}
