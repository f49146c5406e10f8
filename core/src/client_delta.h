/* SPDX-License-Identifier: Apache-2.0 */
/* What client_delta.c takes from client_delta_keep.c. */
#ifndef BOWLINE_CLIENT_DELTA_H
#define BOWLINE_CLIENT_DELTA_H

#include "client_private.h"

/* Keeps the decoder's memory in flash when it is time to; what cannot be kept
 * costs no more than a longer way after a power cut. */
void bl_client_delta_keep(struct bl_client *c);
/* Brings back the newest decoder that is no further than the installation:
 * `decoder`, `received`, `ram`, `kept`. False: there is none. */
bool bl_client_delta_find(struct bl_client *c);

#endif
