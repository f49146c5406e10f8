# SPDX-License-Identifier: Apache-2.0
"""The demo's world: the folder, the server, the devices, and the operator's
tool."""
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("BOWLINE_BIN", TOP / "bin"))
BUILD = Path(os.environ.get("BOWLINE_BUILD", TOP / "build/release"))
FOLDER = Path(os.environ.get("BOWLINE_DEMO_DIR", TOP / "demo-run")).resolve()
MARK = ".bowline-demo"
FIRST_PORT = 8443
# A little larger, and made in a quarter of the time.
QUICK_PATCHES = {"BOWLINE_DELTA_EFFORT": "2", "BOWLINE_DELTA_WORKERS": "2"}
PROGRAMS = ("bowlined", "bowline-device", "bowline-rogue", "bowline-sim")


class Broken(Exception):
    """Something did not go as told."""


def shown(path):
    """A path as a person would type it."""
    path = Path(path)
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def is_ours(process):
    """Is it a server or device (a folder of /proc) of the demo's folder? Also
    one that a person started there again, by a relative path."""
    try:
        words = (process / "cmdline").read_bytes().split(b"\0")
        here = os.readlink(process / "cwd")
    except OSError:  # gone meanwhile, or somebody else's
        return False
    program, *words = (os.fsdecode(w) for w in words)
    if os.path.basename(program) not in PROGRAMS:
        return False
    paths = [Path(os.path.realpath(os.path.join(here, w.split("=", 1)[-1])))
             for w in words if w]
    return any(FOLDER in path.parents for path in paths)


def stop_all():
    """Ends what runs in the demo's folder; how many programs that were. A
    device's firmware ends with its board, whose child it is."""
    ours = {p.name for p in Path("/proc").glob("[0-9]*") if is_ours(p)}
    stopped = 0
    for pid in ours:
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
            if stat.rsplit(")", 1)[1].split()[1] not in ours:
                os.kill(int(pid), signal.SIGTERM)
                stopped += 1
        except OSError:  # gone meanwhile
            continue
    return stopped


def new_folder():
    stop_all()
    if FOLDER.exists():
        if any(FOLDER.iterdir()) and not (FOLDER / MARK).exists():
            raise Broken(f"{FOLDER} is not a folder of the demo; name "
                         "another one by BOWLINE_DEMO_DIR")
        end = time.monotonic() + 5
        while True:
            try:
                shutil.rmtree(FOLDER)
                break
            except OSError:  # a device that is just being switched off
                if time.monotonic() > end:
                    raise
                time.sleep(0.2)
    FOLDER.mkdir(parents=True)
    (FOLDER / MARK).touch()


def free_port():
    for port in range(FIRST_PORT, FIRST_PORT + 100):
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise Broken("no free port")


def start(program, *arguments, log, **more):
    command = [str(BIN / program), *map(str, arguments)]
    with open(log, "ab") as out:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                stdout=out, stderr=out,
                                start_new_session=True, **more)


class Project:
    """A product's folder, as a vendor keeps it, and the tool in it."""

    def __init__(self, screen, folder):
        self.screen, self.folder = screen, folder
        folder.mkdir(exist_ok=True)

    def call(self, *arguments, quiet=False, statuses=(0,)):
        """Runs one command of bowline; its JSON answer."""
        words = [str(a) for a in arguments]
        if not quiet:
            self.screen.command(["bowline"] + [shown(w) if "/" in w else w
                                               for w in words])
        run = subprocess.run([BIN / "bowline", *words, "--json"],
                             cwd=self.folder, capture_output=True, text=True)
        if run.returncode not in statuses:
            raise Broken(f"bowline {' '.join(words)}: exit "
                         f"{run.returncode}\n{run.stderr}{run.stdout}")
        try:
            return json.loads(run.stdout) if run.stdout.strip() else {}
        except ValueError:
            raise Broken(f"bowline {' '.join(words)}: no JSON: "
                         f"{run.stdout[:200]}") from None

    def release(self, firmware, publish=True):
        made = self.call("release", firmware)
        if publish:
            self.call("publish", made["file"])
        return made


class Server:
    def __init__(self, folder, port):
        self.folder, self.port, self.process = folder, port, None
        self.url = f"https://localhost:{port}"

    def start(self):
        environment = {**QUICK_PATCHES, **os.environ,
                       "BOWLINE_POLL_INTERVAL": "1"}
        self.process = start("bowlined", "--config",
                             self.folder / "bowlined.conf",
                             log=FOLDER / "server.log", env=environment)

    def wait(self, project):
        end = time.monotonic() + 15
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            try:
                project.call("server", "status", quiet=True)
                return
            except Broken:
                time.sleep(0.2)
        log = (FOLDER / "server.log").read_text()[-800:]
        raise Broken(f"the server did not start:\n{log}")

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


class Device:
    """An emulated device: its folder and its power."""

    def __init__(self, name, kind):
        self.name, self.kind = name, kind
        self.dir = FOLDER / "devices" / name
        self.process = None
        self.id = None

    def make(self, project, server, factory, *options):
        """Registers it with the server, then the factory makes it."""
        token = FOLDER / "tokens" / self.name
        added = project.call("device", "add", "--name", self.name, "-o",
                             token, quiet=True)
        self.id = added["id"]
        run = subprocess.run(
            [BIN / "bowline-device", "provision", "--dir", self.dir, "--id",
             self.id, "--server", server.url, "--root",
             server.folder / "root-1.cbor", "--factory", factory["file"],
             "--payload", factory["payload"], "--ca",
             server.folder / "ca.pem", "--token-file", token, "--product",
             self.kind, "--poll", "1", "--first-poll", "1", "--backoff", "1",
             "--backoff-max", "2", "--health-interval", "1",
             "--confirm-deadline", "6", "--watchdog", "3", *options],
            capture_output=True, text=True)
        if run.returncode != 0:
            raise Broken(run.stderr)

    def power_on(self):
        self.process = start("bowline-device", "run", "--dir", self.dir,
                             "--log", self.dir / "log",
                             log=FOLDER / "devices.log")

    def is_on(self):
        return self.process.poll() is None

    def power_off(self):
        self.process.terminate()
        self.process.wait(20)

    def cut(self, after, kind):
        subprocess.run([BIN / "bowline-device", "cut", "--dir", self.dir,
                        "--install", "--after", str(after), "--kind", kind],
                       check=True)

    def chip(self):
        """What is on its chip, whatever the server believes."""
        run = subprocess.run([BIN / "bowline-device", "show", "--json",
                              "--dir", self.dir], capture_output=True,
                             text=True, check=True)
        return json.loads(run.stdout)

    def active_slot(self):
        chip = self.chip()
        return next(s for s in chip["slots"]
                    if s["slot"] == chip["state"]["active"])
