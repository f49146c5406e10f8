/* SPDX-License-Identifier: Apache-2.0 */
#include "powercut.h"

#include "vectors.h"

#include <stdio.h>
#include <stdlib.h>

enum { STEPS = 6, PAYLOAD = 40960, NET = 900 };

static void must(bl_status status, const char *what)
{
    if (status != BL_OK) {
        fprintf(stderr, "preparing: %s: status %d\n", what, (int)status);
        exit(1);
    }
}

/* --- The state record -----------------------------------------------------
 */

static uint32_t state_target(const struct rig *rig, int blocks)
{
    uint32_t places = rig->layout.state[0].size / BL_STATE_RECORD;

    return (uint32_t)blocks * places + STEPS / 2;
}

/* Just so many records that the work crosses from one block to the other. */
static void state_prepare(struct rig *rig, int blocks)
{
    struct bl_state state = rig_state();

    while (state.boots + STEPS < state_target(rig, blocks)) {
        state.boots++;
        must(bl_state_save(&rig->layout, &state), "state");
    }
    if (state.boots == 0) {
        must(bl_state_save(&rig->layout, &state), "state");
    }
    rig->completed = state.boots;
}

static bl_status state_run(struct rig *rig, int blocks)
{
    struct bl_state state;
    bl_status status = bl_state_load(&rig->layout, &state);

    while (status == BL_OK && state.boots < state_target(rig, blocks)) {
        state.boots++;
        state.floor = state.boots;
        status = bl_state_save(&rig->layout, &state);
        if (status == BL_OK) {
            rig->completed = state.boots;
        }
    }
    return status;
}

static const char *state_holds(struct rig *rig, int blocks)
{
    struct bl_state state;

    (void)blocks;
    if (bl_state_load(&rig->layout, &state) != BL_OK) {
        return "no state record is left";
    }
    if (state.boots != rig->completed && state.boots != rig->completed + 1) {
        return "neither the old record nor the new one";
    }
    rig->completed = state.boots;
    return NULL;
}

static const char *state_done(struct rig *rig, int blocks)
{
    struct bl_state state;

    if (bl_state_load(&rig->layout, &state) != BL_OK ||
        state.boots != state_target(rig, blocks)) {
        return "the last record is not there";
    }
    return NULL;
}

/* --- The journal -----------------------------------------------------------
 */

static uint32_t journal_places(const struct rig *rig)
{
    uint32_t unit = rig->sim.flash.write_size;

    return rig->layout.journal[0].size / (unit > 32 ? unit : 32);
}

static uint32_t journal_target(const struct rig *rig, int blocks)
{
    return (uint32_t)blocks * journal_places(rig) + STEPS / 2;
}

static bl_status journal_write(struct rig *rig, uint32_t up_to)
{
    struct bl_journal journal;
    bl_status status = bl_journal_open(&journal, &rig->layout);

    while (status == BL_OK && journal.next <= up_to) {
        struct bl_event event;

        memset(&event, 0, sizeof event);
        event.sequence = (uint64_t)journal.next * 1000003;
        status = bl_journal_append(&journal, &event);
        if (status == BL_OK) {
            rig->completed = event.number;
        }
    }
    return status;
}

static void journal_prepare(struct rig *rig, int blocks)
{
    must(journal_write(rig, journal_target(rig, blocks) - STEPS), "journal");
}

static bl_status journal_run(struct rig *rig, int blocks)
{
    return journal_write(rig, journal_target(rig, blocks));
}

/* The last event is the last one appended or the one under way, and those
 * before are there without a gap. Places that a cut spoilt are lost. */
static const char *journal_holds(struct rig *rig, int blocks)
{
    struct bl_journal journal;
    struct bl_event event;
    uint32_t last = 0;
    uint32_t n = 1;
    uint32_t keep = journal_places(rig) - 8;
    uint32_t after = rig->completed > keep ? rig->completed - keep : 0;

    (void)blocks;
    if (bl_journal_open(&journal, &rig->layout) != BL_OK) {
        return "the journal cannot be opened";
    }
    while (bl_journal_read(&journal, after, &event, 1, &n) == BL_OK && n > 0) {
        if (event.number != after + 1 ||
            event.sequence != (uint64_t)event.number * 1000003) {
            return "an event is missing or wrong";
        }
        after = event.number;
        last = event.number;
    }
    if (last != rig->completed && last != rig->completed + 1) {
        return "the last event is not the last one appended";
    }
    rig->completed = last;
    return NULL;
}

