# SPDX-License-Identifier: Apache-2.0
"""Rollouts that steer themselves: gates, brakes, and what outlives the
server."""
import sqlite3
import time

import pytest
from bowline_server import (CONFIRMED, DOWNLOADING, FAILED, REFUSED, RETURNED,
                            TESTING)
from rollouts import (QUICK, act, begin, fleet, give_up, offered, roll_out,
                      shown, state_of, take, try_out, why)
from waiting import wait_for


@pytest.fixture
def releases(server):
    return server.publish(1, "1.0.0"), server.publish(2, "1.1.0")


def split(devices, release):
    """Those of the present stage, and the others."""
    inside = [d for d in devices if offered(d, release)]
    return inside, [d for d in devices if d not in inside]


def audited(server, action):
    return [line for line in server.api("GET", "/audit").json["items"]
            if line["action"] == action]


# --- Gates -----------------------------------------------------------------

def test_a_stage_advances_by_itself_when_its_gates_are_met(server, releases):
    old, new = releases
    devices = fleet(server, 12, old)
    rollout = roll_out(server, new, gates={**QUICK, "min_sample": 2},
                       stages=[{"count": 4}, {"percent": 100}])
    assert [s["devices"] for s in rollout["stages"]] == [4, 12]
    first, later = split(devices, new)
    assert len(first) == 4
    take(first[0], new)
    now = shown(server, rollout)
    gates = {g["name"]: g["state"] for g in now["stages"][0]["gates"]}
    assert gates["confirmed"] == gates["sample"] == "waiting"
    assert "stage 1 of 2" in now["status"]
    assert not offered(later[0], new)
    for device in first[1:]:
        take(device, new)
    wait_for(lambda: shown(server, rollout)["stage"] == 1)
    now = shown(server, rollout)
    assert [s["state"] for s in now["stages"]] == ["done", "running"]
    assert now["stages"][0]["until"] == now["stages"][1]["since"]
    line = audited(server, "rollout-advance")[0]
    assert line["actor"] == "bowline" and "4 of 4" in line["detail"]
    for device in later:
        take(device, new)
    wait_for(lambda: state_of(server, rollout) == "finished")
    late = fleet(server, 1, old)[0]
    assert offered(late, new)
    server.stop()
    server.start()
    past = shown(server, rollout)
    assert past["counts"]["confirmed"] == 12
    assert [s["confirmed"] for s in past["stages"]] == [4, 12]


def test_soak_time_is_kept_and_outlives_the_server(make_server):
    server = make_server(clock_speed=60, poll_interval=60).start().set_up()
    old, new = server.publish(1, "1.0.0"), server.publish(2, "1.1.0")
    devices = fleet(server, 6, old)
    rollout = roll_out(server, new, gates={**QUICK, "soak_s": 300},
                       stages=[{"count": 2}, {"percent": 100}])
    first, _ = split(devices, new)
    for device in first:
        take(device, new)
    soak = wait_for(lambda: next(
        (g for g in shown(server, rollout)["stages"][0]["gates"]
         if g["name"] == "soak" and g["value"] > 0), None))
    assert soak["state"] == "waiting" and soak["wanted"] == 300
    since = shown(server, rollout)["stages"][0]["since"]
    server.kill()
    server.start()
    assert shown(server, rollout)["stages"][0]["since"] == since
    wait_for(lambda: shown(server, rollout)["stage"] == 1)


def test_a_bad_release_pauses_the_rollout_by_itself(server, releases):
    old, bad = releases
    devices = fleet(server, 12, old)
    rollout = roll_out(server, bad, gates={**QUICK, "min_failed": 3},
                       stages=[{"count": 6}, {"percent": 100}])
    first, later = split(devices, bad)
    for device in first[:3]:
        give_up(device, bad)
    wait_for(lambda: state_of(server, rollout) == "paused")
    now = shown(server, rollout)
    assert now["state_by"] == "bowline"
    assert now["state_reason"].startswith("paused by itself: 3 of 3 failed")
    assert now["failure"]["failures"] == 3 and now["failure"]["low"] > 0.1
    assert now["reasons"][0]["code"] == "boot-tries"
    assert now["reasons"][0]["count"] == 3
    assert now["reasons"][0]["hardware"] == "rev-a"
    assert now["reasons"][0]["advice"]
    assert now["first_failed"]["id"] == first[0].id
    assert not any(offered(d, bad) for d in first + later)
    fleet_page = server.api("GET", "/fleet").json
    assert fleet_page["level"] == "bad"
    assert {d["id"] for d in fleet_page["attention"]} == {
        d.id for d in first[:3]}
    assert server.api("POST", f"/rollouts/{rollout['id']}/resume?preview=1",
                      expect=200).json["touches"] > 0
    # An operator who resumes has seen these; one more pauses again.
    act(server, rollout, "resume")
    time.sleep(2.5)
    assert state_of(server, rollout) == "running"
    give_up(first[3], bad)
    wait_for(lambda: state_of(server, rollout) == "paused")


