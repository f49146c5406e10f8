/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interpreter. Its stack is `frame`: a command that fails its condition
 * unwinds it to the nearest sequence that takes failures softly. A directive
 * or a platform function that fails ends the procedure, wherever it stands.
 */
#include "suit_private.h"

#include "frame.h"

enum { UUID_SIZE = 16 };

static struct bl_suit_frame *top(struct bl_suit_run *run)
{
    return &run->frame[run->depth];
}

/* --- Sequences ------------------------------------------------------------
 */

static bl_status begin(struct bl_suit_run *run, const bl_span *sequence)
{
    struct bl_suit_frame *frame = &run->frame[0];
    uint32_t items;

    run->depth = 0;
    memset(frame, 0, sizeof *frame);
    frame->selected = run->manifest->n_components == 1;
    return bl_suit_commands(sequence, &frame->next, &items);
}

/* The shared sequence runs before each section. */
static bl_status next_section(struct bl_suit_run *run)
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
           bl_suit_section(m, run->section)->n == 0) {
        run->section++;
    }
    if (run->section >= run->end) {
        /* Also a procedure without any section must have shown them. */
        run->stop = true;
        run->event = BL_SUIT_DONE;
        return run->checked == CHECKED_BOTH ? BL_OK
                                            : BL_NO_COMPATIBILITY_CHECK;
    }
    run->in_shared = true;
    run->checked = 0;
    return begin(run, &m->shared);
}

/* Takes the next alternative. False: there is none. */
static bool next_alternative(struct bl_suit_frame *frame, bl_status *status)
{
    uint32_t items;

    if (bl_cbor_nil(&frame->alternatives) == BL_OK) {
        frame->next = frame->alternatives; /* its end: an empty sequence */
        return true;
    }
    if (bl_cbor_peek(&frame->alternatives) == BL_CBOR_END) {
        return false;
    }
    frame->soft = true;
    frame->selected = frame->component;
    *status = bl_suit_sequence(&frame->alternatives, &frame->next, &items);
    return true;
}

/* Enters a try-each or run-sequence for its next component, or leaves it when
 * it has run for all. */
static bl_status enter(struct bl_suit_run *run)
{
    struct bl_suit_frame *frame = top(run);
    uint32_t items;
    bl_status status = BL_MANIFEST;

    if (run->every && frame->try_each && frame->component != 0) {
        frame->taken = true;
        status = BL_OK;
        if (next_alternative(frame, &status)) {
            return status;
        }
        status = BL_MANIFEST;
    }
    if (frame->pending == 0) {
        run->depth--;
        return BL_OK;
    }
    frame->taken = false;
    frame->component = frame->pending & 15u;
    frame->pending = (uint16_t)(frame->pending >> 4);
    frame->selected = frame->component;
    frame->soft = false;
    frame->alternatives = frame->argument;
    if (!frame->try_each) {
        return bl_suit_sequence(&frame->alternatives, &frame->next, &items);
    }
    if (bl_cbor_array(&frame->alternatives, &items) == BL_OK) {
        (void)next_alternative(frame, &status);
    }
    return status;
}

