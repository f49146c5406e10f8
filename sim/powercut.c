/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cuts the power at every flash operation of every scenario, on every
 * geometry, in every way a cut can go; then, during the recovery from it, a
 * second time. BOWLINE_EXHAUSTIVE=1 tries every second cut, else one for each
 * first by a fixed draw. A failing cut prints an id; `powercut --replay ID`
 * plays it again with a log.
 */
#include "patches.h"
#include "scenario.h"

#include <stdio.h>
#include <stdlib.h>

static struct sim_patch patches[SIM_PATCHES];

struct cut {
    uint64_t k; /* 0: none */
    enum sim_cut kind;
};

struct run {
    const struct sim_scenario *scenario;
    const struct sim_shape *shape;
    struct cut cut[2];
};

struct stage {
    struct sim_world world;
    struct sim_snapshot start; /* before the scenario */
    struct sim_snapshot after; /* the first cut */
};

struct count {
    unsigned passed; /* scenarios on one geometry */
    unsigned broken;
    unsigned long first;
    unsigned long second;
    unsigned long failed;
};

static void id_print(const struct run *run)
{
    printf("%s/%s", run->scenario->name, run->shape->name);
    if (run->cut[0].k != 0) {
        printf("/k=%llu/%s", (unsigned long long)run->cut[0].k,
               sim_cut_name(run->cut[0].kind));
    }
    if (run->cut[1].k != 0) {
        printf("/k2=%llu/%s", (unsigned long long)run->cut[1].k,
               sim_cut_name(run->cut[1].kind));
    }
}

static void failed(const struct run *run, const struct stage *stage,
                   struct count *count)
{
    count->failed++;
    printf("FAILED ");
    id_print(run);
    printf(": %s\n", stage->world.fault);
}

/* Runs to the end, which must be the scenario's. */
static bool ends_well(const struct run *run, struct stage *stage)
{
    struct sim_world *w = &stage->world;
    enum sim_end end = sim_world_run(w);

    if (end == SIM_CUT) {
        (void)snprintf(w->fault, sizeof(w->fault), "a cut nobody made");
    }
    return end == SIM_SETTLED && sim_scenario_check(run->scenario, w) == 0;
}

/* Runs to a cut. False: it broke, or ended before; world.fault says which. */
static bool reaches_cut(struct sim_world *w, const struct cut *cut)
{
    struct sim_flash *flash = &w->device.flash;
    enum sim_end end;

    sim_flash_power_on(flash);
    flash->seed = (uint32_t)cut->k;
    w->cut_in = cut->k;
    w->cut_kind = cut->kind;
    end = sim_world_run(w);
    if (end == SIM_SETTLED) {
        (void)snprintf(w->fault, sizeof(w->fault),
                       "ended before operation %llu",
                       (unsigned long long)cut->k);
    }
    return end == SIM_CUT;
}

/* --- Second cuts -----------------------------------------------------------
 */

static void try_second(struct run *run, struct stage *stage,
                       struct count *count)
{
    struct sim_world *w = &stage->world;

    count->second++;
    sim_world_restore(w, &stage->after);
    if (!reaches_cut(w, &run->cut[1]) || !ends_well(run, stage)) {
        failed(run, stage, count);
    }
}

static uint64_t draw(const struct cut *cut, uint64_t n)
{
    uint64_t x = (cut->k * SIM_CUTS + cut->kind) * 0x9E3779B97F4A7C15U;

    return n == 0 ? 0 : (x >> 32) % n;
}

static void second_cuts(struct run *run, struct stage *stage, uint64_t ops,
                        bool all, struct count *count)
{
    uint64_t n = ops * SIM_CUTS;
    uint64_t step = run->scenario->second > 1 ? run->scenario->second : 1;
    uint64_t i = draw(&run->cut[0], all ? step : n);
    uint64_t end = all || n == 0 ? n : i + 1;

    for (; i < end; i += step) {
        run->cut[1].k = i / SIM_CUTS + 1;
        run->cut[1].kind = (enum sim_cut)(i % SIM_CUTS);
        try_second(run, stage, count);
    }
    run->cut[1].k = 0;
}