def test_one_failure_of_few_is_unclear_and_waits(server, releases):
    old, new = releases
    devices = fleet(server, 4, old)
    rollout = roll_out(server, new, gates=QUICK,
                       stages=[{"count": 3}, {"percent": 100}])
    first, later = split(devices, new)
    give_up(first[0], new)
    take(first[1], new)
    time.sleep(2.5)
    now = shown(server, rollout)
    assert now["state"] == "running" and now["stage"] == 0
    assert "1 of 2 failed: between" in now["status"]
    assert not offered(later[0], new)


def test_failures_stay_counted_while_devices_try_again(server, releases):
    old, new = releases
    devices = fleet(server, 6, old)
    rollout = roll_out(server, new, gates={**QUICK, "min_failed": 6},
                       strategy="immediate")
    for device in devices[:2]:
        give_up(device, new, FAILED, 64, 0)
        assert offered(device, new)
    now = shown(server, rollout)
    assert now["counts"]["failed"] == 0 and now["counts"]["offered"] == 2
    assert now["failure"]["failures"] == 2
    devices[0].run(new)
    devices[0].poll()
    assert shown(server, rollout)["failure"]["failures"] == 1


def test_silent_devices_count_as_failed(make_server):
    server = make_server(silent_after=1).start().set_up()
    old, new = server.publish(1, "1.0.0"), server.publish(2, "1.1.0")
    devices = fleet(server, 3, old)
    rollout = roll_out(server, new, strategy="immediate", gates=QUICK)
    for device in devices:
        begin(device, new)
    wait_for(lambda: state_of(server, rollout) == "paused")
    assert shown(server, rollout)["counts"]["silent"] == 3


# --- Brakes ----------------------------------------------------------------

@pytest.mark.parametrize("recall", [True, False])
def test_abort_calls_back_who_has_not_installed(server, releases, recall):
    old, new = releases
    busy, waiting, trial = fleet(server, 3, old)
    rollout = roll_out(server, new, strategy="immediate")
    begin(busy, new)
    assert offered(waiting, new)
    try_out(trial, new)
    touches = server.api(
        "POST", f"/rollouts/{rollout['id']}/abort?preview=1",
        {"recall": recall}, expect=200).json
    assert touches["touches"] == 3 and state_of(server, rollout) == "running"
    act(server, rollout, "abort", {"recall": recall})
    assert offered(busy, new) is not recall
    assert offered(waiting, old)
    assert offered(trial, new), "a trial goes on"


def test_return_brings_back_what_was_updated(server, releases):
    old, bad = releases
    done, trial, other = fleet(server, 3, old)
    rollout = roll_out(server, bad, strategy="immediate")
    take(done, bad)
    try_out(trial, bad)
    asked = server.api("GET", f"/rollouts/{rollout['id']}/return").json
    assert asked["devices"] == 2
    assert asked["to"] == [{"version": "1.0.0", "manifest": old["manifest"],
                            "devices": 2, "permit": "needed"}]
    permit = {"manifest": old["manifest"],
              "permit": server.permit(old["manifest"])}
    wrong = {**permit, "permit": server.permit(old["manifest"],
                                               key="stranger")}
    act(server, rollout, "return", {"permits": [wrong]}, expect=422)
    assert state_of(server, rollout) == "running"
    now = act(server, rollout, "return", {"permits": [permit]})
    assert now["state"] == "aborted" and len(now["returns"]) == 1
    back = shown(server, {"id": now["returns"][0]})
    assert back["kind"] == "return" and back["returns_from"] == rollout["id"]
    for device in done, trial:
        answer = device.poll()
        assert bytes.fromhex(old["manifest"]) in answer[1] and 4 in answer
        device.run(old)
        device.poll()
    assert not offered(other, bad)
    wait_for(lambda: state_of(server, back) == "finished")
    assert shown(server, back)["counts"]["confirmed"] == 2
    assert offered(done, old), "and there it stays"


