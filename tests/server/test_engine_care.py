# SPDX-License-Identifier: Apache-2.0
"""What a rollout must not do when nobody watches, when devices leave it, and
when an operator is in a hurry."""
import json
import sqlite3
import time

import pytest

from bowline_server import DOWNLOADING, RETURNED, WAITING
from rollouts import (QUICK, act, begin, fleet, give_up, offered, roll_out,
                      shown, take, why)
from waiting import wait_for


@pytest.fixture
def releases(server):
    return server.publish(1, "1.0.0"), server.publish(2, "1.1.0")


def gate(now, name):
    return next(g for g in now["stages"][now["stage"]]["gates"]
                if g["name"] == name)


# --- advance -----------------------------------------------------------------

@pytest.mark.parametrize("body", [None, {}, {"force": False}])
def test_advance_over_failures_must_be_said(server, releases, body):
    old, new = releases
    devices = fleet(server, 8, old)
    rollout = roll_out(server, new, gates={"min_failed": 3},
                       stages=[{"count": 4}, {"percent": 100}])
    inside = [d for d in devices if offered(d, new)]
    for device in inside[:2]:
        give_up(device, new)
    error = act(server, rollout, "advance", body, expect=409)["error"]
    assert "2 of 2 failed" in error["message"]
    assert "force: true" in error["message"]
    assert shown(server, rollout)["stage"] == 0
    assert "touches" in act(server, rollout, "advance?preview=1", body)
    act(server, rollout, "advance", {"force": True})
    assert shown(server, rollout)["stage"] == 1


def test_advance_over_one_failure_below_the_ceiling_must_be_said(
        server, releases):
    old, new = releases
    devices = fleet(server, 3, old)
    rollout = roll_out(server, new, gates={"max_failed_percent": 100},
                       stages=[{"count": 2}, {"percent": 100}])
    give_up(next(d for d in devices if offered(d, new)), new)
    assert gate(shown(server, rollout), "failed")["state"] == "passed"
    act(server, rollout, "advance", expect=409)
    act(server, rollout, "advance", {"force": True})


def test_gates_that_wait_are_passed_by_hand(server, releases):
    old, new = releases
    fleet(server, 4, old)
    rollout = roll_out(server, new, stages=[{"count": 2}, {"percent": 100}])
    assert gate(shown(server, rollout), "sample")["state"] == "waiting"
    assert act(server, rollout, "advance")["stage"] == 1


def test_the_last_stage_ends_with_an_operators_word(server, releases):
    old, new = releases
    devices = fleet(server, 5, old)
    rollout = roll_out(server, new, gates={
        **QUICK, "manual": True, "confirmed_percent": 50},
        strategy="immediate")
    for device in devices[:3]:
        take(device, new)
    wait_for(lambda: gate(shown(server, rollout), "confirmed")["state"]
             == "passed")
    assert gate(shown(server, rollout), "manual")["state"] == "waiting"
    assert act(server, rollout, "advance?preview=1")["touches"] == 0
    act(server, rollout, "advance")
    wait_for(lambda: shown(server, rollout)["state"] == "finished")


def test_that_word_is_said_once_and_kept(server, releases):
    old, new = releases
    fleet(server, 2, old)
    rollout = roll_out(server, new, gates={"manual": True},
                       strategy="immediate")
    act(server, rollout, "advance")
    server.kill()
    server.start()
    assert gate(shown(server, rollout), "manual")["state"] == "passed"
    act(server, rollout, "advance", expect=409)


# --- who leaves --------------------------------------------------------------

def leave_query(server, device, release):
    device.facts[11] = "rev-b"
    device.poll()


def leave_channel(server, device, release):
    server.api("PATCH", f"/devices/{device.id}", {"channel": "dev"},
               expect=200)


def narrow_release(server, device, release):
    server.api("PATCH", f"/releases/{release['manifest']}",
               {"channels": ["beta"]}, expect=200)


@pytest.mark.parametrize("leave", [leave_query, leave_channel,
                                   narrow_release])
def test_only_what_has_begun_stays_when_it_leaves(server, releases, leave):
    old, new = releases
    devices = fleet(server, 3, old)
    rollout = roll_out(
        server, new, strategy="immediate", max_downloads=2,
        target={"query": "hardware = rev-a", "channel": "stable"})
    begin(devices[0], new)
    assert offered(devices[1], new) and not offered(devices[2], new)
    leave(server, devices[0], new)
    leave(server, devices[1], new)
    assert offered(devices[0], new), "it has begun"
    assert not offered(devices[1], new)
    assert why(devices[1])["why_code"] in ("target", "channel")
    if leave is not narrow_release:
        assert shown(server, rollout)["stages"][0]["devices"] == 2
        wait_for(lambda: offered(devices[2], new))


