# SPDX-License-Identifier: Apache-2.0
"""Rollouts by plan, and fleets of scripted devices for them."""
from bowline_server import CONFIRMED, DOWNLOADING, RETURNED, TESTING

QUICK = {"min_sample": 1, "soak_s": 0}


def roll_out(server, release, expect=201, **plan):
    return server.api("POST", "/rollouts", {
        "product": "thermostat", "version": release["version"], **plan},
        expect=expect).json


def shown(server, rollout):
    return server.api("GET", f"/rollouts/{rollout['id']}", expect=200).json


def act(server, rollout, action, body=None, expect=200, **more):
    return server.api("POST", f"/rollouts/{rollout['id']}/{action}", body,
                      expect=expect, **more).json


def fleet(server, n, release, **more):
    """Devices that run `release`, confirmed, and have told so."""
    devices = [server.register(**more) for _ in range(n)]
    for device in devices:
        device.run(release, slot=0)
        device.poll()
    return devices


def offered(device, release, **over):
    """Polls with a nonce: does the ticket name the release?"""
    return bytes.fromhex(release["manifest"]) in device.poll(**over)[1]


def take(device, release):
    """Offered, installed, confirmed."""
    assert offered(device, release)
    device.run(release)
    device.event(CONFIRMED, sequence=release["sequence"])
    device.poll()


def try_out(device, release):
    """Offered, installed, on trial."""
    assert offered(device, release)
    device.run(release, confirmed=False)
    device.event(TESTING, sequence=release["sequence"])
    device.poll()


def begin(device, release):
    """Offered, and downloading."""
    assert offered(device, release)
    device.facts[6] = DOWNLOADING
    device.poll(nonce=False)


def give_up(device, release, state=RETURNED, code=100, reset=3):
    """Offered, tried, and back where it was."""
    assert offered(device, release)
    device.event(state, code, release["sequence"], reset)
    device.facts[6] = state
    device.poll()


def why(device):
    return device.server.api("GET", f"/devices/{device.id}/why",
                             expect=200).json


def state_of(server, rollout):
    return shown(server, rollout)["state"]
