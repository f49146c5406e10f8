/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stands in for the ESP-IDF component, as a sketch sees it: takes the
 * settings, asks its check from a thread of its own, and ends the trial when
 * that passes. What the component really does is tested in
 * tests/ports/esp_idf.
 */
#include "bowline_esp.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "esp_ota_ops.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bowline_health_t (*given)(void *ctx);
static void *given_ctx;
static bool started;
static bool trial;

void bowline_early_hook(void)
{
    printf("[component] early hook\n");
}

esp_err_t bowline_health_check(const char *name,
                               bowline_health_t (*check)(void *ctx), void *ctx)
{
    printf("[component] check %s\n", name);
    given = check;
    given_ctx = ctx;
    return ESP_OK;
}

static void *run(void *unused)
{
    bowline_health_t last = BOWLINE_HEALTH_PENDING;

    (void)unused;
    for (;;) {
        bowline_health_t said =
            given != NULL ? given(given_ctx) : BOWLINE_HEALTH_PENDING;

        if (said != last) {
            printf("[component] health %d\n", (int)said);
        }
        last = said;
        (void)pthread_mutex_lock(&lock);
        if (trial && said == BOWLINE_HEALTH_PASS) {
            (void)esp_ota_mark_app_valid_cancel_rollback();
            trial = false;
        }
        (void)pthread_mutex_unlock(&lock);
        (void)usleep(20000);
    }
    return NULL;
}

esp_err_t bowline_start(const bowline_config_t *config)
{
    esp_ota_img_states_t state = ESP_OTA_IMG_UNDEFINED;
    pthread_t thread;

    if (config->server == NULL || strncmp(config->server, "https://", 8)) {
        return ESP_ERR_INVALID_ARG;
    }
    printf("[component] server=%s pem=%s token=%s vendor=%s product=%s "
           "version=%s hardware=%s root=%zu id=%02x%02x\n",
           config->server, config->cert_pem, config->token, config->vendor,
           config->product, config->version, config->hardware,
           config->root_size, (unsigned)config->device_id[0],
           (unsigned)config->device_id[15]);
    (void)esp_ota_get_state_partition(esp_ota_get_running_partition(), &state);
    trial = state == ESP_OTA_IMG_PENDING_VERIFY;
    started = true;
    return pthread_create(&thread, NULL, run, NULL) == 0 ? ESP_OK : ESP_FAIL;
}

esp_err_t bowline_get_status(bowline_status_t *out)
{
    if (!started) {
        return ESP_FAIL;
    }
    (void)memset(out, 0, sizeof *out);
    (void)pthread_mutex_lock(&lock);
    out->trial = trial;
    (void)pthread_mutex_unlock(&lock);
    return ESP_OK;
}

esp_err_t bowline_reject(void)
{
    printf("[component] rejected\n");
    (void)esp_ota_mark_app_invalid_rollback_and_reboot();
    return ESP_FAIL;
}
