# SPDX-License-Identifier: Apache-2.0
"""What bowline release refuses of ESP32 images, and how it says so."""
import json

import pytest

from .conftest import SAMPLES, firmware
from esp_made import application, descriptor

C3 = 5
S3 = 9


def put(place, name, **more):
    (place.folder / name).write_bytes(application(**more))
    return name


def released(project, version, *args, **more):
    name = put(project, f"{version}.bin", version=version, **more)
    return project.good("release", name, *args, "--json").json


def refused(project, version, *args, **more):
    name = put(project, f"{version}.bin", version=version, **more)
    said = project.refused(3, "release", name, *args)
    assert not (project.folder
                / f"releases/thermostat-{version}.suit").exists()
    return said


def test_an_application_is_released_with_its_own_version(project):
    made = released(project, "1.0.0")
    assert made["version_from"] == "image"
    assert made["image"]["chip"] == "ESP32-S3"


# --- Chip --------------------------------------------------------------------

def test_another_chip_than_the_release_before_is_refused(project):
    released(project, "1.0.0")
    said = refused(project, "1.1.0", chip=C3)
    assert "is an image for ESP32-C3" in said
    assert "release 1.0.0 of thermostat is for ESP32-S3" in said


def test_a_changed_chip_is_accepted_when_it_is_said(project):
    released(project, "1.0.0")
    assert released(project, "1.1.0", "--chip", "esp32c3",
                    chip=C3)["image"]["chip"] == "ESP32-C3"
    said = refused(project, "1.2.0", chip=S3)
    assert "release 1.1.0 of thermostat is for ESP32-C3" in said


def test_the_chip_of_the_project_counts_from_the_first_release_on(project):
    conf = project.folder / "bowline.conf"
    conf.write_text(conf.read_text() + 'chip = "ESP32-C3";\n')
    said = refused(project, "1.0.0", chip=S3)
    assert "the chip of thermostat is said to be ESP32-C3" in said
    released(project, "1.0.1", chip=C3)


def test_init_writes_the_chip(tool):
    tool.good("init", "--product", "p", "--vendor", "example.com", "--chip",
              "ESP32-C3")
    assert 'chip = "ESP32-C3";' in (tool.folder / "bowline.conf").read_text()
    assert "none that is known" in tool.refused(
        2, "init", "--product", "p", "--vendor", "example.com", "--chip",
        "Z80", "--force")


def test_a_file_without_version_is_first_said_to_be_the_wrong_one(project):
    (project.folder / "table.bin").write_bytes(b"\xaa\x50" + bytes(3070))
    said = project.refused(3, "release", "table.bin", "--chip", "ESP32-C3")
    assert "no image of an ESP chip" in said and "the right file?" in said
    said = project.refused(3, "release", "table.bin")
    assert "say --version" in said


def test_a_binary_after_esp32_releases_is_refused(project):
    released(project, "1.0.0")
    said = project.refused(3, "release", "fw.bin")
    assert "no image of an ESP chip (binary)" in said
    project.good("release", "fw.bin", "--chip", "none")


def test_a_damaged_magic_does_not_make_a_binary_of_an_image(project):
    body = bytearray(application(version="1.0.0"))
    body[0] ^= 1
    (project.folder / "bad.bin").write_bytes(body)
    said = project.refused(3, "release", "bad.bin", "--version", "1.0.0")
    assert "the first byte is 0xe8, not 0xe9 (at offset 0)" in said


def test_a_chip_that_nobody_knows_is_refused(project):
    assert "none that is known" in refused(project, "1.0.0", "--chip", "Z80")


def test_products_do_not_share_a_chip(project):
    released(project, "1.0.0")
    made = released(project, "1.0.0", "--product", "kettle", chip=C3)
    assert made["image"]["chip"] == "ESP32-C3"


def test_releases_that_are_no_esp_images_have_no_chip(project):
    project.good("release", "fw.bin")
    released(project, "1.2.0")


def test_a_record_that_cannot_be_read_is_named(project):
    released(project, "1.0.0")
    path = project.folder / "releases/thermostat-1.0.0.json"
    path.write_text("{ \"product\": ")
    said = refused(project, "1.1.0")
    assert "thermostat-1.0.0.json:1:" in said and "restore or remove" in said


# --- Secure version ----------------------------------------------------------

def test_secure_version_rises_only_when_it_is_said(project):
    released(project, "1.0.0")
    said = refused(project, "1.1.0", secure_version=1)
    assert "say --raise-secure-version" in said and "after 0" in said
    name = put(project, "up.bin", version="1.1.0", secure_version=1)
    result = project.good("release", name, "--raise-secure-version")
    assert "never start an older one again" in result.err
    released(project, "1.2.0", secure_version=1)


