/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile patches, many: fuzz_storm RUNS [SEED [STATE]] tries RUNS patches and
 * goes on where the file STATE says; fuzz_storm --round SEED ROUND tries one
 * round again, fuzz_storm --patch IMAGE FILE one patch. 1: a finding; the
 * patch is kept beside STATE.
 */
#define _POSIX_C_SOURCE 200809L

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <sanitizer/common_interface_defs.h>

#include "delta_kinds.h"
#include "storm.h"

enum { PORTIONS_IN = 16, SAVE_S = 5, SAY_S = 60, HANGS_S = 30 };

/* What has been done. */
struct tally {
    uint64_t rounds, tried;
    uint64_t source[STORM_SOURCES];
    uint64_t refused, whole, twice, bytes;
    uint64_t kind[KINDS];
    struct hostile_work most; /* for 64 bytes of the new image */
};

static struct storm storm;
static struct tally tally;
static uint64_t seed = 1;
static const char *state;
static const char *program;

/* --- findings --- */

static void keep(void)
{
    char name[512];
    FILE *f;

    snprintf(name, sizeof name, "%s-finding-%" PRIu64 "-%" PRIu64,
             state != NULL ? state : "fuzz_storm", seed, tally.rounds);
    f = fopen(name, "wb");
    if (f != NULL) {
        fwrite(storm.patch.p, 1, storm.patch.n, f);
        fclose(f);
    }
    fprintf(stderr,
            "kept: %s\nagain: %s --patch %" PRIu32 " %s\n"
            "or: %s --round %" PRIu64 " %" PRIu64 "\n",
            name, program, storm.patch.image, name, program, seed,
            tally.rounds);
}

static void hangs(int signal)
{
    (void)signal;
    fprintf(stderr, "FINDING: a round did not end in %d s of the processor\n",
            (int)HANGS_S);
    keep();
    _exit(1);
}

static void finding(const char *broken)
{
    fprintf(stderr, "FINDING: not kept: %s\n", broken);
    keep();
    exit(1);
}

/* Time of the processor: a program that was stopped does not hang. */
static void watch(void)
{
    const struct itimerval most = {{0, 0}, {HANGS_S, 0}};

    (void)setitimer(ITIMER_PROF, &most, NULL);
}

/* --- the state file --- */

static void load(void)
{
    FILE *f = state != NULL ? fopen(state, "rb") : NULL;
    struct tally t;

    if (f != NULL && fread(&t, sizeof t, 1, f) == 1) {
        tally = t;
    }
    if (f != NULL) {
        fclose(f);
    }
}

static void save(void)
{
    char name[512];
    FILE *f;

    if (state == NULL) {
        return;
    }
    snprintf(name, sizeof name, "%s.new", state);
    f = fopen(name, "wb");
    if (f == NULL || fwrite(&tally, sizeof tally, 1, f) != 1 ||
        fclose(f) != 0 || rename(name, state) != 0) {
        perror(name);
        exit(2);
    }
}

/* --- counts --- */

static void count(const struct hostile *h, bool twice)
{
    const struct hostile_work *w = &h->work;
    struct hostile_work *m = &tally.most;

    tally.tried += twice ? 2 : 1;
    tally.twice += twice ? 1 : 0;
    tally.source[storm.patch.source]++;
    tally.kind[storm.patch.image % KINDS]++;
    tally.refused += h->refused ? 1 : 0;
    tally.whole += h->status == BL_OK ? 1 : 0;
    tally.bytes += h->now_n;
    m->steps = w->steps > m->steps ? w->steps : m->steps;
    m->sites = w->sites > m->sites ? w->sites : m->sites;
    m->reads = w->reads > m->reads ? w->reads : m->reads;
}

static void say(uint64_t runs, uint64_t begun, double seconds)
{
    printf("fuzz_storm %" PRIu64 ": %" PRIu64 " of %" PRIu64 ", %.0f/s\n",
           seed, tally.tried, runs,
           seconds > 0 ? (double)(tally.tried - begun) / seconds : 0);
    fflush(stdout);
}

