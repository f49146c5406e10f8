/* SPDX-License-Identifier: Apache-2.0 */
#include "lives.h"

struct look {
    const struct bl_event *event;
    bool found;
    bool differs;
};

static int compare(void *ctx, sqlite3_stmt *row)
{
    struct look *l = ctx;
    const struct bl_event *e = l->event;

    l->found = true;
    l->differs = sqlite3_column_int64(row, 0) != (int64_t)e->boot ||
                 sqlite3_column_int64(row, 1) != (int64_t)e->uptime_s ||
                 sqlite3_column_int64(row, 2) != (int64_t)e->state ||
                 sqlite3_column_int64(row, 3) != (int64_t)e->code ||
                 sqlite3_column_int64(row, 4) != (int64_t)e->sequence;
    return 1;
}

static int look_up(struct store *store, uint32_t device, uint32_t life,
                   struct look *l)
{
    l->found = false;
    l->differs = false;
    return db_each(&store->db, NULL, compare, l,
                   "SELECT boot, uptime, state, code, sequence FROM events"
                   " WHERE device = ? AND life = ? AND number = ?",
                   "iii", (int64_t)device, (int64_t)life,
                   (int64_t)l->event->number);
}

/* A device holds its newest event always, and sends all that it has, eight
 * at a time: fewer that end below the newest are numbered anew. */
static enum life judge_unseen(const struct poll *p, uint32_t durable)
{
    if (p->event[p->n_events - 1].number >= durable) {
        return LIFE_SAME;
    }
    return p->n_events < POLL_EVENTS ? LIFE_NEW : LIFE_UNSURE;
}

enum life life_judge(struct store *store, uint32_t device, uint32_t life,
                     uint32_t durable, const struct poll *p)
{
    enum life result = LIFE_SAME;
    bool found = false;
    bool failed = false;

    if (p->n_events == 0 || p->event[0].number > durable) {
        return LIFE_SAME;
    }
    store_lock(store);
    for (uint32_t i = 0; i < p->n_events && p->event[i].number <= durable &&
                         result == LIFE_SAME;
         i++) {
        struct look l = {.event = &p->event[i]};

        failed |= look_up(store, device, life, &l) != 0;
        found |= l.found;
        result = l.differs ? LIFE_NEW : LIFE_SAME;
    }
    store_unlock(store);
    return result != LIFE_SAME || found || failed ? result
                                                  : judge_unseen(p, durable);
}

int life_put(struct store *store, uint32_t device, uint32_t life,
             struct error *err)
{
    return db_run(&store->db, err,
                  "INSERT OR REPLACE INTO lives (device, life)"
                  " VALUES (?, ?)",
                  "ii", (int64_t)device, (int64_t)life);
}

int life_prune(struct store *store, uint32_t device, uint32_t keep,
               struct error *err)
{
    return db_run(&store->db, err,
                  "DELETE FROM events WHERE device = ? AND (life, number) <="
                  " (SELECT life, number FROM events WHERE device = ?"
                  " ORDER BY life DESC, number DESC LIMIT 1 OFFSET ?)",
                  "iii", (int64_t)device, (int64_t)device, (int64_t)keep);
}
