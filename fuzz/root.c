/* SPDX-License-Identifier: Apache-2.0 */
/* Root documents: first ones, and successors of whatever was accepted. */
#include "bowline/root.h"
#include "accept_all.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct bl_root first;
    static struct bl_root next;
    size_t half = size / 2;
    bl_status status;

    if (bl_root_accept(bl_span_of(data, half), NULL, &accept_all, &first) ==
        BL_OK) {
        status = bl_root_accept(bl_span_of(data + half, size - half), &first,
                                &accept_all, &next);
        (void)status;
    }
    if (bl_root_accept(bl_span_of(data, size), NULL, &accept_all, &first) ==
        BL_OK) {
        (void)bl_root_may_write(&first, BL_ROLE_RELEASE,
                                bl_span_of(data, size < 5 ? size : 5));
    }
    return 0;
}
