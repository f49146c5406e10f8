/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a device on this port is in, and what it tells of itself. The group
 * `conditions` of device.conf says it at first; DIR/conditions.conf, which
 * `bowline-device set` writes, overrides it at any time while it runs:
 *
 *   battery = 80;          percent
 *   power = true;          external power
 *   metered = false; roaming = false;
 *   utc_offset = 120;      minutes east; else the host's, with `clock`
 *   consent = "ask";       or "auto": nobody is there to be asked
 *   report = { site = "hall 3"; };  attributes for the server
 */
#ifndef POSIX_CONDITIONS_H
#define POSIX_CONDITIONS_H

#include <sys/stat.h>

#include "posix/config.h"

struct conditions {
    const struct device_config *config;
    char path[FLASH_PATH];
    struct stat seen; /* of the file, when it was read */
    struct bl_conditions now;
    bool local_time; /* utc_offset is the host's */
    bool ask;
    struct bl_attribute attribute[BL_ATTRIBUTES]; /* the two below */
    char name[BL_ATTRIBUTES][BL_ATTRIBUTE_NAME + 1];
    char value[BL_ATTRIBUTES][BL_ATTRIBUTE_VALUE + 1];
    bool filed[BL_ATTRIBUTES]; /* from a file */
    uint32_t n_attributes;
};

/* Reads both; -1 when one of them is wrong, and says which setting. */
int conditions_open(struct conditions *c, const struct device_config *config,
                    struct error *err);
/* The same with these settings in the place of the file's, for who writes it.
 */
int conditions_check(struct conditions *c, const struct device_config *config,
                     const config_t *file, struct error *err);
/* Has the file changed? Then it is read: 1. -1 when it is wrong: all stays as
 * it was. */
int conditions_look(struct conditions *c, struct error *err);
/* As the client asks for them. */
void conditions_now(struct conditions *c, struct bl_conditions *out);
/* Sets an attribute, or removes it (NULL). -1 when there are too many, or it
 * is too long. */
int conditions_report(struct conditions *c, const char *name,
                      const char *value);

#endif
