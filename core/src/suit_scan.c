/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The manifest is read wholly, and every command of every sequence, also of
 * alternatives that will not run, is looked at before anything is done.
 */
#include "suit_private.h"

enum {
    KEY_VERSION = 1,
    KEY_SEQUENCE = 2,
    KEY_COMMON = 3,
    KEY_REFERENCE = 4,
    KEY_SET_VERSION = 6,
    KEY_VALIDATE = 7,
    KEY_LOAD = 8,
    KEY_INVOKE = 9,
    KEY_FETCH = 16,
    KEY_INSTALL = 20,
    KEY_TEXT = 23,
    COMMON_COMPONENTS = 2,
    COMMON_SHARED = 4,
    SHARED = SECTIONS /* as a section's number */
};

struct level {
    struct bl_cbor next;
    struct bl_cbor alternatives;
    uint32_t items; /* of the sequence, not yet seen */
    uint16_t selected;
};

struct scan {
    const struct bl_suit_platform *platform;
    const struct bl_suit_manifest *manifest;
    uint32_t section;
    uint32_t depth;
    uint8_t writable; /* mask of components, as the next */
    uint8_t fleeting;
    uint8_t checked;
    uint32_t set[BL_SUIT_COMPONENTS];   /* parameters that can have been set */
    uint8_t inputs[BL_SUIT_COMPONENTS]; /* masks: they may be built of these */
    struct level level[BL_SUIT_NESTING + 1];
};

/* --- The manifest ---------------------------------------------------------
 */

static bl_status read_component(struct bl_cbor *r,
                                struct bl_suit_manifest *out)
{
    struct bl_cbor start = *r;
    bl_span *id = &out->component[out->n_components];
    bl_span part;
    uint32_t parts;
    uint32_t i;

    if (bl_cbor_array(r, &parts) != BL_OK) {
        return BL_MANIFEST;
    }
    if (parts == 0 || parts > BL_SUIT_ID_PARTS) {
        return BL_COMPONENT;
    }
    for (; parts > 0; parts--) {
        if (bl_cbor_bstr(r, &part) != BL_OK) {
            return BL_MANIFEST;
        }
    }
    *id = bl_span_of(start.p, (size_t)(r->p - start.p));
    for (i = 0; i < out->n_components; i++) {
        if (bl_span_equal(*id, out->component[i])) {
            return BL_COMPONENT;
        }
    }
    out->n_components++;
    return BL_OK;
}

static bl_status read_components(struct bl_cbor *r,
                                 struct bl_suit_manifest *out)
{
    uint32_t n;
    bl_status status = BL_OK;

    if (bl_cbor_array(r, &n) != BL_OK) {
        return BL_MANIFEST;
    }
    if (n == 0 || n > BL_SUIT_COMPONENTS) {
        return BL_COMPONENT;
    }
    for (; status == BL_OK && n > 0; n--) {
        status = read_component(r, out);
    }
    return status;
}

static bl_status read_common(bl_span common, struct bl_suit_manifest *out)
{
    struct bl_cbor r;
    uint32_t pairs;
    int32_t key;
    bl_span last = {NULL, 0};
    bl_status status = BL_OK;

    bl_cbor_init(&r, common);
    if (bl_cbor_map(&r, &pairs) != BL_OK) {
        return BL_MANIFEST;
    }
    for (; status == BL_OK && pairs > 0; pairs--) {
        if (bl_suit_key(&r, &last, &key) != BL_OK) {
            return BL_MANIFEST;
        }
        if (key == COMMON_COMPONENTS) {
            status = read_components(&r, out);
        } else if (key == COMMON_SHARED) {
            status = bl_cbor_bstr(&r, &out->shared);
        } else {
            status = BL_MANIFEST;
        }
    }
    if (status == BL_OK) {
        status = bl_cbor_finish(&r);
    }
    if (status == BL_OK && out->n_components == 0) {
        status = BL_COMPONENT;
    }
    return status;
}

