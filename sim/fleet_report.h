/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_FLEET_REPORT_H
#define SIM_FLEET_REPORT_H

#include <jansson.h>

#include "fleet.h"

struct fleet_truth {
    bool has_state;
    bool whole; /* the image that runs matches its manifest, in flash */
    bool confirmed;
    uint8_t slot;
    uint8_t manifest[32];
    uint8_t image[32];
    const char *version;
    struct bl_state state;
};

/* The device's thread must have ended. */
void fleet_truth_read(struct fleet_device *device, struct fleet_truth *truth);
json_t *fleet_truth_json(const struct fleet_device *device,
                         const struct fleet_truth *truth);

#endif
