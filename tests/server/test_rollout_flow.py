# SPDX-License-Identifier: Apache-2.0
"""Releases, rollouts, reports: what devices are told, what operators see."""
import base64
import hashlib

import pytest
from bowline_server import CONFIRMED, DOWNLOADING, FAILED, REFUSED, RETURNED
from waiting import wait_for


def start(server, release, stages, expect=201):
    return server.api("POST", "/rollouts", {
        "product": "thermostat", "version": release["version"],
        "stages": stages}, expect=expect).json


def ticket_names(answer, release):
    return bytes.fromhex(release["manifest"]) in answer[1]


def test_a_device_is_offered_installs_and_is_confirmed(server):
    old, new = server.publish(1, "1.0.0"), server.publish(2, "1.1.0")
    device = server.register()
    device.run(old, slot=0)
    answer = device.poll()
    assert ticket_names(answer, old) and 3 not in answer
    rollout = start(server, new, [100])
    hint = device.poll(nonce=False)
    assert hint[7].hex() == new["manifest"] and 1 not in hint
    offer = device.poll()
    assert ticket_names(offer, new)
    envelope = device.get(f"/manifests/{new['manifest']}")
    assert envelope.status == 200 and len(envelope.body) == offer[3]
    payload = device.get(f"/{new['payloads'][0]['uri']}")
    assert payload.body == new["content"]
    device.facts.update({6: DOWNLOADING, 13: [10, 100]})
    device.poll(nonce=False)
    assert device.show()["progress"] == {"done": 10, "total": 100}
    del device.facts[13]
    device.run(new, confirmed=False)
    device.poll()
    assert device.show()["updated"] is False
    device.run(new, slot=1)
    device.event(CONFIRMED, sequence=2)
    answer = device.poll()
    assert answer[6] == 1 and ticket_names(answer, new)
    shown = device.show()
    assert shown["updated"] and shown["version"] == "1.1.0"
    assert shown["history"] == "confirmed 1.1.0"
    counts = server.api("GET", f"/rollouts/{rollout['id']}").json["counts"]
    assert counts["confirmed"] == 1 and counts["eligible"] == 1


def test_stages_hold_back_what_is_not_their_turn(server):
    old, new = server.publish(1, "1.0.0"), server.publish(2, "1.1.0")
    devices = [server.register() for _ in range(12)]
    for device in devices:
        device.run(old, slot=0)
        device.poll()
    rollout = start(server, new, [10, 100])
    first = {d.id for d in devices if ticket_names(d.poll(), new)}
    limit = rollout["stages"][0]["limit_bucket"]
    assert first == {d.id for d in devices
                     if bucket(rollout["salt"], d.id) < limit}
    assert 1 <= len(first) == rollout["stages"][0]["devices"] < 12
    held = next(d for d in devices if d.id not in first)
    assert held.show()["why"] == (
        f"its turn has not come: rollout {rollout['id']} is at stage 1 of 2, "
        "for 10 percent of the devices; this one comes with stage 2, for 100 "
        "percent of the devices")
    server.api("POST", f"/rollouts/{rollout['id']}/advance", {}, expect=200)
    assert all(ticket_names(d.poll(), new) for d in devices)
    answer = server.api("POST", f"/rollouts/{rollout['id']}/advance", {},
                        expect=409)
    assert "last stage" in answer.json["error"]["message"]


def test_why_a_device_has_no_update_in_words(server):
    old, new = server.publish(1, "1.0.0"), server.publish(2, "1.1.0")
    start(server, new, [100])
    device = server.register()
    assert device.show()["why"] == "it has not been seen yet"
    device.run(old, slot=0, confirmed=False)
    device.poll()
    assert device.show()["why"] == "the image it runs is still on trial"
    device.run(old, slot=0)
    device.poll()
    assert device.show()["why"] == (
        "an update is offered: 1.1.0 of rollout 1")
    device.run(new, confirmed=False)
    device.poll()
    assert device.show()["why"] == "it runs what it should, still on trial"
    device.run(new)
    device.poll()
    assert device.show()["why"] == "it runs what it should"


def bucket(salt, identity):
    digest = hashlib.sha256(salt.encode() + bytes.fromhex(identity)).digest()
    return int.from_bytes(digest[:8], "big") % 10000