/* An element that may be severed: inline, or by its digest with the content
 * in the envelope. */
static bl_status read_severable(struct bl_cbor *r, bl_span carried,
                                bool required, bl_span *out)
{
    const uint8_t *digest;
    bl_span item;
    bl_status status;

    if (bl_cbor_peek(r) == BL_CBOR_BSTR) {
        return carried.p != NULL ? BL_SEVERED : bl_cbor_bstr(r, out);
    }
    if (bl_cbor_item(r, &item) != BL_OK) {
        return BL_MANIFEST;
    }
    status = bl_suit_digest(item, &digest);
    if (status != BL_OK) {
        return status;
    }
    if (carried.p == NULL) {
        return required ? BL_SEVERED : BL_OK;
    }
    *out = carried;
    return bl_suit_wrapped_match(carried, digest) == BL_GOOD
               ? BL_OK
               : BL_MANIFEST_DIGEST;
}

static bl_status read_set_version(struct bl_cbor *r, bl_span *out)
{
    struct bl_cbor in;

    if (bl_cbor_bstr(r, out) != BL_OK) {
        return BL_MANIFEST;
    }
    bl_cbor_init(&in, *out);
    return bl_suit_ints(&in);
}

static bl_status read_common_element(struct bl_cbor *r,
                                     struct bl_suit_manifest *out)
{
    bl_span common;

    if (bl_cbor_bstr(r, &common) != BL_OK) {
        return BL_MANIFEST;
    }
    return read_common(common, out);
}

static bl_status read_version_number(struct bl_cbor *r)
{
    uint64_t version;

    if (bl_cbor_uint(r, &version) != BL_OK || version != 1) {
        return BL_MANIFEST;
    }
    return BL_OK;
}

static bl_status read_element(struct bl_cbor *r, int32_t key,
                              const struct bl_suit_envelope *envelope,
                              struct bl_suit_manifest *out)
{
    switch (key) {
    case KEY_VERSION:
        return read_version_number(r);
    case KEY_SEQUENCE:
        return bl_cbor_uint(r, &out->sequence);
    case KEY_COMMON:
        return read_common_element(r, out);
    case KEY_REFERENCE:
        return bl_cbor_tstr(r, &out->reference_uri);
    case KEY_SET_VERSION:
        return read_set_version(r, &out->set_version);
    case KEY_VALIDATE:
        return bl_cbor_bstr(r, &out->validate);
    case KEY_LOAD:
        return bl_cbor_bstr(r, &out->load);
    case KEY_INVOKE:
        return bl_cbor_bstr(r, &out->invoke);
    case KEY_FETCH:
        return read_severable(r, envelope->fetch, true, &out->fetch);
    case KEY_INSTALL:
        return read_severable(r, envelope->install, true, &out->install);
    case KEY_TEXT:
        return read_severable(r, envelope->text, false, &out->text);
    default:
        return BL_MANIFEST;
    }
}

static bl_status read_manifest(const struct bl_suit_envelope *envelope,
                               struct bl_suit_manifest *out)
{
    static const uint32_t required =
        1u << KEY_VERSION | 1u << KEY_SEQUENCE | 1u << KEY_COMMON;
    struct bl_cbor r;
    uint32_t pairs;
    uint32_t seen = 0;
    int32_t key;
    bl_span last = {NULL, 0};
    bl_status status = BL_OK;

    bl_cbor_init(&r, envelope->manifest);
    if (bl_cbor_map(&r, &pairs) != BL_OK) {
        return BL_MANIFEST;
    }
    for (; status == BL_OK && pairs > 0; pairs--) {
        if (bl_suit_key(&r, &last, &key) != BL_OK) {
            return BL_MANIFEST;
        }
        status = read_element(&r, key, envelope, out);
        seen |= 1u << ((uint32_t)key & 31);
    }
    if (status != BL_OK || bl_cbor_finish(&r) != BL_OK) {
        return status != BL_OK ? status : BL_MANIFEST;
    }
    if ((seen & required) != required) {
        return BL_MANIFEST;
    }
    /* What the manifest does not refer to was put there by somebody else. */
    if ((envelope->fetch.p != NULL && (seen & 1u << KEY_FETCH) == 0) ||
        (envelope->install.p != NULL && (seen & 1u << KEY_INSTALL) == 0) ||
        (envelope->text.p != NULL && (seen & 1u << KEY_TEXT) == 0)) {
        return BL_SEVERED;
    }
    return BL_OK;
}

