/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A world in one process: a simulated device, its boot code, a server, and
 * time that passes as fast as it can. After every boot and at every flash
 * operation it holds the device to what must never happen.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "device.h"
#include "server.h"

enum sim_end {
    SIM_SETTLED, /* the device has done what it can and told it all */
    SIM_CUT,     /* the power went; sim_world_run goes on after it */
    SIM_BROKEN   /* something must not be: see `fault` */
};

struct sim_world {
    const struct sim_fixture *fixture;
    struct sim_server server;
    struct sim_device device;
    /* For devices that take deltas; both NULL: they take none. */
    const struct bl_delta_engine *engine;
    const struct sim_patch *patches; /* by sim_patch_name */
    uint32_t may_boot; /* bit per release that may be seen running */
    bool log;
    uint64_t cut_in; /* flash operations until the next cut; 0: none */
    enum sim_cut cut_kind;
    uint64_t now_ms;
    uint64_t floor;   /* the highest ever seen */
    uint64_t checked; /* flash operations until the last look at the state */
    uint32_t random;
    bl_reset_cause reset;
    enum sim_release_name running;
    uint8_t started; /* bl_client_config.started of this boot */
    char fault[160];
};

/* All but the device's RAM, which a power cut loses anyway. */
struct sim_snapshot {
    struct sim_flash flash;
    struct sim_server server;
    uint32_t may_boot;
    uint64_t now_ms;
    uint64_t floor;
};

/* `room`: as sim_device_open has it. */
int sim_world_open(struct sim_world *world, const struct sim_fixture *fixture,
                   const struct sim_shape *shape, uint32_t room);
void sim_world_close(struct sim_world *world);
int sim_snapshot_open(struct sim_snapshot *snapshot,
                      const struct sim_world *world);
void sim_snapshot_close(struct sim_snapshot *snapshot);
void sim_world_save(const struct sim_world *world,
                    struct sim_snapshot *snapshot);
void sim_world_restore(struct sim_world *world,
                       const struct sim_snapshot *snapshot);

/* Switches the device on and lets it run until it settles, or until the cut
 * that `cut_in` asks for; which is then forgotten. */
enum sim_end sim_world_run(struct sim_world *world);

#endif
