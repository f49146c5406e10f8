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
/* null for "". */
json_t *text_or_null(const char *text);

#endif
