# SPDX-License-Identifier: Apache-2.0
"""The whole loop with everything real: a release from the tool through the
server to a device that runs it, and the ways back."""
import time

import pytest

from world import Broken

BAD = [("1.2.0-crash", "boot-tries", "crash"),
       ("1.2.1-hang", "boot-tries", "watchdog"),
       ("1.2.2-unhealthy", "health", None),
       ("1.2.3-pending", "confirm-deadline", None)]


def updated(fleet, *options, through=None):
    """A device on 1.0.0, and the release 1.1.0."""
    first = fleet.release("1.0.0")
    device = fleet.device(first, *options, through=through)
    fleet.wait_runs(device, first)
    return device, first, fleet.release("1.1.0")


def test_release_travels_from_build_to_confirmed_device(fleet):
    device, _, new = updated(fleet)
    fleet.roll_out(new)
    shown = fleet.wait_runs(device, new)
    assert shown["updated"] and shown["slot"] == "B"
    states = [e["state"] for e in reversed(fleet.project.call(
        "device", "events", device.id)["items"])
        if e["sequence"] == new["sequence"]]
    assert states[0] == "downloading" and states[-1] == "confirmed"
    status = fleet.project.call("rollout", "status", "--wait", "finished",
                                "--timeout", "20")
    assert status["rollout"]["counts"]["confirmed"] == 1


@pytest.mark.parametrize("build, code, reset", BAD)
def test_bad_release_comes_back_by_itself(fleet, build, code, reset):
    device, first, _ = updated(fleet)
    bad = fleet.release(build)
    fleet.roll_out(bad, "--attempts", "1")
    event = fleet.wait(lambda: fleet.events(device, bad, "returned"),
                       "the return")[0]
    assert event["code"] == code
    assert reset is None or event["reset"] == reset
    shown = fleet.wait_runs(device, first)
    assert shown["state"] in ("idle", "returned")
    counts = fleet.project.call("rollout", "status")["rollout"]["counts"]
    assert counts["returned"] == 1 and counts["confirmed"] == 0


@pytest.mark.parametrize("attempts", [1, 2])
def test_returned_release_is_tried_as_often_as_the_plan_says(fleet, attempts):
    device, first, _ = updated(fleet)
    bad = fleet.release("1.2.0-crash")
    fleet.roll_out(bad, "--attempts", str(attempts), "--min-failed", "9")
    fleet.wait(lambda: len(fleet.events(device, bad, "returned")) == attempts)
    fleet.wait_runs(device, first)
    time.sleep(4)
    assert len(fleet.events(device, bad, "returned")) == attempts
    why = fleet.project.call("device", "why", device.id)
    assert why["why_code"] == "quarantine"
    fleet.wait_runs(device, first)


def test_device_after_a_bad_release_takes_the_next_good_one(fleet):
    device, _, good = updated(fleet)
    bad = fleet.release("1.2.0-crash")
    fleet.roll_out(bad)
    fleet.wait(lambda: fleet.events(device, bad, "returned"))
    fleet.project.call("rollout", "abort")
    better = fleet.release("1.3.0")
    fleet.roll_out(better)
    fleet.wait_runs(device, better)


