# SPDX-License-Identifier: Apache-2.0
"""The demo: plays a release's whole life, and checks each ending."""
import argparse
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter

import esp
import patches
import world
from fleet import DEVICES, Fleet
from line import BadLine
from screen import Screen, bar
from world import BIN, FOLDER, Broken, Device, Project, Server, shown

THERMOSTATS, GATEWAYS = 20, 2
CONFIRMED = "confirmed"
USER = "captain"  # of the dashboard
SLOT = {"release": 1 << 20, "debug": 4 << 20}
BLOCK, PORTION = 4096, 8192
# Whose line damages patches, and who has no memory to apply one.
BAD_LINE, NO_MEMORY = "thermostat-07", "thermostat-20"
ESP32 = world.TOP / "examples/demo/esp32"

# Each really runs on a device, and really fails:
# build, what is wrong, why it comes back (code), how its last start ended
BAD = [
    ("1.2.0-crash", "crashes at boot", "boot-tries", "crash"),
    ("1.2.1-hang", "hangs: nobody pets the watchdog", "boot-tries",
     "watchdog"),
    ("1.2.2-unhealthy", "a health check fails", "health", None),
    ("1.2.3-pending", "never confirms; the deadline is 6 s here, 600 s "
     "otherwise", "confirm-deadline", None),
]
ATTACKS = {
    "flip": ("a payload with one flipped bit", "payload-digest"),
    "key": ("a manifest signed by another key", "signature"),
    "product": ("a manifest for another product", "class"),
    "old": ("an old release, replayed", "sequence-low"),
    "stale": ("a stale ticket", "ticket-stale"),
}


def firmware(build):
    path = world.BUILD / "firmware" / f"thermostat-{build}.bin"
    if not path.exists():
        raise Broken(f"{path} is not there; run make first")
    return path


