/* SPDX-License-Identifier: Apache-2.0 */
/* Included before anything else of head.c: what it says of the memory gets
 * another name, hostile_memory.c says it in its place. */
#include "names.h"

#undef bl_head_memory
#define bl_head_memory bl_hostile_head_memory
