/* SPDX-License-Identifier: Apache-2.0 */
/* Which devices a request asks for: the list and the export take the same. */
#ifndef SERVER_DEVICE_FILTER_H
#define SERVER_DEVICE_FILTER_H

#include "server.h"

struct device_filter;

/* From ?product=&state=&version=&search=&query=&rollout=&outcome=&attention=.
 * It keeps nothing of the request. NULL: the error is set. */
struct device_filter *device_filter_read(struct server *s,
                                         struct http_request *rq);
void device_filter_free(struct device_filter *f);

/* Each time that the catalog has been locked anew: product and rollout. */
void device_filter_look_up(struct device_filter *f);
/* The catalog and the device are locked. */
bool device_filter_has(struct device_filter *f, struct device *d);

#endif
