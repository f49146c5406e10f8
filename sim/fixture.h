/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a simulated product has: keys, root documents, releases. Made once in
 * a process and then only read. The keys come from fixed seeds, so that the
 * same run gives the same bytes; they protect nothing.
 */
#ifndef SIM_FIXTURE_H
#define SIM_FIXTURE_H

#include "author/author.h"

/* How a release behaves when a device runs it. */
enum sim_behaviour {
    SIM_GOOD,
    SIM_CRASHES,   /* at once, before the client runs */
    SIM_UNHEALTHY, /* a health check fails */
    SIM_SILENT     /* its health checks never come to an end */
};

enum sim_release_name {
    SIM_R1, /* the factory's */
    SIM_R2,
    SIM_R3,
    SIM_R_CRASHES,
    SIM_R_UNHEALTHY,
    SIM_R_SILENT,
    SIM_R_PARTS,       /* two components, the second carried integrated */
    SIM_R_NEW_KEY,     /* signed by the release key of root document 2 */
    SIM_R_NEW_CRASHES, /* the same, and crashes */
    SIM_R_OTHER_CLASS, /* made for another product */
    SIM_R_STRANGER,    /* signed by a key that no root document names */
    SIM_R_FULL,        /* its image has no runs that look erased */
    SIM_R_NEAR,        /* nearly the same image */
    SIM_R_PATCHED,     /* SIM_R2 with changes: sim_fixture_patch */
    SIM_RELEASES,
    SIM_R_NONE = SIM_RELEASES
};

enum { SIM_APP_SIZE = 13001, SIM_NET_SIZE = 301, SIM_ENVELOPE_MAX = 2048 };

struct sim_release {
    uint64_t sequence;
    const char *version;
    enum sim_behaviour behaviour;
    struct buffer envelope;
    uint8_t manifest[32];
    uint8_t app[SIM_APP_SIZE];
    uint8_t app_sha256[32];
    bool has_net;
    uint8_t net[SIM_NET_SIZE];
    uint8_t net_sha256[32];
    struct buffer patch;     /* from SIM_R2's image, when it was given */
    struct buffer permit[2]; /* for the class, under root document 1 and 2 */
};

enum {
    SIM_KEY_ROOT,
    SIM_KEY_RELEASE,
    SIM_KEY_RELEASE_2,
    SIM_KEY_TICKET,
    SIM_KEY_STRANGER,
    SIM_KEYS
};

enum { SIM_TIME = 1800000000 }; /* when everything was signed */

struct sim_fixture {
    struct author_key *key[SIM_KEYS];
    struct buffer root[2]; /* documents 1 and 2 */
    struct sim_release release[SIM_RELEASES];
    uint8_t vendor_id[16];
    uint8_t class_id[16];
    uint8_t device_id[16];
};

/* The files of keys are written to, and removed from, a temporary folder. */
int sim_fixture_open(struct sim_fixture *fixture, struct error *err);
/* The same with keys of P-256, for devices that know no other; signatures
 * differ from run to run. */
int sim_fixture_open_p256(struct sim_fixture *fixture, struct error *err);
/* Gives SIM_R_PATCHED a patch from SIM_R2's image: its manifest then has a
 * device that runs it fetch and apply the patch, and others the image. */
int sim_fixture_patch(struct sim_fixture *fixture, bl_span patch,
                      struct error *err);
void sim_fixture_close(struct sim_fixture *fixture);

#endif
