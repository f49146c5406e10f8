/* SPDX-License-Identifier: Apache-2.0 */
#include "permit.h"

#include <openssl/evp.h>
#include <string.h>
#include <time.h>

#include "keys.h"

enum { PERMIT_LIMIT = 64 * 1024 };

/* A UUID, with its dashes or without. */
static int read_uuid(const char *text, uint8_t out[BL_ID_SIZE])
{
    char hex[2 * BL_ID_SIZE + 1];
    size_t n = 0;

    for (; *text != '\0' && n < sizeof hex - 1; text++) {
        if (*text != '-') {
            hex[n++] = *text;
        }
    }
    return *text == '\0' ? hex_decode(hex, n, out, BL_ID_SIZE) : -1;
}

int permit_class(struct call *c, struct api *api, const char *product,
                 uint8_t class_id[BL_ID_SIZE])
{
    json_t *answer = NULL;
    const char *id;
    int code =
        api_call(api, "GET", keep(c, "/products/%s", url_part(c, product)),
                 NULL, &answer);

    if (code != 0) {
        return code;
    }
    id = json_string_value(json_object_get(answer, "class_id"));
    if (id == NULL || read_uuid(id, class_id) != 0) {
        code = refuse(c, EXIT_SERVER, "the server names no class id of %s",
                      product);
    }
    json_decref(answer);
    return code;
}

int permit_make(struct call *c, const struct permit_wish *wish,
                struct buffer *out)
{
    struct author_permit permit = {0};
    struct keys keys;
    int code = keys_open_release(c, &keys);

    if (code != 0) {
        return code;
    }
    out->limit = PERMIT_LIMIT;
    permit.issued = (uint64_t)time(NULL);
    permit.expiry = wish->expires;
    permit.device_id = wish->device;
    memcpy(permit.class_id, wish->class_id, BL_ID_SIZE);
    memcpy(permit.manifest, wish->manifest, 32);
    if (author_permit(&permit, keys.key, keys.n, out, &c->err) != 0) {
        code = EXIT_INPUT;
    }
    keys_close(&keys);
    return code;
}

const char *permit_base64(struct call *c, const struct buffer *permit)
{
    char *base64 = keep(c, "%*s", (int)(4 * ((permit->n + 2) / 3)), "");

    (void)EVP_EncodeBlock((unsigned char *)base64, permit->p, (int)permit->n);
    return base64;
}
