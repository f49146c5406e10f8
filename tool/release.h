/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The releases folder: <product>-<version>.suit, a record in JSON beside it,
 * and payloads/<sha256>.
 */
#ifndef RELEASE_H
#define RELEASE_H

#include "bowline/suit.h"
#include "tool.h"

enum { ENVELOPE_LIMIT = 64 * 1024 };

const char *releases_folder(struct call *c);
/* A file of the folder that is an envelope for this class (any when NULL). */
struct release_file {
    const char *path; /* kept */
    uint64_t sequence;
};
/* The one with the highest sequence number; `path` NULL when none is there. */
int releases_newest(struct call *c, const uint8_t *class_id,
                    struct release_file *out);
/* The same among those with a lower sequence number. */
int releases_before(struct call *c, const uint8_t *class_id, uint64_t sequence,
                    struct release_file *out);
/* A payload's file: beside the envelope, or in the releases folder. NULL:
 * not there. Kept. */
const char *release_payload(struct call *c, const char *envelope,
                            const uint8_t digest[32]);
/* The records of a product's releases, as a list of {path, record}. One that
 * cannot be read is an error: it may be the one that counts. */
int releases_records(struct call *c, const char *product, json_t **out);
/* Vendor and class id of the project's product. */
int product_ids(struct call *c, uint8_t vendor_id[16], uint8_t class_id[16]);

#endif
