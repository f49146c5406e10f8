/* SPDX-License-Identifier: Apache-2.0 */
#include "label.h"

bool bl_label(struct bl_cbor *r, int32_t expected)
{
    struct bl_cbor ahead = *r;
    int64_t found;

    if (bl_cbor_int(&ahead, &found) != BL_OK || found != expected) {
        return false;
    }
    *r = ahead;
    return true;
}

bool bl_label_uint(struct bl_cbor *r, int32_t label, uint64_t *out)
{
    return bl_label(r, label) && bl_cbor_uint(r, out) == BL_OK;
}

bool bl_label_bstr(struct bl_cbor *r, int32_t label, bl_span *out)
{
    return bl_label(r, label) && bl_cbor_bstr(r, out) == BL_OK;
}
