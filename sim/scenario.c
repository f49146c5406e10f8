/* SPDX-License-Identifier: Apache-2.0 */
#include "scenario.h"

#include <stdio.h>

#define NONE SIM_R_NONE

enum { ROOM = 26000 /* two places, whatever the erase block */ };

const struct sim_scenario sim_scenarios[] = {
    {.name = "first-install",
     .before = {NONE},
     .wanted = SIM_R2,
     .expected = SIM_R2},
    {.name = "update",
     .before = {SIM_R2, NONE},
     .wanted = SIM_R3,
     .expected = SIM_R3},
    {.name = "returned-crash",
     .before = {SIM_R2, NONE},
     .wanted = SIM_R_CRASHES,
     .expected = SIM_R2},
    {.name = "returned-health",
     .before = {SIM_R2, NONE},
     .wanted = SIM_R_UNHEALTHY,
     .expected = SIM_R2},
    {.name = "returned-deadline",
     .before = {SIM_R2, NONE},
     .wanted = SIM_R_SILENT,
     .expected = SIM_R2},
    {.name = "recalled",
     .before = {SIM_R2, NONE},
     .wanted = SIM_R_SILENT,
     .expected = SIM_R2,
     .recalls = true},
    {.name = "rollback",
     .before = {SIM_R2, NONE},
     .wanted = SIM_R1,
     .expected = SIM_R1,
     .permit = true},
    {.name = "rollback-download",
     .before = {SIM_R2, SIM_R3, NONE},
     .wanted = SIM_R1,
     .expected = SIM_R1,
     .permit = true},
    {.name = "rotation",
     .before = {SIM_R2, NONE},
     .wanted = SIM_R_NEW_KEY,
     .expected = SIM_R_NEW_KEY,
     .root = 2},
    {.name = "rotation-returned",
     .before = {SIM_R2, NONE},
     .wanted = SIM_R_NEW_CRASHES,
     .expected = SIM_R2,
     .root = 2},
    {.name = "refused",
     .before = {SIM_R2, NONE},
     .wanted = SIM_R_OTHER_CLASS,
     .expected = SIM_R2,
     .refused = true},
    {.name = "resumed",
     .before = {SIM_R2, NONE},
     .wanted = SIM_R3,
     .expected = SIM_R3,
     .breaks = 3,
     .break_at = 2500},
    {.name = "no-range",
     .before = {SIM_R2, NONE},
     .wanted = SIM_R3,
     .expected = SIM_R3,
     .breaks = 1,
     .break_at = 5000,
     .no_range = true},
    {.name = "rotation-rollback",
     .before = {SIM_R2, NONE},
     .wanted = SIM_R1,
     .expected = SIM_R1,
     .root = 2,
     .permit = true},
    {.name = "other-wish",
     .before = {SIM_R2, NONE},
     .wanted = SIM_R3,
     .expected = SIM_R3,
     .then = SIM_R_PARTS},
    {.name = "patched",
     .before = {SIM_R2, NONE},
     .wanted = SIM_R_PATCHED,
     .expected = SIM_R_PATCHED,
     .patched = true},
    {.name = "patched-resumed",
     .before = {SIM_R2, NONE},
     .wanted = SIM_R_PATCHED,
     .expected = SIM_R_PATCHED,
     .patched = true,
     .breaks = 2,
     .break_at = 300},
    {.name = "patch-other-base",
     .before = {SIM_R3, NONE},
     .wanted = SIM_R_PATCHED,
     .expected = SIM_R_PATCHED},
    {.name = "parts",
     .before = {SIM_R2, NONE},
     .wanted = SIM_R_PARTS,
     .expected = SIM_R_PARTS},
    {.name = "delta",
     .before = {SIM_R_FULL, NONE},
     .wanted = SIM_R_NEAR,
     .expected = SIM_R_NEAR,
     .patch = SIM_NEAR_PATCH,
     .room = ROOM,
     .second = 11},
    {.name = "delta-runs",
     .before = {SIM_R2, NONE},
     .wanted = SIM_R3,
     .expected = SIM_R3,
     .patch = SIM_RUNS_PATCH,
     .room = ROOM,
     .second = 11},
    {.name = "delta-no-room",
     .before = {SIM_R_FULL, NONE},
     .wanted = SIM_R_NEAR,
     .expected = SIM_R_NEAR,
     .patch = SIM_NEAR_PATCH},
    {.name = "delta-one-place",
     .before = {SIM_R_FULL, NONE},
     .wanted = SIM_R_NEAR,
     .expected = SIM_R_NEAR,
     .patch = SIM_NEAR_PATCH,
     .room = ROOM / 2,
     .second = 11},
    {.name = "delta-resumed",
     .before = {SIM_R_FULL, NONE},
     .wanted = SIM_R_NEAR,
     .expected = SIM_R_NEAR,
     .patch = SIM_NEAR_PATCH,
     .breaks = 3,
     .break_at = 500,
     .room = ROOM,
     .second = 11},
    {.name = "delta-wrong",
     .before = {SIM_R_FULL, NONE},
     .wanted = SIM_R_NEAR,
     .expected = SIM_R_NEAR,
     .patch = SIM_WRONG_PATCH,
     .room = ROOM,
     .second = 11},
    {.name = "delta-wrong-no-room",
     .before = {SIM_R_FULL, NONE},
     .wanted = SIM_R_NEAR,
     .expected = SIM_R_NEAR,
     .patch = SIM_WRONG_PATCH},
    {.name = "delta-missing",
     .before = {SIM_R_FULL, NONE},
     .wanted = SIM_R_NEAR,
     .expected = SIM_R_NEAR,
     .patch = SIM_NEAR_PATCH,
     .no_patch = true},
    {.name = "delta-other-wish",
     .before = {SIM_R2, NONE},
     .wanted = SIM_R3,
     .expected = SIM_R3,
     .then = SIM_R_PARTS,
     .patch = SIM_RUNS_PATCH,
     .room = ROOM,
     .second = 11},
};

