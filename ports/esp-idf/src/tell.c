/* SPDX-License-Identifier: Apache-2.0 */
/* What became of it, for the log, the event loop and bowline_get_status. */
#include "agent.h"

#include <string.h>

#include "esp_log.h"

static const char *const TAG = "bowline";

enum { EVENTS = 8 };

void bowline_post(bowline_event_t id, const char *state, bl_status reason,
                  const char *detail, uint64_t sequence)
{
    bowline_event_data_t data = {
        .state = state == NULL ? "" : state,
        .reason = bl_status_name(reason),
        .detail = detail == NULL ? bl_status_meaning(reason) : detail,
        .sequence = sequence,
    };

    /* A loop that is full or was never made is no reason to stop. */
    (void)esp_event_post(BOWLINE_EVENTS, (int32_t)id, &data, sizeof data, 0);
}

static void tell(const struct bl_event *event)
{
    const char *state = bl_device_state_name((bl_device_state)event->state);
    bl_status reason = (bl_status)event->code;

    if (reason == BL_OK) {
        ESP_LOGI(TAG, "release %lu: %s", (unsigned long)event->sequence,
                 state);
    } else {
        ESP_LOGW(TAG, "release %lu: %s: %s", (unsigned long)event->sequence,
                 state, bl_status_meaning(reason));
    }
    bowline_post(BOWLINE_EVENT_STATE, state, reason, NULL, event->sequence);
    if (event->state == BL_STATE_CONFIRMED) {
        bowline_post(BOWLINE_EVENT_CONFIRMED, state, reason, NULL,
                     event->sequence);
    } else if (event->state == BL_STATE_RETURNED) {
        bowline_post(BOWLINE_EVENT_RETURNED, state, reason, NULL,
                     event->sequence);
    }
}

void bowline_tell_events(struct bowline_agent *a)
{
    struct bl_event event[EVENTS];
    uint32_t n = 1;

    while (n > 0 && a->client.journal.next - 1 > a->told) {
        n = 0;
        if (bl_journal_read(&a->client.journal, a->told, event, EVENTS, &n) !=
            BL_OK) {
            return;
        }
        for (uint32_t i = 0; i < n; i++) {
            tell(&event[i]);
            a->told = event[i].number;
        }
    }
}

/* Once when it begins, once when it ends. */
void bowline_tell_server(struct bowline_agent *a, bl_todo done)
{
    const struct bowline_pump *pump = &a->pump;
    bool lost = pump->status != 200;

    if (done != BL_TODO_POLL || lost == a->lost) {
        return;
    }
    a->lost = lost;
    if (!lost) {
        ESP_LOGI(TAG, "the server answers");
        bowline_post(BOWLINE_EVENT_SERVER_FOUND, NULL, BL_OK, NULL, 0);
    } else if (pump->status == 0) {
        ESP_LOGW(TAG, "%s can not be reached: %s", a->config.server,
                 esp_err_to_name(pump->err));
        bowline_post(BOWLINE_EVENT_SERVER_LOST, NULL, BL_TRANSPORT, NULL, 0);
    } else {
        ESP_LOGW(TAG, "%s answers with status %d%s", a->config.server,
                 pump->status,
                 pump->status == 401 || pump->status == 403
                     ? ": is this device registered, with this token?"
                     : "");
        bowline_post(BOWLINE_EVENT_SERVER_LOST, NULL, BL_HTTP, NULL, 0);
    }
}

void bowline_tell_consent(struct bowline_agent *a)
{
    const struct bl_client *c = &a->client;
    bool open = c->wait == BL_WAIT_CONSENT && c->consent == BL_CONSENT_OPEN &&
                c->policy.consent;

    if (open && !a->asked) {
        ESP_LOGI(TAG, "release %lu waits for consent",
                 (unsigned long)c->sequence);
        bowline_post(BOWLINE_EVENT_CONSENT, "waiting", BL_OK, NULL,
                     c->sequence);
    }
    a->asked = open;
}

void bowline_tell_status(struct bowline_agent *a)
{
    const struct bl_client *c = &a->client;
    bowline_status_t now = {
        .state = bl_device_state_name(c->device_state),
        .sequence = c->sequence,
        .slot = a->running,
        .tries = c->state.tries,
        .stack_free = (uint32_t)uxTaskGetStackHighWaterMark(NULL),
        .trial = c->state.trial == a->running,
        .reached = c->reached,
    };

    if (c->device_state == BL_STATE_DOWNLOADING) {
        now.received = c->install.done;
        now.size = c->install.size;
    }
    (void)xSemaphoreTake(a->lock, portMAX_DELAY);
    a->status = now;
    (void)xSemaphoreGive(a->lock);
}
