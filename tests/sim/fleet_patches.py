# SPDX-License-Identifier: Apache-2.0
"""Releases that differ little, and what became of the patches between them."""
import random

from fleet import wait

RAM = 12288


def image(number, size=24000):
    """Each is the one before, with another stretch of it new."""
    draw = random.Random(1)
    content = bytearray(draw.randbytes(size))
    for n in range(1, number + 1):
        content[n * 1000:n * 1000 + 400] = random.Random(n).randbytes(400)
    return bytes(content)


def patches(server, release):
    return server.api("GET", f"/releases/{release['manifest']}/deltas",
                      expect=200).json["items"]


def order(server, old, release):
    """Has a patch made, and waits for it."""
    server.api("POST", f"/releases/{release['manifest']}/deltas",
               {"from": old, "ram": RAM}, expect=202)
    wait("patch", lambda: all(p["state"] == "ready" for p in
                              patches(server, release)))


def counted(server, *releases):
    """What the server says of them: installed, failed, bytes saved."""
    found = [p for release in releases for p in patches(server, release)]
    return tuple(sum(p[key] for p in found)
                 for key in ("installed", "failed", "saved"))


def told(truth):
    """The same, by the devices."""
    return tuple(sum(d[key] for d in truth.values())
                 for key in ("patched", "patches_failed", "patch_saved"))
