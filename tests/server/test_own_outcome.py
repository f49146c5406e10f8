# SPDX-License-Identifier: Apache-2.0
"""What a device did itself: said before anything else, and counted also when
the device is removed."""
import pytest

from rollouts import (act, begin, fleet, give_up, roll_out, shown, take, why)
from waiting import wait_for

QUICK = {"min_sample": 9, "soak_s": 0, "min_failed": 9}


@pytest.fixture
def releases(server):
    return [server.publish(n, f"1.{n}.0") for n in (1, 2, 3)]


@pytest.mark.parametrize("end", ["abort", "pause"])
def test_its_own_return_comes_before_a_newer_rollout(server, releases, end):
    old, bad, newer = releases
    device, other = fleet(server, 2, old)
    rollout = roll_out(server, bad, strategy="immediate",
                       target={"include": [device.id]})
    give_up(device, bad)
    act(server, rollout, end)
    roll_out(server, newer, strategy="immediate",
             target={"include": [other.id]})
    for again in (False, True):
        if again:
            server.stop()
            server.start()
        said = why(device)
        assert said["sentence"].startswith(
            f"it returned from 1.2.0 of rollout {rollout['id']}: ")
        assert said["sentence"] == device.show()["why"]
        assert said["sentence"].count("returned from") == 1
        assert not any(f.count("returned from") > 1 for f in said["facts"])
    take(other, newer)
    assert why(other)["sentence"] == "it runs what it should"


def test_once_it_confirms_it_says_no_more_of_it(server, releases):
    old, bad, newer = releases
    device, = fleet(server, 1, old)
    act(server, roll_out(server, bad, strategy="immediate"), "pause")
    assert "returned" not in why(device)["sentence"]
    roll_out(server, newer, strategy="immediate", priority=9)
    give_up(device, newer)
    assert "returned" in why(device)["sentence"]
    take(device, newer)
    assert why(device)["sentence"] == "it runs what it should"


@pytest.mark.parametrize("done", [begin, take])
def test_removing_a_silent_device_removes_no_failure(make_server, done):
    server = make_server(silent_after=1).start().set_up()
    old, bad = server.publish(1, "1.0.0"), server.publish(2, "1.1.0")
    devices = fleet(server, 3, old)
    rollout = roll_out(server, bad, strategy="immediate", gates=QUICK)

    def failures():
        return shown(server, rollout)["failure"]["failures"]

    for device in devices[:2]:
        done(device, bad)
    wait_for(lambda: failures() == 2)
    server.api("DELETE", f"/devices/{devices[0].id}", expect=204)
    for again in (False, True):
        if again:
            server.stop()
            server.start()
        wait_for(lambda: failures() == 2)
        assert shown(server, rollout)["stages"][0]["devices"] == 3
    # Registered anew, it makes that good itself.
    anew = server.register(devices[0].id)
    anew.run(bad)
    anew.poll()
    wait_for(lambda: failures() == 1)


def test_removing_a_device_that_is_heard_of_counts_nothing(server, releases):
    old, new, _ = releases
    devices = fleet(server, 2, old)
    rollout = roll_out(server, new, strategy="immediate", gates=QUICK)
    for device in devices:
        begin(device, new)
    server.api("DELETE", f"/devices/{devices[0].id}", expect=204)
    now = shown(server, rollout)
    assert now["failure"]["failures"] == 0
    assert now["stages"][0]["devices"] == 1
