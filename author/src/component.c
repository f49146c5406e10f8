/* SPDX-License-Identifier: Apache-2.0 */
#include "component.h"

#include "bowline/suit.h"

static uint32_t parts(const char *name)
{
    uint32_t n = 1;

    for (; *name != 0; name++) {
        n += *name == '/';
    }
    return n;
}

void put_component(struct bl_cbor_writer *w, const char *name)
{
    uint32_t n = parts(name);
    size_t length;

    bl_cbor_put_array(w, n);
    for (; n > 0; n--) {
        length = strcspn(name, "/");
        bl_cbor_put_bstr(w, bl_span_of(name, length));
        name += length + (n > 1 ? 1 : 0);
    }
}

int component_check(const char *name, struct error *err)
{
    size_t n = strlen(name);

    if (n == 0 || n > COMPONENT_NAME_MAX || name[0] == '/' ||
        name[n - 1] == '/' || strstr(name, "//") != NULL ||
        parts(name) > BL_SUIT_ID_PARTS) {
        return error_set(err,
                         "component \"%.64s\": one to %d parts divided by "
                         "'/', at most %d characters",
                         name, BL_SUIT_ID_PARTS, COMPONENT_NAME_MAX);
    }
    return 0;
}
