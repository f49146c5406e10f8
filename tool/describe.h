/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that a file holds, as JSON. Each function adds its fields to
 * `out`, and sets "verifies" (true, false, null) and "problem" (or null).
 */
#ifndef DESCRIBE_H
#define DESCRIBE_H

#include "bowline/cbor.h"
#include "bowline/suit.h"
#include "image.h"
#include "keys.h"

struct subject { /* a file, and what to check it with */
    struct call *call;
    const char *path;
    bl_span bytes;
    const struct trust *trust;
};

void describe_envelope(const struct subject *s, json_t *out);
void describe_root(const struct subject *s, json_t *out);
void describe_permit(const struct subject *s, json_t *out);
void describe_ticket(const struct subject *s, json_t *out);
/* A patch of bowline diff. Needs --base for most of it: EXIT_INPUT when that
 * cannot be read, else 0. */
bool describe_is_patch(bl_span bytes);
int describe_patch(const struct subject *s, json_t *out);
/* Its parts, for a person. */
void describe_patch_parts(struct call *c, const json_t *parts);
void describe_image(struct call *c, const struct image *image, json_t *out);

/* Of an ESP32: a partition table; an otadata partition; a dump of the whole
 * flash, whose table is at 0x8000. */
bool describe_is_table(bl_span bytes);
bool describe_is_otadata(bl_span bytes);
bool describe_is_flash(bl_span bytes);
void describe_table(const struct subject *s, json_t *out);
void describe_otadata(const struct subject *s, json_t *out);
void describe_flash(const struct subject *s, json_t *out);

/* version, issued, floor, ceiling, roles. */
void describe_root_content(struct call *c, const struct bl_root *root,
                           json_t *out);
/* One line for each command of a sequence, nested ones indented. */
void describe_commands(struct call *c, const char *name, bl_span sequence,
                       json_t *list);
/* A list of {component, for, patch, size}: what x-apply makes of which image,
 * with which payload. */
json_t *describe_deltas(struct call *c, const struct bl_suit_manifest *m);
/* "app" or "cfg/net" of an encoded component id. Kept. */
const char *describe_component(struct call *c, bl_span id);
/* "1.4.2" of an encoded array of numbers. Kept; NULL when it is none. */
const char *describe_version(struct call *c, bl_span numbers);
/* verifies, problem. */
void verdict_set(json_t *out, bl_status status, const char *where);
void verdict_unknown(json_t *out, const char *why);
const char *describe_status(struct call *c, bl_status status);

#endif