/* --- First cuts
 * -------------------------------------------------------------- */

static void try_first(struct run *run, struct stage *stage, bool all,
                      struct count *count)
{
    struct sim_world *w = &stage->world;
    uint64_t before;

    count->first++;
    sim_world_restore(w, &stage->start);
    if (!reaches_cut(w, &run->cut[0])) {
        failed(run, stage, count);
        return;
    }
    sim_scenario_cut(run->scenario, w);
    sim_world_save(w, &stage->after);
    before = w->device.flash.ops;
    if (!ends_well(run, stage)) {
        failed(run, stage, count);
        return;
    }
    if (all || run->scenario->second <= 1 || draw(&run->cut[0], 4) == 0) {
        second_cuts(run, stage, w->device.flash.ops - before, all, count);
    }
}

static void first_cuts(struct run *run, struct stage *stage, uint64_t ops,
                       bool all, struct count *count)
{
    for (uint64_t k = 1; k <= ops; k++) {
        for (unsigned kind = 0; kind < SIM_CUTS; kind++) {
            run->cut[0].k = k;
            run->cut[0].kind = (enum sim_cut)kind;
            run->cut[1].k = 0;
            try_first(run, stage, all, count);
        }
    }
}

static bool stage_open(const struct run *run, struct stage *stage,
                       const struct sim_fixture *fixture)
{
    struct sim_world *w = &stage->world;

    memset(stage, 0, sizeof(*stage));
    if (sim_world_open(w, fixture, run->shape,
                       run->scenario->room + SIM_ROOM) != 0) {
        return false;
    }
    w->engine = &bl_delta_engine;
    w->patches = patches;
    return sim_snapshot_open(&stage->start, w) == 0 &&
           sim_snapshot_open(&stage->after, w) == 0 &&
           sim_scenario_prepare(run->scenario, w) == 0;
}

static void stage_close(struct stage *stage)
{
    sim_snapshot_close(&stage->start);
    sim_snapshot_close(&stage->after);
    sim_world_close(&stage->world);
}

static void scenario_run(struct run *run, const struct sim_fixture *fixture,
                         bool all, struct count *count)
{
    static struct stage stage;
    struct sim_world *w = &stage.world;
    struct count mine = {0};
    uint64_t before;

    if (!stage_open(run, &stage, fixture)) {
        failed(run, &stage, count);
        count->broken++;
        stage_close(&stage);
        return;
    }
    sim_scenario_begin(run->scenario, w);
    sim_world_save(w, &stage.start);
    before = w->device.flash.ops;
    if (!ends_well(run, &stage) ||
        sim_scenario_check_way(run->scenario, w) != 0) {
        failed(run, &stage, &mine);
    } else {
        uint64_t ops = w->device.flash.ops - before;

        first_cuts(run, &stage, ops, all, &mine);
        printf("%-18s %-8s %4llu operations %7lu cuts %9lu second cuts\n",
               run->scenario->name, run->shape->name, (unsigned long long)ops,
               mine.first, mine.second);
        (void)fflush(stdout);
    }
    stage_close(&stage);
    count->first += mine.first;
    count->second += mine.second;
    count->failed += mine.failed;
    count->passed += mine.failed == 0;
    count->broken += mine.failed != 0;
}

/* By name, or all that are about deltas, or all that are not. */
static bool is_meant(const struct sim_scenario *scenario, const char *only)
{
    bool delta =
        scenario->patch != SIM_NO_PATCH || scenario->wanted == SIM_R_PATCHED;

    return only == NULL || strcmp(only, scenario->name) == 0 ||
           strcmp(only, delta ? "--deltas" : "--whole") == 0;
}

