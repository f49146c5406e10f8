/* SPDX-License-Identifier: Apache-2.0 */
/* Group commit: what is acknowledged is in the database, what fails is not
 * acknowledged, and what the last run left is replayed. */
#include "support/cmocka_all.h"

#include "journal.h"

#include "host/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct journal_config quick = {1, 0, 1, 0};

struct bench {
    char dir[FILE_TEMP];
    char path[FILE_TEMP + 8];
    struct store store;
    struct devices *devices;
    struct journal *journal;
    struct metrics metrics;
    struct error err;
};

static int row_count(void *ctx, sqlite3_stmt *row)
{
    *(int64_t *)ctx = sqlite3_column_int64(row, 0);
    return 0;
}

static int64_t count(struct bench *b, const char *sql)
{
    int64_t n = -1;

    store_lock(&b->store);
    assert_int_equal(db_each(&b->store.db, &b->err, row_count, &n, sql, ""),
                     0);
    store_unlock(&b->store);
    return n;
}

static void open_bench(struct bench *b)
{
    struct device d;

    assert_int_equal(store_open(&b->store, b->path, &b->err), 0);
    b->devices = devices_new();
    for (uint32_t i = 1; i <= 3; i++) {
        memset(&d, 0, sizeof d);
        d.number = i;
        d.id[0] = (uint8_t)i;
        assert_int_equal(devices_add(b->devices, &d, &b->err), 0);
    }
    assert_int_equal(journal_replay(&b->store, b->devices, &b->err), 0);
    b->journal =
        journal_start(&quick, &b->store, b->devices, &b->metrics, &b->err);
    assert_non_null(b->journal);
}

static void close_bench(struct bench *b)
{
    journal_stop(b->journal);
    store_close(&b->store);
    devices_free(b->devices);
}

static int setup(void **state)
{
    struct bench *b = calloc(1, sizeof *b);

    assert_int_equal(file_temp_folder("journal", b->dir, NULL), 0);
    snprintf(b->path, sizeof b->path, "%s/db", b->dir);
    open_bench(b);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    static const char *const suffix[] = {"", "-wal", "-shm"};
    struct bench *b = *state;
    char path[FILE_TEMP + 32];

    close_bench(b);
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s%s", b->path, suffix[i]);
        unlink(path);
    }
    rmdir(b->dir);
    free(b);
    return 0;
}

struct wait {
    struct journal_waiter waiter;
    _Atomic int result;
};

static void on_done(struct journal_waiter *waiter, bool ok)
{
    atomic_store(&((struct wait *)waiter)->result, ok ? 1 : -1);
}

static int wait_for(struct bench *b, uint64_t batch)
{
    struct wait w = {{NULL, on_done}, 0};
    int result = journal_wait(b->journal, batch, &w.waiter);

    if (result != 0) {
        return result;
    }
    while (atomic_load(&w.result) == 0) {
        usleep(500);
    }
    return atomic_load(&w.result);
}

static uint64_t report(struct bench *b, uint32_t number, uint32_t event)
{
    struct device *d = devices_lock_number(b->devices, number);
    struct bl_event e = {.number = event, .code = 61, .state = 10};
    const struct journal_news news = {&e, 1, NULL, 0, false};
    uint64_t batch;

    d->s.event = event;
    d->s.last_seen = 1000 + event;
    batch = journal_state(b->journal, d, &news);
    devices_unlock(b->devices, d);
    return batch;
}

static void what_is_acknowledged_is_in_the_database(void **state)
{
    struct bench *b = *state;

    for (uint32_t i = 1; i <= 20; i++) {
        assert_int_equal(wait_for(b, report(b, 1 + i % 3, i)), 1);
        assert_int_equal(count(b, "SELECT count(*) FROM events"), i);
    }
    assert_true(count(b, "SELECT count(*) FROM journal") > 0);
}

