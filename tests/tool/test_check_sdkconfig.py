# SPDX-License-Identifier: Apache-2.0
"""What bowline check sdkconfig says of a build of ESP-IDF."""
import random

import pytest

HEAD = """#
# Automatically generated file. DO NOT EDIT.
# Espressif IoT Development Framework (ESP-IDF) 5.5.1 Project Configuration
#
"""
# A build that keeps every promise.
SOUND = {
    "IDF_TARGET": '"esp32c3"',
    "BOOTLOADER_APP_ROLLBACK_ENABLE": "y",
    "BOOTLOADER_WDT_ENABLE": "y",
    "ESP_INT_WDT": "y",
    "ESP_TASK_WDT_EN": "y",
    "ESP_TASK_WDT_INIT": "y",
    "ESP_TASK_WDT_PANIC": "y",
    "ESP_SYSTEM_PANIC_PRINT_REBOOT": "y",
    "MBEDTLS_SSL_PROTO_TLS1_3": "y",
    "MBEDTLS_CERTIFICATE_BUNDLE": "y",
    "SECURE_BOOT": "y",
    "SECURE_BOOT_V2_ENABLED": "y",
    "BOOTLOADER_APP_ANTI_ROLLBACK": "y",
    "BOOTLOADER_APP_SECURE_VERSION": "3",
    "BOOTLOADER_APP_SEC_VER_SIZE_EFUSE_FIELD": "16",
    "SECURE_FLASH_ENC_ENABLED": "y",
    "SECURE_FLASH_ENCRYPTION_MODE_RELEASE": "y",
    "PARTITION_TABLE_TWO_OTA_LARGE": "y",
    "ESPTOOLPY_FLASHSIZE": '"4MB"'}
TWO_OTA = """# Name, Type, SubType, Offset, Size
nvs,     data, nvs,   , 0x6000
otadata, data, ota,   , 0x2000
phy,     data, phy,   , 0x1000
ota_0,   app,  ota_0, , 1700K
ota_1,   app,  ota_1, , 1700K
"""


def text(settings, head=HEAD):
    return head + "".join(
        f"# CONFIG_{k} is not set\n" if v is None else f"CONFIG_{k}={v}\n"
        for k, v in settings.items())


def check(tool, settings, code=None, head=HEAD):
    (tool.folder / "sdkconfig").write_text(text(settings, head))
    result = tool("check", "sdkconfig", "sdkconfig", "--json")
    assert result.code in (0, 1), result.err
    seen = result.json
    assert seen["bricks"] is (result.code == 1)
    if code is not None:
        assert result.code == code, seen
    return {f["promise"]: f for f in seen["checks"]}, seen


def custom(tool, csv, **more):
    (tool.folder / "partitions.csv").write_text(csv)
    settings = {k: v for k, v in SOUND.items()
                if not k.startswith("PARTITION_TABLE")}
    return check(tool, {**settings, "PARTITION_TABLE_CUSTOM": "y",
                        "PARTITION_TABLE_CUSTOM_FILENAME":
                        '"partitions.csv"', **more})[0]


def test_a_sound_build_keeps_every_promise(tool):
    by, seen = check(tool, SOUND, 0)
    assert seen["target"] == "esp32c3" and seen["idf"] == "5.5.1"
    assert seen["complete"] is True
    assert {f["verdict"] for f in by.values()} == {"holds", "told"}
    assert by["flash encryption"]["said"] == "on, release mode"
    assert by["anti-rollback"]["said"] == "secure version 3 of 16"


