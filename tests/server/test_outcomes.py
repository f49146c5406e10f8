# SPDX-License-Identifier: Apache-2.0
"""What a rollout's object says of its devices: what became of them, for ever,
who cannot take the release, and for whom it waits."""
import sqlite3
import time

from bowline_server import FAILED, REFUSED, RETURNED
from first_schema import to_first_schema
from rollouts import fleet, shown
from test_rollout_flow import start, state_of, ticket_names
from waiting import wait_for


def give_up(device, sequence, state=RETURNED, code=100, reset=4):
    device.poll()
    device.event(state, code, sequence, reset)
    device.facts[6] = state
    device.poll()


def past(server, rollout):
    """What must never change again."""
    now = shown(server, rollout)
    return {key: now[key] for key in ("state", "counts", "stages", "devices",
                                      "blocked")}


def test_outcomes_stay_when_later_rollouts_come(server):
    old, bad = server.publish(1, "1.0.0"), server.publish(2, "2.1.0")
    good = server.publish(3, "2.2.0")
    devices = fleet(server, 1, old, name="kitchen") + fleet(server, 3, old)
    first = start(server, bad, [100])
    for device in devices[:3]:
        give_up(device, 2)
    devices[3].poll()
    devices[3].run(bad)
    devices[3].poll()
    server.api("POST", f"/rollouts/{first['id']}/abort", expect=200)
    before = past(server, first)
    assert before["counts"]["returned"] == 3
    assert before["counts"]["confirmed"] == 1
    assert before["counts"]["eligible"] == 4
    one = dict(next(d for d in before["devices"]
                    if d["id"] == devices[0].id))
    assert one.pop("when") > 1e9
    assert one == {
        "id": devices[0].id, "name": "kitchen", "outcome": "returned",
        "code": "boot-tries", "reset": "crash", "version": "1.0.0",
        "meaning": one["meaning"]}
    second = start(server, good, [100])
    for device in devices:
        assert ticket_names(device.poll(), good)
        device.run(good)
        device.poll()
    fleet(server, 2, old)
    assert past(server, first) == before
    assert shown(server, second)["counts"]["confirmed"] == 4
    server.api("DELETE", f"/devices/{devices[0].id}", expect=204)
    assert past(server, first) == before
    server.stop()
    server.start()
    assert past(server, first) == before
    after = shown(server, second)["counts"]
    assert after["confirmed"] == 3, "a running one forgets removed devices"


def test_a_finished_rollout_keeps_its_size_and_its_count(server):
    old, new = server.publish(1, "1.0.0"), server.publish(2, "1.1.0")
    devices = fleet(server, 3, old)
    rollout = start(server, new, [50, 100])
    server.api("POST", f"/rollouts/{rollout['id']}/advance", expect=200)
    for device in devices:
        device.poll()
        device.run(new)
        device.poll()
    wait_for(lambda: state_of(server, rollout) == "finished")
    before = past(server, rollout)
    assert before["counts"]["confirmed"] == before["counts"]["eligible"] == 3
    late = fleet(server, 1, old)[0]
    late.run(new)
    late.poll()
    assert late.show()["updated"] is True
    server.kill()
    server.start()
    assert past(server, rollout) == before


def test_what_is_tried_again_has_no_outcome_until_it_ends(server):
    old, new = server.publish(1, "1.0.0"), server.publish(2, "1.1.0")
    device = fleet(server, 1, old)[0]
    rollout = start(server, new, [100])
    device.poll()
    device.event(FAILED, 68, 2)
    device.poll(nonce=False)
    counts = shown(server, rollout)["counts"]
    assert (counts["failed"], counts["offered"]) == (1, 0)
    assert ticket_names(device.poll(), new)
    now = shown(server, rollout)
    assert (now["counts"]["failed"], now["counts"]["offered"]) == (0, 1)
    assert now["devices"] == []
    device.run(new)
    device.poll()
    counts = shown(server, rollout)["counts"]
    assert (counts["failed"], counts["confirmed"]) == (0, 1)


def test_outcomes_are_listed_by_page_and_kind(server):
    old, new = server.publish(1, "1.0.0"), server.publish(2, "1.1.0")
    devices = fleet(server, 5, old)
    rollout = start(server, new, [100])
    for device in devices[:3]:
        give_up(device, 2, REFUSED, 31, 0)
    devices[3].poll()
    devices[3].run(new)
    devices[3].poll()
    path = f"/rollouts/{rollout['id']}/devices"
    page = server.api("GET", path + "?limit=2", expect=200).json
    rest = server.api("GET", f"{path}?limit=2&after={page['next']}").json
    assert [d["id"] for d in page["items"] + rest["items"]] == [
        d.id for d in devices[:3]]
    assert rest["next"] is None
    assert {d["outcome"] for d in page["items"]} == {"refused"}
    good = server.api("GET", path + "?outcome=confirmed").json["items"]
    assert [d["id"] for d in good] == [devices[3].id]
    assert server.api("GET", path + "?outcome=failed").json["items"] == []


