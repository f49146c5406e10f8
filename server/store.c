/* SPDX-License-Identifier: Apache-2.0 */
#include "store.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

/* One script a version; each is run once, in order. Never change a released
 * one: add. */
static const char *const migration[] = {
    "CREATE TABLE roots (version INTEGER PRIMARY KEY, document BLOB NOT NULL,"
    " created INTEGER NOT NULL);"
    "CREATE TABLE products (number INTEGER PRIMARY KEY AUTOINCREMENT,"
    " name TEXT NOT NULL UNIQUE, domain TEXT NOT NULL,"
    " vendor_id BLOB NOT NULL, class_id BLOB NOT NULL UNIQUE,"
    " created INTEGER NOT NULL);"
    "CREATE TABLE releases (number INTEGER PRIMARY KEY AUTOINCREMENT,"
    " product INTEGER NOT NULL REFERENCES products(number),"
    " version TEXT NOT NULL, sequence INTEGER NOT NULL,"
    " manifest BLOB NOT NULL UNIQUE, envelope BLOB NOT NULL,"
    " signers TEXT NOT NULL, payloads TEXT NOT NULL,"
    " created INTEGER NOT NULL, UNIQUE (product, sequence));"
    "CREATE TABLE rollouts (number INTEGER PRIMARY KEY AUTOINCREMENT,"
    " product INTEGER NOT NULL REFERENCES products(number),"
    " release INTEGER NOT NULL REFERENCES releases(number),"
    " name TEXT NOT NULL, kind INTEGER NOT NULL, state INTEGER NOT NULL,"
    " stage INTEGER NOT NULL, stages TEXT NOT NULL, permit BLOB,"
    " created INTEGER NOT NULL, changed INTEGER NOT NULL);"
    "CREATE TABLE devices (number INTEGER PRIMARY KEY AUTOINCREMENT,"
    " id BLOB NOT NULL UNIQUE,"
    " product INTEGER NOT NULL REFERENCES products(number),"
    " token BLOB NOT NULL, name TEXT NOT NULL, tags TEXT NOT NULL,"
    " created INTEGER NOT NULL);"
    "CREATE TABLE pins (device INTEGER PRIMARY KEY"
    " REFERENCES devices(number) ON DELETE CASCADE,"
    " ord INTEGER NOT NULL,"
    " release INTEGER NOT NULL REFERENCES releases(number),"
    " permit BLOB NOT NULL);"
    /* Written by every flush: no foreign keys, no second index. */
    "CREATE TABLE device_state (device INTEGER PRIMARY KEY,"
    " record BLOB NOT NULL);"
    "CREATE TABLE journal (number INTEGER PRIMARY KEY, records BLOB NOT NULL);"
    "CREATE TABLE events (device INTEGER NOT NULL, number INTEGER NOT NULL,"
    " boot INTEGER NOT NULL, uptime INTEGER NOT NULL, state INTEGER NOT NULL,"
    " code INTEGER NOT NULL, sequence INTEGER NOT NULL,"
    " slot INTEGER NOT NULL, attempt INTEGER NOT NULL,"
    " reset INTEGER NOT NULL, received INTEGER NOT NULL,"
    " PRIMARY KEY (device, number)) WITHOUT ROWID;"
    "CREATE TABLE audit (number INTEGER PRIMARY KEY AUTOINCREMENT,"
    " time INTEGER NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL,"
    " object TEXT NOT NULL, detail TEXT NOT NULL);",
    /* What became of each device in each rollout, and how many of each kind;
     * what a rollout was when it ended. */
    "CREATE TABLE outcomes (rollout INTEGER NOT NULL,"
    " device INTEGER NOT NULL, id BLOB NOT NULL, name TEXT NOT NULL,"
    " outcome INTEGER NOT NULL, code INTEGER NOT NULL,"
    " reset INTEGER NOT NULL, version TEXT NOT NULL, time INTEGER NOT NULL,"
    " PRIMARY KEY (rollout, device)) WITHOUT ROWID;"
    "CREATE INDEX outcomes_lost ON outcomes (rollout, time)"
    " WHERE outcome > 8;"
    "CREATE TABLE outcome_counts (rollout INTEGER NOT NULL,"
    " outcome INTEGER NOT NULL, n INTEGER NOT NULL,"
    " PRIMARY KEY (rollout, outcome)) WITHOUT ROWID;"
    "CREATE TRIGGER outcome_in AFTER INSERT ON outcomes BEGIN"
    " INSERT INTO outcome_counts VALUES (NEW.rollout, NEW.outcome, 1)"
    " ON CONFLICT DO UPDATE SET n = n + 1; END;"
    "CREATE TRIGGER outcome_out AFTER DELETE ON outcomes BEGIN"
    " UPDATE outcome_counts SET n = n - 1"
    " WHERE rollout = OLD.rollout AND outcome = OLD.outcome; END;"
    "CREATE TRIGGER outcome_turn AFTER UPDATE OF outcome ON outcomes BEGIN"
    " UPDATE outcome_counts SET n = n - 1"
    " WHERE rollout = OLD.rollout AND outcome = OLD.outcome;"
    " INSERT INTO outcome_counts VALUES (NEW.rollout, NEW.outcome, 1)"
    " ON CONFLICT DO UPDATE SET n = n + 1; END;"
    "ALTER TABLE rollouts ADD COLUMN ended TEXT NOT NULL DEFAULT '';"
    "CREATE INDEX devices_name ON devices (product, name)"
    " WHERE name <> '';",
    /* A device that is provisioned anew numbers its events from 1 again. */
    "CREATE TABLE events_of (device INTEGER NOT NULL,"
    " life INTEGER NOT NULL, number INTEGER NOT NULL,"
    " boot INTEGER NOT NULL, uptime INTEGER NOT NULL, state INTEGER NOT NULL,"
    " code INTEGER NOT NULL, sequence INTEGER NOT NULL,"
    " slot INTEGER NOT NULL, attempt INTEGER NOT NULL,"
    " reset INTEGER NOT NULL, received INTEGER NOT NULL,"
    " PRIMARY KEY (device, life, number)) WITHOUT ROWID;"
    "INSERT INTO events_of SELECT device, 0, number, boot, uptime, state,"
    " code, sequence, slot, attempt, reset, received FROM events;"
    "DROP TABLE events;"
    "ALTER TABLE events_of RENAME TO events;"
    "CREATE TABLE lives (device INTEGER PRIMARY KEY, life INTEGER NOT NULL);",
    "CREATE TABLE settings (name TEXT PRIMARY KEY, value INTEGER NOT NULL);",
    "ALTER TABLE audit ADD COLUMN hash BLOB NOT NULL DEFAULT x'';"
    "CREATE TABLE audit_head (one INTEGER PRIMARY KEY CHECK (one = 1),"
    " number INTEGER NOT NULL, lines INTEGER NOT NULL, hash BLOB NOT NULL);"
    "CREATE INDEX audit_actor ON audit (actor);"
    "CREATE INDEX audit_action ON audit (action);"
    "SELECT audit_chain();",
    /* What devices say of themselves: a JSON object of texts. */
    "CREATE TABLE device_attributes (device INTEGER PRIMARY KEY"
    " REFERENCES devices(number) ON DELETE CASCADE,"
    " attributes TEXT NOT NULL);",
    "CREATE TABLE users (number INTEGER PRIMARY KEY AUTOINCREMENT,"
    " name TEXT NOT NULL UNIQUE, role INTEGER NOT NULL, hash TEXT NOT NULL,"
    " disabled INTEGER NOT NULL, created INTEGER NOT NULL,"
    " last_login INTEGER NOT NULL);"
    "CREATE TABLE sessions (hash BLOB PRIMARY KEY, user INTEGER NOT NULL,"
    " by_code INTEGER NOT NULL, created INTEGER NOT NULL,"
    " used INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE login_codes (hash BLOB PRIMARY KEY, user INTEGER NOT NULL,"
    " expires INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE tokens (number INTEGER PRIMARY KEY AUTOINCREMENT,"
    " name TEXT NOT NULL UNIQUE, hash BLOB NOT NULL UNIQUE,"
    " role INTEGER NOT NULL, scopes INTEGER NOT NULL,"
    " created_by TEXT NOT NULL, created INTEGER NOT NULL,"
    " expires INTEGER NOT NULL, last_use INTEGER NOT NULL);",
    /* A rollout's plan and course; what operators say of releases; the
     * devices' channels; how many ran what when. */
    "ALTER TABLE rollouts ADD COLUMN plan TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE rollouts ADD COLUMN steer TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE releases ADD COLUMN channels TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE releases ADD COLUMN stepping INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE releases ADD COLUMN security INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE releases ADD COLUMN notes TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE outcomes ADD COLUMN hardware TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE devices ADD COLUMN channel TEXT NOT NULL DEFAULT '';"
    "CREATE TABLE sboms (release INTEGER PRIMARY KEY"
    " REFERENCES releases(number), document TEXT NOT NULL,"
    " created INTEGER NOT NULL);"
    "CREATE TABLE census (product INTEGER NOT NULL, time INTEGER NOT NULL,"
    " counts TEXT NOT NULL, PRIMARY KEY (product, time)) WITHOUT ROWID;",
    /* What is POSTed to whom; the audit log is the queue before it. */
    "CREATE TABLE webhooks (number INTEGER PRIMARY KEY AUTOINCREMENT,"
    " url TEXT NOT NULL, events TEXT NOT NULL, secret TEXT NOT NULL,"
    " enabled INTEGER NOT NULL, position INTEGER NOT NULL,"
    " created INTEGER NOT NULL, created_by TEXT NOT NULL);"
    "CREATE TABLE deliveries (number INTEGER PRIMARY KEY AUTOINCREMENT,"
    " webhook INTEGER NOT NULL REFERENCES webhooks(number)"
    " ON DELETE CASCADE, event TEXT NOT NULL, type TEXT NOT NULL,"
    " body TEXT NOT NULL, created INTEGER NOT NULL, tries INTEGER NOT NULL,"
    " next INTEGER NOT NULL, last INTEGER NOT NULL, status INTEGER NOT NULL,"
    " error TEXT NOT NULL, ms INTEGER NOT NULL);"
    "CREATE INDEX deliveries_due ON deliveries (next, number)"
    " WHERE next > 0;"
    "CREATE INDEX deliveries_of ON deliveries (webhook, number);",
    /* Whose failure counts until it is made good: outcomes.h. */
    "ALTER TABLE outcomes ADD COLUMN failed INTEGER NOT NULL DEFAULT 0;"
    "UPDATE outcomes SET failed = 1 WHERE outcome > 8 AND code <> 103;"
    "CREATE INDEX outcomes_failed ON outcomes (rollout) WHERE failed > 0;",
    /* Patches between payloads: delta_store.h. */
    "CREATE TABLE deltas (number INTEGER PRIMARY KEY AUTOINCREMENT,"
    " base BLOB NOT NULL, target BLOB NOT NULL, ram INTEGER NOT NULL,"
    " isas INTEGER NOT NULL, full_size INTEGER NOT NULL,"
    " queued INTEGER NOT NULL, state INTEGER NOT NULL,"
    " patch BLOB NOT NULL DEFAULT x'', isa INTEGER NOT NULL DEFAULT 0,"
    " tries INTEGER NOT NULL DEFAULT 0, size INTEGER NOT NULL DEFAULT 0,"
    " ms INTEGER NOT NULL DEFAULT 0, made INTEGER NOT NULL DEFAULT 0,"
    " reason TEXT NOT NULL DEFAULT '', failures INTEGER NOT NULL DEFAULT 0,"
    " installs INTEGER NOT NULL DEFAULT 0, saved INTEGER NOT NULL DEFAULT 0,"
    " used INTEGER NOT NULL DEFAULT 0,"
    " asked INTEGER NOT NULL DEFAULT 0, UNIQUE (base, target, ram));",
    /* Clients that are not ours: unmanaged.h. */
    "ALTER TABLE products ADD COLUMN unmanaged INTEGER NOT NULL DEFAULT 0;"
    "CREATE TABLE unmanaged (number INTEGER PRIMARY KEY,"
    " product INTEGER NOT NULL, id BLOB NOT NULL, name TEXT NOT NULL,"
    " channel TEXT NOT NULL, version TEXT NOT NULL, chip TEXT NOT NULL,"
    " why TEXT NOT NULL, client INTEGER NOT NULL, status INTEGER NOT NULL,"
    " first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL,"
    " asked INTEGER NOT NULL, runs INTEGER NOT NULL,"
    " before INTEGER NOT NULL, got INTEGER NOT NULL,"
    " got_at INTEGER NOT NULL, got_bytes INTEGER NOT NULL,"
    " offer INTEGER NOT NULL, tries INTEGER NOT NULL,"
    " UNIQUE (product, id));",
};

