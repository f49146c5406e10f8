/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a build promises, by its settings. Where a setting has had other names
 * in older versions of ESP-IDF, these are named behind it: one is enough.
 */
#include <string.h>

#include "bowline/esp_chip.h"
#include "check.h"

struct rule {
    const char *name;
    const char *settings[4]; /* the present name first */
    bool good;               /* what it should be */
    bool by_default;         /* ESP-IDF's own choice */
    enum verdict otherwise;
    const char *said; /* then */
    const char *change;
};

static const struct rule rules[] = {
    {"rollback",
     {"BOOTLOADER_APP_ROLLBACK_ENABLE", "APP_ROLLBACK_ENABLE"},
     true,
     false,
     BRICKS,
     "an image that is whole but does not work is started for ever",
     "CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE=y"},
    {"images are not confirmed by their mere start",
     {"BOOTLOADER_APP_ROLLBACK_CONFIRM_ON_STARTUP"},
     false,
     false,
     BRICKS,
     "every image that starts counts as good, whatever it does then",
     "# CONFIG_BOOTLOADER_APP_ROLLBACK_CONFIRM_ON_STARTUP is not set"},
    {"images are checked at each start",
     {"BOOTLOADER_SKIP_VALIDATE_ALWAYS"},
     false,
     false,
     BRICKS,
     "the bootloader starts damaged images too",
     "# CONFIG_BOOTLOADER_SKIP_VALIDATE_ALWAYS is not set"},
    {"images are checked at power-on",
     {"BOOTLOADER_SKIP_VALIDATE_ON_POWER_ON"},
     false,
     false,
     BRICKS,
     "the bootloader starts damaged images after a power cut",
     "# CONFIG_BOOTLOADER_SKIP_VALIDATE_ON_POWER_ON is not set"},
    {"images are checked after deep sleep",
     {"BOOTLOADER_SKIP_VALIDATE_IN_DEEP_SLEEP"},
     false,
     false,
     BROKEN,
     "an image that was chosen before deep sleep is started unchecked",
     "# CONFIG_BOOTLOADER_SKIP_VALIDATE_IN_DEEP_SLEEP is not set"},
    {"a crash starts the device anew",
     {"ESP_SYSTEM_PANIC_PRINT_HALT", "ESP32_PANIC_PRINT_HALT",
      "ESP32S2_PANIC_PRINT_HALT"},
     false,
     false,
     BRICKS,
     "a device that crashes stands still until its power is cut: nothing "
     "goes back",
     "CONFIG_ESP_SYSTEM_PANIC_PRINT_REBOOT=y"},
    {"a crash does not wait for a debugger",
     {"ESP_SYSTEM_PANIC_GDBSTUB", "ESP32_PANIC_GDBSTUB",
      "ESP32S2_PANIC_GDBSTUB"},
     false,
     false,
     BRICKS,
     "a device that crashes waits for gdb on its serial port",
     "CONFIG_ESP_SYSTEM_PANIC_PRINT_REBOOT=y"},
    {"watchdog of the start",
     {"BOOTLOADER_WDT_ENABLE"},
     true,
     true,
     BRICKS,
     "an image that hangs before app_main hangs for ever",
     "CONFIG_BOOTLOADER_WDT_ENABLE=y"},
    {"watchdog of interrupts",
     {"ESP_INT_WDT", "INT_WDT"},
     true,
     true,
     BRICKS,
     "an image that hangs with interrupts off hangs for ever",
     "CONFIG_ESP_INT_WDT=y"},
    {"watchdog of tasks",
     {"ESP_TASK_WDT_INIT", "ESP_TASK_WDT", "TASK_WDT"},
     true,
     true,
     BROKEN,
     "a task that hangs is not noticed",
     "CONFIG_ESP_TASK_WDT_EN=y; CONFIG_ESP_TASK_WDT_INIT=y"},
    {"a task that hangs starts the device anew",
     {"ESP_TASK_WDT_PANIC", "TASK_WDT_PANIC"},
     true,
     false,
     BROKEN,
     "a task that hangs is only logged",
     "CONFIG_ESP_TASK_WDT_PANIC=y"},
    {"TLS 1.3",
     {"MBEDTLS_SSL_PROTO_TLS1_3"},
     true,
     false,
     BROKEN,
     "TLS 1.2 is spoken, and a server that wants 1.3 is not reached",
     "CONFIG_MBEDTLS_SSL_PROTO_TLS1_3=y"},
    {"servers are authenticated",
     {"ESP_TLS_SKIP_SERVER_CERT_VERIFY"},
     false,
     false,
     BROKEN,
     "a client without a certificate to compare with believes anybody",
     "# CONFIG_ESP_TLS_INSECURE is not set; "
     "# CONFIG_ESP_TLS_SKIP_SERVER_CERT_VERIFY is not set"},
    {"no updates over plain HTTP",
     {"ESP_HTTPS_OTA_ALLOW_HTTP", "OTA_ALLOW_HTTP"},
     false,
     false,
     BROKEN,
     "esp_https_ota takes images over plain HTTP",
     "# CONFIG_ESP_HTTPS_OTA_ALLOW_HTTP is not set"}};

