/* SPDX-License-Identifier: Apache-2.0 */
/* The least program that applies patches; see client.c. */
#include "bowline/delta.h"
#include "port.h"

static struct bl_delta_io io;
static struct bl_delta_info info;
static uint64_t memory[1536];

static bl_status apply(struct bl_delta *d)
{
    size_t taken = 0;
    bool whole = false;
    bl_status status = bl_delta_data(d, memory, sizeof memory, &taken);

    while (status == BL_OK && !whole) {
        status = bl_delta_end(d, &whole);
    }
    return status;
}

void entry(void)
{
    struct bl_delta *d;

    if (bl_delta_head(memory, sizeof memory, &info) == BL_OK &&
        bl_delta_start(&info, &io, bl_delta_isas(), 1, memory, sizeof memory,
                       &d) == BL_OK &&
        apply(d) == BL_OK &&
        bl_delta_resume(memory, sizeof memory, &io, &d) == BL_OK) {
        port_start(bl_delta_taken(d) + bl_delta_written(d));
    }
}