enum { VERSION = sizeof migration / sizeof migration[0] };

static int read_int(void *ctx, sqlite3_stmt *row)
{
    *(int64_t *)ctx = sqlite3_column_int64(row, 0);
    return 1;
}

static int migrate(struct db *db, int64_t *from, struct error *err)
{
    int64_t version = 0;
    char pragma[64];

    if (db_each(db, err, read_int, &version, "PRAGMA user_version", "") != 0) {
        return -1;
    }
    if (version > VERSION) {
        return error_set(err,
                         "the database has schema %" PRId64 ", this program "
                         "knows up to %d; use the newer bowlined",
                         version, VERSION);
    }
    *from = version;
    for (; version < VERSION; version++) {
        snprintf(pragma, sizeof pragma, "PRAGMA user_version=%" PRId64,
                 version + 1);
        if (db_script(db, err, "BEGIN EXCLUSIVE") != 0 ||
            db_script(db, err, migration[version]) != 0 ||
            db_script(db, err, pragma) != 0 ||
            db_script(db, err, "COMMIT") != 0) {
            return -1;
        }
    }
    return 0;
}

int store_open(struct store *store, const char *path, struct error *err)
{
    if (db_open(&store->db, path, err) != 0) {
        return -1;
    }
    if (audit_offer_chain(&store->db, err) != 0 ||
        migrate(&store->db, &store->from, err) != 0 ||
        audit_load_head(&store->db, &store->head, err) != 0) {
        error_prefix(err, "%s", path);
        db_close(&store->db);
        return -1;
    }
    pthread_mutex_init(&store->lock, NULL);
    return 0;
}

