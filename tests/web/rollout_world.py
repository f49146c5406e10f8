# SPDX-License-Identifier: Apache-2.0
"""Rollouts in each of their states, made by scripted devices: a product for
each, so that they do not get into each other's way."""
import time
from types import SimpleNamespace

from bowline_server import (CONFIRMED, DOMAIN, DOWNLOADING, FAILED, REFUSED,
                            RETURNED, TESTING, sign)
from waiting import wait_for

HEALTH, TRIES, SPACE, NO_VERSION = 101, 100, 65, 44
RESET_WATCHDOG = 3
OLD, NEW = "1.0.0", "1.1.0"


class Line:
    """One product: an old release that all its devices run, and a new one."""

    def __init__(self, server, product, devices):
        self.server, self.product = server, product
        server.api("POST", "/products", {"name": product,
                                         "vendor_domain": DOMAIN}, expect=201)
        self.old, self.new = self.publish(1, OLD), self.publish(2, NEW)
        self.devices = []
        for i in range(devices):
            d = server.register(product=product,
                                name=f"{product}-{i + 1:02}")
            d.facts[11] = ("rev-a", "rev-b")[i % 3 == 2]
            d.run(self.old, slot=0)
            d.poll()
            self.devices.append(d)

    def publish(self, sequence, version):
        content = f"image {self.product} {version}".encode() * 400
        self.server.put_payload(content)
        image = self.server.folder / "line-image"
        out = self.server.folder / "line-release"
        image.write_bytes(content)
        sign("release", out, self.server.folder / "release.key", DOMAIN,
             self.product, sequence, version, image)
        release = self.server.api("POST", "/releases", out.read_bytes(),
                                  expect=201).json
        release["content"] = content
        return release

    def start(self, stages, name="", token=None, **plan):
        self.rollout = self.server.api("POST", "/rollouts", {
            "product": self.product, "version": NEW, "name": name or
            f"{self.product} {NEW}", "stages": stages, **plan},
            token=token or self.server.token, expect=201).json
        return self

    @property
    def id(self):
        return self.rollout["id"]

    def show(self):
        return self.server.api("GET", f"/rollouts/{self.id}",
                               expect=200).json

    def offered(self):
        """The devices of the present stage: asks for each."""
        wanted = bytes.fromhex(self.new["manifest"])
        return [d for d in self.devices
                if d.facts[12] == OLD and wanted in d.poll().get(1, b"")]

    def confirm(self, devices):
        for d in devices:
            d.event(DOWNLOADING, sequence=2)
            d.event(TESTING, sequence=2)
            d.run(self.new, slot=1)
            d.event(CONFIRMED, sequence=2)
            d.poll()

    def lose(self, devices, state=RETURNED, code=HEALTH, reset=0):
        for d in devices:
            d.event(DOWNLOADING, sequence=2)
            if state == RETURNED:
                d.event(TESTING, sequence=2)
            d.event(state, code=code, sequence=2, reset=reset)
            d.poll(_6=state)

    def do(self, action, body=None, token=None, expect=200):
        return self.server.api("POST", f"/rollouts/{self.id}/{action}",
                               body or {}, expect=expect,
                               token=token or self.server.token).json

    def until(self, state):
        wait_for(lambda: self.show()["state"] == state,
                 said=lambda: f"({state}): {self.show()['status']}")
        return self.show()


def four_eyes(server, on):
    server.api("PATCH", "/settings", {"four_eyes": on},
               token=server.admin_token, expect=200)


def soaking(server):
    line = Line(server, "boiler", 12)
    line.start([{"count": 4}, {"percent": 100}], "Winter heating",
               gates={"min_sample": 3})
    line.confirm(line.offered())
    return line


def sampling(server):
    line = Line(server, "camera", 16)
    line.start([{"count": 8}, {"percent": 100}], "Night vision")
    first = line.offered()
    line.confirm(first[:2])
    states = (DOWNLOADING, TESTING)
    for d, state in zip(first[2:4], states):
        d.event(state, sequence=2)
        d.poll(_6=state, **({"_13": [400, 1600]} if state == DOWNLOADING
                            else {}))
    return line


def unclear(server):
    line = Line(server, "lock", 14)
    line.start([{"count": 12}, {"percent": 100}], "Lock firmware")
    first = line.offered()
    line.confirm(first[:6])
    line.lose(first[6:8])
    return line


def paused(server):
    line = Line(server, "valve", 24)
    line.start([{"count": 12}, {"percent": 100}], "Valve controller",
               gates={"min_sample": 4})
    first = line.offered()
    line.confirm(first[:5])
    line.lose(first[5:8], code=TRIES, reset=RESET_WATCHDOG)
    line.lose(first[8:9], FAILED, SPACE)
    line.lose(first[9:10], REFUSED, NO_VERSION)
    line.until("paused")
    return line


def finished(server):
    line = Line(server, "gateway", 6)
    line.start([{"percent": 100}], "Gateway fix", security=True,
               gates={"soak_s": 0, "min_sample": 1})
    line.confirm(line.offered())
    line.until("finished")
    return line


def aborted(server):
    line = Line(server, "pump", 6)
    line.start([{"percent": 100}], "Wrong pump image")
    line.confirm(line.offered()[:1])
    line.do("abort", {"recall": True})
    return line


def scheduled(server):
    line = Line(server, "meter", 5)
    return line.start([{"percent": 10}, {"percent": 100}],
                      "Night maintenance",
                      start_at=int(time.time()) + 8 * 3600)


def approval(server):
    line = Line(server, "door", 5)
    four_eyes(server, True)
    line.start([{"percent": 100}], "Door opener")
    four_eyes(server, False)
    return line


def returning(server):
    line = Line(server, "lamp", 8)
    line.start([{"count": 6}, {"percent": 100}], "Warmer light",
               gates={"min_sample": 3})
    first = line.offered()
    line.confirm(first[:3])
    line.lose(first[3:6])
    line.until("paused")
    sign("permit", server.folder / "permit", server.folder / "release.key",
         DOMAIN, line.product, line.old["manifest"], 3600)
    line.permit = (server.folder / "permit").read_bytes()
    return line


MAKERS = {f.__name__: f for f in (
    finished, aborted, soaking, sampling, unclear, paused, returning,
    scheduled, approval)}


def make_all(server):
    """By state: its Line."""
    return SimpleNamespace(**{name: make(server)
                              for name, make in MAKERS.items()})
