/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An update server in the process: the device API of docs/PROTOCOL.md for one
 * device, with the faults a test asks for. Its struct is plain data and may be
 * copied to go back to an earlier moment.
 */
#ifndef SIM_SERVER_H
#define SIM_SERVER_H

#include "fixture.h"

#include "bowline/journal.h"
#include "bowline/policy.h"

enum { SIM_ANSWER_MAX = 4096 };

struct sim_poll { /* what a device said last */
    bl_span nonce;
    uint64_t root_version;
    uint8_t running[32];
    uint64_t slot;
    uint64_t state;
    bool confirmed;
    uint64_t sequence;
    uint32_t n_events;
    uint64_t done;
    uint64_t size;
    uint64_t floor;
    uint8_t image[32];
    uint64_t wait;
    bool has_offset;
    int64_t utc_offset;
    bl_span attributes; /* the map; p NULL: none */
    bool has_power;
    uint64_t battery;
    uint64_t flags;
    uint64_t tries; /* 0: not said */
    bool has_deltas;
    uint64_t delta_format;
    uint64_t delta_memory;
    uint64_t delta_sets;
};

/* A delta that the server has: any bytes, said to be anything. */
struct sim_patch {
    bl_span bytes;
    uint8_t payload[32]; /* digests */
    uint8_t base[32];
    uint8_t sha256[32];
};

enum sim_patch_name {
    SIM_NO_PATCH,
    SIM_RUNS_PATCH,  /* SIM_R2 to SIM_R3 */
    SIM_NEAR_PATCH,  /* SIM_R_FULL to SIM_R_NEAR */
    SIM_WRONG_PATCH, /* ... and gives something else, or breaks off late */
    SIM_PATCHES
};

struct sim_server {
    const struct sim_fixture *fixture;
    enum sim_release_name wanted;
    bool permit;  /* give one for the wanted release */
    bool recalls; /* wants `recalled` as soon as the other is on trial */
    enum sim_release_name recalled;
    unsigned root;                 /* newest root document */
    bool keeps_roots;              /* says its version, and gives none */
    uint32_t breaks;               /* transfers of payloads that will break */
    uint32_t break_at;             /* ... after so many bytes of each */
    bool no_range;                 /* ignores Range */
    struct bl_policy policy;       /* of the wanted release */
    const struct sim_patch *patch; /* offered to who can; NULL: none */
    bool no_patch;                 /* ... and then it is not there */
    uint32_t patches;              /* how often it was offered */
    uint32_t sent_whole;           /* bytes of payloads */
    uint32_t sent_patch;           /* ... and of patches */
    uint32_t acked;
    /* What was heard, by device state: events about the release with this
     * sequence number. The boot code writes its event before the state record,
     * so that a cut between makes it tell the same boot's story twice: that
     * counts once. */
    uint64_t about;
    uint64_t last_state;
    uint64_t last_boot;
    uint32_t whole; /* transfers of whole images begun */
    uint32_t heard[16];
    uint32_t polls;
    uint32_t tickets;
    struct sim_poll last;
};

/* Reads a poll; -1 when it is not as PROTOCOL.md says. */
int sim_server_read(struct sim_server *server, bl_span body,
                    struct sim_poll *out);
/* Hears a poll and writes the answer; -1 when the poll was malformed or the
 * ticket could not be signed. */
int sim_server_poll(struct sim_server *server, bl_span body,
                    uint8_t out[SIM_ANSWER_MAX], bl_span *answer);
/* The content behind a URI; p NULL when there is none. */
bl_span sim_server_get(const struct sim_server *server, bl_span uri);

#endif