void store_close(struct store *store)
{
    db_close(&store->db);
    pthread_mutex_destroy(&store->lock);
}

void store_lock(struct store *store)
{
    pthread_mutex_lock(&store->lock);
}

void store_unlock(struct store *store)
{
    pthread_mutex_unlock(&store->lock);
}

int store_begin(struct store *store, struct error *err)
{
    store_lock(store);
    if (db_run(&store->db, err, "BEGIN IMMEDIATE", "") != 0) {
        store_unlock(store);
        return -1;
    }
    store->next = store->head;
    return 0;
}

int store_abort(struct store *store)
{
    db_run(&store->db, NULL, "ROLLBACK", "");
    store_unlock(store);
    return -1;
}

int store_commit(struct store *store, struct error *err)
{
    int64_t line;

    if (db_run(&store->db, err, "COMMIT", "") != 0) {
        return store_abort(store);
    }
    line = store->next.number == store->head.number
               ? 0
               : (int64_t)store->next.number;
    store->head = store->next;
    store_unlock(store);
    if (line > 0 && store->audited != NULL) {
        store->audited(store->audited_ctx, line);
    }
    return 0;
}

static int64_t now(void)
{
    return (int64_t)time(NULL);
}

static uint32_t last_row(struct store *store)
{
    return (uint32_t)sqlite3_last_insert_rowid(store->db.handle);
}

