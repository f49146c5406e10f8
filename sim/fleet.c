/* SPDX-License-Identifier: Apache-2.0 */
/* bowline-sim: the program. docs/SIMULATOR.md is its manual. */
#include "fleet.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "posix/describe.h"

enum { LOOK_MS = 250 };

/* --- Releases ------------------------------------------------------------ */

static struct fleet_release *read_release(struct fleet *fleet,
                                          const struct bl_suit_envelope *suit,
                                          bl_span envelope)
{
    struct bl_suit_manifest manifest;
    struct fleet_release *r = calloc(1, sizeof *r);

    if (r == NULL || bl_suit_scan(suit, NULL, &manifest) != BL_OK) {
        free(r);
        return NULL;
    }
    memcpy(r->manifest, suit->digest, 32);
    r->sequence = manifest.sequence;
    describe_version(envelope, r->version);
    r->bad = fleet_release_is_bad(&fleet->options.rules, r->version, false);
    return r;
}

struct fleet_release *fleet_release_of(struct fleet *fleet, bl_span envelope)
{
    struct bl_suit_envelope suit;
    struct fleet_release *r;

    if (bl_suit_read(envelope, &suit) != BL_OK) {
        return NULL;
    }
    (void)pthread_mutex_lock(&fleet->lock);
    for (r = fleet->release; r != NULL; r = r->next) {
        if (memcmp(r->manifest, suit.digest, 32) == 0) {
            break;
        }
    }
    if (r == NULL) {
        r = read_release(fleet, &suit, envelope);
        if (r != NULL) {
            r->next = fleet->release;
            fleet->release = r;
        }
    }
    (void)pthread_mutex_unlock(&fleet->lock);
    return r;
}

/* --- Making the fleet ---------------------------------------------------- */

/* Each thread has a stretch of the devices. */
static int make_shards(struct fleet *fleet, struct error *err)
{
    const struct fleet_options *o = &fleet->options;
    uint32_t from = 0;

    fleet->device = calloc(o->devices, sizeof *fleet->device);
    fleet->shard = calloc(o->threads, sizeof *fleet->shard);
    /* Most of it is never touched: it costs addresses. */
    fleet->patch_memory = malloc((size_t)o->devices * o->delta_memory + 1);
    if (fleet->device == NULL || fleet->shard == NULL ||
        fleet->patch_memory == NULL) {
        return error_set(err, "no memory for %u devices",
                         (unsigned)o->devices);
    }
    for (uint32_t i = 0; i < o->threads; i++) {
        uint32_t to = (uint32_t)((uint64_t)o->devices * (i + 1) / o->threads);

        fleet->shard[i].fleet = fleet;
        fleet->shard[i].device = fleet->device + from;
        fleet->shard[i].n = to - from;
        for (; from < to; from++) {
            fleet_device_make(&fleet->device[from], &fleet->shard[i], from);
        }
    }
    return 0;
}

static int give_flash(struct fleet *fleet, struct error *err)
{
    for (uint32_t i = 0; i < fleet->options.devices; i++) {
        if (fleet_flash_clone(&fleet->device[i].flash,
                              &fleet->factory.flash) != 0) {
            return error_set(err, "out of memory");
        }
    }
    return 0;
}

static void solder(struct fleet *fleet)
{
    for (uint32_t i = 0; i < fleet->options.devices; i++) {
        struct fleet_device *d = &fleet->device[i];

        d->flash.seed = (uint32_t)fleet_random(d);
        d->layout = fleet->factory.layout;
        d->layout.flash = &d->flash.flash;
    }
}

static int make_fleet(struct fleet *fleet, struct error *err)
{
    bool kept = fleet_is_kept(fleet);
    int result;

    if ((kept && fleet_keep_begin(fleet, err) != 0) ||
        fleet_api_begin(fleet, err) != 0 || make_shards(fleet, err) != 0) {
        return -1;
    }
    if (kept) {
        result = fleet_keep_load(fleet, err);
    } else {
        result =
            give_flash(fleet, err) != 0 ? -1 : fleet_api_register(fleet, err);
        /* Kept at once: a token is shown one time only. */
        if (result == 0 && fleet->options.state != NULL) {
            result = fleet_keep_save(fleet, err);
        }
    }
    solder(fleet);
    return result;
}

static void free_fleet(struct fleet *fleet)
{
    for (uint32_t i = 0; fleet->device != NULL && i < fleet->options.devices;
         i++) {
        fleet_device_close(&fleet->device[i]);
    }
    for (uint32_t i = 0; fleet->shard != NULL && i < fleet->options.threads;
         i++) {
        fleet_net_close(fleet->shard[i].net);
        free(fleet->shard[i].heap);
    }
    while (fleet->release != NULL) {
        struct fleet_release *r = fleet->release;

        fleet->release = r->next;
        free(r);
    }
    free(fleet->device);
    free(fleet->patch_memory);
    free(fleet->shard);
    fleet_factory_close(&fleet->factory);
}

/* --- Watching ------------------------------------------------------------ */