def test_return_by_itself_takes_who_needs_no_permit(server, releases):
    old, bad = releases
    devices = fleet(server, 8, old)
    rollout = roll_out(server, bad, strategy="immediate",
                       gates={**QUICK, "min_failed": 3}, on_failure="return")
    take(devices[0], bad)
    try_out(devices[1], bad)
    for device in devices[2:5]:
        give_up(device, bad)
    now = wait_for(lambda: (r := shown(server, rollout))["returns"] and r)
    assert now["state"] == "aborted"
    assert "for 1 a permit is missing" in now["state_reason"]
    assert offered(devices[1], old), "its trial ends"
    assert not offered(devices[0], old)
    assert why(devices[0])["why_code"] == "permit"


# --- Who ---------------------------------------------------------------------

def test_a_query_and_lists_say_who(server, releases):
    old, new = releases
    lab, shop, left_out = (fleet(server, 1, old, tags=tags)[0]
                           for tags in (["lab"], ["shop"], ["lab"]))
    roll_out(server, new, strategy="immediate", target={
        "query": 'tag = lab and version < 1.1.0', "exclude": [left_out.id]})
    assert offered(lab, new)
    assert not offered(shop, new) and not offered(left_out, new)
    assert why(shop)["why_code"] == "target"
    # It no longer matches "version < 1.1.0": it stays in all the same.
    lab.run(new)
    lab.poll()
    assert lab.show()["updated"]


def test_reported_attributes_can_be_asked_for(server, releases):
    old, new = releases
    here, there = fleet(server, 2, old)
    for device, region in (here, "eu"), (there, "us"):
        device.poll(k18={"region": region})
    roll_out(server, new, strategy="immediate",
             target={"query": "region in (eu, africa)"})
    assert offered(here, new) and not offered(there, new)
    found = server.api("GET", "/devices?query=region%20%3D%20eu").json
    assert [d["id"] for d in found["items"]] == [here.id]


def test_channels_and_promotion(server, releases):
    old, new = releases
    beta = fleet(server, 1, old, channel="beta")[0]
    stable = fleet(server, 1, old)[0]
    path = f"/releases/{new['manifest']}"
    server.api("PATCH", path, {"channels": ["beta"]}, expect=200)
    roll_out(server, new, strategy="immediate")
    assert offered(beta, new) and not offered(stable, new)
    assert why(stable)["why_code"] == "channel"
    assert "this device is in stable" in why(stable)["sentence"]
    server.api("POST", path + "/promote", {"to": "stable"}, expect=200)
    assert offered(stable, new)


def test_a_stepping_stone_comes_first(server):
    first, stone, last = (server.publish(i + 1, f"1.{i}.0") for i in range(3))
    server.api("PATCH", f"/releases/{stone['manifest']}", {"stepping": True},
               expect=200)
    old, newer = fleet(server, 1, first)[0], fleet(server, 1, stone)[0]
    rollout = roll_out(server, last, strategy="immediate")
    assert offered(newer, last)
    assert offered(old, stone)
    assert "1.1.0 first, a stepping stone to 1.2.0" in why(old)["sentence"]
    old.run(stone)
    old.event(CONFIRMED, sequence=2)
    assert offered(old, last)
    assert shown(server, rollout)["counts"]["confirmed"] == 0
    old.run(last)
    old.poll()
    assert shown(server, rollout)["counts"]["confirmed"] == 1


def test_a_minimum_version_is_known_before_the_device_refuses(server):
    old, between = server.publish(1, "1.0.0"), server.publish(2, "1.1.0")
    new = server.publish(3, "1.2.0", least="1.1.0")
    path = f"/releases/{new['manifest']}"
    assert server.api("GET", path).json["min_version"] == "1.1.0"
    low, high = fleet(server, 1, old)[0], fleet(server, 1, between)[0]
    roll_out(server, new, strategy="immediate")
    assert offered(high, new) and not offered(low, new)
    assert why(low)["why_code"] == "minimum"
    assert "needs at least 1.1.0" in why(low)["sentence"]
    # Marked as a stepping stone, the release between leads there.
    server.api("PATCH", f"/releases/{between['manifest']}",
               {"stepping": True}, expect=200)
    assert offered(low, between)


