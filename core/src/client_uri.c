/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses below the server's own. */
#include "client_private.h"

bl_span bl_client_uri(struct bl_client *c, const char *folder,
                      const uint8_t digest[32])
{
    static const char digits[] = "0123456789abcdef";
    size_t n = strlen(folder);

    memcpy(c->uri, folder, n);
    for (uint32_t i = 0; i < 32; i++) {
        c->uri[n++] = digits[digest[i] >> 4];
        c->uri[n++] = digits[digest[i] & 15U];
    }
    return bl_span_of(c->uri, n);
}

static bool is_word(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
}

bool bl_client_uri_below(bl_span uri)
{
    for (size_t i = 0; i < uri.n; i++) {
        uint8_t c = uri.p[i];
        uint8_t before = i > 0 ? uri.p[i - 1] : '/';

        if (!is_word(c) &&
            !(before != '/' && (c == '/' || (c == '.' && before != '.')))) {
            return false;
        }
    }
    return uri.n > 0;
}
