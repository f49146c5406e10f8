# SPDX-License-Identifier: Apache-2.0
"""A device as a process, for tests: bowline-device and its folder."""
import json
import os
import subprocess
from pathlib import Path

import documents

BUILD = Path(os.environ.get("BOWLINE_BUILD", "build/dev")).resolve()
BIN = Path(os.environ.get("BOWLINE_BIN", BUILD / "bin")).resolve()


def program(name):
    assert (BIN / name).exists(), f"{BIN / name} is not built"
    return str(BIN / name)


class World:
    """Keys, root document, and the thermostat's images as releases."""

    def __init__(self, tmp):
        self.root_key, self.release_key, self.ticket_key = (
            documents.Key() for _ in range(3))
        self.root = tmp / "root.cose"
        self.root.write_bytes(documents.root_document(
            self.root_key, self.release_key, self.ticket_key))

    def release(self, sequence, build, key=None, image=None, **other):
        version = build.split("-")[0]
        path = BUILD / "firmware" / f"thermostat-{build}.bin"
        return documents.Release(key or self.release_key, sequence, version,
                                 path.read_bytes() if image is None
                                 else image, **other)


class Device:
    """bowline-device and its folder."""

    def __init__(self, tmp, world, url, factory, *options, **attributes):
        self.dir = tmp / "device"
        self.log = tmp / "device.log"
        self.process = None
        (tmp / "factory.suit").write_bytes(factory.envelope)
        (tmp / "factory.bin").write_bytes(factory.image)
        (tmp / "token").write_text("0123456789abcdef\n")
        extra = [f"--attribute={k}={v}" for k, v in attributes.items()]
        self.made = subprocess.run(
            [program("bowline-device"), "provision", f"--dir={self.dir}",
             "--id=000102030405060708090a0b0c0d0e0f", f"--server={url}",
             f"--root={world.root}", f"--factory={tmp}/factory.suit",
             f"--payload={tmp}/factory.bin", "--product=thermostat",
             f"--token-file={tmp}/token", "--slot-size=8388608",
             "--first-poll=0", "--poll=1", "--backoff=1", "--backoff-max=1",
             "--health-interval=1", "--confirm-deadline=8", "--watchdog=3",
             *options, *extra],
            capture_output=True, text=True)

    def power_on(self):
        with open(self.log, "a") as log:
            self.process = subprocess.Popen(
                [program("bowline-device"), "run", f"--dir={self.dir}"],
                stderr=log, stdin=subprocess.DEVNULL)

    def power_off(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(10) if self.process else None

    def show(self):
        run = subprocess.run([program("bowline-device"), "show", "--json",
                              f"--dir={self.dir}"], capture_output=True,
                             text=True)
        assert run.returncode == 0, run.stderr
        return json.loads(run.stdout)

    def cut(self, *arguments):
        subprocess.run([program("bowline-device"), "cut", f"--dir={self.dir}",
                        *arguments], check=True)

    def said(self):
        return self.log.read_text() if self.log.exists() else ""