const unsigned sim_n_scenarios =
    sizeof(sim_scenarios) / sizeof(sim_scenarios[0]);

static int wrong(struct sim_world *w, const char *what, unsigned is)
{
    if (w->fault[0] == '\0') {
        (void)snprintf(w->fault, sizeof(w->fault), "%s (%u)", what, is);
    }
    return -1;
}

int sim_scenario_prepare(const struct sim_scenario *scenario,
                         struct sim_world *w)
{
    for (int i = 0; scenario->before[i] != NONE; i++) {
        w->server.wanted = scenario->before[i];
        w->may_boot |= 1U << scenario->before[i];
        if (sim_world_run(w) != SIM_SETTLED ||
            w->running != scenario->before[i]) {
            return wrong(w, "could not be prepared", (unsigned)i);
        }
        w->may_boot = 1U << scenario->before[i];
    }
    return 0;
}

static void want(struct sim_world *w, enum sim_release_name wanted)
{
    w->server.wanted = wanted;
    w->server.about = w->fixture->release[wanted].sequence;
    memset(w->server.heard, 0, sizeof(w->server.heard));
    w->server.whole = 0;
    w->may_boot |= 1U << wanted;
}

void sim_scenario_begin(const struct sim_scenario *scenario,
                        struct sim_world *w)
{
    w->server.permit = scenario->permit;
    w->server.recalls = scenario->recalls;
    w->server.recalled = scenario->expected;
    w->server.root = scenario->root == 0 ? 1 : scenario->root;
    w->server.breaks = scenario->breaks;
    w->server.break_at = scenario->break_at;
    w->server.no_range = scenario->no_range;
    w->server.sent_whole = 0;
    w->server.sent_patch = 0;
    if (scenario->patch != SIM_NO_PATCH && w->patches != NULL) {
        w->server.patch = &w->patches[scenario->patch];
        w->server.no_patch = scenario->no_patch;
    }
    want(w, scenario->wanted);
    if (scenario->refused) {
        w->may_boot &= ~(1U << scenario->wanted);
    }
}

