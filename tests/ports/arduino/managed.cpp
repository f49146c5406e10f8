/* SPDX-License-Identifier: Apache-2.0 */
/* ManagedFleet's shape, with its settings from the environment. */
#include <BowlineOTA.h>
#include <stdlib.h>

static const uint8_t root[] = {1, 2, 3};

static const char *setting(const char *name)
{
    const char *value = getenv(name);

    return value != nullptr ? value : "";
}

/* What the check says is in a file, so that a test can change its mind. */
static BowlineHealth health()
{
    FILE *file = fopen(setting("SKETCH_HEALTH"), "r");
    int c = file != nullptr ? fgetc(file) : 'p';

    if (file != nullptr) {
        fclose(file);
    }
    return c == 'g'   ? BowlineHealth::Pass
           : c == 'b' ? BowlineHealth::Fail
                      : BowlineHealth::Pending;
}

void setup()
{
    BowlineManaged managed;

    Serial.println("setup");
    managed.server = "https://localhost:8443";
    managed.certPem = "PEM";
    managed.token = "TOKEN";
    managed.vendor = "example.com";
    managed.product = "bench";
    managed.version = setting("SKETCH_VERSION");
    managed.hardware = "2";
    managed.root = root;
    managed.rootSize = sizeof root;
    managed.deviceId[0] = 0xAA;
    managed.deviceId[15] = 0x55;
    BowlineOTA.setHealthInterval(0);
    BowlineOTA.setDeveloperMode(true).setPort(
        (uint16_t)strtoul(setting("SKETCH_PORT"), nullptr, 10));
    BowlineOTA.onHealthCheck("sensor", health);
    BowlineOTA.onConfirm([]() { Serial.println("confirmed"); });
    if (*setting("SKETCH_PUSHES_FIRST") != '\0') {
        Serial.println(BowlineOTA.begin() ? "pushes" : "no pushes");
    }
    Serial.println(BowlineOTA.beginManaged(managed) ? "managed"
                                                    : "not managed");
    Serial.println(BowlineOTA.begin() ? "pushes" : "no pushes");
}

void loop()
{
    static bool asked;

    BowlineOTA.handle();
    while (*setting("SKETCH_HANG") != '\0' && BowlineOTA.onTrial()) {
        delay(10);
    }
    if (*setting("SKETCH_GIVE_UP") != '\0' && BowlineOTA.onTrial() && !asked) {
        asked = true;
        BowlineOTA.giveUp("by its own word");
    }
}
