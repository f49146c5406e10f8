/* SPDX-License-Identifier: Apache-2.0 */
/* The device API's request body, as the server reads it. */
#include <stdlib.h>
#include <string.h>

#include "accept_all.h"
#include "poll_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct poll poll;
    char fault[POLL_FAULT];
    char json[POLL_JSON];

    if (poll_read(bl_span_of(data, size), &poll) != BL_OK) {
        poll_fault_text(&poll.fault, fault);
        return 0;
    }
    poll_attributes_json(&poll.attributes, json);
    if (poll.n_events > POLL_EVENTS || strlen(json) >= POLL_JSON) {
        abort();
    }
    return 0;
}
