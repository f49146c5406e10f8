/* SPDX-License-Identifier: Apache-2.0 */
/* Permits: made here, where the release keys are; the server only passes
 * them on. */
#ifndef PERMIT_H
#define PERMIT_H

#include "api.h"
#include "author/author.h"

struct permit_wish {
    uint8_t manifest[32];
    uint8_t class_id[BL_ID_SIZE];
    const uint8_t *device; /* NULL: every one of the product */
    uint64_t expires;
};

/* The class id of a product, from the server. */
int permit_class(struct call *c, struct api *api, const char *product,
                 uint8_t class_id[BL_ID_SIZE]);
/* Signs with the release keys. 0 or an exit code; *out is to be freed. */
int permit_make(struct call *c, const struct permit_wish *wish,
                struct buffer *out);
/* Kept. */
const char *permit_base64(struct call *c, const struct buffer *permit);

#endif
