/* SPDX-License-Identifier: Apache-2.0 */
#include "make.h"

#include "in_place.h"

#include <stdlib.h>

enum {
    LARGEST = 1 << 30,
    EXTRA = 4096,    /* a patch may be longer than the image by so much, */
    EXTRA_SHARE = 8, /* and a share of it */
    FOUND = 50,      /* of 1000: compressed members are found */
    PROOF = 950,     /* the proof begins */
    SURE = 8,        /* saving this share of a patch beats larger tables */
    RECIPES_SIZE = 1 << 20, /* larger images get two usually, for time */
    PERMILLE = 1000
};

void diff_defaults(struct diff_options *options)
{
    memset(options, 0, sizeof *options);
    options->ram = DIFF_RAM;
    options->isas = (1u << BL_DELTA_ISAS) - 1;
    options->isa = DIFF_DETECT;
    options->effort = 6;
}

static int check(size_t from_size, size_t to_size,
                 const struct diff_options *options, struct error *error)
{
    if (from_size == 0 || to_size == 0) {
        return error_set(error, "delta: an image of 0 bytes");
    }
    if (from_size > LARGEST || to_size > LARGEST) {
        return error_set(error, "delta: an image above 1 GB");
    }
    if (options->isa != DIFF_DETECT && options->isa >= BL_DELTA_ISAS) {
        return error_set(error, "delta: unknown instruction set %u",
                         (unsigned)options->isa);
    }
    return options->in_place ? in_place_check(options, error) : 0;
}

static int try_labelled(const struct layout *l, const struct streams *streams,
                        const struct analysis *first,
                        const struct recipe *recipe,
                        const struct diff_options *options, struct winner *w,
                        const struct stop *stop, struct error *error)
{
    struct analysis a;
    memset(&a, 0, sizeof a);
    int result = analyse_labelled(l, streams, first, recipe, &a, stop, error);
    if (result == 0) {
        result = encode_tries(l, &a, streams, options, w, error);
    }
    analysis_free(&a);
    return result;
}

/* None is always the best; the likely best first. */
static const struct recipe recipes[] = {{LABELS_BY_COPIES, ALIGN_USUAL},
                                        {LABELS_BY_VOTES, ALIGN_USUAL},
                                        {LABELS_BY_COPIES, ALIGN_EAGER},
                                        {LABELS_BY_VOTES, ALIGN_EAGER}};

static uint32_t recipes_of(uint8_t effort, uint32_t size)
{
    uint32_t all = sizeof recipes / sizeof *recipes;
    if (effort < 4) {
        return 1;
    }
    return effort > 6 || (effort == 6 && size <= RECIPES_SIZE) ? all : 2;
}

static int try_layout(const struct layout *l, const struct streams *streams,
                      const struct diff_options *options, struct winner *w,
                      const struct stop *stop, struct error *error)
{
    struct analysis a;
    uint32_t n = recipes_of(options->effort, l->now.n);
    struct stop part = stop_part(stop, 0, n + 1);
    memset(&a, 0, sizeof a);
    int result = analyse(l, streams, &a, &part, error);
    if (result == 0 && !analysis_refers(&a)) {
        result = encode_tries(l, &a, streams, options, w, error);
        n = 0;
    }
    for (uint32_t k = 0; k < n && result == 0; k++) {
        part = stop_part(stop, k + 1, n + 1);
        result = try_labelled(l, streams, &a, &recipes[k], options, w, &part,
                              error);
    }
    analysis_free(&a);
    return result;
}

/* All of it as new: for images that have nothing in common. */
static int try_literal(const struct layout *l, const struct streams *streams,
                       const struct diff_options *options, struct winner *w,
                       struct error *error)
{
    struct analysis a;
    memset(&a, 0, sizeof a);
    int result = operations_add(&a.operations, l->now.n, BL_LITERAL, error);
    if (result == 0) {
        result = encode_tries(l, &a, streams, options, w, error);
    }
    analysis_free(&a);
    return result;
}

/* Is plain data worth a try, too? When code was found by the header of a
 * file, it always lost where there was much of it. */
static bool skips_plain(const struct layout *first, const struct winner *w,
                        uint8_t effort)
{
    return effort < 9 && first->kind != IMAGE_RAW && w->n != 0 &&
           w->n < first->now.n / 2 && first->now.n > 65536;
}

static int try_layouts(const struct layout *layouts, uint32_t n,
                       const struct streams *streams,
                       const struct diff_options *options, struct winner *w,
                       const struct stop *all, struct error *error)
{
    for (uint32_t k = 0; k < n; k++) {
        if (k > 0 && k == n - 1 && skips_plain(layouts, w, options->effort)) {
            break;
        }
        struct stop stop = stop_part(all, k, n);
        if (try_layout(&layouts[k], streams, options, w, &stop, error) != 0) {
            return -1;
        }
    }
    return 0;
}

/* Streams take memory from the tables of all the rest: is that worth it? */
static int try_without(const struct layout *layouts, uint32_t n,
                       const struct streams *streams,
                       const struct diff_options *options, struct winner *w,
                       struct error *error)
{
    static const struct streams none;
    struct stop stop = {options, PROOF, PROOF};
    if (streams->n == 0 || (w->n != 0 && streams->saved > w->n / SURE)) {
        return 0;
    }
    if (w->n == 0) { /* too little memory for them */
        return try_layouts(layouts, n, &none, options, w, &stop, error);
    }
    struct layout best = w->layout;
    return try_layout(&best, &none, options, w, &stop, error);
}