def test_a_rollout_is_finished_when_all_are_confirmed(server):
    old, new = server.publish(1, "1.0.0"), server.publish(2, "1.1.0")
    devices = [server.register() for _ in range(3)]
    for device in devices:
        device.run(old, slot=0)
        device.poll()
    rollout = start(server, new, [100])
    for device in devices:
        assert state_of(server, rollout) == "running"
        device.poll()
        device.run(new)
        device.poll()
    wait_for(lambda: state_of(server, rollout) == "finished")
    late = server.register()
    late.run(old, slot=0)
    assert ticket_names(late.poll(), new)


def state_of(server, rollout):
    return server.api("GET", f"/rollouts/{rollout['id']}").json["state"]


def test_success_needs_version_slot_and_digest_in_one_report(server):
    old, new = server.publish(1, "1.0.0"), server.publish(2, "1.1.0")
    device = server.register()
    device.run(old, slot=0)
    device.poll()
    start(server, new, [100])
    device.poll()
    device.run(new, slot=1)
    for wrong in ({"k12": "1.0.0"}, {"k15": bytes(32)}, {"k5": 0},
                  {"k7": False}):
        device.poll(**wrong)
        assert device.show()["updated"] is False, wrong
    device.poll()
    assert device.show()["updated"] is True


@pytest.mark.parametrize("state,code,reset,history", [
    (RETURNED, 100, 3, "returned from 1.1.0: boot-tries (watchdog)"),
    (RETURNED, 101, 0, "returned from 1.1.0: health"),
    (FAILED, 61, 0, "failed 1.1.0: read-back"),
    (REFUSED, 31, 0, "refused 1.1.0: sequence-low"),
])
def test_what_a_device_gave_up_is_not_offered_again(server, state, code,
                                                    reset, history):
    old, new = server.publish(1, "1.0.0"), server.publish(2, "1.1.0")
    device = server.register()
    device.run(old, slot=0)
    device.poll()
    rollout = start(server, new, [100])
    assert ticket_names(device.poll(), new)
    device.facts[6] = state
    device.event(state, code, 2, reset)
    assert ticket_names(device.poll(), old)
    assert device.show()["history"] == history
    assert device.show()["updated"] is False
    counts = server.api("GET", f"/rollouts/{rollout['id']}").json["counts"]
    assert counts[{RETURNED: "returned", FAILED: "failed",
                   REFUSED: "refused"}[state]] == 1
    events = server.api("GET", f"/devices/{device.id}/events").json["items"]
    assert events[0]["code_number"] == code
    assert events[0]["version"] == "1.1.0"


def test_a_failed_download_is_offered_again(server):
    old, new = server.publish(1, "1.0.0"), server.publish(2, "1.1.0")
    device = server.register()
    device.run(old, slot=0)
    start(server, new, [100])
    device.poll()
    device.event(FAILED, 68, 2)
    assert ticket_names(device.poll(), new)


def test_pause_resume_abort(server):
    old, new = server.publish(1, "1.0.0"), server.publish(2, "1.1.0")
    device, busy = server.register(), server.register()
    for each in device, busy:
        each.run(old, slot=0)
        each.poll()
    rollout = start(server, new, [100])
    busy.poll()
    busy.poll(nonce=False, k6=DOWNLOADING)
    line, = server.api("GET", "/audit?action=rollout-start").json["items"]
    assert (line["object"], line["detail"]) == (
        str(rollout["id"]), "thermostat 1.1.0")
    path = f"/rollouts/{rollout['id']}"
    asked = server.api("POST", path + "/pause?preview=1", expect=200).json
    assert asked["touches"] == 1 and "1 that has begun goes on" in asked[
        "sentence"], asked
    paused = server.api("POST", path + "/pause", {"reason": "it smells"},
                        expect=200).json
    assert paused["state"] == "paused" and paused["needs_person"]
    line, = server.api("GET", "/audit?action=rollout-pause").json["items"]
    assert line["detail"] == "thermostat: it smells"
    assert ticket_names(device.poll(), old)
    assert ticket_names(busy.poll(k6=DOWNLOADING), new)
    server.api("POST", path + "/pause", expect=409)
    server.api("POST", path + "/advance", expect=409)
    server.api("POST", path + "/resume", expect=200)
    assert ticket_names(device.poll(), new)
    start(server, new, [100], expect=409)
    server.api("POST", path + "/abort", {"reason": "it does"}, expect=200)
    line, = server.api("GET", "/audit?action=rollout-abort").json["items"]
    assert line["detail"] == "thermostat: it does"
    assert ticket_names(device.poll(), old)
    server.api("POST", path + "/resume", expect=409)
    start(server, new, [100])
    assert ticket_names(device.poll(), new)


