/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of an export: JSON objects as lines, or as comma-separated values. */
#ifndef SERVER_EXPORTS_H
#define SERVER_EXPORTS_H

#include "host/buffer.h"

#include <jansson.h>

/* {"a":1,...} and a line feed. */
int export_json_row(struct buffer *out, const json_t *row, struct error *err);
/*
 * The members named by `columns`, each in quotes (RFC 4180): lists and
 * objects as JSON, null as nothing. Text that a spreadsheet would take for a
 * formula (=, +, -, @, or a control character, in front) gets a ' in front.
 */
int export_csv_row(struct buffer *out, const json_t *row,
                   const char *const *columns, struct error *err);
int export_csv_head(struct buffer *out, const char *const *columns,
                    struct error *err);

#endif
