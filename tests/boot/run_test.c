/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bl_slot_check and bl_boot_run over simulated flash, with real releases and
 * real signatures.
 */
#include "bowline/boot.h"
#include "fixture.h"
#include "posix/crypto.h"
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct sim_fixture fixture;

struct device {
    struct rig rig;
    struct bl_state state;
    struct bl_suit_platform identity;
    uint8_t envelope[SIM_ENVELOPE_MAX];
    uint8_t root[2048];
    struct bl_boot_config config;
    struct bl_boot_result result;
};

static void must(bl_status status)
{
    assert_int_equal(status, BL_OK);
}

static void save_root(struct device *d, int version)
{
    must(bl_root_save(&d->rig.layout, buffer_span(&fixture.root[version - 1]),
                      d->rig.io, RIG_IO));
}

static const struct sim_release *release(enum sim_release_name name)
{
    return &fixture.release[name];
}

/* Installs a release; the slot is READY then. */
static void put(struct device *d, uint8_t slot, enum sim_release_name name)
{
    const struct sim_release *r = release(name);
    struct bl_install install;
    uint32_t offset;
    bool resumed;

    must(bl_install_open(&install, &d->rig.layout, &d->state, slot,
                         r->manifest, r->sequence, 1, false, d->rig.io, RIG_IO,
                         &resumed));
    must(bl_install_begin(&install, rig_app, SIM_APP_SIZE, r->app_sha256,
                          &offset));
    must(bl_install_data(&install, r->app, SIM_APP_SIZE));
    must(bl_install_end(&install));
    must(bl_install_close(&install, buffer_span(&r->envelope)));
}

static void configure(struct device *d)
{
    d->identity.vendor_id = fixture.vendor_id;
    d->identity.class_id = fixture.class_id;
    d->identity.n_class_ids = 1;
    d->identity.device_id = fixture.device_id;
    d->config.layout = &d->rig.layout;
    d->config.crypto = &posix_crypto;
    d->config.identity = &d->identity;
    d->config.reset = BL_RESET_POWER;
    d->config.tries = 3;
    d->config.envelope = d->envelope;
    d->config.envelope_size = sizeof d->envelope;
    d->config.root = d->root;
    d->config.root_size = sizeof d->root;
    d->config.io = d->rig.io;
    d->config.io_size = RIG_IO;
}

/* Slot A holds release `a`, confirmed; slot B release `b`, ready. */
static void make(struct device *d, int geometry, enum sim_release_name a,
                 enum sim_release_name b)
{
    memset(d, 0, sizeof *d);
    rig_open(&d->rig, geometry);
    configure(d);
    save_root(d, 1);
    d->state.active = BL_SLOT_NONE;
    d->state.trial = BL_SLOT_NONE;
    put(d, BL_SLOT_A, a);
    d->state.slot[0].status = BL_SLOT_CONFIRMED;
    d->state.active = BL_SLOT_A;
    d->state.floor = d->state.slot[0].sequence;
    if (b != SIM_R_NONE) {
        put(d, BL_SLOT_B, b);
    }
    must(bl_state_save(&d->rig.layout, &d->state));
}

static void try_b(struct device *d)
{
    must(bl_state_try(&d->state, BL_SLOT_B, 3));
    must(bl_state_save(&d->rig.layout, &d->state));
}

static void end(struct device *d)
{
    assert_null(d->rig.sim.breach);
    rig_close(&d->rig);
}

static bl_status boot(struct device *d)
{
    return bl_boot_run(&d->config, &d->result);
}

static void assert_boots(struct device *d, uint8_t slot, bl_status why)
{
    must(boot(d));
    assert_int_equal(d->result.slot, slot);
    assert_int_equal(d->result.why, why);
    must(bl_state_load(&d->rig.layout, &d->state));
}

static void flip(struct device *d, uint8_t slot, uint32_t at)
{
    d->rig.sim.bytes[d->rig.component[0].area[slot].offset + at] ^= 0x40;
}

