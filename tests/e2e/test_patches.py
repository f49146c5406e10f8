# SPDX-License-Identifier: Apache-2.0
"""Updates by patches that the server made, with everything real: the tool, the
server with its encoder, devices with their decoder."""

import pytest

from bowline_server import BIN


@pytest.fixture(autouse=True)
def quick_encoder(monkeypatch):
    monkeypatch.setenv("BOWLINE_DELTAS", "true")
    monkeypatch.setenv("BOWLINE_DELTA_EFFORT", "0")


def patches(fleet, version, state):
    found = fleet.project.call("release", "delta", version)["items"]
    return [p for p in found if p["state"] == state]


def ready(fleet, old, new):
    """A patch for devices with 32 KB, made before anybody asks."""
    fleet.project.call("release", "delta", new["version"], "--make",
                       old["version"], "--ram", "32")
    return fleet.wait(lambda: patches(fleet, new["version"], "ready"),
                      "the patch", 600)[0]


def codes(fleet, device, made):
    return [e["code"] for e in fleet.events(device, made, "downloading")]


def test_a_device_updates_by_a_patch_and_the_bytes_saved_are_told(fleet):
    first, new = fleet.release("1.0.0"), fleet.release("1.1.0")
    device = fleet.device(first)
    fleet.wait_runs(device, first)
    patch = ready(fleet, first, new)
    assert patch["size"] < patch["full_size"] * 0.3
    fleet.roll_out(new)
    fleet.wait_runs(device, new)
    assert "delta-failed" not in codes(fleet, device, new)
    shown = fleet.project.call("release", "show", new["version"])
    used, = [p for p in shown["deltas"] if p["installed"]]
    assert used["number"] == patch["number"] and used["failed"] == 0
    assert used["saved"] == patch["full_size"] - patch["size"]
    assert shown["delta_saved"] == used["saved"]
    counted = fleet.project.call("rollout", "status")["rollout"]["bytes"]
    assert counted["delta_devices"] == 1
    assert counted["delta_saved"] == used["saved"]
    assert counted["sent"] == patch["size"]


@pytest.fixture
def wrong_encoder(monkeypatch, tmp_path):
    """Makes patches of which a byte is another than it should be."""
    path = tmp_path / "encoder"
    path.write_text(
        f'#!/bin/sh\n{BIN}/bowlined --make-delta $$ $1 $2 0 600 0 "" |'
        ' python3 -c "import sys; p = bytearray(sys.stdin.buffer.read());'
        ' p[len(p) // 2] ^= 64; sys.stdout.buffer.write(p)"\n')
    path.chmod(0o755)
    monkeypatch.setenv("BOWLINE_DELTA_PROGRAM", str(path))
    monkeypatch.setenv("BOWLINE_DELTA_MEMORY_MB", "0")


def test_a_wrong_patch_costs_the_whole_payload_and_nothing_else(
        wrong_encoder, fleet):
    first, new = fleet.release("1.0.0"), fleet.release("1.1.0")
    device = fleet.device(first)
    fleet.wait_runs(device, first)
    patch = ready(fleet, first, new)
    fleet.roll_out(new)
    fleet.wait_runs(device, new)
    assert "delta-failed" in codes(fleet, device, new)
    now = [p for p in fleet.project.call(
        "release", "delta", new["version"])["items"]
        if p["number"] == patch["number"]][0]
    assert now["failed"] == 1 and now["installed"] == now["saved"] == 0


def test_the_fleet_gets_patches_by_itself(fleet):
    first, new = fleet.release("1.0.0"), fleet.release("1.1.0")
    devices = [fleet.device(first) for _ in range(2)]
    for device in devices:
        fleet.wait_runs(device, first)
    # The first one comes before its patch is made, the second one after.
    fleet.project.call("rollout", "start", new["version"], "--stages",
                       "1,100%", "--manual", "yes")
    fleet.wait(lambda: patches(fleet, new["version"], "ready"),
               "the patch", 600)
    fleet.project.call("rollout", "advance", "--force")
    for device in devices:
        fleet.wait_runs(device, new)
    patch, = patches(fleet, new["version"], "ready")
    assert patch["installed"] >= 1 and patch["failed"] == 0
