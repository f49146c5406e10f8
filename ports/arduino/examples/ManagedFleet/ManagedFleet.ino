/* SPDX-License-Identifier: Apache-2.0 */
// A thermostat of a fleet: it asks a bowlined for signed releases, tries a new
// one three times at most, and goes back when it is not healthy. The steps
// before (project, server, partition table) are in docs/ESP32.md.
#include <BowlineOTA.h>
#include <WiFi.h>

#include "settings.h"

float temperature = 0;
unsigned long lastReading = 0;

// Stands in for a sensor on a bus.
bool readSensor(float *out)
{
    *out = 21.5;
    return true;
}

void setup()
{
    Serial.begin(115200);
    WiFi.mode(WIFI_STA);
    WiFi.begin(WIFI_NAME, WIFI_PASSWORD);

    // Asked in loop(), each ten seconds, while a new image is on trial. All
    // must pass in one round. None registered: the server's answer will do.
    BowlineOTA.onHealthCheck("sensor", []() {
        if (lastReading == 0) {
            return BowlineHealth::Pending;
        }
        return temperature > -40 && temperature < 85 ? BowlineHealth::Pass
                                                     : BowlineHealth::Fail;
    });
    BowlineOTA.onHealthCheck("network",
                             []() { return WiFi.status() == WL_CONNECTED; });
    BowlineOTA.onConfirm([]() { Serial.println("The new firmware is kept"); });

    BowlineManaged managed;
    managed.server = SERVER;
    managed.certPem = SERVER_CERT;
    managed.token = TOKEN;
    memcpy(managed.deviceId, DEVICE_ID, sizeof DEVICE_ID);
    managed.vendor = "example.com";
    managed.product = "thermostat";
    managed.version = VERSION;
    managed.root = ROOT_DOCUMENT;
    managed.rootSize = sizeof ROOT_DOCUMENT;
    if (!BowlineOTA.beginManaged(managed)) {
        Serial.println("Updates are off: see the log");
    }
}

void loop()
{
    BowlineOTA.handle();
    if (millis() - lastReading > 1000 && readSensor(&temperature)) {
        lastReading = millis();
    }
}
