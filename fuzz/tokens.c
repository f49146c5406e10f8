/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens.h"

#include <string.h>

#include "deflate_write.h"

struct tokens {
    struct draw *d;
    uint8_t *p;
    size_t n, room;
    uint32_t inflated;
};

static void say(struct tokens *t, uint32_t byte)
{
    if (t->n < t->room) {
        t->p[t->n++] = (uint8_t)byte;
    }
}

/* Lengths of a whole code for `used` of n symbols, none longer than `most`;
 * symbol `must` is among them. */
static void lengths(struct tokens *t, uint8_t *l, uint32_t n, uint32_t used,
                    uint32_t most, uint32_t must)
{
    uint8_t of[64] = {1, 1};
    uint32_t have = 2;

    while (have < used && have < sizeof of) {
        uint32_t k = draw(t->d, have);

        if (of[k] < most) {
            of[k]++;
            of[have] = of[k];
            have++;
        } else if (draw(t->d, 8) == 0) {
            break;
        }
    }
    memset(l, 0, n);
    l[must] = of[0];
    for (uint32_t k = 1; k < have; k++) {
        uint32_t at = draw(t->d, n);

        while (l[at] != 0) {
            at = (at + 1) % n;
        }
        l[at] = of[k];
    }
    if (draw(t->d, 16) == 0) { /* and one that does not fit */
        l[draw(t->d, n)] = (uint8_t)draw(t->d, most + 1);
    }
}

/* Lengths as the runs of form 2, with a code length code for them all. */
static void runs(struct tokens *t, const uint8_t *literal, uint32_t literals,
                 const uint8_t *distance, uint32_t distances)
{
    static const uint8_t all[19] = {4, 4, 4, 4, 4, 4, 4, 4, 4, 4,
                                    4, 4, 4, 5, 5, 5, 5, 5, 5};
    uint32_t total = literals + distances;

    say(t, literals - 257);
    say(t, distances - 1);
    say(t, 15);
    for (uint32_t k = 0; k < 19; k++) {
        say(t, all[k]);
    }
    for (uint32_t i = 0; i < total;) {
        uint32_t l = i < literals ? literal[i] : distance[i - literals];
        uint32_t n = 1;

        while (l == 0 && n < 138 && i + n < total &&
               (i + n < literals ? literal[i + n]
                                 : distance[i + n - literals]) == 0) {
            n++;
        }
        if (n >= 11) {
            say(t, 0x80 | (n - 11));
        } else if (n >= 3) {
            say(t, 0x20 | (n - 3));
        } else {
            n = 1;
            say(t, draw(t->d, 64) == 0 ? 0x10 | draw(t->d, 4) : l);
        }
        i += n;
    }
}

static void tables(struct tokens *t, uint32_t form, uint8_t *literal,
                   uint8_t *distance)
{
    uint8_t code[19];

    lengths(t, literal, 286, 2 + draw(t->d, 40), 15, 256);
    lengths(t, distance, 30, draw(t->d, 8), 15, 0);
    if (form == BL_DEFLATE_RUNS_SENT) {
        runs(t, literal, 257 + draw(t->d, 30), distance, 1 + draw(t->d, 30));
        return;
    }
    lengths(t, code, 19, 19, 7, 0);
    for (uint32_t k = 0; k < 19; k++) {
        say(t, code[k]);
    }
    for (uint32_t k = 0; k < 286; k++) {
        say(t, literal[k]);
    }
    for (uint32_t k = 0; k < 30; k++) {
        say(t, distance[k]);
    }
}

static void literal_of(struct tokens *t, const uint8_t *l)
{
    uint32_t b = draw(t->d, 256);

    for (uint32_t k = 0; l != NULL && l[b] == 0 && k < 256; k++) {
        b = (b + 1) % 256;
    }
    if (b >= BL_DEFLATE_PLAIN && b <= BL_DEFLATE_COPY) {
        say(t, BL_DEFLATE_PLAIN);
    }
    say(t, b);
    t->inflated++;
}

static void symbols(struct tokens *t, const uint8_t *l)
{
    for (uint32_t n = draw(t->d, 40); n > 0; n--) {
        if (draw(t->d, 4) == 0 && t->inflated > 0) {
            uint32_t back = draw(t->d, t->inflated + draw(t->d, 2));

            say(t, BL_DEFLATE_COPY);
            say(t, l == NULL ? draw(t->d, 256) : draw(t->d, 9));
            say(t, back >> 8);
            say(t, back);
            t->inflated += 3;
        } else {
            literal_of(t, l);
        }
    }
    say(t, BL_DEFLATE_END);
}

static void stored(struct tokens *t)
{
    uint32_t n = draw(t->d, 24);

    say(t, 0);
    say(t, n);
    say(t, 0);
    t->inflated += n;
    while (n-- > 0) {
        say(t, draw(t->d, 256));
    }
}

static void block(struct tokens *t, uint32_t final)
{
    uint32_t type = draw(t->d, 3);
    uint32_t form = type == BL_DEFLATE_DYNAMIC ? draw(t->d, 3) : 0;
    uint8_t literal[286];
    uint8_t distance[30];

    say(t, type | final | form << BL_DEFLATE_FORM);
    if (type == BL_DEFLATE_STORED) {
        stored(t);
    } else if (type == BL_DEFLATE_FIXED) {
        symbols(t, NULL);
    } else {
        tables(t, form, literal, distance);
        symbols(t, literal);
    }
}

size_t tokens_draw(struct draw *d, uint8_t *out, size_t room)
{
    struct tokens t = {d, out, 0, room, 0};

    for (uint32_t more = draw(d, 3); more > 0; more--) {
        block(&t, 0);
    }
    block(&t, BL_DEFLATE_FINAL);
    say(&t, 0);
    return t.n;
}

struct sink {
    uint8_t *p;
    size_t n, room;
};

static bl_status put(void *ctx, uint8_t byte)
{
    struct sink *s = ctx;

    if (s->n == s->room) {
        return BL_NO_SPACE;
    }
    s->p[s->n++] = byte;
    return BL_OK;
}

size_t tokens_stream(const uint8_t *tokens, size_t n, uint8_t *out,
                     size_t room)
{
    struct sink out_of = {out, 0, room};
    struct bl_deflate_sink sink = {&out_of, put};
    struct bl_deflate_writer w;

    bl_deflate_write_start(&w);
    for (size_t k = 0; k < n; k++) {
        if (bl_deflate_write(&w, &sink, tokens[k]) != BL_OK) {
            break;
        }
    }
    return out_of.n;
}
