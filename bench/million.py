#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What a server with a million devices costs beside one with a thousand:
start, memory, database, polls (both under the same load, alternating), the
start of a rollout, the fleet page. The devices are written by bench_fill,
through the server's own code; all have reported, with attributes."""
import argparse
import hashlib
import json
import os
import re
import shutil
import statistics
import subprocess
import tempfile
import time
import urllib.error
import uuid
from pathlib import Path

import cbor2

import measure
from poll import BIN, TOP, WORKERS, Fleet, cost

FILL = TOP / "build/bench/test-programs/bench_fill"
PRODUCT = "bench"
SENDERS = 20000  # devices that poll, spread over all of them
SLOWEST_MS, ROLLOUT_S, POLL_RATIO = 200, 1.0, 1.2


def digest(what, n):
    return hashlib.sha256(f"{what} {n}".encode()).digest()


class Big:
    """A server with `devices` devices, two releases, and no rollout yet."""

    def __init__(self, d, devices):
        self.d, self.devices = d / str(devices), devices
        self.d.mkdir()
        self.fleet = Fleet(self.d, devices)
        self.server = self.d / "server"
        self.publish()
        self.fill()

    def call(self, *arguments):
        run = subprocess.run(
            [BIN / "bowline", *map(str, arguments), "--json"],
            cwd=self.d / "project", capture_output=True, text=True)
        if run.returncode != 0:
            raise SystemExit(f"bowline {arguments}: {run.stderr}{run.stdout}")
        return json.loads(run.stdout)

    def publish(self):
        (self.d / "project").mkdir()
        self.fleet.start(False)
        self.call("init", "--product", PRODUCT, "--vendor", "example.com",
                  "--from", self.server, "--server",
                  f"https://localhost:{self.fleet.port}")
        self.call("publish", self.server / "root-1.cbor")
        self.call("product", "add")
        self.releases = []
        for number in (1, 2):
            image = self.d / f"image-{number}"
            image.write_bytes(os.urandom(1 << 16))
            made = self.call("release", image, "--version", f"1.{number}.0",
                             "--sequence", number)
            self.call("publish", made["file"])
            self.releases.append(made)
        self.product = next(p for p in self.fleet.api("GET", "/products")[
            "items"] if p["name"] == PRODUCT)
        self.fleet.stop()

    def database(self):
        return self.server / "data/bowline.db"

    def fill(self):
        old = self.releases[0]
        begin = time.monotonic()
        subprocess.run([FILL, self.database(), PRODUCT, str(self.devices),
                        old["manifest"], str(old["sequence"]),
                        old["version"]], check=True)
        self.filled_s = time.monotonic() - begin
        self.bytes = sum(p.stat().st_size for p in
                         self.database().parent.glob("bowline.db*"))

    # --- running ---

    def start(self, plain):
        begin = time.monotonic()
        self.fleet.start(plain)
        self.start_s = time.monotonic() - begin
        self.pid = self.fleet.process.pid

    def resident_mb(self):
        text = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", text).group(1)) / 1024

    def timed(self, method, path, body=None):
        """Its answer, and the seconds it took."""
        begin = time.monotonic()
        answer = self.fleet.api(method, path, body)
        return answer, time.monotonic() - begin

    def start_rollout(self, **plan):
        made, seconds = self.timed("POST", "/rollouts", {
            "product": PRODUCT, "version": self.releases[1]["version"],
            "stages": [{"percent": 1}, {"percent": 10}, {"percent": 100}],
            **plan})
        return made["id"], seconds

    def write_load(self, path, nonce):
        old = self.releases[0]
        step = max(1, self.devices // SENDERS)
        numbers = range(0, self.devices, step)
        with open(path, "w") as out:
            out.write("local all = {}\n")
            for place, n in enumerate(numbers, 1):
                out.write(self.load_line(place, n, old, nonce))
            out.write("local i = 0\nrequest = function()\n"
                      "  i = i % #all + 1\n  return all[i]\nend\n")
        return len(numbers)

    def load_line(self, place, n, release, nonce):
        device = digest("device", n)[:16]
        token = f"{device.hex()}.{digest('secret', n).hex()}"
        body = {1: device, 3: 1, 4: bytes.fromhex(release["manifest"]), 5: 0,
                6: 0, 7: True, 8: release["sequence"],
                10: uuid.UUID(self.product["class_id"]).bytes,
                11: ("rev-a", "rev-b", "rev-c")[n % 3],
                12: release["version"], 14: release["sequence"],
                17: n % 24 * 60 - 720, 19: [n % 101, 8 + 2 * (n % 10 == 0)]}
        if nonce:
            body[2] = digest("nonce", n)[:16]
        text = "".join(f"\\{b:03d}"
                       for b in cbor2.dumps(body, canonical=True))
        return (f'all[{place}] = wrk.format("POST", "/d/v1/poll", '
                f'{{["Host"]="127.0.0.1", ["Authorization"]="Bearer {token}",'
                f' ["Content-Type"]="application/cbor"}}, "{text}")\n')


def polls(small, big, options):
    """CPU, rate and p99 of both, alternating; a first round warms up."""
    scripts = {}
    for one in (small, big):
        one.start(True)
        for kind in ("light", "fresh"):
            scripts[one.devices, kind] = one.d / f"{kind}.lua"
            one.write_load(scripts[one.devices, kind], kind == "fresh")
    rounds = []
    for number in range(options.rounds + 1):
        once = {}
        for kind in ("light", "fresh"):
            order = (small, big) if number % 2 else (big, small)
            for one in order:
                once[f"{kind} {one.devices}"] = cost(
                    [one.pid], one.fleet.port, True,
                    scripts[one.devices, kind], options.seconds,
                    options.connections)
        if number:
            rounds.append(once)
    for one in (small, big):
        one.fleet.stop()
    return rounds


def report_polls(rounds, small, big, options):
    print(f"\nPolls, plain HTTP, {options.connections} connections, {WORKERS}"
          f" threads, a rollout of 1/10/100 percent running, {SENDERS:,} "
          f"devices of the {big.devices:,} polling; {options.rounds} rounds "
          f"of {options.seconds} s, alternating; ratio to the server with "
          f"{small.devices:,} devices, median (min-max)\n")
    print("| | CPU per poll | polls/s | p99 | CPU us per poll |")
    print("|---|---|---|---|---|")
    worst = 0
    for kind in ("light", "fresh"):
        name, base = f"{kind} {big.devices}", f"{kind} {small.devices}"
        columns = [measure.spread(measure.ratios(rounds, name, base, i))
                   for i in (0, 1, 2)]
        per = statistics.median(r[name][0] for r in rounds)
        worst = max(worst, statistics.median(
            measure.ratios(rounds, name, base, 0)))
        print(f"| {kind} | {' | '.join(columns)} | {per:.1f} |")
    return worst


def milliseconds(values):
    return f"{statistics.median(values) * 1000:.0f} ({max(values) * 1000:.0f})"


def times(one, options):
    """Rollout start, preview and pages over TLS, each some times."""
    rows = {}
    one.start(False)
    rows["start"] = one.start_s
    rows["resident"] = one.resident_mb()
    time.sleep(options.settle)
    for name, plan in (
            ("rollout start", {}),
            ("rollout start, query", {"target": {
                "query": 'site = "hall-7" and battery > 20'}}),
            ("rollout start, count", {"stages": [
                {"count": 10}, {"percent": 100}]})):
        taken = []
        for _ in range(options.times):
            number, seconds = one.start_rollout(**plan)
            taken.append(seconds)
            one.fleet.api("POST", f"/rollouts/{number}/abort", {})
        rows[name] = taken
    one.start_rollout()
    for name, path in (
            ("fleet page", "/fleet"), ("rollouts", "/rollouts"),
            ("devices, first page", "/devices?limit=50"),
            ("devices by query",
             "/devices?limit=50&query=site%20%3D%20hall-7")):
        rows[name] = ask(one, path, options.times)
    rows["resident later"] = one.resident_mb()
    one.fleet.stop()
    return rows


def ask(one, path, n):
    try:
        return [one.timed("GET", path)[1] for _ in range(n)]
    except urllib.error.HTTPError as error:
        return f"HTTP {error.code}"


def report_times(small, big, tables):
    print("\n| | " + " | ".join(f"{one.devices:,} devices"
                                for one in (small, big)) + " |")
    print("|---|---:|---:|")

    def row(name, values):
        print(f"| {name} | " + " | ".join(values) + " |")

    row("database, MB", [f"{one.bytes / 1e6:.1f}" for one in (small, big)])
    row("start, s", [f"{t['start']:.2f}" for t in tables])
    row("resident after the start, MB",
        [f"{t['resident']:.0f}" for t in tables])
    row("resident later, MB",
        [f"{t['resident later']:.0f}" for t in tables])
    for name in tables[0]:
        if isinstance(tables[1][name], (list, str)):
            row(f"{name}, ms (slowest)",
                [t[name] if isinstance(t[name], str)
                 else milliseconds(t[name]) for t in tables])


def verdict(worst, table):
    fleet = table["fleet page"]
    checks = [
        (worst <= POLL_RATIO, f"a poll costs {worst:.2f} times as much"),
        *((max(table[name]) < ROLLOUT_S, f"{name} under {ROLLOUT_S:g} s")
          for name in table if name.startswith("rollout start")),
        (not isinstance(fleet, str) and max(fleet) * 1000 < SLOWEST_MS,
         f"fleet page under {SLOWEST_MS} ms")]
    print()
    for good, text in checks:
        print(f"{'kept' if good else 'MISSED'}: {text}")
    return all(good for good, _ in checks)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--devices", type=int, default=1000000)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--seconds", type=int, default=4)
    arguments.add_argument("--connections", type=int, default=64)
    arguments.add_argument("--times", type=int, default=7)
    arguments.add_argument("--settle", type=int, default=5)
    options = arguments.parse_args()
    d = Path(tempfile.mkdtemp(prefix="bowline-bench-"))
    made = []
    try:
        for devices in (1000, options.devices):
            made.append(Big(d, devices))
        small, big = made
        tables = [times(one, options) for one in made]
        report_times(small, big, tables)
        worst = report_polls(polls(small, big, options), small, big, options)
        return 0 if verdict(worst, tables[1]) else 1
    finally:
        for one in made:
            one.fleet.stop()
        shutil.rmtree(d)


if __name__ == "__main__":
    raise SystemExit(main())