def test_security_goes_first_and_the_feature_follows(server):
    old, fix, feature = (server.publish(1, "1.0.0"),
                         server.publish(2, "1.0.1"),
                         server.publish(3, "1.1.0"))
    device, lost = fleet(server, 2, old)
    first = roll_out(server, feature, strategy="immediate",
                     gates={"min_failed": 9})
    give_up(lost, feature)
    roll_out(server, fix, strategy="immediate", security=True)
    for each in device, lost:
        take(each, fix)
    assert offered(device, feature), "then what is newer"
    assert not offered(lost, feature), "what it did not keep stays away"
    assert why(lost)["why_code"] == "tried"
    assert shown(server, first)["failure"]["failures"] == 1


def test_priority_settles_who_goes_first(server):
    old, a, b = (server.publish(i + 1, f"1.{i}.0") for i in range(3))
    device = fleet(server, 1, old)[0]
    roll_out(server, a, strategy="immediate", priority=5)
    roll_out(server, b, strategy="immediate")
    assert offered(device, a)


def test_a_rollout_of_what_goes_on_already_is_refused(server, releases):
    old, new = releases
    fleet(server, 1, old)
    roll_out(server, new)
    answer = roll_out(server, new, expect=409)
    assert answer["error"]["code"] == "active"
    roll_out(server, new, target={"query": "tag = lab"})


# --- When --------------------------------------------------------------------

def local(hours):
    """A window that begins in so many hours, UTC, and lasts one."""
    def at(h):
        return time.strftime("%H:00", time.gmtime(time.time() + h * 3600))
    return {"from": at(hours), "to": at(hours + 1)}


def test_windows_are_the_devices_own_time(make_server):
    server = make_server(poll_interval=90000).start().set_up()
    old, new = server.publish(1, "1.0.0"), server.publish(2, "1.1.0")
    here, east = fleet(server, 2, old)
    east.facts[17] = 180
    east.poll()
    rollout = roll_out(server, new, strategy="immediate",
                       windows=[local(3)], min_battery_percent=30,
                       metered=False)
    held = here.poll()
    assert bytes.fromhex(old["manifest"]) in held[1]
    assert why(here)["why_code"] == "window"
    assert held[5] < 90000, "it comes when its window opens"
    answer = east.poll()
    assert bytes.fromhex(new["manifest"]) in answer[1]
    assert answer[8][1] == 30 and answer[8][2] is False
    assert 0 < answer[8][6] <= 3600
    server.api("PATCH", f"/rollouts/{rollout['id']}", {"windows": []},
               expect=200)
    assert offered(here, new)


def test_after_the_deadline_nothing_but_the_battery_counts(server, releases):
    old, new = releases
    device = fleet(server, 1, old)[0]
    roll_out(server, new, strategy="immediate", windows=[local(5)],
             start_at=1, deadline=int(time.time()) - 5, consent=True)
    answer = device.poll()
    assert bytes.fromhex(new["manifest"]) in answer[1]
    assert answer[8][5] is True


def test_a_rollout_begins_at_its_time(server, releases):
    old, new = releases
    device = fleet(server, 1, old)[0]
    rollout = roll_out(server, new, strategy="immediate",
                       start_at=int(time.time()) + 3)
    assert rollout["state"] == "scheduled" and rollout["started"] is None
    assert not offered(device, new)
    assert why(device)["why_code"] == "scheduled"
    wait_for(lambda: state_of(server, rollout) == "running")
    assert offered(device, new)


def test_rate_and_concurrent_downloads_are_limited(server, releases):
    old, new = releases
    devices = fleet(server, 4, old)
    rollout = roll_out(server, new, strategy="immediate", rate_per_hour=60)
    assert sum(offered(d, new) for d in devices) == 1
    waiting = next(d for d in devices if not offered(d, new))
    assert why(waiting)["why_code"] == "rate"
    server.api("PATCH", f"/rollouts/{rollout['id']}",
               {"rate_per_hour": 0, "max_downloads": 2}, expect=200)
    assert sum(offered(d, new) for d in devices) == 2
    waiting = next(d for d in devices if not offered(d, new))
    assert why(waiting)["why_code"] == "downloads"


