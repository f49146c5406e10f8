/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of bowline-sim. */
#ifndef SIM_FLEET_OPTIONS_H
#define SIM_FLEET_OPTIONS_H

#include "fleet_device.h"
#include "fleet_rules.h"

#include "bowline/client.h"

struct fleet_attribute {
    char name[FLEET_TEXT];
    struct fleet_shares values;
};

struct fleet_options {
    const char *server;
    const char *ca_file;
    const char *token_file;
    const char *product;
    const char *root_file;    /* NULL: the server's first */
    const char *release_file; /* NULL: the server's */
    const char *payload_file; /* NULL: beside the release */
    const char *from;         /* NULL: the product's oldest */
    const char *prefix;       /* of device names */
    char own_prefix[FLEET_TEXT];
    const char *tags; /* "a,b" or NULL */
    const char *report;
    const char *state;
    uint32_t devices;
    uint32_t threads;
    uint32_t connections;
    uint32_t slot_size;
    bool fresh;
    bool esp32; /* boot by otadata, as ESP-IDF's bootloader does */
    double loss;
    double power_cuts;
    double deltas;         /* devices that take patches */
    double bad_patches;    /* transfers of them */
    uint32_t delta_memory; /* bytes of a decoder, a multiple of 8 */
    double speed;
    struct fleet_rules rules;
    struct fleet_shares hardware;
    struct fleet_shares profile;
    struct fleet_attribute attribute[FLEET_ATTRIBUTES];
    uint32_t n_attributes;
    struct bl_timing timing;
    uint32_t watchdog_s;
    uint32_t run_for_s; /* 0: no limit */
    bool until_settled;
    bool hold;
    uint32_t calm_s;   /* settled when nothing has happened for so long */
    uint32_t settle_s; /* at most, at the end */
    bool compare;
    bool json;
    bool quiet;
};

extern const char fleet_help[];

/* 0; 1 when --help or --version was answered; -1 for wrong usage. */
int fleet_options_parse(struct fleet_options *options, int argc, char **argv,
                        struct error *err);

#endif
