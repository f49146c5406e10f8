/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole flash of a small device is the input: state records, journal, root
 * documents, envelopes and images, as the boot code meets them.
 */
#include <stdlib.h>

#include "accept_all.h"
#include "bowline/boot.h"
#include "bowline/journal.h"

enum { BLOCK = 1024, BLOCKS = 12 };

static uint8_t flash_bytes[BLOCK * BLOCKS];

static bl_status flash_read(void *ctx, uint32_t offset, void *data, uint32_t n)
{
    (void)ctx;
    if (offset > sizeof(flash_bytes) || n > sizeof(flash_bytes) - offset) {
        abort();
    }
    memcpy(data, flash_bytes + offset, n);
    return BL_OK;
}

static bl_status flash_write(void *ctx, uint32_t offset, const void *data,
                             uint32_t n)
{
    (void)ctx;
    if (offset > sizeof(flash_bytes) || n > sizeof(flash_bytes) - offset) {
        abort();
    }
    memcpy(flash_bytes + offset, data, n);
    return BL_OK;
}

static bl_status flash_erase(void *ctx, uint32_t offset, uint32_t n)
{
    (void)ctx;
    if (offset > sizeof(flash_bytes) || n > sizeof(flash_bytes) - offset ||
        offset % BLOCK != 0 || n % BLOCK != 0) {
        abort();
    }
    memset(flash_bytes + offset, 0xFF, n);
    return BL_OK;
}

static bl_status flash_sync(void *ctx)
{
    (void)ctx;
    return BL_OK;
}

static const struct bl_flash flash = {
    NULL,       sizeof(flash_bytes), BLOCK,       4,         0xFF,
    flash_read, flash_write,         flash_erase, flash_sync};

static const uint8_t app_id[] = {0x81, 0x43, 'a', 'p', 'p'};

#define AREA(i)                                                               \
    {                                                                         \
        (i) * BLOCK, BLOCK                                                    \
    }

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t envelope[BLOCK];
    static uint8_t root[BLOCK];
    static uint8_t io[256];
    const struct bl_component app = {
        {app_id, sizeof(app_id)}, BL_COMPONENT_SLOTS, 0, {AREA(8), AREA(9)}};
    const struct bl_layout layout = {&flash,
                                     {AREA(0), AREA(1)},
                                     {AREA(2), AREA(3)},
                                     {AREA(4), AREA(5)},
                                     {AREA(6), AREA(7)},
                                     &app,
                                     1};
    /* the ids of tests/vectors/bowline-profile */
    static const uint8_t vendor[16] = {0xfc, 0x98, 0xc3, 0xcd, 0x14, 0xde,
                                       0x55, 0xa4, 0x9e, 0xe8, 0xbe, 0xf2,
                                       0xf2, 0x54, 0x42, 0xb6};
    static const uint8_t class[16] = {0xa4, 0xb4, 0xdd, 0x6e, 0xb0, 0xea,
                                      0x54, 0x0c, 0x97, 0x01, 0x69, 0x30,
                                      0x36, 0xde, 0xb2, 0x57};
    const struct bl_suit_platform identity = {
        .vendor_id = vendor, .class_id = class, .n_class_ids = 1};
    const struct bl_boot_config config = {
        &layout,   &accept_all,      &identity, BL_RESET_POWER, 3,
        envelope,  sizeof(envelope), root,      sizeof(root),   io,
        sizeof(io)};
    struct bl_boot_result result;
    struct bl_journal journal;
    struct bl_event events[8];
    uint32_t n;
    bl_status status;

    memset(flash_bytes, 0xFF, sizeof(flash_bytes));
    memcpy(flash_bytes, data,
           size < sizeof(flash_bytes) ? size : sizeof(flash_bytes));
    if (bl_journal_open(&journal, &layout) == BL_OK) {
        status = bl_journal_read(&journal, 0, events, 8, &n);
        (void)status;
    }
    status = bl_boot_run(&config, &result);
    if (status == BL_OK && result.slot > BL_SLOT_B) {
        abort();
    }
    return 0;
}