static void the_next_run_knows_what_the_last_one_did(void **state)
{
    struct bench *b = *state;
    struct device *d;

    report(b, 2, 5);
    d = devices_lock_number(b->devices, 3);
    d->s.last_seen = 77;
    journal_seen(b->journal, d);
    devices_unlock(b->devices, d);
    close_bench(b); /* writes what is pending */
    open_bench(b);
    d = devices_lock_number(b->devices, 2);
    assert_int_equal(d->s.event, 5);
    assert_int_equal(d->durable, 5);
    assert_int_equal(d->s.last_seen, 1005);
    devices_unlock(b->devices, d);
    d = devices_lock_number(b->devices, 3);
    assert_int_equal(d->s.last_seen, 77);
    devices_unlock(b->devices, d);
}

static void what_could_not_be_written_is_not_acknowledged(void **state)
{
    struct bench *b = *state;
    struct device *d;

    assert_int_equal(wait_for(b, report(b, 1, 1)), 1);
    store_lock(&b->store);
    db_script(&b->store.db, NULL, "PRAGMA query_only=1");
    store_unlock(&b->store);
    assert_int_equal(wait_for(b, report(b, 1, 2)), -1);
    assert_true(journal_failing(b->journal));
    d = devices_lock_number(b->devices, 1);
    assert_int_equal(d->s.event, 1); /* taken in when it comes again */
    assert_int_equal(d->durable, 1);
    devices_unlock(b->devices, d);
    store_lock(&b->store);
    db_script(&b->store.db, NULL, "PRAGMA query_only=0");
    store_unlock(&b->store);
    while (wait_for(b, report(b, 1, 2)) < 0) {
    }
    assert_int_equal(count(b, "SELECT count(*) FROM events"), 2);
    assert_false(journal_failing(b->journal));
}

/* A report that ends the device's offer in rollout 1. */
static uint64_t end_offer(struct bench *b, uint32_t number, uint8_t outcome)
{
    struct device *d = devices_lock_number(b->devices, number);
    struct outcome_mark before = outcome_mark(d);
    struct outcome o;
    struct journal_news news = {NULL, 0, &o, 1, false};
    uint64_t batch;

    d->s.offer = 2;
    d->s.outcome = outcome;
    d->s.code = 100;
    assert_true(outcome_changed(&before, d, &o));
    batch = journal_state(b->journal, d, &news);
    devices_unlock(b->devices, d);
    return batch;
}

static void make_rollout(struct bench *b)
{
    static const char rows[] =
        "PRAGMA foreign_keys=OFF;"
        "INSERT INTO rollouts (number, product, release, name, kind, state,"
        " stage, stages, created, changed)"
        " VALUES (1, 1, 1, '', 0, 0, 0, '', 0, 0);"
        "INSERT INTO devices (number, id, product, token, name, tags, created)"
        " VALUES (1, x'01', 1, x'', 'one', '', 0),"
        " (2, x'02', 1, x'', 'two', '', 0);";

    store_lock(&b->store);
    assert_int_equal(db_script(&b->store.db, &b->err, rows), 0);
    store_unlock(&b->store);
}

static void run_script(struct bench *b, const char *sql)
{
    store_lock(&b->store);
    db_script(&b->store.db, &b->err, sql);
    store_unlock(&b->store);
}

static uint32_t ended(struct bench *b, uint8_t outcome)
{
    uint32_t n[BL_STATE_REFUSED + 1];

    assert_int_equal(outcome_counts(&b->store, 1, n, &b->err), 0);
    return n[outcome];
}

static void an_outcome_is_in_the_batch_that_brings_it(void **state)
{
    struct bench *b = *state;

    make_rollout(b);
    assert_int_equal(wait_for(b, end_offer(b, 1, BL_STATE_RETURNED)), 1);
    assert_int_equal(ended(b, BL_STATE_RETURNED), 1);
    assert_int_equal(wait_for(b, end_offer(b, 1, BL_STATE_CONFIRMED)), 1);
    assert_int_equal(ended(b, BL_STATE_RETURNED), 0);
    assert_int_equal(ended(b, BL_STATE_CONFIRMED), 1);
    assert_int_equal(count(b, "SELECT count(*) FROM outcomes"), 1);
}

