/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The power goes at every write and erase of everything that writes otadata;
 * then the bootloader's rules decide. What boots is always whole, and is what
 * booted before, what boots after, or what boots when the record that is
 * being written is lost or has lost its state: a cut costs no other record.
 */
#include <stdlib.h>
#include <string.h>

#include "otadata_rig.h"
#include "support/cmocka_all.h"

enum { SLOTS = 2, SEEDS = 2 };

/* --- Everything that writes ---------------------------------------------- */

static bl_status do_boot(struct rig *rig)
{
    int index;

    return bl_esp_boot_run(&rig->ota, &index);
}

static bl_status do_choose_0(struct rig *rig)
{
    return bl_esp_ota_set_boot(&rig->ota, 0);
}

static bl_status do_choose_1(struct rig *rig)
{
    return bl_esp_ota_set_boot(&rig->ota, 1);
}

static bl_status do_choose_factory(struct rig *rig)
{
    return bl_esp_ota_set_boot(&rig->ota, BL_ESP_FACTORY);
}

static bl_status do_begin(struct rig *rig)
{
    int running = 0;
    int next = 0;

    return bl_esp_ota_get_boot(&rig->ota, &running) == BL_OK &&
                   bl_esp_ota_next(&rig->ota, running, &next) == BL_OK
               ? bl_esp_ota_begin(&rig->ota, running, next)
               : BL_BUSY;
}

static bl_status do_mark_valid(struct rig *rig)
{
    return bl_esp_ota_mark_valid(&rig->ota, 0);
}

static bl_status do_mark_invalid(struct rig *rig)
{
    return bl_esp_ota_mark_invalid(&rig->ota);
}

static bl_status do_rearm(struct rig *rig)
{
    return bl_esp_ota_set_state(&rig->ota, BL_ESP_OTA_NEW);
}

static bl_status (*const writers[])(struct rig *rig) = {
    do_boot,  do_choose_0,   do_choose_1,     do_choose_factory,
    do_begin, do_mark_valid, do_mark_invalid, do_rearm};
enum { WRITERS = sizeof writers / sizeof writers[0] };

/* --- What may boot ------------------------------------------------------- */

static uint32_t boots;

/* Lets `scratch` boot; -99 when nothing does. */
static int boot_of(struct rig *scratch)
{
    int index = BL_ESP_NOTHING;
    bl_status status = bl_esp_boot_run(&scratch->ota, &index);

    boots++;
    if (status == BL_OK) {
        assert_true(
            scratch->ota.whole(scratch, bl_esp_slot(&scratch->slots, index)));
    }
    return index;
}

/* What a cut can make of a record: an erase may leave number and CRC whole and
 * the state not, so that one that was given up counts again. */
enum fate { KEPT, LOST, STATELESS, FATES };

static void suffer(struct rig *rig, int i, enum fate fate)
{
    struct bl_esp_ota_record record[2];

    assert_int_equal(bl_esp_ota_read(&rig->ota, record), BL_OK);
    if (fate == LOST) {
        record[i] = rig_blank();
    } else if (fate == STATELESS) {
        record[i].state = BL_ESP_OTA_UNDEFINED;
    }
    rig_record(rig, i, &record[i]);
}

static int boot_with(struct rig *scratch, const struct rig *world,
                     enum fate first, enum fate second)
{
    rig_copy(scratch, world);
    suffer(scratch, 0, first);
    suffer(scratch, 1, second);
    return boot_of(scratch);
}

struct may {
    int index[3 + FATES * FATES];
    int n;
};

static void allow(struct may *may, int index)
{
    may->index[may->n++] = index;
}

static bool allowed(const struct may *may, int index)
{
    for (int i = 0; i < may->n; i++) {
        if (may->index[i] == index) {
            return true;
        }
    }
    return false;
}

/* One of the two records has suffered; or both, where both were erased. */
static void gather(struct rig *scratch, const struct rig *before,
                   const struct rig *after, bool both, struct may *may)
{
    may->n = 0;
    rig_copy(scratch, after);
    allow(may, boot_of(scratch));
    allow(may, boot_with(scratch, after, LOST, KEPT));
    allow(may, boot_with(scratch, after, KEPT, LOST));
    for (int fates = 0; fates < FATES * FATES; fates++) {
        enum fate first = (enum fate)(fates / FATES);
        enum fate second = (enum fate)(fates % FATES);

        if (both || first == KEPT || second == KEPT) {
            allow(may, boot_with(scratch, before, first, second));
        }
    }
}

