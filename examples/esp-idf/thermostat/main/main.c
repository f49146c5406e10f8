/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thermostat that takes updates. A new firmware has three boots and ten
 * minutes to show that its sensor works and that it reaches its server; else
 * the device goes back to the firmware before.
 */
#include <stdbool.h>
#include <string.h>

#include "bowline_esp.h"
#include "esp_event.h"
#include "esp_log.h"
#include "esp_netif.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "nvs_flash.h"
#include "protocol_examples_common.h"

static const char *const TAG = "thermostat";

/* EMBED_TXTFILES and EMBED_FILES of main/CMakeLists.txt. */
extern const char ca_pem[] __asm__("_binary_ca_pem_start");
extern const char token_txt[] __asm__("_binary_token_txt_start");
extern const uint8_t root_start[] __asm__("_binary_root_cbor_start");
extern const uint8_t root_end[] __asm__("_binary_root_cbor_end");

/* In the place of a driver: a sensor that answers, in tenths of a degree. */
static int read_sensor(void)
{
    static int now = 210;

    now = now == 215 ? 205 : now + 1;
    return now;
}

static bowline_health_t sensor_works(void *ctx)
{
    int tenths = read_sensor();

    (void)ctx;
    return tenths > -400 && tenths < 850 ? BOWLINE_HEALTH_PASS
                                         : BOWLINE_HEALTH_FAIL;
}

static void on_update(void *ctx, esp_event_base_t base, int32_t id, void *data)
{
    const bowline_event_data_t *event = data;

    (void)ctx;
    (void)base;
    switch (id) {
    case BOWLINE_EVENT_TRIAL:
        ESP_LOGW(TAG, "new firmware, on trial");
        break;
    case BOWLINE_EVENT_RETURNED:
        ESP_LOGE(TAG, "it was given up: %s", event->detail);
        break;
    case BOWLINE_EVENT_RESTART:
        ESP_LOGI(TAG, "valves to their safe position before the restart");
        break;
    default:
        break;
    }
}

static void start_updates(void)
{
    static char token[128];
    bowline_config_t config = BOWLINE_CONFIG_DEFAULT();

    /* A text file ends with a line break, a token does not. */
    strncpy(token, token_txt, sizeof token - 1);
    token[strcspn(token, "\r\n")] = '\0';
    config.server = CONFIG_THERMOSTAT_SERVER;
    config.cert_pem = ca_pem;
    config.token = token;
    config.vendor = CONFIG_THERMOSTAT_VENDOR;
    config.product = "thermostat";
    config.root = root_start;
    config.root_size = (size_t)(root_end - root_start);
    ESP_ERROR_CHECK(bowline_health_check("sensor", sensor_works, NULL));
    ESP_ERROR_CHECK(
        bowline_health_check("server", bowline_check_server, NULL));
    ESP_ERROR_CHECK(bowline_start(&config));
}

void app_main(void)
{
    ESP_ERROR_CHECK(nvs_flash_init());
    ESP_ERROR_CHECK(esp_netif_init());
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    ESP_ERROR_CHECK(esp_event_handler_register(
        BOWLINE_EVENTS, ESP_EVENT_ANY_ID, on_update, NULL));
    start_updates(); /* before the network: its trial's deadline runs */
    ESP_ERROR_CHECK(example_connect());
    for (;;) {
        int tenths = read_sensor();

        ESP_LOGI(TAG, "%d.%d degrees", tenths / 10, tenths % 10);
        vTaskDelay(pdMS_TO_TICKS(10000));
    }
}