/* --- Command sequences ----------------------------------------------------
 */

static bl_status begun(const struct level *level, bl_status status)
{
    return status == BL_OK && level->items == 0 ? BL_MANIFEST : status;
}

/* A sequence at the reader, within the present one or its alternatives. */
static bl_status enter(struct scan *s, struct bl_cbor *r)
{
    struct level *level = &s->level[s->depth];

    level->selected = level[-1].selected;
    return begun(level, bl_suit_sequence(r, &level->next, &level->items));
}

static bl_status push(struct scan *s, struct level **top)
{
    if (s->depth == BL_SUIT_NESTING) {
        return BL_TOO_LARGE;
    }
    s->depth++;
    *top = &s->level[s->depth];
    (*top)->alternatives.p = (*top)->alternatives.end = NULL;
    return BL_OK;
}

/* The next alternative of a try-each, or back to the enclosing sequence. */
static bl_status leave(struct scan *s, bool *done)
{
    struct level *level = &s->level[s->depth];

    if (level->items != 0) {
        return BL_MANIFEST;
    }
    if (bl_cbor_peek(&level->alternatives) == BL_CBOR_BSTR) {
        return enter(s, &level->alternatives);
    }
    *done = s->depth == 0;
    if (s->depth > 0) {
        s->depth--;
    }
    return BL_OK;
}

/* [2* bstr, ?nil] */
static bl_status scan_try_each(struct scan *s, struct bl_cbor *r)
{
    struct level *level;
    uint32_t items;
    uint32_t n = 0;
    bl_span ignored;
    bl_status status;

    if (bl_cbor_array(r, &items) != BL_OK) {
        return BL_MANIFEST;
    }
    status = push(s, &level);
    if (status != BL_OK) {
        return status;
    }
    level->alternatives = *r;
    while (bl_cbor_bstr(r, &ignored) == BL_OK) {
        n++;
    }
    if (n < 2 || (n < items && bl_cbor_nil(r) != BL_OK) ||
        bl_cbor_finish(r) != BL_OK) {
        return BL_MANIFEST;
    }
    level->next = *r; /* at its end, so that leave() takes the first */
    level->items = 0;
    return n > BL_SUIT_ALTERNATIVES ? BL_TOO_LARGE : BL_OK;
}

static bl_status scan_run_sequence(struct scan *s, struct bl_cbor *r)
{
    struct level *level;
    bl_status status = push(s, &level);

    return status != BL_OK ? status : enter(s, r);
}

/* What is installed was built by an image that had a decoder. */
static bool may_apply(const struct scan *s)
{
    const struct bl_suit_platform *platform = s->platform;

    return platform == NULL || platform->apply != NULL || platform->installed;
}

static bl_status scan_override(struct scan *s, struct bl_cbor *argument)
{
    struct bl_suit_parameters p;
    bool soft;
    uint16_t todo;
    uint32_t i;
    bl_status status;

    p.set = 0;
    status = bl_suit_override(argument, s->manifest->n_components, &p,
                              s->depth > 0 ? &soft : NULL);
    if ((p.set & SUIT_BIT_DELTA) != 0) {
        /* A private one has no place in shared at all. */
        status = s->section == SHARED ? BL_PARAMETER
                 : !may_apply(s)      ? BL_DELTA
                                      : status;
    }
    if (status != BL_OK) {
        return status;
    }
    for (todo = s->level[s->depth].selected; todo != 0; todo >>= 4) {
        i = (todo & 15u) - 1;
        s->set[i] |= p.set;
        if ((p.set & SUIT_BIT(PARAM_SOURCE)) != 0) {
            s->inputs[i] = (uint8_t)(s->inputs[i] | 1u << p.source);
        }
        if ((p.set & SUIT_BIT_DELTA) != 0) {
            s->inputs[i] = (uint8_t)(s->inputs[i] | 1u << p.base);
        }
    }
    return BL_OK;
}

