/* SPDX-License-Identifier: Apache-2.0 */
/* The device API's request body, as the server reads it. */
#include <stdlib.h>

#include "accept_all.h"
#include "poll_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct poll poll;

    if (poll_read(bl_span_of(data, size), &poll) == BL_OK &&
        poll.n_events > POLL_EVENTS) {
        abort();
    }
    return 0;
}
