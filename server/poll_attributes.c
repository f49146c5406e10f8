/* SPDX-License-Identifier: Apache-2.0 */
#include "poll_attributes.h"

/* So that it can stand in a query and on a page as it is. */
static bool is_name(bl_span text)
{
    for (size_t i = 0; i < text.n; i++) {
        uint8_t c = text.p[i];

        if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' &&
            c != '.' && c != '-') {
            return false;
        }
    }
    return text.n > 0 && text.n <= POLL_NAME;
}

/* C0, DEL, and C1, which is C2 80 to C2 9F. */
static bool has_control(bl_span text)
{
    for (size_t i = 0; i < text.n; i++) {
        uint8_t c = text.p[i];

        if (c < 0x20 || c == 0x7F ||
            (c == 0xC2 && i + 1 < text.n && text.p[i + 1] < 0xA0)) {
            return true;
        }
    }
    return false;
}

static bl_status read_one(struct bl_cbor *r, struct poll_attribute *out,
                          const char **why)
{
    *why = "a name has 1 to 24 of a-z 0-9 _ . -";
    if (bl_cbor_tstr(r, &out->name) != BL_OK || !is_name(out->name)) {
        return BL_CBOR;
    }
    *why = "a value is UTF-8 text of at most 64 bytes, without control "
           "characters";
    if (bl_cbor_tstr(r, &out->value) != BL_OK || out->value.n > POLL_VALUE ||
        has_control(out->value)) {
        return BL_CBOR;
    }
    return BL_OK;
}

bl_status poll_attributes_read(struct bl_cbor *r, struct poll_attributes *out,
                               uint32_t *n, const char **why)
{
    bl_span last = {NULL, 0};
    uint32_t pairs;

    *n = 0;
    *why = "a map of at most 16 attributes";
    out->n = 0;
    if (bl_cbor_map(r, &pairs) != BL_OK || pairs > POLL_ATTRIBUTES) {
        return BL_CBOR;
    }
    for (uint32_t i = 0; i < pairs; i++) {
        *n = i + 1;
        *why = "names come in CBOR's order (the shorter first), each once";
        if (bl_cbor_key_order(r, &last) != BL_OK ||
            read_one(r, &out->at[i], why) != BL_OK) {
            return BL_CBOR;
        }
    }
    out->n = pairs;
    return BL_OK;
}

static char *put_string(char *p, bl_span text)
{
    *p++ = '"';
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '"' || text.p[i] == '\\') {
            *p++ = '\\';
        }
        *p++ = (char)text.p[i];
    }
    *p++ = '"';
    return p;
}

void poll_attributes_json(const struct poll_attributes *a, char out[POLL_JSON])
{
    char *p = out;

    for (uint32_t i = 0; i < a->n; i++) {
        *p++ = i == 0 ? '{' : ',';
        p = put_string(p, a->at[i].name);
        *p++ = ':';
        p = put_string(p, a->at[i].value);
    }
    if (a->n > 0) {
        *p++ = '}';
    }
    *p = '\0';
}