@pytest.mark.parametrize("change, promise, verdict, line", [
    ({"BOOTLOADER_APP_ROLLBACK_ENABLE": None}, "rollback", "bricks",
     "CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE=y"),
    ({"BOOTLOADER_APP_ROLLBACK_CONFIRM_ON_STARTUP": "y"},
     "images are not confirmed by their mere start", "bricks",
     "# CONFIG_BOOTLOADER_APP_ROLLBACK_CONFIRM_ON_STARTUP is not set"),
    ({"BOOTLOADER_SKIP_VALIDATE_ALWAYS": "y"},
     "images are checked at each start", "bricks",
     "# CONFIG_BOOTLOADER_SKIP_VALIDATE_ALWAYS is not set"),
    ({"BOOTLOADER_SKIP_VALIDATE_ON_POWER_ON": "y"},
     "images are checked at power-on", "bricks",
     "# CONFIG_BOOTLOADER_SKIP_VALIDATE_ON_POWER_ON is not set"),
    ({"BOOTLOADER_SKIP_VALIDATE_IN_DEEP_SLEEP": "y"},
     "images are checked after deep sleep", "broken",
     "# CONFIG_BOOTLOADER_SKIP_VALIDATE_IN_DEEP_SLEEP is not set"),
    ({"ESP_SYSTEM_PANIC_PRINT_HALT": "y"}, "a crash starts the device anew",
     "bricks", "CONFIG_ESP_SYSTEM_PANIC_PRINT_REBOOT=y"),
    ({"ESP_SYSTEM_PANIC_GDBSTUB": "y"},
     "a crash does not wait for a debugger", "bricks",
     "CONFIG_ESP_SYSTEM_PANIC_PRINT_REBOOT=y"),
    ({"BOOTLOADER_WDT_ENABLE": None}, "watchdog of the start", "bricks",
     "CONFIG_BOOTLOADER_WDT_ENABLE=y"),
    ({"ESP_INT_WDT": None}, "watchdog of interrupts", "bricks",
     "CONFIG_ESP_INT_WDT=y"),
    ({"ESP_TASK_WDT_INIT": None}, "watchdog of tasks", "broken",
     "CONFIG_ESP_TASK_WDT_INIT=y"),
    ({"ESP_TASK_WDT_PANIC": None},
     "a task that hangs starts the device anew", "broken",
     "CONFIG_ESP_TASK_WDT_PANIC=y"),
    ({"MBEDTLS_SSL_PROTO_TLS1_3": None}, "TLS 1.3", "broken",
     "CONFIG_MBEDTLS_SSL_PROTO_TLS1_3=y"),
    ({"ESP_TLS_INSECURE": "y", "ESP_TLS_SKIP_SERVER_CERT_VERIFY": "y"},
     "servers are authenticated", "broken",
     "# CONFIG_ESP_TLS_INSECURE is not set"),
    ({"ESP_HTTPS_OTA_ALLOW_HTTP": "y"}, "no updates over plain HTTP",
     "broken", "# CONFIG_ESP_HTTPS_OTA_ALLOW_HTTP is not set"),
    ({"MBEDTLS_CERTIFICATE_BUNDLE": None}, "certificate bundle", "told",
     "CONFIG_MBEDTLS_CERTIFICATE_BUNDLE=y"),
    ({"SECURE_BOOT": None, "SECURE_BOOT_V2_ENABLED": None}, "signed images",
     "broken", "CONFIG_SECURE_SIGNED_APPS_NO_SECURE_BOOT=y"),
    ({"SECURE_BOOT_INSECURE": "y"}, "signed images", "broken",
     "# CONFIG_SECURE_BOOT_INSECURE is not set"),
    ({"BOOTLOADER_APP_ANTI_ROLLBACK": None}, "anti-rollback", "broken",
     "CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK=y"),
    ({"BOOTLOADER_EFUSE_SECURE_VERSION_EMULATE": "y"}, "anti-rollback",
     "broken",
     "# CONFIG_BOOTLOADER_EFUSE_SECURE_VERSION_EMULATE is not set"),
    ({"BOOTLOADER_APP_SECURE_VERSION": "17"}, "anti-rollback", "bricks",
     "CONFIG_BOOTLOADER_APP_SECURE_VERSION=16"),
    ({"PARTITION_TABLE_TWO_OTA_LARGE": None, "PARTITION_TABLE_TWO_OTA": "y"},
     "anti-rollback", "bricks", "CONFIG_PARTITION_TABLE_TWO_OTA_LARGE=y"),
    ({"PARTITION_TABLE_TWO_OTA_LARGE": None,
      "PARTITION_TABLE_SINGLE_APP": "y"}, "two OTA slots", "bricks",
     "CONFIG_PARTITION_TABLE_TWO_OTA_LARGE=y"),
    ({"SECURE_FLASH_ENCRYPTION_MODE_RELEASE": None}, "flash encryption",
     "told", "CONFIG_SECURE_FLASH_ENCRYPTION_MODE_RELEASE=y")])
