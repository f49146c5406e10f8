/* SPDX-License-Identifier: Apache-2.0 */
/* What to do about a status: one line each. Its meaning is core's. */
#ifndef HOST_ADVICE_H
#define HOST_ADVICE_H

#include "bowline/status.h"

/* Never NULL. */
const char *status_advice(bl_status status);

#endif