def test_power_loss_in_mid_install_is_survived_and_told(fleet):
    device, first, new = updated(fleet)
    device.cut((8 << 20) // 4096 + 100, "partial")
    fleet.roll_out(new)
    fleet.wait(lambda: not device.is_on(), "the power cut")
    slot = device.active_slot()
    assert slot["image"] == first["sha256"] and slot["whole"]
    device.power_on()
    fleet.wait_runs(device, new)
    told = [e for e in fleet.events(device, new, "downloading")
            if e["code"] == "interrupted"]
    assert told and told[0]["reset"] == "power"


# --- Operators --------------------------------------------------------------

def test_operator_brings_one_device_back(fleet):
    device, first, new = updated(fleet)
    other = fleet.device(first)
    fleet.roll_out(new)
    fleet.wait_runs(device, new)
    fleet.wait_runs(other, new)
    fleet.project.call("device", "rollback", device.id, "--to", "1.0.0")
    fleet.wait_runs(device, first)
    time.sleep(3)
    fleet.wait_runs(other, new)
    fleet.wait_runs(device, first)


def test_operator_brings_the_product_back(fleet):
    device, first, new = updated(fleet)
    other = fleet.device(first)
    fleet.roll_out(new)
    fleet.wait_runs(device, new)
    fleet.wait_runs(other, new)
    fleet.project.call("rollback", "--to", "1.0.0")
    fleet.wait_runs(device, first)
    fleet.wait_runs(other, first)
    fleet.project.call("rollout", "status", "--wait", "finished",
                       "--timeout", "20")


def test_rollout_of_an_older_release_is_no_rollback(fleet):
    """Without a permit no device takes it: the server says so at once."""
    device, first, new = updated(fleet)
    fleet.roll_out(new)
    fleet.wait_runs(device, new)
    fleet.project.call("rollout", "status", "--wait", "finished",
                       "--timeout", "20")
    with pytest.raises(Broken, match="no device of .* can take 1.0.0"):
        fleet.roll_out(first)
    shown = fleet.wait_runs(device, new)
    assert shown["target"]["version"] == new["version"] and shown["updated"]


def test_first_stage_is_not_the_whole_fleet(fleet):
    first = fleet.release("1.0.0")
    devices = [fleet.device(first) for _ in range(4)]
    for device in devices:
        fleet.wait_runs(device, first)
    new = fleet.release("1.1.0")
    fleet.roll_out(new, stages="1,100")
    fleet.project.call("rollout", "status", "--wait", "confirmed",
                       "--timeout", "60")
    time.sleep(3)
    versions = sorted(fleet.show(d)["version"] for d in devices)
    assert "1.1.0" in versions and "1.0.0" in versions
    fleet.project.call("rollout", "advance")
    for device in devices:
        fleet.wait_runs(device, new)


# --- Bad lines ---------------------------------------------------------------

def test_cut_download_goes_on_by_offset(fleet):
    line = fleet.proxy()
    device, _, new = updated(fleet, through=line)
    line.cut_after, line.cuts_left = new["size"] // 5, 3
    fleet.roll_out(new)
    fleet.wait_runs(device, new)
    assert line.cuts == 3
    assert line.ranges[0] is None and all(line.ranges[1:])


def test_proxy_that_ignores_range_does_no_harm(fleet):
    line = fleet.proxy()
    device, _, new = updated(fleet, through=line)
    line.cut_after, line.cuts_left = new["size"] // 2, 2
    line.ignore_range = True
    fleet.roll_out(new)
    fleet.wait_runs(device, new)
    assert line.cuts == 2 and any(line.ranges)


def test_proxy_that_lies_about_ranges_does_no_harm(fleet):
    """The part it sends is not the part it says; the digest shows it, the
    payload is begun anew, and in the end the image is whole or not there."""
    line = fleet.proxy()
    device, first, new = updated(fleet, through=line)
    line.cut_after, line.cuts_left = new["size"] // 2, 1
    line.lie = True
    fleet.roll_out(new)
    fleet.wait_runs(device, new)


def test_flipped_bit_on_the_way_is_refused(fleet):
    line = fleet.proxy()
    device, first, new = updated(fleet, through=line)
    line.flip = True
    fleet.roll_out(new)
    event = fleet.wait(lambda: fleet.events(device, new, "refused") or
                       fleet.events(device, new, "failed"))[0]
    assert event["code"] == "payload-digest"
    fleet.wait_runs(device, first)


# --- Server ------------------------------------------------------------------

def test_killed_server_forgets_nothing_it_acknowledged(fleet):
    device, _, new = updated(fleet)
    fleet.roll_out(new)
    fleet.wait_runs(device, new)
    before = fleet.project.call("device", "events", device.id)["items"]
    fleet.server.process.kill()
    fleet.server.process.wait()
    time.sleep(1)
    fleet.server.start()
    fleet.server.wait(fleet.project)
    after = fleet.project.call("device", "events", device.id)["items"]
    numbers = {e["number"] for e in after}
    assert {e["number"] for e in before} <= numbers
    fleet.wait_runs(device, new)


def test_update_survives_a_server_that_goes_away(fleet):
    device, _, new = updated(fleet)
    fleet.roll_out(new)
    fleet.wait(lambda: fleet.show(device)["state"] != "idle")
    fleet.server.process.kill()
    fleet.server.process.wait()
    time.sleep(2)
    fleet.server.start()
    fleet.server.wait(fleet.project)
    shown = fleet.wait_runs(device, new)
    assert shown["updated"]


def test_device_without_its_token_is_not_served(fleet):
    device, first, new = updated(fleet)
    fleet.project.call("device", "remove", device.id)
    time.sleep(3)
    assert device.is_on()
    assert device.active_slot()["image"] == first["sha256"]
    listed = fleet.project.call("device", "list")["items"]
    assert device.id not in [d["id"] for d in listed]
    fleet.devices.remove(device)
    device.power_off()
