/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line of the audit log, to the byte: what the server chains, what an
 * export holds, and what `bowline audit verify` computes anew.
 *
 *   text  = the line as JSON by RFC 8785: members sorted, no spaces,
 *           {"action":..,"actor":..,"detail":..,"number":N,"object":..,
 *           "time":N}
 *   hash  = SHA-256(the hash of the line before || text)
 *
 * Before the first line stand 32 zero bytes.
 */
#ifndef HOST_AUDIT_LINE_H
#define HOST_AUDIT_LINE_H

#include "host/buffer.h"

enum { AUDIT_HASH = 32, AUDIT_LINE_MAX = 65536 };

struct audit_line {
    uint64_t number;
    int64_t time;
    /* UTF-8; other bytes stand as they are. */
    const char *actor;
    const char *action;
    const char *object;
    const char *detail;
};

/* Appends the canonical text; with `hash` not NULL that is a member, too. */
int audit_line_put(const struct audit_line *line, const uint8_t *hash,
                   struct buffer *out, struct error *err);
int audit_line_hash(const uint8_t previous[AUDIT_HASH],
                    const struct audit_line *line, uint8_t hash[AUDIT_HASH],
                    struct error *err);

#endif
