/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "again.h"
#include "bowline/sha256.h"
#include "fit.h"
#include "in_place.h"
#include "make.h"

enum {
    FINISH = 4,        /* bytes at the end that may be left away again */
    SMALL_PATCH = 3000 /* bytes */
};

/* The plan's patch, in w->spare, is the smallest so far. */
static int win(const struct layout *l, const struct bl_plan *plan,
               const struct bl_costs *costs, const struct maps *maps,
               struct winner *w, struct error *error)
{
    uint8_t *patch = w->spare;
    w->spare = w->patch;
    w->patch = patch;
    w->n = costs->bytes;
    w->costs = *costs;
    w->layout = *l;
    w->copies = w->copied = w->literal = 0;
    w->members = plan->members_n;
    for (uint32_t k = 0; k < plan->operations_n; k++) {
        const struct bl_operation *o = &plan->operations[k];
        bool literal = !bl_is_copy(o);
        w->copies += !literal;
        *(literal ? &w->literal : &w->copied) += o->length;
    }
    return moves_copy(&maps->image, &w->maps.image, error) == 0
               ? moves_copy(&maps->ram, &w->maps.ram, error)
               : -1;
}

/* One plan with these maps. */
static int encode_one(const struct layout *l, const struct bl_plan *settings,
                      const struct maps *maps, bool tables, struct winner *w,
                      struct error *error)
{
    struct bl_plan one = *settings, *plan = &one;
    struct bl_costs costs;
    size_t room = w->room;
    if (w->n != 0 && w->n + FINISH < room) {
        room = w->n + FINISH; /* no need to finish what is larger */
    }
    plan->map = maps->image.m;
    plan->map_n = maps->image.n;
    plan->ram_map = maps->ram.m;
    plan->ram_map_n = maps->ram.n;
    if (tables) {
        fit_table(plan, w->ram);
    }
    void *memory = malloc(bl_encode_memory(plan));
    if (memory == NULL) {
        return error_set(error, "delta: out of memory");
    }
    bl_status status = bl_encode(plan, memory, w->spare, room, &costs);
    free(memory);
    if ((status == BL_BUFFER && w->n != 0) ||
        (status == BL_ARGUMENT && plan->members_n > 0)) {
        return 0; /* not smaller; or members that a device would refuse */
    }
    if (status == BL_OK && w->n != 0 && costs.bytes >= w->n) {
        return 0;
    }
    return status == BL_OK ? win(l, plan, &costs, maps, w, error)
                           : error_status(error, status, "delta");
}

void winner_free(struct winner *w)
{
    free(w->patch);
    free(w->spare);
    maps_free(&w->maps);
}

static void plan_begin(const struct layout *l, const struct analysis *a,
                       const struct streams *streams,
                       const struct diff_options *options,
                       struct bl_plan *plan)
{
    uint8_t digest[BL_SHA256_SIZE];
    memset(plan, 0, sizeof *plan);
    plan->old = layout_old(l);
    plan->now = layout_now(l);
    plan->code = l->code;
    plan->settings.in_place = options->in_place;
    plan->settings.esp = l->kind == IMAGE_ESP;
    plan->settings.esp_short = l->esp_short;
    plan->settings.esp_tail = l->kind == IMAGE_ESP;
    plan->operations = a->operations.o;
    plan->operations_n = a->operations.n;
    plan->members = streams->list;
    plan->members_n = streams->n;
    bl_sha256(l->old.p, l->old.n, digest);
    memcpy(plan->old_check, digest, sizeof plan->old_check);
    bl_sha256(l->now.p, l->now.n, digest);
    memcpy(plan->new_check, digest, sizeof plan->new_check);
}

/* The map from the copies, cut down to what fits. */
static int copied_map(const struct layout *l, const struct analysis *a,
                      uint32_t limit, struct moves *out, struct error *error)
{
    if (moves_copy(&a->copies, out, error) != 0) {
        return -1;
    }
    map_limit(out, &a->image, l->old.n, limit);
    return 0;
}

/* What an entry of the map may cost, the likely best first. */
static const uint32_t dears[] = {400, 200, 700, 128, 1200};

