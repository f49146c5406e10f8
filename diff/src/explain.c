/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a patch costs, and why: the decoder says which plan it holds, and the
 * coder, run once more with that plan, counts the bits of each part.
 */
#include <stdlib.h>

#include "make.h"
#include "told.h"

struct explained {
    struct bl_region region[2][BL_REGIONS];
    struct operations operations;
    struct maps maps;
    struct bl_plan plan;
    struct bl_plan_member *members;
    uint32_t members_n; /* that are begun */
};

static int moves_take(const struct told *t, uint32_t which, struct moves *out,
                      struct error *error)
{
    for (uint32_t k = 0; k < t->map_n[which]; k++) {
        if (moves_add(out, t->map[which][k].at, t->map[which][k].shift,
                      error) != 0) {
            return -1;
        }
    }
    return 0;
}

static void code_take(const struct told *t, struct bl_code *code)
{
    code->isa = t->isa;
    code->pic = t->pic;
    code->rams = (uint8_t)t->rams;
    for (uint32_t k = 0; k < t->rams; k++) {
        code->ram[k].low = t->ram[k][0];
        code->ram[k].high = t->ram[k][1];
    }
}

static struct bl_view view_take(struct explained *e, const struct told *t,
                                uint32_t which, const uint8_t *p, size_t n)
{
    for (uint32_t k = 0; k < t->regions[which]; k++) {
        const struct told_region *r = &t->region[which][k];
        struct bl_region one = {r->offset, r->address, r->length, r->kind};
        e->region[which][k] = one;
    }
    struct bl_view v = {.size = (uint32_t)n,
                        .regions_n = t->regions[which],
                        .regions = e->region[which],
                        .code = &e->plan.code,
                        .data = p};
    return v;
}

/* What the coder wants of a member: its units are in the new image. */
static int member_take(const struct told_member *t, const struct buffer *to,
                       struct bl_plan_member *m, struct error *error)
{
    struct bl_member_operation *o = calloc(t->operations.n, sizeof *o);
    m->at = t->at;
    m->size = t->size;
    m->old = t->old;
    m->alone = t->alone;
    m->operations = o;
    m->units = members_units(to->p, (uint32_t)to->n, t->at, error);
    if (o == NULL || m->units == NULL) {
        return error_set(error, "patch: out of memory");
    }
    for (uint32_t k = 0; k < t->operations.n; k++) {
        const struct told_operation *one = &t->operations.o[k];
        o[k].units = one->length;
        o[k].old = one->literal ? BL_MEMBER_NEW : one->old;
    }
    return 0;
}

static int members_take(const struct told *t, const struct buffer *to,
                        struct explained *e, struct error *error)
{
    e->members = calloc(t->members_n + 1, sizeof *e->members);
    if (e->members == NULL) {
        return error_set(error, "patch: out of memory");
    }
    e->plan.members = e->members;
    e->plan.members_n = t->members_n;
    for (uint32_t k = 0; k < t->members_n; k++) {
        e->members_n++;
        if (member_take(&t->members[k], to, &e->members[k], error) != 0) {
            return -1;
        }
    }
    return 0;
}

static void members_drop(struct explained *e)
{
    for (uint32_t k = 0; k < e->members_n; k++) {
        free((void *)(uintptr_t)e->members[k].units);
        free((void *)(uintptr_t)e->members[k].operations);
    }
    free(e->members);
}

static int plan_take(const struct told *t, struct explained *e,
                     const struct bl_delta_info *info, struct error *error)
{
    struct bl_plan *p = &e->plan;
    code_take(t, &p->code);
    p->settings.table = t->table;
    p->settings.in_place = t->in_place;
    p->settings.esp = t->esp;
    p->settings.esp_short = t->esp_short;
    p->settings.esp_tail = t->esp_tail;
    memcpy(p->old_check, info->old_check, sizeof p->old_check);
    memcpy(p->new_check, info->new_check, sizeof p->new_check);
    for (uint32_t k = 0; k < t->operations.n; k++) {
        const struct told_operation *o = &t->operations.o[k];
        if (operations_add(&e->operations, o->length,
                           o->literal ? BL_AGAIN(o->again) : o->old,
                           error) != 0) {
            return -1;
        }
    }
    if (moves_take(t, 0, &e->maps.image, error) != 0 ||
        moves_take(t, 1, &e->maps.ram, error) != 0) {
        return -1;
    }
    p->operations = e->operations.o;
    p->operations_n = e->operations.n;
    p->map = e->maps.image.m;
    p->map_n = e->maps.image.n;
    p->ram_map = e->maps.ram.m;
    p->ram_map_n = e->maps.ram.n;
    return 0;
}

static int count(const struct bl_plan *plan, size_t patch_size,
                 struct bl_costs *costs, struct error *error)
{
    void *memory = malloc(bl_encode_memory(plan));
    uint8_t *out = malloc(2 * patch_size + BL_DELTA_HEAD);
    bl_status status = BL_NO_SPACE;
    if (memory != NULL && out != NULL) {
        status = bl_encode(plan, memory, out, 2 * patch_size + BL_DELTA_HEAD,
                           costs);
    }
    free(memory);
    free(out);
    return status == BL_OK ? 0 : error_status(error, status, "patch");
}

static void report(const struct bl_plan *plan, const struct bl_costs *costs,
                   size_t patch_size, struct diff_report *out)
{
    report_bits(costs, out);
    out->bytes = (uint32_t)patch_size;
    out->members = plan->members_n;
    out->map = plan->map_n;
    out->ram_map = plan->ram_map_n;
    out->found = "from the patch";
    for (uint32_t k = 0; k < plan->operations_n; k++) {
        const struct bl_operation *o = &plan->operations[k];
        bool literal = !bl_is_copy(o);
        out->copies += !literal;
        *(literal ? &out->literal : &out->copied) += o->length;
    }
}

static int explain(const uint8_t *from, size_t from_size, const struct told *t,
                   const struct buffer *to, size_t patch_size,
                   struct diff_report *out, struct error *error)
{
    struct explained e;
    struct bl_costs costs;
    memset(&e, 0, sizeof e);
    e.plan.old = view_take(&e, t, 0, from, from_size);
    e.plan.now = view_take(&e, t, 1, to->p, to->n);
    int result = plan_take(t, &e, &out->info, error);
    if (result == 0) {
        result = members_take(t, to, &e, error);
    }
    if (result == 0) {
        result = count(&e.plan, patch_size, &costs, error);
    }
    if (result == 0) {
        report(&e.plan, &costs, patch_size, out);
    }
    members_drop(&e);
    operations_free(&e.operations);
    maps_free(&e.maps);
    return result;
}

int diff_explain(const uint8_t *from, size_t from_size, const uint8_t *patch,
                 size_t patch_size, struct diff_report *out,
                 struct error *error)
{
    struct buffer to = BUFFER(SIZE_MAX);
    struct told t;
    memset(&t, 0, sizeof t);
    memset(out, 0, sizeof *out);
    int result = -1;
    bl_status status = bl_delta_head(patch, patch_size, &out->info);
    if (status != BL_OK) {
        (void)error_status(error, status, "patch");
    } else if (out->info.in_place) {
        (void)error_set(error, "patch: what parts cost is not told of patches "
                               "for one slot");
    } else if (told_read(from, from_size, patch, patch_size, &t, &to, error) ==
               0) {
        result = explain(from, from_size, &t, &to, patch_size, out, error);
    }
    told_free(&t);
    buffer_free(&to);
    return result;
}
