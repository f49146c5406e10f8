# SPDX-License-Identifier: Apache-2.0
"""A rollout's failures are a fact: nothing undoes one but the same device,
when it confirms the release."""
import time

import pytest
from bowline_server import CONFIRMED, FAILED
from rollouts import (act, fleet, give_up, offered, roll_out, shown, state_of,
                      take, why)
from waiting import wait_for

STAGES = [{"count": 10}, {"percent": 100}]
DIGEST = 64


@pytest.fixture
def server(make_server):
    """Stages may end soon after its start: a poll interval later."""
    return make_server(poll_interval=1).start().set_up()


@pytest.fixture
def releases(server):
    return [server.publish(i + 1, f"1.{i}.0") for i in range(3)]


def split(devices, release):
    inside = [d for d in devices if offered(d, release)]
    return inside, [d for d in devices if d not in inside]


def failures(server, rollout):
    return shown(server, rollout)["failure"]["failures"]


def in_first_stage(server, rollout):
    stage = shown(server, rollout)["stages"][0]
    return stage["devices"], stage["confirmed"], stage["failed"]


def judged_again():
    """Two rounds of the engine, a poll interval after a start."""
    time.sleep(4)


def restart(server):
    server.kill()
    server.start()


def only(devices, **more):
    return {"strategy": "immediate",
            "target": {"include": [d.id for d in devices]},
            "gates": {"min_sample": 1, "soak_s": 0}, **more}


def make_good(device, release):
    device.facts[6] = 0
    take(device, release)


def test_a_fix_for_the_failed_ones_does_not_let_the_stage_pass(server,
                                                               releases):
    old, bad, fix = releases
    devices = fleet(server, 20, old)
    rollout = roll_out(server, bad, stages=STAGES,
                       gates={"min_sample": 5, "soak_s": 0, "min_failed": 3})
    inside, later = split(devices, bad)
    for device in inside[2:]:
        take(device, bad)
    for device in inside[:2]:
        give_up(device, bad)
        give_up(device, bad)
    roll_out(server, fix, **only(inside[:2]))
    for device in inside[:2]:
        make_good(device, fix)
    for again in (False, True):
        if again:
            restart(server)
        judged_again()
        assert in_first_stage(server, rollout) == (10, 8, 2)
        assert not any(offered(d, bad) for d in later)


def test_quarantine_is_not_left_by_way_of_another_rollout(server, releases):
    old, hot, bad = releases
    devices = fleet(server, 20, old)
    rollout = roll_out(server, bad, stages=STAGES, retry={"attempts": 1},
                       gates={"min_sample": 2, "soak_s": 0, "min_failed": 4})
    inside, _ = split(devices, bad)
    lost = inside[:3]
    for device in lost:
        give_up(device, bad, FAILED, DIGEST, 0)
    roll_out(server, hot, **only(lost, security=True))
    for device in lost:
        make_good(device, hot)
    for again in (False, True):
        if again:
            restart(server)
        assert not any(offered(d, bad) for d in lost)
        assert why(lost[0])["why"].startswith("it tried this release")
        assert failures(server, rollout) == 3
        assert in_first_stage(server, rollout) == (10, 0, 3)


def test_retry_lets_them_try_but_forgets_no_failure(server, releases):
    old, mid, bad = releases
    devices = fleet(server, 20, old)
    rollout = roll_out(server, bad, stages=STAGES, priority=1,
                       gates={"min_sample": 5, "soak_s": 0, "min_failed": 9,
                              "max_failed_percent": 50})
    inside, _ = split(devices, bad)
    lost = inside[:3]
    for device in lost:
        give_up(device, bad)
        give_up(device, bad)
    roll_out(server, mid, **only(lost))
    for device in lost:
        make_good(device, mid)
    assert not any(offered(d, bad) for d in lost)
    act(server, rollout, "retry")
    restart(server)
    assert failures(server, rollout) == 3
    make_good(lost[0], bad)
    assert failures(server, rollout) == 2
    assert in_first_stage(server, rollout) == (10, 1, 2)
    restart(server)
    assert failures(server, rollout) == 2


def test_what_was_made_good_is_no_licence_for_fresh_failures(server,
                                                             releases):
    old, bad, _ = releases
    devices = fleet(server, 40, old)
    rollout = roll_out(server, bad, strategy="immediate",
                       gates={"min_sample": 5, "soak_s": 0})
    for device in devices[:6]:
        if state_of(server, rollout) == "running":
            give_up(device, bad)
    wait_for(lambda: state_of(server, rollout) == "paused")
    failed = failures(server, rollout)
    act(server, rollout, "resume")
    act(server, rollout, "retry")
    for device in devices[:6]:
        make_good(device, bad)
    wait_for(lambda: failures(server, rollout) == 0)
    judged_again()
    restart(server)
    for device in devices[6:6 + failed]:
        if offered(device, bad):
            give_up(device, bad)
    wait_for(lambda: state_of(server, rollout) == "paused")


def test_a_stage_of_a_count_stays_so_small_when_devices_come(server,
                                                             releases):
    old, new, _ = releases
    devices = fleet(server, 12, old)
    rollout = roll_out(server, new, stages=STAGES,
                       gates={"min_sample": 1, "soak_s": 0})
    first = [d for d in devices[:4] if offered(d, new)]
    devices = fleet(server, 40, old) + devices
    restart(server)
    inside = [d for d in devices if offered(d, new)]
    assert len(inside) == 10 and set(first) <= set(inside)
    assert [s["devices"] for s in shown(server, rollout)["stages"]] == [10,
                                                                        52]
    assert in_first_stage(server, rollout) == (10, 0, 0)
    for device in inside:
        take(device, new)
    wait_for(lambda: shown(server, rollout)["stage"] == 1)
    assert all(offered(d, new) for d in devices if d not in inside)


def test_removing_a_device_removes_no_failure(server, releases):
    old, bad, _ = releases
    devices = fleet(server, 20, old)
    rollout = roll_out(server, bad, stages=STAGES,
                       gates={"min_sample": 5, "soak_s": 0, "min_failed": 4})
    inside, later = split(devices, bad)
    for device in inside[3:]:
        take(device, bad)
    for device in inside[:3]:
        give_up(device, bad)
        give_up(device, bad)
    for device in inside[:3]:
        server.api("DELETE", f"/devices/{device.id}", expect=204)
    for again in (False, True):
        if again:
            restart(server)
        judged_again()
        assert in_first_stage(server, rollout) == (10, 7, 3)
        assert not any(offered(d, bad) for d in later)
    # One of them is registered anew, and confirms it.
    anew = server.register(inside[0].id)
    anew.run(bad)
    anew.event(CONFIRMED, sequence=bad["sequence"])
    anew.poll()
    wait_for(lambda: in_first_stage(server, rollout) == (10, 8, 2))


def test_the_preview_says_who_failed_the_release_before(server, releases):
    old, bad, _ = releases
    devices = fleet(server, 6, old)
    wish = {"product": "thermostat", "version": bad["version"]}

    def warnings():
        return [w for w in server.api("POST", "/rollouts/preview", wish,
                                      expect=200).json["warnings"]
                if "failed this release before" in w]

    assert warnings() == []
    rollout = roll_out(server, bad, strategy="immediate",
                       gates={"min_sample": 5, "min_failed": 5})
    for device in devices[:2]:
        give_up(device, bad)
    act(server, rollout, "abort")
    said = wait_for(warnings)
    assert len(said) == 1
    assert said[0].startswith(
        f"2 devices failed this release before (rollout {rollout['id']},"
        " aborted: aborted by ")
