# SPDX-License-Identifier: Apache-2.0
"""Who asks for much of a large fleet waits; its devices do not."""
import threading
import urllib.parse

import pytest

from waiting import wait_for

FEW = 5000  # worker.h: WALK_FEW
COSTLY = " or ".join(f'name ~ "*d*1*2*3*4*{i}*x"' for i in range(25))
LIST = "/api/v1/devices?query=" + urllib.parse.quote(COSTLY)


@pytest.fixture(scope="module")
def large(request, shared_server):
    server = shared_server
    server.old = server.publish(1, "1.0.0")
    server.new = server.publish(2, "1.1.0")
    server.device = server.register()
    server.device.run(server.old, slot=0)
    server.device.poll()
    server.api("POST", "/devices/bulk", {
        "product": "thermostat", "devices": [
            {"name": f"device number {i} " + "d1234512345" * 8}
            for i in range(FEW + 1)]}, expect=201)
    return server


def at_once(n, ask):
    answers = []

    def one():
        answers.append(ask())

    threads = [threading.Thread(target=one) for _ in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def preview(server):
    return server.api("POST", "/rollouts/preview", {
        "product": "thermostat", "version": "1.1.0",
        "target": {"query": COSTLY}}, token=server.viewer_token)


@pytest.mark.parametrize("kind", ["list", "preview"])
def test_one_viewers_walks_wait_for_each_other(large, kind):
    def ask():
        if kind == "preview":
            return preview(large)
        return large.request("GET", LIST, token=large.viewer_token)

    answers = at_once(16, ask)
    assert {a.status for a in answers} == {200, 429}
    for answer in answers:
        if answer.status == 429:
            assert answer.headers["Retry-After"] == "2"
            assert answer.json["error"]["code"] == "busy"
    large.device.poll()
    assert ask().status == 200, "afterwards there is room again"


def test_a_page_that_narrows_nothing_never_waits(large):
    answers = at_once(16, lambda: large.request(
        "GET", "/api/v1/devices?limit=2", token=large.viewer_token))
    assert [a.status for a in answers] == [200] * 16


def test_walks_give_the_same_as_ever(large):
    listed = large.api("GET", "/devices?search=number%205000%20&limit=5",
                       expect=200).json
    assert len(listed["items"]) == 1
    ordered = large.api("GET", "/devices?sort=-name&limit=3",
                        expect=200).json
    assert len(ordered["items"]) == 3 and ordered["next"] is not None


def test_an_export_whose_filter_takes_nothing_ends(large):
    answer = large.api("GET", "/export/devices?search=nothing-is-so-called",
                       expect=200)
    assert answer.body == b""
    some = large.api("GET", "/export/devices?search=number%205000%20",
                     expect=200)
    assert len(some.body.splitlines()) == 1


def start(server, query, version="1.1.0", **plan):
    return server.api("POST", "/rollouts", {
        "product": "thermostat", "version": version,
        "target": {"query": query}, **plan})


def test_of_the_same_rollout_at_once_one_is_made(large):
    answers = at_once(6, lambda: start(large, 'name ~ "device*"'))
    assert sorted(a.status for a in answers) == [201] + 5 * [409]
    assert {a.json["error"]["code"] for a in answers
            if a.status == 409} == {"active"}
    made, = (a.json["id"] for a in answers if a.status == 201)
    large.api("POST", f"/rollouts/{made}/abort", {}, expect=200)


def test_of_rollouts_at_once_each_has_its_own_places(make_server):
    """Where devices are few, starts are not one after another: whoever is
    not the first must deal the places anew."""
    server = make_server(threads=4).start().set_up()
    server.publish(1, "1.1.0")
    server.api("POST", "/devices/bulk", {
        "product": "thermostat", "devices": [
            {"name": f"device {i} " + "d1234512345" * 8}
            for i in range(FEW - 1000)]}, expect=201)
    queries = iter([f'name != "{i}" and not ({COSTLY})' for i in range(4)])
    made = [a.json for a in at_once(4, lambda: start(
        server, next(queries), stages=[{"count": 100}, {"percent": 100}]))]
    assert len({rollout["id"] for rollout in made}) == 4
    for rollout in made:
        now = server.api("GET", f"/rollouts/{rollout['id']}").json
        assert now["counts"]["untouched"] == 100


def test_counts_of_a_large_fleet_follow(large):
    for count in (3, 5):
        made = start(large, 'name ~ "device*"', stages=[
            {"count": count}, {"percent": 100}]).json
        path = f"/rollouts/{made['id']}"
        wait_for(lambda p=path, n=count: large.api("GET", p).json["counts"][
            "untouched"] == n)
        large.api("POST", path + "/abort", {}, expect=200)


def test_what_nobody_can_take_is_refused_and_what_nobody_wants_is_not(large):
    seen = f"id = {large.device.id}"
    refused = start(large, seen, version="0.9.0")
    assert refused.status == 404
    large.device.run(large.new, slot=0)
    large.device.poll()
    refused = start(large, seen, version="1.0.0")
    assert refused.status == 409
    assert refused.json["error"]["code"] == "floor"
    for query, stages in ((seen, [{"percent": 100}]),
                          ("site = nowhere", [{"count": 3},
                                              {"percent": 100}])):
        made = start(large, query, stages=stages)
        assert made.status == 201, made.json
        large.api("POST", f"/rollouts/{made.json['id']}/abort", {},
                  expect=200)
