/* SPDX-License-Identifier: Apache-2.0 */
#include "patches.h"

#include "device.h"

#include "bowline/sha256.h"
#include "diff/diff.h"

#include <stdlib.h>

void sim_patch_offer(const struct sim_fixture *f, enum sim_release_name from,
                     enum sim_release_name to, bl_span bytes,
                     struct sim_patch *out)
{
    out->bytes = bytes;
    memcpy(out->base, f->release[from].app_sha256, 32);
    memcpy(out->payload, f->release[to].app_sha256, 32);
    bl_sha256(bytes.p, bytes.n, out->sha256);
}

static int keep(const struct sim_fixture *f, enum sim_release_name from,
                enum sim_release_name to, const struct buffer *patch,
                struct sim_patch *out, struct error *err)
{
    uint8_t *bytes = malloc(patch->n);

    if (bytes == NULL) {
        return error_set(err, "out of memory");
    }
    memcpy(bytes, patch->p, patch->n);
    sim_patch_offer(f, from, to, bl_span_of(bytes, patch->n), out);
    return 0;
}

static int make(const struct sim_fixture *f, enum sim_release_name from,
                enum sim_release_name to, struct buffer *patch,
                struct sim_patch *out, struct error *err)
{
    struct diff_options options;

    diff_defaults(&options);
    options.ram = SIM_DELTA_MEMORY;
    if (diff_make(f->release[from].app, SIM_APP_SIZE, f->release[to].app,
                  SIM_APP_SIZE, &options, patch, NULL, err) != 0) {
        return -1;
    }
    return keep(f, from, to, patch, out, err);
}

int sim_patches_open(const struct sim_fixture *f,
                     struct sim_patch out[SIM_PATCHES], struct error *err)
{
    struct buffer patch = BUFFER(1 << 20);
    int r;

    memset(out, 0, SIM_PATCHES * sizeof(*out));
    r = make(f, SIM_R2, SIM_R3, &patch, &out[SIM_RUNS_PATCH], err);
    if (r == 0) {
        r = make(f, SIM_R_FULL, SIM_R_NEAR, &patch, &out[SIM_NEAR_PATCH], err);
    }
    if (r == 0) {
        patch.p[patch.n * 3 / 4] ^= 0x10; /* all behind it is another's */
        r = keep(f, SIM_R_FULL, SIM_R_NEAR, &patch, &out[SIM_WRONG_PATCH],
                 err);
    }
    buffer_free(&patch);
    return r;
}

int sim_patch_release(struct sim_fixture *f, struct error *err)
{
    struct buffer bytes = BUFFER(1 << 20);
    struct sim_patch patch = {0};
    int r = make(f, SIM_R2, SIM_R_PATCHED, &bytes, &patch, err);

    if (r == 0) {
        r = sim_fixture_patch(f, patch.bytes, err);
    }
    free((void *)(uintptr_t)patch.bytes.p);
    buffer_free(&bytes);
    return r;
}

void sim_patches_close(struct sim_patch patches[SIM_PATCHES])
{
    for (unsigned i = 0; i < SIM_PATCHES; i++) {
        free((void *)(uintptr_t)patches[i].bytes.p);
        patches[i].bytes = bl_span_of(NULL, 0);
    }
}
