/* SPDX-License-Identifier: Apache-2.0 */
/* The catalog as the database has it. */
#include "catalog_internal.h"

struct load {
    struct catalog *c;
    struct error *err;
};

static int damaged(struct load *l, const char *table, int64_t number)
{
    error_set(l->err,
              "the database's table %s, row %lld, is not what this program "
              "wrote; restore a backup",
              table, (long long)number);
    return 1;
}

static int load_root(void *ctx, sqlite3_stmt *row)
{
    struct load *l = ctx;
    int64_t version = sqlite3_column_int64(row, 0);

    if (catalog_add_root(l->c, (uint64_t)version, db_blob(row, 1)) != 0) {
        return damaged(l, "roots", version);
    }
    return 0;
}

static int load_product(void *ctx, sqlite3_stmt *row)
{
    struct load *l = ctx;
    int64_t number = sqlite3_column_int64(row, 0);
    bl_span vendor = db_blob(row, 3);
    bl_span class_id = db_blob(row, 4);
    struct product *p = NULL;

    if (vendor.n == 16 && class_id.n == 16) {
        p = catalog_add_product(l->c, (uint32_t)number, db_text(row, 1),
                                db_text(row, 2), vendor.p, class_id.p);
    }
    if (p == NULL) {
        return damaged(l, "products", number);
    }
    atomic_store(&p->unmanaged, sqlite3_column_int(row, 5) != 0);
    return 0;
}

static int load_release(void *ctx, sqlite3_stmt *row)
{
    struct load *l = ctx;
    int64_t number = sqlite3_column_int64(row, 0);
    struct store_release r = {
        .product = (uint32_t)sqlite3_column_int64(row, 1),
        .version = db_text(row, 2),
        .sequence = (uint64_t)sqlite3_column_int64(row, 3),
        .envelope = db_blob(row, 5),
        .signers = db_text(row, 6),
        .payloads = db_text(row, 7),
        .marks = {db_text(row, 9), db_text(row, 12),
                  sqlite3_column_int(row, 10) != 0,
                  sqlite3_column_int(row, 11) != 0},
        .sbom = sqlite3_column_int(row, 13) != 0,
    };
    bl_span manifest = db_blob(row, 4);

    r.manifest = manifest.p;
    if (manifest.n != 32 ||
        catalog_add_release(l->c, (uint32_t)number, &r,
                            (uint64_t)sqlite3_column_int64(row, 8)) == NULL) {
        return damaged(l, "releases", number);
    }
    return 0;
}

static int load_rollout(void *ctx, sqlite3_stmt *row)
{
    struct load *l = ctx;
    struct store_rollout r = {
        .id = (uint64_t)sqlite3_column_int64(row, 0),
        .product = (uint32_t)sqlite3_column_int64(row, 1),
        .release = (uint32_t)sqlite3_column_int64(row, 2),
        .name = db_text(row, 3),
        .kind = (uint8_t)sqlite3_column_int(row, 4),
        .state = (uint8_t)sqlite3_column_int(row, 5),
        .stage = (uint32_t)sqlite3_column_int(row, 6),
        .stages = db_text(row, 7),
        .permit = db_blob(row, 8),
        .ended = db_text(row, 11),
        .plan = db_text(row, 12),
        .steer = db_text(row, 13),
    };

    if (catalog_add_rollout(l->c, &r, (uint64_t)sqlite3_column_int64(row, 9),
                            (uint64_t)sqlite3_column_int64(row, 10)) == NULL) {
        return damaged(l, "rollouts", (int64_t)r.id);
    }
    return 0;
}

int catalog_load(struct catalog *c, struct store *store, struct error *err)
{
    struct load l = {c, err};
    struct error first = {BL_OK, 0, ""};
    struct db *db = &store->db;

    l.err = &first;
    if (db_each(db, err, load_root, &l,
                "SELECT version, document FROM roots ORDER BY version",
                "") != 0 ||
        db_each(db, err, load_product, &l,
                "SELECT number, name, domain, vendor_id, class_id, unmanaged"
                " FROM products ORDER BY number",
                "") != 0 ||
        db_each(db, err, load_release, &l,
                "SELECT number, product, version, sequence, manifest,"
                " envelope, signers, payloads, created, channels, stepping,"
                " security, notes, number IN (SELECT release FROM sboms)"
                " FROM releases ORDER BY number",
                "") != 0 ||
        db_each(db, err, load_rollout, &l,
                "SELECT number, product, release, name, kind, state, stage,"
                " stages, permit, created, changed, ended, plan, steer"
                " FROM rollouts ORDER BY number",
                "") != 0) {
        return -1;
    }
    if (first.text[0] != '\0') {
        return error_set(err, "%s", first.text);
    }
    return 0;
}
