# SPDX-License-Identifier: Apache-2.0
"""Parts of the demo that its own run does not judge."""
import importlib
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