def test_what_waits_has_not_begun(server, releases):
    old, new = releases
    device, = fleet(server, 1, old)
    roll_out(server, new, strategy="immediate", consent=True,
             target={"query": "hardware = rev-a"})
    assert offered(device, new)
    device.facts[6] = WAITING
    device.poll()
    leave_query(server, device, new)
    assert not offered(device, new)


def test_a_failure_is_counted_when_its_device_leaves(server, releases):
    old, new = releases
    devices = fleet(server, 3, old)
    rollout = roll_out(server, new, strategy="immediate",
                       target={"query": "hardware = rev-a"})
    give_up(devices[0], new)
    assert offered(devices[0], new), "another try"
    leave_query(server, devices[0], new)
    assert shown(server, rollout)["failure"]["failures"] == 1


def test_a_stepping_stone_leads_out_of_the_query_and_on(server):
    old, stone, new = (server.publish(n, f"1.{n}.0") for n in (1, 2, 3))
    server.api("PATCH", f"/releases/{stone['manifest']}",
               {"stepping": True}, expect=200)
    device, = fleet(server, 1, old)
    roll_out(server, new, strategy="immediate",
             target={"query": "version < 1.2"})
    take(device, stone)
    assert offered(device, new)


# --- windows -----------------------------------------------------------------

def around_now(minutes):
    now = time.gmtime()
    at = now.tm_hour * 60 + now.tm_min

    def text(m):
        return f"{m % 1440 // 60:02}:{m % 60:02}"
    return [{"from": text(at - minutes), "to": text(at + minutes)}]


def test_what_has_begun_waits_for_its_window(server, releases):
    old, new = releases
    device, = fleet(server, 1, old)
    rollout = roll_out(server, new, strategy="immediate",
                       windows=around_now(30))
    begin(device, new)
    answer = device.poll()
    assert 0 < answer[8][6] <= 1800, "it is told when the window closes"
    for state in (DOWNLOADING, 0):
        device.facts[6] = state
        answer = device.poll(_17=120)
        assert bytes.fromhex(new["manifest"]) in answer[1]
        assert answer[8][6] == 1, "closed"
    assert "waits for its window, in 2" in why(device)["why"]
    device.facts[6] = WAITING
    for _ in range(2):
        answer = device.poll(_17=120)
        assert bytes.fromhex(new["manifest"]) in answer[1], "not taken away"
        assert answer[8][6] == 1
    counts = shown(server, rollout)["counts"]
    assert (counts["offered"], counts["waiting"], counts["downloading"]) == (
        0, 0, 1), "it has begun"
    assert offered(device, new), "its window is open again"


def test_who_waits_in_the_middle_keeps_no_place_among_downloads(server,
                                                                releases):
    old, new = releases
    first, second = fleet(server, 2, old)
    rollout = roll_out(server, new, strategy="immediate", max_downloads=1)
    begin(first, new)
    assert not offered(second, new)
    first.facts[6] = WAITING
    first.poll(nonce=False)
    wait_for(lambda: offered(second, new))
    assert shown(server, rollout)["counts"]["downloading"] == 1


def test_what_has_begun_and_waits_stays_when_it_leaves(server, releases):
    old, new = releases
    device, = fleet(server, 1, old)
    rollout = roll_out(server, new, strategy="immediate",
                       target={"query": "hardware = rev-a"})
    begin(device, new)
    device.facts[6] = WAITING
    device.poll()
    leave_query(server, device, new)
    assert offered(device, new)
    assert shown(server, rollout)["stages"][0]["devices"] == 1


def test_after_the_deadline_no_window_counts(server, releases):
    old, new = releases
    device, = fleet(server, 1, old)
    rollout = roll_out(server, new, strategy="immediate",
                       windows=around_now(30))
    begin(device, new)
    server.api("PATCH", f"/rollouts/{rollout['id']}",
               {"deadline": int(time.time()) - 5}, expect=200)
    assert 6 not in device.poll(_17=120)[8]


# --- soak --------------------------------------------------------------------

def soaking(make_server, soak_s, **config):
    """Six devices have confirmed, and soak; six come later."""
    server = make_server(**config).start().set_up()
    old, new = server.publish(1, "1.0.0"), server.publish(2, "1.1.0")
    devices = fleet(server, 12, old)
    rollout = roll_out(server, new, gates={**QUICK, "soak_s": soak_s},
                       stages=[{"count": 6}, {"percent": 100}])
    inside = [d for d in devices if offered(d, new)]
    for device in inside:
        take(device, new)
    wait_for(lambda: 0 < gate(shown(server, rollout), "soak")["value"])
    return server, rollout, inside, old, new


def test_nothing_soaks_while_the_server_is_down(make_server):
    server, rollout, *_ = soaking(make_server, 600, clock_speed=60,
                                  poll_interval=240)
    began = time.monotonic()
    before = gate(shown(server, rollout), "soak")["value"]
    server.kill()
    up = time.monotonic() - began
    time.sleep(12)
    server.start()
    now = gate(shown(server, rollout), "soak")
    assert now["state"] == "waiting"
    assert now["value"] <= before + 60 * (up + 1)
    wait_for(lambda: shown(server, rollout)["stage"] == 1)
    stages = shown(server, rollout)["stages"]
    assert stages[0]["until"] - stages[0]["since"] >= 12 + 10