class Demo:
    def __init__(self, opens):
        self.screen = Screen()
        self.opens = opens  # the browser
        self.failures = 0
        self.thermostats = [Device(f"thermostat-{i + 1:02}", "thermostat")
                            for i in range(THERMOSTATS)]
        self.gateways = [Device(f"gateway-{i + 1:02}", "hello_world")
                         for i in range(GATEWAYS)]

    # --- Looking ------------------------------------------------------------

    def devices(self):
        """All devices, as the server knows them, by name."""
        items = self.project.call("device", "list", quiet=True)["items"]
        items += self.esp.call("device", "list", quiet=True)["items"]
        return {d["name"]: d for d in items}

    def in_order(self, known):
        return [known[d.name] for d in self.thermostats + self.gateways]

    def expect(self, holds, text):
        if holds:
            self.screen.good(text)
        else:
            self.failures += 1
            self.screen.bad(text)

    def headline(self, what, known, done, goal):
        """The bar fills with good news only; what came back gets none."""
        states = Counter(d["state"] for d in known.values())
        parts = ", ".join(f"{n} {s}" for s, n in sorted(states.items()))
        filled = bar(done, len(known)) + " " if goal == CONFIRMED else ""
        return f"{what} {filled}{done} of {len(known)} {goal}; now {parts}"

    def watch(self, what, reached, seconds=60, names=None, goal=CONFIRMED):
        """Shows the devices until reached(device) holds for all of `names`
        (all thermostats); the devices, or None when time is up."""
        names = names or [d.name for d in self.thermostats]
        end = time.monotonic() + seconds
        while True:
            known = self.devices()
            done = sum(reached(known[n]) for n in names)
            chosen = {n: known[n] for n in names}
            self.screen.live(self.headline(what, chosen, done, goal),
                             self.in_order(known))
            if done == len(names):
                return known
            if time.monotonic() > end:
                self.screen.erase()
                return None
            time.sleep(0.3)

    def all_run(self, what, version, seconds=60, names=None):
        """Waits; success is version, slot and image digest, confirmed, in
        one report, and the same on the device's own chip."""
        known = self.watch(what, lambda d: d["version"] == version and
                           d["confirmed"], seconds, names)
        names = names or [d.name for d in self.thermostats]
        image = hashlib.sha256(self.images[version].read_bytes()).hexdigest()
        wrong = [n for n in names if known is None or
                 known[n]["image"] != image]
        for device in self.thermostats + self.gateways:
            if device.name in names and known is not None:
                slot = device.active_slot()
                if slot["image"] != image or not slot["whole"] or \
                        not slot["trusted"]:
                    wrong.append(device.name)
        self.expect(not wrong, f"{len(names) - len(set(wrong))} of "
                    f"{len(names)} devices run {version}: confirmed, and "
                    "bit for bit in their slots")
        return known

    # --- Setting up ---------------------------------------------------------

    def set_up(self):
        s = self.screen
        s.title("A server, 20 thermostats, 2 gateways with an ESP32's image")
        world.new_folder()
        for part in ("tokens", "devices"):
            (FOLDER / part).mkdir()
        port = world.free_port()
        home = Project(s, FOLDER)
        home.call("server", "init", "server", "--port", port)
        self.server = Server(FOLDER / "server", port)
        self.server.start()
        self.project = Project(s, FOLDER / "thermostat")
        self.esp = Project(s, FOLDER / "esp32")
        for project, product in ((self.project, "thermostat"),
                                 (self.esp, "hello_world")):
            project.call("init", "--product", product, "--vendor",
                         "example.com", "--from", "../server")
        self.server.wait(self.project)
        self.dashboard()
        self.project.call("publish", "../server/root-1.cbor")
        self.images, self.releases = {}, {}
        for project in (self.project, self.esp):
            project.call("product", "add")
        s.say(f"   and {DEVICES} simulated sensors, each the device's own "
              "code over a flash in memory")
        self.fleet = Fleet(s, self.server)
        self.fleet.set_up()
        first = self.release("1.0.0")
        esp_image = ESP32 / "2023-07-24_hello_world.bin"
        esp_first = self.esp.release(esp_image)
        self.images[esp_first["version"]] = esp_image
        self.releases[esp_first["version"]] = esp_first
        self.build_devices(first, esp_first)

    def release(self, build, publish=True):
        made = self.project.release(firmware(build), publish)
        self.images[made["version"]] = firmware(build)
        self.releases[made["version"]] = made
        return made

    def build_devices(self, first, esp_first):
        size = firmware("1.0.0").stat().st_size
        self.slot = SLOT["release" if size < SLOT["release"] else "debug"]
        self.line = BadLine(self.server)
        special = {BAD_LINE: ("--server", self.line.url, "--backup-server",
                              self.server.url),
                   NO_MEMORY: ("--delta-memory", "0")}
        for device in self.thermostats:
            device.make(self.project, self.server, first, "--slot-size",
                        str(self.slot), *special.get(device.name, ()))
        for device in self.gateways:
            device.make(self.esp, self.server, esp_first, "--slot-size",
                        str(SLOT["release"]), "--holder")
        for device in self.thermostats + self.gateways:
            device.power_on()
        self.all_run("power on", "1.0.0")
        self.all_run("gateways", esp_first["version"],
                     names=[d.name for d in self.gateways])

    # --- 1. A good release --------------------------------------------------

    def good_release(self):
        self.screen.title("1. Release 1.1.0: signed, published, patches made, "
                          "1% → 10% → 100%")
        self.release("1.1.0")
        made = self.esp_release()
        p = self.project
        p.call("rollout", "start", "1.1.0", "--stages", "1,10,100",
               "--start-at", "+30min")
        self.esp.call("rollout", "start", made["version"], "--stages", "100",
                      "--start-at", "+30min")
        self.screen.say("   Until then the server makes patches, by itself, "
                        "from what the devices run:")
        ready = patches.wait(self.screen, (
            ("thermostat", self.project, "1.1.0"),
            ("gateway", self.esp, made["version"])))
        if len(ready) < 2:
            raise Broken(f"{len(ready)} of 2 patches are ready")
        begin = patches.log_ends(self.thermostats + self.gateways)
        p.call("rollout", "set", "--start-at", "none")
        self.esp.call("rollout", "set", "--start-at", "none")
        for stage in (1, 10, 100):
            self.good_stage(stage)
        self.all_run("1.1.0", "1.1.0")
        self.all_run("gateways", made["version"],
                     names=[d.name for d in self.gateways])
        self.savings(ready, made, begin)

    def savings(self, ready, esp_made, begin):
        by_name = patches.judge(
            self.expect, self.project, self.thermostats, ready["thermostat"],
            "1.1.0", begin, whole=(BAD_LINE, NO_MEMORY))
        patches.judge(self.expect, self.esp, self.gateways, ready["gateway"],
                      esp_made["version"], begin)
        self.line.close()
        event = self.event_of_code(
            BAD_LINE, self.releases["1.1.0"]["sequence"], "delta-failed")
        patches.judge_whole(self.expect, ready["thermostat"]["full_size"], (
            (BAD_LINE, by_name[BAD_LINE]), (NO_MEMORY, by_name[NO_MEMORY])),
            self.line.damaged == 1 and event)
        self.screen.say("     On the page: the release 1.1.0, and its "
                        "rollout.")

    def good_stage(self, stage):
        p = self.project
        inside = self.inside("1.1.0")
        self.watch(f"stage {stage}%", lambda d: d["version"] == "1.1.0"
                   and d["confirmed"], names=inside)
        p.call("rollout", "status", "--wait", "confirmed", "--timeout",
               "30", quiet=True)
        self.screen.good(f"stage {stage}%: {len(inside)} of "
                         f"{THERMOSTATS} devices confirmed")
        if stage != 100:
            p.call("rollout", "advance")

    def esp_release(self):
        image = ESP32 / "2024-08-13_hello_world.bin"
        made = self.esp.release(image)
        self.images[made["version"]] = image
        self.releases[made["version"]] = made
        return made

    def inside(self, version):
        """The devices that the open stage of the newest rollout holds."""
        end = time.monotonic() + 20
        while True:
            names = [n for n, d in self.devices().items() if d["target"] and
                     d["target"]["version"] == version]
            if names or time.monotonic() > end:
                return names
            time.sleep(0.3)

    # --- 2. Bad releases ----------------------------------------------------

    def bad_releases(self):
        self.screen.title("2. Bad releases: signed, published, and wrong")
        for build, what, code, reset in BAD:
            self.bad_release(build, what, code, reset)
        self.power_loss()

    def bad_release(self, build, what, code, reset):
        s = self.screen
        s.say(f"   {build.split('-')[0]}: {what}")
        made = self.release(build)
        version = made["version"]
        self.project.call("rollout", "start", version, "--stages", "10,100",
                          "--attempts", "1")
        inside = self.inside(version)
        self.watch(version, lambda d: self.came_back(d, made), names=inside,
                   seconds=60, goal="came back")
        self.project.call("rollout", "abort")
        known = self.devices()
        for name in inside:
            event = self.event_of(name, made["sequence"], "returned")
            s.say(f"     {name}: {known[name]['history']}")
            self.expect(event is not None and event["code"] == code and
                        (reset is None or event["reset"] == reset),
                        f"{name} came back from {version} by itself: "
                        f"{event['meaning'] if event else 'no report'}" +
                        (f" ({event['reset']})" if event and reset else ""))
        self.all_run("1.1.0", "1.1.0")

    def came_back(self, device, made):
        return device["version"] == "1.1.0" and device["confirmed"] and \
            self.event_of(device["name"], made["sequence"],
                          "returned") is not None

    def event_of(self, name, sequence, state):
        device = self.devices()[name]
        project = self.esp if name.startswith("gateway") else self.project
        for event in project.call("device", "events", device["id"],
                                  quiet=True)["items"]:
            if event["sequence"] == sequence and event["state"] == state:
                return event
        return None

    def power_loss(self):
        """Every device loses its power in the middle of the installation,
        each at another operation of its flash."""
        s = self.screen
        s.say("   1.1.1: the power fails in the middle of the installation")
        made = self.release("1.1.1")
        portions = firmware("1.1.1").stat().st_size // PORTION
        for i, device in enumerate(self.thermostats):
            device.cut(self.slot // BLOCK + i * portions // THERMOSTATS,
                       ("absent", "partial", "complete")[i % 3])
        self.project.call("rollout", "start", "1.1.1", "--stages", "100")
        end = time.monotonic() + 30
        while any(d.is_on() for d in self.thermostats) and \
                time.monotonic() < end:
            known = self.devices()
            on = sum(d.is_on() for d in self.thermostats)
            s.live(f"{THERMOSTATS - on} of {THERMOSTATS} without power",
                   self.in_order(known))
            time.sleep(0.2)
        dark = [d for d in self.thermostats if not d.is_on()]
        slots = [d.active_slot() for d in dark]
        self.expect(len(dark) == THERMOSTATS and
                    all(x["version"] == "1.1.0" and x["whole"]
                        for x in slots),
                    f"{len(dark)} of {THERMOSTATS} lost their power; 1.1.0 "
                    "is whole on every chip")
        self.project.call("rollout", "abort")
        for device in dark:
            device.power_on()
        self.after_power_loss(made)

    def after_power_loss(self, made):
        now = time.time()
        self.watch("power on", lambda d: d["last_seen"] >= int(now) and
                   d["version"] == "1.1.0" and d["confirmed"])
        self.all_run("power on", "1.1.0")
        self.screen.say("   The same release again: each goes on where it "
                        "was cut.")
        self.project.call("rollout", "start", "1.1.1", "--stages", "100")
        self.all_run("1.1.1", "1.1.1")
        events = [self.event_of_code(d.name, made["sequence"], "interrupted")
                  for d in self.thermostats]
        self.expect(all(events), f"the server knows why "
                    f"{sum(e is not None for e in events)} of {THERMOSTATS} "
                    "took two attempts: " +
                    (events[0]["meaning"] + f" (reset: {events[0]['reset']})"
                     if events[0] else "no report"))

    def event_of_code(self, name, sequence, code):
        device = self.devices()[name]
        for event in self.project.call("device", "events", device["id"],
                                       quiet=True)["items"]:
            if event["sequence"] == sequence and event["code"] == code:
                return event
        return None

    # --- 3. Attacks ---------------------------------------------------------

    def attacks(self):
        s = self.screen
        s.title("3. Attacks: the server was broken into")
        s.say("   The attacker has its port, its certificate and its ticket "
              "key. Not the release key.")
        genuine = self.release("1.3.0", publish=False)
        pair = f"{genuine['file']},{genuine['payload']}"
        old = self.releases["1.0.0"]
        # Newer than everything: only its product speaks against it.
        other = self.esp.call("release", ESP32 /
                              "2024-08-13_hello_world.bin", "--releases",
                              self.esp.folder / "stolen")["file"]
        before = {d.name: d.active_slot()["image"] for d in self.thermostats}
        self.server.stop()
        folder = self.server.folder
        command = [BIN / "bowline-rogue", "--port", str(self.server.port),
                   "--cert", folder / "server.pem", "--key",
                   folder / "server.key", "--ticket-key",
                   folder / "ticket.pem", "--devices", str(THERMOSTATS),
                   "--wait", "40", "--json", "--flip", pair, "--forge", pair,
                   "--stale", pair, "--old",
                   f"{old['file']},{old['payload']}", "--product", other]
        run = subprocess.run([str(c) for c in command], capture_output=True,
                             text=True)
        self.server.start()
        self.server.wait(self.project)
        self.judge_attacks(run)
        after = {d.name: d.active_slot()["image"] for d in self.thermostats}
        self.expect(before == after and run.returncode == 0,
                    "no device runs anything else than before")

    def judge_attacks(self, run):
        said = [json.loads(line) for line in run.stdout.splitlines()]
        if run.stderr:
            self.screen.say("   " + run.stderr.strip())
        names = {d.id: d.name for d in self.thermostats}
        codes = self.project.call("status-codes", quiet=True)["codes"]
        meaning = {c["name"]: c["meaning"] for c in codes}
        for attack, (what, code) in ATTACKS.items():
            told = [t for t in said if t["attack"] == attack]
            fine = [names.get(t["device"]) for t in told
                    if t["state"] == "refused" and t["code"] == code]
            self.expect(fine and len(fine) == len(told),
                        f"{what}: refused by {len(fine)} of {len(told)}: "
                        f"{meaning[code]} ({code})")
        refused = [(names.get(t["device"]), t["code"]) for t in said]
        end = time.monotonic() + 30
        missing = refused
        while missing and time.monotonic() < end:
            missing = [(n, c) for n, c in missing if not self.refusal(n, c)]
        self.expect(said and not missing, "the server, its own again, has "
                    f"heard of {len(refused) - len(missing)} of "
                    f"{len(refused)} refusals and their reasons")

    def refusal(self, name, code):
        device = self.devices()[name]
        events = self.project.call("device", "events", device["id"],
                                   quiet=True)["items"]
        return any(e["state"] == "refused" and e["code"] == code
                   for e in events)

    # --- 4. Rollbacks -------------------------------------------------------

    def rollbacks(self):
        s = self.screen
        s.title("4. The operator goes back")
        one = "thermostat-05"
        self.project.call("device", "rollback", one, "--to", "1.1.0")
        self.all_run(one, "1.1.0", names=[one])
        others = [d.name for d in self.thermostats if d.name != one]
        self.all_run("the others", "1.1.1", names=others)
        self.project.call("rollback", "--to", "1.1.0")
        self.all_run("product", "1.1.0")
        self.project.call("rollout", "status", "--wait", "finished",
                          "--timeout", "30", quiet=True)

    # --- 5. The fleet -------------------------------------------------------

    def fleet_act(self):
        self.screen.title(f"5. {DEVICES} sensors: rollouts that steer "
                          "themselves")
        self.fleet.play(self.expect)

    # --- 6. Emulated ESP32 --------------------------------------------------

    def esp32_act(self):
        self.screen.title(f"6. {esp.DEVICES} emulated ESP32: real releases "
                          "of somebody else's, by otadata")
        esp.Esp32s(self.screen, self.server).play(self.expect)

    # --- The page -----------------------------------------------------------

    def dashboard(self):
        """The page's address, with a login that is good once."""
        self.project.call("user", "add", USER, "--role", "admin", quiet=True)
        self.url = self.project.call("login-code", USER, quiet=True)["url"]
        s = self.screen
        s.say("   Watch it in a browser (it will warn: the certificate is of "
              "the demo's own authority):")
        s.say("     " + s.paint(self.url, "bold"))
        s.say("   This login is good once, for ten minutes; another one: "
              f"bowline login-code {USER}")
        if self.opens and shutil.which("xdg-open"):
            subprocess.Popen(["xdg-open", self.url],
                             stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL,
                             start_new_session=True)

    # --- The end ------------------------------------------------------------

    def story(self, device, versions):
        """What a device has been through, oldest first: each in a few
        words."""
        project = self.esp if device.kind == "hello_world" else self.project
        told, highest = [], 0
        if device.kind == "thermostat":
            told.append("1.0.0")
        for e in reversed(project.call("device", "events", device.id,
                                       quiet=True)["items"]):
            version = versions.get((device.kind, e["sequence"]), "?")
            if e["state"] == "returned":
                why = e["reset"] if e["reset"] in ("crash", "watchdog") \
                    else e["code"]
                told.append(f"returned from {version} ({why})")
            elif e["code"] == "interrupted":
                told.append(f"interrupted in {version}")
            elif e["code"] == "delta-failed":
                told.append(f"patch to {version} refused")
            elif e["state"] in ("refused", "failed"):
                told.append(f"{e['state']} ({e['code']})")
            elif e["state"] == "confirmed":
                told.append(("back on " if e["sequence"] < highest else "") +
                            version)
                highest = max(highest, e["sequence"])
        # A refusal is told again each time the same was tried again.
        told = [t for t, before in zip(told, [None] + told) if t != before]
        return [t + "," for t in told[:-1]] + told[-1:]

    def table(self):
        s = self.screen
        s.title("What became of them")
        versions = {(r["product"], r["sequence"]): v
                    for v, r in self.releases.items()}
        known = self.devices()
        rows = [("device", "version", "slot", "state",
                 ["what happened"])]
        for device in self.thermostats + self.gateways:
            d = known[device.name]
            rows.append((device.name, d["version"][:12], d["slot"],
                         d["state"], self.story(device, versions)))
        widths = [max(len(str(r[i])) for r in rows) for i in range(4)]
        for n, row in enumerate(rows):
            head = "   " + "".join(f"{c:<{w}}  " for c, w in zip(row, widths))
            s.row(head, row[4], "bold" if n == 0 else None)

    def go_on(self):
        s = self.screen
        s.say()
        s.say("   The server and the devices are still running. Go on by "
              "hand:")
        for line in (f"cd {shown(self.project.folder)}",
                     f"export PATH={BIN}:$PATH",
                     f"bowline login-code {USER}",
                     "bowline device list",
                     "bowline device show thermostat-05",
                     "bowline rollout start 1.1.1 --stages 10,100",
                     "bowline rollout status --watch",
                     "bowline rollback --to 1.0.0",
                     f"tail -f {FOLDER}/devices/thermostat-05/log"):
            s.say("     " + line)
        s.say("   Should the server or a device have ended, start it again:")
        for line in ("BOWLINE_POLL_INTERVAL=1 bowlined --config "
                     "../server/bowlined.conf 2>>../server.log &",
                     "bowline-device run --dir ../devices/thermostat-05 "
                     "--log ../devices/thermostat-05/log &"):
            s.say("     " + line)
        s.say("   Stop them all: make demo-stop")

    def play(self):
        for act in (self.set_up, self.good_release, self.bad_releases,
                    self.attacks, self.rollbacks, self.fleet_act,
                    self.esp32_act, self.table):
            act()
        seconds = int(time.monotonic() - self.screen.begun)
        self.screen.say()
        if self.failures:
            self.screen.bad(f"{self.failures} endings were not as told "
                            f"({seconds} s)")
        else:
            self.screen.good(f"every ending as told ({seconds} s)")
        return 1 if self.failures else 0