/* --- One world, one writer, every cut ------------------------------------ */

struct bench {
    struct rig world;
    struct rig after;
    struct rig scratch;
    struct may may;
};

static uint32_t cuts;

static void cut_at(struct bench *b, bl_status (*writer)(struct rig *rig),
                   uint64_t n, enum sim_cut cut, uint32_t seed)
{
    struct rig *rig = &b->scratch;
    bl_status ignored;
    int index;

    rig_copy(rig, &b->world);
    rig->sim.seed = seed;
    sim_flash_cut_in(&rig->sim, n, cut);
    ignored = writer(rig);
    (void)ignored;
    assert_true(rig->sim.dead);
    sim_flash_power_on(&rig->sim);
    cuts++;
    index = boot_of(rig);
    assert_true(allowed(&b->may, index));
    assert_int_not_equal(index, BL_ESP_NOTHING);
    assert_int_not_equal(boot_of(rig), BL_ESP_NOTHING);
    assert_int_not_equal(boot_of(rig), BL_ESP_NOTHING);
}

static void cut_everywhere(struct bench *b,
                           bl_status (*writer)(struct rig *rig))
{
    uint64_t ops;
    bl_status ignored;

    rig_copy(&b->after, &b->world);
    ops = b->after.sim.ops;
    ignored = writer(&b->after);
    (void)ignored;
    ops = b->after.sim.ops - ops;
    if (ops == 0) {
        return;
    }
    gather(&b->scratch, &b->world, &b->after, writer == do_choose_factory,
           &b->may);
    for (uint64_t n = 1; n <= ops; n++) {
        for (int cut = 0; cut < SIM_CUTS; cut++) {
            for (uint32_t seed = 1; seed <= SEEDS; seed++) {
                cut_at(b, writer, n, (enum sim_cut)cut, seed);
            }
        }
    }
}

/* --- Every pair of records ----------------------------------------------- */

static const uint32_t states[] = {BL_ESP_OTA_NEW,     BL_ESP_OTA_PENDING,
                                  BL_ESP_OTA_VALID,   BL_ESP_OTA_INVALID,
                                  BL_ESP_OTA_ABORTED, BL_ESP_OTA_UNDEFINED};
enum {
    STATES = sizeof states / sizeof states[0],
    KINDS = 2 + 3 * STATES /* blank, CRC wrong, numbers 1 to 3 */
};

static struct bl_esp_ota_record kind(int k)
{
    struct bl_esp_ota_record r;

    if (k == 0) {
        return rig_blank();
    }
    if (k == 1) {
        r = rig_made(9, BL_ESP_OTA_VALID);
        r.crc ^= 1;
        return r;
    }
    return rig_made((uint32_t)((k - 2) / STATES) + 1,
                    states[(k - 2) % STATES]);
}

static void open_bench(struct bench *b, bool factory,
                       struct bl_esp_boot_options options)
{
    struct rig *all[] = {&b->world, &b->after, &b->scratch};

    for (int i = 0; i < 3; i++) {
        rig_open(all[i], SLOTS, factory);
        all[i]->ota.options = options;
    }
    rig_image(&b->world, 0, 1);
    rig_image(&b->world, 1, 1);
    if (factory) {
        rig_image(&b->world, BL_ESP_FACTORY, 1);
    }
}

static void close_bench(struct bench *b)
{
    rig_close(&b->world);
    rig_close(&b->after);
    rig_close(&b->scratch);
}

static void cut_all(bool factory, struct bl_esp_boot_options options)
{
    struct bench b;

    cuts = 0;
    open_bench(&b, factory, options);
    for (int pair = 0; pair < KINDS * KINDS; pair++) {
        struct bl_esp_ota_record first = kind(pair / KINDS);
        struct bl_esp_ota_record second = kind(pair % KINDS);

        rig_record(&b.world, 0, &first);
        rig_record(&b.world, 1, &second);
        for (int w = 0; w < WRITERS; w++) {
            cut_everywhere(&b, writers[w]);
        }
    }
    assert_null(b.scratch.sim.breach);
    close_bench(&b);
    print_message("%u cuts\n", cuts);
    assert_true(cuts > 10000);
}

