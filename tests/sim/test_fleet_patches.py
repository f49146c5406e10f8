# SPDX-License-Identifier: Apache-2.0
"""A fleet that updates by patches: what the server counts is what the devices
did."""
import pytest
from bowline_server import PRODUCT
from fleet import assert_same, believed, wait
from fleet_patches import RAM, counted, image, order, patches, told

FAST = ("--speed", 3600, "--seed", 7, "--compare", "--settle", "60s")


@pytest.fixture
def server(make_tls_server):
    # One patch that fails on many shall go on being offered.
    return make_tls_server(delta_effort=0, delta_failures=1000)


def three(server):
    return [server.publish(n, f"1.{n}.0", image(n)) for n in (1, 2, 3)]


def roll_out(server, version, n):
    """Until all have it, or have failed."""
    made = server.api("POST", "/rollouts", {
        "product": PRODUCT, "version": version, "stages": [100],
        "gates": {"max_failed_percent": 100}}, expect=201).json

    def ended():
        c = server.api("GET", f"/rollouts/{made['id']}").json["counts"]
        return c["confirmed"] + c["returned"] + c["failed"] + \
            c["refused"] >= n
    wait("end of " + version, ended, 240)
    server.api("POST", f"/rollouts/{made['id']}/abort", {})


def test_all_by_patch_and_each_byte_is_counted(server, make_fleet):
    _, new, newer = three(server)
    fleet = make_fleet(server, 60, *FAST).start()
    order(server, "1.1.0", new)
    roll_out(server, "1.2.0", 60)
    order(server, "1.2.0", newer)
    roll_out(server, "1.3.0", 60)
    truth = fleet.stop()
    assert assert_same(truth, believed(server)) == 60
    assert {d["version"] for d in truth.values()} == {"1.3.0"}
    first, second = patches(server, new) + patches(server, newer)
    saved = 60 * (2 * 24000 - first["size"] - second["size"])
    assert counted(server, new, newer) == (120, 0, saved)
    assert told(truth) == (120, 0, saved)
    assert fleet.summary["patched"] == 120


def test_broken_damaged_and_interrupted_patches(server, make_fleet):
    _, new, newer = three(server)
    n = 150
    fleet = make_fleet(
        server, n, *FAST, "--loss", "3%", "--power-cuts", "4%", "--deltas",
        "80%", "--bad-patches", "20%", "--behaviour",
        "1.2.0=flaky:5%").start()
    order(server, "1.1.0", new)
    roll_out(server, "1.2.0", n)
    order(server, "1.2.0", newer)
    roll_out(server, "1.3.0", n)
    truth = fleet.stop()
    assert assert_same(truth, believed(server)) == n
    installed, failed, saved = told(truth)
    by_server = counted(server, new, newer)
    assert by_server[:2] == (installed, failed)
    # What was sent and lost on the way was not saved.
    assert 0 < by_server[2] <= saved
    assert installed > n and failed > 20
    assert {d["patched"] > 0 for d in truth.values()} == {True, False}
    summary = fleet.summary
    assert summary["agrees"] is True and summary["flash_breaches"] == 0
    assert summary["power_cuts"] > 0 and summary["broken"] > 0


def test_who_takes_none_is_sent_none(server, make_fleet):
    _, new, _ = three(server)
    fleet = make_fleet(server, 20, *FAST, "--deltas", "0%").start()
    order(server, "1.1.0", new)
    roll_out(server, "1.2.0", 20)
    truth = fleet.stop()
    assert {d["version"] for d in truth.values()} == {"1.2.0"}
    assert told(truth) == counted(server, new) == (0, 0, 0)


def test_small_memory_gets_patches_of_its_own(server, make_fleet):
    _, new, _ = three(server)
    fleet = make_fleet(server, 20, *FAST, "--delta-memory", 8192).start()
    order(server, "1.1.0", new)  # needs more than they have
    roll_out(server, "1.2.0", 20)
    truth = fleet.stop()
    used = [p for p in patches(server, new) if p["installed"]]
    assert {p["ram"] for p in used} <= {8192}
    assert told(truth) == counted(server, new)
    assert RAM in {p["ram"] for p in patches(server, new)}
