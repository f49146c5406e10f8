# SPDX-License-Identifier: Apache-2.0
"""A small fleet with everything real: bowlined over TLS, the tool, devices.
The demo's own module starts them, so the demo is tested with it."""
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BOWLINE_BUILD", TOP / "build/dev")).resolve()
os.environ.setdefault("BOWLINE_BUILD", str(BUILD))
os.environ.setdefault("BOWLINE_BIN", str(BUILD / "bin"))
sys.path[:0] = [str(Path(__file__).parent), str(TOP / "examples/demo")]

import proxy  # noqa: E402
import world  # noqa: E402

PRODUCT = "thermostat"
# Test programs that run beside each other look for a port in places of their
# own.
WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
world.FIRST_PORT += 100 * WORKER


class Quiet:
    def command(self, _):
        pass


class Fleet:
    def __init__(self, folder):
        world.FOLDER = self.folder = folder
        for part in ("tokens", "devices"):
            (folder / part).mkdir()
        world.Project(Quiet(), folder).call(
            "server", "init", "server", "--port", world.free_port())
        text = (folder / "server/bowlined.conf").read_text()
        port = int(text.split("localhost:")[1].split(",")[0])
        self.server = world.Server(folder / "server", port)
        self.server.start()
        self.project = world.Project(Quiet(), folder / PRODUCT)
        self.project.call("init", "--product", PRODUCT, "--vendor",
                          "example.com", "--from", "../server")
        self.server.wait(self.project)
        self.project.call("publish", "../server/root-1.cbor")
        self.project.call("product", "add")
        self.releases, self.devices, self.proxies = {}, [], []

    def release(self, build):
        made = self.project.release(
            BUILD / "firmware" / f"thermostat-{build}.bin")
        self.releases[made["version"]] = made
        return made

    def device(self, factory, *options, through=None):
        device = world.Device(f"device-{len(self.devices)}", PRODUCT)
        server = self.server
        if through is not None:
            server = world.Server(server.folder, through.port)
        device.make(self.project, server, factory, "--slot-size",
                    str(8 << 20), *options)
        self.devices.append(device)
        device.power_on()
        return device

    def proxy(self):
        folder = self.server.folder
        self.proxies.append(proxy.Proxy(
            self.server.port, folder / "ca.pem", folder / "server.pem",
            folder / "server.key"))
        return self.proxies[-1]

    def show(self, device):
        return self.project.call("device", "show", device.id)

    def events(self, device, made, state):
        return [e for e in self.project.call("device", "events",
                                             device.id)["items"]
                if e["sequence"] == made["sequence"] and e["state"] == state]

    def wait(self, condition, what="it", seconds=120):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            value = condition()
            if value:
                return value
            time.sleep(0.2)
        raise AssertionError(
            f"{what} did not come to pass: " +
            "; ".join(str(self.show(d)) for d in self.devices) +
            "".join((d.dir / "log").read_text()[-1500:]
                    for d in self.devices))

    def wait_runs(self, device, made, seconds=120):
        """Confirmed, by the server's word and by the chip's."""
        def runs():
            d = self.show(device)
            return d["confirmed"] and d["version"] == made["version"] and \
                d["image"] == made["sha256"] and \
                d["manifest"] == made["manifest"] and d
        shown = self.wait(runs, f"running {made['version']}", seconds)
        slot = device.active_slot()
        assert slot["image"] == made["sha256"]
        assert slot["whole"] and slot["trusted"]
        assert slot["slot"] == shown["slot"]
        return shown

    def roll_out(self, made, *options, stages="100"):
        return self.project.call("rollout", "start", made["version"],
                                 "--stages", stages, *options)

    def close(self):
        for one in self.proxies:
            one.close()
        for device in self.devices:
            if device.is_on():
                device.power_off()
        if self.server.process.poll() is None:
            self.server.stop()
        logs = (self.folder / "server.log").read_text(errors="replace")
        logs += "".join((d.dir / "log").read_text(errors="replace")
                        for d in self.devices)
        assert "Sanitizer" not in logs, logs[-4000:]
        assert "runtime error" not in logs, logs[-4000:]


@pytest.fixture(autouse=True)
def no_deltas(monkeypatch):
    """Encoders would take the processors of what is tested; where patches are
    tested, a fixture of the module lets them work."""
    monkeypatch.setenv("BOWLINE_DELTAS", "false")


@pytest.fixture
def fleet(tmp_path):
    made = Fleet(tmp_path)
    yield made
    made.close()


@pytest.fixture
def run_program():
    def run(*arguments, **more):
        return subprocess.run([str(a) for a in arguments],
                              capture_output=True, text=True, **more)
    return run
