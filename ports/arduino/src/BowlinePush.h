/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device's side of a push: sockets and Update around the machine of
 * bowline/arduino_ota.h. Private to the library.
 */
#ifndef BOWLINE_PUSH_H
#define BOWLINE_PUSH_H

#include <WiFi.h>
#include <WiFiUdp.h>

#include "BowlineOTA.h"
#include "BowlineSigned.h"

extern "C" {
#include "bowline/arduino_ota.h"
}

struct BowlinePush {
    explicit BowlinePush(BowlineOTAClass &owner) : ota(owner)
    {
    }

    /* False: the port is taken, or the configuration is not possible. */
    bool begin();
    void end();
    /* Takes what has come; a push from its connection to its end. */
    void handle();

  private:
    bool configure(bl_arduino_device_config *config);
    void listen();
    void receive(uint8_t *data, size_t n);
    void run();
    void connect(uint16_t port, uint64_t until_ms);
    void send(bl_span text);
    void read(uint64_t until_ms);
    void restart();

    const char *onBegin(uint16_t command, uint32_t size);
    const char *open(const uint8_t *data);
    const char *openSigned();
    void letGo();
    const char *onData(const uint8_t *data, size_t n);
    const char *onEnd();
    void onError(bl_arduino_error error, const char *why);

    static bl_status random(void *ctx, void *out, size_t n);
    static const char *begin_(void *ctx, uint16_t command, uint32_t size);
    static const char *data_(void *ctx, const uint8_t *data, size_t n);
    static const char *end_(void *ctx);
    static void error_(void *ctx, bl_arduino_error error, const char *why);

    BowlineOTAClass &ota;
    bl_arduino_device device;
    BowlineSigned *release = nullptr; /* being pushed; NULL: unsigned */
    bool opened = false;              /* the first bytes have come */
    WiFiUDP udp;
    WiFiClient client;
    IPAddress peer;
    uint8_t buffer[BL_ARDUINO_READ_MOST];
};

#endif
