# SPDX-License-Identifier: Apache-2.0
"""The devices behind each number of a rollout, in the list and in the file."""
import json

import pytest
from bowline_server import CONFIRMED, DOWNLOADING, FAILED, PRODUCT, REFUSED
from waiting import wait_for

NEVER_RETRY, TRY_AGAIN = 44, 64


def ids(server, query):
    """Page by page: each once, and no page is skipped."""
    found, after = [], 0
    while after is not None:
        page = server.api("GET", f"/devices?limit=2&after={after}&{query}",
                          expect=200).json
        found += [d["id"] for d in page["items"]]
        after = page["next"]
    return found


def exported(server, query):
    body = server.api("GET", f"/export/devices?{query}", expect=200).body
    return [json.loads(line)["id"] for line in body.decode().splitlines()]


@pytest.fixture
def halves(server):
    """(server, rollout, devices): the first stage has four of eight. One of
    them confirmed, one refused, one downloads, one has not asked."""
    old, new = server.publish(1, "1.0.0"), server.publish(2, "1.1.0")
    devices = [server.register(name=f"n{i}", tags=["lab"] if i % 2 else [])
               for i in range(8)]
    for d in devices:
        d.run(old, slot=0)
        d.poll()
    rollout = server.api("POST", "/rollouts", {
        "product": PRODUCT, "version": "1.1.0",
        "stages": [{"count": 4}, {"percent": 100}],
        "gates": {"min_sample": 8, "min_failed": 9}}, expect=201).json
    wanted = bytes.fromhex(new["manifest"])
    first = [d for d in devices if server.api(
        "GET", f"/devices/{d.id}/bucket?rollout={rollout['id']}",
        expect=200).json["stage"] == 0]
    assert len(first) == 4
    good, bad, busy, _ = first
    for d in (good, bad, busy):
        assert wanted in d.poll().get(1, b"")
    good.run(new)
    good.event(CONFIRMED, sequence=2)
    good.poll()
    bad.event(REFUSED, code=NEVER_RETRY, sequence=2)
    bad.poll(_6=REFUSED)
    busy.event(DOWNLOADING, sequence=2)
    busy.poll(_6=DOWNLOADING)
    return server, rollout["id"], devices, first


def test_untouched_are_those_that_it_has_not_come_to(halves):
    server, rollout, devices, first = halves
    wanted = [d.id for d in devices if d not in first[:3]]
    query = f"rollout={rollout}&outcome=untouched"
    assert ids(server, query) == wanted
    assert sorted(ids(server, query + "&sort=name")) == sorted(wanted)
    assert exported(server, query) == wanted
    # Of the product alone, and as the other filters have it.
    other = server.api("POST", "/products", {
        "name": "other", "vendor_domain": "example.com"}, expect=201).json
    server.register(product=other["name"])
    assert ids(server, query) == wanted
    assert ids(server, query + "&query=tag%20%3D%20lab") == [
        d.id for d in devices if d.id in wanted and devices.index(d) % 2]
    assert ids(server, "rollout=99&outcome=untouched") == []


def test_who_was_counted_is_who_is_listed(halves):
    server, rollout, _, _ = halves
    counts = server.api("GET", f"/rollouts/{rollout}", expect=200)
    counts = counts.json["counts"]
    for outcome in ("downloading", "confirmed", "refused", "quarantined",
                    "silent"):
        query = f"rollout={rollout}&outcome={outcome}"
        assert len(ids(server, query)) == counts[outcome], outcome
        assert exported(server, query) == ids(server, query)


def test_quarantined_are_those_that_tried_too_often(halves):
    server, rollout, _, first = halves
    query = f"rollout={rollout}&outcome=quarantined"
    before = set(ids(server, query))
    last = first[3]
    for _ in range(2):  # as often as a device may
        last.poll()
        last.event(DOWNLOADING, sequence=2)
        last.event(FAILED, code=TRY_AGAIN, sequence=2)
        last.poll(_6=FAILED)
    assert last.show()["quarantined_until"]
    assert set(ids(server, query)) == before | {last.id}
    assert set(exported(server, query)) == before | {last.id}
    counts = server.api("GET", f"/rollouts/{rollout}", expect=200)
    assert counts.json["counts"]["quarantined"] == len(before) + 1


def test_an_export_takes_the_filters_of_the_list(halves):
    server, _, devices, first = halves
    for query in ("search=n3", "version=1.1.0", "state=downloading",
                  f"product={PRODUCT}", "product=none", "attention=1",
                  "query=tag%20%3D%20lab"):
        assert exported(server, query) == ids(server, query), query
    assert exported(server, "version=1.1.0") == [first[0].id]
    assert len(exported(server, "")) == len(devices)
    server.api("GET", "/export/devices?query=tag%20%3D", expect=400)


def test_an_empty_csv_has_its_head(server):
    body = server.api("GET", "/export/devices?format=csv&search=nobody",
                      expect=200).body
    assert body.startswith(b'"id"') and body.count(b"\n") == 1


def test_a_finished_rollout_keeps_what_its_stages_confirmed(server):
    server.publish(1, "1.0.0")
    new = server.publish(2, "1.1.0")
    devices = [server.register(name=f"n{i}") for i in range(5)]
    rollout = server.api("POST", "/rollouts", {
        "product": PRODUCT, "version": "1.1.0",
        "stages": [{"count": 2}, {"percent": 100}],
        "gates": {"min_sample": 1, "soak_s": 0}}, expect=201).json

    def show():
        return server.api("GET", f"/rollouts/{rollout['id']}",
                          expect=200).json

    def confirm_offered():
        for d in [d for d in devices if d.facts[12] != "1.1.0"]:
            if bytes.fromhex(new["manifest"]) in d.poll().get(1, b""):
                d.run(new)
                d.event(CONFIRMED, sequence=2)
                d.poll()

    confirm_offered()
    wait_for(lambda: show()["stage"] == 1)
    confirm_offered()
    wait_for(lambda: show()["state"] == "finished")
    assert [s["confirmed"] for s in show()["stages"]] == [2, 5]
    [listed] = server.api("GET", "/rollouts", expect=200).json["items"]
    assert [s["confirmed"] for s in listed["stages"]] == [2, 5]
