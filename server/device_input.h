/* SPDX-License-Identifier: Apache-2.0 */
/* What operators write of a device. NULL or -1: the error is set. */
#ifndef SERVER_DEVICE_INPUT_H
#define SERVER_DEVICE_INPUT_H

#include "api.h"

/* "tags" as JSON text; "[]" when absent. The caller's to free. */
char *device_read_tags(struct http_request *rq, const json_t *body);
/* "channel"; "" when absent, or stable. */
char *device_read_channel(struct http_request *rq, const json_t *body);
/* No other device of the product may have it; `self` is its own number. */
int device_check_name(struct server *s, struct http_request *rq,
                      const char *name, uint32_t product, uint32_t self);

#endif
