/* SPDX-License-Identifier: Apache-2.0 */
#include "agent.h"

#include <string.h>

#include "esp_log.h"
#include "esp_ota_ops.h"
#include "esp_system.h"

#include "crypto.h"
#include "hook.h"
#include "ota.h"

static const char *const TAG = "bowline";

enum { GOODBYE_MS = 100, NAP_MAX_MS = 60000 };

/* --- Start --------------------------------------------------------------- */

/* Another task gets its turn: the idle task feeds ESP-IDF's watchdog. */
static void on_busy(void *ctx)
{
    (void)ctx;
    vTaskDelay(1);
}

static void set_timing(struct bl_timing *timing)
{
    *timing = bl_timing_default;
    timing->poll = CONFIG_BOWLINE_POLL_INTERVAL;
    timing->confirm_deadline = CONFIG_BOWLINE_CONFIRM_DEADLINE;
}

static void configure(struct bowline_agent *a, struct bl_client_config *out)
{
    memset(out, 0, sizeof *out);
    out->layout = &a->store.layout;
    out->crypto = &bowline_crypto;
    set_timing(&out->timing);
    memcpy(out->device_id, a->config.device_id, sizeof out->device_id);
    memcpy(out->vendor_id, a->vendor_id, sizeof out->vendor_id);
    memcpy(out->class_id, a->class_id, sizeof out->class_id);
    out->hardware = a->config.hardware;
    out->version = a->config.version;
    out->boot_tries = CONFIG_BOWLINE_BOOT_TRIES;
    out->reset_cause = bowline_reset_cause();
    out->started = (uint8_t)(1 + a->running);
    out->random = bowline_random;
    out->ctx = a;
    out->health = bowline_health.check;
    out->n_health = bowline_health.n;
    out->envelope = a->envelope;
    out->envelope_size = sizeof a->envelope;
    out->root = a->root;
    out->root_size = sizeof a->root;
    out->io = a->io;
    out->io_size = sizeof a->io;
    out->message = a->message;
    out->message_size = sizeof a->message;
    out->busy = on_busy;
#if CONFIG_BOWLINE_DELTA_MEMORY > 0
    out->delta = &bl_delta_engine;
    out->delta_memory = (uint8_t *)a->delta;
    out->delta_memory_size = sizeof a->delta;
#endif
}

/* The product's first root document, from the firmware, when flash has none:
 * the first boot of this device. */
static bl_status provide_root(struct bowline_agent *a)
{
    bl_span document = bl_span_of(a->config.root, a->config.root_size);
    struct bl_root root;
    bl_span found;
    bl_status s =
        bl_root_load(&a->store.layout, a->root, sizeof a->root, &found, &root);

    if (s == BL_OK || s == BL_FLASH || document.p == NULL) {
        return s;
    }
    s = bl_root_accept(document, NULL, &bowline_crypto, &root);
    return s == BL_OK
               ? bl_root_save(&a->store.layout, document, a->io, sizeof a->io)
               : s;
}

/*
 * The slot holds another image than the record says: somebody has flashed it
 * over USB. What it is nobody can tell; that it is not the release, one can.
 */
static bl_status disown(struct bowline_agent *a, bool *changed)
{
    struct bl_client *c = &a->client;
    struct bl_slot_record *own = &c->state.slot[a->running];
    static const uint8_t none[32];

    *changed = false;
    if (c->image_size > 0 || c->state.trial != BL_SLOT_NONE ||
        memcmp(own->manifest, none, sizeof none) == 0) {
        return BL_OK;
    }
    ESP_LOGW(TAG, "the running image is not the release that was installed");
    memset(own->manifest, 0, sizeof own->manifest);
    own->sequence = 0;
    *changed = true;
    return bl_state_save(&a->store.layout, &c->state);
}

static bl_status open_client(struct bowline_agent *a)
{
    struct bl_client_config config;
    struct bl_journal before;
    bool changed = false;
    bl_status s;

    configure(a, &config);
    if (bl_journal_open(&before, &a->store.layout) == BL_OK) {
        a->told = before.next - 1; /* was posted when it happened */
    }
    s = bl_client_init(&a->client, &config, bowline_now_ms());
    if (s == BL_OK) {
        s = disown(a, &changed);
    }
    if (s == BL_OK && changed) {
        s = bl_client_init(&a->client, &config, bowline_now_ms());
    }
    a->trial = a->client.state.trial == a->running;
    return s;
}

/* What `bowline device add --id` wants. */
static void print_id(const uint8_t id[16], char out[33])
{
    static const char digits[] = "0123456789abcdef";

    for (int i = 0; i < 16; i++) {
        out[2 * i] = digits[id[i] >> 4];
        out[2 * i + 1] = digits[id[i] & 15U];
    }
    out[32] = '\0';
}

static void greet(const struct bowline_agent *a)
{
    char id[33];

    print_id(a->config.device_id, id);
    ESP_LOGI(TAG, "device %s runs %s in ota_%u%s", id, a->config.version,
             (unsigned)a->running, a->trial ? ", on trial" : "");
    if (a->trial) {
        bowline_post(BOWLINE_EVENT_TRIAL, "testing", BL_OK, NULL,
                     a->client.sequence);
    }
}

