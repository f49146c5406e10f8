# SPDX-License-Identifier: Apache-2.0
"""The emulated ESP32: 4 MB as `idf.py flash` leaves it, booted by ESP-IDF's
rules, updated by the device's own core and agent."""
import hashlib
import os
import signal
import struct
import zlib

import pytest

from esp_made import application, descriptor
from waiting import wait_for

S3, C3 = 9, 5
OTADATA, SLOT, SLOT_SIZE = 0xD000, (0x10000, 0x1D0000), 0x1C0000
NEW, PENDING, VALID, INVALID, ABORTED = range(5)
TRIES, HEALTH, DEADLINE, CORRUPT = 100, 101, 102, 104
NO_IMAGE = 3  # exit status


def image(version, chip=S3, size=20000):
    """`size` bytes of data behind the descriptor, the version's own."""
    block, data = hashlib.sha256(version.encode()).digest(), b""
    while len(data) < size:
        block = hashlib.sha256(block).digest()
        data += block
    code = 0x40374000 if chip == S3 else 0x40380000
    return application(version, "camera", chip, [
        (0x3C000020, descriptor(version, "camera") + data),
        (code, bytes(range(256)))])


class Esp:
    def __init__(self, device, gate, world, *options):
        self.world = world
        self.old = world.release(1, "1.0.0", image=image("1.0.0"))
        self.server = gate(self.old)
        self.one = device(self.server.url, self.old, "--chip=ESP32-S3",
                          *options)

    def flash(self):
        return (self.one.dir / "flash.bin").read_bytes()

    def records(self):
        """Both of otadata: (number, state), or None for a blank one."""
        found = []
        for i in range(2):
            r = self.flash()[OTADATA + 4096 * i:][:32]
            number, state, crc = struct.unpack("<I20xII", r)
            if number != 0xFFFFFFFF:
                assert crc == zlib.crc32(r[:4], 0xFFFFFFFF)
            found.append(None if number == 0xFFFFFFFF else (number, state))
        return found

    def holds(self, slot, release):
        return self.flash()[SLOT[slot]:][:len(release.image)] == release.image

    def on(self):
        self.one.power_on()
        self.server.wait_running(self.old)

    def offer(self, sequence, version, **more):
        made = self.world.release(sequence, version,
                                  image=image(version, **more))
        self.server.reports.clear()
        self.server.release = made
        return made

    def settled(self, release, slot):
        """It runs, is confirmed, and otadata says so, too."""
        report = self.server.wait_running(release)
        assert report[5] == slot
        wait_for(lambda: VALID in [r[1] for r in self.records() if r and
                                   (r[0] - 1) % 2 == slot])
        assert self.holds(slot, release)

    def child(self):
        pid = self.one.process.pid
        with open(f"/proc/{pid}/task/{pid}/children") as f:
            return int(f.read())


@pytest.fixture
def esp(device, gate, world):
    return Esp(device, gate, world)


# --- The factory -----------------------------------------------------------

def test_factory_leaves_what_idf_py_flash_leaves(esp, device, gate, world,
                                                 tmp_path):
    bootloader = tmp_path / "bootloader.bin"
    bootloader.write_bytes(b"\xe9" + bytes(range(256)) * 50)
    esp = Esp(device, gate, world, f"--bootloader={bootloader}")
    assert esp.one.made.returncode == 0, esp.one.made.stderr
    flash = esp.flash()
    assert len(flash) == 4 << 20
    assert flash[:12801] == bootloader.read_bytes()
    rows, at = [], 0x8000
    while flash[at:at + 2] == b"\xaa\x50":
        kind, subtype, offset, size, label = struct.unpack(
            "<BBII16s", flash[at + 2:at + 28])
        rows.append((label.rstrip(b"\0").decode(), kind, subtype, offset,
                     size))
        at += 32
    assert flash[at + 16:at + 32] == hashlib.md5(flash[0x8000:at]).digest()
    assert rows == [("nvs", 1, 2, 0x9000, 0x4000),
                    ("otadata", 1, 0, OTADATA, 0x2000),
                    ("phy_init", 1, 1, 0xF000, 0x1000),
                    ("ota_0", 0, 0x10, SLOT[0], SLOT_SIZE),
                    ("ota_1", 0, 0x11, SLOT[1], SLOT_SIZE),
                    ("bowline", 0x40, 0, 0x390000, 0x20000)]
    assert esp.records() == [None, None]
    assert esp.holds(0, esp.old)


def test_factory_refuses_an_image_that_the_chip_does_not_start(device, world):
    for wrong in (image("1.0.0", chip=C3), image("1.0.0")[:-1],
                  b"no image" * 500):
        one = device("http://127.0.0.1:1",
                     world.release(1, "1.0.0", image=wrong),
                     "--chip=ESP32-S3")
        assert one.made.returncode == 1
        assert "ESP32-S3" in one.made.stderr
        assert not (one.dir / "flash.bin").exists()


def test_unknown_chip_is_told(device, world):
    one = device("http://127.0.0.1:1", world.release(
        1, "1.0.0", image=image("1.0.0")), "--chip=ESP64")
    assert one.made.returncode == 1 and "ESP64" in one.made.stderr


