/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One simulated device: flash of some geometry, the layout in it, the buffers
 * a small device would have. The core in it is the real one.
 */
#ifndef SIM_DEVICE_H
#define SIM_DEVICE_H

#include "fixture.h"
#include "flash.h"

#include "bowline/boot.h"
#include "bowline/client.h"

struct sim_shape { /* a kind of flash */
    const char *name;
    uint32_t erase_size;
    uint32_t write_size;
    uint8_t erased;
};

enum {
    SIM_SHAPES = 4,
    SIM_DELTA_MEMORY = 8192,
    SIM_ROOM = 1000,
    SIM_COMPONENTS = 4,
    SIM_STAGE_SIZE = 4096
};
extern const struct sim_shape sim_shapes[SIM_SHAPES];

struct sim_device {
    struct sim_flash flash;
    /* app, cfg/net, app/active, stage */
    struct bl_component component[SIM_COMPONENTS];
    struct bl_layout layout;
    struct bl_suit_platform identity;
    uint8_t envelope[SIM_ENVELOPE_MAX];
    uint8_t root[BL_ROOT_AREA];
    uint8_t io[1024];
    uint8_t message[512];
    uint64_t delta[SIM_DELTA_MEMORY / sizeof(uint64_t)];
    struct bl_client client;
};

/* Erased flash with a layout in it; `room` bytes of each slot behind the
 * largest image are free. */
int sim_device_open(struct sim_device *device, const struct sim_shape *shape,
                    uint32_t room, const struct sim_fixture *fixture);
void sim_device_close(struct sim_device *device);
/* What the factory does: root document 1, release SIM_R1 in slot A. */
bl_status sim_device_provision(struct sim_device *device,
                               const struct sim_fixture *fixture);
/* Which release stands, whole, in an area? SIM_R_NONE: none. */
enum sim_release_name sim_device_image(struct sim_device *device,
                                       const struct sim_fixture *fixture,
                                       const struct bl_boot_result *boot);
/* Fills in buffers, layout and identity; the caller does the rest, and names
 * an engine when the device shall take deltas. */
void sim_device_client(struct sim_device *device,
                       const struct sim_fixture *fixture,
                       struct bl_client_config *config);
void sim_device_boot(struct sim_device *device, const struct bl_crypto *crypto,
                     bl_reset_cause reset, struct bl_boot_config *config);

#endif