/* The first of its names that is there decides: older ones are left behind
 * by the build as copies. */
static bool is_on(const struct check *k, const struct rule *rule,
                  const char **decides)
{
    size_t i;

    for (i = 0; i < 4 && rule->settings[i] != NULL; i++) {
        *decides = rule->settings[i];
        if (sdkconfig_find(k->config, *decides) != NULL) {
            return sdkconfig_is(k->config, *decides, "y");
        }
    }
    *decides = rule->settings[0];
    return !k->config->complete && rule->by_default;
}

static void apply(struct check *k, const struct rule *rule)
{
    const char *decides;
    bool on = is_on(k, rule, &decides);

    if (on == rule->good) {
        check_add(k, rule->name, HOLDS, NULL, decides, NULL);
    } else {
        check_add(k, rule->name, rule->otherwise, rule->said, decides,
                  rule->change);
    }
}

static bool on(const struct check *k, const char *setting)
{
    return sdkconfig_is(k->config, setting, "y");
}

static void check_bundle(struct check *k)
{
    bool bundle =
        on(k, "MBEDTLS_CERTIFICATE_BUNDLE") ||
        (!k->config->complete &&
         sdkconfig_find(k->config, "MBEDTLS_CERTIFICATE_BUNDLE") == NULL);

    check_add(k, "certificate bundle", bundle ? HOLDS : TOLD,
              bundle ? "servers with a certificate of a public authority are "
                       "known; one of your own is given as cert_pem"
                     : "off: give the server's certificate as cert_pem",
              "MBEDTLS_CERTIFICATE_BUNDLE",
              bundle ? NULL : "CONFIG_MBEDTLS_CERTIFICATE_BUNDLE=y");
}

/* Without any of it the manifest's signature is what counts, where the
 * component checks it; a plain esp_https_ota call checks none. */
static void check_signed(struct check *k)
{
    bool hardware = on(k, "SECURE_BOOT") || on(k, "SECURE_BOOT_V2_ENABLED") ||
                    on(k, "SECURE_BOOT_ENABLED");
    bool apps = on(k, "SECURE_SIGNED_APPS_NO_SECURE_BOOT");
    bool update = on(k, "SECURE_SIGNED_ON_UPDATE_NO_SECURE_BOOT");

    if (hardware && on(k, "SECURE_BOOT_INSECURE")) {
        check_add(k, "signed images", BROKEN,
                  "secure boot, with insecure options allowed",
                  "SECURE_BOOT_INSECURE",
                  "# CONFIG_SECURE_BOOT_INSECURE is not set");
    } else if (hardware) {
        check_add(k, "signed images", HOLDS, "by hardware secure boot",
                  "SECURE_BOOT", NULL);
    } else if (apps && update) {
        check_add(k, "signed images", HOLDS,
                  "checked at each update, without hardware: the first "
                  "signature must carry the key of the image that runs, so "
                  "no update changes the key",
                  "SECURE_SIGNED_APPS_NO_SECURE_BOOT", NULL);
    } else {
        check_add(k, "signed images", BROKEN,
                  apps ? "images are signed, but nobody looks"
                       : "esp_https_ota takes any image that the server "
                         "sends; only Bowline's component checks a signature "
                         "(the lines below want a key of yours)",
                  "SECURE_SIGNED_APPS_NO_SECURE_BOOT",
                  "CONFIG_SECURE_SIGNED_APPS_NO_SECURE_BOOT=y; "
                  "CONFIG_SECURE_SIGNED_ON_UPDATE_NO_SECURE_BOOT=y");
    }
}