int store_audit(struct store *store, const char *actor, const char *action,
                const char *object, const char *detail, struct error *err)
{
    return audit_append(&store->db, &store->next, actor, action, object,
                        detail, err);
}

int store_root_add(struct store *store, uint64_t version, bl_span document,
                   struct error *err)
{
    return db_run(&store->db, err,
                  "INSERT INTO roots (version, document, created)"
                  " VALUES (?, ?, ?)",
                  "ibi", (int64_t)version, document, now());
}

int store_product_add(struct store *store, const char *name,
                      const char *domain, const uint8_t vendor_id[16],
                      const uint8_t class_id[16], uint32_t *number,
                      struct error *err)
{
    if (db_run(&store->db, err,
               "INSERT INTO products (name, domain, vendor_id, class_id,"
               " created) VALUES (?, ?, ?, ?, ?)",
               "ttbbi", name, domain, bl_span_of(vendor_id, 16),
               bl_span_of(class_id, 16), now()) != 0) {
        return -1;
    }
    *number = last_row(store);
    return 0;
}

int store_product_unmanaged(struct store *store, uint32_t number, bool open,
                            struct error *err)
{
    return db_run(&store->db, err,
                  "UPDATE products SET unmanaged = ? WHERE number = ?", "ii",
                  (int64_t)open, (int64_t)number);
}