def test_a_promise_that_does_not_hold_names_its_line(tool, change, promise,
                                                     verdict, line):
    by, seen = check(tool, {**SOUND, **change})
    found = by[promise]
    assert found["verdict"] == verdict and line in found["change"]
    assert seen["bricks"] is any(f["verdict"] == "bricks"
                                 for f in by.values())
    assert seen["bricks"] is (verdict == "bricks")
    # A table with a factory application breaks anti-rollback as well.
    others = {p: f["verdict"] for p, f in by.items()
              if p != promise and promise != "two OTA slots"}
    assert set(others.values()) <= {"holds", "told"}


@pytest.mark.parametrize("promise", [
    "rollback", "watchdog of the start", "TLS 1.3", "signed images",
    "anti-rollback", "two OTA slots"])
def test_what_it_says_to_write_mends_the_promise(tool, promise):
    broken = {"IDF_TARGET": '"esp32c3"', "PARTITION_TABLE_SINGLE_APP": "y"}
    by, _ = check(tool, broken, 1)
    lines = "\n".join(by[promise]["change"])
    assert lines
    (tool.folder / "sdkconfig").write_text(
        text({"IDF_TARGET": '"esp32c3"'}) + lines + "\n")
    after = {f["promise"]: f for f in
             tool("check", "sdkconfig", "sdkconfig", "--json").json["checks"]}
    assert after[promise]["verdict"] == "holds"


def test_an_older_esp_idf_is_told_of_no_table_that_it_lacks(tool):
    single = {k: v for k, v in SOUND.items()
              if not k.startswith("PARTITION_TABLE")}
    single["PARTITION_TABLE_SINGLE_APP"] = "y"
    by, seen = check(tool, single, 1, head=HEAD.replace("5.5.1", "4.4.7"))
    assert seen["idf"] == "4.4.7"
    for promise in ("two OTA slots", "anti-rollback"):
        assert by[promise]["change"] == [
            "CONFIG_PARTITION_TABLE_CUSTOM=y",
            'CONFIG_PARTITION_TABLE_CUSTOM_FILENAME="partitions.csv"']


@pytest.mark.parametrize("flash, line", [
    ('"2MB"', True), ('"4MB"', False), ('"16MB"', False)])
def test_a_table_that_needs_more_flash_says_so(tool, flash, line):
    by, _ = check(tool, {"PARTITION_TABLE_SINGLE_APP": "y",
                         "ESPTOOLPY_FLASHSIZE": flash}, 1)
    assert ("CONFIG_ESPTOOLPY_FLASHSIZE_4MB=y"
            in by["two OTA slots"]["change"]) is line


def test_lines_added_at_the_end_count(tool):
    single = {"IDF_TARGET": '"esp32s3"', "PARTITION_TABLE_SINGLE_APP": "y"}
    check(tool, single, 1)
    said = tool("check", "sdkconfig", "sdkconfig").out
    assert "add to the end of sdkconfig and of sdkconfig.defaults" in said
    by, _ = check(tool, {**single, "PARTITION_TABLE_TWO_OTA_LARGE": "y"}, 1)
    assert by["two OTA slots"]["verdict"] == "holds"


def test_a_table_of_the_project_is_not_replaced_by_a_ready_one(tool):
    (tool.folder / "partitions.csv").write_text(
        "factory, app, factory, 0x10000, 1M\n")
    by, _ = check(tool, {"PARTITION_TABLE_CUSTOM": "y"}, 1)
    found = by["two OTA slots"]
    assert found["verdict"] == "bricks" and not found["change"]
    assert "give yours otadata, ota_0 and ota_1" in found["said"]
    assert by["anti-rollback"]["change"] == [
        "CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK=y"]
    assert "eFuses are burned for good" in by["anti-rollback"]["said"]