static uint64_t steps(struct check *k)
{
    const struct bl_esp_chip *chip =
        bl_esp_chip_named(sdkconfig_text(k->c, k->config, "IDF_TARGET"));

    return sdkconfig_number(k->c, k->config,
                            "BOOTLOADER_APP_SEC_VER_SIZE_EFUSE_FIELD",
                            chip == NULL ? 16 : chip->secure_versions);
}

static void check_anti_rollback(struct check *k, bool factory)
{
    static const char name[] = "anti-rollback";
    static const char setting[] = "BOOTLOADER_APP_ANTI_ROLLBACK";
    static const char version[] = "BOOTLOADER_APP_SECURE_VERSION";
    static const char line[] = "CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK=y";
    uint64_t now = sdkconfig_number(k->c, k->config, version, 0);

    if (!on(k, setting)) {
        const char *table = factory ? check_two_slots(k) : NULL;

        check_add(
            k, name, BROKEN,
            keep(k->c,
                 "the bootloader starts images with known holes (with "
                 "it, eFuses are burned for good%s)",
                 factory ? ", and the table has no factory application" : ""),
            setting, table != NULL ? keep(k->c, "%s; %s", table, line) : line);
    } else if (factory) {
        check_add(k, name, BRICKS,
                  "the table has a factory application, which anti-rollback "
                  "does not allow",
                  setting, check_two_slots(k));
    } else if (now > steps(k)) {
        check_add(k, name, BRICKS,
                  keep(k->c,
                       "secure version %llu, but there are eFuses for %llu: "
                       "no device can confirm such an image",
                       (unsigned long long)now, (unsigned long long)steps(k)),
                  version,
                  keep(k->c, "CONFIG_BOOTLOADER_APP_SECURE_VERSION=%llu",
                       (unsigned long long)steps(k)));
    } else if (on(k, "BOOTLOADER_EFUSE_SECURE_VERSION_EMULATE")) {
        check_add(k, name, BROKEN, "only emulated: no eFuse is burned",
                  "BOOTLOADER_EFUSE_SECURE_VERSION_EMULATE",
                  "# CONFIG_BOOTLOADER_EFUSE_SECURE_VERSION_EMULATE is not "
                  "set");
    } else {
        check_add(k, name, HOLDS,
                  keep(k->c, "secure version %llu of %llu",
                       (unsigned long long)now, (unsigned long long)steps(k)),
                  setting, NULL);
    }
}

static void check_encryption(struct check *k)
{
    bool encrypted =
        on(k, "SECURE_FLASH_ENC_ENABLED") || on(k, "FLASH_ENCRYPTION_ENABLED");
    bool release = on(k, "SECURE_FLASH_ENCRYPTION_MODE_RELEASE");

    check_add(k, "flash encryption", TOLD,
              !encrypted ? "off: who holds a device reads its flash"
              : release  ? "on, release mode"
                         : "on, development mode: flash can still be written "
                           "as plain text over the serial port",
              "SECURE_FLASH_ENC_ENABLED",
              encrypted && !release
                  ? "CONFIG_SECURE_FLASH_ENCRYPTION_MODE_RELEASE=y"
                  : NULL);
}

static void check_arduino(struct check *k)
{
    if (on(k, "AUTOSTART_ARDUINO")) {
        check_add(k, "Arduino", TOLD,
                  "Arduino's core marks each new image valid before setup(), "
                  "unless verifyRollbackLater() says otherwise; Bowline's "
                  "library does",
                  "AUTOSTART_ARDUINO", NULL);
    }
}

void check_rules(struct check *k, bool factory)
{
    size_t i;

    for (i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        apply(k, &rules[i]);
    }
    check_bundle(k);
    check_signed(k);
    check_anti_rollback(k, factory);
    check_encryption(k);
    check_arduino(k);
}
