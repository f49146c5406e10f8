/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The audit log as a hash chain (host/audit_line.h), in the store's tables
 * `audit` and `audit_head`. A line is added in the transaction of the change
 * that it tells of: store_audit. Nothing here ever mends what does not fit:
 * a break stays visible.
 */
#ifndef SERVER_AUDIT_H
#define SERVER_AUDIT_H

#include "db.h"
#include "host/audit_line.h"

/* The newest line. */
struct audit_head {
    uint64_t number; /* 0: there is none */
    uint64_t lines;
    uint8_t hash[AUDIT_HASH];
};

/* For migrations: gives SQL a function audit_chain(), which chains the lines
 * that are there. */
int audit_offer_chain(struct db *db, struct error *err);
int audit_load_head(struct db *db, struct audit_head *head, struct error *err);
/* Adds a line behind *head, which becomes it. Text that is no UTF-8 is kept
 * with '?' for what is not ASCII. */
int audit_append(struct db *db, struct audit_head *head, const char *actor,
                 const char *action, const char *object, const char *detail,
                 struct error *err);

/* The line in columns number, time, actor, action, object, detail; its texts
 * are the row's. */
void audit_row(sqlite3_stmt *row, struct audit_line *line);

/* From the oldest line on. */
struct audit_check {
    uint64_t number; /* of the last line that was looked at */
    uint64_t lines;
    uint64_t first_bad; /* 0: none */
    uint8_t hash[AUDIT_HASH];
    bool whole; /* the end was reached, or a fault */
};

enum { AUDIT_PIECE = 500 };

/* Looks at the next AUDIT_PIECE lines; the store's lock is held. At the end
 * the last hash must be that of `head` (what the server remembers) and of
 * the table audit_head. */
int audit_check_some(struct db *db, struct audit_check *check,
                     const struct audit_head *head, struct error *err);

#endif