/* May the selected components be written, and is it said with what? */
static bl_status scan_write(const struct scan *s, uint32_t needs)
{
    uint16_t todo;
    uint32_t i;

    for (todo = s->level[s->depth].selected; todo != 0; todo >>= 4) {
        i = (todo & 15u) - 1;
        if ((s->writable >> i & 1) == 0) {
            return BL_COMPONENT_FORBIDDEN;
        }
        if ((s->set[i] & needs) != needs) {
            return BL_MANIFEST;
        }
    }
    return BL_OK;
}

/* Is what the selected components are built from another component each, and
 * is it said what that has to be? */
static bl_status scan_inputs(const struct scan *s)
{
    const uint32_t needs = SUIT_BIT(PARAM_DIGEST) | SUIT_BIT(PARAM_SIZE);
    uint16_t todo;
    uint32_t i;
    uint32_t k;

    for (todo = s->level[s->depth].selected; todo != 0; todo >>= 4) {
        i = (todo & 15u) - 1;
        if ((s->inputs[i] >> i & 1) != 0) {
            return BL_MANIFEST;
        }
        for (k = 0; k < s->manifest->n_components; k++) {
            if ((s->inputs[i] >> k & 1) != 0 && (s->set[k] & needs) != needs) {
                return BL_MANIFEST;
            }
        }
    }
    return BL_OK;
}

/* The boot code runs shared, validate, load and invoke at each start: what
 * they look at has to stay as it was when the slot was installed. */
static bl_status scan_lasting(const struct scan *s, int32_t code)
{
    bool starting = s->section >= SECTION_VALIDATE;
    uint16_t todo;

    if (s->section == SHARED) {
        starting = code == SUIT_IMAGE_MATCH || code == SUIT_CHECK_CONTENT;
    }
    for (todo = s->level[s->depth].selected; starting && todo != 0;
         todo >>= 4) {
        if ((s->fleeting >> ((todo & 15u) - 1) & 1) != 0) {
            return BL_COMPONENT_FORBIDDEN;
        }
    }
    return BL_OK;
}

static bl_status scan_policy(struct bl_cbor *argument)
{
    uint64_t policy;

    if (bl_cbor_uint(argument, &policy) != BL_OK || policy > 15) {
        return BL_MANIFEST;
    }
    return BL_OK;
}

static bl_status scan_directive(struct scan *s, int32_t code)
{
    uint32_t needs = bl_suit_write_needs(code);
    bl_status status;

    if (s->section == SHARED) {
        return BL_COMMAND;
    }
    if (code == SUIT_APPLY_DELTA) {
        status = !may_apply(s)                  ? BL_DELTA
                 : s->section > SECTION_INSTALL ? BL_COMMAND
                                                : scan_inputs(s);
        return status != BL_OK ? status : scan_write(s, needs);
    }
    if (needs == 0) {
        return code == SUIT_INVOKE && s->section == SECTION_INVOKE
                   ? BL_OK
                   : BL_COMMAND;
    }
    if (code == SUIT_COPY && s->platform != NULL &&
        s->platform->copy == NULL) {
        return BL_COMMAND;
    }
    return scan_write(s, needs);
}

static void note_check(struct scan *s, int32_t code)
{
    if (s->section == SHARED && s->depth == 0 && code <= SUIT_CLASS) {
        s->checked = (uint8_t)(s->checked | code); /* labels 1 and 2 */
    }
}

