/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /api/v1/export/...: everything as one file, made piece by piece while
 * the reader takes it. No lock is held from one piece to the next: rows are
 * each true for their own moment.
 */
#include "api.h"
#include "device_filter.h"
#include "device_view.h"
#include "exports.h"
#include "rollout_view.h"
#include "router.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    AT_ONCE = 50, /* rows, then others of the thread come first */
    ROWS_MAX = 4 << 20
};

struct export;
/* Makes the next rows; `over` when there are no more. */
typedef int (*export_more)(struct export *x, struct error *err);

struct export
{
    struct server *s;
    bool csv;
    bool headed;
    bool over;
    export_more more;
    const char *const *columns;
    uint64_t rollout;
    struct device_filter *filter; /* of devices */
    uint64_t after;               /* the last row that was made */
    struct buffer rows;
    size_t sent; /* of them */
};

static int put_row(struct export *x, const json_t *row, struct error *err)
{
    return x->csv ? export_csv_row(&x->rows, row, x->columns, err)
                  : export_json_row(&x->rows, row, err);
}

/* --- Devices --------------------------------------------------------------
 */

static const char *const device_columns[] = {
    "id",         "name",       "product",  "channel",  "tags",
    "hardware",   "version",    "sequence", "manifest", "previous_version",
    "state",      "code",       "reset",    "wait",     "slot",
    "confirmed",  "updated",    "silent",   "tries",    "attempts",
    "battery",    "power",      "network",  "floor",    "root_version",
    "last_seen",  "first_seen", "history",  "why_code", "why",
    "attributes", NULL};

static json_t *device_row(struct export *x, uint32_t number)
{
    struct server *s = x->s;
    struct device *d = devices_lock_number(s->devices, number);
    json_t *row;

    if (d == NULL) {
        return NULL;
    }
    row = device_filter_has(x->filter, d) ? device_json(s, d) : NULL;
    devices_unlock(s->devices, d);
    return row;
}

static int more_devices(struct export *x, struct error *err)
{
    uint32_t last = devices_last(x->s->devices);
    int result = 0;

    pthread_rwlock_rdlock(&x->s->catalog.lock);
    device_filter_look_up(x->filter);
    for (int i = 0; i < AT_ONCE && result == 0 && x->after < last; i++) {
        json_t *row = device_row(x, (uint32_t)++x->after);

        if (row != NULL) {
            result = put_row(x, row, err);
            json_decref(row);
        }
    }
    pthread_rwlock_unlock(&x->s->catalog.lock);
    x->over = x->after >= last;
    return result;
}

/* --- What became of a rollout's devices -----------------------------------
 */

static const char *const outcome_columns[] = {"id",      "name",    "outcome",
                                              "code",    "meaning", "reset",
                                              "version", "when",    NULL};

struct outcome_rows {
    struct export *x;
    struct error *err;
    int n;
    int result;
};

static void take_outcome(void *ctx, const struct outcome_row *row)
{
    struct outcome_rows *o = ctx;
    json_t *out = rollout_outcome_json(row);

    o->n++;
    o->x->after = row->device;
    if (o->result == 0) {
        o->result = put_row(o->x, out, o->err);
    }
    json_decref(out);
}

static int more_outcomes(struct export *x, struct error *err)
{
    const struct outcome_query q = {.rollout = x->rollout,
                                    .after = x->after,
                                    .least = BL_STATE_IDLE,
                                    .most = BL_STATE_REFUSED,
                                    .limit = AT_ONCE};
    struct outcome_rows o = {x, err, 0, 0};

    if (outcome_list(&x->s->store, &q, take_outcome, &o, err) != 0) {
        return -1;
    }
    x->over = o.n < AT_ONCE;
    return o.result;
}

/* --- Sending --------------------------------------------------------------
 */

