# SPDX-License-Identifier: Apache-2.0
"""Images of others, beside values that were read independently."""
import json
import os
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from .conftest import SAMPLES, TOP, firmware, record
from esp_made import application, descriptor, sketch8266

FULL = Path(os.environ.get("BOWLINE_ESP_IMAGES",
                           TOP.parent / "shared/samples/esp-images"))
EXPECTED = json.loads((SAMPLES / "expected.json").read_text())


def revision(value, is_max):
    if is_max and value in (0, 0xFFFF):
        return None
    return f"{value // 100}.{value % 100}"


def compare(seen, e):
    assert seen["verifies"] is (e["checksum_ok"] and e["hash_ok"])
    assert seen["chip_id"] == e["chip_id"]
    assert int(seen["entry"], 16) == e["entry"]
    assert seen["min_revision"] == revision(e["min_rev"], False)
    assert seen["max_revision"] == revision(e["max_rev"], True)
    assert seen["hash_appended"] is bool(e["hash_appended"])
    assert int(seen["checksum"], 16) == e["checksum"]
    assert seen["checksum_ok"] is e["checksum_ok"]
    assert seen["hash_ok"] is e["hash_ok"]
    assert seen["length"] == e["image_len"]
    assert seen["size"] == e["file_len"]
    assert [[int(s["address"], 16), s["length"], s["offset"]]
            for s in seen["segments"]] == e["segs"]
    assert len(seen["segments"]) == e["segments"]
    if "project" in e:
        assert "application" in seen["format"]
        assert seen["project"] == e["project"]
        assert seen["version"] == seen["descriptor_version"] == e["version"]
        assert seen["built"] == (f"{e['date']} {e['time']}"
                                 if e["date"] else None)
        assert seen["idf"] == e["idf"]
        assert seen["elf_sha256"] == e["elf_sha256"]
        assert seen["secure_version"] == e["secure_version"]
        assert seen["min_efuse_block"] == e["min_efuse_blk"]
        assert seen["max_efuse_block"] == e["max_efuse_blk"]
        assert seen["mmu_page_log2"] == e["mmu_page_log2"]
    else:
        assert seen["version"] is None
    if "bootloader_desc" in e:
        b = e["bootloader_desc"]
        assert "bootloader" in seen["format"]
        assert seen["idf"] == b["idf"]
        assert seen["bootloader_version"] == b["version"]
        assert seen["built"] == b["date"]


@pytest.mark.parametrize("name", EXPECTED)
def test_esp32_image(tool, name):
    seen = tool.good("inspect", SAMPLES / name, "--json").json["files"][0]
    compare(seen, EXPECTED[name])


def test_esp32_images_full_set(tool):
    if not FULL.is_dir():
        pytest.skip("esp32_images_full_set: BOWLINE_ESP_IMAGES is no folder")
    expected = json.loads((FULL / "expected.json").read_text())
    names = list(expected)
    files = [FULL / name.removeprefix("esp-images/") for name in names]
    seen = tool.good("inspect", *files, "--json").json["files"]
    for name, one in zip(names, seen):
        compare(one, expected[name])
    assert len(seen) == len(names) >= 27


@pytest.mark.parametrize("name, hashed", [
    ("2020-12-07_bootloader.bin", False),
    ("2024-08-13_hello-world.bin", True)])
def test_esp8266_image_is_told_apart(tool, name, hashed):
    path = SAMPLES / "serial-flasher/ESP8266" / name
    seen = tool.good("inspect", path, "--json").json["files"][0]
    assert seen["format"] == "ESP8266 image" and seen["verifies"] is True
    assert seen["hash_appended"] is hashed
    assert "chip_id" not in seen and seen["version"] is None


def test_an_arduino_sketch_for_esp8266_is_told_and_checked(tool):
    body = sketch8266()
    code, seen = inspect(tool, body)
    assert code == 0 and seen["format"] == "ESP8266 image, Arduino sketch"
    assert seen["length"] == len(body) and seen["faults"] == []
    assert inspect(tool, body + b"signature")[1]["length"] == len(body)
    for at in (100, 4000, 4116, 5000, len(body) - 1):
        bad = bytearray(body)
        bad[at] ^= 8
        code, seen = inspect(tool, bytes(bad))
        assert code == 1 and seen["verifies"] is False, at
    code, seen = inspect(tool, body[:-500])
    assert seen["faults"][0]["odd"] is True
    assert "says it has" in seen["faults"][0]["what"]


