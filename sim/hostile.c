/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Patches that somebody has tampered with, through a whole device: whatever
 * they hold, the image that runs is not touched, and the device ends up with
 * the release that was wanted. Every bit of the head, every end (each so
 * many-th, and two kinds of flash, unless BOWLINE_EXHAUSTIVE=1), bytes
 * anywhere; each second one with a power cut on top.
 */
#include "patches.h"
#include "scenario.h"

#include <stdio.h>
#include <stdlib.h>

enum { PATCH_MAX = 8192, HEAD_BITS = 8 * BL_DELTA_HEAD, NOISE = 300 };

struct hostile {
    struct sim_world world;
    struct sim_snapshot start;
    struct sim_patch made[SIM_PATCHES];
    struct sim_patch offer;
    uint8_t bytes[PATCH_MAX];
    uint32_t draw;
    unsigned long tried;
    unsigned long survived; /* gave the right image all the same */
    unsigned long failed;
};

static const struct sim_scenario scenario = {
    .name = "hostile",
    .before = {SIM_R_FULL, SIM_R_NONE},
    .wanted = SIM_R_NEAR,
    .expected = SIM_R_NEAR,
};

static uint32_t draw(struct hostile *h, uint32_t n)
{
    h->draw = h->draw * 1664525U + 1013904223U;
    return (uint32_t)(((uint64_t)h->draw * n) >> 32);
}

/* The image that ran when it began, byte for byte. */
static bool base_is_whole(struct sim_world *w)
{
    uint8_t old = (uint8_t)(w->device.client.slot ^ 1U);
    const struct bl_area *area = &w->device.component[0].area[old];

    return memcmp(w->device.flash.bytes + area->offset,
                  w->fixture->release[SIM_R_FULL].app, SIM_APP_SIZE) == 0;
}

static bool ends_well(struct sim_world *w)
{
    enum sim_end end = sim_world_run(w);

    if (end == SIM_CUT) {
        end = sim_world_run(w);
    }
    if (end != SIM_SETTLED || sim_scenario_check(&scenario, w) != 0) {
        return false;
    }
    if (!base_is_whole(w)) {
        (void)snprintf(w->fault, sizeof(w->fault), "the base was touched");
        return false;
    }
    return true;
}

/* What lies in h->bytes, as the patch. */
static void try_patch(struct hostile *h, size_t n, const char *what,
                      unsigned which)
{
    struct sim_world *w = &h->world;

    sim_world_restore(w, &h->start);
    sim_scenario_begin(&scenario, w);
    sim_patch_offer(w->fixture, SIM_R_FULL, SIM_R_NEAR,
                    bl_span_of(h->bytes, n), &h->offer);
    w->server.patch = &h->offer;
    if (h->tried++ % 2 == 1) {
        w->cut_in = 1 + draw(h, 80);
        w->cut_kind = (enum sim_cut)draw(h, SIM_CUTS);
    }
    if (!ends_well(w)) {
        h->failed++;
        printf("FAILED %s %u: %s\n", what, which, w->fault);
    }
    h->survived += w->server.sent_whole == 0;
}

static size_t good(struct hostile *h)
{
    const bl_span *patch = &h->made[SIM_NEAR_PATCH].bytes;

    memcpy(h->bytes, patch->p, patch->n);
    return patch->n;
}

static void try_all(struct hostile *h, bool all)
{
    size_t n = good(h);
    unsigned step = all ? 1 : 13;

    for (unsigned bit = 0; bit < HEAD_BITS; bit += all ? 1 : 3) {
        n = good(h);
        h->bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        try_patch(h, n, "bit", bit);
    }
    for (unsigned end = 1; end < n; end += step) {
        n = good(h);
        try_patch(h, end, "end", end);
    }
    for (unsigned i = 0; i < (all ? 20U : 1U) * NOISE; i++) {
        uint32_t from = draw(h, (uint32_t)good(h));
        uint32_t more = 1 + draw(h, i % 3 == 0 ? PATCH_MAX - from : 4);

        for (uint32_t at = from; at < from + more && at < PATCH_MAX; at++) {
            h->bytes[at] = (uint8_t)draw(h, 256);
        }
        n = from + more > n ? from + more : n;
        try_patch(h, n < PATCH_MAX ? n : PATCH_MAX, "noise", i);
    }
}

static bool open_world(struct hostile *h, const struct sim_fixture *fixture,
                       const struct sim_shape *shape)
{
    struct sim_world *w = &h->world;

    if (sim_world_open(w, fixture, shape, 30000) != 0) {
        return false;
    }
    w->engine = &bl_delta_engine;
    return sim_snapshot_open(&h->start, w) == 0 &&
           sim_scenario_prepare(&scenario, w) == 0;
}

static bool play(struct hostile *h, const struct sim_fixture *fixture,
                 const struct sim_shape *shape, bool all)
{
    bool opened = open_world(h, fixture, shape);

    h->draw = 1;
    h->tried = 0;
    h->survived = 0;
    h->failed = 0;
    if (opened) {
        sim_world_save(&h->world, &h->start);
        try_all(h, all);
        printf("%-8s %lu hostile patches, %lu of them gave the image all the "
               "same; failed: %lu\n",
               shape->name, h->tried, h->survived, h->failed);
    } else {
        printf("FAILED %s: %s\n", shape->name, h->world.fault);
    }
    sim_snapshot_close(&h->start);
    sim_world_close(&h->world);
    /* Most are found out, or this would test nothing. */
    return opened && h->failed == 0 && h->survived < h->tried / 2;
}

int main(void)
{
    static struct sim_fixture fixture;
    static struct hostile h;
    const char *exhaustive = getenv("BOWLINE_EXHAUSTIVE");
    bool all = exhaustive != NULL && exhaustive[0] == '1';
    unsigned shapes = all ? SIM_SHAPES : 2;
    struct error err = {0};
    unsigned passed = 0;

    if (sim_fixture_open(&fixture, &err) != 0 ||
        sim_patches_open(&fixture, h.made, &err) != 0) {
        printf("%s\n", err.text);
        return EXIT_FAILURE;
    }
    for (unsigned i = 0; i < shapes; i++) {
        passed += play(&h, &fixture, &sim_shapes[i], all);
    }
    sim_patches_close(h.made);
    sim_fixture_close(&fixture);
    printf("[  PASSED  ] %u test(s).\n", passed);
    if (passed < shapes) {
        printf("[  FAILED  ] %u test(s), listed below:\n", shapes - passed);
    }
    return passed == shapes ? EXIT_SUCCESS : EXIT_FAILURE;
}
