/* SPDX-License-Identifier: Apache-2.0 */
#include "BowlineOTA.h"

#include <WiFi.h>
#include <esp_ota_ops.h>
#include <esp_system.h>
#include <esp_timer.h>

#include <new>

#include "BowlineFloor.h"
#include "BowlinePush.h"

#if ESP_ARDUINO_VERSION < ESP_ARDUINO_VERSION_VAL(2, 0, 0)
#error "Bowline needs the Arduino core for ESP32, 2.0.0 or later"
#endif
#ifndef CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE
#error "this core was built without CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE"
#endif

BowlineOTAClass BowlineOTA;

/* --- The hook ------------------------------------------------------------ */

/* On trial: started by the bootloader and not confirmed. Rearmed for another
 * try, it is NEW again. */
static bool image_on_trial()
{
    const esp_partition_t *running = esp_ota_get_running_partition();
    esp_ota_img_states_t state;

    return running != nullptr &&
           esp_ota_get_state_partition(running, &state) == ESP_OK &&
           (state == ESP_OTA_IMG_PENDING_VERIFY || state == ESP_OTA_IMG_NEW);
}

/* The deadline that holds when setup() or loop() hangs: a restart, and the
 * bootloader takes the image back, or gives it the next of its tries. */
static esp_timer_handle_t watch_timer;
enum { WATCH_MARGIN = 3 /* s */ };

static void too_late(void *)
{
    if (image_on_trial()) {
        esp_restart();
    }
}

void BowlineOTAClass::watch(uint64_t seconds)
{
    esp_timer_create_args_t args = {};

    args.callback = too_late;
    args.name = "bowline-trial";
    if (watch_timer == nullptr &&
        esp_timer_create(&args, &watch_timer) != ESP_OK) {
        watch_timer = nullptr;
        return;
    }
    (void)esp_timer_stop(watch_timer);
    if (seconds > 0) {
        (void)esp_timer_start_once(watch_timer, seconds * 1000000);
    }
}

/* What a managed sketch has here; set before the core starts. */
void (*bowline_before_setup)(void);

/*
 * Before setup() the core asks whether it shall judge a new image; it would
 * call each one good. In this file, beside the object that each sketch names,
 * so that the linker takes both or none.
 */
extern "C" bool verifyRollbackLater(void)
{
    if (bowline_before_setup != nullptr) {
        bowline_before_setup();
    }
    if (image_on_trial()) {
        BowlineOTAClass::watch(BowlineTrial::DEADLINE);
    }
    return true;
}

/* Not asked by a core that asks the other; one that did would have the image
 * judged before it has done anything, and "no" would be a false rollback. */
extern "C" bool verifyOta(void)
{
    return true;
}

/* --- Settings ------------------------------------------------------------ */

BowlineOTAClass::~BowlineOTAClass()
{
    delete push_;
}

BowlineOTAClass &BowlineOTAClass::setPort(uint16_t port)
{
    if (!begun_ && port != 0) {
        port_ = port;
    }
    return *this;
}

BowlineOTAClass &BowlineOTAClass::setHostname(const char *hostname)
{
    if (!begun_ && hostname != nullptr) {
        hostname_ = hostname;
    }
    return *this;
}

BowlineOTAClass &BowlineOTAClass::setPassword(const char *password)
{
    if (!begun_ && password != nullptr) {
        password_ = password;
    }
    return *this;
}

BowlineOTAClass &BowlineOTAClass::setPasswordHash(const char *hash)
{
    if (!begun_ && hash != nullptr) {
        password_hash_ = hash;
    }
    return *this;
}

BowlineOTAClass &BowlineOTAClass::setRebootOnSuccess(bool reboot)
{
    reboot_ = reboot;
    return *this;
}

BowlineOTAClass &BowlineOTAClass::setMdnsEnabled(bool enabled)
{
    mdns_ = enabled;
    return *this;
}

BowlineOTAClass &BowlineOTAClass::setPartitionLabel(const char *label)
{
    if (label != nullptr) {
        label_ = label;
    }
    return *this;
}

BowlineOTAClass &BowlineOTAClass::setRoot(const uint8_t *document, size_t n)
{
    root_ = document;
    root_n_ = n;
    return *this;
}

BowlineOTAClass &BowlineOTAClass::setProduct(const char *vendor,
                                             const char *product)
{
    vendor_ = vendor;
    product_ = product;
    return *this;
}

BowlineOTAClass &BowlineOTAClass::setDeveloperMode(bool on)
{
    developer_ = on;
    return *this;
}

BowlineOTAClass &BowlineOTAClass::setStrongPassword(bool on)
{
    strong_ = on;
    return *this;
}

BowlineOTAClass &BowlineOTAClass::onStart(THandlerFunction fn)
{
    start_ = fn;
    return *this;
}

BowlineOTAClass &BowlineOTAClass::onEnd(THandlerFunction fn)
{
    end_ = fn;
    return *this;
}

BowlineOTAClass &BowlineOTAClass::onProgress(THandlerFunction_Progress fn)
{
    progress_ = fn;
    return *this;
}

BowlineOTAClass &BowlineOTAClass::onError(THandlerFunction_Error fn)
{
    error_ = fn;
    return *this;
}