static bl_status nest(struct bl_suit_run *run, int32_t code,
                      const struct bl_cbor *argument)
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
    frame->argument = *argument;
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
        if (frame->taken) {
            return enter(run);
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

/* Is the id that the manifest asks for one of the device's? */
static bool id_match(const struct bl_suit_platform *platform, int32_t code,
                     const struct bl_suit_parameters *p)
{
    const uint8_t *own = platform->vendor_id;
    const uint8_t *id = p->vendor_id;
    uint32_t n = 1;

    if (code == SUIT_CLASS) {
        own = platform->class_id;
        id = p->class_id;
        n = platform->n_class_ids;
    } else if (code == SUIT_DEVICE_ID) {
        own = platform->device_id;
        id = p->device_id;
        n = own != NULL;
    }
    for (; n > 0; n--, own += UUID_SIZE) {
        if (bl_equal(own, id, UUID_SIZE) == BL_GOOD) {
            return true;
        }
    }
    return false;
}

/* Compares element by element until the manifest's are used up. */
static bool version_match(const struct bl_suit_platform *platform,
                          bl_span match)
{
    static const uint8_t accepts[] = {0, 4, 6, 2, 3, 1}; /* >, =, < */
    struct bl_cbor r;
    uint32_t items;
    uint64_t comparison;
    int64_t wanted;
    int32_t own;
    uint32_t i;
    unsigned order = 2;

    bl_cbor_init(&r, match);
    if (bl_cbor_array(&r, &items) != BL_OK ||
        bl_cbor_uint(&r, &comparison) != BL_OK ||
        bl_cbor_array(&r, &items) != BL_OK || comparison >= sizeof accepts) {
        return false;
    }
    for (i = 0; order == 2 && i < items; i++) {
        if (bl_cbor_int(&r, &wanted) != BL_OK) {
            return false;
        }
        own = i < platform->n_version ? platform->version[i] : 0;
        order = own > (int32_t)wanted ? 4 : own < (int32_t)wanted ? 1 : 2;
    }
    return (accepts[comparison] & order) != 0;
}

static bl_status component(const struct bl_suit_run *run, uint32_t i,
                           struct bl_suit_component *out)
{
    memset(out, 0, sizeof *out);
    return run->platform->component(run->platform->ctx,
                                    run->manifest->component[i], out);
}

static bl_status slot_match(const struct bl_suit_run *run, uint32_t i,
                            bl_verdict *out)
{
    struct bl_suit_component target;
    bl_status status = component(run, i, &target);

    if (status == BL_OK) {
        *out = verdict(target.slot == run->parameter[i].slot);
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
    const uint32_t those = SUIT_BIT(SUIT_USE_BEFORE) | SUIT_BIT(SUIT_BATTERY) |
                           SUIT_BIT(SUIT_AUTHORIZED) | SUIT_BIT(SUIT_VERSION);

    return (those >> code & 1) != 0; /* conditions are 1 to 28 */
}

/* Without a device: what a device with an empty target slot would say. A
 * precursor is taken for present, unless there is another way to go. */
static bl_verdict assumed(const struct bl_suit_run *run, int32_t code,
                          uint32_t i)
{
    if (code == SUIT_IMAGE_MATCH) {
        return verdict((run->written >> i & 1) != 0 || run->every ||
                       !run->frame[run->depth].soft);
    }
    return verdict(code != SUIT_ABORT);
}

static bl_status judge(const struct bl_suit_run *run, int32_t code, uint32_t i,
                       bl_verdict *out)
{
    const struct bl_suit_platform *platform = run->platform;
    const struct bl_suit_parameters *p = &run->parameter[i];
    bool holds = false;

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
    switch (code) {
    case SUIT_VENDOR:
    case SUIT_CLASS:
    case SUIT_DEVICE_ID:
        holds = id_match(platform, code, p);
        break;
    case SUIT_IMAGE_MATCH:
        return image_match(run, i, out);
    case SUIT_USE_BEFORE: /* without a clock nobody can say */
        holds = platform->now != 0 && platform->now < p->use_before;
        break;
    case SUIT_CHECK_CONTENT:
        if (platform->content_match != NULL) {
            return platform->content_match(
                platform->ctx, run->manifest->component[i], p->content, out);
        }
        break;
    case SUIT_BATTERY:
        holds = platform->battery == NULL ||
                platform->battery(platform->ctx) >= p->battery;
        break;
    case SUIT_AUTHORIZED:
        holds = platform->authorized == NULL ||
                platform->authorized(platform->ctx, p->priority);
        break;
    case SUIT_VERSION:
        holds = version_match(platform, p->version);
        break;
    default: /* abort */
        break;
    }
    *out = verdict(holds);
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
    if (code == SUIT_IMAGE_MATCH) {
        run->matched = (uint8_t)(run->matched | 1u << i);
    }
    if (run->in_shared && code <= SUIT_CLASS) {
        run->checked = (uint8_t)(run->checked | code); /* labels 1 and 2 */
    }
    return BL_OK;
}

/* --- Directives -----------------------------------------------------------
 */

static bl_status do_fetch(struct bl_suit_run *run, uint32_t i)
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
    run->event = BL_SUIT_FETCH;
    run->stop = true;
    return BL_OK;
}

static bl_status do_write(const struct bl_suit_run *run, uint32_t i)
{
    const struct bl_suit_platform *platform = run->platform;
    const struct bl_suit_parameters *p = &run->parameter[i];

    if (p->content.n != p->size) {
        return BL_MANIFEST;
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

    if (p->source == i) {
        return BL_MANIFEST;
    }
    return platform->copy == NULL
               ? BL_COMMAND
               : platform->copy(platform->ctx, m->component[i],
                                m->component[p->source], p->size);
}

/* Base and patch must have been matched by the manifest's own conditions, as
 * they are now: what the decoder is given is what was signed. */
static BL_APART bl_status do_apply(const struct bl_suit_run *run, uint32_t i)
{
    const struct bl_suit_platform *platform = run->platform;
    const struct bl_suit_manifest *m = run->manifest;
    const struct bl_suit_parameters *p = &run->parameter[i];
    const struct bl_suit_parameters *patch = &run->parameter[p->source];
    const struct bl_suit_parameters *base = &run->parameter[p->base];
    struct bl_suit_apply apply;

    if (p->source == i || p->base == i ||
        (run->matched >> p->source & run->matched >> p->base & 1) == 0) {
        return BL_MANIFEST;
    }
    if (platform->apply == NULL) {
        return BL_DELTA;
    }
    apply.component = m->component[i];
    apply.size = p->size;
    apply.digest = p->digest;
    apply.patch = m->component[p->source];
    apply.patch_size = patch->size;
    apply.base = m->component[p->base];
    apply.base_size = base->size;
    apply.base_digest = base->digest;
    return platform->apply(platform->ctx, &apply);
}

/* What was stored without a download is at once read back. */
static bl_status do_local(const struct bl_suit_run *run, int32_t code,
                          uint32_t i)
{
    bl_verdict same = BL_BAD;
    bl_status status;

    if (run->assume) {
        return BL_OK;
    }
    status = code == SUIT_WRITE  ? do_write(run, i)
             : code == SUIT_COPY ? do_copy(run, i)
                                 : do_apply(run, i);
    if (status == BL_OK) {
        status = image_match(run, i, &same);
    }
    return status == BL_OK && same != BL_GOOD ? BL_PAYLOAD_DIGEST : status;
}

/* What every write needs, and who may be written. */
static bl_status do_store(struct bl_suit_run *run, int32_t code,
                          uint32_t needs, uint32_t i)
{
    const struct bl_suit_parameters *p = &run->parameter[i];
    struct bl_suit_component target;
    bl_status status = component(run, i, &target);

    if (status != BL_OK) {
        return status;
    }
    if (!target.writable) {
        return BL_COMPONENT_FORBIDDEN;
    }
    if ((p->set & needs) != needs) {
        return BL_MANIFEST;
    }
    if (p->size > target.capacity) {
        return BL_NO_SPACE;
    }
    run->written = (uint8_t)(run->written | 1u << i);
    run->matched = (uint8_t)(run->matched & ~(1u << i));
    return code == SUIT_FETCH ? do_fetch(run, i) : do_local(run, code, i);
}

/* Another digest or size asks for another match. */
static bl_status do_override(struct bl_suit_run *run, struct bl_cbor *argument,
                             uint32_t i)
{
    struct bl_suit_parameters *p = &run->parameter[i];
    const uint8_t *digest = p->digest;
    uint32_t size = p->size;
    bl_status status =
        bl_suit_override(argument, run->manifest->n_components, p,
                         run->depth > 0 ? &top(run)->soft : NULL);

    if (p->digest != digest || p->size != size) {
        run->matched = (uint8_t)(run->matched & ~(1u << i));
    }
    return status;
}

static bl_status directive(struct bl_suit_run *run, int32_t code,
                           struct bl_cbor *argument, uint32_t i)
{
    uint32_t needs = bl_suit_write_needs(code);

    if (code == SUIT_OVERRIDE) {
        return do_override(run, argument, i);
    }
    if (needs != 0) {
        return do_store(run, code, needs, i);
    }
    if (code != SUIT_INVOKE) {
        return BL_COMMAND;
    }
    run->fetch.component = run->manifest->component[i];
    run->event = BL_SUIT_JUMP;
    run->stop = true;
    return BL_OK;
}

/* --- The machine ----------------------------------------------------------
 */

/* One command for one component. */
static bl_status command(struct bl_suit_run *run)
{
    struct bl_suit_frame *frame = top(run);
    struct bl_cbor after = frame->next;
    uint8_t parameter;
    bl_status failure;
    struct bl_cbor argument;
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
                   ? bl_suit_select(&argument, run->manifest->n_components,
                                    &frame->selected)
                   : nest(run, code, &argument);
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
    return directive(run, code, &argument, i);
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
    run->stop = false;
    while (run->status == BL_OK && !run->stop) {
        if (run->todo != 0 || bl_cbor_peek(&top(run)->next) != BL_CBOR_END) {
            run->status = command(run);
        } else if (run->depth > 0) {
            run->status = enter(run);
        } else {
            run->status = next_section(run);
        }
    }
    if (run->status == BL_OK) {
        *event = run->event;
    }
    return run->status;
}
