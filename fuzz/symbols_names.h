/* SPDX-License-Identifier: Apache-2.0 */
/* Included before anything else of each file of core/delta/src that is
 * compiled to be walked with drawn symbols: a third set of names. */
#include "names.h"

#undef BL_NAME
#define BL_NAME(name) symbols_##name