def main():
    parser = argparse.ArgumentParser(
        prog="demo.sh", description="Plays the life of releases on one "
        f"server and {THERMOSTATS + GATEWAYS + esp.DEVICES} emulated "
        "devices. In a terminal they run on afterwards.")
    parser.add_argument("--exit", action="store_true",
                        help="stop everything at the end")
    parser.add_argument("--stop", action="store_true",
                        help="stop what an earlier demo left running")
    options = parser.parse_args()
    if options.stop:
        print(f"{world.stop_all()} programs stopped")
        return 0
    keep = os.environ.get("KEEP", "") not in ("", "0")
    stays = keep or (sys.stdin.isatty() and not options.exit)
    demo = Demo(stays and "DISPLAY" in os.environ)
    try:
        result = demo.play()
    except (Broken, OSError, subprocess.SubprocessError, KeyError) as e:
        demo.screen.bad(f"{type(e).__name__}: {e}")
        demo.screen.say(f"   logs: {shown(FOLDER)}/server.log, "
                        f"{shown(FOLDER)}/devices/*/log")
        result = 1
    except KeyboardInterrupt:
        result, stays = 130, False
    if not stays:
        world.stop_all()
        return result
    demo.go_on()
    if keep:
        wait_for_the_user(demo)
        world.stop_all()
    return result


def wait_for_the_user(demo):
    """Until Ctrl-C, or until make demo-stop has ended the server."""
    ends = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    demo.screen.say("   Running until you end it: Ctrl-C")
    while signal.sigtimedwait(ends, 1) is None:
        if demo.server.process.poll() is not None:
            demo.screen.say("   the server has ended")
            return


if __name__ == "__main__":
    sys.exit(main())