def test_a_device_that_fails_twice_is_left_alone(server, releases):
    old, new = releases
    device = fleet(server, 1, old)[0]
    rollout = roll_out(server, new, strategy="immediate",
                       gates={"min_failed": 9})
    give_up(device, new, FAILED, 64, 0)
    give_up(device, new, FAILED, 64, 0)
    assert not offered(device, new)
    assert why(device)["why_code"] == "quarantine"
    assert "failed 2 times" in why(device)["sentence"]
    assert shown(server, rollout)["counts"]["quarantined"] == 1
    act(server, rollout, "retry")
    assert offered(device, new)
    assert shown(server, rollout)["failure"]["failures"] == 1


@pytest.mark.parametrize("state, code", [
    (RETURNED, 100), (RETURNED, 101), (RETURNED, 102), (FAILED, 61)])
def test_who_returned_is_offered_it_once_more(server, releases, state, code):
    old, new = releases
    device = fleet(server, 1, old)[0]
    rollout = roll_out(server, new, strategy="immediate")
    give_up(device, new, state, code)
    now = shown(server, rollout)
    assert now["counts"][{RETURNED: "returned", FAILED: "failed"}[state]] == 1
    assert why(device)["why_code"] == "offer"
    assert "it has tried it before" in why(device)["sentence"]
    assert server.api("GET", "/fleet").json["attention_count"] == 1
    give_up(device, new, state, code)  # offered once more
    assert not offered(device, new)
    said = why(device)
    assert said["why_code"] == "quarantine"
    assert "failed 2 times" in said["sentence"]
    until = time.strftime("%Y-%m-%d %H:%M", time.gmtime(
        device.show()["quarantined_until"]))
    assert f"left alone until {until} UTC" in said["sentence"]
    server.stop()
    server.start()
    assert not offered(device, new)


def test_the_end_of_a_try_is_seen_before_the_next(server, releases):
    old, new = releases
    device = fleet(server, 1, old)[0]
    rollout = roll_out(server, new, strategy="immediate")
    assert offered(device, new)
    device.event(RETURNED, 100, new["sequence"], 3)
    assert bytes.fromhex(old["manifest"]) in device.poll()[1]
    assert shown(server, rollout)["counts"]["returned"] == 1
    assert offered(device, new)
    now = shown(server, rollout)
    assert now["counts"]["returned"] == 0 and now["counts"]["offered"] == 1
    assert now["failure"]["failures"] == 1, "still a failure"


@pytest.mark.parametrize("code", [22, 31, 40, 41])
def test_what_can_never_become_right_is_not_tried_again(server, releases,
                                                        code):
    old, new = releases
    device = fleet(server, 1, old)[0]
    roll_out(server, new, strategy="immediate", gates={"min_failed": 9})
    give_up(device, new, REFUSED, code, 0)
    assert not offered(device, new)


def test_a_rollout_waits_for_a_retry_but_not_for_quarantine(server, releases):
    old, new = releases
    devices = fleet(server, 10, old)
    rollout = roll_out(server, new, strategy="immediate",
                       gates={**QUICK, "confirmed_percent": 90,
                              "max_failed_percent": 50})
    for device in devices[1:]:
        take(device, new)
    give_up(devices[0], new)
    time.sleep(2.5)
    assert state_of(server, rollout) == "running", "one more try is to come"
    begin(devices[0], new)
    time.sleep(2.5)
    assert state_of(server, rollout) == "running", "it tries"
    devices[0].event(RETURNED, 100, new["sequence"], 3)
    devices[0].facts[6] = RETURNED
    devices[0].poll()
    assert why(devices[0])["why_code"] == "quarantine"
    wait_for(lambda: state_of(server, rollout) == "finished")
    assert shown(server, rollout)["counts"]["returned"] == 1


def test_another_try_that_succeeds_makes_it_good(server, releases):
    old, new = releases
    devices = fleet(server, 2, old)
    rollout = roll_out(server, new, strategy="immediate", gates=QUICK)
    take(devices[1], new)
    give_up(devices[0], new)
    take(devices[0], new)
    wait_for(lambda: state_of(server, rollout) == "finished")
    now = shown(server, rollout)
    assert now["counts"]["confirmed"] == 2 and now["counts"]["returned"] == 0
    assert devices[0].show()["attempts"] == 0


def test_a_new_rollout_counts_its_tries_anew(server, releases):
    old, new = releases
    device = fleet(server, 1, old)[0]
    first = roll_out(server, new, strategy="immediate")
    give_up(device, new)
    give_up(device, new)
    act(server, first, "abort")
    roll_out(server, new, strategy="immediate")
    give_up(device, new)
    assert device.show()["attempts"] == 1
    assert offered(device, new)


