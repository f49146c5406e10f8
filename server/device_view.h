/* SPDX-License-Identifier: Apache-2.0 */
/* A device as operators see it. */
#ifndef SERVER_DEVICE_VIEW_H
#define SERVER_DEVICE_VIEW_H

#include "api.h"

/* The catalog and the device are locked. */
json_t *device_json(struct server *s, struct device *d);
/* The device that the path names: locked, or the error is set. The caller
 * holds the catalog's lock. */
struct device *device_named(struct server *s, struct http_request *rq);
/* Who that is, unlocked again; -1 and the error is set. The admin lock keeps
 * the device. */
int device_find(struct server *s, struct http_request *rq, uint32_t *number,
                uint32_t *product);
/* null for "". */
json_t *text_or_null(const char *text);

#endif
