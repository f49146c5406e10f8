/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interpreter. Its stack is `frame`: a command that fails its condition
 * unwinds it to the nearest sequence that takes failures softly. A directive
 * or a platform function that fails ends the procedure, wherever it stands.
 */
#include "bowline/sha256.h"
#include "suit_private.h"

static struct bl_suit_frame *top(struct bl_suit_run *run)
{
    return &run->frame[run->depth];
}

/* --- Sequences ------------------------------------------------------------
 */

static bl_status begin(struct bl_suit_run *run, bl_span sequence)
{
    struct bl_suit_frame *frame = &run->frame[0];
    uint32_t items;

    run->depth = 0;
    memset(frame, 0, sizeof *frame);
    frame->selected = run->manifest->n_components == 1;
    return bl_suit_sequence(sequence, &frame->next, &items);
}

/* The shared sequence runs before each section. */
static bl_status next_section(struct bl_suit_run *run, bool *done)
{
    const struct bl_suit_manifest *m = run->manifest;

    if (run->in_shared) {
        if (run->checked != CHECKED_BOTH) {
            return BL_NO_COMPATIBILITY_CHECK;
        }
        run->in_shared = false;
        return begin(run, bl_suit_section(m, run->section++));
    }
    while (run->section < run->end &&
           bl_suit_section(m, run->section).n == 0) {
        run->section++;
    }
    if (run->section >= run->end) {
        /* Also a procedure without any section must have shown them. */
        *done = run->checked == CHECKED_BOTH;
        return *done ? BL_OK : BL_NO_COMPATIBILITY_CHECK;
    }
    run->in_shared = true;
    run->checked = 0;
    return begin(run, m->shared);
}

/* Takes the next alternative. False: there is none. */
static bool next_alternative(struct bl_suit_frame *frame, bl_status *status)
{
    bl_span sequence;
    uint32_t items;

    if (bl_cbor_nil(&frame->alternatives) == BL_OK) {
        bl_cbor_init(&frame->next, bl_span_of(NULL, 0));
        return true;
    }
    if (bl_cbor_bstr(&frame->alternatives, &sequence) != BL_OK) {
        return false;
    }
    frame->soft = true;
    frame->selected = frame->component;
    *status = bl_suit_sequence(sequence, &frame->next, &items);
    return true;
}

/* Enters a try-each or run-sequence for its next component, or leaves it when
 * it has run for all. */
static bl_status enter(struct bl_suit_run *run)
{
    struct bl_suit_frame *frame = top(run);
    bl_span sequence;
    uint32_t items;
    bl_status status = BL_MANIFEST;

    if (frame->pending == 0) {
        run->depth--;
        return BL_OK;
    }
    frame->component = frame->pending & 15u;
    frame->pending = (uint16_t)(frame->pending >> 4);
    frame->selected = frame->component;
    frame->soft = false;
    if (frame->try_each) {
        bl_cbor_init(&frame->alternatives, frame->argument);
        if (bl_cbor_array(&frame->alternatives, &items) == BL_OK) {
            (void)next_alternative(frame, &status);
        }
        return status;
    }
    status = bl_suit_unwrap(frame->argument, &sequence);
    return status != BL_OK ? status
                           : bl_suit_sequence(sequence, &frame->next, &items);
}

static bl_status nest(struct bl_suit_run *run, int32_t code, bl_span argument)
{
    struct bl_suit_frame *frame;
    uint16_t selected = top(run)->selected;

    if (run->depth == BL_SUIT_NESTING) {
        return BL_TOO_LARGE;
    }
    if (selected == 0) {
        return BL_MANIFEST;
    }
    run->depth++;
    frame = top(run);
    memset(frame, 0, sizeof *frame);
    frame->argument = argument;
    frame->try_each = code == SUIT_TRY_EACH;
    frame->pending = selected;
    return enter(run);
}

/* A condition does not hold: unwind. BL_OK when some sequence took it. */
static bl_status unwind(struct bl_suit_run *run, bl_status failure)
{
    struct bl_suit_frame *frame;
    bl_status status = BL_OK;

    run->todo = 0;
    for (; run->depth > 0; run->depth--) {
        frame = top(run);
        if (!frame->soft) {
            continue;
        }
        if (!frame->try_each) {
            return enter(run);
        }
        if (next_alternative(frame, &status)) {
            return status;
        }
    }
    return failure;
}

/* --- Conditions -----------------------------------------------------------
 */