static uint32_t events(struct device *d, struct bl_event *last)
{
    struct bl_journal journal;
    struct bl_event event[8];
    uint32_t n;

    must(bl_journal_open(&journal, &d->rig.layout));
    must(bl_journal_read(&journal, 0, event, 8, &n));
    if (n > 0) {
        *last = event[n - 1];
    }
    return n;
}

/* --- Slots -----------------------------------------------------------------
 */

static bl_status look(struct device *d, uint8_t slot,
                      struct bl_slot_facts *facts)
{
    struct bl_root root;
    bl_span document;

    must(bl_root_load(&d->rig.layout, d->root, sizeof d->root, &document,
                      &root));
    return bl_slot_check(&d->rig.layout, slot, &root, &d->identity,
                         &posix_crypto, d->envelope, sizeof d->envelope,
                         d->rig.io, RIG_IO, facts);
}

static void slot_good_release_is_whole_and_signed(void **unused)
{
    (void)unused;
    for (int g = 0; g <= 2; g += 2) {
        struct device d;
        struct bl_slot_facts facts;

        make(&d, g, SIM_R1, SIM_R_NONE);
        must(look(&d, BL_SLOT_A, &facts));
        assert_int_equal(facts.whole, BL_GOOD);
        assert_int_equal(facts.signed_ok, BL_GOOD);
        assert_int_equal(facts.sequence, release(SIM_R1)->sequence);
        assert_int_equal(facts.image_size, SIM_APP_SIZE);
        assert_memory_equal(facts.image_digest, release(SIM_R1)->app_sha256,
                            32);
        assert_memory_equal(facts.manifest, release(SIM_R1)->manifest, 32);
        assert_int_equal(look(&d, BL_SLOT_B, &facts), BL_NO_IMAGE);
        end(&d);
    }
}

static void slot_any_changed_image_byte_is_found(void **unused)
{
    struct device d;
    struct bl_slot_facts facts;

    (void)unused;
    make(&d, 0, SIM_R1, SIM_R_NONE);
    for (uint32_t at = 0; at < SIM_APP_SIZE; at += 1125) {
        flip(&d, BL_SLOT_A, at);
        must(look(&d, BL_SLOT_A, &facts));
        assert_int_equal(facts.whole, BL_BAD);
        assert_int_equal(facts.signed_ok, BL_GOOD);
        flip(&d, BL_SLOT_A, at);
    }
    /* What lies behind the image does not matter. */
    flip(&d, BL_SLOT_A, SIM_APP_SIZE);
    must(look(&d, BL_SLOT_A, &facts));
    assert_int_equal(facts.whole, BL_GOOD);
    end(&d);
}

