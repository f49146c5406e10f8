/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An ESP-IDF project's sdkconfig, or a part of one (sdkconfig.defaults). The
 * texts point into the file's bytes.
 */
#ifndef SDKCONFIG_H
#define SDKCONFIG_H

#include "bowline/span.h"
#include "tool.h"

struct sdkconfig_entry {
    bl_span name;  /* without CONFIG_ */
    bl_span value; /* without quotes; "n" for "is not set" */
    unsigned line;
};

struct sdkconfig {
    const char *path;
    struct sdkconfig_entry *entry;
    size_t n;
    bool complete; /* written by the build: what is not there is off */
    bl_span idf;   /* version of ESP-IDF; empty when not said */
};

/* EXIT_INPUT with the line that is no line of an sdkconfig. */
int sdkconfig_read(struct call *c, const char *path, bl_span text,
                   struct sdkconfig *out);
void sdkconfig_free(struct sdkconfig *config);

/* The last line that names it; NULL: none. */
const struct sdkconfig_entry *sdkconfig_find(const struct sdkconfig *config,
                                             const char *name);
bool sdkconfig_is(const struct sdkconfig *config, const char *name,
                  const char *value);
/* A text, kept; "" when it is not there. */
const char *sdkconfig_text(struct call *c, const struct sdkconfig *config,
                           const char *name);
/* A number, decimal or 0x; `otherwise` when it is none. */
uint64_t sdkconfig_number(struct call *c, const struct sdkconfig *config,
                          const char *name, uint64_t otherwise);

#endif