static bl_verdict verdict(bool holds)
{
    return holds ? BL_GOOD : BL_BAD;
}

static bl_verdict class_match(const struct bl_suit_platform *platform,
                              const uint8_t *id)
{
    uint32_t i;

    for (i = 0; i < platform->n_class_ids; i++) {
        if (bl_equal(platform->class_id + 16u * i, id, 16) == BL_GOOD) {
            return BL_GOOD;
        }
    }
    return BL_BAD;
}

/* Compares element by element until the manifest's are used up. */
static bl_verdict version_match(const struct bl_suit_platform *platform,
                                bl_span match)
{
    static const uint8_t accepts[] = {0, 4, 6, 2, 3, 1}; /* >, =, < */
    struct bl_cbor r;
    uint32_t items;
    uint64_t comparison;
    int64_t wanted;
    int64_t own;
    uint32_t i;
    unsigned order = 2;

    bl_cbor_init(&r, match);
    if (bl_cbor_array(&r, &items) != BL_OK ||
        bl_cbor_uint(&r, &comparison) != BL_OK ||
        bl_cbor_array(&r, &items) != BL_OK || comparison >= sizeof accepts) {
        return BL_BAD;
    }
    for (i = 0; order == 2 && i < items; i++) {
        if (bl_cbor_int(&r, &wanted) != BL_OK) {
            return BL_BAD;
        }
        own = i < platform->n_version ? platform->version[i] : 0;
        order = own > wanted ? 4 : own < wanted ? 1 : 2;
    }
    return verdict((accepts[comparison] & order) != 0);
}

static bl_status slot_match(const struct bl_suit_run *run, uint32_t i,
                            bl_verdict *out)
{
    const struct bl_suit_platform *platform = run->platform;
    struct bl_suit_component component;
    bl_status status = platform->component(
        platform->ctx, run->manifest->component[i], &component);

    if (status == BL_OK) {
        *out = verdict(component.slot == run->parameter[i].slot);
    }
    return status;
}

static bl_status image_match(const struct bl_suit_run *run, uint32_t i,
                             bl_verdict *out)
{
    const struct bl_suit_platform *platform = run->platform;
    const struct bl_suit_parameters *p = &run->parameter[i];

    return platform->image_match(platform->ctx, run->manifest->component[i],
                                 p->digest, p->size, out);
}

/* What was settled when the update was made, and may be otherwise by now. */
static bool of_the_update(int32_t code)
{
    return code == SUIT_USE_BEFORE || code == SUIT_BATTERY ||
           code == SUIT_AUTHORIZED || code == SUIT_VERSION;
}

/* Without a device: what a device with an empty target slot would say. A
 * precursor is taken for present, unless there is another way to go. */
static bl_verdict assumed(const struct bl_suit_run *run, int32_t code,
                          uint32_t i)
{
    if (code == SUIT_IMAGE_MATCH) {
        return verdict((run->written >> i & 1) != 0 ||
                       !run->frame[run->depth].soft);
    }
    return verdict(code != SUIT_ABORT);
}

static bl_status judge(const struct bl_suit_run *run, int32_t code, uint32_t i,
                       bl_verdict *out)
{
    const struct bl_suit_platform *platform = run->platform;
    const struct bl_suit_parameters *p = &run->parameter[i];
    bl_span id = run->manifest->component[i];

    if (code == SUIT_COMPONENT_SLOT) {
        return slot_match(run, i, out);
    }
    if (run->assume) {
        *out = assumed(run, code, i);
        return BL_OK;
    }
    if (platform->installed && of_the_update(code)) {
        *out = BL_GOOD;
        return BL_OK;
    }
    *out = BL_BAD;
    switch (code) {
    case SUIT_VENDOR:
        *out = bl_equal(platform->vendor_id, p->vendor_id, 16);
        break;
    case SUIT_CLASS:
        *out = class_match(platform, p->class_id);
        break;
    case SUIT_IMAGE_MATCH:
        return image_match(run, i, out);
    case SUIT_USE_BEFORE: /* without a clock nobody can say */
        *out = verdict(platform->now != 0 && platform->now < p->use_before);
        break;
    case SUIT_CHECK_CONTENT:
        if (platform->content_match != NULL) {
            return platform->content_match(platform->ctx, id, p->content, out);
        }
        break;
    case SUIT_DEVICE_ID:
        if (platform->device_id != NULL) {
            *out = bl_equal(platform->device_id, p->device_id, 16);
        }
        break;
    case SUIT_BATTERY:
        *out = verdict(platform->battery == NULL ||
                       platform->battery(platform->ctx) >= p->battery);
        break;
    case SUIT_AUTHORIZED:
        *out = verdict(platform->authorized == NULL ||
                       platform->authorized(platform->ctx, p->priority));
        break;
    case SUIT_VERSION:
        *out = version_match(platform, p->version);
        break;
    default: /* abort */
        break;
    }
    return BL_OK;
}

