/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bowline for ESP-IDF: managed firmware updates of an ESP32.
 *
 *   void app_main(void)
 *   {
 *       bowline_config_t config = BOWLINE_CONFIG_DEFAULT();
 *
 *       config.server = "https://updates.example.com:8443";
 *       config.cert_pem = server_pem;
 *       ...
 *       ESP_ERROR_CHECK(bowline_health_check("sensor", sensor_works, NULL));
 *       ESP_ERROR_CHECK(bowline_start(&config));
 *   }
 *
 * Call bowline_start when the default event loop runs; the network may come
 * later. All work is done in one task of CONFIG_BOWLINE_TASK_STACK bytes of
 * stack: health checks are called from it, events are posted from it to the
 * default event loop. The functions here may be called from any task.
 *
 * A new image gets three boots (CONFIG_BOWLINE_BOOT_TRIES) and ten minutes
 * (CONFIG_BOWLINE_CONFIRM_DEADLINE) in which all health checks must pass at
 * once; otherwise the device goes back to the image before. How that is done
 * on top of ESP-IDF's own rollback: ports/esp-idf/src/trial.h.
 */
#ifndef BOWLINE_ESP_H
#define BOWLINE_ESP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "esp_event.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- Events -------------------------------------------------------------- */

ESP_EVENT_DECLARE_BASE(BOWLINE_EVENTS);

/* Data of each: const bowline_event_data_t *. */
typedef enum {
    BOWLINE_EVENT_STATE,     /* every step, as the server is told of it */
    BOWLINE_EVENT_TRIAL,     /* this boot is a trial of a new image */
    BOWLINE_EVENT_CONFIRMED, /* the new image has proved itself */
    BOWLINE_EVENT_RETURNED,  /* it has not; what runs now, or after the
                                restart, is the image before */
    BOWLINE_EVENT_CONSENT,   /* an update waits for bowline_consent */
    BOWLINE_EVENT_SERVER_LOST,
    BOWLINE_EVENT_SERVER_FOUND,
    BOWLINE_EVENT_RESTART, /* posted right before the restart */
    BOWLINE_EVENT_STOPPED  /* no updates until the next boot: `detail` */
} bowline_event_t;

typedef struct {
    const char *state;  /* "offered", "downloading", ...: docs/PROTOCOL.md */
    const char *reason; /* "ok", "health", "confirm-deadline", ... */
    const char *detail; /* the same in words */
    uint64_t sequence;  /* of the release, 0: none */
} bowline_event_data_t;

/* --- Configuration ------------------------------------------------------- */

typedef struct {
    const char *server;   /* https://host:port, no '/' at the end */
    const char *cert_pem; /* the server's certificate, or its CA's: pinned */
    /* In its place: esp_crt_bundle_attach. Neither of both: refused. */
    esp_err_t (*crt_bundle_attach)(void *conf);
    const char *token;    /* of this device, from its registration */
    const char *vendor;   /* domain name, as given to `bowline init` */
    const char *product;  /* as given to `bowline init` */
    const char *hardware; /* revision, at most 31 characters */
    const char *version;  /* NULL: the application descriptor's */
    /* All zero: made of the chip's MAC address (bowline_device_id). */
    uint8_t device_id[16];
    /* The product's first root document (EMBED_FILES); taken when flash holds
     * none yet, and never again. */
    const uint8_t *root;
    size_t root_size;
} bowline_config_t;

#define BOWLINE_CONFIG_DEFAULT()                                              \
    (bowline_config_t)                                                        \
    {                                                                         \
        .hardware = "1",                                                      \
    }

/*
 * Starts the task, which first settles what the last boot has left, and may
 * restart the device for that: when a switch to another image was cut short.
 * What goes wrong there is logged, and posted as BOWLINE_EVENT_STOPPED. The
 * texts and the root document must stay.
 *   ESP_ERR_INVALID_ARG    a setting is missing or wrong: see the log
 *   ESP_ERR_INVALID_STATE  already started
 *   ESP_ERR_NOT_FOUND      the partition table lacks "bowline", ota_0 or ota_1
 *   ESP_ERR_NO_MEM         for the buffers, or the task
 */
esp_err_t bowline_start(const bowline_config_t *config);

/*
 * Counts this boot when it is one of a trial, and lets the next one be another
 * try. Called before app_main by a constructor (CONFIG_BOWLINE_EARLY_HOOK);
 * without that option call it first thing in app_main. An image that dies
 * before it is rolled back by ESP-IDF's bootloader at the next reset. Twice
 * does no harm.
 */
void bowline_early_hook(void);

/* --- Health checks ------------------------------------------------------- */

typedef enum {
    BOWLINE_HEALTH_PENDING, /* cannot say yet */
    BOWLINE_HEALTH_PASS,
    BOWLINE_HEALTH_FAIL
} bowline_health_t;

/*
 * Before bowline_start, at most CONFIG_BOWLINE_HEALTH_CHECKS. On trial all are
 * asked every ten seconds; when all pass in one round the image is confirmed,
 * three rounds with a failure return the device. None registered: confirmed
 * when the server has answered with a valid ticket. `name` must stay.
 */
esp_err_t bowline_health_check(const char *name,
                               bowline_health_t (*check)(void *ctx),
                               void *ctx);
/* One to register: passes when the server has answered in this boot. */
bowline_health_t bowline_check_server(void *ctx);

/* --- At any time --------------------------------------------------------- */

typedef struct {
    const char *state;   /* as in events */
    uint64_t sequence;   /* of the release being worked on */
    uint32_t received;   /* bytes of its payload in flash */
    uint32_t size;       /* 0: not known */
    uint8_t slot;        /* that runs: 0 for ota_0, 1 for ota_1 */
    uint8_t tries;       /* boots that are left, on trial */
    uint32_t stack_free; /* bytes of the task's stack that were never used */
    bool trial;
    bool reached; /* the server has answered in this boot */
} bowline_status_t;

esp_err_t bowline_get_status(bowline_status_t *out);
/* Ask the server now. */
esp_err_t bowline_poll(void);
/* What a person says of BOWLINE_EVENT_CONSENT. */
esp_err_t bowline_consent(bool yes);
/* The application's own verdict on a trial: back to the image before. */
esp_err_t bowline_reject(void);
/* For bowline_config_t: SHA-256 of "bowline-esp" and the MAC, 16 bytes. */
esp_err_t bowline_device_id(uint8_t id[16]);

#ifdef __cplusplus
}
#endif

#endif
