/* SPDX-License-Identifier: Apache-2.0 */
/* What install_apply.c and the client's deltas share. All of it belongs to the
 * decoder's side: firmware that takes no deltas does not carry it. */
#ifndef BOWLINE_INSTALL_APPLY_H
#define BOWLINE_INSTALL_APPLY_H

#include "bowline/slot.h"

struct bl_delta_info;

/* `n` bytes of the payload under way, as they were given before: from flash,
 * or from what waits for it. */
bl_status bl_install_written(const struct bl_install *install, uint32_t offset,
                             void *out, uint32_t n) BL_MUST_CHECK;

/* Is the patch for this base and image, and one that is applied to a slot?
 * BL_DELTA_BASE, BL_DELTA_FORMAT, BL_DELTA. */
bl_status bl_delta_fits(const struct bl_delta_info *info, uint32_t base_size,
                        const uint8_t base_digest[32], uint32_t size,
                        const uint8_t digest[32]) BL_MUST_CHECK;

#endif
