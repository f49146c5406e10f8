# SPDX-License-Identifier: Apache-2.0
"""A rollout's plan, the device's conditions and the person at it: everything
real, from the operator's tool to the board."""
import subprocess

import world


def call(device, verb, *arguments):
    subprocess.run([world.BIN / "bowline-device", verb, "--dir", device.dir,
                    *arguments], check=True)


def one_offered(fleet, conditions, *options):
    """A device on 1.0.0 with such conditions; 1.1.0 is rolled out with such
    a plan."""
    first = fleet.release("1.0.0")
    device = fleet.device(first)
    call(device, "set", *conditions)
    fleet.wait_runs(device, first)
    new = fleet.release("1.1.0")
    fleet.project.call("rollout", "start", new["version"], "--stages", "100",
                       *options)
    return device, new


def waits_for(fleet, device, reason):
    def waits():
        shown = fleet.show(device)
        return shown["state"] == "waiting" and shown["wait"] == reason \
            and shown
    return fleet.wait(waits, f"waiting for {reason}")


def test_a_low_battery_waits_and_the_server_says_so(fleet):
    device, new = one_offered(
        fleet, ["battery=20", "power=no", "utc_offset=120"],
        "--min-battery", "50")
    shown = waits_for(fleet, device, "battery")
    assert shown["battery"] == 20 and shown["power"] is False
    assert shown["utc_offset"] == 120
    assert "battery" in fleet.project.call("device", "why", device.id)[
        "sentence"].lower()
    call(device, "set", "battery=81")
    assert fleet.wait_runs(device, new)["battery"] == 81


def test_a_metered_link_waits(fleet):
    device, new = one_offered(fleet, ["metered=yes"], "--metered", "no")
    assert waits_for(fleet, device, "network")["network"] == "metered"
    call(device, "set", "metered=no")
    assert fleet.wait_runs(device, new)["network"] == "unmetered"


def test_consent_is_asked_and_given(fleet):
    device, new = one_offered(fleet, ["consent=ask"], "--consent", "yes")
    waits_for(fleet, device, "consent")
    call(device, "consent", "later", "1h")
    call(device, "consent", "yes")
    fleet.wait_runs(device, new)


def test_what_was_refused_is_forced_after_the_deadline(fleet):
    device, new = one_offered(fleet, ["consent=ask"], "--consent", "yes",
                              "--deadline", "+20s")
    waits_for(fleet, device, "consent")
    call(device, "consent", "no")
    fleet.wait_runs(device, new)


def test_attributes_choose_and_outlive_a_killed_server(fleet):
    first = fleet.release("1.0.0")
    device, other = fleet.device(first), fleet.device(first)
    call(device, "set", "report.site=Halle 3")
    call(other, "set", "report.site=Halle 4")
    fleet.wait(lambda: fleet.show(device)["attributes"].get("site")
               == "Halle 3", "the attribute")
    fleet.wait_runs(device, first)
    fleet.server.process.kill()
    fleet.server.process.wait()
    device.power_off()
    fleet.server.start()
    fleet.server.wait(fleet.project)
    assert fleet.show(device)["attributes"] == {
        "sensor": "ok", "target": "21.0", "site": "Halle 3"}
    device.power_on()
    new = fleet.release("1.1.0")
    fleet.project.call("rollout", "start", new["version"], "--stages", "100",
                       "--query", 'sensor = ok and site = "Halle 3"')
    fleet.wait_runs(device, new)
    assert fleet.show(other)["version"] == "1.0.0"