# --- Updates ---------------------------------------------------------------

def test_first_start_is_written_to_otadata_by_the_bootloader(esp):
    esp.on()
    assert esp.records() == [(1, VALID), None]
    assert "bootloader: starts ota_0" in esp.one.said()


def test_releases_go_from_slot_to_slot_by_otadata(esp):
    esp.on()
    for n in (2, 3, 4):
        new = esp.offer(n, f"1.{n}.0")
        esp.settled(new, (n - 1) % 2)
    assert esp.records() == [(3, VALID), (4, VALID)]
    said = esp.one.said()
    assert "bootloader: starts ota_1, pending-verify in otadata" in said
    show = esp.one.show()
    assert show["state"]["active"] == "B" and show["state"]["trial"] is None


def test_image_of_another_chip_is_given_up_before_it_is_started(esp):
    esp.on()
    esp.offer(2, "1.1.0", chip=C3)
    event = esp.server.wait_event("returned", 2)
    assert event[1] == CORRUPT
    assert "starts ota_1" not in esp.one.said()
    assert esp.records()[0] == (1, VALID)


def test_trial_that_dies_comes_back_after_three_tries(device, gate, world):
    esp = Esp(device, gate, world, "--health-interval=20",
              "--confirm-deadline=60")
    esp.on()
    new = esp.offer(2, "1.1.0")
    for n in range(1, 4):
        # one that dies before this start is counted is given up at once
        wait_for(lambda: esp.one.said().count("runs 1.1.0 in slot B") >= n)
        os.kill(esp.child(), signal.SIGABRT)
        wait_for(lambda: esp.one.said().count("crashed") >= n)
    event = esp.server.wait_event("returned", 2)
    assert event[1] == TRIES
    esp.server.release = esp.old
    esp.server.reports.clear()
    assert esp.server.wait_running(esp.old)[5] == 0
    assert new.digest.hex() == esp.one.show()["slots"][1]["manifest"]
    assert esp.one.said().count("starts ota_1") == 3
    # nothing is left in otadata that a later trial could be taken for
    wait_for(lambda: esp.records() == [(1, VALID), None])


def test_power_cut_at_the_first_start_is_no_way_back(esp):
    esp.on()
    new = esp.offer(2, "1.1.0")
    wait_for(lambda: "runs 1.1.0 in slot B" in esp.one.said())
    esp.one.process.kill()
    esp.one.process.wait()
    esp.one.power_on()
    esp.settled(new, 1)
    assert not [e for e in esp.server.story() if e[0] == "returned"]


def test_slot_that_rots_is_stepped_over(esp):
    esp.on()
    esp.settled(esp.offer(2, "1.1.0"), 1)
    esp.one.power_off()
    with open(esp.one.dir / "flash.bin", "r+b") as f:
        f.seek(SLOT[1] + 3000)
        f.write(b"\0" * 64)
    esp.server.release = esp.old
    esp.server.reports.clear()
    esp.one.power_on()
    esp.server.wait(lambda r: r[5] == 0 and r[15] == esp.old.image_digest)


def test_nothing_whole_is_a_brick_and_says_so(esp):
    with open(esp.one.dir / "flash.bin", "r+b") as f:
        f.seek(SLOT[0] + 3000)
        f.write(b"\0" * 64)
    esp.one.power_on()
    assert esp.one.process.wait(20) == NO_IMAGE
    assert "no bootable app partitions" in esp.one.said()


def test_damaged_table_is_told(esp):
    with open(esp.one.dir / "flash.bin", "r+b") as f:
        f.seek(0x8004)
        f.write(b"\x01")
    esp.one.power_on()
    assert esp.one.process.wait(20) == NO_IMAGE
    assert "partition table, row 6" in esp.one.said()


@pytest.mark.parametrize("kind", ["absent", "partial", "complete"])
def test_update_comes_to_its_end_wherever_the_power_is_cut(esp, kind):
    """From the end of the download over otadata and two starts."""
    esp.on()
    sequence = 1
    release = esp.old
    for after in range(12, 40, 3):
        sequence += 1
        slot = (sequence - 1) % 2
        esp.one.power_off()
        esp.one.cut("--after", str(after), "--kind", kind)
        release = esp.offer(sequence, f"1.{sequence}.0", size=2000)
        starts = 0
        esp.one.power_on()
        while starts < 10:
            try:
                wait_for(lambda: esp.one.process.poll() is not None or
                         any(r[7] and r[4] == release.digest
                             for r in esp.server.reports[-1:]), seconds=20)
            except AssertionError:
                raise AssertionError(esp.one.said()[-3000:]) from None
            if esp.one.process.poll() is None:
                break
            starts += 1
            esp.one.power_on()
        cut = esp.one.dir / "cut"
        cut.unlink(missing_ok=True)
        report = esp.server.wait_running(release)
        assert report[5] in (0, 1) and esp.holds(report[5], release), slot
    assert release.version == f"1.{sequence}.0"