def test_after_a_start_devices_report_first(make_server):
    server, rollout, inside, old, new = soaking(
        make_server, 400, clock_speed=10, poll_interval=100000)
    act(server, rollout, "pause")
    server.kill()
    server.start()
    act(server, rollout, "resume")
    time.sleep(3)
    now = shown(server, rollout)
    assert now["stage"] == 0 and now["state"] == "running"
    assert gate(now, "soak")["value"] == 0
    server.api("PATCH", f"/rollouts/{rollout['id']}",
               {"gates": {**QUICK}}, expect=200)
    wait_for(lambda: "lets devices report first" in shown(
        server, rollout)["status"])
    for device in inside[:4]:
        device.run(old)
        device.event(RETURNED, 100, new["sequence"], 3)
        device.facts[6] = RETURNED
        device.poll()
    wait_for(lambda: shown(server, rollout)["state"] == "paused")


def test_no_clock_makes_a_stage_newer_than_the_servers_start(server,
                                                             releases):
    old, new = releases
    devices = fleet(server, 12, old)
    rollout = roll_out(server, new, gates=QUICK,
                       stages=[{"count": 6}, {"percent": 100}])
    inside = [d for d in devices if offered(d, new)]
    server.kill()
    with sqlite3.connect(server.folder / "data" / "bowline.db") as db:
        [(text,)] = db.execute("SELECT steer FROM rollouts")
        steer = json.loads(text)
        steer["since"][0] += 1000  # its clock was ahead
        db.execute("UPDATE rollouts SET steer = ?", (json.dumps(steer),))
    db.close()
    server.start()
    for device in inside:
        take(device, new)
    wait_for(lambda: "lets devices report first" in shown(
        server, rollout)["status"])
    assert shown(server, rollout)["stage"] == 0


def test_nothing_soaks_while_paused(make_server):
    server, rollout, *_ = soaking(make_server, 600, clock_speed=60)
    act(server, rollout, "pause")
    time.sleep(11)
    assert gate(shown(server, rollout), "soak")["value"] == 0
    began = time.monotonic()
    act(server, rollout, "resume")
    time.sleep(2)
    now = shown(server, rollout)
    soaked = time.monotonic() - began
    assert now["stage"] == 0
    assert gate(now, "soak")["value"] <= 60 * (soaked + 1)


def test_who_confirmed_and_fell_silent_counts_as_silent(make_server):
    server, rollout, inside, *_ = soaking(make_server, 3600,
                                          poll_interval=1, silent_after=10)
    wait_for(lambda: shown(server, rollout)["state"] == "paused")
    now = shown(server, rollout)
    assert now["stage"] == 0 and "failed" in now["state_reason"]
    wait_for(lambda: shown(server, rollout)["failure"]["failures"] == 6)
    for device in inside:
        device.poll()
    assert shown(server, rollout)["failure"]["failures"] == 0


def test_nobody_is_silent_for_the_servers_own_absence(make_server):
    server, rollout, *_ = soaking(make_server, 3600, silent_after=10)
    server.kill()
    time.sleep(10)
    server.start()
    time.sleep(1.5)
    now = shown(server, rollout)
    assert now["state"] == "running" and now["failure"]["failures"] == 0


# --- preview -----------------------------------------------------------------

def test_the_preview_of_what_waits_for_approval_is_its_own(server, releases):
    old, new = releases
    fleet(server, 40, old)
    server.api("PATCH", "/settings", {"four_eyes": True}, expect=200,
               token=server.admin_token)
    rollout = roll_out(server, new, stages=[20, 60, 100])
    plan = {**rollout["plan"], "product": "thermostat",
            "manifest": new["manifest"]}
    said = server.api("POST", "/rollouts/preview", plan, expect=200).json
    assert [s["devices"] for s in said["stages"]] == [
        s["devices"] for s in shown(server, rollout)["stages"]]


def test_the_preview_says_who_waits_for_a_window(server, releases):
    old, new = releases
    fleet(server, 3, old)
    plan = {"product": "thermostat", "version": new["version"]}
    said = server.api("POST", "/rollouts/preview", plan, expect=200).json
    assert said["seconds"] > 0 and "window" not in said["sentence"]
    now = time.gmtime().tm_hour
    plan["windows"] = [{"from": f"{(now + 5) % 24:02}:00",
                        "to": f"{(now + 6) % 24:02}:00"}]
    said = server.api("POST", "/rollouts/preview", plan, expect=200).json
    assert said["seconds"] is None
    assert said["sentence"].endswith("; 3 wait for a window to open")