static int run_all(const struct sim_fixture *fixture, const char *only)
{
    const char *exhaustive = getenv("BOWLINE_EXHAUSTIVE");
    bool all = exhaustive != NULL && exhaustive[0] == '1';
    struct count count = {0};
    struct run run;

    for (unsigned i = 0; i < sim_n_scenarios; i++) {
        for (unsigned g = 0; g < SIM_SHAPES; g++) {
            memset(&run, 0, sizeof(run));
            run.scenario = &sim_scenarios[i];
            run.shape = &sim_shapes[g];
            if (is_meant(run.scenario, only)) {
                scenario_run(&run, fixture, all, &count);
            }
        }
    }
    printf("power cuts tried: %lu; with a second cut during the recovery: "
           "%lu; failed: %lu\n",
           count.first, count.second, count.failed);
    if (count.passed + count.broken == 0) {
        printf("no such scenario\n");
        return EXIT_FAILURE;
    }
    /* As cmocka closes, so that tests/run.sh counts these too. */
    printf("[  PASSED  ] %u test(s).\n", count.passed);
    if (count.broken > 0) {
        printf("[  FAILED  ] %u test(s), listed below:\n", count.broken);
    }
    return count.failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* --- Replay
 * ---------------------------------------------------------------------- */

static bool cut_read(const char *text, const char *key, struct cut *cut)
{
    const char *at = strstr(text, key);
    char *end = NULL;

    if (at == NULL) {
        return true;
    }
    cut->k = strtoull(at + strlen(key), &end, 10);
    for (unsigned kind = 0; *end == '/' && kind < SIM_CUTS; kind++) {
        const char *name = sim_cut_name((enum sim_cut)kind);

        if (strncmp(end + 1, name, strlen(name)) == 0) {
            cut->kind = (enum sim_cut)kind;
            return cut->k > 0;
        }
    }
    return false;
}

static bool id_read(const char *id, struct run *run)
{
    memset(run, 0, sizeof(*run));
    for (unsigned i = 0; i < sim_n_scenarios; i++) {
        for (unsigned g = 0; g < SIM_SHAPES; g++) {
            char start[64];
            int n = snprintf(start, sizeof(start), "%s/%s",
                             sim_scenarios[i].name, sim_shapes[g].name);

            if (n > 0 && strncmp(id, start, (size_t)n) == 0 &&
                (id[n] == '/' || id[n] == '\0')) {
                run->scenario = &sim_scenarios[i];
                run->shape = &sim_shapes[g];
            }
        }
    }
    return run->scenario != NULL && cut_read(id, "/k=", &run->cut[0]) &&
           cut_read(id, "/k2=", &run->cut[1]);
}

static int replay(const struct sim_fixture *fixture, const char *id)
{
    static struct stage stage;
    struct run run;
    bool good = true;

    if (!id_read(id, &run)) {
        printf("no such id: %s\n", id);
        return EXIT_FAILURE;
    }
    if (!stage_open(&run, &stage, fixture)) {
        printf("%s\n", stage.world.fault);
        return EXIT_FAILURE;
    }
    stage.world.log = true;
    sim_scenario_begin(run.scenario, &stage.world);
    for (int i = 0; good && i < 2 && run.cut[i].k != 0; i++) {
        good = reaches_cut(&stage.world, &run.cut[i]);
        sim_scenario_cut(run.scenario, &stage.world);
    }
    good = good && ends_well(&run, &stage);
    id_print(&run);
    printf(": %s\n", good ? "ends as it must" : stage.world.fault);
    stage_close(&stage);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    static struct sim_fixture fixture;
    struct error err = {0};
    int r;

    if (sim_fixture_open(&fixture, &err) != 0 ||
        sim_patches_open(&fixture, patches, &err) != 0 ||
        sim_patch_release(&fixture, &err) != 0) {
        printf("%s\n", err.text);
        return EXIT_FAILURE;
    }
    if (argc == 3 && strcmp(argv[1], "--replay") == 0) {
        r = replay(&fixture, argv[2]);
    } else {
        r = run_all(&fixture, argc == 2 ? argv[1] : NULL);
    }
    sim_patches_close(patches);
    sim_fixture_close(&fixture);
    return r;
}
