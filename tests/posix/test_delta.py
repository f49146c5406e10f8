# SPDX-License-Identifier: Apache-2.0
"""Updates by delta on the board, with patches that `bowline diff` makes."""
import random
import signal
import subprocess

import pytest

from board import program

FAILED = 56  # delta-failed of core/include/bowline/status.h


def diff(folder, old, new, *options):
    for name, image in (("old.bin", old), ("new.bin", new)):
        (folder / name).write_bytes(image)
    subprocess.run([program("bowline"), "diff", folder / "old.bin",
                    folder / "new.bin", "--output", folder / "a.patch",
                    *options], check=True, capture_output=True)
    return (folder / "a.patch").read_bytes()


def got(server, folder):
    return [r for path, r in server.gets if f"/{folder}/" in path]


@pytest.fixture
def holder(device, gate, world, tmp_path):
    """(device, gate, old, new): a chip's image, a tenth of it to be new."""
    draw = random.Random(5)
    image = bytearray(draw.randbytes(300_000))
    old = world.release(1, "1.0.0", image=bytes(image))
    for at in range(1000, len(image), 3000):
        image[at:at + 300] = draw.randbytes(300)
    new = world.release(2, "2.0.0", image=bytes(image))
    server = gate(old)
    one = device(server.url, old, "--holder")
    assert one.made.returncode == 0, one.made.stderr
    server.base = old
    server.patch = diff(tmp_path, old.image, new.image, "--ram=12")
    return one, server, new


def test_firmware_is_updated_by_a_patch(device, gate, world, tmp_path):
    old, new = world.release(1, "1.0.0"), world.release(2, "1.1.0")
    server = gate(old)
    one = device(server.url, old)
    server.base = old
    server.patch = diff(tmp_path, old.image, new.image, "--ram=32",
                        "--effort=0", "--isa=plain")  # quick
    assert len(server.patch) < len(new.image) // 20
    server.release = new
    one.power_on()
    report = server.wait_running(new)
    assert report[12] == "1.1.0" and report[5] == 1
    assert got(server, "deltas") == [None] and not got(server, "payloads"), (
        one.said(), [(21 in r, 2 in r) for r in server.reports])
    said = next(r[21] for r in server.reports if 21 in r)
    assert said[:2] == [1, 32768] and said[2] & 1
    assert all(21 not in r for r in server.reports if 2 not in r)
    assert "watchdog" not in one.said()


def test_small_chip_says_how_much_memory_it_has(holder):
    one, server, new = holder
    server.release = new
    one.power_on()
    server.wait_running(new)
    assert next(r[21] for r in server.reports if 21 in r)[1] == 12288
    assert not got(server, "payloads")


def test_device_without_memory_takes_whole_images(device, gate, world):
    old = world.release(1, "1.0.0", image=b"\xe9first" * 5000)
    new = world.release(2, "2.0.0", image=b"\xe9second" * 9000)
    server = gate(old)
    server.base, server.patch = old, b"D" * 100
    one = device(server.url, old, "--holder", "--delta-memory=0")
    server.release = new
    one.power_on()
    server.wait_running(new)
    assert not got(server, "deltas")
    assert all(21 not in r for r in server.reports)


def test_transfer_of_a_patch_goes_on_by_offset(holder):
    one, server, new = holder
    server.release, server.cut_after = new, len(server.patch) // 3
    one.power_on()
    server.wait_running(new)
    ranges = got(server, "deltas")
    assert server.cuts >= 2 and len(ranges) >= 3 and all(ranges[1:])
    assert not got(server, "payloads")


def test_patch_goes_on_after_a_power_cut_from_a_checkpoint(holder):
    one, server, new = holder
    server.release = new
    one.cut("--install", "--after=2124")
    one.power_on()
    assert one.process.wait(60) == -signal.SIGKILL
    one.power_on()
    server.wait_running(new)
    first, second = got(server, "deltas")
    assert first is None and second is not None
    assert 0 < int(second[6:-1]) < len(server.patch)
    assert not got(server, "payloads")


def test_wrong_patch_brings_the_whole_image(holder):
    one, server, new = holder
    middle = len(server.patch) // 2
    server.patch = server.patch[:middle] + b"\x55" * 50 + \
        server.patch[middle + 50:]
    server.release = new
    one.power_on()
    server.wait_running(new)
    assert len(got(server, "deltas")) == 1 and got(server, "payloads") == [None]
    assert ("downloading", FAILED) in [e[:2] for e in server.story()]
    assert "delta-failed" in one.said()


# --- Patches of the manifest's own (x-apply) --------------------------------

STAGE = "--stage-size=16384"


@pytest.fixture
def staged(device, gate, world, tmp_path):
    """make(option...) gives (device, gate, release with its own patch); the
    device runs the patch's base, or what `running` says."""
    draw = random.Random(6)
    image = bytearray(draw.randbytes(200_000))
    base = bytes(image)
    for at in range(1000, len(image), 3000):
        image[at:at + 40] = draw.randbytes(40)
    patch = diff(tmp_path, base, bytes(image), "--ram=12")
    new = world.release(2, "2.0.0", image=bytes(image), patch=(base, patch))

    def make(*options, running=base):
        factory = world.release(1, "1.0.0", image=running)
        server = gate(factory)
        one = device(server.url, factory, "--holder", *options)
        assert one.made.returncode == 0, one.made.stderr
        server.own, server.release = patch, new
        return one, server, new

    return make


def counted(server, release):
    """How often the patch was asked for, and how often the image."""
    name = release.image_digest.hex()
    whole = sum(path.endswith(name) for path, _ in server.gets)
    return len(got(server, "payloads")) - whole, whole


def test_manifests_own_patch_is_applied_from_the_stage(staged):
    one, server, new = staged(STAGE)
    one.power_on()
    report = server.wait_running(new)
    assert report[15] == new.image_digest and report[5] == 1
    assert counted(server, new) == (1, 0), one.said()


def test_who_runs_another_image_takes_the_whole(staged):
    one, server, new = staged(STAGE, running=b"\xe9another" * 20_000)
    one.power_on()
    server.wait_running(new)
    assert counted(server, new) == (0, 1), one.said()


@pytest.mark.parametrize("after", [40, 300, 700])
def test_power_cut_while_it_is_applied(staged, after):
    one, server, new = staged(STAGE)
    one.cut("--install", f"--after={after}")
    one.power_on()
    assert one.process.wait(60) == -signal.SIGKILL
    one.power_on()
    server.wait_running(new)
    patches, whole = counted(server, new)
    assert patches in (1, 2) and whole == 0, one.said()


@pytest.mark.parametrize("options, why", [
    ([STAGE, "--delta-memory=0"], "delta-unsupported"), ([], "component")])
def test_who_cannot_refuses_it_before_anything(staged, options, why):
    one, server, new = staged(*options)
    one.power_on()
    server.wait_event("refused", 0)  # its number is not believed yet
    assert counted(server, new) == (0, 0)
    assert why in one.said()
