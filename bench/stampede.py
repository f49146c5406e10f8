#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""All devices at once: what reaches the server when the power comes back
everywhere in the same second, and when the server comes back after an outage.
The devices are bowline-sim's, the real device code with its own timing rules,
their clocks some times faster. Prints the highest rate of polls beside the
mean, and draws both as docs/img/stampede.png."""
import argparse
import json
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

from poll import BIN, TOP, Fleet

POLL_S, FIRST_S = 300, 60  # device time
STEP_S = 0.25              # wall time between two looks


class Counter:
    """Polls that the server has had, from its metrics; 0 while it is down."""

    def __init__(self, fleet):
        import ssl
        self.fleet = fleet
        self.context = ssl.create_default_context(cafile=fleet.d / "ca.pem")

    def polls(self):
        request = urllib.request.Request(
            f"https://127.0.0.1:{self.fleet.port}/metrics")
        try:
            with urllib.request.urlopen(request, context=self.context,
                                        timeout=5) as answer:
                text = answer.read().decode()
        except OSError:
            return None
        return sum(int(line.rsplit(" ", 1)[1]) for line in text.splitlines()
                   if line.startswith("bowline_polls_total{")
                   and "refused" not in line)


def watch(counter, seconds, speed):
    """[(device time, polls a device second)] for `seconds` of wall time."""
    rates, begun = [], time.monotonic()
    before, last = counter.polls(), begun
    while time.monotonic() - begun < seconds:
        time.sleep(STEP_S)
        now, n = time.monotonic(), counter.polls()
        if n is None:
            continue
        if before is not None and n >= before:
            rates.append(((now - begun) * speed,
                          (n - before) / ((now - last) * speed)))
        before, last = n, now
    return rates


def prepare(fleet, d):
    project = d / "project"
    project.mkdir()

    def call(*arguments):
        run = subprocess.run([BIN / "bowline", *map(str, arguments)],
                             cwd=project, capture_output=True, text=True)
        if run.returncode != 0:
            raise SystemExit(f"bowline {arguments}: {run.stderr}")

    call("init", "--product", "bench", "--vendor", "bench.example", "--from",
         fleet.d, "--server", f"https://localhost:{fleet.port}")
    call("publish", fleet.d / "root-1.cbor")
    call("product", "add")
    (project / "image.bin").write_bytes(bytes(range(256)) * 32)
    call("release", "image.bin", "--version", "1.0.0")
    call("publish")


def simulate(fleet, d, options, state):
    return subprocess.Popen(
        [BIN / "bowline-sim", "--server", f"https://localhost:{fleet.port}",
         "--ca-file", fleet.d / "ca.pem", "--token-file",
         fleet.d / "operator.token", "--product", "bench", "--devices",
         str(options.devices), "--poll", str(POLL_S), "--first-poll",
         str(FIRST_S), "--speed", str(options.speed), "--seed", "1",
         "--slot-size", "16384", "--state", state, "--hold", "--quiet",
         "--settle", "1s", "--connections", "1000"],
        stdout=subprocess.DEVNULL, stderr=open(d / "sim.log", "ab"))


def stop(sim):
    sim.send_signal(signal.SIGTERM)
    try:
        sim.wait(60)
    except subprocess.TimeoutExpired:
        sim.kill()
        sim.wait()


def say(what, rates, devices):
    busy = [r for _, r in rates]
    highest = max(busy)
    mean = sum(busy) / len(busy)
    print(f"| {what} | {highest:.0f} | {mean:.0f} | "
          f"{highest / devices * 100:.1f}% |")


def draw(path, parts):
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot
    figure, axes = pyplot.subplots(1, len(parts), figsize=(11, 3.6),
                                   sharey=True)
    for axis, (title, rates, devices) in zip(axes, parts):
        axis.fill_between([t for t, _ in rates], [r for _, r in rates],
                          step="mid", color="#2f6f8f", alpha=0.85)
        axis.axhline(devices, color="#b3261e", linestyle="--", linewidth=1)
        axis.text(0.98, 0.9, f"unspread: {devices} in one second",
                  transform=axis.transAxes, ha="right", color="#b3261e",
                  fontsize=8)
        axis.set_yscale("symlog", linthresh=1)
        axis.set_title(title, fontsize=10)
        axis.set_xlabel("seconds of the devices' clocks")
    axes[0].set_ylabel("polls a second")
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    print(f"\ndrawn: {path}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--devices", type=int, default=5000)
    arguments.add_argument("--speed", type=int, default=5)
    arguments.add_argument("--plot", type=Path,
                           default=TOP / "docs/img/stampede.png")
    options = arguments.parse_args()
    d = Path(tempfile.mkdtemp(prefix="bowline-bench-"))
    fleet = Fleet(d, options.devices)
    sim = None
    try:
        fleet.start(False)
        prepare(fleet, d)
        counter = Counter(fleet)
        # They enrol first; the power failure is the start of the second run.
        sim = simulate(fleet, d, options, d / "state")
        end = time.monotonic() + 240
        while (counter.polls() or 0) < options.devices:
            if time.monotonic() > end or sim.poll() is not None:
                raise SystemExit((d / "sim.log").read_text()[-2000:])
            time.sleep(0.5)
        stop(sim)
        sim = simulate(fleet, d, options, d / "state")
        power = watch(counter, 120 / options.speed, options.speed)
        fleet.process.kill()
        fleet.process.wait()
        time.sleep(2 * POLL_S / options.speed)
        fleet.start(False)
        outage = watch(counter, 900 / options.speed, options.speed)
        print(f"{options.devices} devices, first poll within {FIRST_S} s, "
              f"polls each {POLL_S} s, back-off from 60 s\n")
        print("| | highest, polls/s | mean | of the fleet in one second |")
        print("|---|---:|---:|---:|")
        say("power comes back everywhere at once", power, options.devices)
        say(f"the server comes back after {2 * POLL_S} s", outage,
            options.devices)
        draw(options.plot,
             [("the power comes back everywhere at once", power,
               options.devices),
              (f"the server comes back after {2 * POLL_S // 60} minutes",
               outage, options.devices)])
    finally:
        if sim is not None and sim.poll() is None:
            stop(sim)
        fleet.stop()
        shutil.rmtree(d)


if __name__ == "__main__":
    main()
