/* SPDX-License-Identifier: Apache-2.0 */
#include "load.h"

#include "api.h"
#include "census.h"
#include "delta_keeper.h"
#include "report.h"
#include "router.h"
#include "ticker.h"
#include "unmanaged_store.h"

#include "host/file.h"
#include "posix/crypto.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

enum { UNMANAGED_EACH_S = 5 };

struct load {
    struct server *s;
    struct error err;
};

static int load_device(void *ctx, sqlite3_stmt *row)
{
    struct load *l = ctx;
    bl_span id = db_blob(row, 1);
    bl_span token = db_blob(row, 3);
    bl_span record = db_blob(row, 6);
    const char *attributes = db_text(row, 7);
    struct device d;

    memset(&d, 0, sizeof d);
    device_state_init(&d.s);
    d.number = (uint32_t)sqlite3_column_int64(row, 0);
    d.product = (uint32_t)sqlite3_column_int64(row, 2);
    if (id.n != 16 || token.n != 32 ||
        (record.n > 0 && device_record_get(&d.s, record) != 0)) {
        error_set(&l->err,
                  "the database's row of device %u is not what this "
                  "program wrote; restore a backup",
                  d.number);
        return 1;
    }
    memcpy(d.id, id.p, 16);
    memcpy(d.token, token.p, 32);
    d.name = strdup(db_text(row, 4));
    d.tags = strdup(db_text(row, 5));
    if (attributes[0] != '\0') {
        d.attributes = strdup(attributes);
    }
    if (db_text(row, 8)[0] != '\0') {
        d.channel = strdup(db_text(row, 8));
    }
    if (d.name == NULL || d.tags == NULL ||
        (attributes[0] != '\0' && d.attributes == NULL)) {
        free(d.name);
        free(d.tags);
        free(d.attributes);
        free(d.channel);
        return error_set(&l->err, "no memory for the devices");
    }
    return devices_add(l->s->devices, &d, &l->err);
}

static int load_pin(void *ctx, sqlite3_stmt *row)
{
    struct load *l = ctx;
    uint32_t number = (uint32_t)sqlite3_column_int64(row, 0);
    struct release *r = catalog_release_number(
        &l->s->catalog, (uint32_t)sqlite3_column_int64(row, 2));
    struct device *d = devices_lock_number(l->s->devices, number);

    if (d != NULL && r != NULL) {
        d->pin = pin_new((uint64_t)sqlite3_column_int64(row, 1), r,
                         db_blob(row, 3));
    }
    if (d != NULL) {
        devices_unlock(l->s->devices, d);
    }
    return 0;
}

static int fill_outcome(struct server *s, uint32_t number, struct error *err)
{
    const struct outcome_mark none = {0, 0, 0};
    struct device *d = devices_lock_number(s->devices, number);
    struct outcome outcome;
    uint64_t seen;
    bool ended;

    if (d == NULL) {
        return 0;
    }
    ended = outcome_changed(&none, d, &outcome);
    seen = d->s.last_seen;
    devices_unlock(s->devices, d);
    return ended ? outcome_put(&s->store, number, &outcome, seen, err) : 0;
}

/* The first schema had no table of outcomes: what the devices' own records
 * still say of their last offers. */
static int fill_outcomes(struct server *s, struct error *err)
{
    if (store_begin(&s->store, err) != 0) {
        return -1;
    }
    for (uint32_t i = 1; i <= devices_last(s->devices); i++) {
        if (fill_outcome(s, i, err) != 0) {
            return store_abort(&s->store);
        }
    }
    return store_commit(&s->store, err);
}

/* Who did not keep a rollout that goes on, and has not made that good. It is
 * over for those that have another offer by now, unless the way had failed,
 * or an operator let them try anew. */
static int load_failed(void *ctx, sqlite3_stmt *row)
{
    struct load *l = ctx;
    struct rollout *r = catalog_rollout(
        &l->s->catalog, (uint64_t)sqlite3_column_int64(row, 0));
    uint32_t number = (uint32_t)sqlite3_column_int64(row, 1);
    bl_span id = db_blob(row, 5);
    struct device *d;
    int result = 0;

    if (r == NULL || !rollout_open(r->state) || id.n != 16) {
        return 0;
    }
    d = devices_lock_number(l->s->devices, number);
    if (d == NULL) {
        result = catalog_add_gone(r, id.p);
    } else {
        bool over = sqlite3_column_int(row, 4) == 1 &&
                    !report_no_try((uint8_t)sqlite3_column_int(row, 2),
                                   (uint16_t)sqlite3_column_int(row, 3));

        result = number_set_add(&r->failed, number);
        if (d->s.offer != r->id * 2 && over) {
            result |= number_set_add(&r->lost, number);
        }
        devices_unlock(l->s->devices, d);
    }
    return result == 0 ? 0 : error_set(&l->err, "no memory for the outcomes");
}