static void close_with(uint64_t runs, uint64_t begun, double seconds)
{
    uint64_t least = UINT64_MAX;

    for (uint32_t k = 0; k < KINDS; k++) {
        least = tally.kind[k] < least ? tally.kind[k] : least;
    }
    say(runs, begun, seconds);
    printf("  symbols %" PRIu64 ", strewn %" PRIu64 ", damaged %" PRIu64
           ", noise %" PRIu64 "; in portions too %" PRIu64
           "\n  refused by the head %" PRIu64 ", whole image %" PRIu64
           ", bytes of images %" PRIu64 ", least of a kind %" PRIu64
           "\n  most work of one patch: %" PRIu32 " steps, %" PRIu32
           " sites, %" PRIu32 " reads\n",
           tally.source[STORM_SYMBOLS], tally.source[STORM_STREWN],
           tally.source[STORM_DAMAGED], tally.source[STORM_NOISE], tally.twice,
           tally.refused, tally.whole, tally.bytes, least, tally.most.steps,
           tally.most.sites, tally.most.reads);
}

/* --- runs --- */

static void one_round(uint64_t round)
{
    static struct hostile h;

    watch();
    storm_round(&storm, seed, round);
    for (uint32_t k = 0; k < STORM_BATCH; k++) {
        uint32_t portions = 0;
        const char *broken;

        storm_next(&storm);
        if (draw(&storm.d, PORTIONS_IN) == 0) {
            portions = 1 + draw(&storm.d, 1U << 30);
        }
        broken = storm_try(&storm, portions, &h);
        if (broken != NULL) {
            finding(broken);
        }
        count(&h, portions != 0 && !h.refused);
    }
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void many(uint64_t runs)
{
    double first = now(), saved = first, said = first;
    uint64_t begun;

    load();
    begun = tally.tried;
    while (tally.tried < runs) {
        one_round(tally.rounds);
        tally.rounds++;
        if (tally.rounds % 1024 == 0 && now() - saved > SAVE_S) {
            saved = now();
            save();
            if (saved - said > SAY_S) {
                said = saved;
                say(runs, begun, said - first);
            }
        }
    }
    save();
    close_with(runs, begun, now() - first);
}

static int one_patch(const char *image, const char *name)
{
    static struct hostile h;
    FILE *f = fopen(name, "rb");
    const char *broken;

    if (f == NULL) {
        perror(name);
        return 2;
    }
    storm.patch.image = (uint32_t)strtoul(image, NULL, 10) % STORM_IMAGES;
    storm.patch.n = fread(storm.patch.p, 1, HOSTILE_PATCH, f);
    fclose(f);
    watch();
    broken = storm_try(&storm, 1, &h);
    printf("status %d, %" PRIu32 " bytes, %" PRIu32 " steps, %" PRIu32
           " sites, %" PRIu32 " reads: %s\n",
           (int)h.status, h.now_n, h.work.steps, h.work.sites, h.work.reads,
           broken != NULL ? broken : "all kept");
    return broken != NULL ? 1 : 0;
}

int main(int argc, char **argv)
{
    program = argv[0];
    signal(SIGPROF, hangs);
    if (argc == 4 && strcmp(argv[1], "--patch") == 0) {
        return one_patch(argv[2], argv[3]);
    }
    __sanitizer_set_death_callback(keep);
    if (argc == 4 && strcmp(argv[1], "--round") == 0) {
        seed = strtoull(argv[2], NULL, 10);
        tally.rounds = strtoull(argv[3], NULL, 10);
        one_round(tally.rounds);
        return 0;
    }
    if (argc < 2 || argc > 4 || argv[1][0] == '-') {
        fprintf(stderr, "usage: fuzz_storm RUNS [SEED [STATE]]\n");
        return 2;
    }
    seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    state = argc > 3 ? argv[3] : NULL;
    many(strtoull(argv[1], NULL, 10));
    return 0;
}