/* The device says it again, but by then it is no news: it must not be lost. */
static void
an_outcome_that_could_not_be_written_comes_with_the_next(void **state)
{
    struct bench *b = *state;

    make_rollout(b);
    run_script(b, "CREATE TRIGGER full BEFORE INSERT ON journal BEGIN"
                  " SELECT raise(ABORT, 'full'); END;");
    assert_int_equal(wait_for(b, end_offer(b, 1, BL_STATE_RETURNED)), -1);
    assert_int_equal(ended(b, BL_STATE_RETURNED), 0);
    run_script(b, "DROP TRIGGER full;");
    /* Filled while the other failed, so that it promises nothing. */
    wait_for(b, end_offer(b, 2, BL_STATE_RETURNED));
    assert_int_equal(ended(b, BL_STATE_RETURNED), 2);
}

static void the_journal_stays_bounded_and_the_table_complete(void **state)
{
    struct bench *b = *state;

    uint64_t end = monotonic_us() + 5000000; /* five sweeps */
    uint32_t n = 0;

    while (monotonic_us() < end) {
        n++;
        assert_int_equal(wait_for(b, report(b, 1 + n % 3, n)), 1);
        usleep(2000);
    }
    /* Without an end it would have one row a batch. */
    assert_true(count(b, "SELECT count(*) FROM journal") < n * 2 / 3);
    assert_int_equal(count(b, "SELECT count(*) FROM device_state"), 3);
}

static uint64_t say_attributes(struct bench *b, uint32_t number,
                               const char *text)
{
    const struct journal_news news = {NULL, 0, NULL, 0, true};
    struct device *d = devices_lock_number(b->devices, number);
    uint64_t batch;

    free(d->attributes);
    d->attributes = text == NULL ? NULL : strdup(text);
    batch = journal_state(b->journal, d, &news);
    devices_unlock(b->devices, d);
    return batch;
}

static int64_t rows_saying(struct bench *b, const char *text)
{
    int64_t n = -1;

    store_lock(&b->store);
    assert_int_equal(db_each(&b->store.db, &b->err, row_count, &n,
                             "SELECT count(*) FROM device_attributes"
                             " WHERE attributes = ?",
                             "t", text),
                     0);
    store_unlock(&b->store);
    return n;
}

/* Like outcomes: the device says them again, but then they are no news. */
static void attributes_are_in_the_batch_or_in_the_next(void **state)
{
    struct bench *b = *state;

    make_rollout(b);
    assert_int_equal(wait_for(b, say_attributes(b, 1, "{\"a\":\"1\"}")), 1);
    assert_int_equal(rows_saying(b, "{\"a\":\"1\"}"), 1);
    run_script(b, "CREATE TRIGGER full BEFORE INSERT ON journal BEGIN"
                  " SELECT raise(ABORT, 'full'); END;");
    assert_int_equal(wait_for(b, say_attributes(b, 1, "{\"a\":\"2\"}")), -1);
    assert_int_equal(rows_saying(b, "{\"a\":\"1\"}"), 1);
    run_script(b, "DROP TRIGGER full");
    while (wait_for(b, report(b, 2, 1)) < 0) {
    }
    assert_int_equal(rows_saying(b, "{\"a\":\"2\"}"), 1);
    assert_int_equal(wait_for(b, say_attributes(b, 1, NULL)), 1);
    assert_int_equal(count(b, "SELECT count(*) FROM device_attributes"), 0);
    /* Of a device without a row, as one that was deleted: nothing. */
    assert_int_equal(wait_for(b, say_attributes(b, 3, "{}")), 1);
    assert_int_equal(count(b, "SELECT count(*) FROM device_attributes"), 0);
}

