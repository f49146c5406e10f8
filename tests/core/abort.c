/* SPDX-License-Identifier: Apache-2.0 */
/* The firmware that refers least to its own version record. */
#include "bowline/firmware.h"

#include <stdlib.h>

BL_FIRMWARE("abort", "6.6.6");

int main(void)
{
    abort();
}