static int load_taken(void *ctx, sqlite3_stmt *row)
{
    return number_set_add(ctx, (uint32_t)sqlite3_column_int64(row, 0));
}

/* Whom a rollout with a stage of a count was offered to: by the table those
 * that ended, by their own records those that have not. */
static int load_all_taken(struct server *s, struct error *err)
{
    for (uint32_t i = 0; i < s->catalog.rollouts.n; i++) {
        struct rollout *r = s->catalog.rollouts.at[i];

        if (r != NULL && rollout_open(r->state) && catalog_counts_taken(r) &&
            db_each(&s->store.db, err, load_taken, &r->taken,
                    "SELECT device FROM outcomes WHERE rollout = ?", "i",
                    (int64_t)r->id) != 0) {
            return -1;
        }
    }
    return 0;
}

static void take_offered(struct server *s, const struct device *d)
{
    struct rollout *r = d->s.offer % 2 == 1
                            ? NULL
                            : catalog_rollout(&s->catalog, d->s.offer / 2);

    if (r != NULL && rollout_open(r->state) && catalog_counts_taken(r)) {
        number_set_add(&r->taken, d->number);
    }
}

static int load_life(void *ctx, sqlite3_stmt *row)
{
    struct load *l = ctx;
    struct device *d = devices_lock_number(
        l->s->devices, (uint32_t)sqlite3_column_int64(row, 0));

    if (d != NULL) {
        d->life = (uint32_t)sqlite3_column_int64(row, 1);
        devices_unlock(l->s->devices, d);
    }
    return 0;
}

static int load_devices(struct server *s, struct error *err)
{
    struct load l = {s, {BL_OK, 0, ""}};

    s->devices = devices_new();
    if (s->devices == NULL) {
        return error_set(err, "no memory for the devices");
    }
    if (db_each(&s->store.db, err, load_device, &l,
                "SELECT d.number, d.id, d.product, d.token, d.name, d.tags,"
                " s.record, a.attributes, d.channel FROM devices d"
                " LEFT JOIN device_state s ON s.device = d.number"
                " LEFT JOIN device_attributes a ON a.device = d.number"
                " ORDER BY d.number",
                "") != 0 ||
        db_each(&s->store.db, err, load_pin, &l,
                "SELECT device, ord, release, permit FROM pins", "") != 0 ||
        db_each(&s->store.db, err, load_life, &l,
                "SELECT device, life FROM lives", "") != 0) {
        return -1;
    }
    if (l.err.text[0] != '\0') {
        return error_set(err, "%s", l.err.text);
    }
    if (journal_replay(&s->store, s->devices, err) != 0) {
        return -1;
    }
    if (db_each(&s->store.db, err, load_failed, &l,
                "SELECT rollout, device, outcome, code, failed, id"
                " FROM outcomes WHERE failed > 0 AND rollout IN"
                " (SELECT number FROM rollouts WHERE state NOT IN (2, 3))",
                "") != 0 ||
        load_all_taken(s, err) != 0) {
        return l.err.text[0] == '\0' ? -1 : error_set(err, "%s", l.err.text);
    }
    for (uint32_t i = 1; i <= devices_last(s->devices); i++) {
        struct device *d = devices_lock_number(s->devices, i);

        if (d != NULL) {
            report_count(&s->catalog, d, 1);
            take_offered(s, d);
            devices_unlock(s->devices, d);
        }
    }
    return s->store.from == 1 ? fill_outcomes(s, err) : 0;
}

/* Two servers on one folder would each believe their own memory. */
static int take_folder(struct server *s, struct error *err)
{
    char path[CONFIG_TEXT + 16];
    int fd;

    if (file_make_dirs(s->config.data, 0700, err) != 0) {
        return error_prefix(err, "data");
    }
    snprintf(path, sizeof path, "%s/lock", s->config.data);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        return error_errno(err,
                           "data: %s cannot be written; give the folder "
                           "to the user that runs bowlined",
                           path);
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        close(fd);
        return error_set(err, "data: another bowlined uses %s",
                         s->config.data);
    }
    return 0; /* held until the process ends */
}

static int open_keys(struct server *s, struct error *err)
{
    uint32_t n = (uint32_t)s->config.threads;

    operators_init(&s->operators);
    if (s->config.operator_tokens[0] == '\0') {
        return error_set(err, "operator_tokens must name a file with lines "
                              "name:sha256hex:role");
    }
    if (operators_load(&s->operators, s->config.operator_tokens, err) != 0) {
        return -1;
    }
    if (s->config.ticket_key[0] == '\0') {
        return error_set(err, "ticket_key must name the key that signs "
                              "tickets; bowline server init makes one");
    }
    return tickets_open(&s->tickets, s->config.ticket_key,
                        n > TICKETS_MAX ? TICKETS_MAX : n, err);
}