static void a_damaged_journal_is_said(void **state)
{
    struct bench *b = *state;

    store_lock(&b->store);
    assert_int_equal(db_script(&b->store.db, &b->err,
                               "INSERT INTO journal VALUES (999, x'0102')"),
                     0);
    store_unlock(&b->store);
    assert_int_equal(journal_replay(&b->store, b->devices, &b->err), -1);
    assert_non_null(strstr(b->err.text, "journal"));
}

static void a_device_record_survives_its_codec(void **state)
{
    struct device_state a;
    struct device_state c;
    uint8_t record[DEVICE_RECORD];

    (void)state;
    memset(&a, 0, sizeof a);
    memset(&c, 0, sizeof c);
    memset(a.manifest, 1, 32);
    memset(a.image, 2, 32);
    a.sequence = UINT64_MAX - 5;
    a.floor = 7;
    a.root_version = 8;
    a.offer = 9;
    a.noted_sequence = 10;
    a.first_seen = 11;
    a.last_seen = 12;
    a.event = 13;
    a.done = 14;
    a.total = 15;
    a.code = 160;
    a.noted_code = 17;
    a.outcome = 1;
    a.noted_state = 2;
    a.noted_reset = 3;
    a.state = 4;
    a.slot = 1;
    a.confirmed = 1;
    a.wait = 2;
    a.expect = 2;
    snprintf(a.hardware, sizeof a.hardware, "rev-a");
    snprintf(a.version, sizeof a.version, "1.2.3");
    memset(a.prev_manifest, 3, 32);
    a.prev_sequence = UINT64_MAX - 6;
    a.offer_release = 18;
    a.offered_at = 19;
    a.quarantined_until = 20;
    a.utc_offset = -720;
    a.attempts = 21;
    a.faulted = 1;
    a.battery = 22;
    a.link = 23;
    a.tries = 24;
    device_record_put(&a, record);
    assert_int_equal(device_record_get(&c, bl_span_of(record, sizeof record)),
                     0);
    assert_memory_equal(&a, &c, sizeof a);
    record[0]++;
    assert_int_equal(device_record_get(&c, bl_span_of(record, sizeof record)),
                     -1);
    record[0] -= 2; /* version 1 is shorter */
    assert_int_equal(device_record_get(&c, bl_span_of(record, sizeof record)),
                     -1);
    assert_int_equal(device_record_get(&c, bl_span_of(record, 100)), -1);
    assert_int_equal(device_record_get(&c, bl_span_of(record, 0)), -1);
}

/* What the release before wrote: the same fields up to `version`. */
static void a_record_of_the_first_version_is_read(void **state)
{
    struct device_state a;
    struct device_state c;
    uint8_t record[DEVICE_RECORD];

    (void)state;
    device_state_init(&a);
    a.sequence = 5;
    a.last_seen = 6;
    snprintf(a.hardware, sizeof a.hardware, "rev-a");
    snprintf(a.version, sizeof a.version, "1.2.3");
    device_record_put(&a, record);
    record[0] = 1;
    memset(record + DEVICE_RECORD_FIRST, 0xEE,
           DEVICE_RECORD - DEVICE_RECORD_FIRST);
    memset(&c, 0xEE, sizeof c);
    assert_int_equal(
        device_record_get(&c, bl_span_of(record, DEVICE_RECORD_FIRST)), 0);
    assert_int_equal(c.sequence, 5);
    assert_int_equal(c.last_seen, 6);
    assert_string_equal(c.version, "1.2.3");
    assert_int_equal(c.battery, DEVICE_NO_BATTERY);
    assert_int_equal(c.utc_offset, DEVICE_NO_OFFSET);
    assert_int_equal(c.tries, DEVICE_NO_TRIES);
    assert_int_equal(c.attempts, 0);
    assert_int_equal(c.prev_sequence, 0);
}