static int make_rows(struct export *x, struct error *err)
{
    buffer_clear(&x->rows);
    x->sent = 0;
    if (x->csv && !x->headed &&
        export_csv_head(&x->rows, x->columns, err) != 0) {
        return -1;
    }
    x->headed = true;
    return x->rows.n == 0 && !x->over ? x->more(x, err) : 0;
}

static int pull_rows(void *ctx, struct http_request *rq, uint8_t *out,
                     size_t room)
{
    struct export *x = ctx;
    struct error err = {BL_OK, 0, ""};
    size_t n;

    if (x->sent == x->rows.n) {
        if (x->over && x->headed) {
            return HTTP_STREAM_END;
        }
        if (make_rows(x, &err) != 0) {
            log_error("export", LOG_TEXT("error", err.text));
            return HTTP_STREAM_BREAK;
        }
        if (x->rows.n == 0 && x->over) {
            return HTTP_STREAM_END;
        }
        if (x->rows.n == 0) { /* a filter took none of them */
            http_stream_wake(rq);
            return HTTP_STREAM_WAIT;
        }
    }
    n = x->rows.n - x->sent < room ? x->rows.n - x->sent : room;
    memcpy(out, x->rows.p + x->sent, n);
    x->sent += n;
    return (int)n;
}

void exports_end(struct http_request *rq)
{
    struct export *x = rq->stream_ctx;

    if (x != NULL && rq->route != NULL &&
        (rq->route->handle == export_devices ||
         rq->route->handle == export_outcomes)) {
        device_filter_free(x->filter);
        buffer_free(&x->rows);
        free(x);
        rq->stream_ctx = NULL;
    }
}

/* -1 and the error is set. */
static int read_format(struct http_request *rq, bool *csv)
{
    const char *format = http_query(rq, "format");

    *csv = format != NULL && strcmp(format, "csv") == 0;
    if (format == NULL || *csv || strcmp(format, "jsonl") == 0) {
        return 0;
    }
    api_error(rq, 400, "format", "the format is jsonl or csv");
    return -1;
}

/* False: it has not begun, and the error is set. */
static bool begin(struct server *s, struct http_request *rq,
                  const struct export *wish, const char *name)
{
    struct export *x;
    char file[96];
    bool csv;

    if (read_format(rq, &csv) != 0) {
        return false;
    }
    x = calloc(1, sizeof *x);
    if (x == NULL) {
        api_error(rq, 503, "memory", "no memory for an export");
        return false;
    }
    *x = *wish;
    x->s = s;
    x->csv = csv;
    x->rows.limit = ROWS_MAX;
    rq->stream_ctx = x;
    http_reply_stream(rq, 200, csv ? "text/csv" : "application/jsonl",
                      pull_rows, x, false);
    snprintf(file, sizeof file, "attachment; filename=\"%s.%s\"", name,
             csv ? "csv" : "jsonl");
    http_reply_header(rq, "Content-Disposition", file);
    return true;
}

void export_devices(struct server *s, struct http_request *rq)
{
    struct export wish = {.more = more_devices, .columns = device_columns};

    wish.filter = device_filter_read(s, rq);
    if (wish.filter != NULL && !begin(s, rq, &wish, "devices")) {
        device_filter_free(wish.filter);
    }
}

void export_outcomes(struct server *s, struct http_request *rq)
{
    struct export wish = {.more = more_outcomes, .columns = outcome_columns};
    const struct rollout *r;
    char name[40];
    char *end;

    wish.rollout = strtoull(rq->param[0], &end, 10);
    pthread_rwlock_rdlock(&s->catalog.lock);
    r = *end != '\0' ? NULL : catalog_rollout(&s->catalog, wish.rollout);
    pthread_rwlock_unlock(&s->catalog.lock);
    if (r == NULL) {
        api_error(rq, 404, "not-found", "there is no rollout %s",
                  rq->param[0]);
        return;
    }
    snprintf(name, sizeof name, "rollout-%" PRIu64, wish.rollout);
    (void)begin(s, rq, &wish, name);
}