void sim_scenario_cut(const struct sim_scenario *scenario, struct sim_world *w)
{
    if (scenario->then != SIM_R1 && w->server.wanted != scenario->then) {
        want(w, scenario->then);
    }
}

static enum sim_release_name expected(const struct sim_scenario *scenario,
                                      const struct sim_world *w)
{
    bool changed =
        scenario->then != SIM_R1 && w->server.wanted == scenario->then;

    return changed ? scenario->then : scenario->expected;
}

static int check_device(const struct sim_scenario *scenario,
                        struct sim_world *w)
{
    enum sim_release_name end = expected(scenario, w);
    const struct sim_release *r = &w->fixture->release[end];
    const struct bl_client *c = &w->device.client;
    struct bl_state state;

    if (w->running != end) {
        return wrong(w, "another release runs in the end", w->running);
    }
    if (bl_state_load(&w->device.layout, &state) != BL_OK ||
        state.trial != BL_SLOT_NONE || state.active != c->slot ||
        memcmp(state.slot[state.active].manifest, r->manifest, 32) != 0) {
        return wrong(w, "the state record does not say what runs",
                     state.active);
    }
    if (memcmp(c->image_digest, r->app_sha256, 32) != 0 ||
        memcmp(w->server.last.image, r->app_sha256, 32) != 0) {
        return wrong(w, "another image is reported", 0);
    }
    if (scenario->patched && w->server.whole > 0) {
        return wrong(w, "the whole image was fetched", w->server.whole);
    }
    return !w->server.last.confirmed ? wrong(w, "not reported confirmed", 0)
                                     : 0;
}

/* A release that could not be taken has cost nothing. */
static int check_fallback(struct sim_world *w)
{
    const struct sim_release *r = &w->fixture->release[SIM_R1];
    const uint32_t *heard = w->server.heard;
    struct bl_slot_record *other;
    struct bl_state state;

    if (bl_state_load(&w->device.layout, &state) != BL_OK) {
        return wrong(w, "no state record", 0);
    }
    other = &state.slot[state.active ^ 1U];
    if (other->status != BL_SLOT_CONFIRMED ||
        memcmp(other->manifest, r->manifest, 32) != 0) {
        return wrong(w, "the fallback is gone", other->status);
    }
    if (heard[BL_STATE_REFUSED] == 0 || heard[BL_STATE_CONFIRMED] != 0 ||
        heard[BL_STATE_RETURNED] != 0) {
        return wrong(w, "refusals heard", heard[BL_STATE_REFUSED]);
    }
    return 0;
}

/* What happened was told, and told once. */
static int check_story(const struct sim_scenario *scenario,
                       struct sim_world *w)
{
    const uint32_t *heard = w->server.heard;
    const struct sim_release *end =
        &w->fixture->release[expected(scenario, w)];
    bool stays = end->sequence == w->server.about;

    if (heard[BL_STATE_CONFIRMED] != (stays ? 1U : 0U)) {
        return wrong(w, "confirmations heard", heard[BL_STATE_CONFIRMED]);
    }
    if (heard[BL_STATE_RETURNED] != (stays ? 0U : 1U)) {
        return wrong(w, "returns heard", heard[BL_STATE_RETURNED]);
    }
    return 0;
}

int sim_scenario_check_way(const struct sim_scenario *scenario,
                           struct sim_world *w)
{
    bool good = scenario->patch != SIM_WRONG_PATCH && !scenario->no_patch;
    uint32_t patch = w->server.sent_patch;

    if (scenario->patch == SIM_NO_PATCH) {
        return patch != 0 ? wrong(w, "a patch came from nowhere", patch) : 0;
    }
    if (good != (w->server.sent_whole == 0)) {
        return wrong(w, "bytes of the whole payload", w->server.sent_whole);
    }
    return (patch == 0) != scenario->no_patch
               ? wrong(w, "bytes of the patch", patch)
               : 0;
}

int sim_scenario_check(const struct sim_scenario *scenario,
                       struct sim_world *w)
{
    if (check_device(scenario, w) != 0) {
        return -1;
    }
    return scenario->refused ? check_fallback(w) : check_story(scenario, w);
}
