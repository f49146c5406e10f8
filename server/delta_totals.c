/* SPDX-License-Identifier: Apache-2.0 */
/* Rows come and go, and metrics begin with the process: what patches saved in
 * all is kept in the table `settings`, with what it was when the day began. */
#include "delta_keeper.h"

#include "api.h"

enum { DAY = 86400 };

static struct delta_totals totals_of(struct deltas *d)
{
    return (struct delta_totals){
        .saved = d->before.saved + atomic_load(&d->saved),
        .installs = d->before.installs + atomic_load(&d->installs)};
}

static int take_row(void *ctx, sqlite3_stmt *row)
{
    struct deltas *d = ctx;
    const char *name = db_text(row, 0);
    uint64_t value = (uint64_t)sqlite3_column_int64(row, 1);

    if (strcmp(name, "delta_saved") == 0) {
        d->before.saved = value;
    } else if (strcmp(name, "delta_installs") == 0) {
        d->before.installs = value;
    } else if (strcmp(name, "delta_day") == 0) {
        d->day = (int64_t)value;
    } else if (strcmp(name, "delta_day_saved") == 0) {
        d->at_day.saved = value;
    } else if (strcmp(name, "delta_day_installs") == 0) {
        d->at_day.installs = value;
    }
    return 0;
}

int delta_totals_load(struct server *s, struct error *err)
{
    int result = db_each(&s->store.db, err, take_row, &s->deltas,
                         "SELECT name, value FROM settings", "");

    s->deltas.written = s->deltas.before;
    return result;
}

static int put(struct server *s, const char *name, uint64_t value,
               struct error *err)
{
    return db_run(&s->store.db, err,
                  "INSERT OR REPLACE INTO settings (name, value)"
                  " VALUES (?, ?)",
                  "ti", name, (int64_t)value);
}

static int put_all(struct server *s, const struct delta_totals *now,
                   struct error *err)
{
    const struct deltas *d = &s->deltas;

    return put(s, "delta_saved", now->saved, err) != 0 ||
                   put(s, "delta_installs", now->installs, err) != 0 ||
                   put(s, "delta_day", (uint64_t)d->day, err) != 0 ||
                   put(s, "delta_day_saved", d->at_day.saved, err) != 0 ||
                   put(s, "delta_day_installs", d->at_day.installs, err) != 0
               ? -1
               : 0;
}

void delta_totals_write(struct server *s, int64_t now_s)
{
    struct deltas *d = &s->deltas;
    struct delta_totals now = totals_of(d);
    bool new_day = d->day != now_s / DAY;
    struct error err;

    if (new_day) {
        d->at_day = now;
        d->day = now_s / DAY;
    }
    if (!new_day && now.installs == d->written.installs) {
        return;
    }
    if (store_begin(&s->store, &err) != 0) {
        return;
    }
    if (put_all(s, &now, &err) != 0) {
        store_abort(&s->store);
    } else if (store_commit(&s->store, &err) == 0) {
        d->written = now;
        return;
    }
    log_error("delta", LOG_TEXT("error", err.text));
}

json_t *delta_totals_json(struct server *s, int64_t now_s)
{
    const struct deltas *d = &s->deltas;
    struct delta_totals now = totals_of(&s->deltas);
    struct delta_totals at_day = d->day == now_s / DAY ? d->at_day : now;

    return json_pack("{s:b, s:I, s:I, s:I, s:I}", "enabled",
                     settings_deltas(s), "saved", (json_int_t)now.saved,
                     "installs", (json_int_t)now.installs, "saved_today",
                     (json_int_t)(now.saved - at_day.saved), "installs_today",
                     (json_int_t)(now.installs - at_day.installs));
}
