# SPDX-License-Identifier: Apache-2.0
"""bowline inspect of what lies in an ESP32's flash beside images."""
import struct
import zlib

from .conftest import SAMPLES, TOP

TABLES = TOP / "tests" / "samples" / "partition-tables"
TWO_OTA = TABLES / "esp-idf-part" / "factory_app_two_ota.bin"
IMAGE = SAMPLES / "serial-flasher" / "ESP32" / "2024-08-13_hello_world.bin"
VALID, PENDING = 2, 1


def record(number, state):
    crc = zlib.crc32(struct.pack("<I", number), 0xFFFFFFFF)
    return (struct.pack("<I", number) + b"\xff" * 20 +
            struct.pack("<II", state, crc)).ljust(4096, b"\xff")


def dump(otadata):
    flash = bytearray(b"\xff" * (4 << 20))
    for at, part in ((0x8000, TWO_OTA.read_bytes()), (0xD000, otadata),
                     (0x110000, IMAGE.read_bytes())):
        flash[at:at + len(part)] = part
    return bytes(flash)


def one(tool, path, code=0):
    result = tool("inspect", "--json", path)
    assert result.code == code, result.out + result.err
    return result.json["files"][0]


def written(tool, name, data):
    (tool.folder / name).write_bytes(data)
    return name


def test_a_partition_table_is_listed_row_by_row(tool):
    seen = one(tool, TWO_OTA)
    assert (seen["type"], seen["md5"]) == ("partition table", True)
    assert seen["verifies"] is True and seen["faults"] == []
    assert [(p["label"], p["subtype"], p["offset"]) for p in
            seen["partitions"]][3:] == [("factory", "factory", "0x10000"),
                                        ("ota_0", "ota_0", "0x110000"),
                                        ("ota_1", "ota_1", "0x210000")]
    text = tool.good("inspect", TWO_OTA).out
    assert "otadata" in text and "ota_1" in text and "whole" in text


def test_a_table_without_slots_says_what_that_means(tool):
    assert "note" not in one(tool, TWO_OTA)
    rows = bytearray(TWO_OTA.read_bytes())
    rows[4 * 32:] = b"\xff" * (len(rows) - 4 * 32)
    (tool.folder / "single.bin").write_bytes(rows)
    assert "no update can be installed" in one(tool, "single.bin")["note"]


def test_every_table_of_others_is_in_order(tool):
    tables = sorted(TABLES.glob("*/*.bin"))
    assert len(tables) >= 5
    for path in tables:
        assert one(tool, path)["verifies"] is True, path


def test_one_flipped_bit_in_a_table_is_told(tool):
    table = bytearray(TWO_OTA.read_bytes())
    table[40] ^= 1
    seen = one(tool, written(tool, "bad.bin", table), code=1)
    assert seen["verifies"] is False
    assert seen["problem"].startswith("row 6: ") and "MD5" in seen["problem"]


def test_faults_name_the_partitions(tool):
    row = struct.pack("<HBBII16sI", 0x50AA, 0, 0x10, 0x10000, 0x200000,
                      b"first", 0)
    row += struct.pack("<HBBII16sI", 0x50AA, 0, 0x11, 0x110000, 0x100000,
                       b"second\x1b[31m", 0)
    seen = one(tool, written(tool, "t.bin", row.ljust(3072, b"\xff")), code=1)
    assert len(seen["faults"]) == 2  # overlap; slots without otadata
    assert "first and second" in seen["problem"]
    assert "overlap" in seen["problem"]
    assert "\x1b[31m" not in tool("inspect", "t.bin").out


def test_otadata_says_what_boots_next(tool):
    data = record(3, VALID) + record(4, PENDING)
    seen = one(tool, written(tool, "otadata.bin", data))
    assert [r["state"] for r in seen["records"]] == ["valid",
                                                     "pending-verify"]
    assert seen["active_record"] == 1
    assert seen["boots"] == {
        "without_rollback": "ota_1",
        "with_rollback": "ota_0; record 1 becomes aborted"}
    assert "verifies" in seen and seen["verifies"] is None


def test_otadata_with_a_wrong_crc_is_told(tool):
    data = bytearray(record(3, VALID) + record(4, VALID))
    data[4096 + 28] ^= 1
    seen = one(tool, written(tool, "otadata.bin", data))
    assert [r["crc"] for r in seen["records"]] == ["right", "wrong"]
    assert seen["active_record"] == 0


def test_blank_otadata_is_otadata(tool):
    seen = one(tool, written(tool, "blank.bin", b"\xff" * 8192))
    assert seen["type"] == "otadata" and seen["active_record"] is None


def test_a_dump_of_the_flash_is_explained_as_a_whole(tool):
    data = dump(record(3, VALID) + record(4, PENDING))
    seen = one(tool, written(tool, "flash.bin", data))
    assert seen["type"] == "flash" and len(seen["partitions"]) == 6
    assert seen["images"] == [{
        "slot": "ota_0", "whole": True, "chip": "ESP32", "length": 124416,
        "project": "hello_world", "version": "v1.4.1-2-g0296947-dirty"}]
    assert seen["boots"]["without_rollback"] == "ota_1"


def test_cut_dumps_never_crash(tool):
    data = dump(record(3, VALID) + record(4, PENDING))
    for n in (0x8020, 0x8C00, 0xD000, 0xE010, 0x110010, 0x110400):
        result = tool("inspect", "--json", written(tool, "cut.bin", data[:n]))
        assert result.code in (0, 1), n