def test_secure_version_never_falls(project):
    released(project, "1.0.0", "--raise-secure-version", secure_version=3)
    said = refused(project, "1.1.0", secure_version=2)
    assert "release 1.0.0 has 3" in said
    assert "CONFIG_BOOTLOADER_APP_SECURE_VERSION=3" in said
    refused(project, "1.1.0", "--raise-secure-version", secure_version=2)
    refused(project, "1.1.0", "--force", secure_version=0)


def test_the_highest_secure_version_counts_not_the_newest(project):
    released(project, "1.0.0", "--raise-secure-version", secure_version=2)
    path = project.folder / "releases/thermostat-0.9.0.json"
    path.write_text(json.dumps({
        "product": "thermostat", "version": "0.9.0", "sequence": 1,
        "image": {"chip": "ESP32-S3", "secure_version": 5}}))
    assert "release 0.9.0 has 5" in refused(project, "1.1.0",
                                            secure_version=4)


def test_the_first_release_with_a_secure_version_says_so(project):
    assert "after 0" in refused(project, "1.0.0", secure_version=1)


@pytest.mark.parametrize("chip, steps", [(0, 32), (0x0C, 4), (0x17, 9),
                                         (S3, 16)])
def test_a_secure_version_beyond_the_efuses_is_refused(project, chip, steps):
    said = refused(project, "1.0.0", "--raise-secure-version", chip=chip,
                   secure_version=steps + 1)
    assert f"has eFuses for {steps}" in said
    released(project, "1.0.1", "--raise-secure-version", chip=chip,
             secure_version=steps)


def test_an_option_that_raises_nothing_is_refused(project):
    assert "leave the option out" in refused(project, "1.0.0",
                                             "--raise-secure-version")


# --- Version -----------------------------------------------------------------

def test_a_version_longer_than_a_descriptor_holds_is_the_release_s(project):
    long = "qa-test-v5.0-20220705-216-g230e1f2"
    name = put(project, "long.bin", version=long)
    result = project.good("release", name, "--version", long)
    assert "31 characters: qa-test-v5.0-20220705-216-g230e" in result.err
    assert (project.folder / f"releases/thermostat-{long}.suit").exists()
    said = project.refused(3, "release", name, "--version",
                           "qa-test-v5.0-20220705-216-g231")
    assert "carries version" in said


def test_an_arduino_build_takes_the_version_that_is_said(project):
    name = put(project, "sketch.bin", version="9036908-dirty",
               project="esp32-arduino-lib-builder")
    said = project.refused(3, "release", name)
    assert "Arduino SDK's" in said and "say --version" in said
    result = project.good("release", name, "--version", "2.0.0")
    assert "is what you say, not what it says" in result.err
    kept = json.loads((project.folder
                       / "releases/thermostat-2.0.0.json").read_text())
    assert kept["version_from"] == "command"


# --- What no slot starts -----------------------------------------------------

@pytest.mark.parametrize("name, says", [
    ("ESP32_C6/2023-07-24_bootloader.bin", "is a bootloader"),
    ("ESP32/2020-12-07_bootloader.bin", "no application descriptor")])
def test_bootloaders_are_refused(project, name, says):
    said = project.refused(3, "release", SAMPLES / "serial-flasher" / name,
                           "--version", "1.0.0")
    assert says in said


def test_a_damaged_image_is_refused_with_place_and_advice(project):
    body = bytearray(application(version="1.0.0"))
    body[400] ^= 1
    (project.folder / "bad.bin").write_bytes(body)
    said = project.refused(3, "release", "bad.bin")
    assert "ESP32-S3 application, damaged: the checksum is" in said
    assert "at offset" in said and "copy it again" in said


def test_an_image_that_starts_nowhere_is_refused(project):
    segments = [(0x3C000020, descriptor("1.0.0", "p") + bytes(256))]
    said = refused(project, "1.0.0", segments=segments)
    assert "0x40374000, which is in no segment" in said


def test_what_is_only_odd_is_said_and_released(project):
    body = application(version="1.0.0", hashed=False)
    (project.folder / "odd.bin").write_bytes(body)
    result = project.good("release", "odd.bin")
    assert "no SHA-256, only a checksum" in result.err


def test_firmware_of_other_makes_is_released_as_before(project):
    (project.folder / "raw.bin").write_bytes(firmware("3.0.0"))
    project.good("release", "raw.bin")
