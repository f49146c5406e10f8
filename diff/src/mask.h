/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Masked images, for finding what is the same code: the bits of a reference
 * are replaced by the same for all (first pass), or by a label of what it
 * refers to in the new image, as far as that is known (later passes).
 */
#ifndef DIFF_MASK_H
#define DIFF_MASK_H

#include "plan.h"

/* Where labels come from; NULL: none. `maps` NULL: targets are those of the
 * new image already. */
struct labels {
    const struct maps *maps;
    const struct bl_view *old, *now;
};

/* `out` has v->size bytes. */
void mask_image(struct bl_view *v, const struct labels *labels, uint8_t *out);

#endif
