/* SPDX-License-Identifier: Apache-2.0 */
#include "outcomes.h"

#include "rollout.h"

struct outcome_mark outcome_mark(const struct device *d)
{
    struct outcome_mark mark = {d->s.offer, d->s.code, d->s.outcome};

    return mark;
}

bool outcome_changed(const struct outcome_mark *before, const struct device *d,
                     struct outcome *out)
{
    const struct device_state *s = &d->s;
    bool same = before->offer == s->offer;
    bool noted = s->noted_state == s->outcome && s->noted_code == s->code;

    if (s->offer == 0 || s->offer % 2 == 1) {
        return false; /* a pin is no rollout */
    }
    if (same && before->outcome == s->outcome && before->code == s->code) {
        return false;
    }
    if (same && !rollout_final(before->outcome) &&
        !rollout_final(s->outcome)) {
        return false;
    }
    memset(out, 0, sizeof *out);
    out->rollout = s->offer / 2;
    out->outcome = s->outcome;
    out->code = s->code;
    out->reset = noted ? s->noted_reset : 0;
    memcpy(out->version, s->version, sizeof out->version);
    memcpy(out->hardware, s->hardware, sizeof out->hardware);
    return true;
}

bool outcome_is_failure(uint8_t outcome, uint16_t code)
{
    return rollout_bad(outcome) && code != BL_OPERATOR;
}

/* A device that came after the end got the release all the same, but it is
 * not one of those that the rollout was about. */
static int put_final(struct store *store, uint32_t device,
                     const struct outcome *o, uint64_t now, struct error *err)
{
    return db_run(
        &store->db, err,
        "INSERT INTO outcomes (rollout, device, id, name, outcome, code,"
        " reset, version, time, hardware, failed)"
        " SELECT r.number, d.number, d.id, d.name, ?, ?, ?, ?, ?, ?, ?"
        " FROM rollouts r, devices d"
        " WHERE r.number = ? AND r.state < 3 AND d.number = ?"
        " ON CONFLICT (rollout, device) DO UPDATE SET"
        " outcome = excluded.outcome, code = excluded.code,"
        " reset = excluded.reset, version = excluded.version,"
        " name = excluded.name, time = excluded.time,"
        " hardware = excluded.hardware,"
        " failed = CASE WHEN excluded.outcome = 8 THEN 0"
        " WHEN excluded.failed > 0 THEN 1 ELSE failed END",
        "iiititiii", (int64_t)o->outcome, (int64_t)o->code, (int64_t)o->reset,
        o->version, (int64_t)now, o->hardware,
        (int64_t)outcome_is_failure(o->outcome, o->code), (int64_t)o->rollout,
        (int64_t)device);
}

int outcome_put(struct store *store, uint32_t device, const struct outcome *o,
                uint64_t now, struct error *err)
{
    if (rollout_final(o->outcome)) {
        return put_final(store, device, o, now, err);
    }
    return db_run(&store->db, err,
                  "UPDATE outcomes SET outcome = ?, code = 0, reset = 0"
                  " WHERE rollout = (SELECT number FROM rollouts"
                  " WHERE number = ? AND state < 3) AND device = ?",
                  "iii", (int64_t)o->outcome, (int64_t)o->rollout,
                  (int64_t)device);
}

int outcome_put_silent(struct store *store, uint32_t device, uint64_t rollout,
                       uint8_t outcome, uint64_t now, struct error *err)
{
    return db_run(&store->db, err,
                  "INSERT INTO outcomes (rollout, device, id, name, outcome,"
                  " code, reset, version, time, hardware, failed)"
                  " SELECT r.number, d.number, d.id, d.name, ?, 0, 0, '', ?,"
                  " '', 1 FROM rollouts r, devices d"
                  " WHERE r.number = ? AND d.number = ?"
                  " ON CONFLICT (rollout, device) DO UPDATE SET"
                  " failed = MAX(failed, 1)",
                  "iiii", (int64_t)outcome, (int64_t)now, (int64_t)rollout,
                  (int64_t)device);
}

