# SPDX-License-Identifier: Apache-2.0
"""What a board is in, what it tells of itself, and the person at it."""
import subprocess

from board import program
from test_board import start
from waiting import wait_for

WINDOW, CONSENT, BATTERY, NETWORK = 1, 2, 3, 4
WAITING, CONFIRMED = 2, 8
BATTERY_KEY, METERED_KEY, CONSENT_KEY, FORCED_KEY = 1, 2, 4, 5


def call(one, verb, *arguments, expect=0):
    run = subprocess.run([program("bowline-device"), verb, f"--dir={one.dir}",
                          *arguments], capture_output=True, text=True)
    assert run.returncode == expect, (run.stdout, run.stderr)
    return run.stdout + run.stderr


def offered(device, gate, world, *said, **policy):
    """A device that runs 1.0.0 and is offered 1.1.0 with a policy."""
    one, server, _ = start(device, gate, world)
    if said:
        call(one, "set", *said)
    server.policy = {int(key[1:]): value for key, value in policy.items()}
    server.release = world.release(2, "1.1.0")
    one.power_on()
    return one, server


def test_attributes_are_told_and_told_again_when_they_change(device, gate,
                                                            world):
    one, server, _ = start(device, gate, world)
    call(one, "set", "report.site=Halle 3", "utc_offset=-570", "battery=87",
         "power=no", "metered=no")
    one.power_on()
    told = server.wait(lambda r: 18 in r)
    assert told[18] == {"sensor": "ok", "target": "21.0", "site": "Halle 3"}
    assert list(told[18]) == ["site", "sensor", "target"]  # CBOR's order
    assert told[17] == -570 and told[19] == [87, 8 | 16]
    call(one, "set", "report.site=Halle 4", "roaming=yes")
    told = server.wait(lambda r: r.get(18, {}).get("site") == "Halle 4")
    assert told[19] == [87, 4 | 8 | 16]
    call(one, "set", "report.site=unknown", "battery=unknown",
         "power=unknown", "metered=unknown", "roaming=unknown",
         "utc_offset=unknown")
    told = server.wait(lambda r: 18 in r and "site" not in r[18])
    assert 17 not in told and 19 not in told


def test_a_low_battery_waits_and_says_so(device, gate, world):
    one, server = offered(device, gate, world, "battery=20", k1=50)
    assert server.wait(lambda r: r[6] == WAITING)[16] == BATTERY
    call(one, "set", "battery=80")
    server.wait_event("confirmed", 2)


def test_external_power_makes_up_for_a_low_battery(device, gate, world):
    _, server = offered(device, gate, world, "battery=20", "power=yes", k1=50)
    server.wait_event("confirmed", 2)


def test_a_metered_link_waits_for_another(device, gate, world):
    one, server = offered(device, gate, world, "metered=yes", k2=False)
    assert server.wait(lambda r: r[6] == WAITING)[16] == NETWORK
    call(one, "set", "metered=no")
    server.wait_event("confirmed", 2)


def test_consent_is_asked_and_given(device, gate, world):
    one, server = offered(device, gate, world, k4=True)
    assert server.wait(lambda r: r[6] == WAITING)[16] == CONSENT
    wait_for(lambda: "waits for consent" in one.said())
    call(one, "consent", "yes")
    server.wait_event("confirmed", 2)
    assert one.said().count("waits for consent") == 1


def test_no_and_later_hold_until_the_deadline(device, gate, world):
    one, server = offered(device, gate, world, k4=True)
    server.wait(lambda r: r.get(16) == CONSENT)
    for word in (["later", "1h"], ["no"], ["later", "90"]):
        call(one, "consent", *word)
        wait_for(lambda: f"consent: {word[0]}" in one.said())
    seen = len(server.reports)
    wait_for(lambda: len(server.reports) > seen + 2)
    assert server.reports[-1][16] == CONSENT
    server.policy = {CONSENT_KEY: True, FORCED_KEY: True}
    server.wait_event("confirmed", 2)


def test_a_board_that_nobody_is_at_agrees_by_itself(device, gate, world):
    one, server = offered(device, gate, world, "consent=auto", k4=True)
    server.wait_event("confirmed", 2)
    assert "waits for consent" not in one.said()


def test_consent_without_an_offer_is_said_so(device, gate, world):
    one, server, _ = start(device, gate, world)
    assert "the device is off" in call(one, "consent", "yes")
    one.power_on()
    wait_for(lambda: "nothing is on offer" in one.said())
    call(one, "consent", expect=2)
    call(one, "consent", "later", expect=2)
    call(one, "consent", "later", "soon", expect=2)
    call(one, "consent", "maybe", expect=2)


def test_nonsense_is_not_written(device, gate, world):
    one, _, _ = start(device, gate, world)
    call(one, "set", "battery=50")
    for wrong in ("battery=101", "battery=-1", "battery=full", "power=maybe",
                  "utc_offset=900", "consent=never", "colour=red", "battery",
                  "report.n=" + "x" * 65, "report." + "n" * 25 + "=1"):
        assert "bowline-device set: " in call(one, "set", wrong, expect=1)
    assert call(one, "set") == "battery = 50;\n"
    call(one, "set", *(f"report.n{i:02}=x" for i in range(17)), expect=1)


def test_a_file_that_is_wrong_does_not_stop_a_device(device, gate, world):
    one, server = offered(device, gate, world)
    (one.dir / "conditions.conf").write_text("battery = 500;\n")
    server.wait_event("confirmed", 2)
    wait_for(lambda: '"battery" is no whole number' in one.said())
    assert "battery" in call(one, "set", "power=yes", expect=1)
    call(one, "set", "battery=50")
    assert server.wait(lambda r: 19 in r)[19] == [50, 0]


def test_the_verbs_explain_themselves():
    run = subprocess.run([program("bowline-device"), "--help"],
                         capture_output=True, text=True)
    for verb in ("provision", "run", "show", "cut", "set", "consent"):
        assert f"bowline-device {verb} " in run.stdout
        said = subprocess.run([program("bowline-device"), verb, "--help"],
                              capture_output=True, text=True)
        assert said.returncode == 0
        assert said.stdout.startswith(f"bowline-device {verb} --dir DIR")