/* True when SIGTERM or SIGINT came within LOOK_MS. */
static bool asked_to_end(const sigset_t *signals)
{
    const struct timespec wait = {0, LOOK_MS * 1000000L};

    return sigtimedwait(signals, NULL, &wait) > 0;
}

static bool all_at_rest(const struct fleet *fleet)
{
    return fleet_count(fleet, NOW_SETTLED) == (int64_t)fleet->options.devices;
}

/* What only moves when something happens; polls do not count. */
static int64_t activity(const struct fleet *fleet)
{
    return fleet_count(fleet, COUNT_BOOTS) +
           fleet_count(fleet, COUNT_TRANSFERS) +
           fleet_count(fleet, COUNT_CONFIRMED) +
           fleet_count(fleet, COUNT_RETURNED) +
           fleet_count(fleet, COUNT_FAILED) +
           fleet_count(fleet, COUNT_REFUSED);
}

static bool is_over(const struct fleet_options *o, uint64_t ran_ms,
                    uint64_t calm_ms)
{
    return (o->run_for_s > 0 && ran_ms >= o->run_for_s * 1000ULL) ||
           (o->until_settled && calm_ms >= o->calm_s * 1000ULL);
}

static void run(struct fleet *fleet, const sigset_t *signals,
                struct fleet_show *show)
{
    const struct fleet_options *o = &fleet->options;
    uint64_t calm_since = fleet_wall_ms();
    int64_t last = -1;

    while (!asked_to_end(signals)) {
        uint64_t now = fleet_wall_ms();
        int64_t moved = activity(fleet);

        fleet_show_progress(fleet, show);
        if (moved != last || !all_at_rest(fleet)) {
            calm_since = now;
            last = moved;
        }
        if (!o->hold &&
            is_over(o, now - fleet->started_ms, now - calm_since)) {
            return;
        }
    }
}

/* Faults are over: the fleet comes to rest, or is not given more time. */
static void settle(struct fleet *fleet, const sigset_t *signals,
                   struct fleet_show *show)
{
    uint64_t end = fleet_wall_ms() + fleet->options.settle_s * 1000ULL;
    int rounds = 0;

    fleet->settle_ms = fleet_wall_ms();
    atomic_store(&fleet->phase, FLEET_SETTLE);
    while (fleet_wall_ms() < end && !asked_to_end(signals)) {
        fleet_show_progress(fleet, show);
        /* Twice: a thread may not have heard of it the first time. */
        rounds = all_at_rest(fleet) ? rounds + 1 : 0;
        if (rounds > 2) {
            break;
        }
    }
    atomic_store(&fleet->phase, FLEET_STOP);
}

/* --- The program --------------------------------------------------------- */

static void allow_connections(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void block_signals(sigset_t *signals)
{
    (void)sigemptyset(signals);
    (void)sigaddset(signals, SIGTERM);
    (void)sigaddset(signals, SIGINT);
    (void)pthread_sigmask(SIG_BLOCK, signals, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}

static int finish(struct fleet *fleet, struct error *err)
{
    const struct fleet_options *o = &fleet->options;
    int differs = 0;

    if (o->state != NULL && fleet_keep_save(fleet, err) != 0) {
        return -1;
    }
    if (o->report != NULL && fleet_report_write(fleet, err) != 0) {
        return -1;
    }
    if (o->compare) {
        differs = fleet_compare(fleet, err);
        if (differs < 0) {
            return -1;
        }
    }
    fleet_show_summary(fleet, o->compare ? differs == 0 : -1);
    return differs;
}

static int live(struct fleet *fleet, const sigset_t *signals,
                struct error *err)
{
    struct fleet_show show = {0};

    fleet->started_ms = fleet_wall_ms();
    show.shown_ms = fleet->started_ms;
    if (fleet_shards_start(fleet, err) != 0) {
        return -1;
    }
    run(fleet, signals, &show);
    settle(fleet, signals, &show);
    fleet_shards_join(fleet);
    fleet_show_end(fleet);
    return finish(fleet, err);
}

int main(int argc, char **argv)
{
    static struct fleet fleet;
    struct error err = {0};
    sigset_t signals;
    int result = fleet_options_parse(&fleet.options, argc, argv, &err);

    if (result != 0) {
        if (result < 0) {
            (void)fprintf(stderr, "bowline-sim: %s\n", err.text);
        }
        return result < 0 ? 2 : 0;
    }
    (void)pthread_mutex_init(&fleet.lock, NULL);
    allow_connections();
    block_signals(&signals);
    result = make_fleet(&fleet, &err);
    if (result == 0) {
        if (!fleet.options.quiet) {
            (void)fprintf(stderr,
                          "bowline-sim: %u devices, seed %llu, begin\n",
                          (unsigned)fleet.options.devices,
                          (unsigned long long)fleet.options.rules.seed);
        }
        result = live(&fleet, &signals, &err);
    }
    if (result < 0) {
        (void)fprintf(stderr, "bowline-sim: %s\n", err.text);
    }
    free_fleet(&fleet);
    return result == 0 ? 0 : 1;
}