static bl_status condition(struct bl_suit_run *run, int32_t code, uint32_t i,
                           uint32_t need, bl_status failure)
{
    bl_verdict holds = BL_BAD;
    bl_status status;

    if (code == SUIT_IMAGE_MATCH) {
        need |= SUIT_BIT(PARAM_SIZE);
    }
    if ((run->parameter[i].set & need) != need) {
        return unwind(run, BL_CONDITION);
    }
    status = judge(run, code, i, &holds);
    if (status != BL_OK) {
        return status;
    }
    if (holds != BL_GOOD) {
        return unwind(run, failure);
    }
    if (run->in_shared && (code == SUIT_VENDOR || code == SUIT_CLASS)) {
        run->checked = (uint8_t)(run->checked | code); /* labels 1 and 2 */
    }
    return BL_OK;
}

/* --- Directives -----------------------------------------------------------
 */

static bl_status do_fetch(struct bl_suit_run *run, uint32_t i,
                          bl_suit_event *event, bool *stop)
{
    const struct bl_suit_envelope *envelope = run->envelope;
    const struct bl_suit_parameters *p = &run->parameter[i];
    struct bl_suit_fetch *fetch = &run->fetch;
    uint32_t k;

    fetch->component = run->manifest->component[i];
    fetch->uri = p->uri;
    fetch->size = p->size;
    fetch->digest = p->digest;
    fetch->integrated = bl_span_of(NULL, 0);
    for (k = 0; k < envelope->n_integrated; k++) {
        if (bl_span_equal(envelope->integrated[k].key, p->uri)) {
            fetch->integrated = envelope->integrated[k].content;
        }
    }
    if (fetch->integrated.p == NULL && p->uri.p[0] == '#') {
        return BL_SEVERED; /* a part of an envelope that lacks it */
    }
    *event = BL_SUIT_FETCH;
    *stop = true;
    return BL_OK;
}

static bl_status do_write(const struct bl_suit_run *run, uint32_t i)
{
    const struct bl_suit_platform *platform = run->platform;
    const struct bl_suit_parameters *p = &run->parameter[i];
    uint8_t digest[BL_SHA256_SIZE];

    if (p->content.n != p->size) {
        return p->content.n > p->size ? BL_PAYLOAD_LONG : BL_PAYLOAD_SHORT;
    }
    bl_sha256(p->content.p, p->content.n, digest);
    if (bl_equal(digest, p->digest, sizeof digest) != BL_GOOD) {
        return BL_PAYLOAD_DIGEST;
    }
    if (run->assume) {
        return BL_OK;
    }
    return platform->write == NULL
               ? BL_COMPONENT_FORBIDDEN
               : platform->write(platform->ctx, run->manifest->component[i],
                                 p->content);
}

static bl_status do_copy(const struct bl_suit_run *run, uint32_t i)
{
    const struct bl_suit_platform *platform = run->platform;
    const struct bl_suit_manifest *m = run->manifest;
    const struct bl_suit_parameters *p = &run->parameter[i];
    bl_verdict same = BL_BAD;
    bl_status status;

    if (p->source == i) {
        return BL_MANIFEST;
    }
    if (run->assume) {
        return BL_OK;
    }
    if (platform->copy == NULL) {
        return BL_COMMAND;
    }
    status = platform->copy(platform->ctx, m->component[i],
                            m->component[p->source], p->size);
    if (status == BL_OK) {
        status = image_match(run, i, &same);
    }
    if (status == BL_OK && same != BL_GOOD) {
        status = BL_PAYLOAD_DIGEST;
    }
    return status;
}

