/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fleet simulator: thousands of devices in a process, each the real core
 * and boot code over simulated flash, speaking to a real server.
 *
 *   fleet.c           the program: begins, watches, ends
 *   fleet_options.c   the command line
 *   fleet_enrol.c     registers devices, fetches their release; fleet_api.c
 *   fleet_factory.c   the flash that every device starts with
 *   fleet_shard.c     a thread with its share of the devices, by time due
 *   fleet_device.c    a device: power, boot, what its firmware does
 *   fleet_nature.c    what it is: name, battery, link, the person beside it
 *   fleet_link.c      its link: requests, and how they break
 *   fleet_patch.c     its patches: what comes instead of whole payloads
 *   fleet_net.c       HTTP for a thread; fleet_flash.c, fleet_rules.c
 *   fleet_report.c    what devices truly run; fleet_compare.c: and what the
 *                     server believes
 *   fleet_keep.c      a fleet kept in a folder from one run to the next
 *
 * Time of the devices runs `speed` times faster than the wall clock: a
 * device's milliseconds are `fleet_device_ms` of the wall's.
 */
#ifndef SIM_FLEET_H
#define SIM_FLEET_H

#include <pthread.h>
#include <stdatomic.h>

#include "fleet_device.h"
#include "fleet_factory.h"
#include "fleet_options.h"

struct fleet_release {
    uint8_t manifest[32];
    char version[FLEET_TEXT];
    uint64_t sequence;
    bool factory;
    bool bad; /* --bad-release made it so */
    _Atomic uint32_t running;
    struct fleet_release *next;
};

enum fleet_phase { FLEET_RUN, FLEET_SETTLE, FLEET_STOP };

/* Totals, and how many are in which condition right now. */
enum fleet_count {
    COUNT_POLLS,       /* that were answered */
    COUNT_UNREACHABLE, /* exchanges that came to nothing */
    COUNT_BROKEN,      /* by --loss */
    COUNT_TRANSFERS,
    COUNT_BOOTS,
    COUNT_POWER_CUTS, /* in a flash operation */
    COUNT_CRASHES,
    COUNT_WATCHDOG,
    COUNT_CONFIRMED, /* releases, by devices */
    COUNT_RETURNED,
    COUNT_FAILED,
    COUNT_REFUSED,
    COUNT_PATCHED, /* of the confirmed: from patches */
    COUNT_PATCH_FAILED,
    COUNT_BREACHES, /* of the flash contract, by core: must stay 0 */
    NOW_SETTLED,
    NOW_TRIAL,
    NOW_SILENT,
    NOW_DEAD,  /* battery */
    NOW_WRECK, /* nothing boots any more */
    FLEET_COUNTS
};

struct fleet_shard {
    struct fleet *fleet;
    pthread_t thread;
    struct fleet_device *device;
    uint32_t n;
    struct fleet_device **heap; /* by due_ms */
    uint32_t heap_n;
    struct fleet_net *net;
    enum fleet_phase phase; /* that its devices know of */
    _Atomic int64_t count[FLEET_COUNTS];
    _Atomic uint64_t exchanges;
    _Atomic uint64_t connects;
    _Atomic uint64_t resumed;
    _Atomic uint64_t bytes;
};

struct fleet {
    struct fleet_options options;
    struct fleet_factory factory;
    struct fleet_device *device; /* all of them */
    uint8_t *patch_memory;       /* of all decoders; used when one decodes */
    struct fleet_shard *shard;
    uint64_t started_ms; /* wall */
    uint64_t settle_ms;  /* when FLEET_SETTLE began */
    _Atomic int phase;
    pthread_mutex_t lock; /* of the list of releases */
    struct fleet_release *release;
};

/* --- fleet_shard.c --- */
int fleet_shards_start(struct fleet *fleet, struct error *err);
void fleet_shards_join(struct fleet *fleet);
int64_t fleet_count(const struct fleet *fleet, enum fleet_count count);
void fleet_add(struct fleet_shard *shard, enum fleet_count count, int64_t n);
/* Wakes the device at `due_ms` of the wall, or sooner if it was due then. */
void fleet_wake_at(struct fleet_device *device, uint64_t due_ms);

uint64_t fleet_wall_ms(void);
static inline uint64_t fleet_device_ms(const struct fleet *fleet,
                                       uint64_t wall_ms)
{
    return 1000 + (uint64_t)((double)(wall_ms - fleet->started_ms) *
                             fleet->options.speed);
}
static inline uint64_t fleet_when(const struct fleet *fleet,
                                  uint64_t device_ms)
{
    return fleet->started_ms + 1 +
           (uint64_t)((double)(device_ms - 1000) / fleet->options.speed);
}

/* The release of this envelope; NULL when it is none, or without memory. */
struct fleet_release *fleet_release_of(struct fleet *fleet, bl_span envelope);

/* --- fleet_enrol.c --- */
/* Product, root document, factory release: from files or from the server. */
int fleet_api_begin(struct fleet *fleet, struct error *err);
/* Registers all devices and takes their tokens. */
int fleet_api_register(struct fleet *fleet, struct error *err);

/* --- fleet_report.c, fleet_compare.c --- */
int fleet_report_write(struct fleet *fleet, struct error *err);
/* 0 all agree; 1 some do not, told on `out`; -1 with *err. */
int fleet_compare(struct fleet *fleet, struct error *err);

/* --- fleet_show.c --- */
struct fleet_show {
    uint64_t shown_ms;
    int64_t polls;
};

void fleet_show_progress(struct fleet *fleet, struct fleet_show *show);
void fleet_show_end(const struct fleet *fleet);
/* `agreed`: what --compare came to; -1: it was not asked for. */
void fleet_show_summary(struct fleet *fleet, int agreed);

/* --- fleet_keep.c --- */
bool fleet_is_kept(const struct fleet *fleet);
/* Seed, number and names as they were kept; before the devices are made. */
int fleet_keep_begin(struct fleet *fleet, struct error *err);
/* Tokens, flash and counts of the devices that were made. */
int fleet_keep_load(struct fleet *fleet, struct error *err);
int fleet_keep_save(struct fleet *fleet, struct error *err);

#endif