/* What had plans, and no deltas. */
static void a_record_of_the_second_version_is_read(void **state)
{
    struct device_state a;
    struct device_state c;
    uint8_t record[DEVICE_RECORD];

    (void)state;
    device_state_init(&a);
    a.sequence = 5;
    a.attempts = 3;
    a.tries = 2;
    a.delta_ram = 4;
    a.delta_failed = 9;
    device_record_put(&a, record);
    assert_int_equal(device_record_get(&c, bl_span_of(record, DEVICE_RECORD)),
                     0);
    assert_int_equal(c.delta_ram, 4);
    assert_int_equal(c.delta_failed, 9);
    record[0] = 2;
    assert_int_equal(device_record_size(bl_span_of(record, DEVICE_RECORD)),
                     DEVICE_RECORD_SECOND);
    assert_int_equal(
        device_record_get(&c, bl_span_of(record, DEVICE_RECORD_SECOND)), 0);
    assert_int_equal(c.sequence, 5);
    assert_int_equal(c.attempts, 3);
    assert_int_equal(c.tries, 2);
    assert_int_equal(c.delta_ram, 0);
    assert_int_equal(c.delta_failed, 0);
}

/* A journal that the release before left: records of both versions. */
static void a_journal_of_the_first_version_is_replayed(void **state)
{
    struct bench *b = *state;
    struct device_state s;
    struct device *d;
    uint8_t blob[5 + DEVICE_RECORD_FIRST + 5 + DEVICE_RECORD];
    uint8_t record[DEVICE_RECORD];

    memset(blob, 0, sizeof blob);
    device_state_init(&s);
    s.sequence = 41;
    device_record_put(&s, record);
    blob[0] = 2;
    blob[1] = 1;
    memcpy(blob + 5, record, DEVICE_RECORD_FIRST);
    blob[5] = 1;
    s.sequence = 42;
    device_record_put(&s, record);
    blob[5 + DEVICE_RECORD_FIRST] = 2;
    blob[6 + DEVICE_RECORD_FIRST] = 2;
    memcpy(blob + 10 + DEVICE_RECORD_FIRST, record, DEVICE_RECORD);
    store_lock(&b->store);
    assert_int_equal(db_run(&b->store.db, &b->err,
                            "INSERT INTO journal VALUES (998, ?)", "b",
                            bl_span_of(blob, sizeof blob)),
                     0);
    store_unlock(&b->store);
    assert_int_equal(journal_replay(&b->store, b->devices, &b->err), 0);
    d = devices_lock_number(b->devices, 1);
    assert_int_equal(d->s.sequence, 41);
    assert_int_equal(d->s.battery, DEVICE_NO_BATTERY);
    devices_unlock(b->devices, d);
    d = devices_lock_number(b->devices, 2);
    assert_int_equal(d->s.sequence, 42);
    devices_unlock(b->devices, d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            what_is_acknowledged_is_in_the_database, setup, teardown),
        cmocka_unit_test_setup_teardown(
            the_next_run_knows_what_the_last_one_did, setup, teardown),
        cmocka_unit_test_setup_teardown(
            what_could_not_be_written_is_not_acknowledged, setup, teardown),
        cmocka_unit_test_setup_teardown(
            an_outcome_is_in_the_batch_that_brings_it, setup, teardown),
        cmocka_unit_test_setup_teardown(
            an_outcome_that_could_not_be_written_comes_with_the_next, setup,
            teardown),
        cmocka_unit_test_setup_teardown(
            the_journal_stays_bounded_and_the_table_complete, setup, teardown),
        cmocka_unit_test_setup_teardown(
            attributes_are_in_the_batch_or_in_the_next, setup, teardown),
        cmocka_unit_test_setup_teardown(a_damaged_journal_is_said, setup,
                                        teardown),
        cmocka_unit_test(a_device_record_survives_its_codec),
        cmocka_unit_test(a_record_of_the_first_version_is_read),
        cmocka_unit_test(a_record_of_the_second_version_is_read),
        cmocka_unit_test_setup_teardown(
            a_journal_of_the_first_version_is_replayed, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
