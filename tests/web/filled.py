# SPDX-License-Identifier: Apache-2.0
"""A server with a fleet in many states, made through its own APIs."""
from types import SimpleNamespace

from bowline_server import (CONFIRMED, DOWNLOADING, FAILED, PRODUCT, RETURNED,
                            WAITING)
from operators import ROLES, add_user

HOSTILE = '<img src=x onerror="document.title=\'broken\'">'
HOSTILE_ATTRIBUTE = "</script><script>document.title='broken'</script>"
SECONDS_EAST = 60
FINE = 48


def poll_as(device, release, **over):
    """It runs the release and says how it is."""
    device.run(release, slot=0)
    device.facts[14] = min(device.facts[14], release["sequence"])
    device.poll(_17=SECONDS_EAST, **over)


def battery(percent, flags):
    return [percent, flags]


def fill(server, devices=FINE):
    """Users of every role, three releases, `devices` devices that run the
    first of them, and some in trouble."""
    for role in ROLES:
        add_user(server, role, role)
    fleet = SimpleNamespace(devices=[], releases={})
    for sequence, version in ((1, "1.0.0"), (2, "1.1.0"), (3, "1.2.0")):
        fleet.releases[version] = server.publish(sequence, version)
    first = fleet.releases["1.0.0"]
    for i in range(devices):
        name = f"kitchen-{i + 1:02}"
        d = server.register(name=name, tags=["lab"] if i % 8 == 0 else [])
        poll_as(d, first, _18={"region": ("eu", "us")[i % 2], "site": name},
                _19=battery((15, 60, 88)[i % 3], (8 | 1, 8 | 16, 8 | 2)[i % 3]),
                _11=("rev-a", "rev-b")[i % 2])
        fleet.devices.append(d)
    fleet.hostile = server.register(name=HOSTILE, tags=["<b>bold</b>"])
    poll_as(fleet.hostile, first, _18={"note": HOSTILE_ATTRIBUTE},
            _11="<i>hw</i>")
    fleet.never = server.register(name="never-seen")
    fleet.returned = server.register(name="came-back")
    poll_as(fleet.returned, first)
    fleet.returned.event(DOWNLOADING, sequence=2)
    fleet.returned.event(RETURNED, code=23, sequence=2, reset=3)
    poll_as(fleet.returned, first, _6=RETURNED)
    fleet.waiting = server.register(name="battery-low")
    poll_as(fleet.waiting, first)
    fleet.product = PRODUCT
    return fleet


__all__ = ["CONFIRMED", "FAILED", "WAITING", "fill", "HOSTILE",
           "HOSTILE_ATTRIBUTE"]
