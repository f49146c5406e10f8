/* SPDX-License-Identifier: Apache-2.0 */
/* What the sources of the benchmark's firmware know of each other. */
#ifndef APP_H
#define APP_H

#include <stdint.h>

struct command {
    const char *name;
    const char *help;
    void (*run)(void);
};

void app_say(const char *text);
void app_command(const char *word);

/* Only with FEATURE. */
void schedule_say(void);
void schedule_holiday(void);
void schedule_apply(uint64_t now, double *target);

#endif
