/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A patch through the decoder as a device would bring it: in random portions,
 * its memory now and then moved elsewhere and taken up again there, every
 * access to either image checked. Patches for one slot are applied beside the
 * old image, block by block.
 */
#ifndef TESTS_DIFF_CARRY_H
#define TESTS_DIFF_CARRY_H

#include "bowline/delta.h"
#include "pairs.h"

enum { CARRY_RAM = 40 * 1024 };

struct carry {
    const uint8_t *old;
    uint32_t old_n;
    uint8_t *now; /* of `room` bytes */
    uint32_t now_n, room;
    uint32_t limit; /* what the patch's head says of the new image */
    uint32_t reads; /* bytes read of the old image */
    uint32_t block; /* in place: of the patch's head, else 0 */
    uint32_t puts;  /* in place: bytes written so far */
    const struct bl_delta *decoder;
    bool moves; /* memory is moved and taken up */
    struct dice dice;
    const char *broken; /* a promise of delta.h that was not kept */
};

/* BL_OK: the whole patch is applied. Sets now_n, reads, broken. */
bl_status carry_patch(struct carry *c, const uint8_t *patch, size_t n);

/* Applied and the same as `now`? */
bool carry_gives(struct carry *c, const uint8_t *patch, size_t n,
                 const uint8_t *now, size_t now_n);

#endif
