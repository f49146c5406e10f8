/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Maps whose labels have one order only, the deterministic one, so that each
 * is read as "this label, then that". Each function is true when what comes
 * next is the label and a value of its kind; a label that is another leaves
 * the reader where it was.
 */
#ifndef BOWLINE_LABEL_H
#define BOWLINE_LABEL_H

#include "bowline/cbor.h"

/* Also for a value that can only be this one. */
bool bl_label(struct bl_cbor *r, int32_t expected);
bool bl_label_uint(struct bl_cbor *r, int32_t label, uint64_t *out);
bool bl_label_bstr(struct bl_cbor *r, int32_t label, bl_span *out);

#endif