static void slot_any_flipped_envelope_bit_is_found(void **unused)
{
    struct device d;
    struct bl_slot_facts facts;
    size_t bits = release(SIM_R1)->envelope.n * 8;
    const uint8_t *kid = author_key_kid(fixture.key[SIM_KEY_RELEASE]);
    size_t hints = 0;
    uint8_t *p;

    (void)unused;
    make(&d, 0, SIM_R1, SIM_R_NONE);
    p = d.rig.sim.bytes + d.rig.layout.manifest[0].offset + 4;
    for (size_t bit = 0; bit < bits; bit++) {
        bl_status status;

        if (bit % 8 == 0 && memcmp(p + bit / 8, kid, BL_KID_SIZE) == 0) {
            /* A hint that no signature covers, and that nobody follows. */
            bit += (size_t)BL_KID_SIZE * 8 - 1;
            hints++;
            continue;
        }

        p[bit / 8] ^= (uint8_t)(1 << bit % 8);
        status = look(&d, BL_SLOT_A, &facts);
        assert_true(status != BL_OK || facts.whole == BL_BAD ||
                    facts.signed_ok == BL_BAD);
        p[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_true(hints <= 1);
    end(&d);
}

static void slot_of_another_product_or_signer_is_not_good(void **unused)
{
    struct device d;
    struct bl_slot_facts facts;

    (void)unused;
    make(&d, 0, SIM_R1, SIM_R_OTHER_CLASS);
    must(look(&d, BL_SLOT_B, &facts));
    assert_int_equal(facts.whole, BL_BAD);
    end(&d);
    make(&d, 0, SIM_R1, SIM_R_STRANGER);
    must(look(&d, BL_SLOT_B, &facts));
    assert_int_equal(facts.signed_ok, BL_BAD);
    end(&d);
}

/* --- Starting ---------------------------------------------------------------
 */

static void run_confirmed_starts_and_says_where_it_is(void **unused)
{
    struct device d;
    struct bl_event event;

    (void)unused;
    make(&d, 2, SIM_R1, SIM_R2);
    d.config.reset = BL_RESET_CRASH;
    assert_boots(&d, BL_SLOT_A, BL_OK);
    assert_false(d.result.trial);
    assert_int_equal(d.result.area.offset, d.rig.component[0].area[0].offset);
    assert_int_equal(d.result.image_size, SIM_APP_SIZE);
    assert_memory_equal(d.result.image_digest, release(SIM_R1)->app_sha256,
                        32);
    assert_int_equal(d.state.last_reset, BL_RESET_CRASH);
    assert_int_equal(d.state.boots, 1);
    assert_int_equal(events(&d, &event), 0);
    end(&d);
}

static void run_writes_flash_once_when_all_is_well(void **unused)
{
    struct device d;
    uint64_t ops;

    (void)unused;
    make(&d, 2, SIM_R1, SIM_R2);
    try_b(&d);
    ops = d.rig.sim.ops;
    assert_boots(&d, BL_SLOT_B, BL_OK);
    assert_int_equal(d.rig.sim.ops, ops + 1);
    end(&d);
}

static void run_trial_that_never_confirms_returns_and_tells(void **unused)
{
    struct device d;
    struct bl_event event;

    (void)unused;
    make(&d, 0, SIM_R1, SIM_R2);
    try_b(&d);
    for (int i = 0; i < 3; i++) {
        assert_boots(&d, BL_SLOT_B, BL_OK);
        assert_true(d.result.trial);
        assert_int_equal(events(&d, &event), 0);
    }
    d.config.reset = BL_RESET_WATCHDOG;
    assert_boots(&d, BL_SLOT_A, BL_RESET);
    assert_false(d.result.trial);
    assert_int_equal(d.state.slot[1].status, BL_SLOT_BAD);
    assert_int_equal(d.state.trial_reset, BL_RESET_WATCHDOG);
    assert_int_equal(events(&d, &event), 1);
    assert_int_equal(event.state, BL_STATE_RETURNED);
    assert_int_equal(event.code, BL_RESET);
    assert_int_equal(event.reset, BL_RESET_WATCHDOG);
    assert_int_equal(event.sequence, release(SIM_R2)->sequence);
    assert_int_equal(event.slot, BL_SLOT_B);
    assert_int_equal(event.boot, d.state.boots);
    assert_boots(&d, BL_SLOT_A, BL_OK);
    end(&d);
}

static void run_corrupt_trial_is_never_started(void **unused)
{
    struct device d;
    struct bl_event event;

    (void)unused;
    make(&d, 0, SIM_R1, SIM_R2);
    try_b(&d);
    flip(&d, BL_SLOT_B, 4000);
    assert_boots(&d, BL_SLOT_A, BL_SLOT_CORRUPT);
    assert_int_equal(events(&d, &event), 1);
    assert_int_equal(event.code, BL_SLOT_CORRUPT);
    assert_int_equal(event.slot, BL_SLOT_B);
    end(&d);
}

static void run_corrupt_active_is_replaced_by_the_other(void **unused)
{
    struct device d;
    struct bl_event event;

    (void)unused;
    make(&d, 0, SIM_R1, SIM_R2);
    flip(&d, BL_SLOT_A, 0);
    assert_boots(&d, BL_SLOT_B, BL_SLOT_CORRUPT);
    assert_int_equal(d.state.active, BL_SLOT_B);
    assert_int_equal(events(&d, &event), 1);
    assert_int_equal(event.slot, BL_SLOT_A);
    assert_int_equal(event.sequence, release(SIM_R1)->sequence);
    assert_boots(&d, BL_SLOT_B, BL_OK);
    end(&d);
}

static void run_nothing_left_starts_nothing(void **unused)
{
    struct device d;

    (void)unused;
    make(&d, 0, SIM_R1, SIM_R_STRANGER);
    flip(&d, BL_SLOT_A, 0);
    assert_int_equal(boot(&d), BL_NO_IMAGE);
    end(&d);
}

static void run_stranger_is_never_started(void **unused)
{
    struct device d;

    (void)unused;
    make(&d, 0, SIM_R1, SIM_R_STRANGER);
    try_b(&d);
    assert_boots(&d, BL_SLOT_A, BL_SLOT_CORRUPT);
    end(&d);
}

static void erase_state(struct device *d)
{
    const struct bl_flash *flash = &d->rig.sim.flash;

    for (int i = 0; i < 2; i++) {
        must(flash->erase(flash->ctx, d->rig.layout.state[i].offset,
                          d->rig.layout.state[i].size));
    }
}

static void run_lost_state_is_made_up_from_the_slots(void **unused)
{
    struct device d;
    struct bl_event event;

    (void)unused;
    make(&d, 0, SIM_R2, SIM_R1);
    erase_state(&d);
    assert_boots(&d, BL_SLOT_A, BL_STATE_NONE);
    assert_true(d.result.trial);
    assert_int_equal(d.state.active, BL_SLOT_B);
    assert_int_equal(d.state.tries, 2);
    assert_int_equal(d.state.floor, release(SIM_R1)->sequence);
    assert_int_equal(events(&d, &event), 1);
    assert_int_equal(event.code, BL_STATE_NONE);
    assert_boots(&d, BL_SLOT_A, BL_OK);
    assert_int_equal(d.state.tries, 1);
    end(&d);
}

static void run_without_a_root_document_starts_nothing(void **unused)
{
    struct device d;
    const struct bl_flash *flash = &d.rig.sim.flash;

    (void)unused;
    make(&d, 0, SIM_R1, SIM_R2);
    for (int i = 0; i < 2; i++) {
        must(flash->erase(flash->ctx, d.rig.layout.root[i].offset,
                          d.rig.layout.root[i].size));
    }
    assert_int_equal(boot(&d), BL_ROOT);
    end(&d);
}

/* Root document 2 has another release key. */
static void run_rotated_keys_do_not_strand_what_runs(void **unused)
{
    struct device d;

    (void)unused;
    make(&d, 0, SIM_R1, SIM_R2);
    save_root(&d, 2);
    assert_boots(&d, BL_SLOT_A, BL_OK);
    try_b(&d);
    assert_boots(&d, BL_SLOT_B, BL_OK);
    /* A record of another manifest vouches for nothing. */
    d.state.slot[1].manifest[0] ^= 1;
    must(bl_state_save(&d.rig.layout, &d.state));
    assert_boots(&d, BL_SLOT_A, BL_SLOT_CORRUPT);
    /* Nor does a record that says it is of the present root document. */
    d.state.slot[0].root_version = 2;
    must(bl_state_save(&d.rig.layout, &d.state));
    assert_int_equal(boot(&d), BL_NO_IMAGE);
    end(&d);
}

/* The one that was given up is all there is left, and its keys were replaced:
 * it is started, at each start, and told of once. */
static void run_given_up_of_old_keys_is_the_last_resort(void **unused)
{
    struct device d;
    struct bl_event event;

    (void)unused;
    make(&d, 0, SIM_R1, SIM_R2);
    try_b(&d);
    bl_state_return(&d.state, BL_HEALTH);
    must(bl_state_save(&d.rig.layout, &d.state));
    save_root(&d, 2);
    assert_boots(&d, BL_SLOT_A, BL_OK);
    flip(&d, BL_SLOT_A, 7);
    for (int i = 0; i < 3; i++) {
        assert_boots(&d, BL_SLOT_B, BL_SLOT_CORRUPT);
        assert_false(d.result.trial);
        assert_int_equal(d.state.active, BL_SLOT_B);
        assert_int_equal(d.state.slot[1].status, BL_SLOT_BAD);
        assert_int_equal(events(&d, &event), 1);
    }
    flip(&d, BL_SLOT_B, 7);
    assert_int_equal(boot(&d), BL_NO_IMAGE);
    end(&d);
}

/* --- Flash that fails
 * -------------------------------------------------------- */

static bl_status broken_write(void *ctx, uint32_t offset, const void *data,
                              uint32_t n)
{
    (void)ctx;
    (void)offset;
    (void)data;
    (void)n;
    return BL_FLASH;
}

static void run_worn_out_state_starts_confirmed_and_no_trial(void **unused)
{
    struct device d;

    (void)unused;
    make(&d, 0, SIM_R1, SIM_R2);
    d.rig.sim.flash.write = broken_write;
    assert_boots(&d, BL_SLOT_A, BL_OK);
    end(&d);
    make(&d, 0, SIM_R1, SIM_R2);
    try_b(&d);
    d.rig.sim.flash.write = broken_write;
    assert_boots(&d, BL_SLOT_A, BL_RESET);
    end(&d);
}

/* Cuts at every operation of each start, until the trial is over. */
static void run_power_cuts_cost_a_try_at_most(void **unused)
{
    (void)unused;
    for (int kind = 0; kind < SIM_CUTS; kind++) {
        for (uint64_t at = 1; at <= 2; at++) {
            struct device d;
            uint8_t tries = 3;
            int starts = 0;

            make(&d, 2, SIM_R1, SIM_R2);
            try_b(&d);
            do {
                bl_status ignored;

                sim_flash_cut_in(&d.rig.sim, at, (enum sim_cut)kind);
                ignored = boot(&d); /* nobody is there to take it */
                (void)ignored;
                sim_flash_power_on(&d.rig.sim);
                must(bl_state_load(&d.rig.layout, &d.state));
                assert_true(d.state.tries <= tries);
                must(boot(&d));
                must(bl_state_load(&d.rig.layout, &d.state));
                assert_true(d.state.tries <= tries);
                tries = d.state.tries;
                starts++;
            } while (d.result.slot == BL_SLOT_B);
            assert_true(starts >= 2 && starts <= 4);
            assert_int_equal(d.state.slot[1].status, BL_SLOT_BAD);
            end(&d);
        }
    }
}

static int open_fixture(void **unused)
{
    struct error err = {0};

    (void)unused;
    if (sim_fixture_open(&fixture, &err) != 0) {
        print_error("fixture: %s\n", err.text);
        return -1;
    }
    return 0;
}

static int close_fixture(void **unused)
{
    (void)unused;
    sim_fixture_close(&fixture);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slot_good_release_is_whole_and_signed),
        cmocka_unit_test(slot_any_changed_image_byte_is_found),
        cmocka_unit_test(slot_any_flipped_envelope_bit_is_found),
        cmocka_unit_test(slot_of_another_product_or_signer_is_not_good),
        cmocka_unit_test(run_confirmed_starts_and_says_where_it_is),
        cmocka_unit_test(run_writes_flash_once_when_all_is_well),
        cmocka_unit_test(run_trial_that_never_confirms_returns_and_tells),
        cmocka_unit_test(run_corrupt_trial_is_never_started),
        cmocka_unit_test(run_corrupt_active_is_replaced_by_the_other),
        cmocka_unit_test(run_nothing_left_starts_nothing),
        cmocka_unit_test(run_stranger_is_never_started),
        cmocka_unit_test(run_lost_state_is_made_up_from_the_slots),
        cmocka_unit_test(run_without_a_root_document_starts_nothing),
        cmocka_unit_test(run_rotated_keys_do_not_strand_what_runs),
        cmocka_unit_test(run_given_up_of_old_keys_is_the_last_resort),
        cmocka_unit_test(run_worn_out_state_starts_confirmed_and_no_trial),
        cmocka_unit_test(run_power_cuts_cost_a_try_at_most),
    };

    return cmocka_run_group_tests(tests, open_fixture, close_fixture);
}