static const char *journal_done(struct rig *rig, int blocks)
{
    const char *problem = journal_holds(rig, blocks);

    if (problem == NULL && rig->completed != journal_target(rig, blocks)) {
        return "the last event is not there";
    }
    return problem;
}

/* --- The root document ------------------------------------------------------
 */

static struct vectors vectors;
static bl_span document[3];

int powercut_cases_open(void)
{
    static const char *const name[] = {"root-1-initial", "root-2",
                                       "root-3-skip"};
    const json_t *vector;
    size_t i;

    vectors_open(&vectors, "bowline-profile/roots.json");
    json_array_foreach(vectors_member(vectors.json, "vectors"), i, vector)
    {
        for (int d = 0; d < 3; d++) {
            if (strcmp(vectors_text(vector, "name"), name[d]) == 0) {
                document[d] = vectors_hex(&vectors, vector, "root");
            }
        }
    }
    return document[0].n == 0 || document[1].n == 0 || document[2].n == 0;
}

void powercut_cases_close(void)
{
    vectors_close(&vectors);
}

static bl_status root_version(struct rig *rig, uint32_t *version)
{
    static uint8_t buffer[2048];
    struct bl_root root;
    bl_span out;
    bl_status status =
        bl_root_load(&rig->layout, buffer, sizeof buffer, &out, &root);

    if (status == BL_OK) {
        *version = (uint32_t)root.version;
        if (!bl_span_equal(out, document[root.version - 1])) {
            return BL_ROOT;
        }
    }
    return status;
}

static void root_prepare(struct rig *rig, int unused)
{
    (void)unused;
    must(bl_root_save(&rig->layout, document[0], rig->io, RIG_IO), "root");
    rig->completed = 1;
}

static bl_status root_run(struct rig *rig, int unused)
{
    uint32_t version;
    bl_status status = root_version(rig, &version);

    (void)unused;
    while (status == BL_OK && version < 3) {
        status =
            bl_root_save(&rig->layout, document[version], rig->io, RIG_IO);
        version++;
        if (status == BL_OK) {
            rig->completed = version;
        }
    }
    return status;
}

static const char *root_holds(struct rig *rig, int unused)
{
    uint32_t version;

    (void)unused;
    if (root_version(rig, &version) != BL_OK) {
        return "no root document is left";
    }
    if (version != rig->completed && version != rig->completed + 1) {
        return "neither the old root document nor the new one";
    }
    rig->completed = version;
    return NULL;
}

static const char *root_done(struct rig *rig, int unused)
{
    uint32_t version;

    (void)unused;
    return root_version(rig, &version) == BL_OK && version == 3
               ? NULL
               : "the last root document is not there";
}

/* --- An installation --------------------------------------------------------
 */

static const uint8_t manifest_digest[32] = {4, 5, 6};
static uint8_t payload[PAYLOAD];
static uint8_t payload_digest[32];
static uint8_t net[NET];
static uint8_t old[PAYLOAD]; /* what slot A holds, image and envelope */

static uint32_t payload_size(const struct rig *rig)
{
    return rig->component[0].area[1].size - 77;
}

/* Slot B holds an older release; A is what must stay as it is. */
static void install_prepare(struct rig *rig, int seed)
{
    const struct bl_flash *flash = &rig->sim.flash;
    struct bl_state state = rig_state();
    int i;

    rig_payload(rig, 100, old, sizeof old);
    for (i = 0; i < 2; i++) {
        must(flash->write(flash->ctx, rig->component[0].area[i].offset, old,
                          rig->component[0].area[i].size),
             "old image");
        must(
            flash->write(flash->ctx, rig->layout.manifest[i].offset, old, 512),
            "old envelope");
    }
    state.slot[1].status = BL_SLOT_CONFIRMED;
    state.slot[1].sequence = 4;
    must(bl_state_save(&rig->layout, &state), "state");
    rig_payload(rig, (uint32_t)seed, payload, payload_size(rig));
    bl_sha256(payload, payload_size(rig), payload_digest);
    rig_payload(rig, 7, net, sizeof net);
}

static bl_status install_payload(struct bl_install *install, bl_span bytes,
                                 uint32_t step)
{
    uint32_t at;
    bl_status status = bl_install_begin(install, rig_app, (uint32_t)bytes.n,
                                        payload_digest, &at);

    while (status == BL_OK && at < bytes.n) {
        uint32_t left = (uint32_t)bytes.n - at;
        uint32_t n = left < step ? left : step;

        status = bl_install_data(install, bytes.p + at, n);
        at += n;
    }
    return status == BL_OK ? bl_install_end(install) : status;
}

