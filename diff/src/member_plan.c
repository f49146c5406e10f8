/* SPDX-License-Identifier: Apache-2.0 */
#include "member_plan.h"

#include <stdlib.h>
#include <string.h>

#include "align.h"
#include "match.h"

enum {
    MATCH_LEAST = 6, /* units */
    COPY_WORTH = 4,  /* units that a copy must have to be worth its head */
    CHAIN_MOST = 4000
};

/* One byte for each unit. */
static uint8_t *labels_of(const struct members *list, const struct member *m,
                          struct error *error)
{
    uint8_t *labels = malloc((size_t)m->units + 1);
    uint32_t i;

    if (labels == NULL) {
        error_set(error, "no memory for a member's labels");
        return NULL;
    }
    for (i = 0; i < m->units; i++) {
        labels[i] = unit_label(&list->units[m->first + i]);
    }
    return labels;
}

/* The best chain that ends with a copy: what it covers, by which it came. */
struct link {
    int64_t worth;
    uint32_t before; /* index + 1; 0: none */
    uint32_t begun;  /* how often the old stream is begun anew */
};

/* A device reads the old stream forward only and may begin it anew a few
 * times: which copies to keep, so that most is covered, if beginning anew
 * costs `price` units. */
static void chain(const struct bl_member_operation *copies, uint32_t n,
                  int64_t price, struct link *links)
{
    uint32_t i;
    uint32_t k;

    for (i = 0; i < n; i++) {
        int64_t own = (int64_t)copies[i].units - COPY_WORTH;
        struct link best = {own, 0, 0};

        for (k = i > CHAIN_MOST ? i - CHAIN_MOST : 0; k < i; k++) {
            bool back = copies[i].old < copies[k].old + copies[k].units;
            int64_t worth = links[k].worth + own - (back ? price : 0);

            if (worth > best.worth) {
                best.worth = worth;
                best.before = k + 1;
                best.begun = links[k].begun + (back ? 1U : 0U);
            }
        }
        links[i] = best;
    }
}

static uint32_t best_end(const struct link *links, uint32_t n)
{
    uint32_t best = 0;
    uint32_t i;

    for (i = 1; i < n; i++) {
        best = links[i].worth > links[best].worth ? i : best;
    }
    return best;
}

/* Marks in `keep` the copies of a chain that begins the old stream anew no
 * more often than a device does. */
static void choose(const struct bl_member_operation *copies, uint32_t n,
                   struct link *links, bool *keep)
{
    int64_t price = 4;
    uint32_t i;

    do {
        chain(copies, n, price, links);
        i = best_end(links, n);
        price *= 2;
    } while (links[i].begun > BL_MEMBER_RESTARTS);
    for (i++; i > 0; i = links[i - 1].before) {
        keep[i - 1] = true;
    }
}

static void add(struct member_plan *plan, uint32_t units, uint32_t old)
{
    if (plan->n > 0 && old == BL_MEMBER_NEW &&
        plan->o[plan->n - 1].old == BL_MEMBER_NEW) {
        plan->o[plan->n - 1].units += units;
        return;
    }
    plan->o[plan->n].units = units;
    plan->o[plan->n].old = old;
    plan->n++;
}

/* Those of `all` that are kept; what others covered becomes new. */
static int keep_some(const struct operations *all, struct member_plan *out,
                     struct error *error)
{
    size_t room = (size_t)all->n + 1;
    struct bl_member_operation *copies = calloc(room, sizeof *copies);
    struct link *links = calloc(room, sizeof *links);
    bool *keep = calloc(room, sizeof *keep);
    uint32_t n = 0;
    uint32_t i;
    int result = 0;

    if (copies == NULL || links == NULL || keep == NULL) {
        result = error_set(error, "no memory for a member's plan");
        goto out;
    }
    for (i = 0; i < all->n; i++) {
        if (all->o[i].old != BL_LITERAL) {
            copies[n].units = all->o[i].length;
            copies[n++].old = all->o[i].old;
        }
    }
    if (n > 0) {
        choose(copies, n, links, keep);
    }
    for (i = 0, n = 0; i < all->n; i++) {
        bool copied = all->o[i].old != BL_LITERAL && keep[n++];

        add(out, all->o[i].length, copied ? all->o[i].old : BL_MEMBER_NEW);
    }
out:
    free(copies);
    free(links);
    free(keep);
    return result;
}