static const char *or_empty(const char *text)
{
    return text == NULL ? "" : text;
}

int store_release_mark(struct store *store, uint32_t number,
                       const struct release_marks *m, struct error *err)
{
    return db_run(&store->db, err,
                  "UPDATE releases SET channels = ?, notes = ?, stepping = ?,"
                  " security = ? WHERE number = ?",
                  "ttiii", or_empty(m->channels), or_empty(m->notes),
                  (int64_t)m->stepping, (int64_t)m->security, (int64_t)number);
}

int store_release_add(struct store *store, const struct store_release *r,
                      uint32_t *number, struct error *err)
{
    if (db_run(&store->db, err,
               "INSERT INTO releases (product, version, sequence, manifest,"
               " envelope, signers, payloads, created, channels, notes,"
               " stepping, security)"
               " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
               "itibbttittii", (int64_t)r->product, r->version,
               (int64_t)r->sequence, bl_span_of(r->manifest, 32), r->envelope,
               r->signers, r->payloads, now(), or_empty(r->marks.channels),
               or_empty(r->marks.notes), (int64_t)r->marks.stepping,
               (int64_t)r->marks.security) != 0) {
        return -1;
    }
    *number = last_row(store);
    return 0;
}

int store_rollout_add(struct store *store, struct store_rollout *r,
                      struct error *err)
{
    if (db_run(&store->db, err,
               "INSERT INTO rollouts (product, release, name, kind, state,"
               " stage, stages, permit, created, changed, plan, steer)"
               " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
               "iitiiitbiitt", (int64_t)r->product, (int64_t)r->release,
               r->name, (int64_t)r->kind, (int64_t)r->state, (int64_t)r->stage,
               r->stages, r->permit, now(), now(), or_empty(r->plan),
               or_empty(r->steer)) != 0) {
        return -1;
    }
    r->id = last_row(store);
    return 0;
}

int store_rollout_steer(struct store *store, uint64_t id, const char *plan,
                        const char *steer, struct error *err)
{
    return db_run(&store->db, err,
                  "UPDATE rollouts SET plan = COALESCE(?, plan), steer = ?"
                  " WHERE number = ?",
                  "tti", plan, steer, (int64_t)id);
}

int store_rollout_ended(struct store *store, uint64_t id, const char *ended,
                        struct error *err)
{
    return db_run(&store->db, err,
                  "UPDATE rollouts SET ended = ? WHERE number = ?", "ti",
                  ended, (int64_t)id);
}

int store_rollout_set(struct store *store, uint64_t id, uint8_t state,
                      uint32_t stage, struct error *err)
{
    return db_run(&store->db, err,
                  "UPDATE rollouts SET state = ?, stage = ?, changed = ?"
                  " WHERE number = ?",
                  "iiii", (int64_t)state, (int64_t)stage, now(), (int64_t)id);
}

