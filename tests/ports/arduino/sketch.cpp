/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sketch that the tests run: BasicOTA's shape, with its settings from the
 * environment. It says on the serial line what happens.
 */
#include <BowlineOTA.h>
#include <WiFi.h>
#include <stdlib.h>

static const char *setting(const char *name)
{
    const char *value = getenv(name);

    return value != nullptr ? value : "";
}

static uint32_t number(const char *name)
{
    return (uint32_t)strtoul(setting(name), nullptr, 10);
}

static void trust()
{
    static uint8_t document[4096];
    FILE *file = fopen(setting("SKETCH_ROOT"), "rb");

    if (file != nullptr) {
        BowlineOTA.setRoot(document,
                           fread(document, 1, sizeof document, file));
        BowlineOTA.setProduct(setting("SKETCH_VENDOR"),
                              setting("SKETCH_PRODUCT"));
        fclose(file);
    }
}

static void settings()
{
    trust();
    BowlineOTA.setPort((uint16_t)number("SKETCH_PORT"));
    BowlineOTA.setHostname("bench");
    if (*setting("SKETCH_PASSWORD") != '\0') {
        BowlineOTA.setPassword(setting("SKETCH_PASSWORD"));
    }
    if (*setting("SKETCH_HASH") != '\0') {
        BowlineOTA.setPasswordHash(setting("SKETCH_HASH"));
    }
    BowlineOTA.setStrongPassword(*setting("SKETCH_STRONG") != '\0');
    BowlineOTA.setDeveloperMode(*setting("SKETCH_DEVELOPER") != '\0');
    if (*setting("SKETCH_DEADLINE") != '\0') {
        BowlineOTA.setConfirmDeadline(number("SKETCH_DEADLINE"));
    }
    BowlineOTA.setHealthInterval(number("SKETCH_INTERVAL"));
    BowlineOTA.setRebootOnSuccess(*setting("SKETCH_NO_RESTART") == '\0');
}

/* What the check says is in a file, so that a test can change its mind. */
static BowlineHealth health()
{
    FILE *file = fopen(setting("SKETCH_HEALTH"), "r");
    int c = file != nullptr ? fgetc(file) : 'p';

    if (file != nullptr) {
        fclose(file);
    }
    Serial.printf("asked, says %c\n", c);
    return c == 'g'   ? BowlineHealth::Pass
           : c == 'b' ? BowlineHealth::Fail
                      : BowlineHealth::Pending;
}

void setup()
{
    Serial.begin(115200);
    if (*setting("SKETCH_HANG") != '\0') {
        /* As a sketch does that waits for a network for ever; its deadline
         * is the library's, or the test's. */
        BowlineOTA.setConfirmDeadline(number("SKETCH_DEADLINE"));
        BowlineOTA.setHealthInterval(0);
        BowlineOTA.begin();
        for (;;) {
            delay(10);
        }
    }
    settings();
    BowlineOTA
        .onStart([]() {
            Serial.println(BowlineOTA.getCommand() == U_FLASH
                               ? "start sketch"
                               : "start filesystem");
        })
        .onEnd([]() { Serial.println("end"); })
        .onProgress([](unsigned int done, unsigned int total) {
            Serial.printf("progress %u of %u\n", done, total);
        })
        .onError(
            [](ota_error_t error) { Serial.printf("error %d\n", (int)error); })
        .onConfirm([]() { Serial.println("confirmed"); })
        .onReturn(
            [](const char *why) { Serial.printf("returns: %s\n", why); });
    if (*setting("SKETCH_HEALTH") != '\0') {
        BowlineOTA.onHealthCheck("sensor", health);
    }
    Serial.println(BowlineOTA.begin() ? "ready" : "not listening");
    if (*setting("SKETCH_GIVE_UP") != '\0') {
        BowlineOTA.giveUp("by its own word");
    }
    Serial.println(BowlineOTA.onTrial() ? "on trial" : "not on trial");
}

void loop()
{
    BowlineOTA.handle();
}
