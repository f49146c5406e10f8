/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The early hook, and what follows it in task context. Why, and which record
 * is believed when: trial.h.
 *
 * The hook runs before app_main, where ESP-IDF has its flash driver and heap
 * but no scheduler and no log. It reads two sectors, writes at most one state
 * record and one otadata sector, and never restarts the chip: all else waits
 * for bowline_start.
 */
#include "hook.h"

#include "bowline_esp.h"
#include "esp_log.h"
#include "sdkconfig.h"

#include "ota.h"

#ifndef CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE
#error                                                                        \
    "Bowline needs CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE=y: without it an "\
       "image that dies at its start is never taken back"
#endif
#ifdef CONFIG_BOOTLOADER_APP_ROLLBACK_CONFIRM_ON_STARTUP
#error                                                                        \
    "Bowline needs CONFIG_BOOTLOADER_APP_ROLLBACK_CONFIRM_ON_STARTUP=n: it "\
       "confirms every image before a health check was asked"
#endif

static const char *const TAG = "bowline";

struct bowline_hook bowline_hook;

/* --- Before app_main ----------------------------------------------------- */

/* The count goes first. When it can not be written the state in otadata stays
 * PENDING, and the bootloader's own single try holds. */
static void count(const struct bowline_store *store,
                  const struct bowline_facts *facts)
{
    struct bowline_early v;

    bowline_decide_early(facts, &v);
    bowline_hook.spent = v.spent;
    bowline_hook.no_rollback = v.no_rollback;
    if (v.save && bl_state_save(&store->layout, &v.state) != BL_OK) {
        bowline_hook.err = ESP_FAIL;
        return;
    }
    if (v.set) {
        bowline_hook.err = bowline_ota_set(facts, v.record);
    }
}

void bowline_early_hook(void)
{
    struct bowline_store store;
    struct bowline_facts facts;
    const char *missing;

    if (bowline_hook.done) {
        return;
    }
    bowline_hook.done = true;
    bowline_hook.err = bowline_store_open(&store, &missing);
    if (bowline_hook.err == ESP_OK) {
        bowline_hook.err = bowline_ota_facts(&store, &facts);
    }
    if (bowline_hook.err == ESP_OK) {
        count(&store, &facts);
    }
}

#ifdef CONFIG_BOWLINE_EARLY_HOOK
__attribute__((constructor)) static void before_app_main(void)
{
    bowline_early_hook();
}
#endif

void bowline_hook_include(void)
{
}

/* --- In bowline_start ---------------------------------------------------- */

static void tell(const struct bowline_facts *f,
                 const struct bowline_settled *v)
{
    if (bowline_hook.no_rollback) {
        ESP_LOGE(TAG, "the bootloader on this device has no rollback: an "
                      "image that dies at its start is not taken back");
    }
    if (bowline_hook.err != ESP_OK) {
        ESP_LOGE(TAG, "this boot could not be counted: %s",
                 esp_err_to_name(bowline_hook.err));
    }
    if (f->state.trial <= BL_SLOT_B && v->state.trial == BL_SLOT_NONE) {
        ESP_LOGW(TAG, "back from ota_%u: %s", (unsigned)f->state.trial,
                 bl_status_meaning((bl_status)v->state.outcome));
    }
}

/* ESP-IDF does not let it boot: it is given up here and now. */
static esp_err_t refused(const struct bowline_store *store,
                         struct bl_state *state, esp_err_t why)
{
    ESP_LOGE(TAG, "ota_%u can not be started: %s", (unsigned)state->trial,
             esp_err_to_name(why));
    bl_state_return(state, BL_SLOT_CORRUPT);
    return bl_state_save(&store->layout, state) == BL_OK ? ESP_OK : ESP_FAIL;
}

esp_err_t bowline_forward(const struct bowline_store *store,
                          struct bl_state *state)
{
    esp_err_t err = bowline_ota_forward(store, state->trial);

    return err == ESP_OK ? ESP_OK : refused(store, state, err);
}

static esp_err_t carry_out(const struct bowline_store *store,
                           const struct bowline_facts *f,
                           struct bowline_settled *v, bool *restart)
{
    esp_err_t err = ESP_OK;

    if (v->save && bl_state_save(&store->layout, &v->state) != BL_OK) {
        return ESP_FAIL;
    }
    if (v->valid) {
        err = bowline_ota_set(f, BL_ESP_OTA_VALID);
    }
    if (err == ESP_OK && v->forget) {
        err = bowline_ota_forget(store, f);
    }
    if (err == ESP_OK && v->way == BOWLINE_FORWARD) {
        err = bowline_forward(store, &v->state);
        *restart = err == ESP_OK && v->state.trial != BL_SLOT_NONE;
    }
    if (err == ESP_OK && v->way == BOWLINE_BACK && f->spent) {
        *restart = true; /* the hook has seen to the rest */
    } else if (err == ESP_OK && v->way == BOWLINE_BACK) {
        ESP_LOGW(TAG, "ota_%u was given up; going back", (unsigned)f->running);
        err = bowline_ota_back(store); /* returns when it can not */
        ESP_LOGE(TAG,
                 "no other image can be started (%s): going on with "
                 "this one",
                 esp_err_to_name(err));
        err = ESP_OK;
    }
    return err;
}

esp_err_t bowline_settle(const struct bowline_store *store, uint8_t *running,
                         bool *restart)
{
    struct bowline_facts facts;
    struct bowline_settled verdict;
    esp_err_t err;

    bowline_early_hook();
    *restart = false;
    err = bowline_ota_facts(store, &facts);
    if (err != ESP_OK) {
        return err;
    }
    facts.spent = bowline_hook.spent;
    bowline_decide_settled(&facts, &verdict);
    tell(&facts, &verdict);
    *running = facts.running;
    return carry_out(store, &facts, &verdict, restart);
}
