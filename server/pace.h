/* SPDX-License-Identifier: Apache-2.0 */
/*
 * So many in an hour, evenly: a minute's worth at once, then one by one. The
 * state is one number, when the next is due, so that polls on many threads
 * need no lock.
 */
#ifndef SERVER_PACE_H
#define SERVER_PACE_H

#include <stdatomic.h>
#include <stdint.h>

/* Seconds until there is room for one more; 0: now. No limit with 0. */
uint32_t pace_wait(_Atomic uint64_t *due_us, uint32_t per_hour,
                   uint64_t now_us);
/* One was made. */
void pace_take(_Atomic uint64_t *due_us, uint32_t per_hour, uint64_t now_us);

#endif
