# SPDX-License-Identifier: Apache-2.0
"""Patches in a world where processes are killed, disks rot and devices differ:
real servers, real devices that hold another chip's image."""
import os
import random
import re
import signal
import time
from pathlib import Path

import pytest

import patches  # of the demo

SIZE = 300_000


@pytest.fixture(autouse=True)
def quick_encoder(monkeypatch):
    monkeypatch.setenv("BOWLINE_DELTAS", "true")
    monkeypatch.setenv("BOWLINE_DELTA_EFFORT", "0")


def image(number):
    """Each is the one before with a tenth of it new."""
    draw = random.Random(5)
    content = bytearray(draw.randbytes(SIZE))
    for n in range(1, number + 1):
        draw = random.Random(n)
        for at in range(1000 + n * 307, SIZE - 300, 3000):
            content[at:at + 300] = draw.randbytes(300)
    return bytes(content)


def release(fleet, number):
    version = f"1.{number}.0"
    path = fleet.folder / f"{version}.bin"
    path.write_bytes(image(number))
    made = fleet.project.call("release", path, "--version", version)
    fleet.project.call("publish", made["file"])
    fleet.releases[version] = made
    return made


def holder(fleet, made, *options, through=None):
    device = fleet.device(made, "--holder", *options, through=through)
    fleet.wait_runs(device, made)
    return device


def all_of(fleet, made):
    return patches.of(fleet.project, made["version"])


def ready(fleet, made, n=1):
    def found():
        items = all_of(fleet, made)
        assert not [p for p in items if p["reason"]], items
        items = [p for p in items if p["state"] == "ready"]
        return items if len(items) >= n else None
    return fleet.wait(found, f"{n} patches", 300)


def planned(fleet, made, n=1):
    """A rollout that starts when its patches are ready."""
    fleet.roll_out(made, "--start-at", "+30min")
    return ready(fleet, made, n)


def begin(fleet):
    fleet.project.call("rollout", "set", "--start-at", "none")


def failures(fleet, device, made):
    return [e for e in fleet.events(device, made, "downloading")
            if e["code"] == "delta-failed"]


def test_killed_device_fetches_only_the_rest_of_a_patch(fleet):
    first, new = release(fleet, 0), release(fleet, 1)
    line = fleet.proxy()
    device = holder(fleet, first, through=line)
    patch, = planned(fleet, new)
    line.stall_after = patch["size"] * 2 // 3
    begin(fleet)
    assert line.stalled.wait(120)
    time.sleep(1)  # what has arrived is applied, and kept now and then
    os.killpg(device.process.pid, signal.SIGKILL)
    device.process.wait()
    line.go.set()
    device.power_on()
    fleet.wait_runs(device, new)
    asked = line.delta_ranges
    assert asked[0] is None and len(asked) == 2
    rest = int(re.fullmatch(rb"bytes=(\d+)-", asked[1])[1])
    assert patch["size"] // 3 < rest <= patch["size"] * 2 // 3
    assert not line.ranges and not failures(fleet, device, new)
    # The server counted what it was asked for, twice or not.
    used, = [p for p in all_of(fleet, new) if p["installed"]]
    assert used["saved"] == SIZE - 2 * patch["size"] + rest
    own = patches.fetched(device)
    assert own["deltas"] == patch["size"] - rest and not own["payloads"]