static bl_status install_all(struct rig *rig, struct bl_state *state, int seed)
{
    struct bl_install install;
    bool resumed;
    bl_status status =
        bl_install_open(&install, &rig->layout, state, 1, manifest_digest, 9,
                        1, false, rig->io, RIG_IO, &resumed);

    if (status == BL_OK) {
        status =
            install_payload(&install, bl_span_of(payload, payload_size(rig)),
                            seed == 2 ? 450 : 3000);
    }
    if (status == BL_OK) {
        status = bl_install_content(&install, rig_stage,
                                    bl_span_of(net, sizeof net));
    }
    if (status == BL_OK) {
        status = bl_install_copy(&install, rig_net, rig_stage, sizeof net);
    }
    if (status == BL_OK) {
        status = bl_install_close(&install, bl_span_of(net, RIG_ENVELOPE));
    }
    return status;
}

static bool install_recorded(const struct bl_state *state)
{
    return state->slot[1].status == BL_SLOT_READY &&
           state->slot[1].sequence == 9;
}

static bl_status install_run(struct rig *rig, int seed)
{
    struct bl_state state;
    bl_status status = bl_state_load(&rig->layout, &state);

    if (status == BL_OK && !install_recorded(&state)) {
        status = install_all(rig, &state, seed);
    }
    return status;
}

static bool flash_has(const struct rig *rig, const struct bl_area *area,
                      const uint8_t *bytes, uint32_t n)
{
    return memcmp(rig->sim.bytes + area->offset, bytes, n) == 0;
}

static const char *install_complete(struct rig *rig)
{
    uint8_t buffer[RIG_ENVELOPE];
    bl_span envelope;

    if (!flash_has(rig, &rig->component[0].area[1], payload,
                   payload_size(rig)) ||
        !flash_has(rig, &rig->component[1].area[1], net, sizeof net)) {
        return "the slot is READY and its images are not";
    }
    if (bl_slot_envelope(&rig->layout, 1, buffer, sizeof buffer, &envelope) !=
            BL_OK ||
        !bl_span_equal(envelope, bl_span_of(net, RIG_ENVELOPE))) {
        return "the slot is READY and its envelope is not";
    }
    return NULL;
}

static bool holds_old(const struct rig *rig, int slot)
{
    return flash_has(rig, &rig->component[0].area[slot], old,
                     rig->component[0].area[slot].size) &&
           flash_has(rig, &rig->layout.manifest[slot], old, 512);
}

static const char *install_holds(struct rig *rig, int seed)
{
    struct bl_state state;

    (void)seed;
    if (!holds_old(rig, 0)) {
        return "the active slot was touched";
    }
    if (bl_state_load(&rig->layout, &state) != BL_OK) {
        return "no state record is left";
    }
    if (state.active != 0 || state.trial != BL_SLOT_NONE || state.floor != 5) {
        return "the state record has other content";
    }
    if (install_recorded(&state)) {
        return install_complete(rig);
    }
    if (state.slot[1].status == BL_SLOT_CONFIRMED && !holds_old(rig, 1)) {
        return "the old release is recorded as bootable and is not whole";
    }
    return NULL;
}

static const char *install_done(struct rig *rig, int seed)
{
    struct bl_state state;
    const char *problem = install_holds(rig, seed);

    if (problem == NULL && (bl_state_load(&rig->layout, &state) != BL_OK ||
                            !install_recorded(&state))) {
        return "the slot is not READY";
    }
    return problem;
}

/* --- All -------------------------------------------------------------------
 */

const struct powercut_case powercut_cases[] = {
    {"state-to-b", 1, state_prepare, state_run, state_holds, state_done},
    {"state-to-a", 2, state_prepare, state_run, state_holds, state_done},
    {"journal-to-b", 1, journal_prepare, journal_run, journal_holds,
     journal_done},
    {"journal-to-a", 2, journal_prepare, journal_run, journal_holds,
     journal_done},
    {"root", 0, root_prepare, root_run, root_holds, root_done},
    {"install-small-portions", 2, install_prepare, install_run, install_holds,
     install_done},
    {"install-with-gaps", 1, install_prepare, install_run, install_holds,
     install_done},
};
const int powercut_n_cases =
    (int)(sizeof powercut_cases / sizeof *powercut_cases);
