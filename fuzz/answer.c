/* SPDX-License-Identifier: Apache-2.0 */
/* The device API's answer, as the client reads it: root documents, ticket and
 * policy are spans into it, looked at by others. */
#include <stdlib.h>

#include "accept_all.h"
#include "client_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct bl_conditions unknown = {BL_OFFSET_UNKNOWN,
                                                 BL_BATTERY_UNKNOWN, 0};
    struct bl_answer answer;
    bl_span document;

    if (bl_client_read_answer(bl_span_of(data, size), &answer) != BL_OK) {
        return 0;
    }
    for (uint32_t i = 0; i < answer.n_roots; i++) {
        if (bl_cbor_bstr(&answer.roots, &document) != BL_OK) {
            abort();
        }
    }
    if (answer.policy.min_battery > 100 ||
        bl_policy_wait(&answer.policy, &unknown, BL_CONSENT_YES) !=
            BL_WAIT_NONE) {
        abort();
    }
    return 0;
}
