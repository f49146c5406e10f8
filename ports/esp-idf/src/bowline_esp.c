/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of bowline_esp.h that an application calls. */
#include "bowline_esp.h"

#include <stdlib.h>
#include <string.h>

#include "esp_app_desc.h"
#include "esp_log.h"
#include "esp_mac.h"

#include "agent.h"

static const char *const TAG = "bowline";

ESP_EVENT_DEFINE_BASE(BOWLINE_EVENTS);

struct bowline_agent *bowline_agent;
struct bowline_health bowline_health;

/* --- Health checks ------------------------------------------------------- */

static bl_health ask(void *ctx)
{
    const struct bowline_check *given = ctx;
    size_t i = (size_t)(given - bowline_health.given);

    switch (given->check(given->ctx)) {
    case BOWLINE_HEALTH_PASS:
        return BL_HEALTH_PASS;
    case BOWLINE_HEALTH_FAIL:
        ESP_LOGW(TAG, "health check failed: %s", bowline_health.check[i].name);
        return BL_HEALTH_FAIL;
    default:
        return BL_HEALTH_PENDING;
    }
}

esp_err_t bowline_health_check(const char *name,
                               bowline_health_t (*check)(void *ctx), void *ctx)
{
    struct bowline_health *h = &bowline_health;

    if (name == NULL || check == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (bowline_agent != NULL) {
        return ESP_ERR_INVALID_STATE;
    }
    if (h->n == CONFIG_BOWLINE_HEALTH_CHECKS) {
        return ESP_ERR_NO_MEM;
    }
    h->given[h->n] = (struct bowline_check){check, ctx};
    h->check[h->n] = (struct bl_health_check){name, ask, &h->given[h->n]};
    h->n++;
    return ESP_OK;
}

bowline_health_t bowline_check_server(void *ctx)
{
    (void)ctx; /* asked from the task that the client belongs to */
    return bowline_agent != NULL && bowline_agent->client.reached
               ? BOWLINE_HEALTH_PASS
               : BOWLINE_HEALTH_PENDING;
}

/* --- Start --------------------------------------------------------------- */

esp_err_t bowline_device_id(uint8_t id[16])
{
    static const char salt[] = "bowline-esp";
    struct bl_sha256 hash;
    uint8_t digest[32];
    uint8_t mac[6];
    esp_err_t err = esp_efuse_mac_get_default(mac);

    if (err != ESP_OK) {
        return err;
    }
    bl_sha256_init(&hash);
    bl_sha256_update(&hash, salt, sizeof salt - 1);
    bl_sha256_update(&hash, mac, sizeof mac);
    bl_sha256_final(&hash, digest);
    memcpy(id, digest, 16);
    return ESP_OK;
}

static esp_err_t missing(const char *what)
{
    ESP_LOGE(TAG, "bowline_config_t: %s", what);
    return ESP_ERR_INVALID_ARG;
}

static esp_err_t check_texts(const bowline_config_t *c)
{
    const char *s = c->server;

    if (s == NULL || strncmp(s, "https://", 8) != 0 ||
        s[strlen(s) - 1] == '/' || strlen(s) > BOWLINE_URL / 2) {
        return missing("server is to be https://host:port, no / at the end");
    }
    if (c->cert_pem == NULL && c->crt_bundle_attach == NULL) {
        return missing("neither cert_pem nor crt_bundle_attach: the server "
                       "could be anybody");
    }
    if (c->vendor == NULL || c->product == NULL) {
        return missing("vendor and product are needed, as bowline init was "
                       "given them");
    }
    if (c->hardware == NULL || strlen(c->hardware) > 31 ||
        (c->version != NULL && strlen(c->version) > 31)) {
        return missing("hardware and version have at most 31 characters");
    }
    return ESP_OK;
}

static esp_err_t complete(bowline_config_t *c)
{
    static const uint8_t none[16];
    esp_err_t err = check_texts(c);

    if (err == ESP_OK && memcmp(c->device_id, none, sizeof none) == 0) {
        err = bowline_device_id(c->device_id);
    }
    if (c->version == NULL) {
        c->version = esp_app_get_description()->version;
    }
    return err;
}

static esp_err_t make(struct bowline_agent *a)
{
    const char *name = NULL;
    esp_err_t err = complete(&a->config);

    if (err != ESP_OK) {
        return err;
    }
    err = bowline_store_open(&a->store, &name);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "the partition table has no %s, or a small one", name);
        return err;
    }
    a->lock = xSemaphoreCreateMutexStatic(&a->lock_memory);
    a->pump.config = &a->config;
    a->pump.client = &a->client;
    a->pump.buffer = a->buffer;
    a->pump.buffer_size = sizeof a->buffer;
    return ESP_OK;
}

esp_err_t bowline_start(const bowline_config_t *config)
{
    struct bowline_agent *a;
    esp_err_t err;

    if (config == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (bowline_agent != NULL) {
        return ESP_ERR_INVALID_STATE;
    }
    a = calloc(1, sizeof *a);
    if (a == NULL) {
        return ESP_ERR_NO_MEM;
    }
    a->config = *config;
    err = make(a);
    bowline_agent = a; /* before its task asks for it */
    if (err == ESP_OK) {
        err = bowline_agent_start(a);
    }
    if (err != ESP_OK) {
        bowline_agent = NULL;
        free(a);
    }
    return err;
}

/* --- At any time --------------------------------------------------------- */

static esp_err_t request(unsigned what)
{
    struct bowline_agent *a = bowline_agent;
    TaskHandle_t task = a == NULL ? NULL : a->task;

    if (task == NULL) { /* not started, or stopped */
        return ESP_ERR_INVALID_STATE;
    }
    (void)atomic_fetch_or(&a->asks, what);
    (void)xTaskNotifyGive(task);
    return ESP_OK;
}

esp_err_t bowline_poll(void)
{
    return request(BOWLINE_ASK_POLL);
}

esp_err_t bowline_consent(bool yes)
{
    return request(yes ? BOWLINE_ASK_YES : BOWLINE_ASK_NO);
}

esp_err_t bowline_reject(void)
{
    return request(BOWLINE_ASK_BACK);
}

esp_err_t bowline_get_status(bowline_status_t *out)
{
    if (out == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (bowline_agent == NULL) {
        return ESP_ERR_INVALID_STATE;
    }
    (void)xSemaphoreTake(bowline_agent->lock, portMAX_DELAY);
    *out = bowline_agent->status;
    (void)xSemaphoreGive(bowline_agent->lock);
    return out->state == NULL ? ESP_ERR_INVALID_STATE : ESP_OK;
}