def test_quarantine_ends(make_server):
    server = make_server(clock_speed=3600).start().set_up()
    old, new = server.publish(1, "1.0.0"), server.publish(2, "1.1.0")
    device = fleet(server, 1, old)[0]
    roll_out(server, new, strategy="immediate", gates={"min_failed": 9},
             retry={"attempts": 1, "quarantine_s": 7200})
    give_up(device, new, FAILED, 64, 0)
    assert not offered(device, new)
    wait_for(lambda: offered(device, new))
    assert device.show()["quarantined_until"] is None
    assert device.show()["attempts"] == 0, "it begins anew"


# --- Approval, preview, databases -----------------------------------------

def test_four_eyes(server, releases):
    old, new = releases
    device = fleet(server, 1, old)[0]
    admin = {"token": server.admin_token}
    server.api("PATCH", "/settings", {"four_eyes": True}, expect=200, **admin)
    rollout = roll_out(server, new, strategy="immediate")
    assert rollout["state"] == "approval"
    assert rollout["approvals"] == {"needed": 1, "given": []}
    assert not offered(device, new)
    assert why(device)["why_code"] == "approval"
    act(server, rollout, "approve", expect=403)
    now = act(server, rollout, "approve", {"note": "seen"}, **admin)
    assert now["state"] == "running"
    assert now["approvals"]["given"][0]["note"] == "seen"
    assert offered(device, new)


def test_the_preview_is_what_happens(server, releases):
    old, new = releases
    devices = fleet(server, 20, old) + fleet(server, 2, new)
    lab = fleet(server, 3, old, tags=["lab"])
    unseen = server.register()
    plan = {"product": "thermostat", "version": "1.1.0",
            "stages": [{"percent": 20}, {"count": 15}, {"percent": 100}],
            "target": {"query": "not tag = lab"}}
    said = server.api("POST", "/rollouts/preview", plan, expect=200).json
    assert said["devices"] == 21
    assert said["bytes"] == 21 * len(new["content"])
    assert {v["version"]: v["devices"] for v in said["versions"]} == {
        "1.0.0": 20, "unknown": 1}
    refused = {g["why"]: g["count"] for g in said["refused"]}
    assert refused == {"target": 3}
    assert server.api("GET", "/rollouts").json["items"] == []
    rollout = server.api("POST", "/rollouts", plan, expect=201).json
    shown_stages = [s["devices"] for s in said["stages"]]
    assert shown_stages[1] == 15 and shown_stages[2] == 21
    unseen.run(old, slot=0)
    for stage in range(3):
        got = sum(offered(d, new) for d in devices[:20] + [unseen])
        assert got == shown_stages[stage]
        if stage < 2:
            act(server, rollout, "advance")
    assert not any(offered(d, new) for d in lab)


def test_a_database_of_before_there_were_plans_goes_on(server, releases):
    old, new = releases
    devices = fleet(server, 6, old)
    rollout = roll_out(server, new, stages=[50, 100])
    first, later = split(devices, new)
    server.stop()
    path = server.folder / "data" / "bowline.db"
    with sqlite3.connect(path) as db:
        db.execute("UPDATE rollouts SET plan = '', steer = '',"
                   " stages = '[[50,5000],[100,10000]]'")
    db.close()
    server.start()
    now = shown(server, rollout)
    assert [s["percent"] for s in now["stages"]] == [50, 100]
    for device in first:
        device.run(new)
        device.poll()
    time.sleep(2.5)
    assert shown(server, rollout)["stage"] == 0, "an operator advances"
    act(server, rollout, "advance")
    for device in later:
        take(device, new)
    wait_for(lambda: state_of(server, rollout) == "finished")


def test_fleet_history_shows_what_ran(server, releases):
    old, new = releases
    devices = fleet(server, 3, old)

    def values():
        said = server.api("GET", "/fleet/history?product=thermostat").json
        assert all(len(s["values"]) == len(said["times"])
                   for s in said["series"])
        return {s["version"]: s["values"][-1] for s in said["series"]}
    wait_for(lambda: values().get("1.0.0") == 3)
    roll_out(server, new, strategy="immediate")
    for device in devices:
        take(device, new)
    wait_for(lambda: values().get("1.1.0") == 3)


