/* SPDX-License-Identifier: Apache-2.0 */
#include "code_guess.h"

/* One in so many bytes must be a call to a function called before: well above
 * what chance gives, well below what code has. */
static uint32_t share(uint8_t isa)
{
    return isa == BL_DELTA_XTENSA ? 64 : 400;
}

void image_whole(struct image *i, uint32_t address, bool code)
{
    struct bl_region r = {0, address, i->n, code};
    i->region[0] = r;
    i->regions = 1;
}

static struct bl_view view(const struct image *i, const struct bl_code *code)
{
    struct bl_view v = {.size = i->n,
                        .regions_n = i->regions,
                        .regions = i->region,
                        .code = code,
                        .data = i->p};
    return v;
}

struct bl_view layout_old(const struct layout *l)
{
    return view(&l->old, &l->code);
}

struct bl_view layout_now(const struct layout *l)
{
    return view(&l->now, &l->code);
}

static bool allowed(const struct diff_options *o, uint8_t isa)
{
    return (o->isas & bl_delta_isas()) >> isa & 1 &&
           (o->isa == DIFF_DETECT || o->isa == isa);
}

/* A raw image read as code of `isa`: its address by the caller's word, by its
 * pointers, or 0. */
static void raw_layout(struct layout *l, uint8_t isa,
                       const struct diff_options *options,
                       const struct places *functions)
{
    uint32_t base = options->base;
    l->code.isa = isa;
    l->kind = IMAGE_RAW;
    l->found = "by its calls";
    if (!options->has_base && !guess_base(&l->old, isa, functions, &base)) {
        base = 0;
    }
    if (base > UINT32_MAX - (l->old.n > l->now.n ? l->old.n : l->now.n)) {
        base = 0;
    }
    image_whole(&l->old, base, true);
    image_whole(&l->now, base, true);
    l->code.ram[0] = guess_ram(&l->old, isa, base);
    l->code.rams = l->code.ram[0].low < l->code.ram[0].high ? 1 : 0;
}

/* The instruction sets of raw images by how often calls meet. */
static uint32_t raw_tries(const struct layout *l,
                          const struct diff_options *options,
                          struct layout *out, uint32_t room)
{
    uint32_t n = 0, score[DETECT_TRIES];
    for (uint8_t isa = BL_DELTA_THUMB; isa < BL_DELTA_ISAS; isa++) {
        struct places functions = {0};
        if (!allowed(options, isa)) {
            continue;
        }
        uint32_t again = guess_functions(&l->old, isa, &functions);
        if ((options->isa == isa ||
             (uint64_t)again * share(isa) >= l->old.n) &&
            n < room) {
            uint32_t k = n++;
            for (; k > 0 && score[k - 1] < again; k--) {
                score[k] = score[k - 1];
                out[k] = out[k - 1];
            }
            score[k] = again;
            out[k] = *l;
            raw_layout(&out[k], isa, options, &functions);
        }
        places_free(&functions);
    }
    return n;
}

static void plain(struct layout *l)
{
    l->code.isa = BL_DELTA_PLAIN;
    l->kind = IMAGE_RAW;
    l->found = "plain data";
    l->code.rams = 0;
    l->code.pic = false;
    l->old.regions = l->now.regions = 0;
}

uint32_t detect(const uint8_t *from, uint32_t from_size, const uint8_t *to,
                uint32_t to_size, const struct diff_options *options,
                struct layout out[DETECT_TRIES])
{
    struct layout l;
    uint32_t n = 0;
    memset(&l, 0, sizeof l);
    l.old.p = from;
    l.old.n = from_size;
    l.now.p = to;
    l.now.n = to_size;
    if (!options->has_base && options->isa != BL_DELTA_PLAIN) {
        out[0] = l;
        if (elf_detect(&out[0]) || esp_detect(&out[0])) {
            n = allowed(options, out[0].code.isa) ? 1 : 0;
        }
    }
    if (n == 0 && options->isa != BL_DELTA_PLAIN) {
        n = raw_tries(&l, options, out, DETECT_TRIES - 1);
    }
    out[n] = l;
    plain(&out[n]);
    return n + 1;
}
