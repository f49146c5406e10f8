/* SPDX-License-Identifier: Apache-2.0 */
/* Private to core: what install.c takes from install_write.c. */
#ifndef BOWLINE_INSTALL_PRIVATE_H
#define BOWLINE_INSTALL_PRIVATE_H

#include "bowline/slot.h"

/* `doubt` when every block's content is known. */
#define BL_NO_DOUBT UINT32_MAX

/* Keeps the first error, and returns it. */
bl_status bl_install_latch(struct bl_install *install, bl_status status);
/* Takes some of the bytes, to io or to flash; errors are latched. */
bl_status bl_install_take(struct bl_install *install, const uint8_t *data,
                          uint32_t n, uint32_t *taken);
/* What waits in io goes to flash, padded to a write unit. */
bl_status bl_install_flush(struct bl_install *install);
/* Finds where the chosen payload goes on, given what flash holds of it:
 * `done`, `hash` and `doubt` are set. */
bl_status bl_install_go_on(struct bl_install *install);
/* The digest of what was hashed so far; is it the payload's? */
bl_verdict bl_install_verdict(const struct bl_install *install,
                              uint8_t digest[32]);

#endif
