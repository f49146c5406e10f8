/* SPDX-License-Identifier: Apache-2.0 */
#include "bowline/boot.h"

#include "bowline/journal.h"

struct run {
    const struct bl_boot_config *config;
    const struct bl_root *root;
    struct bl_boot_facts facts;
    struct bl_boot_verdict verdict;
    bool checked[2];
    uint32_t image_size[2];
    uint8_t image_digest[2][32];
};

/* --- Facts --------------------------------------------------------------- */

/* Keys have been rotated since: the signature no longer counts, but the state
 * record vouches that it did when this very manifest was installed; also of
 * one that was given up, which is started when there is nothing else. */
static bool vouched(const struct run *run, uint8_t slot,
                    const struct bl_slot_facts *found)
{
    const struct bl_slot_record *record = &run->facts.state.slot[slot];

    return run->facts.has_state &&
           (record->status == BL_SLOT_READY ||
            record->status == BL_SLOT_CONFIRMED ||
            record->status == BL_SLOT_BAD) &&
           record->root_version < run->root->version &&
           bl_equal(record->manifest, found->manifest, 32) == BL_GOOD;
}

/* A slot that cannot be read is as good as none: the other one decides. */
static void check_slot(struct run *run, uint8_t slot)
{
    const struct bl_boot_config *config = run->config;
    struct bl_boot_slot *fact = &run->facts.slot[slot];
    struct bl_slot_facts found;

    run->checked[slot] = true;
    if (bl_slot_check(config->layout, slot, run->root, config->identity,
                      config->crypto, config->envelope, config->envelope_size,
                      config->io, config->io_size, &found) != BL_OK) {
        return;
    }
    fact->present = true;
    fact->whole = found.whole == BL_GOOD;
    fact->trusted = found.signed_ok == BL_GOOD || vouched(run, slot, &found);
    fact->above_floor = found.sequence >= run->root->floor;
    fact->sequence = found.sequence;
    memcpy(fact->manifest, found.manifest, sizeof fact->manifest);
    run->image_size[slot] = found.image_size;
    memcpy(run->image_digest[slot], found.image_digest, 32);
}

static void check_rest(struct run *run)
{
    uint8_t slot;

    for (slot = 0; slot < 2; slot++) {
        if (!run->checked[slot]) {
            check_slot(run, slot);
        }
    }
}

/* The slot that is started if all is well; it alone is read then. */
static uint8_t expected(const struct bl_boot_facts *facts)
{
    const struct bl_state *state = &facts->state;

    return state->trial != BL_SLOT_NONE && state->tries > 0 ? state->trial
                                                            : state->active;
}

/* A slot that was not looked at counts as absent. That changes nothing about
 * "start the one expected"; anything else is decided anew on all the facts. */
static void decide(struct run *run)
{
    uint8_t slot = expected(&run->facts);

    if (run->facts.has_state && slot <= BL_SLOT_B) {
        check_slot(run, slot);
        bl_boot_decide(&run->facts, &run->verdict);
        if (run->verdict.why == BL_OK) {
            return;
        }
    }
    check_rest(run);
    bl_boot_decide(&run->facts, &run->verdict);
}

/* --- What is kept -------------------------------------------------------- */

static uint8_t troubled_slot(const struct run *run)
{
    const struct bl_state *before = &run->facts.state;

    return before->trial <= BL_SLOT_B && run->verdict.slot != before->trial
               ? before->trial
               : before->active;
}

/* Usual, or a last resort that was one already at the start before. */
static bool nothing_new(const struct run *run)
{
    const struct bl_state *before = &run->facts.state;

    return run->verdict.why == BL_OK ||
           (run->facts.has_state && before->trial > BL_SLOT_B &&
            run->verdict.slot == before->active);
}

/*
 * The event goes before the state record. A cut between the two: the same
 * decision is made again, and the event may stand twice; the other way round
 * it might be missing. A journal that cannot be written keeps nobody from
 * starting.
 */
static void tell(const struct run *run)
{
    const struct bl_state *state = &run->verdict.state;
    uint8_t slot = troubled_slot(run);
    struct bl_journal journal;
    struct bl_event event;
    bl_status ignored;

    if (nothing_new(run) ||
        bl_journal_open(&journal, run->config->layout) != BL_OK) {
        return;
    }
    memset(&event, 0, sizeof event);
    event.boot = state->boots;
    event.code = (uint16_t)run->verdict.why;
    event.reset = (uint8_t)run->facts.reset;
    if (run->facts.has_state && slot <= BL_SLOT_B) {
        event.state = BL_STATE_RETURNED;
        event.slot = slot;
        event.sequence = run->facts.state.slot[slot].sequence;
    } else {
        event.state = BL_STATE_IDLE;
        event.slot = run->verdict.slot;
        event.sequence = state->slot[run->verdict.slot].sequence;
    }
    ignored = bl_journal_append(&journal, &event);
    (void)ignored;
}

/*
 * The one write of a start. When it fails, a confirmed image is started all
 * the same: worn-out flash must not keep a device from running. A trial is
 * not, since its tries could not be counted and a bad one would never end;
 * unless there is nothing else.
 */
static void keep(struct run *run)
{
    bl_status status = bl_state_save(run->config->layout, &run->verdict.state);

    if (status == BL_OK || run->verdict.slot != run->verdict.state.trial) {
        return;
    }
    check_rest(run);
    run->facts.state = run->verdict.state;
    run->facts.has_state = true;
    run->facts.state.tries = 0;
    bl_boot_decide(&run->facts, &run->verdict);
}

/* --- All of it ----------------------------------------------------------- */

static bl_status read_facts(struct run *run, struct bl_root *root)
{
    const struct bl_boot_config *config = run->config;
    bl_span document;
    bl_status status = bl_root_load(config->layout, config->root,
                                    config->root_size, &document, root);

    if (status != BL_OK) {
        return status;
    }
    run->root = root;
    run->facts.root_version = (uint32_t)root->version;
    run->facts.reset = config->reset;
    run->facts.tries = config->tries;
    status = bl_state_load(config->layout, &run->facts.state);
    if (status == BL_FLASH) {
        return status;
    }
    run->facts.has_state = status == BL_OK;
    return BL_OK;
}

static void report(const struct run *run, struct bl_boot_result *result)
{
    uint8_t slot = run->verdict.slot;

    result->slot = slot;
    result->trial = slot == run->verdict.state.trial;
    result->why = run->verdict.why;
    result->area = run->config->layout->component[0].area[slot];
    result->image_size = run->image_size[slot];
    memcpy(result->image_digest, run->image_digest[slot], 32);
}

bl_status bl_boot_run(const struct bl_boot_config *config,
                      struct bl_boot_result *result)
{
    struct bl_root root;
    struct run run;
    bl_status status;

    memset(&run, 0, sizeof run);
    run.config = config;
    status = read_facts(&run, &root);
    if (status != BL_OK) {
        return status;
    }
    decide(&run);
    if (run.verdict.slot == BL_SLOT_NONE) {
        return BL_NO_IMAGE;
    }
    tell(&run);
    keep(&run);
    report(&run, result);
    return BL_OK;
}
