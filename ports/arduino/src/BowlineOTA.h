/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bowline for the Arduino core for ESP32: updates pushed over the local
 * network as with ArduinoOTA, updates pulled from a bowlined, and a new image
 * that is kept only when it has shown that it works.
 *
 *   void setup() {
 *     BowlineOTA.setHostname("thermostat").setPassword("...");
 *     BowlineOTA.setDeveloperMode(true);  // or setRoot(...): see below
 *     BowlineOTA.onHealthCheck("sensor", [] { return sensor.answers(); });
 *     BowlineOTA.begin();
 *   }
 *   void loop() { BowlineOTA.handle(); }
 *
 * The Arduino core confirms each new image before setup(). With this library
 * it does not: handle() confirms it, after the health checks. A sketch that
 * includes this header and never calls begin() and handle() is never
 * confirmed, and the bootloader goes back at the next reset.
 *
 * Names and meanings are ArduinoOTA's where it has them.
 */
#ifndef BOWLINE_OTA_H
#define BOWLINE_OTA_H

#ifdef __ARDUINO_OTA_H
#error "include BowlineOTA.h in place of ArduinoOTA.h: both want the same port"
#endif

#include <Arduino.h>
#include <Update.h>

#include <functional>

#include "BowlineTrial.h"

typedef enum {
    OTA_AUTH_ERROR,
    OTA_BEGIN_ERROR,
    OTA_CONNECT_ERROR,
    OTA_RECEIVE_ERROR,
    OTA_END_ERROR
} ota_error_t;

/*
 * A device of a fleet: what it asks, and what it believes. The texts and the
 * root document must stay.
 */
struct BowlineManaged {
    const char *server = nullptr;  /* https://host:port, no '/' at the end */
    const char *certPem = nullptr; /* the server's certificate, or its CA's */
    const char *token = nullptr;   /* of this device, from its registration */
    const char *vendor = nullptr;  /* as `bowline init` was given them */
    const char *product = nullptr;
    /* Of this sketch, as `bowline release --version` says it. The image's own
     * descriptor does not: with Arduino it is the SDK's. */
    const char *version = nullptr;
    const char *hardware = "1";
    const uint8_t *root = nullptr; /* the product's first root document */
    size_t rootSize = 0;
    uint8_t deviceId[16] = {}; /* all zero: made of the MAC address */
};

struct BowlinePush; /* private */

/* The core's weak function, taken over in BowlineOTA.cpp. */
extern "C" bool verifyRollbackLater(void);

class BowlineOTAClass
{
  public:
    typedef std::function<void(void)> THandlerFunction;
    typedef std::function<void(ota_error_t)> THandlerFunction_Error;
    typedef std::function<void(unsigned int, unsigned int)>
        THandlerFunction_Progress;
    typedef std::function<void(const char *)> THandlerFunction_Text;
    typedef std::function<bool(void)> THandlerFunction_Ready;

    /* --- As ArduinoOTA; to be set before begin() ------------------------- */

    BowlineOTAClass &setPort(uint16_t port);            /* 3232 */
    BowlineOTAClass &setHostname(const char *hostname); /* esp32-<mac> */
    BowlineOTAClass &setPassword(const char *password); /* none */
    /* MD5 or SHA-256 of the password, in hex. */
    BowlineOTAClass &setPasswordHash(const char *hash);
    BowlineOTAClass &setRebootOnSuccess(bool reboot); /* true */
    BowlineOTAClass &setMdnsEnabled(bool enabled);    /* true */
    BowlineOTAClass &setPartitionLabel(const char *label);
    BowlineOTAClass &onStart(THandlerFunction fn);
    BowlineOTAClass &onEnd(THandlerFunction fn);
    BowlineOTAClass &onProgress(THandlerFunction_Progress fn);
    BowlineOTAClass &onError(THandlerFunction_Error fn);
    String getHostname()
    {
        return hostname_;
    }
    /* U_FLASH or U_SPIFFS, once a push has begun. */
    int getCommand()
    {
        return command_;
    }

    /* Listens for pushes. False, and a line that says why, when nothing
     * could tell a good push from a bad one: neither setRoot nor developer
     * mode. */
    bool begin();
    void end();
    /* In loop(). A push is taken within one call, as ArduinoOTA does. */
    void handle();

    /* --- A managed device ------------------------------------------------ */

    /*
     * In place of begin(): asks a bowlined for releases from a task of its
     * own, as the ESP-IDF component does. The partition table needs a
     * partition "bowline" (docs/ESP32.md); a new image has three boots then.
     * Health checks are asked in handle() all the same, never from another
     * task. False, and a line that says why: it was not started. A template,
     * so that only a sketch that calls it carries the client.
     */
    template <class Settings> bool beginManaged(const Settings &settings);