def test_a_partition_table_is_no_image(tool):
    path = (SAMPLES
            / "serial-flasher/ESP32/2020-12-07_partition-table.bin")
    seen = tool.good("inspect", path, "--json").json["files"][0]
    assert seen["format"] == "ESP32 partition table"
    assert seen["verifies"] is True


def inspect(tool, body):
    path = tool.folder / "image"
    path.write_bytes(body)
    result = tool("inspect", path, "--json")
    return result.code, result.json["files"][0]


def test_an_image_made_here_is_read(tool):
    code, seen = inspect(tool, application(version="2.5.0") + b"\xff" * 512)
    assert code == 0 and seen["version"] == "2.5.0"
    assert seen["chip"] == "ESP32-S3" and seen["size"] == seen["length"] + 512


def test_every_bit_of_the_image_counts(tool):
    """Checksum and hash cover all of it but what they leave out on purpose."""
    body = application()
    for at in [1, 5, 24, 28, 31, 40, 300, 700, len(body) - 33,
               len(body) - 1]:
        bad = bytearray(body)
        bad[at] ^= 4
        code, seen = inspect(tool, bytes(bad))
        assert code == 1 or seen["format"] == "binary", at


def test_an_image_cut_anywhere_is_not_whole(tool):
    body = application()
    for n in [*range(33, len(body), 97), len(body) - 1, len(body) - 32]:
        code, seen = inspect(tool, body[:n])
        assert code == 1 or seen["format"] == "binary", n
        assert seen["verifies"] is not True


def test_without_a_hash_the_checksum_decides(tool):
    body = bytearray(application(hashed=False))
    assert inspect(tool, bytes(body))[1]["verifies"] is True
    body[400] ^= 1
    code, seen = inspect(tool, bytes(body))
    assert code == 1 and "checksum" in seen["problem"]


@pytest.mark.parametrize("segments, says", [
    ([(0x3C000024, descriptor("1", "p") + bytes(256))], "mapped"),
    ([(0x3C000020, descriptor("1", "p")[:200] + bytes(2))], "length"),
])
def test_impossible_segments(tool, segments, says):
    code, seen = inspect(tool, application(segments=segments))
    assert code == 1 and says in seen["problem"]


def test_a_segment_longer_than_the_file(tool):
    body = bytearray(application())
    struct.pack_into("<I", body, 28, 0x00FFFFF0)
    code, seen = inspect(tool, bytes(body))
    assert code == 1 and "the file ends" in seen["problem"]


def test_secure_boot_sectors_are_seen(tool):
    body = application()
    body += b"\xff" * (-len(body) % 4096)
    sector = (b"\xe7\x02" + bytes(1214)).ljust(4096, b"\xff")
    seen = inspect(tool, body + sector)[1]
    assert seen["secure_boot_signatures"] == 1 and seen["verifies"] is False
    assert "CRC" in seen["problem"]  # a good one: test_esp_sign.py


def test_a_record_inside_an_esp32_image_comes_first(tool):
    segments = [(0x3C000020, descriptor("9036908", "arduino-lib-builder")
                 + record("1.2.3", "thermostat") + bytes(128))]
    seen = inspect(tool, application(segments=segments))[1]
    assert seen["version"] == "1.2.3" and seen["product"] == "thermostat"
    assert seen["version_from"] == "firmware record"


def test_a_person_is_told_each_fault_and_what_to_do(tool):
    body = bytearray(application())
    body[2] = 9
    (tool.folder / "image").write_bytes(body[:-8])
    result = tool("inspect", "image")
    assert result.code == 1
    assert "  DAMAGED: the file ends before the appended SHA-256" in result.out
    assert "  wrong at offset 1584: the file ends" in result.out
    assert "; copy it again from where it was built\n" in result.out
    assert "  odd at offset 2: its SPI mode is none" in result.out
    faults = tool("inspect", "image", "--json").json["files"][0]["faults"]
    assert [f["odd"] for f in faults] == [False, True]
    assert all(f["what"] and f["advice"] for f in faults)


