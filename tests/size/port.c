/* SPDX-License-Identifier: Apache-2.0 */
#include "port.h"

static bl_status flash_read(void *ctx, uint32_t offset, void *data, uint32_t n)
{
    (void)ctx;
    (void)offset;
    (void)data;
    (void)n;
    return BL_OK;
}

static bl_status flash_write(void *ctx, uint32_t offset, const void *data,
                             uint32_t n)
{
    (void)ctx;
    (void)offset;
    (void)data;
    (void)n;
    return BL_OK;
}

static bl_status flash_erase(void *ctx, uint32_t offset, uint32_t n)
{
    (void)ctx;
    (void)offset;
    (void)n;
    return BL_OK;
}

static bl_status flash_sync(void *ctx)
{
    (void)ctx;
    return BL_OK;
}

static const struct bl_flash flash = {NULL,        1u << 20,    4096,
                                      4,           0xFF,        flash_read,
                                      flash_write, flash_erase, flash_sync};

const struct bl_layout port_layout = {.flash = &flash};

static bl_verdict p256(void *ctx, const uint8_t key[64],
                       const uint8_t digest[32], const uint8_t signature[64])
{
    (void)ctx;
    (void)key;
    (void)digest;
    (void)signature;
    return BL_BAD;
}

const struct bl_crypto port_crypto = {.p256_verify = p256};

uint64_t port_time(void)
{
    return 0;
}

void port_start(uint32_t offset)
{
    (void)offset;
}
