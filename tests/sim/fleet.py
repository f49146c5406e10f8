# SPDX-License-Identifier: Apache-2.0
"""bowline-sim beside a server, and what can be asked of both."""
import hashlib
import json
import signal
import subprocess
import time

from bowline_server import BIN, PRODUCT

SIM = BIN / "bowline-sim"


def bucket(salt, device):
    """As docs/PROTOCOL.md has it, "Cohorts"."""
    digest = hashlib.sha256(str(salt).encode() + bytes.fromhex(device))
    return int.from_bytes(digest.digest()[:8], "big") % 10000


def wait(what, condition, seconds=90):
    """What the condition came to. The time is only so that nothing hangs."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.1)
    raise AssertionError(f"in {seconds} s there was no {what}")


class Fleet:
    """A running bowline-sim of the server's product."""

    def __init__(self, server, folder, devices, *options):
        self.server, self.folder = server, folder
        token = folder / "operator"
        token.write_text(server.token)
        token.chmod(0o600)
        self.report_file = folder / "report"
        self.log = folder / "sim.log"
        self.command = [
            str(SIM), "--server", f"https://localhost:{server.port}",
            "--ca-file", str(server.folder / "ca.crt"), "--token-file",
            str(token), "--product", PRODUCT, "--devices", str(devices),
            "--report", str(self.report_file), "--json",
            *map(str, options)]
        self.devices, self.process, self.summary = devices, None, None

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                self.command, stdout=subprocess.PIPE, stderr=log)
        wait("registered fleet", self.is_registered)
        return self

    def is_registered(self):
        assert self.process.poll() is None, self.said()
        return self.server.api("GET", "/server").json[
            "devices"] >= self.devices

    def said(self):
        return self.log.read_text()[-4000:]

    def stop(self, expect=0, seconds=120):
        """Ends it in order; what it reported, by device id."""
        self.process.send_signal(signal.SIGTERM)
        return self.finish(expect, seconds)

    def finish(self, expect=0, seconds=120):
        out, _ = self.process.communicate(timeout=seconds)
        assert self.process.returncode == expect, self.said() + out.decode()
        assert "Sanitizer" not in self.said(), self.said()
        self.summary = json.loads(out)
        return self.report()

    def report(self):
        lines = self.report_file.read_text().splitlines()
        return {line["id"]: line for line in map(json.loads, lines)}

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def believed(server):
    """All devices as the server has them, by id."""
    found, after = {}, ""
    while after is not None:
        page = server.api("GET", f"/devices?product={PRODUCT}&limit=1000"
                          + (f"&after={after}" if after else ""),
                          expect=200).json
        found.update((item["id"], item) for item in page["items"])
        after = page["next"]
    return found


def assert_same(truth, belief):
    """Device by device, for those that still speak."""
    asked = 0
    for identity, device in truth.items():
        if device["power"] != "up":
            continue
        asked += 1
        for member in ("version", "manifest", "slot", "confirmed", "image",
                       "floor"):
            assert device[member] == belief[identity][member], (
                member, device, belief[identity])
    return asked


def offered(truth, manifest):
    return {identity for identity, device in truth.items()
            if manifest in [o["manifest"] for o in device["offers"]]}
