/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INSPECT_H
#define INSPECT_H

#include "bowline/sha256.h"
#include "describe.h"

enum file_type {
    TYPE_ENVELOPE,
    TYPE_ROOT,
    TYPE_PERMIT,
    TYPE_TICKET,
    TYPE_KEY,
    TYPE_PATCH,
    TYPE_TABLE,
    TYPE_OTADATA,
    TYPE_FLASH,
    TYPE_IMAGE
};

/* By the first bytes; whether it is sound is another question. */
enum file_type inspect_type(bl_span bytes);

#endif