    /* --- What may be pushed ---------------------------------------------- */

    /* Whose signatures count: the root document, as bytes. Pushes must then
     * be signed releases of this product (`bowline push` makes them), not
     * older than the newest that was confirmed here. What is given must
     * stay. */
    BowlineOTAClass &setRoot(const uint8_t *document, size_t n);
    /* As `bowline init` was given them: "example.com", "thermostat". */
    BowlineOTAClass &setProduct(const char *vendor, const char *product);
    /* For the bench: whoever knows the password (or, without one, whoever
     * is on the network) may install anything. Says so at each begin(). */
    BowlineOTAClass &setDeveloperMode(bool on);
    /* Tools before 2025 know MD5 only, which is the default as it is
     * ArduinoOTA's. True: SHA-256 (PBKDF2), and older tools cannot push. */
    BowlineOTAClass &setStrongPassword(bool on);

    /* --- The trial of a new image ---------------------------------------- */

    /* Asked each ten seconds while the image is on trial; all pass: it is
     * confirmed. A check that returns bool: false is "not yet". Without any
     * check, a network that is up confirms: the device can be reached for
     * the next update. */
    BowlineOTAClass &onHealthCheck(const char *name,
                                   std::function<BowlineHealth(void)> check);
    BowlineOTAClass &onHealthCheck(const char *name,
                                   std::function<bool(void)> check);
    /* The image has proved itself: called once, before the next loop(). */
    BowlineOTAClass &onConfirm(THandlerFunction fn);
    /* Why a pushed image goes back, just before the restart. What becomes of
     * a managed one, the server is told. */
    BowlineOTAClass &onReturn(THandlerFunction_Text fn);
    /* Seconds until an image that is not confirmed goes back: 600. A timer
     * apart from loop(), so that it holds when loop() hangs. */
    BowlineOTAClass &setConfirmDeadline(uint32_t seconds);
    BowlineOTAClass &setHealthInterval(uint32_t seconds); /* 10 */
    /* Replaces "the network is up" (WiFi) where there is another one. */
    BowlineOTAClass &onNetworkUp(THandlerFunction_Ready fn);
    bool onTrial() const
    {
        return trial_.running() || managed_trial_;
    }
    /* The sketch knows better: back, at the next handle(). */
    void giveUp(const char *why)
    {
        trial_.giveUp(why);
    }

    ~BowlineOTAClass();

  private:
    friend struct BowlinePush;

    bool startManaged(const BowlineManaged &settings);
    void handleManaged();
    /* The deadline that holds when loop() hangs; 0: none. */
    static void watch(uint64_t seconds);
    friend bool ::verifyRollbackLater(void);

    bool networkUp();
    void beginTrial();
    void handleTrial();
    void goBack(const char *why);
    void sayError(ota_error_t error);

    uint16_t port_ = 3232;
    String hostname_;
    String password_;
    String password_hash_;
    String label_;
    const uint8_t *root_ = nullptr;
    size_t root_n_ = 0;
    const char *vendor_ = nullptr;
    const char *product_ = nullptr;
    bool developer_ = false;
    bool strong_ = false;
    bool reboot_ = true;
    bool mdns_ = true;
    bool begun_ = false;
    bool looked_ = false; /* at the running image's state */
    bool managed_trial_ = false;
    void (BowlineOTAClass::*managed_)() = nullptr;
    int command_ = U_FLASH;

    THandlerFunction start_, end_, confirm_;
    THandlerFunction_Progress progress_;
    THandlerFunction_Error error_;
    THandlerFunction_Text return_;
    THandlerFunction_Ready up_;

    BowlineTrial trial_;
    BowlinePush *push_ = nullptr;
};

extern BowlineOTAClass BowlineOTA;

/* Before setup(), on a managed device: counts the boots of a trial. */
extern "C" void bowline_early_hook(void);
extern void (*bowline_before_setup)(void);

template <class Settings> struct BowlineEarly {
    static const bool set;
};
template <class Settings>
const bool BowlineEarly<Settings>::set =
    (bowline_before_setup = bowline_early_hook, true);

template <class Settings>
bool BowlineOTAClass::beginManaged(const Settings &settings)
{
    managed_ = &BowlineOTAClass::handleManaged;
    return BowlineEarly<Settings>::set && startManaged(settings);
}

/* Names the object file that verifyRollbackLater is in: an archive's member
 * that nobody names is not linked, and the core's own would stand. */
static const void *const bowline_takes_the_hook __attribute__((used)) =
    &BowlineOTA;

#endif
