/* SPDX-License-Identifier: Apache-2.0 */
/* The least program that applies deltas, for tests/size/delta.sh: linked and
 * measured, never run. */
#include "bowline/delta.h"

int entry(void);

static bl_status get(void *ctx, uint32_t offset, void *out, uint32_t n)
{
    (void)ctx;
    (void)offset;
    (void)out;
    (void)n;
    return BL_OK;
}

static bl_status put(void *ctx, const void *data, uint32_t n)
{
    (void)ctx;
    (void)data;
    (void)n;
    return BL_OK;
}

const struct bl_delta_io io = {0, get, get, put};
volatile uint8_t patch[BL_DELTA_HEAD];
uint64_t memory[1];

int entry(void)
{
    uint8_t head[BL_DELTA_HEAD];
    struct bl_delta_info info;
    struct bl_delta *d;
    bool whole;
    size_t taken;

    for (taken = 0; taken < sizeof head; taken++) {
        head[taken] = patch[taken];
    }
    if (bl_delta_head(head, sizeof head, &info) != BL_OK ||
        bl_delta_start(&info, &io, 1, 1, memory, sizeof memory, &d) != BL_OK ||
        bl_delta_data(d, head, sizeof head, &taken) != BL_OK) {
        return 1;
    }
    return bl_delta_end(d, &whole) == BL_OK && whole ? 0 : 1;
}
