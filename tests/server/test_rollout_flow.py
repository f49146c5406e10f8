# SPDX-License-Identifier: Apache-2.0
"""Releases, rollouts, reports: what devices are told, what operators see."""
from bowline_server import (CONFIRMED, DOWNLOADING, FAILED, RETURNED, TESTING)


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
