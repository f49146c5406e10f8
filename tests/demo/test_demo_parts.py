# SPDX-License-Identifier: Apache-2.0
"""Parts of the demo that its own run does not judge."""
import importlib
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

DEMO = Path(__file__).resolve().parents[2] / "examples/demo"


@pytest.fixture
def world(tmp_path, monkeypatch):
    """The demo's world, with a folder of its own."""
    monkeypatch.setenv("BOWLINE_DEMO_DIR", str(tmp_path / "demo"))
    monkeypatch.syspath_prepend(str(DEMO))
    sys.modules.pop("world", None)
    (tmp_path / "demo/thermostat").mkdir(parents=True)
    yield importlib.import_module("world")
    sys.modules.pop("world", None)


@pytest.fixture
def start():
    """A process that only looks like one of ours."""
    made = []

    def run(folder, *words):
        made.append(subprocess.Popen(
            [words[0], "-c", "read forever", *words[1:]],
            executable="/bin/sh", cwd=folder, stdin=subprocess.PIPE))
        return made[-1]

    yield run
    for process in made:
        process.kill()
        process.communicate()


def test_stop_ends_what_a_person_started_again_and_nothing_else(
        world, start, tmp_path):
    inside, outside = tmp_path / "demo/thermostat", tmp_path
    ours = [start(inside, "bowlined", "--config", "../server/bowlined.conf"),
            start(inside, "/x/bowline-device", "run", "--dir=../devices/a"),
            start(outside, "bowline-device", "run", "--dir",
                  str(tmp_path / "demo/devices/b"))]
    others = [start(outside, "bowlined", "--config", "demo.conf"),
              start(outside, "bowline-device", "run", "--dir", "demo2/a"),
              start(inside, "vi", "../server/bowlined.conf")]
    time.sleep(0.2)
    assert world.stop_all() == 3
    for process in ours:
        assert process.wait(5) == -15
    assert [p.poll() for p in others] == [None, None, None]
    assert world.stop_all() == 0


def test_table_breaks_between_things_told(monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(DEMO))
    monkeypatch.setenv("COLUMNS", "60")
    from screen import Screen
    Screen().row("   t-01  1.1.0  ", ["1.0.0,", "returned from 1.2.0 (crash),",
                                      "interrupted in 1.1.1,", "1.1.1"])
    assert capsys.readouterr().out.splitlines() == [
        "   t-01  1.1.0  1.0.0, returned from 1.2.0 (crash),",
        "                interrupted in 1.1.1, 1.1.1"]


# --- Patches ----------------------------------------------------------------

PATCH = {"number": 3, "size": 100, "full_size": 5000, "state": "ready"}


class Fetcher:
    """A device, as far as its log goes."""

    def __init__(self, folder, name, *lines):
        self.name, self.dir = name, folder / name
        self.dir.mkdir()
        said = "".join(f"12:00:00 {name}: {line}\n" for line in lines)
        (self.dir / "log").write_text("12:00:00 board: power on\n" + said)


def fetched(n, kind):
    return f"fetched {n} bytes of {kind}/{'ab' * 32} from 0"


@pytest.fixture
def judged(monkeypatch, tmp_path):
    """judge(server's counts, devices...) gives what did not hold."""
    monkeypatch.syspath_prepend(str(DEMO))
    patches = importlib.import_module("patches")

    def judge(installed, saved, *logs):
        devices = [Fetcher(tmp_path, f"d{i}", *log)
                   for i, log in enumerate(logs)]
        now = {**PATCH, "installed": installed, "saved": saved}
        monkeypatch.setattr(patches, "of", lambda project, version: [now])
        wrong = []
        patches.judge(lambda holds, text: holds or wrong.append(text), None,
                      devices, PATCH, "1.1.0", {d.name: 0 for d in devices},
                      whole=("d1",))
        return wrong

    return judge


BY_PATCH = (fetched(700, "manifests"), fetched(100, "deltas"))
WHOLE = (fetched(60, "deltas"), fetched(5000, "payloads"))


def test_savings_hold_when_devices_and_server_say_the_same(judged):
    assert judged(1, 4900, BY_PATCH, WHOLE) == []


@pytest.mark.parametrize("installed, saved, logs, wrong", [
    (2, 4900, (BY_PATCH, WHOLE), 1),  # the server counted one too many
    (1, 4901, (BY_PATCH, WHOLE), 1),  # ... or a byte
    (1, 4900, (BY_PATCH, BY_PATCH), 2),  # who should not have had one did
    (0, 0, (WHOLE, WHOLE), 1),  # nobody saved anything
    (1, 4900, ((fetched(50, "deltas"),), WHOLE), 2),  # half a patch
])
def test_savings_that_do_not_hold_are_told(judged, installed, saved, logs,
                                           wrong):
    assert len(judged(installed, saved, *logs)) == wrong


def test_bad_line_damages_patches_and_nothing_else(monkeypatch):
    monkeypatch.syspath_prepend(str(DEMO))
    line = importlib.import_module("line")
    body = bytes(range(100))
    bad = object.__new__(line.BadLine)
    bad.what, bad.damaged = b"/deltas/", 0

    def answered(path):
        near, device = socket.socketpair()
        far, server = socket.socketpair()
        with near, device, far, server:
            device.sendall(b"GET %s HTTP/1.1\r\n\r\n" % path)
            server.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" +
                           body)
            assert bad.pass_on(near, far)
            assert server.recv(999).startswith(b"GET " + path)
            return line.read_message(device)[1]

    assert answered(b"/d/v1/payloads/ab") == body
    assert bad.damaged == 0
    spoilt = answered(b"/d/v1/deltas/ab")
    assert spoilt[:50] == body[:50] and len(spoilt) == 100
    assert all(a != b for a, b in zip(spoilt[50:], body[50:]))
    assert bad.damaged == 1


def test_esp32s_take_real_releases_where_they_are_and_our_own_else(
        world, tmp_path, monkeypatch):
    folder = tmp_path / "images/mini-ft8"
    folder.mkdir(parents=True)
    monkeypatch.setenv("BOWLINE_ESP_IMAGES", str(tmp_path / "images"))
    for module in ("esp", "patches"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    esp = importlib.import_module("esp")
    name, chip, images, boot = esp.releases()
    assert (name, chip, boot) == ("esp32", "ESP32", None)
    assert len(images) == 2 and all(i.exists() for i in images)
    for day in ("02", "01"):
        (folder / f"2026-01-{day}_x_mini_ft8.bin").touch()
    (folder / "2026-01-01_x_bootloader.bin").touch()
    name, chip, images, boot = esp.releases()
    assert (name, chip) == ("mini-ft8", "ESP32-S3")
    assert [i.name[:10] for i in images] == ["2026-01-01", "2026-01-02"]
    assert boot.name == "2026-01-01_x_bootloader.bin"
    for module in ("esp", "patches"):
        sys.modules.pop(module, None)
