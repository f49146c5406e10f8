/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEVICE_H
#define DEVICE_H

#include "api.h"

/* The device a person means: its id, the beginning of it, or its name. */
int device_find(struct call *c, struct api *api, const char *text,
                json_t **device);

#endif
