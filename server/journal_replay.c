/* SPDX-License-Identifier: Apache-2.0 */
/* What the last run left is read back. */
#include "journal_internal.h"

static uint32_t get_u32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
           (uint32_t)p[3] << 24;
}

struct replay {
    struct devices *devices;
    bool damaged;
};

/* 0 when the bytes left are no record. */
static size_t record_size(bl_span rest)
{
    size_t n = 0;

    if (rest.p[0] == RECORD_SEEN) {
        n = SEEN_SIZE;
    } else if (rest.p[0] == RECORD_STATE && rest.n > STATE_HEAD) {
        /* An older program may have written it. */
        n = device_record_size(
            bl_span_of(rest.p + STATE_HEAD, rest.n - STATE_HEAD));
        n += n > 0 ? STATE_HEAD : 0;
    }
    return n <= rest.n ? n : 0;
}

static size_t replay_record(struct devices *devices, bl_span rest)
{
    size_t size = record_size(rest);
    struct device *d;

    if (size == 0) {
        return 0;
    }
    d = devices_lock_number(devices, get_u32(rest.p + 1));
    if (d == NULL) {
        return size; /* deleted since */
    }
    if (rest.p[0] == RECORD_SEEN) {
        d->s.last_seen = get_u32(rest.p + 5);
    } else if (device_record_get(&d->s, bl_span_of(rest.p + STATE_HEAD,
                                                   size - STATE_HEAD)) != 0) {
        size = 0;
    }
    d->dirty = true;
    devices_unlock(devices, d);
    return size;
}

static int replay_row(void *ctx, sqlite3_stmt *row)
{
    struct replay *r = ctx;
    bl_span rest = db_blob(row, 0);

    while (rest.n > 0) {
        size_t n = replay_record(r->devices, rest);

        if (n == 0) {
            r->damaged = true;
            return 1;
        }
        rest = bl_span_of(rest.p + n, rest.n - n);
    }
    return 0;
}

static void settle(struct devices *devices)
{
    for (uint32_t i = 1; i <= devices_last(devices); i++) {
        struct device *d = devices_lock_number(devices, i);

        if (d != NULL) {
            d->durable = d->s.event;
            devices_unlock(devices, d);
        }
    }
}

int journal_replay(struct store *store, struct devices *devices,
                   struct error *err)
{
    struct replay r = {devices, false};

    if (db_each(&store->db, err, replay_row, &r,
                "SELECT records FROM journal ORDER BY number", "") != 0) {
        return -1;
    }
    if (r.damaged) {
        return error_set(err, "the database's table journal holds what this "
                              "program did not write; restore a backup");
    }
    settle(devices);
    return 0;
}