def makers(server):
    """Processes that make patches for it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:  # gone meanwhile
            continue
        if words[1:3] == [b"--make-delta", str(server.process.pid).encode()]:
            found.append(process.name)
    return found


def test_server_killed_while_it_makes_a_patch_makes_it_anew(
        fleet, monkeypatch):
    fleet.server.stop()
    monkeypatch.setenv("BOWLINE_DELTA_EFFORT", "9")  # takes its time
    fleet.server.start()
    fleet.server.wait(fleet.project)
    first, new = release(fleet, 0), release(fleet, 1)
    device = holder(fleet, first)
    fleet.roll_out(new, "--start-at", "+30min")
    fleet.wait(lambda: makers(fleet.server), "a patch that is being made")
    killed = fleet.server.process.pid
    fleet.server.process.kill()
    fleet.server.process.wait()
    fleet.wait(lambda: not makers(fleet.server), "the end of its child")
    monkeypatch.setenv("BOWLINE_DELTA_EFFORT", "0")
    fleet.server.start()
    fleet.server.wait(fleet.project)
    assert fleet.server.process.pid != killed
    patch, = ready(fleet, new)
    begin(fleet)
    fleet.wait_runs(device, new)
    used, = all_of(fleet, new)
    assert used["patch"] == patch["patch"] and used["installed"] == 1


def test_patch_that_rots_in_the_store_is_made_anew(fleet):
    first, new = release(fleet, 0), release(fleet, 1)
    devices = [holder(fleet, first) for _ in range(2)]
    patch, = planned(fleet, new)
    name = patch["patch"]
    file = next(fleet.server.folder.rglob(f"{name[:2]}/{name}"))
    content = bytearray(file.read_bytes())
    content[len(content) // 2:] = os.urandom(
        len(content) - len(content) // 2)
    file.write_bytes(content)
    begin(fleet)
    for device in devices:
        fleet.wait_runs(device, new)
        # Nothing rotten came: the whole payload, or the patch that was made
        # anew meanwhile.
        own = patches.fetched(device)
        assert list(own.values()) in ([SIZE], [patch["size"]]), own
    assert "delta-damaged" in (fleet.folder / "server.log").read_text(errors="replace")
    again, = ready(fleet, new)
    assert again["number"] == patch["number"] and again["patch"] == name
    # It is offered the release at once: its time in the first one is short.
    late = fleet.device(first, "--holder")
    fleet.wait_runs(late, new)
    assert not failures(fleet, late, new)
    assert patches.fetched(late)["deltas"] == patch["size"]


def test_each_base_of_the_fleet_gets_a_patch_of_its_own(fleet):
    one, two, new = (release(fleet, n) for n in range(3))
    devices = [holder(fleet, one), holder(fleet, two)]
    made = planned(fleet, new, 2)
    assert sorted(p["from"] for p in made) == ["1.0.0", "1.1.0"]
    assert len({p["patch"] for p in made}) == 2
    begin(fleet)
    sizes = {p["from"]: p["size"] for p in made}
    for device, base in zip(devices, ("1.0.0", "1.1.0")):
        fleet.wait_runs(device, new)
        own = patches.fetched(device)
        assert own["deltas"] == sizes[base] and not own["payloads"]
    after = all_of(fleet, new)
    assert [p["installed"] for p in after] == [1, 1]
    for p in after:
        assert p["saved"] == SIZE - p["size"]


def test_device_with_6_kb_gets_a_patch_that_needs_no_more(fleet):
    first, new = release(fleet, 0), release(fleet, 1)
    device = holder(fleet, first, "--delta-memory", "6144")
    patch, = planned(fleet, new)
    assert patch["ram"] == 6144
    begin(fleet)
    fleet.wait_runs(device, new)
    own = patches.fetched(device)
    assert own["deltas"] == patch["size"] and not own["payloads"]
    assert not failures(fleet, device, new)


def test_switched_off_no_patch_is_made_or_fetched_and_on_again(fleet):
    first, middle, new = (release(fleet, n) for n in range(3))
    device = holder(fleet, first)
    fleet.project.call("settings", "--deltas", "off")
    fleet.roll_out(middle)
    fleet.wait_runs(device, middle)
    own = patches.fetched(device)
    assert own["payloads"] == SIZE and not own["deltas"]
    assert all_of(fleet, middle) == []
    fleet.project.call("settings", "--deltas", "on")
    end = (device.dir / "log").stat().st_size
    patch, = planned(fleet, new)
    begin(fleet)
    fleet.wait_runs(device, new)
    own = patches.fetched(device, end)
    assert own["deltas"] == patch["size"] and not own["payloads"]