static int try_all(const struct layout *layouts, uint32_t n,
                   const struct streams *streams,
                   const struct diff_options *options, struct winner *w,
                   struct error *error)
{
    const struct layout *plain = &layouts[n - 1];
    struct stop stop = {options, FOUND, PROOF};
    if (try_layouts(layouts, n, streams, options, w, &stop, error) != 0 ||
        try_without(layouts, n, streams, options, w, error) != 0) {
        return -1;
    }
    return w->n > plain->now.n / 2
               ? try_literal(plain, streams, options, w, error)
               : 0;
}

/* Takes compressed members apart, if the device can, and tries. */
static int find_and_try(const struct layout *layouts, uint32_t n,
                        const struct diff_options *options, struct winner *w,
                        struct error *error)
{
    const struct layout *l = &layouts[0];
    struct stop stop = {options, 0, FOUND};
    struct streams streams;
    memset(&streams, 0, sizeof streams);
    int result = options->no_deflate || options->in_place
                     ? 0
                     : streams_find(l->old.p, l->old.n, l->now.p, l->now.n,
                                    &streams, &stop, error);
    if (result == 0) {
        result = try_all(layouts, n, &streams, options, w, error);
    }
    streams_free(&streams);
    return result;
}

void report_bits(const struct bl_costs *costs, struct diff_report *report)
{
    const uint64_t *bits = costs->bits256;
    report->bits_members = (uint32_t)(bits[BL_COST_MEMBERS] / 256);
    report->bits_head = (uint32_t)(bits[BL_COST_HEAD] / 256);
    report->bits_map = (uint32_t)(bits[BL_COST_MAP] / 256);
    report->bits_operations = (uint32_t)(bits[BL_COST_OPERATIONS] / 256);
    report->bits_flags =
        (uint32_t)((bits[BL_COST_FLAGS] + bits[BL_COST_SITES]) / 256);
    report->bits_targets = (uint32_t)(bits[BL_COST_TARGETS] / 256);
    report->bits_differences = (uint32_t)(bits[BL_COST_DIFFERENCES] / 256);
    report->bits_missed = (uint32_t)(bits[BL_COST_MISSED] / 256);
    report->bits_literal = (uint32_t)(bits[BL_COST_LITERAL] / 256);
}

static void report_fill(const struct winner *w, struct diff_report *report)
{
    memset(report, 0, sizeof *report);
    report_bits(&w->costs, report);
    report->bytes = (uint32_t)w->n;
    report->copies = w->copies;
    report->copied = w->copied;
    report->literal = w->literal;
    report->members = w->members;
    report->map = w->maps.image.n;
    report->ram_map = w->maps.ram.n;
    report->found = w->layout.found;
}

/* The device's own decoder must make the same image of it. */
static int prove(const struct layout *l, const struct winner *w,
                 struct diff_report *report, struct error *error)
{
    struct buffer made = BUFFER(l->now.n);
    int result = diff_apply(l->old.p, l->old.n, w->patch, w->n, &made, error);
    if (result == 0 &&
        (made.n != l->now.n || memcmp(made.p, l->now.p, made.n) != 0)) {
        result = error_set(error, "another image came out");
    }
    if (result != 0) {
        (void)error_prefix(error, "delta: the patch that was made is wrong "
                                  "(a mistake in Bowline; please report it)");
    } else if (report != NULL &&
               bl_delta_head(w->patch, w->n, &report->info) != BL_OK) {
        result = error_set(error, "delta: the patch's head is wrong");
    }
    buffer_free(&made);
    return result;
}

static int deliver(const struct layout *l, const struct winner *w,
                   struct buffer *patch, struct diff_report *report,
                   struct error *error)
{
    if (report != NULL) {
        report_fill(w, report);
    }
    if (prove(l, w, report, error) != 0) {
        return -1;
    }
    buffer_clear(patch);
    return buffer_append(patch, w->patch, w->n, error);
}

int diff_make(const uint8_t *from, size_t from_size, const uint8_t *to,
              size_t to_size, const struct diff_options *options,
              struct buffer *patch, struct diff_report *report,
              struct error *error)
{
    struct layout layouts[DETECT_TRIES];
    struct winner w;
    memset(&w, 0, sizeof w);
    if (check(from_size, to_size, options, error) != 0) {
        return -1;
    }
    uint32_t n = detect(from, (uint32_t)from_size, to, (uint32_t)to_size,
                        options, layouts);
    w.room = to_size + to_size / EXTRA_SHARE + EXTRA;
    w.patch = malloc(w.room);
    w.spare = malloc(w.room);
    int result = w.patch == NULL || w.spare == NULL
                     ? error_set(error, "delta: out of memory")
                     : find_and_try(layouts, n, options, &w, error);
    if (result == 0) {
        result = deliver(&layouts[0], &w, patch, report, error);
    }
    struct stop end = {options, PERMILLE, PERMILLE};
    if (result == 0) {
        result = stop_at(&end, 0, 1, error);
    }
    winner_free(&w);
    return result;
}