def test_the_line_of_the_setting_is_told(tool):
    settings = {**SOUND, "BOOTLOADER_APP_ROLLBACK_ENABLE": None}
    by, _ = check(tool, settings, 1)
    at = text(settings).splitlines().index(
        "# CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE is not set") + 1
    assert by["rollback"]["line"] == at
    result = tool("check", "sdkconfig", "sdkconfig")
    assert f"(line {at})" in result.out
    assert "  CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE=y\n" in result.out
    assert "a device could be bricked" in result.out


def test_signed_apps_without_hardware_hold_and_say_their_limit(tool):
    settings = {k: v for k, v in SOUND.items()
                if not k.startswith("SECURE_BOOT")}
    by, _ = check(tool, {**settings,
                         "SECURE_SIGNED_APPS_NO_SECURE_BOOT": "y",
                         "SECURE_SIGNED_ON_UPDATE_NO_SECURE_BOOT": "y"}, 0)
    assert by["signed images"]["verdict"] == "holds"
    assert "no update changes the key" in by["signed images"]["said"]
    by, _ = check(tool, {**settings,
                         "SECURE_SIGNED_APPS_NO_SECURE_BOOT": "y"}, 0)
    assert "nobody looks" in by["signed images"]["said"]


def test_names_of_older_versions_count_where_the_new_ones_are_not(tool):
    old = {k: v for k, v in SOUND.items()
           if "WDT" not in k and "ROLLBACK_ENABLE" not in k}
    old |= {"APP_ROLLBACK_ENABLE": "y", "BOOTLOADER_WDT_ENABLE": "y",
            "INT_WDT": "y", "TASK_WDT": "y", "TASK_WDT_PANIC": "y"}
    by, _ = check(tool, old, 0)
    assert by["watchdog of tasks"]["setting"] == "CONFIG_TASK_WDT"
    by, _ = check(tool, {**old, "BOOTLOADER_APP_ROLLBACK_ENABLE": None}, 1)
    assert by["rollback"]["verdict"] == "bricks"


def test_a_part_is_read_with_the_defaults_of_esp_idf(tool):
    by, seen = check(tool, {"BOOTLOADER_APP_ROLLBACK_ENABLE": "y",
                            "PARTITION_TABLE_TWO_OTA": "y"}, 0, head="")
    assert seen["complete"] is False
    assert by["watchdog of interrupts"]["verdict"] == "holds"
    assert by["TLS 1.3"]["verdict"] == "broken"
    check(tool, {"LWIP_IPV6": "y"}, 1, head="")


def test_arduino_is_told(tool):
    by, _ = check(tool, {**SOUND, "AUTOSTART_ARDUINO": "y"}, 0)
    assert "verifyRollbackLater" in by["Arduino"]["said"]


def test_windows_line_ends_and_a_byte_order_mark_do_no_harm(tool):
    body = "\ufeff" + text(SOUND).replace("\n", "\r\n")
    (tool.folder / "sdkconfig").write_bytes(body.encode())
    seen = tool.good("check", "sdkconfig", "sdkconfig", "--json").json
    assert seen["complete"] is True and seen["bricks"] is False


# --- Partition tables of the project -----------------------------------------

def test_a_table_of_the_project_is_read(tool):
    assert custom(tool, TWO_OTA)["two OTA slots"]["verdict"] == "holds"


@pytest.mark.parametrize("old, new, says", [
    ("1700K\nota_1", "3000K\nota_1", "beyond the end of the flash"),
    ("ota_1,   app,  ota_1, ,", "ota_1,   app,  ota_1, 0x20000,", "overlap"),
    ("0x2000", "0x3000", "otadata partition is not of 8192"),
    ("otadata, data, ota, ", "otadata, data, nvs, ", "no otadata"),
    ("app,  ota_1", "app,  ota_2", "without gap"),
    ("app,  ota_0, ,", "app,  ota_0, 0x12000,", "multiple of 64 KiB")])
