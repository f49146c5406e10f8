/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One patch, made by a process of its own: what it costs is bounded, and what
 * becomes of it costs one patch. The process is this very program, started as
 * `bowlined --make-delta` (delta_make.c), with the old image as descriptor 0,
 * the new one as 3 and a pipe as 1; its priority is the lowest, memory and
 * time are limited, it can open and start nothing, and it ends with the
 * server.
 */
#ifndef SERVER_DELTA_CHILD_H
#define SERVER_DELTA_CHILD_H

#include "host/buffer.h"

#include <stdbool.h>

struct delta_job {
    int base; /* descriptors; they stay the caller's */
    int target;
    uint32_t ram;
    uint32_t isas;
    int effort;
    int seconds;
    int memory_mb;
    const char *program; /* instead of this one; "": this one */
    /* Asked a few times a second; true: it is not wanted any more. */
    bool (*stopped)(void *ctx);
    void *ctx;
};

enum delta_made {
    DELTA_CHILD_OK,
    DELTA_CHILD_FAILED,  /* it would end so again */
    DELTA_CHILD_STOPPED, /* by job->stopped */
    DELTA_CHILD_KILLED   /* from outside: memory was short, a restart */
};

/* The patch into `patch`, whose limit ends a longer one, or why there is
 * none. */
enum delta_made delta_child(const struct delta_job *job, struct buffer *patch,
                            char *why, size_t why_size);

/* The process: the arguments behind --make-delta; its exit status. */
int delta_make_main(int argc, char **argv);

#endif
