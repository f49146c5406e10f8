# SPDX-License-Identifier: Apache-2.0
"""What a plan asks of devices, as it goes out; what reports make of a
device: attempts, quarantine, what it ran before."""
import time

import pytest
from bowline_server import FAILED, RETURNED
from test_outcomes import fleet, give_up, shown
from test_rollout_flow import ticket_names
from waiting import wait_for

HEALTH, ATTEMPTS, DIGEST, OPERATOR = 101, 68, 64, 103


@pytest.fixture
def server(make_server):
    return make_server(polls_per_minute=0).start().set_up()


def roll_out(server, release, **plan):
    return server.api("POST", "/rollouts", {
        "product": "thermostat", "version": release["version"],
        "stages": [{"percent": 100}], **plan}, expect=201).json


def offered(server, **plan):
    old, new = server.publish(1, "1.0.0"), server.publish(2, "1.1.0")
    (device,) = fleet(server, 1, old)
    return device, new, roll_out(server, new, **plan)


def test_a_device_that_knows_no_policy_is_updated_all_the_same(server):
    """One of before: it tells nothing of keys 17 to 20, and skips key 8."""
    device, new, rollout = offered(server, consent=True, metered=False,
                                   roaming=False, min_battery_percent=40)
    answer = device.poll()
    assert ticket_names(answer, new)
    assert answer[8] == {1: 40, 2: False, 3: False, 4: True}
    assert device.show()["battery"] is None
    device.run(new)
    device.poll()
    assert shown(server, rollout)["counts"]["confirmed"] == 1


def test_a_plan_that_asks_nothing_sends_no_policy(server):
    device, new, _ = offered(server)
    answer = device.poll()
    assert ticket_names(answer, new) and 8 not in answer
    assert 8 not in device.poll(nonce=False)


def test_the_policy_comes_with_hints_too_and_is_forced_in_the_end(server):
    device, _, _ = offered(server, consent=True,
                           deadline=int(time.time()) + 2)
    assert device.poll()[8] == {4: True}
    wait_for(lambda: 5 in device.poll(nonce=False)[8])
    assert device.poll(nonce=False)[8] == {4: True, 5: True}


def test_tries_that_failed_are_counted_and_lead_to_quarantine(server):
    device, new, _ = offered(server, retry={"attempts": 2,
                                            "quarantine_s": 1000})
    give_up(device, 2, FAILED, DIGEST)
    assert device.show()["attempts"] == 1
    assert device.show()["quarantined_until"] is None
    give_up(device, 2, RETURNED, HEALTH)
    now = device.show()
    assert now["attempts"] == 2
    assert 900 < now["quarantined_until"] - time.time() <= 1000
    device.run(new)
    device.poll()
    now = device.show()
    assert (now["attempts"], now["quarantined_until"]) == (0, None)


@pytest.mark.parametrize("state, code", [(FAILED, ATTEMPTS),
                                         (RETURNED, OPERATOR)])
def test_a_broken_way_and_an_operators_word_are_no_attempts(server, state,
                                                            code):
    device, _, _ = offered(server)
    give_up(device, 2, state, code)
    assert device.show()["attempts"] == 0


def test_what_ran_before_is_known(server):
    device, new, _ = offered(server)
    assert not device.show()["previous_version"]
    device.poll()
    device.run(new, confirmed=False)
    device.poll()
    assert device.show()["previous_version"] == "1.0.0"
    device.run(new, slot=1)
    device.poll()
    assert device.show()["previous_version"] == "1.0.0"


def test_a_device_that_came_back_has_nothing_to_go_back_to(server):
    device, new, _ = offered(server)
    before = dict(device.facts)
    device.poll()
    device.run(new, confirmed=False)
    device.poll()
    device.facts = before
    device.poll()
    assert not device.show()["previous_version"]
