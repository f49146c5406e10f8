/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHOR_MANIFEST_DELTA_H
#define AUTHOR_MANIFEST_DELTA_H

#include "manifest.h"

/* Behind the image's own: the running image, and the stage. */
enum { DELTA_COMPONENTS = 2 };

void put_delta_components(struct bl_cbor_writer *w,
                          const struct author_manifest *manifest);
/* The install section of a release with patches. */
int put_delta_install(struct bl_cbor_writer *w,
                      const struct author_manifest *manifest,
                      struct error *err);
/* Patches are right; as manifest_check. */
int delta_check(const struct author_manifest *manifest, struct error *err);

#endif
