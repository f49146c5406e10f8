# SPDX-License-Identifier: Apache-2.0
"""500 simulated devices of another product, beside the emulated ones: rollouts
that steer themselves. Each is the real device code, over a flash in memory; what
a release "does" when it is started is the simulator's rule for its version."""
import hashlib
import json
import signal
import time
from collections import Counter

import patches
import world
from screen import bar
from world import FOLDER, Broken, Project

DEVICES = 500
PRODUCT = "sensor"
GOOD, BAD = "1.1.0", "1.2.0"
IMAGE_SIZE = 24 * 1024
# What goes wrong with each release, and for how many.
RULES = (f"{BAD}=crash:15%",)
# Of so few devices one failure is enough; an hour of soak is for real life.
GATES = "gates = { min_sample = 5; min_failed = 1; soak_s = 2; };"
PLAN = """# {what}
product = "sensor";
version = "{version}";
stages = ( 1, 10, 100 );     # percent of the fleet, one after the other
{gates}
on_failure = "{on_failure}";
retry = {{ attempts = 1; }};   # who came back does not try it again today
"""


def image(version):
    """24 KB as if a compiler had made them; the last 512 bytes are the
    version's own."""
    return noise("sensor", IMAGE_SIZE - 512) + noise(version, 512)


def noise(seed, size):
    block, out = hashlib.sha256(seed.encode()).digest(), b""
    while len(out) < size:
        block = hashlib.sha256(block).digest()
        out += block
    return out[:size]


class Fleet:
    def __init__(self, screen, server):
        self.screen, self.server = screen, server
        self.process = None
        self.project = Project(screen, FOLDER / PRODUCT)
        self.report = FOLDER / "sensors.jsonl"

    # --- Setting up ---------------------------------------------------------

    def set_up(self):
        p = self.project
        p.call("init", "--product", PRODUCT, "--vendor", "example.com",
               "--from", "../server", quiet=True)
        p.call("product", "add", quiet=True)
        self.release("1.0.0", quiet=True)
        self.start()

    def release(self, version, quiet=False):
        path = self.project.folder / f"sensor-{version}.bin"
        path.write_bytes(image(version))
        made = self.project.call("release", path, "--version", version,
                                 quiet=quiet)
        self.project.call("publish", made["file"], quiet=quiet)
        return made

    def start(self):
        rules = [w for rule in RULES for w in ("--behaviour", rule)]
        folder = self.server.folder
        self.process = world.start(
            "bowline-sim", "--server", self.server.url, "--ca-file",
            folder / "ca.pem", "--token-file", folder / "operator.token",
            "--product", PRODUCT, "--devices", DEVICES, "--name", "sensor",
            "--hardware", "rev-a:70%,rev-b:30%", "--attribute",
            "region=eu:60%,us:40%", "--tags", "simulated", *rules, "--seed",
            "7", "--poll", "2", "--first-poll", "4", "--backoff", "1",
            "--backoff-max", "4", "--confirm-deadline", "20",
            "--health-interval", "1", "--watchdog", "1", "--loss", "0.1%",
            "--hold", "--quiet", "--settle", "2s", "--report", self.report,
            log=FOLDER / "sensors.log")

    def alive(self):
        if self.process.poll() is not None:
            raise Broken("the simulated devices ended: see "
                         f"{world.shown(FOLDER)}/sensors.log")

    # --- Looking ------------------------------------------------------------

    def rollout(self, number):
        return self.project.call("rollout", "status", number,
                                 quiet=True)["rollout"]

    def running(self):
        """How many devices run and have confirmed each version."""
        counts = Counter()
        for d in self.project.call("device", "list", quiet=True)["items"]:
            if d["confirmed"]:
                counts[d["version"]] += 1
        return counts

    def wait_running(self, version, seconds=60):
        end = time.monotonic() + seconds
        while True:
            self.alive()
            counts = self.running()
            self.screen.live(f"{bar(counts[version], DEVICES)} "
                             f"{counts[version]} of {DEVICES} sensors run "
                             f"{version}", [])
            if counts[version] == DEVICES or time.monotonic() > end:
                self.screen.erase()
                return counts[version]
            time.sleep(0.5)

    def follow(self, number, states, seconds=90):
        """Shows what the rollout says of itself until it is in one of
        `states`; each new sentence of a stage stays on the screen."""
        end = time.monotonic() + seconds
        stage = None
        while True:
            self.alive()
            r = self.rollout(number)
            done = r["counts"]["confirmed"]
            self.screen.live(f"{bar(done, DEVICES)} {done} confirmed: "
                             f"{r['status']}", [])
            if r["stage"] != stage:
                stage = r["stage"]
                s = r["stages"][stage]
                self.screen.say(f"     stage {stage + 1} of "
                                f"{len(r['stages'])}: {s['devices']} devices")
            if r["state"] in states:
                self.screen.erase()
                return r
            if time.monotonic() > end:
                raise Broken(f"the rollout is still {r['state']}: "
                             f"{r['status']}")
            time.sleep(0.4)

    # --- The act ------------------------------------------------------------

    def apply(self, version, what, on_failure):
        name = f"sensor-{version}.rollout"
        (self.project.folder / name).write_text(PLAN.format(
            what=what, version=version, gates=GATES, on_failure=on_failure))
        return self.project.call("rollout", "apply", name,
                                 "--yes")["rollout"]

    def play(self, expect):
        self.wait_running("1.0.0")
        self.release(GOOD)
        number = self.apply(GOOD, "nobody needs to watch this one", "pause")
        r = self.follow(number, ("finished", "paused"))
        expect(r["state"] == "finished" and
               self.wait_running(GOOD) == DEVICES,
               f"{GOOD}: three stages, each opened by what the devices "
               f"reported; {DEVICES} of {DEVICES} sensors run it")
        self.tell_patches(GOOD)
        self.bad(expect)

    def tell_patches(self, version):
        """Who asked before there was a patch took the whole image."""
        found = self.project.call("release", "delta", version, quiet=True)
        n = sum(p["installed"] for p in found["items"])
        self.screen.say(f"     {n} of them by a patch: "
                        f"{patches.size(found['saved'])} not sent")

    def bad(self, expect):
        s = self.screen
        s.say(f"   {BAD} crashes on about one device in seven")
        self.release(BAD)
        number = self.apply(BAD, "nobody needs to watch this one either",
                            "return")
        r = self.follow(number, ("paused", "aborted"))
        told = r["counts"]
        touched = sum(told[k] for k in ("confirmed", "returned", "failed",
                                        "refused", "silent"))
        s.say("     " + (r["state_reason"] or r["status"]))
        last = r["stages"][-1]["devices"]
        expect(r["state"] in ("paused", "aborted") and
               r["stage"] + 1 < len(r["stages"]),
               f"{BAD} stopped by itself in stage {r['stage'] + 1} of "
               f"{len(r['stages'])}; at most {touched} of {last} devices "
               "ever saw it")
        expect(self.wait_running(GOOD) == DEVICES,
               f"who had {BAD} was brought back: {DEVICES} of {DEVICES} "
               f"sensors run {GOOD}")

    # --- The end ------------------------------------------------------------

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)

    def truth(self):
        """What each device runs, by its own flash."""
        self.stop()
        lines = self.report.read_text().splitlines()
        return Counter(json.loads(line)["version"] for line in lines)
