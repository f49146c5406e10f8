/* SPDX-License-Identifier: Apache-2.0 */
#include "delta_store.h"

#include <stdio.h>
#include <stdlib.h>

enum { NUMBER_MAX = 1 << 26 };

int delta_store_add(struct store *store, struct delta *one, struct error *err)
{
    if (db_run(&store->db, err,
               "INSERT INTO deltas (base, target, ram, isas, full_size,"
               " queued, state, asked) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
               "bbiiiiii", bl_span_of(one->base, 32),
               bl_span_of(one->target, 32), (int64_t)one->ram,
               (int64_t)one->isas, (int64_t)one->full, one->queued,
               (int64_t)atomic_load(&one->state), (int64_t)one->asked) != 0) {
        return -1;
    }
    one->number = (uint32_t)sqlite3_last_insert_rowid(store->db.handle);
    return 0;
}

int delta_store_put(struct store *store, const struct delta *one,
                    struct error *err)
{
    return db_run(
        &store->db, err,
        "UPDATE deltas SET isas = ?, patch = ?, isa = ?, tries = ?,"
        " state = ?, size = ?, ms = ?, queued = ?, made = ?, reason = ?,"
        " failures = ?, installs = ?, saved = ?, used = ?, asked = ?"
        " WHERE number = ?",
        "ibiiiiiiitiiiiii", (int64_t)one->isas, bl_span_of(one->patch, 32),
        (int64_t)one->isa, (int64_t)one->tries,
        (int64_t)atomic_load(&one->state), (int64_t)one->size,
        (int64_t)one->ms, one->queued, one->made, one->reason,
        (int64_t)atomic_load(&one->failures),
        (int64_t)atomic_load(&one->installs),
        (int64_t)atomic_load(&one->saved), atomic_load(&one->used),
        (int64_t)one->asked, (int64_t)one->number);
}

int delta_store_remove(struct store *store, uint32_t number, struct error *err)
{
    return db_run(&store->db, err, "DELETE FROM deltas WHERE number = ?", "i",
                  (int64_t)number);
}

struct load {
    struct deltas *d;
    struct error *err;
    bool damaged;
};

static void take_up(struct delta *one)
{
    if (atomic_load(&one->state) == DELTA_QUEUED) {
        one->tries = 0; /* what killed it before may be over */
        return;
    }
    if (atomic_load(&one->state) != DELTA_MAKING) {
        return;
    }
    atomic_store(&one->state, DELTA_QUEUED);
    if (one->tries >= DELTA_TRIES) {
        atomic_store(&one->state, DELTA_FAILED);
        snprintf(one->reason, sizeof one->reason,
                 "the server ended %d times while it was made", DELTA_TRIES);
    }
}

static void read_numbers(struct delta *one, sqlite3_stmt *row)
{
    one->ram = (uint8_t)sqlite3_column_int(row, 4);
    one->isas = (uint8_t)sqlite3_column_int(row, 5);
    one->isa = (uint8_t)sqlite3_column_int(row, 6);
    one->tries = (uint8_t)sqlite3_column_int(row, 7);
    atomic_store(&one->state, (uint8_t)sqlite3_column_int(row, 8));
    one->full = (uint32_t)sqlite3_column_int64(row, 9);
    one->size = (uint32_t)sqlite3_column_int64(row, 10);
    one->ms = (uint32_t)sqlite3_column_int64(row, 11);
    one->queued = sqlite3_column_int64(row, 12);
    one->made = sqlite3_column_int64(row, 13);
    atomic_store(&one->failures, (uint32_t)sqlite3_column_int64(row, 15));
    atomic_store(&one->installs, (uint32_t)sqlite3_column_int64(row, 16));
    atomic_store(&one->saved, (uint64_t)sqlite3_column_int64(row, 17));
    atomic_store(&one->used, sqlite3_column_int64(row, 18));
    one->asked = sqlite3_column_int(row, 19) != 0;
}

static bool read_row(struct delta *one, sqlite3_stmt *row)
{
    int64_t number = sqlite3_column_int64(row, 0);
    bl_span base = db_blob(row, 1);
    bl_span target = db_blob(row, 2);
    bl_span patch = db_blob(row, 3);

    if (number < 1 || number > NUMBER_MAX || base.n != 32 || target.n != 32 ||
        (patch.n != 0 && patch.n != 32) ||
        sqlite3_column_int64(row, 4) >= DELTA_CLASSES ||
        sqlite3_column_int64(row, 8) >= DELTA_STATES) {
        return false;
    }
    one->number = (uint32_t)number;
    memcpy(one->base, base.p, 32);
    memcpy(one->target, target.p, 32);
    if (patch.n > 0) {
        memcpy(one->patch, patch.p, 32);
    }
    read_numbers(one, row);
    snprintf(one->reason, sizeof one->reason, "%s", db_text(row, 14));
    return one->isa < BL_DELTA_ISAS;
}

static int load_row(void *ctx, sqlite3_stmt *row)
{
    struct load *l = ctx;
    struct delta *one = calloc(1, sizeof *one);

    if (one == NULL || !read_row(one, row)) {
        l->damaged = one != NULL;
        free(one);
        return error_set(l->err, "no memory for the patches");
    }
    take_up(one);
    if (deltas_add(l->d, one) != 0) {
        free(one);
        return error_set(l->err, "no memory for the patches");
    }
    return 0;
}

int delta_store_load(struct store *store, struct deltas *d, struct error *err)
{
    struct error first = {BL_OK, 0, ""};
    struct load l = {d, &first, false};

    if (db_each(&store->db, err, load_row, &l,
                "SELECT number, base, target, patch, ram, isas, isa, tries,"
                " state, full_size, size, ms, queued, made, reason, failures,"
                " installs, saved, used, asked FROM deltas ORDER BY number",
                "") != 0) {
        return -1;
    }
    if (l.damaged) {
        return error_set(err, "the database's table deltas holds what this "
                              "program did not write; restore a backup");
    }
    return first.text[0] == '\0' ? 0 : error_set(err, "%s", first.text);
}
