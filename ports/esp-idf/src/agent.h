/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one task: its memory, and what it does. agent.c runs the client,
 * tell.c says what became of it.
 */
#ifndef BOWLINE_ESP_AGENT_H
#define BOWLINE_ESP_AGENT_H

#include <stdatomic.h>

#include "freertos/FreeRTOS.h"
#include "freertos/semphr.h"
#include "freertos/task.h"
#include "sdkconfig.h"

#include "pump.h"
#include "store.h"

#ifndef CONFIG_BOWLINE_DELTA_MEMORY
#define CONFIG_BOWLINE_DELTA_MEMORY 0
#endif

/* What other tasks ask for: bits. */
enum {
    BOWLINE_ASK_POLL = 1,
    BOWLINE_ASK_YES = 2,
    BOWLINE_ASK_NO = 4,
    BOWLINE_ASK_BACK = 8
};

struct bowline_agent {
    bowline_config_t config;
    struct bowline_store store;
    struct bl_client client;
    struct bowline_pump pump;
    uint8_t vendor_id[16];
    uint8_t class_id[16];
    uint8_t running;  /* slot */
    bool trial;       /* the running image was, when last looked at */
    bool lost;        /* the server does not answer as it should */
    bool asked;       /* for consent, of the update on offer */
    uint32_t told;    /* number of the last event that was posted */
    atomic_uint asks; /* by other tasks */
    TaskHandle_t task;
    SemaphoreHandle_t lock; /* of `status` */
    StaticSemaphore_t lock_memory;
    bowline_status_t status;
#if CONFIG_BOWLINE_DELTA_MEMORY > 0
    uint64_t delta[CONFIG_BOWLINE_DELTA_MEMORY / sizeof(uint64_t)];
#endif
    uint8_t envelope[CONFIG_BOWLINE_ENVELOPE_SIZE];
    uint8_t root[BL_ROOT_AREA];
    uint8_t io[CONFIG_BOWLINE_IO_SIZE];
    uint8_t message[BL_CLIENT_MESSAGE];
    uint8_t buffer[CONFIG_BOWLINE_BUFFER_SIZE];
};

struct bowline_check { /* as it was registered */
    bowline_health_t (*check)(void *ctx);
    void *ctx;
};

struct bowline_health {
    struct bl_health_check check[CONFIG_BOWLINE_HEALTH_CHECKS];
    struct bowline_check given[CONFIG_BOWLINE_HEALTH_CHECKS];
    uint32_t n;
};

extern struct bowline_health bowline_health;
extern struct bowline_agent *bowline_agent; /* NULL: not started */

/* Starts the task. */
esp_err_t bowline_agent_start(struct bowline_agent *agent);
/* Reads or makes what the client needs in flash, and starts it. */
esp_err_t bowline_agent_open(struct bowline_agent *agent);
/* New events to the log and the event loop; the server's silence; consent. */
void bowline_tell_events(struct bowline_agent *agent);
void bowline_tell_server(struct bowline_agent *agent, bl_todo done);
void bowline_tell_consent(struct bowline_agent *agent);
void bowline_tell_status(struct bowline_agent *agent);
void bowline_post(bowline_event_t id, const char *state, bl_status reason,
                  const char *detail, uint64_t sequence);

#endif
