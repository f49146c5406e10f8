/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cuts the power at every write and erase of every case, in every way, on
 * every geometry; then once more while the device recovers. The second cut is
 * at one operation of each recovery by default, at each of them when
 * BOWLINE_EXHAUSTIVE is set.
 *
 * A failure prints an id, "case geometry operation kind operation kind";
 * BOWLINE_CUT="<id>" runs that one alone.
 */
#include "powercut.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct cut {
    uint64_t at; /* 0: none */
    enum sim_cut kind;
};

static struct {
    const struct powercut_case *c;
    int geometry;
    struct rig base; /* prepared */
    struct rig work;
    struct rig after; /* the first cut, for its second cuts */
    unsigned long tried;
} now;

static void check(const char *problem, struct cut first, struct cut second)
{
    if (problem == NULL) {
        problem = now.work.sim.breach;
    }
    if (problem != NULL) {
        fail_msg("%s\n    replay: BOWLINE_CUT=\"%s %d %llu %d %llu %d\"",
                 problem, now.c->name, now.geometry,
                 (unsigned long long)first.at, (int)first.kind,
                 (unsigned long long)second.at, (int)second.kind);
    }
}

/* Runs the work with a cut in it; what must hold then, holds. */
static void run_cut(struct cut cut, struct cut first, struct cut second)
{
    struct rig *rig = &now.work;

    sim_flash_cut_in(&rig->sim, cut.at, cut.kind);
    if (now.c->run(rig, now.c->parameter) == BL_OK) {
        check("the power was cut and the work says it is done", first, second);
    }
    sim_flash_power_on(&rig->sim);
    check(now.c->holds(rig, now.c->parameter), first, second);
    now.tried++;
}

/* Runs the work to its end; returns how many operations that took. */
static uint64_t run_whole(struct cut first, struct cut second)
{
    struct rig *rig = &now.work;
    uint64_t before = rig->sim.ops;
    bl_status status = now.c->run(rig, now.c->parameter);

    if (status != BL_OK) {
        print_error("status %d\n", (int)status);
        check("what was cut cannot be completed", first, second);
    }
    check(now.c->done(rig, now.c->parameter), first, second);
    return rig->sim.ops - before;
}

static void second_cut(struct cut first, struct cut second)
{
    rig_copy(&now.work, &now.after);
    now.work.sim.seed += 77;
    run_cut(second, first, second);
    run_whole(first, second);
}

/* The first cut has left `now.after`; a recovery takes `ops` operations. */
static void second_cuts(struct cut first, uint64_t ops)
{
    struct cut second;
    uint64_t step = getenv("BOWLINE_EXHAUSTIVE") != NULL ? 1 : ops;

    if (ops == 0) {
        return;
    }
    for (second.at = 1 + (first.at * 7 + (uint64_t)first.kind) % step;
         second.at <= ops; second.at += step) {
        for (int kind = 0; kind < SIM_CUTS; kind++) {
            second.kind = (enum sim_cut)kind;
            if (step == 1 ||
                (first.at + second.at) % SIM_CUTS == (uint64_t)kind) {
                second_cut(first, second);
            }
        }
    }
}

static const struct cut no_cut = {0, SIM_CUT_ABSENT};

static uint64_t first_cut(struct cut first)
{
    rig_copy(&now.work, &now.base);
    now.work.sim.seed = (uint32_t)first.at;
    run_cut(first, first, no_cut);
    rig_copy(&now.after, &now.work);
    return run_whole(first, no_cut);
}

static uint64_t prepare(const struct powercut_case *c, int geometry)
{
    now.c = c;
    now.geometry = geometry;
    rig_open(&now.base, geometry);
    rig_open(&now.work, geometry);
    rig_open(&now.after, geometry);
    c->prepare(&now.base, c->parameter);
    rig_copy(&now.work, &now.base);
    return run_whole(no_cut, no_cut);
}

static void clean_up(void)
{
    rig_close(&now.base);
    rig_close(&now.work);
    rig_close(&now.after);
}

static void every_cut(const struct powercut_case *c, int geometry)
{
    uint64_t ops = prepare(c, geometry);
    struct cut first;

    assert_true(ops > 0);
    for (first.at = 1; first.at <= ops; first.at++) {
        for (int kind = 0; kind < SIM_CUTS; kind++) {
            first.kind = (enum sim_cut)kind;
            second_cuts(first, first_cut(first));
        }
    }
    clean_up();
}

static void run_case(const char *prefix)
{
    size_t n = strlen(prefix);
    int found = 0;

    now.tried = 0;
    for (int i = 0; i < powercut_n_cases; i++) {
        if (strncmp(powercut_cases[i].name, prefix, n) == 0) {
            found++;
            for (int g = 0; g < RIG_GEOMETRIES; g++) {
                every_cut(&powercut_cases[i], g);
            }
        }
    }
    assert_true(found > 0);
    print_message("%s: %lu power cuts\n", prefix, now.tried);
}

static void powercut_state_is_the_old_or_the_new_record(void **unused)
{
    (void)unused;
    run_case("state");
}

static void powercut_journal_keeps_what_was_appended(void **unused)
{
    (void)unused;
    run_case("journal");
}

static void powercut_root_is_the_old_or_the_new_document(void **unused)
{
    (void)unused;
    run_case("root");
}

static void powercut_install_goes_on_and_leaves_the_other_slot(void **unused)
{
    (void)unused;
    run_case("install");
}

static void powercut_replay(void **unused)
{
    char name[40];
    struct cut first;
    struct cut second;
    int geometry;
    int kind[2];
    unsigned long long at[2];

    (void)unused;
    assert_int_equal(sscanf(getenv("BOWLINE_CUT"), "%39s %d %llu %d %llu %d",
                            name, &geometry, &at[0], &kind[0], &at[1],
                            &kind[1]),
                     6);
    first = (struct cut){at[0], (enum sim_cut)kind[0]};
    second = (struct cut){at[1], (enum sim_cut)kind[1]};
    for (int i = 0; i < powercut_n_cases; i++) {
        if (strcmp(powercut_cases[i].name, name) == 0) {
            prepare(&powercut_cases[i], geometry);
            first_cut(first);
            if (second.at > 0) {
                second_cut(first, second);
            }
            clean_up();
            return;
        }
    }
    fail_msg("no case \"%s\"", name);
}

static int open_cases(void **unused)
{
    (void)unused;
    return powercut_cases_open();
}

static int close_cases(void **unused)
{
    (void)unused;
    powercut_cases_close();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(powercut_state_is_the_old_or_the_new_record),
        cmocka_unit_test(powercut_journal_keeps_what_was_appended),
        cmocka_unit_test(powercut_root_is_the_old_or_the_new_document),
        cmocka_unit_test(powercut_install_goes_on_and_leaves_the_other_slot),
    };
    const struct CMUnitTest replay[] = {
        cmocka_unit_test(powercut_replay),
    };

    if (getenv("BOWLINE_CUT") != NULL) {
        return cmocka_run_group_tests(replay, open_cases, close_cases);
    }
    return cmocka_run_group_tests(tests, open_cases, close_cases);
}