def test_rollback_of_one_device_needs_a_permit_for_it(server):
    old, new = server.publish(1, "1.0.0"), server.publish(2, "1.1.0")
    device, other = server.register(), server.register()
    start(server, new, [100])
    for each in device, other:
        each.run(new, slot=0)
        each.poll()
    path = f"/devices/{device.id}/rollback"
    bad = server.permit(old["manifest"], other.id)
    answer = server.api("POST", path, {"version": "1.0.0", "permit": bad},
                        expect=422)
    assert answer.json["error"]["code"] == "permit-target"
    wrong = server.permit(old["manifest"], device.id, key="stranger")
    answer = server.api("POST", path, {"version": "1.0.0", "permit": wrong},
                        expect=422)
    assert answer.json["error"]["code"] == "permit-signature"
    permit = server.permit(old["manifest"], device.id)
    answer = server.api("POST", path, {"version": "1.0.0", "permit": permit},
                        expect=202)
    assert answer.json["target"]["version"] == "1.0.0"
    assert answer.json["target"]["kind"] == "device"
    offer = device.poll()
    assert ticket_names(offer, old)
    assert offer[4] == base64.b64decode(permit)
    assert ticket_names(other.poll(), new)
    device.run(old)
    device.poll()
    assert device.show()["updated"] is True
    assert ticket_names(device.poll(), old)


def test_rollback_of_a_product_ends_the_rollout(server):
    old, new = server.publish(1, "1.0.0"), server.publish(2, "1.1.0")
    device, slow = server.register(), server.register()
    rollout = start(server, new, [100])
    device.run(new, slot=0)
    device.poll()
    slow.run(old, slot=0)
    slow.poll()
    permit = server.permit(old["manifest"])
    answer = server.api("POST", "/products/thermostat/rollback",
                        {"version": "1.0.0", "permit": permit}, expect=202)
    assert answer.json["kind"] == "rollback"
    assert state_of(server, rollout) == "aborted"
    assert ticket_names(device.poll(), old) and ticket_names(slow.poll(), old)
    device.run(old)
    device.poll()
    wait_for(lambda: state_of(server, answer.json) == "finished")
    narrow = server.permit(old["manifest"], device.id)
    server.api("POST", "/products/thermostat/rollback",
               {"version": "1.0.0", "permit": narrow}, expect=422)


def test_a_rollback_leads_to_what_is_older(server):
    old, new = server.publish(1, "1.0.0"), server.publish(2, "1.1.0")
    device = server.register()
    device.run(old, slot=0)
    device.poll()
    one, product = f"/devices/{device.id}/rollback", (
        "/products/thermostat/rollback")
    for path, permit in ((one, server.permit(new["manifest"], device.id)),
                         (product, server.permit(new["manifest"]))):
        answer = server.api("POST", path,
                            {"version": "1.1.0", "permit": permit},
                            expect=409).json["error"]
        assert answer["code"] == "not-older"
        assert "1.1.0 is newer" in answer["message"]
        assert "start a rollout" in answer["message"]
    # Its floor is above: only a permit gets it there.
    device.poll(k14=2)
    permit = server.permit(new["manifest"])
    server.api("POST", product, {"version": "1.1.0", "permit": permit},
               expect=202)
    assert ticket_names(device.poll(k14=2), new)


def test_root_documents_follow_the_one_a_device_has(server):
    device = server.register()
    second = server.make_root(2)
    server.api("POST", "/roots", second, expect=201)
    answer = device.poll()
    assert answer[2] == [second]
    assert 2 not in device.poll(k3=2)
    server.api("POST", "/roots", second, expect=409)


def test_a_ticket_key_that_is_not_trusted_is_said(make_server):
    server = make_server()
    server.make_root(1, ticket="stranger")
    server.start().set_up()
    device = server.register()
    answer = device.send(device.message())
    assert answer.status == 503 and b"ticket role" in answer.body
    assert answer.headers["Retry-After"]
    assert device.poll(nonce=False)[7] == bytes(32)
    assert "tickets-untrusted" in server.log.read_text()
