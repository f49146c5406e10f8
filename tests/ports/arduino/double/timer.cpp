/* SPDX-License-Identifier: Apache-2.0 */
/* esp_timer's one-shot timers: a thread each, as the real one has a task. */
#include "esp_timer.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

struct esp_timer {
    esp_timer_create_args_t args;
    std::mutex lock;
    std::condition_variable changed;
    uint64_t armed = 0; /* counts the starts and stops */
};

esp_err_t esp_timer_create(const esp_timer_create_args_t *args,
                           esp_timer_handle_t *out)
{
    *out = new esp_timer;
    (*out)->args = *args;
    return ESP_OK;
}

esp_err_t esp_timer_start_once(esp_timer_handle_t timer, uint64_t us)
{
    std::unique_lock<std::mutex> held(timer->lock);
    uint64_t mine = ++timer->armed;

    std::thread([timer, us, mine] {
        std::unique_lock<std::mutex> lock(timer->lock);

        if (!timer->changed.wait_for(
                lock, std::chrono::microseconds(us),
                [timer, mine] { return timer->armed != mine; })) {
            timer->args.callback(timer->args.arg);
        }
    }).detach();
    return ESP_OK;
}

esp_err_t esp_timer_stop(esp_timer_handle_t timer)
{
    std::unique_lock<std::mutex> held(timer->lock);

    timer->armed++;
    timer->changed.notify_all();
    return ESP_OK;
}