def test_a_first_database_keeps_the_outcomes_that_its_devices_know(server):
    old, new = server.publish(1, "1.0.0"), server.publish(2, "1.1.0")
    devices = fleet(server, 2, old)
    rollout = start(server, new, [100])
    give_up(devices[0], 2)
    server.stop()
    to_first_schema(server.folder / "data" / "bowline.db")
    server.start()
    now = shown(server, rollout)
    assert now["counts"]["returned"] == 1
    assert [d["id"] for d in now["devices"]] == [devices[0].id]
    devices[1].poll()
    devices[1].run(new)
    devices[1].poll()
    assert shown(server, rollout)["counts"]["confirmed"] == 1


def test_a_release_below_all_floors_is_not_rolled_out(server):
    low, high = server.publish(1, "1.1.1"), server.publish(2, "2.0.0")
    old = server.publish(3, "1.0.0")
    devices = fleet(server, 3, old)
    for device in devices:
        device.facts[14] = 3
        device.poll()
    answer = start_refused(server, low)
    assert answer["code"] == "floor"
    assert ("3 of 3 devices have a floor above the release's sequence number"
            " 1") in answer["message"]
    new = server.register()
    rollout = start(server, low, [100])
    assert rollout["blocked"]["count"] == 3
    assert rollout["blocked"]["reason"].startswith("3 of 4 devices")
    new.run(low, slot=0)
    new.poll()
    now = shown(server, rollout)
    assert now["blocked"]["count"] == 3
    server.api("POST", f"/rollouts/{rollout['id']}/abort", expect=200)
    before = past(server, rollout)
    assert before["blocked"]["count"] == 3
    assert before["blocked"]["reason"].startswith("3 of 4 devices")
    newest = server.publish(4, "3.0.0")
    assert start(server, newest, [100])["blocked"] == {"count": 0,
                                                       "reason": ""}
    assert past(server, rollout) == before
    assert high["sequence"] == 2


def start_refused(server, release):
    return server.api("POST", "/rollouts", {
        "product": "thermostat", "version": release["version"],
        "stages": [100]}, expect=409).json["error"]


def test_why_names_the_floor_of_a_device_that_went_back(server):
    old, low = server.publish(1, "1.1.0"), server.publish(2, "1.1.1")
    new = server.publish(3, "2.0.0")
    device = fleet(server, 1, new)[0]
    permit = server.permit(old["manifest"])
    server.api("POST", "/products/thermostat/rollback",
               {"version": "1.1.0", "permit": permit}, expect=202)
    device.poll()
    device.run(old)
    device.poll()
    wait_for(lambda: server.api("GET", "/rollouts/1").json["state"] ==
             "finished")
    server.register()  # could take it
    start(server, low, [100])
    assert ticket_names(device.poll(), old)
    assert "floor is above" in device.show()["why"]


def test_a_rollout_names_whom_it_waits_for(server):
    old, new = server.publish(1, "1.0.0"), server.publish(2, "1.1.0")
    unseen = server.register(name="attic")
    fleet(server, 2, old)
    rollout = start(server, new, [100])
    assert rollout["waiting_for"] == {"count": 1, "devices": [
        {"id": unseen.id, "name": "attic", "why": "never seen",
         "last_seen": None}]}
    for _ in range(11):
        server.register()
    now = shown(server, rollout)["waiting_for"]
    assert now["count"] == 12 and len(now["devices"]) == 10
    server.api("POST", f"/rollouts/{rollout['id']}/abort", expect=200)
    assert shown(server, rollout)["waiting_for"]["count"] == 0


def test_a_device_that_fell_silent_is_named(make_server):
    server = make_server(poll_interval=1).start().set_up()
    old, new = server.publish(1, "1.0.0"), server.publish(2, "1.1.0")
    silent, awake = fleet(server, 2, old)
    server.stop()
    age(server, silent)
    server.start()
    awake.poll()
    rollout = start(server, new, [100])
    waits = rollout["waiting_for"]
    assert [d["id"] for d in waits["devices"]] == [silent.id]
    assert waits["devices"][0]["why"] == "silent"
    assert waits["devices"][0]["last_seen"] > 1e9
    silent.poll()
    assert shown(server, rollout)["waiting_for"]["count"] == 0


def age(server, device, seconds=120):
    """Puts the device's last poll back, in all that the last run left."""
    path = server.folder / "data" / "bowline.db"
    with sqlite3.connect(path) as db:
        (number,) = db.execute("SELECT number FROM devices WHERE id = ?",
                               (bytes.fromhex(device.id),)).fetchone()
        old = (int(time.time()) - seconds).to_bytes(4, "little")
        db.execute("INSERT INTO journal (number, records) SELECT"
                   " coalesce(max(number), 0) + 1, ? FROM journal",
                   (b"\x01" + number.to_bytes(4, "little") + old,))
    db.close()


def test_rollouts_are_listed_newest_first(server):
    release = server.publish(1, "1.0.0")
    made = []
    for _ in range(5):
        made.append(start(server, release, [100])["id"])
        server.api("POST", f"/rollouts/{made[-1]}/abort", expect=200)
    listed, after = [], ""
    while after is not None:
        page = server.api("GET", "/rollouts?limit=2" + after).json
        listed += [r["id"] for r in page["items"]]
        after = page["next"] and f"&after={page['next']}"
    assert listed == made[::-1]