/* What every write needs, and who may be written. */
static bl_status do_store(struct bl_suit_run *run, int32_t code, uint32_t i,
                          bl_suit_event *event, bool *stop)
{
    const struct bl_suit_platform *platform = run->platform;
    const struct bl_suit_parameters *p = &run->parameter[i];
    struct bl_suit_component component;
    uint32_t need = SUIT_BIT(PARAM_DIGEST) | SUIT_BIT(PARAM_SIZE);
    bl_status status;

    need |= code == SUIT_FETCH   ? SUIT_BIT(PARAM_URI)
            : code == SUIT_WRITE ? SUIT_BIT(PARAM_CONTENT)
                                 : SUIT_BIT(PARAM_SOURCE);
    status = platform->component(platform->ctx, run->manifest->component[i],
                                 &component);
    if (status != BL_OK) {
        return status;
    }
    if (!component.writable) {
        return BL_COMPONENT_FORBIDDEN;
    }
    if ((p->set & need) != need) {
        return BL_MANIFEST;
    }
    if (p->size > component.capacity) {
        return BL_NO_SPACE;
    }
    run->written = (uint8_t)(run->written | 1u << i);
    switch (code) {
    case SUIT_FETCH:
        return do_fetch(run, i, event, stop);
    case SUIT_WRITE:
        return do_write(run, i);
    default:
        return do_copy(run, i);
    }
}

static bl_status directive(struct bl_suit_run *run, int32_t code,
                           bl_span argument, uint32_t i, bl_suit_event *event,
                           bool *stop)
{
    if (code == SUIT_OVERRIDE) {
        return bl_suit_override(argument, run->manifest->n_components,
                                &run->parameter[i],
                                run->depth > 0 ? &top(run)->soft : NULL);
    }
    if (run->in_shared) {
        return BL_COMMAND;
    }
    if (code == SUIT_INVOKE) {
        memset(&run->fetch, 0, sizeof run->fetch);
        run->fetch.component = run->manifest->component[i];
        *event = BL_SUIT_JUMP;
        *stop = true;
        return BL_OK;
    }
    return bl_suit_writes(code) ? do_store(run, code, i, event, stop)
                                : BL_COMMAND;
}

/* --- The machine ----------------------------------------------------------
 */

/* One command for one component. */
static bl_status command(struct bl_suit_run *run, bl_suit_event *event,
                         bool *stop)
{
    struct bl_suit_frame *frame = top(run);
    struct bl_cbor after = frame->next;
    uint8_t parameter;
    bl_status failure;
    bl_span argument;
    int32_t code;
    uint32_t i;
    bl_status status = bl_suit_command(&after, &code, &argument);

    if (status != BL_OK) {
        return status;
    }
    if (code == SUIT_SET_INDEX || code == SUIT_TRY_EACH ||
        code == SUIT_RUN_SEQUENCE) {
        frame->next = after;
        return code == SUIT_SET_INDEX
                   ? bl_suit_select(argument, run->manifest->n_components,
                                    &frame->selected)
                   : nest(run, code, argument);
    }
    if (run->todo == 0) {
        run->todo = frame->selected;
    }
    if (run->todo == 0) {
        return BL_MANIFEST;
    }
    i = (run->todo & 15u) - 1;
    run->todo = (uint16_t)(run->todo >> 4);
    if (run->todo == 0) {
        frame->next = after;
    }
    if (bl_suit_condition(code, &parameter, &failure)) {
        return condition(run, code, i,
                         parameter == 0 ? 0 : SUIT_BIT(parameter), failure);
    }
    return directive(run, code, argument, i, event, stop);
}

bl_status bl_suit_start(struct bl_suit_run *run,
                        const struct bl_suit_envelope *envelope,
                        const struct bl_suit_manifest *manifest,
                        const struct bl_suit_platform *platform,
                        bl_suit_procedure procedure)
{
    if (manifest->n_components == 0 ||
        manifest->n_components > BL_SUIT_COMPONENTS) {
        return BL_ARGUMENT;
    }
    memset(run, 0, sizeof *run);
    run->envelope = envelope;
    run->manifest = manifest;
    run->platform = platform;
    run->section =
        procedure == BL_SUIT_UPDATE ? SECTION_FETCH : SECTION_VALIDATE;
    run->end = procedure == BL_SUIT_UPDATE ? SECTION_VALIDATE + 1 : SECTIONS;
    return BL_OK;
}

bl_status bl_suit_step(struct bl_suit_run *run, bl_suit_event *event)
{
    bool stop = false;
    bool ended;

    while (run->status == BL_OK && !stop) {
        ended = run->todo == 0 && bl_cbor_peek(&top(run)->next) == BL_CBOR_END;
        if (!ended) {
            run->status = command(run, event, &stop);
        } else if (run->depth > 0) {
            run->status = enter(run);
        } else {
            run->status = next_section(run, &stop);
            if (stop) {
                *event = BL_SUIT_DONE;
            }
        }
    }
    return run->status;
}
