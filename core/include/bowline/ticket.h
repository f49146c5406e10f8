/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deployment ticket: the update server's fresh word, to one device, about the
 * manifest that it should run (docs/SPEC.md, "Ticket"). COSE_Sign1, attached
 * payload, external_aad "Bowline-Ticket-1", signed by the ticket role:
 *
 *   {4: expiry, 6: issued, 10: nonce, -65537: device id (16 bytes),
 *    -65538: SUIT_Digest of the manifest, -65539: minimum root version}
 *
 * Freshness comes from the device's own nonce, not from a clock. And the
 * downgrade permit: COSE_Sign (tag 98, attached payload, as many signatures
 * as the release role asks for), external_aad "Bowline-Permit-1":
 *
 *   {4: expiry, 6: issued, ?-65537: device id, -65538: SUIT_Digest of the
 *    manifest permitted, -65540: class id}
 *
 * Without a device id it permits every device of the class. It lifts the
 * anti-rollback floor for that one manifest, never the security floor.
 */
#ifndef BOWLINE_TICKET_H
#define BOWLINE_TICKET_H

#include "bowline/root.h"

enum { BL_NONCE_MIN = 8, BL_NONCE_MAX = 32, BL_ID_SIZE = 16 };

struct bl_ticket {
    uint64_t expiry;
    uint64_t issued;
    uint64_t root_version; /* the device must have at least this one */
    uint8_t manifest[32];
};

/*
 * Reads and checks a ticket: signature by the ticket role, device id, nonce,
 * expiry (when `now` is not 0). Returns BL_TICKET_... saying which. When only
 * the root version is too low, BL_TICKET_ROOT is returned and `*out` is set:
 * fetch the root documents first, then ask again with a new nonce.
 */
bl_status bl_ticket_check(bl_span ticket, const struct bl_root *root,
                          const uint8_t device_id[BL_ID_SIZE], bl_span nonce,
                          uint64_t now, const struct bl_crypto *crypto,
                          struct bl_ticket *out) BL_MUST_CHECK;

/*
 * Checks a permit for `manifest` on this device. `now` is the ticket's issue
 * time where there is no clock. Returns BL_PERMIT_... saying what is wrong.
 */
bl_status bl_permit_check(bl_span permit, const struct bl_root *root,
                          const uint8_t device_id[BL_ID_SIZE],
                          const uint8_t class_id[BL_ID_SIZE],
                          const uint8_t manifest[32], uint64_t now,
                          const struct bl_crypto *crypto) BL_MUST_CHECK;

#endif