def test_the_timeline_of_a_device(server, releases):
    old, new = releases
    device = fleet(server, 1, old)[0]
    rollout = roll_out(server, new, strategy="immediate")
    device.poll()
    for state in DOWNLOADING, TESTING, CONFIRMED:
        device.event(state, sequence=2)
    device.poll()
    items = server.api("GET", f"/devices/{device.id}/timeline").json["items"]
    assert [i["state"] for i in items] == ["downloading", "testing",
                                           "confirmed"]
    assert items[-1]["until"] is None and items[0]["version"] == "1.1.0"
    assert items[0]["rollout"] == rollout["id"]


def test_a_bad_signature_pauses_at_once(server, releases):
    old, new = releases
    devices = fleet(server, 9, old)
    rollout = roll_out(server, new, strategy="immediate")
    give_up(devices[0], new, REFUSED, 22, 0)
    wait_for(lambda: state_of(server, rollout) == "paused")
    assert "signature" in shown(server, rollout)["state_reason"]


def test_reasons_of_any_length_and_script_are_kept_as_text(server, releases):
    old, new = releases
    fleet(server, 1, old)
    rollout = roll_out(server, new)
    for n in range(90, 96):
        now = act(server, rollout, "pause", {"reason": "x" * (n % 4) +
                                             "\u00fc\n\U0001f4a5" * n})
        assert now["state_reason"].startswith("paused by ann: ")
        assert "\n" not in now["state_reason"]
        act(server, rollout, "resume")


def test_bytes_of_a_rollout_are_counted(server, releases):
    old, new = releases
    device = fleet(server, 1, old)[0]
    rollout = roll_out(server, new, strategy="immediate")
    assert offered(device, new)
    path = f"/{new['payloads'][0]['uri']}"
    device.get(path)
    device.get(path, {"Range": "bytes=100-"})
    size = len(new["content"])
    expected = {"payload": size, "sent": 2 * size - 100, "saved": 100,
                "delta_saved": 0, "delta_devices": 0}
    assert shown(server, rollout)["bytes"] == expected
    act(server, rollout, "pause")
    assert shown(server, rollout)["bytes"] == expected


def test_a_plan_can_be_changed_while_it_runs(server, releases):
    old, new = releases
    devices = fleet(server, 10, old)
    rollout = roll_out(server, new, stages=[{"count": 2}, {"percent": 100}])
    path = f"/rollouts/{rollout['id']}"
    now = server.api("PATCH", path, {
        "name": "slowly", "stages": [{"count": 2}, {"count": 5},
                                     {"percent": 100}],
        "gates": {"manual": True}}, expect=200).json
    assert now["name"] == "slowly"
    assert [s["devices"] for s in now["stages"]] == [2, 5, 10]
    assert now["plan"]["stages"][2]["gates"]["manual"]
    for body in ({"stages": [{"count": 3}, {"percent": 100}]},
                 {"target": {"query": "tag = x"}}, {"start_at": 5}):
        server.api("PATCH", path, body, expect=409)
    act(server, rollout, "advance")
    assert sum(offered(d, new) for d in devices) == 5
    server.api("PATCH", path, {"stages": [{"count": 2}, {"percent": 100}]},
               expect=409)


def test_what_was_given_up_is_remembered_over_other_rollouts(server):
    old, fix, feature = (server.publish(1, "1.0.0"),
                         server.publish(2, "1.0.1"),
                         server.publish(3, "1.1.0"))
    device = fleet(server, 1, old)[0]
    rollout = roll_out(server, feature, strategy="immediate",
                       gates={"min_failed": 9})
    give_up(device, feature)
    roll_out(server, fix, strategy="immediate", security=True)
    take(device, fix)
    server.stop()
    server.start()
    assert not offered(device, feature)
    assert shown(server, rollout)["failure"]["failures"] == 1
    act(server, rollout, "retry")
    server.stop()
    server.start()
    assert offered(device, feature)


def test_abort_without_recall_outlives_the_server(server, releases):
    old, new = releases
    first = roll_out(server, old, strategy="immediate")
    device = fleet(server, 1, old)[0]
    wait_for(lambda: state_of(server, first) == "finished")
    rollout = roll_out(server, new, strategy="immediate")
    begin(device, new)
    act(server, rollout, "abort", {"recall": False})
    server.stop()
    server.start()
    assert offered(device, new)
    device.run(new)
    device.poll()
    assert shown(server, rollout)["counts"]["confirmed"] == 1
