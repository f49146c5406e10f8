/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device's long life: one release after the other, good and bad, forward and
 * back, with the power cut now and then. Journal and state record are filled
 * and begun anew many times over, which the short scenarios of `powercut` do
 * not reach. The draw is fixed; `life SHAPE` plays one geometry with a log.
 */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 150, ROUNDS_LONG = 5000, CUTS_MAX = 2, REACH = 45 };

static const enum sim_release_name wishes[] = {
    SIM_R1, SIM_R2, SIM_R3, SIM_R_PARTS, SIM_R_CRASHES, SIM_R_UNHEALTHY};

struct life {
    struct sim_world world;
    uint32_t draw;
    unsigned long cuts;
    unsigned long updates;
    unsigned long returns;
};

static uint32_t draw(struct life *life, uint32_t n)
{
    life->draw = life->draw * 1664525U + 1013904223U;
    return (uint32_t)(((uint64_t)life->draw * n) >> 32);
}

static enum sim_end run_with_cuts(struct life *life)
{
    struct sim_world *w = &life->world;
    enum sim_end end = SIM_CUT;

    for (int i = 0; end == SIM_CUT; i++) {
        if (i < CUTS_MAX && draw(life, 3) > 0) {
            w->cut_in = 1 + draw(life, REACH);
            w->cut_kind = (enum sim_cut)draw(life, SIM_CUTS);
        }
        end = sim_world_run(w);
        life->cuts += end == SIM_CUT;
    }
    return end;
}

/* One wish. No more cuts than a trial has tries: a good release must stay. */
static bool round_ends_well(struct life *life)
{
    struct sim_world *w = &life->world;
    enum sim_release_name before = w->running;
    enum sim_release_name wanted = wishes[draw(life, 6)];
    bool good = w->fixture->release[wanted].behaviour == SIM_GOOD;

    w->server.wanted = wanted;
    w->may_boot = 1U << before | 1U << wanted;
    w->now_ms += 3600000; /* what was refused may be tried again */
    if (run_with_cuts(life) != SIM_SETTLED) {
        return false;
    }
    life->updates += good && wanted != before;
    life->returns += !good;
    if (w->running != (good ? wanted : before)) {
        (void)snprintf(w->fault, sizeof(w->fault), "wanted %s, has %s",
                       w->fixture->release[wanted].version,
                       w->fixture->release[w->running].version);
        return false;
    }
    return true;
}

static bool lives(const struct sim_fixture *fixture,
                  const struct sim_shape *shape, unsigned rounds, bool log)
{
    static struct life life;
    struct sim_world *w = &life.world;
    bool good;

    memset(&life, 0, sizeof(life));
    good = sim_world_open(w, fixture, shape, SIM_ROOM) == 0;
    w->log = log;
    w->server.permit = true;
    w->running = SIM_R1;
    for (unsigned i = 0; good && i < rounds; i++) {
        good = round_ends_well(&life);
        if (!good) {
            printf("FAILED %s in round %u: %s\n", shape->name, i, w->fault);
        }
    }
    printf("%-8s %lu updates, %lu bad releases, %lu power cuts, %llu flash "
           "operations\n",
           shape->name, life.updates, life.returns, life.cuts,
           (unsigned long long)w->device.flash.ops);
    sim_world_close(w);
    return good;
}

int main(int argc, char **argv)
{
    static struct sim_fixture fixture;
    const char *exhaustive = getenv("BOWLINE_EXHAUSTIVE");
    bool all = exhaustive != NULL && exhaustive[0] == '1';
    struct error err = {0};
    unsigned passed = 0;
    unsigned played = 0;

    if (sim_fixture_open(&fixture, &err) != 0) {
        printf("%s\n", err.text);
        return EXIT_FAILURE;
    }
    for (unsigned i = 0; i < SIM_SHAPES; i++) {
        if (argc < 2 || strcmp(argv[1], sim_shapes[i].name) == 0) {
            played++;
            passed += lives(&fixture, &sim_shapes[i],
                            all ? ROUNDS_LONG : ROUNDS, argc > 1);
        }
    }
    sim_fixture_close(&fixture);
    printf("[  PASSED  ] %u test(s).\n", passed);
    if (passed < played) {
        printf("[  FAILED  ] %u test(s), listed below:\n", played - passed);
    }
    return played > 0 && passed == played ? EXIT_SUCCESS : EXIT_FAILURE;
}
