/* SPDX-License-Identifier: Apache-2.0 */
/* FreeRTOS of one task, time, log, events, identity. */
#include "chip.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bowline_esp.h"
#include "esp_app_desc.h"
#include "esp_log.h"
#include "esp_mac.h"
#include "esp_timer.h"
#include "freertos/semphr.h"
#include "freertos/task.h"

/* --- Time ---------------------------------------------------------------- */

void double_wait(uint64_t us)
{
    chip.now_us += us;
    if (chip.now_us >= chip.until_us) {
        chip_leave(CHIP_QUIET);
    }
}

int64_t esp_timer_get_time(void)
{
    chip.now_us++; /* a loop that waits for time to pass comes to an end */
    return (int64_t)(chip.now_us - chip.start_us);
}

/* --- FreeRTOS ------------------------------------------------------------ */

BaseType_t xTaskCreate(void (*run)(void *arg), const char *name,
                       uint32_t stack, void *arg, UBaseType_t priority,
                       TaskHandle_t *task)
{
    (void)name;
    (void)priority;
    chip.task = run;
    chip.task_arg = arg;
    chip.task_stack = stack;
    *task = (TaskHandle_t)&chip; /* any that is one */
    return pdPASS;
}

void vTaskDelete(TaskHandle_t task)
{
    (void)task;
}

void vTaskDelay(TickType_t ticks)
{
    double_wait((uint64_t)ticks * 1000000U / configTICK_RATE_HZ);
}

uint32_t ulTaskNotifyTake(BaseType_t clear, TickType_t ticks)
{
    (void)clear;
    vTaskDelay(ticks);
    return 0;
}

UBaseType_t uxTaskGetStackHighWaterMark(TaskHandle_t task)
{
    (void)task;
    return chip.task_stack; /* a host's frames say nothing */
}

BaseType_t xTaskNotifyGive(TaskHandle_t task)
{
    (void)task;
    return pdPASS;
}

SemaphoreHandle_t xSemaphoreCreateMutexStatic(StaticSemaphore_t *memory)
{
    return memory;
}

BaseType_t xSemaphoreTake(SemaphoreHandle_t lock, TickType_t ticks)
{
    (void)lock;
    (void)ticks;
    return pdPASS;
}

BaseType_t xSemaphoreGive(SemaphoreHandle_t lock)
{
    (void)lock;
    return pdPASS;
}

/* --- Log and events ------------------------------------------------------ */

const char *esp_err_to_name(esp_err_t code)
{
    static char text[16];

    (void)snprintf(text, sizeof text, "0x%x", (unsigned)code);
    return text;
}

void double_log(char level, const char *tag, const char *format, ...)
{
    va_list args;

    chip.errors += level == 'E';
    if (!chip.verbose) {
        return;
    }
    (void)fprintf(stderr, "%c (%llu) %s: ", level,
                  (unsigned long long)(chip.now_us / 1000), tag);
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fputc('\n', stderr);
}

esp_err_t esp_event_post(esp_event_base_t base, int32_t id, const void *data,
                         size_t size, TickType_t wait)
{
    const bowline_event_data_t *event = data;

    (void)wait;
    if (base != BOWLINE_EVENTS || size != sizeof *event || id < 0 ||
        id >= 32) {
        return ESP_ERR_INVALID_ARG;
    }
    chip.posted[id]++;
    if ((id == BOWLINE_EVENT_CONSENT && chip.agrees &&
         bowline_consent(true) != ESP_OK) ||
        (id == BOWLINE_EVENT_TRIAL && chip.rejects &&
         bowline_reject() != ESP_OK)) {
        chip_leave(CHIP_CRASH);
    }
    if (id == BOWLINE_EVENT_STOPPED && chip.stop_at_stopped) {
        chip_leave(CHIP_QUIET);
    }
    if (id == BOWLINE_EVENT_RETURNED) {
        (void)snprintf(chip.last_reason, sizeof chip.last_reason, "%s",
                       event->reason);
        if (chip.yields) {
            chip.server.wanted = SIM_R1;
        }
        if (chip.stop_at_return) {
            chip_leave(CHIP_QUIET);
        }
    }
    return ESP_OK;
}

/* --- Identity ------------------------------------------------------------ */

esp_err_t esp_efuse_mac_get_default(uint8_t mac[6])
{
    static const uint8_t own[6] = {0x24, 0x0a, 0xc4, 1, 2, 3};

    memcpy(mac, own, 6);
    return ESP_OK;
}

const esp_app_desc_t *esp_app_get_description(void)
{
    static esp_app_desc_t description;
    enum sim_release_name name = chip_image(chip.running);

    (void)snprintf(description.version, sizeof description.version, "%s",
                   name == SIM_R_NONE
                       ? "0.0.0"
                       : chip.server.fixture->release[name].version);
    return &description;
}