int store_device_add(struct store *store, const struct device *device,
                     uint32_t *number, struct error *err)
{
    if (db_run(&store->db, err,
               "INSERT INTO devices (id, product, token, name, tags, created,"
               " channel) VALUES (?, ?, ?, ?, ?, ?, ?)",
               "bibttit", bl_span_of(device->id, BL_ID_SIZE),
               (int64_t)device->product, bl_span_of(device->token, 32),
               device->name, device->tags, now(),
               or_empty(device->channel)) != 0) {
        return -1;
    }
    *number = last_row(store);
    return 0;
}

int store_device_named(struct store *store, uint32_t product, const char *name,
                       uint32_t *number, struct error *err)
{
    int64_t found = 0;
    int result = db_each(&store->db, err, read_int, &found,
                         "SELECT number FROM devices WHERE product = ?"
                         " AND name = ? AND name <> '' LIMIT 1",
                         "it", (int64_t)product, name);

    *number = (uint32_t)found;
    return result;
}

int store_device_delete(struct store *store, uint32_t number,
                        struct error *err)
{
    int64_t n = number;

    /* An ended rollout keeps what became of it, any other what failed. */
    if (db_run(&store->db, err, "DELETE FROM events WHERE device = ?", "i",
               n) != 0 ||
        db_run(&store->db, err, "DELETE FROM lives WHERE device = ?", "i",
               n) != 0 ||
        db_run(&store->db, err,
               "DELETE FROM outcomes WHERE device = ? AND failed = 0"
               " AND rollout IN"
               " (SELECT number FROM rollouts WHERE state NOT IN (2, 3))",
               "i", n) != 0 ||
        db_run(&store->db, err, "DELETE FROM device_state WHERE device = ?",
               "i", n) != 0) {
        return -1;
    }
    return db_run(&store->db, err, "DELETE FROM devices WHERE number = ?", "i",
                  n);
}

int store_device_pin(struct store *store, uint32_t number, uint64_t order,
                     uint32_t release, bl_span permit, struct error *err)
{
    if (permit.n == 0) {
        return db_run(&store->db, err, "DELETE FROM pins WHERE device = ?",
                      "i", (int64_t)number);
    }
    return db_run(&store->db, err,
                  "INSERT OR REPLACE INTO pins (device, ord, release, permit)"
                  " VALUES (?, ?, ?, ?)",
                  "iiib", (int64_t)number, (int64_t)order, (int64_t)release,
                  permit);
}

int store_event_add(struct store *store, uint32_t number, uint32_t life,
                    const struct bl_event *e, uint64_t received,
                    struct error *err)
{
    return db_run(
        &store->db, err,
        "INSERT OR IGNORE INTO events (device, life, number, boot, uptime,"
        " state, code, sequence, slot, attempt, reset, received)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        "iiiiiiiiiiii", (int64_t)number, (int64_t)life, (int64_t)e->number,
        (int64_t)e->boot, (int64_t)e->uptime_s, (int64_t)e->state,
        (int64_t)e->code, (int64_t)e->sequence, (int64_t)e->slot,
        (int64_t)e->attempt, (int64_t)e->reset, (int64_t)received);
}

int store_state_put(struct store *store, uint32_t number,
                    const struct device_state *state, struct error *err)
{
    uint8_t record[DEVICE_RECORD];

    device_record_put(state, record);
    return db_run(&store->db, err,
                  "INSERT OR REPLACE INTO device_state (device, record)"
                  " VALUES (?, ?)",
                  "ib", (int64_t)number, bl_span_of(record, sizeof record));
}

int store_attributes_put(struct store *store, uint32_t number,
                         const char *attributes, struct error *err)
{
    if (attributes == NULL) {
        return db_run(&store->db, err,
                      "DELETE FROM device_attributes WHERE device = ?", "i",
                      (int64_t)number);
    }
    return db_run(&store->db, err,
                  "INSERT INTO device_attributes (device, attributes)"
                  " SELECT number, ? FROM devices WHERE number = ?"
                  " ON CONFLICT (device) DO UPDATE SET"
                  " attributes = excluded.attributes",
                  "ti", attributes, (int64_t)number);
}