static int open_data(struct server *s, struct error *err)
{
    const struct journal_config journal = {
        .idle_ms = (uint32_t)s->config.journal_idle_ms,
        .flush_ms = (uint32_t)s->config.journal_flush_ms,
        .sweep_s = (uint32_t)s->config.journal_sweep_s,
        .events = (uint32_t)s->config.events_per_device,
    };
    char path[CONFIG_TEXT + 16];

    snprintf(path, sizeof path, "%s/bowline.db", s->config.data);
    if (take_folder(s, err) != 0 ||
        blobs_open(&s->blobs, s->config.data, "payloads", err) != 0 ||
        blobs_open(&s->patches, s->config.data, "deltas", err) != 0 ||
        store_open(&s->store, path, err) != 0) {
        return -1;
    }
    s->store.audited = server_audited;
    s->store.audited_ctx = s;
    if (settings_load(s, err) == 0 &&
        people_load(&s->people, &s->store, true, err) == 0 &&
        catalog_load(&s->catalog, &s->store, err) == 0 &&
        load_devices(s, err) == 0 &&
        unmanaged_read(s->unmanaged, &s->store, err) == 0) {
        s->journal =
            journal_start(&journal, &s->store, s->devices, &s->metrics, err);
    }
    if (s->journal != NULL && census_start(s, err) == NULL) {
        journal_stop(s->journal);
        s->journal = NULL;
    }
    if (s->journal == NULL) {
        store_close(&s->store);
        return -1;
    }
    return 0;
}

int server_open(struct server *s, struct error *err)
{
    s->crypto = &posix_crypto;
    s->started = (uint64_t)time(NULL);
    s->started_us = monotonic_us();
    pthread_mutex_init(&s->admin, NULL);
    rate_init(&s->refusals);
    login_init(&s->login);
    people_init(&s->people);
    catalog_init(&s->catalog);
    throttle_init(&s->unmanaged_tries);
    image_cache_init(&s->images);
    s->unmanaged = unmanaged_new((uint32_t)s->config.unmanaged_devices);
    s->stream = s->unmanaged == NULL ? NULL : stream_new(stream_wake);
    if (s->stream == NULL) {
        unmanaged_free(s->unmanaged);
        return error_set(err, "no memory");
    }
    if (open_keys(s, err) != 0 || open_data(s, err) != 0) {
        tickets_close(&s->tickets);
        devices_free(s->devices);
        catalog_free(&s->catalog);
        stream_free(s->stream);
        unmanaged_free(s->unmanaged);
        people_free(&s->people);
        return -1;
    }
    if (s->config.clock_speed > 1) {
        log_warning("clock-speed", LOG_INT("speed", s->config.clock_speed),
                    LOG_TEXT("advice", "soak times, windows and limits run "
                                       "faster than the clock: for tests and "
                                       "demonstrations only"));
    }
    if (s->catalog.has_root &&
        !tickets_trusted(&s->tickets, &s->catalog.root)) {
        log_warning(
            "tickets-untrusted", LOG_TEXT("ticket_key", s->config.ticket_key),
            LOG_TEXT("advice", "the ticket key is not in the ticket role of "
                               "the newest root document: devices that ask "
                               "with a nonce get 503"));
    }
    s->webhooks = webhooks_start(s, err);
    if (s->webhooks == NULL || delta_keeper_start(s, err) != 0) {
        server_close(s);
        return -1;
    }
    return 0;
}

static void free_pins(struct server *s)
{
    for (uint32_t i = 1; i <= devices_last(s->devices); i++) {
        struct device *d = devices_lock_number(s->devices, i);

        if (d != NULL) {
            pin_free(d->pin);
            d->pin = NULL;
            devices_unlock(s->devices, d);
        }
    }
}

/* What is lost is what clients asked a moment ago: said, and tried again. */
static void write_unmanaged(struct server *s)
{
    struct error err;

    if (unmanaged_write(s->unmanaged, &s->store, &err) != 0) {
        log_warning("unmanaged", LOG_TEXT("error", err.text));
    }
}

void server_close(struct server *s)
{
    struct webhooks *webhooks = s->webhooks;

    delta_keeper_stop(s);
    census_stop(s->census);
    s->webhooks = NULL;
    webhooks_stop(webhooks);
    journal_stop(s->journal);
    write_unmanaged(s);
    store_close(&s->store);
    unmanaged_free(s->unmanaged);
    tickets_close(&s->tickets);
    free_pins(s);
    devices_free(s->devices);
    catalog_free(&s->catalog);
    stream_free(s->stream);
    people_free(&s->people);
    pthread_mutex_destroy(&s->admin);
}

/* --- Upkeep
 * ------------------------------------------------------------------ */

void server_upkeep(struct server *s)
{
    people_upkeep(&s->people, &s->store, (int64_t)time(NULL));
    ticker_tick(s);
    if (time(NULL) % UNMANAGED_EACH_S == 0) {
        write_unmanaged(s);
    }
}
