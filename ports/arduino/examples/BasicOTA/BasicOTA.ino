/* SPDX-License-Identifier: Apache-2.0 */
// ArduinoOTA's BasicOTA with Bowline: the same callbacks, and a new image that
// is kept only when it has shown that it works.
#include <BowlineOTA.h>
#include <WiFi.h>

const char *ssid = "..........";
const char *password = "..........";

// When the network came up, to see that it stays.
unsigned long connectedSince = 0;

void setup()
{
    Serial.begin(115200);
    Serial.println("Booting");
    WiFi.mode(WIFI_STA);
    WiFi.begin(ssid, password);
    while (WiFi.waitForConnectResult() != WL_CONNECTED) {
        Serial.println("Connection Failed! Rebooting...");
        delay(5000);
        // On trial this leads back to the former image.
        ESP.restart();
    }
    connectedSince = millis();

    // Port defaults to 3232, the hostname to esp32-[MAC].
    BowlineOTA.setHostname("myesp32");
    BowlineOTA.setPassword("choose a long one");

    // For the bench: firmware.bin as it is built. In the field, setRoot() and
    // setProduct(), and only signed releases are taken.
    BowlineOTA.setDeveloperMode(true);

    BowlineOTA
        .onStart([]() {
            // For a file system, this would be the place to unmount it.
            Serial.println(BowlineOTA.getCommand() == U_FLASH
                               ? "Start updating sketch"
                               : "Start updating filesystem");
        })
        .onEnd([]() { Serial.println("\nEnd"); })
        .onProgress([](unsigned int progress, unsigned int total) {
            Serial.printf("Progress: %u%%\r", progress / (total / 100 + 1));
        })
        .onError([](ota_error_t error) {
            Serial.printf("Error[%u]: ", (unsigned)error);
            if (error == OTA_AUTH_ERROR) {
                Serial.println("Auth Failed");
            } else if (error == OTA_BEGIN_ERROR) {
                Serial.println("Begin Failed");
            } else if (error == OTA_CONNECT_ERROR) {
                Serial.println("Connect Failed");
            } else if (error == OTA_RECEIVE_ERROR) {
                Serial.println("Receive Failed");
            } else if (error == OTA_END_ERROR) {
                Serial.println("End Failed");
            }
        });

    // What "it works" means: false is "not yet". Ten minutes, then it goes
    // back by itself.
    BowlineOTA.onHealthCheck("network", []() {
        return WiFi.status() == WL_CONNECTED &&
               millis() - connectedSince > 30000;
    });
    BowlineOTA.onConfirm([]() { Serial.println("The new sketch is kept"); });
    BowlineOTA.onReturn([](const char *why) {
        Serial.printf("Back to the former sketch: %s\n", why);
    });

    BowlineOTA.begin();

    Serial.println("Ready");
    Serial.print("IP address: ");
    Serial.println(WiFi.localIP().toString());
}

void loop()
{
    BowlineOTA.handle();
}
