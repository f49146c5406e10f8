/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes a patch of two files and says what it costs:
 * delta_try OLD NEW [--ram N] [--isa thumb|riscv|xtensa|aarch64|x86_64|plain]
 *           [--base A] [--effort N] [--out FILE]
 */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "diff/diff.h"
#include "host/file.h"

static const char *const isas[BL_DELTA_ISAS] = {"plain",  "thumb",   "riscv",
                                                "xtensa", "aarch64", "x86_64"};

static int isa_named(const char *name, struct diff_options *o)
{
    for (uint8_t k = 0; k < BL_DELTA_ISAS; k++) {
        if (strcmp(name, isas[k]) == 0) {
            o->isa = k;
            return 0;
        }
    }
    fprintf(stderr, "unknown instruction set: %s\n", name);
    return -1;
}

static int option(const char *name, const char *value, struct diff_options *o,
                  const char **out)
{
    if (strcmp(name, "--ram") == 0) {
        o->ram = (uint32_t)strtoul(value, NULL, 0);
    } else if (strcmp(name, "--effort") == 0) {
        o->effort = (uint8_t)strtoul(value, NULL, 0);
    } else if (strcmp(name, "--base") == 0) {
        o->base = (uint32_t)strtoul(value, NULL, 0);
        o->has_base = true;
    } else if (strcmp(name, "--out") == 0) {
        *out = value;
    } else if (strcmp(name, "--isa") == 0) {
        return isa_named(value, o);
    } else {
        fprintf(stderr, "unknown option: %s\n", name);
        return -1;
    }
    return 0;
}

static double seconds(const struct timespec *from)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - from->tv_sec) +
           (double)(now.tv_nsec - from->tv_nsec) / 1e9;
}

static void print(const struct diff_report *r, double time)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    printf("%" PRIu32 " %s ram %" PRIu32 " (%s) copies %" PRIu32
           " literal %" PRIu32 " map %" PRIu32 "+%" PRIu32,
           r->bytes, r->info.isa < BL_DELTA_ISAS ? isas[r->info.isa] : "?",
           r->info.ram, r->found, r->copies, r->literal, r->map, r->ram_map);
    printf(" | head %" PRIu32 " map %" PRIu32 " ops %" PRIu32 " flags %" PRIu32
           " targets %" PRIu32 " diffs %" PRIu32 " missed %" PRIu32
           " literal %" PRIu32,
           r->bits_head / 8, r->bits_map / 8, r->bits_operations / 8,
           r->bits_flags / 8, r->bits_targets / 8, r->bits_differences / 8,
           r->bits_missed / 8, r->bits_literal / 8);
    printf(" | %.2f s %ld MB\n", time, u.ru_maxrss / 1024);
}

static int run(const char *const *names, const struct diff_options *o,
               const char *out, struct error *error)
{
    struct buffer old = BUFFER(1U << 30), new = BUFFER(1U << 30),
                  patch = BUFFER(SIZE_MAX);
    struct diff_report report;
    struct timespec from;
    int result = -1;
    if (file_read(names[0], &old, error) == 0 &&
        file_read(names[1], &new, error) == 0) {
        clock_gettime(CLOCK_MONOTONIC, &from);
        result =
            diff_make(old.p, old.n, new.p, new.n, o, &patch, &report, error);
    }
    if (result == 0) {
        print(&report, seconds(&from));
        if (out != NULL) {
            result = file_write(out, buffer_span(&patch), 0644, error);
        }
    }
    buffer_free(&old);
    buffer_free(&new);
    buffer_free(&patch);
    return result;
}

int main(int argc, char **argv)
{
    struct diff_options o;
    struct error error = {0};
    const char *names[2] = {NULL, NULL}, *out = NULL;
    int n = 0;
    diff_defaults(&o);
    for (int k = 1; k < argc; k++) {
        if (argv[k][0] == '-' && k + 1 < argc) {
            if (option(argv[k], argv[k + 1], &o, &out) != 0) {
                return 2;
            }
            k++;
        } else if (n < 2) {
            names[n++] = argv[k];
        }
    }
    if (n != 2) {
        fprintf(stderr, "usage: delta_try OLD NEW [options]\n");
        return 2;
    }
    if (run(names, &o, out, &error) != 0) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    return 0;
}
