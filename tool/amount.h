/* SPDX-License-Identifier: Apache-2.0 */
/* Times as people write them. Each returns false when the text is none. */
#ifndef AMOUNT_H
#define AMOUNT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* "90", "90s", "12min", "1h", "2d", "1h 30min": seconds. */
bool amount_duration(const char *text, uint64_t *seconds);
/* "2026-02-01 02:00", with seconds, with T and Z, all UTC; "+2h" from `now`;
 * seconds since 1970. */
bool amount_time(const char *text, uint64_t now, uint64_t *seconds);
/* "mon-fri,sun 02:00-05:00", "22:00-06:00": a window of a plan. NULL: no. */
json_t *amount_window(const char *text);
/* "1,10,100" percent; "10,1%,100%" devices and percent: stages of a plan. */
json_t *amount_stages(const char *text);

#endif
