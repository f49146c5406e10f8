/* SPDX-License-Identifier: Apache-2.0 */
/* A port that does nothing, for measuring what stands above it. */
#ifndef PORT_H
#define PORT_H

#include "bowline/crypto.h"
#include "bowline/flash.h"
#include "bowline/slot.h"

extern const struct bl_layout port_layout;
extern const struct bl_crypto port_crypto;
uint64_t port_time(void);
void port_start(uint32_t offset);
void entry(void);

#endif