BowlineOTAClass &BowlineOTAClass::onConfirm(THandlerFunction fn)
{
    confirm_ = fn;
    return *this;
}

BowlineOTAClass &BowlineOTAClass::onReturn(THandlerFunction_Text fn)
{
    return_ = fn;
    return *this;
}

BowlineOTAClass &BowlineOTAClass::onNetworkUp(THandlerFunction_Ready fn)
{
    up_ = fn;
    return *this;
}

BowlineOTAClass &
BowlineOTAClass::onHealthCheck(const char *name,
                               std::function<BowlineHealth(void)> check)
{
    if (!trial_.add(name, check)) {
        log_e("health check %s: there is room for %d", name,
              (int)BowlineTrial::CHECKS);
    }
    return *this;
}

BowlineOTAClass &BowlineOTAClass::onHealthCheck(const char *name,
                                                std::function<bool(void)> ok)
{
    return onHealthCheck(name, std::function<BowlineHealth(void)>([ok] {
                             return ok() ? BowlineHealth::Pass
                                         : BowlineHealth::Pending;
                         }));
}

BowlineOTAClass &BowlineOTAClass::setConfirmDeadline(uint32_t seconds)
{
    trial_.setDeadline(seconds);
    return *this;
}

BowlineOTAClass &BowlineOTAClass::setHealthInterval(uint32_t seconds)
{
    trial_.setInterval(seconds);
    return *this;
}

void BowlineOTAClass::sayError(ota_error_t error)
{
    if (error_) {
        error_(error);
    }
}

/* --- The trial ----------------------------------------------------------- */

bool BowlineOTAClass::networkUp()
{
    return up_ ? up_() : WiFi.status() == WL_CONNECTED;
}

void BowlineOTAClass::beginTrial()
{
    if (looked_) {
        return;
    }
    looked_ = true;
    if (image_on_trial()) {
        log_i("a new image, on trial");
        trial_.begin((uint32_t)millis());
        /* handle() comes first, when it is called. */
        watch(trial_.deadline() + 2 * (uint64_t)trial_.interval() +
              WATCH_MARGIN);
    }
}

void BowlineOTAClass::goBack(const char *why)
{
    log_e("the new image goes back: %s", why);
    if (return_) {
        return_(why);
    }
    /* Returns only when there is nothing to go back to. */
    (void)esp_ota_mark_app_invalid_rollback_and_reboot();
    log_e("there is no other image to go back to");
}

void BowlineOTAClass::handleTrial()
{
    if (!trial_.running()) {
        return;
    }
    switch (trial_.handle((uint32_t)millis(), networkUp())) {
    case BowlineTrial::Verdict::Confirmed:
        watch(0);
        if (esp_ota_mark_app_valid_cancel_rollback() != ESP_OK) {
            log_e("the image cannot be confirmed: otadata is not writable");
            break;
        }
        bowline_floor_confirm();
        log_i("the new image is confirmed");
        if (confirm_) {
            confirm_();
        }
        break;
    case BowlineTrial::Verdict::Return:
        watch(0);
        goBack(trial_.why());
        break;
    default:
        break;
    }
}

/* --- Running ------------------------------------------------------------- */

static String default_hostname()
{
    char name[24];
    uint8_t mac[6] = {0, 0, 0, 0, 0, 0};

    WiFi.macAddress(mac);
    snprintf(name, sizeof name, "esp32-%02x%02x%02x%02x%02x%02x", mac[0],
             mac[1], mac[2], mac[3], mac[4], mac[5]);
    return String(name);
}

/* Over the serial line, not the log: the core's log may be compiled out. */
static void say_developer_mode(bool password)
{
    Serial.println("*** Bowline: DEVELOPER MODE. Pushes are not checked for a "
                   "signature:");
    Serial.println(password
                       ? "*** whoever knows the password may install anything."
                       : "*** whoever is on this network may install "
                         "anything.");
    Serial.println("*** Not for devices that leave the bench.");
}

bool BowlineOTAClass::begin()
{
    if (managed_ != nullptr) {
        log_e("no pushes: this device gets its releases from a server");
        return false;
    }
    beginTrial();
    if (begun_) {
        return true;
    }
    if (!developer_ && (root_ == nullptr || product_ == nullptr)) {
        log_e("no pushes: nothing says whose signatures count; setRoot() and "
              "setProduct(), or setDeveloperMode(true) on the bench");
        return false;
    }
    if (developer_) {
        say_developer_mode(password_.length() + password_hash_.length() > 0);
    }
    if (hostname_.length() == 0) {
        hostname_ = default_hostname();
    }
    if (push_ == nullptr) {
        push_ = new (std::nothrow) BowlinePush(*this);
    }
    if (push_ == nullptr || !push_->begin()) {
        return false;
    }
    begun_ = true;
    log_i("pushes: %s.local:%u", hostname_.c_str(), (unsigned)port_);
    return true;
}

void BowlineOTAClass::end()
{
    if (begun_) {
        push_->end();
    }
    begun_ = false;
}

void BowlineOTAClass::handle()
{
    if (managed_ != nullptr) {
        (this->*managed_)();
        return;
    }
    handleTrial();
    if (begun_) {
        push_->handle();
    }
}
