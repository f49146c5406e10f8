/* SPDX-License-Identifier: Apache-2.0 */
/* Tickets and permits, behind a signature check that says yes. */
#include "bowline/ticket.h"
#include "accept_all.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t key[32] = {1};
    static const uint8_t id[16] = {2};
    static const uint8_t digest[32] = {3};
    struct bl_root root = {.version = 1, .ceiling = UINT64_MAX, .n_keys = 1};
    struct bl_ticket ticket;
    bl_status status;

    root.key[0].key.alg = BL_ALG_ED25519;
    root.key[0].key.x = bl_span_of(key, sizeof(key));
    for (int role = BL_ROLE_ROOT; role <= BL_ROLE_TICKET; role++) {
        root.role[role].threshold = 1;
        root.role[role].keys = 1;
    }
    status = bl_ticket_check(bl_span_of(data, size), &root, id,
                             bl_span_of(digest, 16), 1790000000, &accept_all,
                             &ticket);
    (void)status;
    status = bl_permit_check(bl_span_of(data, size), &root, id, id, digest,
                             1790000000, &accept_all);
    (void)status;
    return 0;
}