static int align_units(const uint8_t *old, uint32_t old_n, const uint8_t *now,
                       uint32_t now_n, struct operations *out,
                       const struct stop *stop, struct error *error)
{
    struct stop first = stop_part(stop, 0, 2);
    struct stop second = stop_part(stop, 1, 2);
    struct matches matches;
    int result;

    memset(&matches, 0, sizeof matches);
    result = matches_find(old, old_n, now, now_n, MATCH_LEAST, &matches,
                          &first, error);
    if (result == 0) {
        result = align(old, old_n, now, now_n, &matches, ALIGN_USUAL, out,
                       &second, error);
    }
    matches_free(&matches);
    return result;
}

static int plan_copies(const struct members *old, const struct member *was,
                       const struct members *now, const struct member *is,
                       struct operations *out, const struct stop *stop,
                       struct error *error)
{
    uint8_t *a = labels_of(old, was, error);
    uint8_t *b = a == NULL ? NULL : labels_of(now, is, error);
    int result = -1;

    if (b != NULL) {
        result = align_units(a, was->units, b, is->units, out, stop, error);
    }
    free(a);
    free(b);
    return result;
}

/* --- what a plan costs: it is coded, alone, with models of its own --- */

enum { TABLE = 1 << 8, GATE = 128 };

struct trial {
    struct bl_coder rc;
    struct bl_model model;
    struct bl_member member;
    bl_counter table[BL_CONTEXTS * TABLE];
    bl_counter gates[BL_GATES * BL_GATE_CONTEXTS * GATE];
    uint64_t cost;
    struct {
        const uint8_t *p;
        uint32_t n;
    } image;
};

static bl_status trial_get(void *ctx, uint32_t offset, uint8_t *byte)
{
    const struct trial *t = ctx;

    *byte = offset < t->image.n ? t->image.p[offset] : 0;
    return BL_OK;
}

static bl_status trial_put(void *ctx, uint8_t byte)
{
    (void)ctx;
    (void)byte;
    return BL_OK;
}

static void trial_start(struct trial *t, const uint8_t *image, uint32_t n)
{
    t->image.p = image;
    t->image.n = n;
    t->model.table = t->table;
    t->model.counters = BL_CONTEXTS * TABLE;
    t->model.gates = t->gates;
    t->model.gate_n = GATE;
    bl_model_start(&t->model);
    bl_coder_start(&t->rc, NULL, 0);
    t->rc.full = true; /* only the cost is wanted */
    t->rc.cost = &t->cost;
    bl_member_learn_nothing(&t->member, UINT32_MAX);
}

static int measure(const uint8_t *image, uint32_t image_n,
                   const struct member *was, const struct members *now,
                   const struct member *is, struct member_plan *plan,
                   struct error *error)
{
    struct trial *t = calloc(1, sizeof *t);
    struct bl_member_use use;
    bl_status status = BL_OK;

    if (t == NULL) {
        return error_set(error, "no memory for a member's trial");
    }
    use.rc = &t->rc;
    use.model = &t->model;
    use.source.ctx = t;
    use.source.get = trial_get;
    use.sink.ctx = t;
    use.sink.put = trial_put;
    trial_start(t, image, image_n);
    bl_member_start(&t->member, was == NULL ? 0 : was->at,
                    was == NULL ? 0 : image_n);
    t->member.units = now->units + is->first;
    t->member.operations = plan->o;
    while (status == BL_OK && !bl_member_done(&t->member)) {
        status = bl_member_step(&t->member, &use);
    }
    plan->bytes = (uint32_t)(t->cost / 256 / 8) + 1;
    free(t);
    return status == BL_OK ? 0 : error_status(error, status, "a member");
}

int member_plan_make(const uint8_t *image, uint32_t image_n,
                     const struct members *old, const struct member *was,
                     const struct members *now, const struct member *is,
                     struct member_plan *out, const struct stop *stop,
                     struct error *error)
{
    struct operations all;
    int result = 0;

    memset(&all, 0, sizeof all);
    memset(out, 0, sizeof *out);
    if (was == NULL) {
        result = operations_add(&all, is->units, BL_LITERAL, error);
    } else {
        result = plan_copies(old, was, now, is, &all, stop, error);
    }
    if (result == 0) {
        out->o = calloc((size_t)all.n + 1, sizeof *out->o);
        result = out->o == NULL
                     ? error_set(error, "no memory for a member's plan")
                     : keep_some(&all, out, error);
    }
    if (result == 0) {
        result = measure(image, image_n, was, now, is, out, error);
    }
    operations_free(&all);
    return result;
}

void member_plan_free(struct member_plan *plan)
{
    free(plan->o);
    memset(plan, 0, sizeof *plan);
}
