/* SPDX-License-Identifier: Apache-2.0 */
#include "flash.h"

#include <stdlib.h>

enum { ERASED = 0, WRITTEN = 1, FAINT = 2, UNDEFINED = 3 };

/* --- What chance there is, by seed, operation and place ------------------ */

static uint32_t mix(uint32_t seed, uint64_t op, uint32_t place)
{
    uint64_t x = op * 0x9E3779B97F4A7C15u + place;

    x ^= (uint64_t)seed << 32;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return (uint32_t)(x >> 32);
}

static uint32_t chance(const struct sim_flash *sim, uint32_t place)
{
    return mix(sim->seed, sim->ops, place);
}

/* --- Units --------------------------------------------------------------- */

static void unit_garble(struct sim_flash *sim, uint32_t unit)
{
    uint32_t size = sim->flash.write_size;
    uint8_t *p = sim->bytes + (size_t)unit * size;
    uint32_t i;

    for (i = 0; i < size; i++) {
        p[i] = (uint8_t)chance(sim, unit * size + i);
    }
    /* Never by chance what an erased unit looks like: that is FAINT. */
    if (p[0] == sim->flash.erased) {
        p[0] = (uint8_t)(sim->flash.erased ^ 0x10);
    }
    sim->unit[unit] = UNDEFINED;
}

static void unit_erase(struct sim_flash *sim, uint32_t unit)
{
    uint32_t size = sim->flash.write_size;

    memset(sim->bytes + (size_t)unit * size, sim->flash.erased, size);
}

static void unit_write(struct sim_flash *sim, uint32_t unit,
                       const uint8_t *data)
{
    uint32_t size = sim->flash.write_size;

    if (sim->unit[unit] == FAINT) {
        sim->faint_writes++;
        unit_garble(sim, unit);
        return;
    }
    memcpy(sim->bytes + (size_t)unit * size, data, size);
    sim->unit[unit] = WRITTEN;
}

/* --- The contract -------------------------------------------------------- */

static bl_status breach(struct sim_flash *sim, const char *what, uint32_t at)
{
    if (sim->breach == NULL) {
        sim->breach = what;
        sim->breach_at = at;
    }
    return BL_FLASH;
}

static bool inside(const struct sim_flash *sim, uint32_t offset, uint32_t n)
{
    return n <= sim->flash.size && offset <= sim->flash.size - n;
}

static bool aligned(uint32_t offset, uint32_t n, uint32_t unit)
{
    return offset % unit == 0 && n % unit == 0;
}

/* Counts one operation; true when the power is cut at it. */
static bool cut_now(struct sim_flash *sim)
{
    sim->ops++;
    if (sim->ops != sim->cut_at) {
        return false;
    }
    sim->dead = true;
    return true;
}

static bl_status sim_read(void *ctx, uint32_t offset, void *data, uint32_t n)
{
    struct sim_flash *sim = ctx;

    if (sim->dead) {
        return BL_FLASH;
    }
    if (!inside(sim, offset, n)) {
        return breach(sim, "read outside the flash", offset);
    }
    if (n > 0) {
        memcpy(data, sim->bytes + offset, n);
    }
    return BL_OK;
}

static bl_status write_check(struct sim_flash *sim, uint32_t offset,
                             uint32_t n)
{
    uint32_t size = sim->flash.write_size;
    uint32_t unit;

    if (!inside(sim, offset, n)) {
        return breach(sim, "write outside the flash", offset);
    }
    if (n == 0 || !aligned(offset, n, size)) {
        return breach(sim, "write not in whole units", offset);
    }
    for (unit = offset / size; unit < (offset + n) / size; unit++) {
        if (sim->unit[unit] != ERASED && sim->unit[unit] != FAINT) {
            return breach(sim, "write to a unit that is not erased",
                          unit * size);
        }
    }
    return BL_OK;
}

static bl_status sim_write(void *ctx, uint32_t offset, const void *data,
                           uint32_t n)
{
    struct sim_flash *sim = ctx;
    uint32_t first = offset / sim->flash.write_size;
    uint32_t units = n / sim->flash.write_size;
    uint32_t whole = units;
    uint32_t i;

    if (sim->dead || write_check(sim, offset, n) != BL_OK) {
        return BL_FLASH;
    }
    if (cut_now(sim) && sim->cut != SIM_CUT_COMPLETE) {
        whole = sim->cut == SIM_CUT_ABSENT ? 0 : chance(sim, 0) % units;
    }
    sim->writes++;
    for (i = 0; i < whole; i++) {
        unit_write(sim, first + i,
                   (const uint8_t *)data + (size_t)i * sim->flash.write_size);
    }
    if (whole < units && sim->cut == SIM_CUT_PARTIAL) {
        unit_garble(sim, first + whole);
    }
    if (whole < units && sim->cut == SIM_CUT_FAINT) {
        sim->unit[first + whole] = FAINT;
    }
    return sim->dead ? BL_FLASH : BL_OK;
}

