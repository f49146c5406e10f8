/* SPDX-License-Identifier: Apache-2.0 */
/* Errors of the device API that say when to come again. */
#ifndef SERVER_DEVICE_REPLY_H
#define SERVER_DEVICE_REPLY_H

#include "api.h"

void say_in(struct http_request *rq, int status, uint32_t seconds,
            const char *text);
/* In ten seconds. */
void say_later(struct http_request *rq, int status, const char *text);

#endif
