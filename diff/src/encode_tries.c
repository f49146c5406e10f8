/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include <stdlib.h>

#include "bowline/sha256.h"
#include "fit.h"
#include "make.h"

/* One plan: is its patch the smallest so far? */
static int encode_one(const struct layout *l, const struct bl_plan *plan,
                      struct winner *w, struct error *error)
{
    struct bl_costs costs;
    size_t room = w->n == 0 ? w->room : w->n - 1; /* no need to finish */
    void *memory = malloc(bl_encode_memory(plan));
    if (memory == NULL) {
        return error_set(error, "out of memory");
    }
    bl_status status = bl_encode(plan, memory, w->spare, room, &costs);
    free(memory);
    if (status == BL_BUFFER && w->n != 0) {
        return 0;
    }
    if (status != BL_OK) {
        return error_status(error, status, "delta");
    }
    uint8_t *patch = w->spare;
    w->spare = w->patch;
    w->patch = patch;
    w->n = costs.bytes;
    w->costs = costs;
    w->layout = *l;
    w->map = plan->map_n;
    w->ram_map = plan->ram_map_n;
    w->copies = w->copied = w->literal = 0;
    for (uint32_t k = 0; k < plan->operations_n; k++) {
        const struct bl_operation *o = &plan->operations[k];
        bool literal = o->old == BL_LITERAL;
        w->copies += !literal;
        *(literal ? &w->literal : &w->copied) += o->length;
    }
    return 0;
}

static void plan_begin(const struct layout *l, const struct analysis *a,
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
    bl_sha256(l->old.p, l->old.n, digest);
    memcpy(plan->old_check, digest, sizeof plan->old_check);
    bl_sha256(l->now.p, l->now.n, digest);
    memcpy(plan->new_check, digest, sizeof plan->new_check);
}

static void plan_maps(struct bl_plan *plan, const struct maps *m)
{
    plan->map = m->image.m;
    plan->map_n = m->image.n;
    plan->ram_map = m->ram.m;
    plan->ram_map_n = m->ram.n;
}

/* The map from the copies, cut down to what fits. */
static int copied_map(const struct layout *l, const struct analysis *a,
                      uint32_t limit, struct moves *out, struct error *error)
{
    out->n = 0;
    for (uint32_t k = 0; k < a->copies.n; k++) {
        if (moves_add(out, a->copies.m[k].at, a->copies.m[k].shift, error) !=
            0) {
            return -1;
        }
    }
    map_limit(out, &a->image, l->old.n, limit);
    return 0;
}

int encode_tries(const struct layout *l, const struct analysis *a,
                 const struct diff_options *options, struct winner *w,
                 struct error *error)
{
    struct bl_plan plan;
    struct fit fit;
    struct maps maps = {{0}, {0}};
    plan_begin(l, a, options, &plan);
    int result = fit_ram(&plan, options->ram, &fit, error);
    if (result == 0) {
        plan.settings = fit.settings;
        result = map_ram(&a->ram, fit.ram_map, &maps.ram, error);
    }
    if (result == 0) {
        result = map_vote(&a->operations, &a->image, &a->copies, fit.map,
                          &maps.image, error);
    }
    if (result == 0) {
        plan_maps(&plan, &maps);
        result = encode_one(l, &plan, w, error);
    }
    if (result == 0 && options->effort > 1) {
        result = copied_map(l, a, fit.map, &maps.image, error);
        plan_maps(&plan, &maps);
        result = result == 0 ? encode_one(l, &plan, w, error) : -1;
    }
    maps_free(&maps);
    return result;
}
