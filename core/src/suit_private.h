/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What scan and run share: how single items of a manifest are read. Both read
 * through these functions, so that nothing runs that was not checked by the
 * same code.
 */
#ifndef BOWLINE_SUIT_PRIVATE_H
#define BOWLINE_SUIT_PRIVATE_H

#include "bowline/cbor.h"
#include "bowline/suit.h"

/* Commands, draft-ietf-suit-manifest section 12.5 and update-management. */
enum {
    SUIT_VENDOR = 1,
    SUIT_CLASS = 2,
    SUIT_IMAGE_MATCH = 3,
    SUIT_USE_BEFORE = 4,
    SUIT_COMPONENT_SLOT = 5,
    SUIT_CHECK_CONTENT = 6,
    SUIT_SET_INDEX = 12,
    SUIT_ABORT = 14,
    SUIT_TRY_EACH = 15,
    SUIT_WRITE = 18,
    SUIT_OVERRIDE = 20,
    SUIT_FETCH = 21,
    SUIT_COPY = 22,
    SUIT_INVOKE = 23,
    SUIT_DEVICE_ID = 24,
    SUIT_BATTERY = 26,
    SUIT_AUTHORIZED = 27,
    SUIT_VERSION = 28,
    SUIT_RUN_SEQUENCE = 32,
    SUIT_APPLY_DELTA = -257
};

/* Parameters; a condition's own has mostly the condition's number. */
enum {
    PARAM_VENDOR = 1,
    PARAM_CLASS = 2,
    PARAM_DIGEST = 3,
    PARAM_USE_BEFORE = 4,
    PARAM_SLOT = 5,
    PARAM_STRICT_ORDER = 12,
    PARAM_SOFT_FAILURE = 13,
    PARAM_SIZE = 14,
    PARAM_CONTENT = 18,
    PARAM_ENCRYPTION = 19,
    PARAM_URI = 21,
    PARAM_SOURCE = 22,
    PARAM_INVOKE_ARGS = 23,
    PARAM_DEVICE_ID = 24,
    PARAM_BATTERY = 26,
    PARAM_PRIORITY = 27,
    PARAM_VERSION = 28,
    PARAM_DELTA = -258
};

#define SUIT_BIT(label) (1u << (label))
#define SUIT_BIT_DELTA SUIT_BIT(31) /* for PARAM_DELTA, which has no other */

/* Both of them must be shown by the shared sequence. */
enum { CHECKED_VENDOR = 1, CHECKED_CLASS = 2, CHECKED_BOTH = 3 };

/* Sections in the order of procedures. */
enum {
    SECTION_FETCH,
    SECTION_INSTALL,
    SECTION_VALIDATE,
    SECTION_LOAD,
    SECTION_INVOKE,
    SECTIONS
};
const bl_span *bl_suit_section(const struct bl_suit_manifest *manifest,
                               uint32_t section);

/* Does `code` stand for a condition of the profile? Then `parameter` (0 for
 * abort) is what it consumes and `failure` says that it does not hold. */
bool bl_suit_condition(int32_t code, uint8_t *parameter, bl_status *failure);

/* The parameters, as bits, that a command needs which writes into the current
 * component; 0: `code` is none of them. */
uint32_t bl_suit_write_needs(int32_t code);

/* The next key of a map, in order after `last`. One that no 32 bits hold is
 * given as INT32_MIN, which nothing here is called. */
bl_status bl_suit_key(struct bl_cbor *r, bl_span *last,
                      int32_t *key) BL_MUST_CHECK;
/* One command, and its argument as a reader of that one item. */
bl_status bl_suit_command(struct bl_cbor *r, int32_t *code,
                          struct bl_cbor *argument) BL_MUST_CHECK;
/* Reads a byte string that holds a sequence: its commands. */
bl_status bl_suit_sequence(struct bl_cbor *r, struct bl_cbor *commands,
                           uint32_t *items) BL_MUST_CHECK;
/* The same for the content of such a byte string. */
bl_status bl_suit_commands(const bl_span *content, struct bl_cbor *commands,
                           uint32_t *items) BL_MUST_CHECK;
/* Argument of set-component-index, as a selection. */
bl_status bl_suit_select(struct bl_cbor *argument, uint32_t n_components,
                         uint16_t *selection) BL_MUST_CHECK;
/* Sets the parameters of an override in `p`, which is half changed on error.
 * `soft` becomes the value of soft-failure when that is set; NULL where it
 * may not be. */
bl_status bl_suit_override(struct bl_cbor *argument, uint32_t n_components,
                           struct bl_suit_parameters *p,
                           bool *soft) BL_MUST_CHECK;
/* [+int] of 32 bits each, and nothing after it. */
bl_status bl_suit_ints(struct bl_cbor *r) BL_MUST_CHECK;
/* A whole SUIT_Digest with SHA-256; `digest` points to its 32 bytes. */
bl_status bl_suit_digest(bl_span item, const uint8_t **digest) BL_MUST_CHECK;
/* Is `digest` that of `content` with its byte-string head in front? */
bl_verdict bl_suit_wrapped_match(bl_span content, const uint8_t digest[32]);

#endif
