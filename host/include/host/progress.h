/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far a long work is, on stderr: a bar with rate and time left where
 * stderr is a terminal, a plain line every ten seconds where it is a file or
 * a CI log, nothing when quiet. One at a time; one thread.
 */
#ifndef HOST_PROGRESS_H
#define HOST_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct progress {
    FILE *out;
    char name[48];
    bool bytes; /* amounts are bytes, shown as kB, MB */
    bool quiet;
    bool terminal;
    bool colour;
    bool drawn; /* a bar stands on the line */
    int width;  /* of the terminal */
    uint64_t started_ms;
    uint64_t drawn_ms;
};

/* `name`: what is being done, "upload thermostat.bin". */
void progress_begin(struct progress *p, const char *name, bool bytes,
                    bool quiet);
/* As often as you like: it draws at most ten times a second. `total` 0: not
 * known. */
void progress_update(struct progress *p, uint64_t done, uint64_t total);
/* Takes the bar away; `done` text, when not NULL, stays as a plain line. */
void progress_end(struct progress *p, const char *done);

/* One drawing: what progress_update writes, without the carriage return. */
void progress_format(const struct progress *p, uint64_t elapsed_ms,
                     uint64_t done, uint64_t total, char *out, size_t size);

#endif