esp_err_t bowline_agent_open(struct bowline_agent *a)
{
    bool restart = false;
    bl_status s;
    esp_err_t err = bowline_settle(&a->store, &a->running, &restart);

    if (err == ESP_OK && restart) {
        esp_restart();
    }
    if (err == ESP_ERR_NOT_FOUND) {
        ESP_LOGE(TAG, "the partition table needs otadata, ota_0 and ota_1, "
                      "and one of the two must run, no factory application");
    }
    if (err == ESP_OK) {
        err = bowline_crypto_open();
    }
    if (err == ESP_OK) {
        err = bowline_vendor_id(a->config.vendor, a->vendor_id);
    }
    if (err == ESP_OK) {
        err = bowline_class_id(a->vendor_id, a->config.product, a->class_id);
    }
    if (err != ESP_OK) {
        return err;
    }
    s = provide_root(a);
    if (s == BL_OK) {
        s = open_client(a);
    }
    if (s != BL_OK) {
        ESP_LOGE(TAG, "%s: %s", bl_status_name(s), bl_status_meaning(s));
        return ESP_FAIL;
    }
    greet(a);
    return ESP_OK;
}

/* --- Running ------------------------------------------------------------- */

/* The client has confirmed the image in its record; now otadata. When that
 * fails it is tried at each step, and by the hook of the next boot. */
static void follow_trial(struct bowline_agent *a)
{
    if (!a->trial || a->client.state.trial != BL_SLOT_NONE) {
        return;
    }
    if (a->client.state.active == a->running) {
        a->trial = esp_ota_mark_app_valid_cancel_rollback() != ESP_OK;
    }
}

/* Into the new image, or back to the old one. Where ESP-IDF would start
 * neither, the client is told and goes on here. */
static void restart(struct bowline_agent *a)
{
    struct bl_state state = a->client.state;
    esp_err_t err = ESP_OK;

    bowline_post(BOWLINE_EVENT_RESTART, NULL, BL_OK, NULL, a->client.sequence);
    vTaskDelay(pdMS_TO_TICKS(GOODBYE_MS));
    if (state.trial != BL_SLOT_NONE && state.trial != a->running) {
        err = bowline_forward(&a->store, &state);
    } else if (state.active != a->running) {
        err = bowline_ota_back(&a->store);
    }
    if (err == ESP_OK && state.trial == a->client.state.trial) {
        esp_restart();
    }
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "can not change over to the other image: %s",
                 esp_err_to_name(err));
    }
    if (open_client(a) != BL_OK) {
        esp_restart();
    }
}

static void hear(struct bowline_agent *a)
{
    unsigned asks = atomic_exchange(&a->asks, 0);

    if ((asks & BOWLINE_ASK_POLL) != 0) {
        bl_client_poke(&a->client);
    }
    if ((asks & (BOWLINE_ASK_YES | BOWLINE_ASK_NO)) != 0 &&
        bl_client_consent(&a->client, (asks & BOWLINE_ASK_NO) == 0) != BL_OK) {
        ESP_LOGI(TAG, "nothing waits for consent");
    }
    if ((asks & BOWLINE_ASK_BACK) != 0 &&
        bl_client_return(&a->client, BL_HEALTH) != BL_OK) {
        ESP_LOGI(TAG, "nothing is on trial");
    }
}

static void nap(uint64_t until_ms)
{
    uint64_t now = bowline_now_ms();
    uint64_t left = until_ms > now ? until_ms - now : 0;

    if (left > NAP_MAX_MS) {
        left = NAP_MAX_MS;
    }
    (void)ulTaskNotifyTake(pdTRUE, pdMS_TO_TICKS((uint32_t)left) + 1);
}

static void step(struct bowline_agent *a)
{
    struct bl_action action;

    hear(a);
    bl_client_next(&a->client, bowline_now_ms(), &action);
    follow_trial(a);
    switch (action.todo) {
    case BL_TODO_POLL:
        bowline_pump_poll(&a->pump, &action);
        break;
    case BL_TODO_GET:
        bowline_pump_get(&a->pump, &action);
        break;
    case BL_TODO_SLEEP:
    case BL_TODO_RESET:
        break;
    }
    bowline_tell_events(a);
    bowline_tell_server(a, action.todo);
    bowline_tell_consent(a);
    bowline_tell_status(a);
    if (action.todo == BL_TODO_SLEEP) {
        nap(action.until_ms);
    } else if (action.todo == BL_TODO_RESET) {
        restart(a);
    }
}

static void run(void *arg)
{
    struct bowline_agent *a = arg;
    esp_err_t err = bowline_agent_open(a);

    if (err != ESP_OK) {
        ESP_LOGE(TAG, "no updates in this boot: %s", esp_err_to_name(err));
        bowline_post(BOWLINE_EVENT_STOPPED, NULL, BL_OK, esp_err_to_name(err),
                     0);
        a->task = NULL;
        vTaskDelete(NULL);
        return;
    }
    for (;;) {
        step(a);
    }
}

esp_err_t bowline_agent_start(struct bowline_agent *agent)
{
    return xTaskCreate(run, "bowline", CONFIG_BOWLINE_TASK_STACK, agent,
                       CONFIG_BOWLINE_TASK_PRIORITY, &agent->task) == pdPASS
               ? ESP_OK
               : ESP_ERR_NO_MEM;
}