def test_a_table_with_a_fault_bricks(tool, old, new, says):
    assert old in TWO_OTA
    by = custom(tool, TWO_OTA.replace(old, new))
    assert by["partition table"]["verdict"] == "bricks"
    assert says in by["partition table"]["said"]


@pytest.mark.parametrize("line, says", [
    ("ota_0, app, ota_0", "name, type, subtype, offset, size"),
    ("ota_0, apple, ota_0, , 1M", 'no type that is known: "apple"'),
    ("ota_0, app, ota_77, , 1M", 'no subtype that is known: "ota_77"'),
    ("ota_0, app, ota_0, x, 1M", 'no offset: "x"'),
    ("ota_0, app, ota_0, , 1G", 'no size: "1G"'),
    ("ota_0, app, ota_0, , 0x1ffffffff", "no size"),
    ("seventeen_bytes__, app, ota_0, , 1M", "more than 16 bytes"),
    ("x" * 100 + ", app, ota_0, , 1M", "longer than any can be")])
def test_a_line_that_is_no_partition_is_named(tool, line, says):
    (tool.folder / "partitions.csv").write_text("# head\n" + line + "\n")
    (tool.folder / "sdkconfig").write_text(
        text({"PARTITION_TABLE_CUSTOM": "y"}))
    said = tool.refused(3, "check", "sdkconfig", "sdkconfig")
    assert "partitions.csv:2:" in said and says in said


def test_a_table_that_is_not_there_is_said_not_guessed(tool):
    by, _ = check(tool, {**SOUND, "PARTITION_TABLE_TWO_OTA_LARGE": None,
                         "PARTITION_TABLE_CUSTOM": "y"})
    assert by["two OTA slots"]["verdict"] == "told"
    assert "there is no partitions.csv" in by["two OTA slots"]["said"]


def test_the_table_is_looked_for_beside_the_sdkconfig(tool):
    folder = tool.folder / "project"
    folder.mkdir()
    (folder / "partitions.csv").write_text(TWO_OTA)
    (folder / "sdkconfig").write_text(
        text({**SOUND, "PARTITION_TABLE_TWO_OTA_LARGE": None,
              "PARTITION_TABLE_CUSTOM": "y"}))
    tool.good("check", "sdkconfig", folder / "sdkconfig")


# --- What is no sdkconfig ----------------------------------------------------

@pytest.mark.parametrize("body, says", [
    (b"hello = 1;\n", "sdkconfig:1: is no line of an sdkconfig"),
    (b"CONFIG_A=y\nCONFIG_=y\n", "sdkconfig:2:"),
    (b"CONFIG_A=y\nCONFIG_B\n", "sdkconfig:2:"),
    (b"# nothing here\n", "no setting of ESP-IDF"),
    (b"\0\0\0\0", "sdkconfig:1:"),
    pytest.param(b"CONFIG_A=y\n" * 70000, "more than 65536 settings",
                 id="too-many")])
def test_what_is_no_sdkconfig_is_refused(tool, body, says):
    (tool.folder / "sdkconfig").write_bytes(body)
    assert says in tool.refused(3, "check", "sdkconfig", "sdkconfig")


def test_any_bytes_are_read_without_harm(tool):
    draw = random.Random(1)
    good = text(SOUND).encode() + b"CONFIG_PARTITION_TABLE_CUSTOM=y\n"
    for _ in range(60):
        for name, body in (("sdkconfig", good),
                           ("partitions.csv", TWO_OTA.encode())):
            bad = bytearray(body)
            for _ in range(draw.randrange(4)):
                bad[draw.randrange(len(bad))] = draw.randrange(256)
            (tool.folder / name).write_bytes(bad)
        assert tool("check", "sdkconfig", "sdkconfig").code in (0, 1, 3)
