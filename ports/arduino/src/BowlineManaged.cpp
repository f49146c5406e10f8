/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The managed pull: the ESP-IDF component (bowline_esp.h), started by a
 * sketch. It has a task of its own; the sketch's checks are asked in loop()
 * and their last word is what that task is told.
 */
#include <esp_event.h>

#include <atomic>

#include "BowlineOTA.h"
#include "bowline_esp.h"

/* A word that is older than so many intervals does not count: loop() hangs. */
enum { STALE = 3 };

static std::atomic<uint8_t> last_word(0);
static std::atomic<uint32_t> said_ms(0);
static std::atomic<uint32_t> interval_ms(10000);

static bowline_health_t ask_loop(void *)
{
    uint32_t age = (uint32_t)millis() - said_ms.load();

    if (age > STALE * interval_ms.load() + 1000) {
        return BOWLINE_HEALTH_PENDING;
    }
    return (bowline_health_t)last_word.load();
}

static bool complete(const BowlineManaged &s)
{
    if (s.version == nullptr || s.version[0] == '\0') {
        log_e("beginManaged: version is missing: what `bowline release "
              "--version` is given");
        return false;
    }
    return true;
}

bool BowlineOTAClass::startManaged(const BowlineManaged &s)
{
    bowline_config_t config = {};
    esp_err_t err;

    if (begun_) {
        log_e("beginManaged: begin() has been called: one or the other");
        return false;
    }
    if (!complete(s)) {
        return false;
    }
#ifndef CONFIG_MBEDTLS_SSL_PROTO_TLS1_3
    log_e(
        "beginManaged: this core's TLS ends at 1.2, a bowlined asks for 1.3");
#endif
    config.server = s.server;
    config.cert_pem = s.certPem;
    config.token = s.token;
    config.vendor = s.vendor;
    config.product = s.product;
    config.hardware = s.hardware;
    config.version = s.version;
    config.root = s.root;
    config.root_size = s.rootSize;
    memcpy(config.device_id, s.deviceId, sizeof config.device_id);
    interval_ms = trial_.interval() * 1000;
    /* It is there already when the sketch has started WiFi. */
    (void)esp_event_loop_create_default();
    err = trial_.count() == 0
              ? ESP_OK
              : bowline_health_check("sketch", ask_loop, nullptr);
    if (err == ESP_OK) {
        err = bowline_start(&config);
    }
    if (err != ESP_OK) {
        log_e("beginManaged: not started, error 0x%x", (unsigned)err);
        return false;
    }
    /* The component has a deadline of its own; this is for what hangs. */
    watch(trial_.deadline() + 60);
    return true;
}

void BowlineOTAClass::handleManaged()
{
    bowline_status_t status;
    const char *which = "";
    uint32_t now = (uint32_t)millis();
    bool due = now - said_ms.load() >= interval_ms.load() || said_ms == 0;

    if (!due || bowline_get_status(&status) != ESP_OK) {
        return;
    }
    if (managed_trial_ && !status.trial) {
        watch(0);
        if (confirm_) {
            confirm_();
        }
    }
    managed_trial_ = status.trial;
    if (trial_.givenUp() && status.trial) {
        log_e("the new image goes back: %s", trial_.why());
        (void)bowline_reject();
        trial_.takeBack();
    }
    if (status.trial && trial_.count() > 0) {
        last_word = (uint8_t)trial_.ask(&which);
    }
    said_ms = now == 0 ? 1 : now;
}
