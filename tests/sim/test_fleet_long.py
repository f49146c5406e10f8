# SPDX-License-Identifier: Apache-2.0
"""Twenty rollouts that steer themselves, good releases and bad ones, over a
fleet with random faults, while the server is killed again and again. With
BOWLINE_LONG=1: 10,000 devices and fifty kills, or as many as
BOWLINE_LONG_SIZE says (devices,rollouts,kills); else the same with few."""
import os
import random
import threading
import time

from bowline_server import PRODUCT
from fleet import assert_same, believed, bucket, offered, wait

LONG = bool(os.environ.get("BOWLINE_LONG"))
DEVICES, ROLLOUTS, KILLS = map(int, os.environ.get(
    "BOWLINE_LONG_SIZE", "10000,20,50").split(",")) if LONG else (200, 3, 3)
STAGES = (1, 10, 100) if LONG else (10, 30, 100)
SPEED = 200 if LONG else 1200  # of all clocks, the server's too
SEED = 20
# Fails on at least this share of the devices: no stage may let it pass.
BAD = ("crash:60%,hang:10%", "health:60%,crash:10%", "pending:60%",
       "crash:30%,hang:20%,health:20%,pending:10%")


class Killer(threading.Thread):
    """kill -9, and the start after it, at random times, as often as it may."""

    def __init__(self, server):
        super().__init__()
        self.server, self.dice = server, random.Random(SEED)
        self.lock = threading.Lock()  # held while the server is down
        self.may, self.done, self.stop = 0, 0, threading.Event()

    def run(self):
        while not self.stop.wait(self.dice.uniform(0.5, 5 if LONG else 2)):
            if self.done < self.may:
                with self.lock:
                    self.server.kill()
                    self.server.start()
                    self.done += 1


class Operator:
    """What a person does: starts a rollout, and looks at it."""

    def __init__(self, server, killer):
        self.server, self.killer = server, killer

    def api(self, method, path, body=None, expect=200):
        with self.killer.lock:
            return self.server.api(method, path, body, expect=expect).json

    def publish(self, *release):
        with self.killer.lock:
            return self.server.publish(*release)

    def start(self, version):
        return self.api("POST", "/rollouts", {
            "product": PRODUCT, "version": version, "stages": list(STAGES),
            "gates": {"confirmed_percent": 85, "soak_s": 300},
            "retry": {"attempts": 1}}, 201)

    def look(self, rollout):
        return self.api("GET", f"/rollouts/{rollout['id']}")

    def act(self, rollout, what):
        return self.api("POST", f"/rollouts/{rollout['id']}/{what}", {})

    def conduct(self, rollout, bad):
        """Nobody advances it: it finishes, or pauses, by itself. A good one
        may pause when the server's kills made devices silent; it goes on. How
        it was in the end."""
        end = time.monotonic() + 900
        while time.monotonic() < end:
            now = self.look(rollout)
            if now["state"] == "paused" and bad:
                self.act(rollout, "abort")
                return self.look(rollout)
            if now["state"] == "paused":
                self.act(rollout, "resume")
            if now["state"] not in ("running", "paused"):
                return now
            time.sleep(0.3)
        raise AssertionError(f"{rollout['version']} did not end: {now}")


def versions():
    """20 of them, about every third a bad one."""
    dice = random.Random(SEED)
    bad = set(dice.sample(range(1, ROLLOUTS + 1), max(1, ROLLOUTS * 3 // 10)))
    return [(f"1.{i}.0", dice.choice(BAD) if i in bad else None)
            for i in range(1, ROLLOUTS + 1)]


def assert_only_its_stage_was_asked(truth, release, rollout):
    limit = rollout["stages"][rollout["stage"]]["limit_bucket"]
    for identity in offered(truth, release["manifest"]):
        assert bucket(rollout["salt"], identity) < limit, (
            release["version"], truth[identity])


def test_rollouts_with_faults_and_a_server_that_is_killed(
        make_tls_server, make_fleet):
    server, plan = make_tls_server(clock_speed=SPEED), versions()
    server.publish(1, "1.0.0")
    rules = [word for version, bad in plan
             for word in ("--behaviour", f"{version}="
                          + (bad or "crash:1%,flaky:2%,health:1%"))]
    fleet = make_fleet(
        server, DEVICES, "--speed", SPEED, "--poll", 1200, "--seed", SEED, "--loss", "2%",
        "--power-cuts", "1%", "--hardware", "rev-a:70%,rev-b:30%",
        "--profile", "normal:90%,roaming:10%", "--attribute",
        "region=eu:50%,us:50%", "--compare", "--settle", "120s",
        *rules).start()
    killer = Killer(server)
    operator = Operator(server, killer)
    ends = []
    killer.start()
    try:
        for number, (version, bad) in enumerate(plan, 1):
            killer.may = KILLS * number // ROLLOUTS
            release = operator.publish(number + 1, version)
            rollout = operator.conduct(operator.start(version), bad)
            ends.append((release, rollout, bad))
        wait("last kill", lambda: killer.done == KILLS, 300)
    finally:
        killer.stop.set()
        killer.join()

    truth = fleet.stop(seconds=600)
    assert fleet.summary["agrees"] is True
    assert assert_same(truth, believed(server)) == DEVICES
    assert fleet.summary["flash_breaches"] == 0
    assert fleet.summary["wrecked"] == 0
    for release, rollout, bad in ends:
        assert_only_its_stage_was_asked(truth, release, rollout)
        said = (release["version"], bad, rollout["status"], rollout["counts"])
        assert rollout["state"] == ("aborted" if bad else "finished"), said
        assert not bad or rollout["stage"] == 0, said