/* How many of them are tried. Small patches are soon made. */
static uint32_t dears_of(uint8_t effort, size_t bytes)
{
    bool small = bytes < SMALL_PATCH;
    uint32_t all = sizeof dears / sizeof *dears;
    return effort < 4 ? 1 : effort >= 8 || small ? all : 3;
}

static int map_tries(const struct layout *l, const struct analysis *a,
                     const struct fit *fit, uint8_t effort,
                     struct bl_plan *plan, struct winner *w,
                     struct error *error)
{
    struct maps maps = {{0}, {0}};
    int result = map_ram(&a->ram, fit->ram_map, &maps.ram, error);
    for (uint32_t k = 0; result == 0 && k < dears_of(effort, w->n); k++) {
        result = map_vote(&a->operations, &a->image, &a->copies, dears[k],
                          fit->map, &maps.image, error);
        if (result == 0) {
            result = encode_one(l, plan, &maps, true, w, error);
        }
    }
    if (result == 0 && effort > 1) {
        result = copied_map(l, a, fit->map, &maps.image, error);
        if (result == 0) {
            result = encode_one(l, plan, &maps, true, w, error);
        }
    }
    maps_free(&maps);
    return result;
}

/* Where a few bytes count: what a short patch can do without. */
static int small_tries(const struct layout *l, struct bl_plan *plan,
                       struct winner *w, struct error *error)
{
    struct maps none = {{0}, {0}}, maps = {{0}, {0}};
    struct bl_plan bare = *plan;
    int result = moves_copy(&w->maps.image, &maps.image, error);
    if (result == 0 && w->maps.ram.n == 0) {
        plan->code.rams = 0;
        result = encode_one(l, plan, &maps, true, w, error);
    }
    bare.code.rams = 0;
    bare.old.regions_n = bare.now.regions_n = 0;
    bare.settings.esp = bare.settings.esp_tail = false;
    bare.settings.table = 0;
    if (result == 0) {
        result = encode_one(l, &bare, &none, false, w, error);
    }
    if (result == 0 && l->kind == IMAGE_RAW) { /* nothing but the map */
        result = encode_one(l, &bare, &maps, true, w, error);
    }
    maps_free(&maps);
    return result;
}

static int tries(const struct layout *l, const struct analysis *a,
                 const struct diff_options *options, struct bl_plan *plan,
                 struct winner *w, struct error *error)
{
    struct fit fit;
    if (fit_ram(plan, options->ram, &fit, error) != 0) {
        bool least = plan->members_n == 0 && layout_is_plain(l);
        return least ? -1 : 0; /* what comes behind wants less */
    }
    plan->settings = fit.settings;
    w->ram = options->ram;
    if (map_tries(l, a, &fit, options->effort, plan, w, error) != 0) {
        return -1;
    }
    return w->n < SMALL_PATCH && options->effort > 1
               ? small_tries(l, plan, w, error)
               : 0;
}

static int tries_in_place(const struct layout *l, const struct analysis *a,
                          const struct diff_options *options,
                          struct bl_plan *plan, struct winner *w,
                          struct error *error)
{
    struct in_place one;
    plan->settings.block = in_place_bits(options);
    plan->settings.slots = in_place_slots(options);
    plan->settings.stash = in_place_stash(options);
    if (bl_encode_ram(plan) > options->ram) {
        plan->settings.stash = 0;
    }
    int result =
        in_place_plan(l, &a->operations, &plan->settings, &one, error);
    if (result == 0) {
        plan->operations = one.operations.o;
        plan->operations_n = one.operations.n;
        plan->pages = one.pages;
        plan->pages_n = one.pages_n;
        result = tries(l, a, options, plan, w, error);
    }
    in_place_free(&one);
    return result;
}

int encode_tries(const struct layout *l, const struct analysis *a,
                 const struct streams *streams,
                 const struct diff_options *options, struct winner *w,
                 struct error *error)
{
    struct bl_plan plan;
    struct operations parts = {0};
    plan_begin(l, a, streams, options, &plan);
    if (options->in_place) {
        return tries_in_place(l, a, options, &plan, w, error);
    }
    int result = again_find(l->now.p, l->now.n, &a->operations, &parts, error);
    plan.operations = parts.o;
    plan.operations_n = parts.n;
    if (result == 0) {
        result = tries(l, a, options, &plan, w, error);
    }
    operations_free(&parts);
    return result;
}
