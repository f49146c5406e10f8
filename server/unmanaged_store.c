/* SPDX-License-Identifier: Apache-2.0 */
#include "unmanaged_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 512, BATCHES = 40 };

static void copy_text(char *out, size_t size, sqlite3_stmt *row, int column)
{
    snprintf(out, size, "%s", db_text(row, column));
}

static uint32_t number_at(sqlite3_stmt *row, int column)
{
    return (uint32_t)sqlite3_column_int64(row, column);
}

/* One that another program wrote otherwise is left out: nothing hangs on
 * it. */
static int read_row(void *ctx, sqlite3_stmt *row)
{
    bl_span id = db_blob(row, 2);
    struct unmanaged u;

    memset(&u, 0, sizeof u);
    if (id.n != 16) {
        return 0;
    }
    u.number = number_at(row, 0);
    u.product = number_at(row, 1);
    memcpy(u.id, id.p, 16);
    copy_text(u.key, sizeof u.key, row, 3);
    copy_text(u.channel, sizeof u.channel, row, 4);
    copy_text(u.version, sizeof u.version, row, 5);
    copy_text(u.chip, sizeof u.chip, row, 6);
    copy_text(u.why, sizeof u.why, row, 7);
    u.client = (uint8_t)number_at(row, 8);
    u.status = (uint16_t)number_at(row, 9);
    u.first_seen = number_at(row, 10);
    u.last_seen = number_at(row, 11);
    u.asked = number_at(row, 12);
    u.runs = number_at(row, 13);
    u.before = number_at(row, 14);
    u.got = number_at(row, 15);
    u.got_at = number_at(row, 16);
    u.got_bytes = (uint64_t)sqlite3_column_int64(row, 17);
    u.offer = (uint64_t)sqlite3_column_int64(row, 18);
    u.tries = number_at(row, 19);
    (void)unmanaged_load(ctx, &u);
    return 0;
}

int unmanaged_read(struct unmanaged_set *set, struct store *store,
                   struct error *err)
{
    return db_each(
        &store->db, err, read_row, set,
        "SELECT number, product, id, name, channel, version, chip,"
        " why, client, status, first_seen, last_seen, asked, runs,"
        " before, got, got_at, got_bytes, offer, tries FROM unmanaged"
        " ORDER BY number",
        "");
}

static int write_row(struct store *store, const struct unmanaged *u,
                     struct error *err)
{
    if (u->gone) {
        return db_run(&store->db, err,
                      "DELETE FROM unmanaged WHERE number = ?", "i",
                      (int64_t)u->number);
    }
    return db_run(
        &store->db, err,
        "INSERT OR REPLACE INTO unmanaged (number, product, id, name,"
        " channel, version, chip, why, client, status, first_seen, last_seen,"
        " asked, runs, before, got, got_at, got_bytes, offer, tries) VALUES"
        " (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        "iibtttttiiiiiiiiiiii", (int64_t)u->number, (int64_t)u->product,
        bl_span_of(u->id, 16), u->key, u->channel, u->version, u->chip, u->why,
        (int64_t)u->client, (int64_t)u->status, (int64_t)u->first_seen,
        (int64_t)u->last_seen, (int64_t)u->asked, (int64_t)u->runs,
        (int64_t)u->before, (int64_t)u->got, (int64_t)u->got_at,
        (int64_t)u->got_bytes, (int64_t)u->offer, (int64_t)u->tries);
}

static int write_rows(struct store *store, const struct unmanaged *rows,
                      uint32_t n, struct error *err)
{
    if (store_begin(store, err) != 0) {
        return -1;
    }
    for (uint32_t i = 0; i < n; i++) {
        if (write_row(store, &rows[i], err) != 0) {
            return store_abort(store);
        }
    }
    return store_commit(store, err);
}

int unmanaged_write(struct unmanaged_set *set, struct store *store,
                    struct error *err)
{
    struct unmanaged *rows = malloc(BATCH * sizeof *rows);
    uint32_t n = BATCH;
    int result = rows == NULL ? error_set(err, "no memory") : 0;

    for (int i = 0; i < BATCHES && result == 0 && n == BATCH; i++) {
        n = unmanaged_changed(set, rows, BATCH);
        result = n == 0 ? 0 : write_rows(store, rows, n, err);
        if (result != 0) {
            unmanaged_again(set, rows, n);
        }
    }
    free(rows);
    return result;
}
