/* SPDX-License-Identifier: Apache-2.0 */
/* From a layout to a patch: what diff_make does for each of its tries. */
#ifndef DIFF_MAKE_H
#define DIFF_MAKE_H

#include "align.h"
#include "image.h"
#include "map.h"
#include "progress.h"
#include "streams.h"

/* What is known of a pair under one layout. Freed by analysis_free, also when
 * making it failed; begins zeroed. */
struct analysis {
    struct operations operations;
    struct votes image, ram;
    struct moves copies; /* the map that the copies tell */
};

/* By what is the same but for references. `streams` are coded otherwise, here
 * and below. */
int analyse(const struct layout *l, const struct streams *streams,
            struct analysis *out, const struct stop *stop,
            struct error *error);

/* Are there references at all? Without, there is nothing to label. */
bool analysis_refers(const struct analysis *a);

/* By what references lead to, as an analysis before has found it. Neither way
 * is always the better one. */
enum labelling { LABELS_BY_COPIES, LABELS_BY_VOTES };

struct recipe {
    enum labelling labelling;
    enum aligning aligning;
};

int analyse_labelled(const struct layout *l, const struct streams *streams,
                     const struct analysis *first, const struct recipe *recipe,
                     struct analysis *out, const struct stop *stop,
                     struct error *error);
void analysis_free(struct analysis *a);

/* The smallest patch so far. */
struct winner {
    uint8_t *patch; /* room for `room` bytes */
    uint8_t *spare;
    size_t n, room;
    uint32_t ram; /* of the decoder, at most */
    struct bl_costs costs;
    struct layout layout;
    struct maps maps;
    uint32_t copies, copied, literal, members;
};

void winner_free(struct winner *w);

/* Tries settings and maps for an analysis, within `ram` bytes of the decoder;
 * a smaller patch becomes the winner. */
int encode_tries(const struct layout *l, const struct analysis *a,
                 const struct streams *streams,
                 const struct diff_options *options, struct winner *w,
                 struct error *error);

/* The bits_* of a report. */
void report_bits(const struct bl_costs *costs, struct diff_report *report);

#endif
