/* SPDX-License-Identifier: Apache-2.0 */
#include "rig.h"

#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "hook.h"

struct rig rig;

static const char cert[] = "the server's certificate";

int rig_open(struct sim_fixture *fixture)
{
    memset(&rig, 0, sizeof rig);
    rig.fixture = fixture;
    if (chip_open(fixture) != 0) {
        return -1;
    }
    chip.verbose = getenv("ESP_IDF_LOG") != NULL;
    return 0;
}

/* RAM is lost with a reset. */
static void forget_ram(void)
{
    free(bowline_agent);
    bowline_agent = NULL;
    memset(&bowline_health, 0, sizeof bowline_health);
    memset(&bowline_hook, 0, sizeof bowline_hook);
}

void rig_close(void)
{
    forget_ram();
    chip_close();
}

void rig_factory(void)
{
    chip_program(0, SIM_R1);
    chip.server.wanted = SIM_R1;
    chip.reset = ESP_RST_POWERON;
}

/* --- The application ----------------------------------------------------- */

static bowline_health_t sensor(void *ctx)
{
    const enum sim_behaviour *behaviour = ctx;

    switch (*behaviour) {
    case SIM_UNHEALTHY:
        return BOWLINE_HEALTH_FAIL;
    case SIM_SILENT:
        return BOWLINE_HEALTH_PENDING;
    default:
        return BOWLINE_HEALTH_PASS;
    }
}

static void application(enum sim_release_name name)
{
    static enum sim_behaviour behaviour;
    bowline_config_t config = BOWLINE_CONFIG_DEFAULT();

    behaviour = rig.fixture->release[name].behaviour;
    config.server = "https://updates.example.com:8443";
    config.cert_pem = cert;
    config.token = "secret";
    config.vendor = "example.com";
    config.product = "simulated";
    memcpy(config.device_id, rig.fixture->device_id, 16);
    config.root = rig.fixture->root[0].p;
    config.root_size = rig.fixture->root[0].n - rig.bad_root;
    if (bowline_health_check("sensor", sensor, &behaviour) != ESP_OK ||
        bowline_start(&config) != ESP_OK) {
        chip_leave(CHIP_CRASH);
    }
}

static bool strikes(uint32_t *count, enum sim_release_name name)
{
    if (*count == 0 || name != rig.cut_which) {
        return false;
    }
    (*count)--;
    return true;
}

static void firmware(enum sim_release_name name)
{
    if (strikes(&rig.cut_early, name)) {
        chip_leave(CHIP_CUT);
    }
    if ((rig.dies_early >> name & 1U) != 0) {
        chip_leave(CHIP_CRASH);
    }
    bowline_early_hook();
    if (strikes(&rig.cut_late, name)) {
        chip_leave(CHIP_CUT);
    }
    if ((rig.marks_valid >> name & 1U) != 0) {
        (void)esp_ota_mark_app_valid_cancel_rollback();
    }
    if (rig.fixture->release[name].behaviour == SIM_CRASHES) {
        chip_leave(CHIP_CRASH);
    }
    application(name);
    chip.task(chip.task_arg);
    chip_leave(CHIP_CRASH); /* the task has ended: nobody expects it here */
}

/* --- Boots --------------------------------------------------------------- */

static void show_boot(void)
{
    struct bl_esp_ota_record record[2];
    struct bl_state state;
    bl_status ignored = bl_esp_ota_read(&chip.ota, record);

    (void)ignored;
    memset(&state, 0, sizeof state);
    ignored = rig_state(&state);
    double_log('B', "boot",
               "ota_%d; otadata %lu %s, %lu %s; active %u, trial %u, tries "
               "%u; reset %d; operation %lu",
               chip.running, (unsigned long)record[0].number,
               bl_esp_ota_state_name(record[0].state),
               (unsigned long)record[1].number,
               bl_esp_ota_state_name(record[1].state), (unsigned)state.active,
               (unsigned)state.trial, (unsigned)state.tries, (int)chip.reset,
               (unsigned long)chip.flash.ops);
}

static enum chip_end one_boot(void)
{
    enum sim_release_name name;
    int end;

    forget_ram();
    if (!chip_bootloader()) {
        rig.dead = !chip.flash.dead;
        return CHIP_CUT;
    }
    if (chip.verbose) {
        show_boot();
    }
    chip.now_us += 300000;
    chip.start_us = chip.now_us;
    name = chip_image(chip.running);
    rig.boots[name]++;
    rig.n_boots++;
    end = setjmp(chip.out);
    if (end == 0) {
        firmware(name);
    }
    switch (end) {
    case CHIP_RESTART:
        chip.reset = ESP_RST_SW;
        break;
    case CHIP_CRASH:
        chip.reset = ESP_RST_PANIC;
        break;
    default:
        chip.reset = ESP_RST_POWERON;
        break;
    }
    return (enum chip_end)end;
}

enum chip_end rig_run(void)
{
    enum chip_end end = CHIP_RESTART;
    unsigned left = RIG_BOOTS;

    chip.until_us = chip.now_us + RIG_HOURS * 3600ULL * 1000000ULL;
    chip.reset = ESP_RST_POWERON;
    while ((end == CHIP_RESTART || end == CHIP_CRASH) && left-- > 0) {
        end = one_boot();
    }
    return end;
}

/* --- What it has come to ------------------------------------------------- */

bl_status rig_state(struct bl_state *state)
{
    struct bowline_store store;
    const char *missing;

    return bowline_store_open(&store, &missing) == ESP_OK
               ? bl_state_load(&store.layout, state)
               : BL_FLASH;
}

enum sim_release_name rig_confirmed(void)
{
    struct bl_state state;
    int boots;
    uint32_t record = 0;

    if (rig_state(&state) != BL_OK || state.trial != BL_SLOT_NONE ||
        state.active != chip.running ||
        state.slot[state.active].status != BL_SLOT_CONFIRMED) {
        return SIM_R_NONE;
    }
    if (bl_esp_ota_get_boot(&chip.ota, &boots) != BL_OK ||
        boots != chip.running ||
        bl_esp_ota_state(&chip.ota, chip.running, &record) != BL_OK ||
        record != BL_ESP_OTA_VALID) {
        return SIM_R_NONE;
    }
    return chip_image(chip.running);
}