static int read_count(void *ctx, sqlite3_stmt *row)
{
    uint32_t *count = ctx;
    int64_t outcome = sqlite3_column_int64(row, 0);

    if (outcome >= BL_STATE_CONFIRMED && outcome <= BL_STATE_REFUSED) {
        count[outcome] = (uint32_t)sqlite3_column_int64(row, 1);
    }
    return 0;
}

int outcome_counts(struct store *store, uint64_t rollout,
                   uint32_t count[BL_STATE_REFUSED + 1], struct error *err)
{
    int result;

    memset(count, 0, (BL_STATE_REFUSED + 1) * sizeof count[0]);
    store_lock(store);
    result = db_each(&store->db, err, read_count, count,
                     "SELECT outcome, n FROM outcome_counts"
                     " WHERE rollout = ?",
                     "i", (int64_t)rollout);
    store_unlock(store);
    return result;
}

struct reader {
    outcome_each each;
    void *ctx;
};

#define DEVICE "device, id, name, outcome, code, reset, version, "
#define COLUMNS DEVICE "time"

static struct outcome_row outcome_row_of(sqlite3_stmt *row)
{
    return (struct outcome_row){
        .device = (uint32_t)sqlite3_column_int64(row, 0),
        .id = db_blob(row, 1),
        .name = db_text(row, 2),
        .outcome = (uint8_t)sqlite3_column_int(row, 3),
        .code = (uint16_t)sqlite3_column_int(row, 4),
        .reset = (uint8_t)sqlite3_column_int(row, 5),
        .version = db_text(row, 6),
        .time = (uint64_t)sqlite3_column_int64(row, 7),
    };
}

static int read_row(void *ctx, sqlite3_stmt *row)
{
    const struct reader *r = ctx;
    struct outcome_row o = outcome_row_of(row);

    r->each(r->ctx, &o);
    return 0;
}

int outcome_list(struct store *store, const struct outcome_query *q,
                 outcome_each each, void *ctx, struct error *err)
{
    struct reader reader = {each, ctx};
    int result;

    store_lock(store);
    result = db_each(&store->db, err, read_row, &reader,
                     "SELECT " COLUMNS " FROM outcomes"
                     " WHERE rollout = ? AND device > ?"
                     " AND outcome BETWEEN ? AND ? ORDER BY device LIMIT ?",
                     "iiiii", (int64_t)q->rollout, (int64_t)q->after,
                     (int64_t)q->least, (int64_t)q->most, (int64_t)q->limit);
    store_unlock(store);
    return result;
}

int outcome_lost(struct store *store, uint64_t rollout, uint32_t limit,
                 outcome_each each, void *ctx, struct error *err)
{
    struct reader reader = {each, ctx};
    int result;

    store_lock(store);
    /* The same words as the index outcomes_lost, that it is used. */
    result = db_each(&store->db, err, read_row, &reader,
                     "SELECT " COLUMNS " FROM outcomes"
                     " WHERE rollout = ? AND outcome > 8"
                     " ORDER BY time DESC, device LIMIT ?",
                     "ii", (int64_t)rollout, (int64_t)limit);
    store_unlock(store);
    return result;
}

struct reason_reader {
    outcome_each_reason each;
    void *ctx;
};

static int read_reason(void *ctx, sqlite3_stmt *row)
{
    const struct reason_reader *r = ctx;
    struct outcome_reason reason = {
        .first = outcome_row_of(row),
        .hardware = db_text(row, 8),
        .count = (uint32_t)sqlite3_column_int64(row, 9),
    };

    r->each(r->ctx, &reason);
    return 0;
}

int outcome_reasons(struct store *store, uint64_t rollout, uint32_t limit,
                    outcome_each_reason each, void *ctx, struct error *err)
{
    struct reason_reader reader = {each, ctx};
    int result;

    store_lock(store);
    /* With MIN, SQLite takes the other columns from the row that has it. */
    result =
        db_each(&store->db, err, read_reason, &reader,
                "SELECT " DEVICE "MIN(time), hardware, COUNT(*) FROM outcomes"
                " WHERE rollout = ? AND outcome > 8"
                " GROUP BY outcome, code, hardware"
                " ORDER BY COUNT(*) DESC, MIN(time) LIMIT ?",
                "ii", (int64_t)rollout, (int64_t)limit);
    store_unlock(store);
    return result;
}