static void without_rollback_every_cut_leaves_what_boots(void **unused)
{
    struct bl_esp_boot_options options = {false, false};

    (void)unused;
    cut_all(true, options);
    cut_all(false, options);
}

static void with_rollback_every_cut_leaves_what_boots(void **unused)
{
    struct bl_esp_boot_options options = {true, false};

    (void)unused;
    cut_all(true, options);
    cut_all(false, options);
}

static void with_anti_rollback_every_cut_leaves_what_boots(void **unused)
{
    struct bl_esp_boot_options options = {true, true};

    (void)unused;
    cut_all(false, options);
}

/* --- An update from end to end ------------------------------------------- */

/* One start of a device that wants slot 1's place to hold version 2: whatever
 * it finds, it goes on from there. True: version 2 runs and is confirmed. */
static bool live(struct rig *rig)
{
    const struct bl_flash *flash = &rig->sim.flash;
    const struct bl_area *target;
    uint8_t image[BL_ESP_FLASH_SECTOR];
    uint32_t version = 0;
    int running = BL_ESP_NOTHING;
    int next;

    if (bl_esp_boot_run(&rig->ota, &running) != BL_OK) {
        assert_true(rig->sim.dead);
        return false;
    }
    if (rig->sim.dead) {
        return false;
    }
    assert_true(
        rig->ota.describe(rig, bl_esp_slot(&rig->slots, running), &version));
    assert_true(version == 1 || version == 2);
    if (version == 2) {
        bl_status status = bl_esp_ota_mark_valid(&rig->ota, running);

        /* otadata says another slot: this one was found by loading on */
        return (status == BL_OK || status == BL_BUSY) && !rig->sim.dead;
    }
    if (bl_esp_ota_mark_valid(&rig->ota, running) == BL_FLASH ||
        bl_esp_ota_next(&rig->ota, running, &next) != BL_OK ||
        bl_esp_ota_begin(&rig->ota, running, next) != BL_OK) {
        return false;
    }
    memset(image, 0x22, sizeof image);
    image[0] = RIG_IMAGE;
    image[1] = 2;
    image[sizeof image - 1] = RIG_IMAGE;
    target = bl_esp_slot(&rig->slots, next);
    return flash->erase(flash->ctx, target->offset, target->size) == BL_OK &&
           flash->write(flash->ctx, target->offset, image, sizeof image) ==
               BL_OK &&
           bl_esp_ota_set_boot(&rig->ota, next) == BL_OK && live(rig);
}

static void story_with(bool factory, struct bl_esp_boot_options options)
{
    struct rig world;
    struct rig rig;
    uint64_t ops;

    rig_open(&world, SLOTS, factory);
    rig_open(&rig, SLOTS, factory);
    world.ota.options = options;
    rig_image(&world, 0, 1);
    if (factory) {
        rig_image(&world, BL_ESP_FACTORY, 1);
    }
    rig_copy(&rig, &world);
    ops = rig.sim.ops;
    assert_true(live(&rig));
    ops = rig.sim.ops - ops;
    assert_true(ops >= 6);
    for (uint64_t n = 1; n <= ops; n++) {
        for (int cut = 0; cut < SIM_CUTS; cut++) {
            int starts = 0;

            rig_copy(&rig, &world);
            rig.sim.seed = (uint32_t)n;
            sim_flash_cut_in(&rig.sim, n, (enum sim_cut)cut);
            (void)live(&rig);
            sim_flash_power_on(&rig.sim);
            while (!live(&rig)) {
                assert_true(++starts < 5);
            }
            assert_null(rig.sim.breach);
        }
    }
    rig_close(&world);
    rig_close(&rig);
}

static void update_cut_anywhere_comes_to_its_end(void **unused)
{
    (void)unused;
    for (int i = 0; i < 6; i++) {
        struct bl_esp_boot_options options = {i % 3 >= 1, i % 3 == 2};

        story_with(i < 2, options);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_rollback_every_cut_leaves_what_boots),
        cmocka_unit_test(with_rollback_every_cut_leaves_what_boots),
        cmocka_unit_test(with_anti_rollback_every_cut_leaves_what_boots),
        cmocka_unit_test(update_cut_anywhere_comes_to_its_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