def test_a_segment_is_told_by_where_it_runs(tool):
    path = SAMPLES / "serial-flasher/ESP32_S3/2024-08-13_hello_world.bin"
    seen = tool.good("inspect", path, "--json").json["files"][0]
    assert [s["is"] for s in seen["segments"]] == [
        "flash", "RAM", "RAM", "filler", "flash"]


# --- ELF ---------------------------------------------------------------------

SOURCE = """
#include "bowline/firmware.h"
BL_FIRMWARE("thermostat", "3.2.1");
int main(void) { return bl_firmware.format[0] - 1; }
"""


@pytest.fixture(scope="module")
def elf(tmp_path_factory):
    folder = tmp_path_factory.mktemp("elf")
    (folder / "fw.c").write_text(SOURCE)
    subprocess.run([shutil.which("cc") or "gcc", "-I",
                    TOP / "core/include", "-o", folder / "fw",
                    folder / "fw.c"], check=True)
    return folder / "fw"


def test_elf_with_a_bowline_section(tool, elf):
    seen = tool.good("inspect", elf, "--json").json["files"][0]
    assert seen["version"] == "3.2.1" and seen["product"] == "thermostat"
    assert seen["bowline_section"] is True and seen["bits"] == 64
    assert seen["verifies"] is True


def test_stripped_elf_is_searched_by_magic(tool, elf):
    body = bytearray(elf.read_bytes())
    struct.pack_into("<Q", body, 40, 0)
    struct.pack_into("<HHH", body, 58, 0, 0, 0)
    seen = inspect(tool, bytes(body))[1]
    assert seen["version"] == "3.2.1" and seen["bowline_section"] is False


def test_elf_cut_anywhere_is_not_whole(tool, elf):
    body = elf.read_bytes()
    for n in [16, 40, 63, 64, 500, len(body) // 2, len(body) - 1]:
        code, seen = inspect(tool, body[:n])
        assert code == 1 and seen["verifies"] is False, n


@pytest.mark.parametrize("bits, order", [(32, "little"), (32, "big"),
                                         (64, "big")])
def test_elf_of_other_machines(tool, bits, order):
    e = "<" if order == "little" else ">"
    ident = bytes([0x7F]) + b"ELF" + bytes([1 if bits == 32 else 2,
                                            1 if order == "little" else 2, 1])
    address = "I" if bits == 32 else "Q"
    head = ident.ljust(16, b"\0") + struct.pack(
        e + "HHI" + 3 * address + "IHHHHHH", 2, 40, 1, 0x8000, 0, 0, 0,
        52 if bits == 32 else 64, 0, 0, 0, 0, 0)
    seen = inspect(tool, head + firmware("4.0.0"))[1]
    assert seen["machine"] == "ARM" and seen["byte_order"] == order
    assert seen["bits"] == bits and seen["version"] == "4.0.0"


# --- Firmware record ---------------------------------------------------------

@pytest.mark.parametrize("change", [
    lambda r: r[:16] + b"\x02\0" + r[18:],  # a format of the future
    lambda r: r[:20] + b"\1" + r[21:],      # not zero where it must be
    lambda r: r[:32] + b"x" * 32 + r[64:],  # version without an end
    lambda r: r[:32] + bytes(32) + r[64:],  # no version
    lambda r: r[:32] + b"\x07".ljust(32, b"\0") + r[64:],  # unprintable
    lambda r: r[:127],                      # cut
])
def test_what_is_no_record(tool, change):
    seen = inspect(tool, b"head" + change(record("1.0.0", "thermostat")))[1]
    assert seen["version"] is None and seen["format"] == "binary"


def test_a_record_at_the_very_end(tool):
    seen = inspect(tool, b"\x89" * 40 + record("1.0.0", "thermostat"))[1]
    assert seen["version"] == "1.0.0" and seen["record_offset"] == 40
