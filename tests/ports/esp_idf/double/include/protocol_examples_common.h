/* SPDX-License-Identifier: Apache-2.0 */
/* For the example, which is compiled here and not linked. */
#ifndef PROTOCOL_EXAMPLES_COMMON_H
#define PROTOCOL_EXAMPLES_COMMON_H

#include "esp_err.h"

esp_err_t example_connect(void);

#endif