static bool reads_erased(const struct sim_flash *sim, uint32_t unit)
{
    uint32_t size = sim->flash.write_size;
    uint32_t i;

    for (i = 0; i < size; i++) {
        if (sim->bytes[(size_t)unit * size + i] != sim->flash.erased) {
            return false;
        }
    }
    return true;
}

/* A cut erase leaves every unit of the blocks undefined, whatever it reads. */
static void unit_half_erase(struct sim_flash *sim, uint32_t unit)
{
    uint32_t c = chance(sim, unit) % 4;

    if (sim->cut == SIM_CUT_FAINT || c == 0) {
        unit_erase(sim, unit);
    } else if (c == 1) {
        unit_garble(sim, unit);
    }
    sim->unit[unit] = reads_erased(sim, unit) ? FAINT : UNDEFINED;
}

static bl_status sim_erase(void *ctx, uint32_t offset, uint32_t n)
{
    struct sim_flash *sim = ctx;
    uint32_t size = sim->flash.write_size;
    bool cut;
    uint32_t unit;

    if (sim->dead) {
        return BL_FLASH;
    }
    if (!inside(sim, offset, n)) {
        return breach(sim, "erase outside the flash", offset);
    }
    if (n == 0 || !aligned(offset, n, sim->flash.erase_size)) {
        return breach(sim, "erase not of whole blocks", offset);
    }
    cut = cut_now(sim);
    sim->erases++;
    if (cut && sim->cut == SIM_CUT_ABSENT) {
        return BL_FLASH;
    }
    if (cut && sim->cut != SIM_CUT_COMPLETE) {
        for (unit = offset / size; unit < (offset + n) / size; unit++) {
            unit_half_erase(sim, unit);
        }
    } else {
        memset(sim->bytes + offset, sim->flash.erased, n);
        memset(sim->unit + offset / size, ERASED, n / size);
    }
    return cut ? BL_FLASH : BL_OK;
}

static bl_status sim_sync(void *ctx)
{
    const struct sim_flash *sim = ctx;

    return sim->dead ? BL_FLASH : BL_OK;
}

/* --- Life ---------------------------------------------------------------- */

int sim_flash_open(struct sim_flash *sim, const struct sim_geometry *geometry)
{
    memset(sim, 0, sizeof *sim);
    sim->flash.ctx = sim;
    sim->flash.size = geometry->size;
    sim->flash.erase_size = geometry->erase_size;
    sim->flash.write_size = geometry->write_size;
    sim->flash.erased = geometry->erased;
    sim->flash.read = sim_read;
    sim->flash.write = sim_write;
    sim->flash.erase = sim_erase;
    sim->flash.sync = sim_sync;
    sim->cut_at = SIM_NO_CUT;
    sim->bytes = malloc(geometry->size);
    sim->unit = calloc(geometry->size / geometry->write_size, 1);
    if (sim->bytes == NULL || sim->unit == NULL) {
        sim_flash_close(sim);
        return -1;
    }
    memset(sim->bytes, geometry->erased, geometry->size);
    return 0;
}

void sim_flash_close(struct sim_flash *sim)
{
    free(sim->bytes);
    free(sim->unit);
    sim->bytes = NULL;
    sim->unit = NULL;
}

void sim_flash_copy(struct sim_flash *to, const struct sim_flash *from)
{
    uint8_t *bytes = to->bytes;
    uint8_t *unit = to->unit;

    memcpy(bytes, from->bytes, from->flash.size);
    memcpy(unit, from->unit, from->flash.size / from->flash.write_size);
    *to = *from;
    to->bytes = bytes;
    to->unit = unit;
    to->flash.ctx = to;
}

void sim_flash_cut_in(struct sim_flash *sim, uint64_t n, enum sim_cut cut)
{
    sim->cut_at = sim->ops + n;
    sim->cut = cut;
}

void sim_flash_power_on(struct sim_flash *sim)
{
    sim->dead = false;
    sim->cut_at = SIM_NO_CUT;
}

const char *sim_cut_name(enum sim_cut cut)
{
    static const char *const name[SIM_CUTS] = {"absent", "partial", "faint",
                                               "complete"};

    return name[cut];
}