static bl_status scan_command(struct scan *s)
{
    struct level *level = &s->level[s->depth];
    uint8_t parameter;
    bl_status failure;
    struct bl_cbor argument;
    int32_t code;
    bl_status status;

    if (level->items < 2) {
        return BL_MANIFEST; /* a command without its argument */
    }
    level->items -= 2;
    status = bl_suit_command(&level->next, &code, &argument);
    if (status != BL_OK) {
        return status;
    }
    if (code == SUIT_SET_INDEX) {
        return bl_suit_select(&argument, s->manifest->n_components,
                              &level->selected);
    }
    if (level->selected == 0) {
        return BL_MANIFEST; /* several components, none selected */
    }
    switch (code) {
    case SUIT_TRY_EACH:
        return scan_try_each(s, &argument);
    case SUIT_RUN_SEQUENCE:
        return scan_run_sequence(s, &argument);
    case SUIT_OVERRIDE:
        return scan_override(s, &argument);
    default:
        break;
    }
    if (bl_suit_condition(code, &parameter, &failure)) {
        note_check(s, code);
    } else {
        status = scan_directive(s, code);
    }
    if (status == BL_OK) {
        status = scan_lasting(s, code);
    }
    return status != BL_OK ? status : scan_policy(&argument);
}

static bl_status scan_sequence(struct scan *s, uint32_t section,
                               const bl_span *sequence)
{
    struct level *level = &s->level[0];
    bool done = false;
    bl_status status;

    s->section = section;
    s->depth = 0;
    level->alternatives.p = level->alternatives.end = NULL;
    level->selected = s->manifest->n_components == 1;
    status =
        begun(level, bl_suit_commands(sequence, &level->next, &level->items));
    while (status == BL_OK && !done) {
        level = &s->level[s->depth];
        status = bl_cbor_peek(&level->next) == BL_CBOR_END ? leave(s, &done)
                                                           : scan_command(s);
    }
    return status;
}

static bl_status scan_components(struct scan *s)
{
    const struct bl_suit_platform *platform = s->platform;
    struct bl_suit_component component;
    uint32_t i;
    bl_status status;

    s->writable = platform == NULL ? 0xFF : 0;
    for (i = 0; platform != NULL && i < s->manifest->n_components; i++) {
        memset(&component, 0, sizeof component);
        status = platform->component(platform->ctx, s->manifest->component[i],
                                     &component);
        if (status != BL_OK) {
            return status;
        }
        if (component.writable) {
            s->writable = (uint8_t)(s->writable | 1u << i);
        }
        if (component.fleeting) {
            s->fleeting = (uint8_t)(s->fleeting | 1u << i);
        }
    }
    return BL_OK;
}

static bl_status scan_sections(struct scan *s)
{
    uint32_t i;
    const bl_span *sequence;
    bl_status status;

    if (s->manifest->shared.p == NULL) {
        return BL_NO_COMPATIBILITY_CHECK;
    }
    status = scan_sequence(s, SHARED, &s->manifest->shared);
    if (status == BL_OK && s->checked != CHECKED_BOTH) {
        status = BL_NO_COMPATIBILITY_CHECK;
    }
    for (i = 0; status == BL_OK && i < SECTIONS; i++) {
        sequence = bl_suit_section(s->manifest, i);
        if (sequence->p != NULL) {
            status = scan_sequence(s, i, sequence);
        }
    }
    return status;
}

bl_status bl_suit_scan(const struct bl_suit_envelope *envelope,
                       const struct bl_suit_platform *platform,
                       struct bl_suit_manifest *out)
{
    struct scan s;
    bl_status status;

    memset(out, 0, sizeof *out);
    memset(&s, 0, sizeof s);
    s.platform = platform;
    s.manifest = out;
    status = read_manifest(envelope, out);
    if (status == BL_CBOR) {
        status = BL_MANIFEST;
    }
    if (status == BL_OK) {
        status = scan_components(&s);
    }
    if (status == BL_OK) {
        status = scan_sections(&s);
    }
    if (status != BL_OK) {
        memset(out, 0, sizeof *out);
    }
    return status;
}
