# SPDX-License-Identifier: Apache-2.0
"""What one slot costs (bench/delta/in_place.py): that it measures, proves the
patches, and notices an aim that is missed."""
import json
import os
import random
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("BOWLINE_BIN", TOP / "bin")).resolve()

# Patches are the new image, those for one slot MORE bytes longer.
STAND_IN = """#!/bin/sh
case "$1 $2" in
"diff --ram") cp "$6" "$8"
    case "$*" in *--in-place*) head -c "${MORE:-0}" /dev/zero >>"$8" ;; esac ;;
"patch --in-place") head -c 12000 "$5" >"$4"; [ -z "$SPOIL" ] || echo >>"$4" ;;
esac
"""


@pytest.fixture
def folder(tmp_path):
    """A corpus of one pair: pieces of an image in another order."""
    rnd = random.Random(5)
    pieces = [rnd.randbytes(1000) for _ in range(12)]
    (tmp_path / "old").write_bytes(b"".join(pieces))
    pieces[3:9] = pieces[5:9] + pieces[3:5]
    (tmp_path / "new").write_bytes(b"".join(pieces))
    (tmp_path / "pairs.json").write_text(json.dumps([
        {"name": name, "class": "firmware", "isa": "raw", "old": "old",
         "new": "new", "old_size": 12000, "new_size": 12000}
        for name in ("firmware-x", "large-y")]))
    return tmp_path


@pytest.fixture
def stand_in(tmp_path):
    program = tmp_path / "bin/bowline"
    program.parent.mkdir()
    program.write_text(STAND_IN)
    program.chmod(0o755)
    return program.parent


def bench(folder, programs, *args, **env):
    return subprocess.run(
        ["/usr/bin/python3", TOP / "bench/delta/in_place.py", "--corpus",
         folder, *args], env=dict(os.environ, BOWLINE_BIN=str(programs),
                                  **env),
        capture_output=True, text=True, timeout=300)


def test_ratios_are_to_the_patch_for_two_slots(folder, stand_in):
    out = folder / "out.json"
    run = bench(folder, stand_in, "--json", out, MORE="600")
    assert run.returncode == 0, run.stderr
    result = json.loads(out.read_text())
    assert [p["name"] for p in result["pairs"]] == ["firmware-x"]
    assert result["summary"]["0"]["mean"] == pytest.approx(1.05)
    assert result["summary"]["4"]["mean"] == pytest.approx(1.05)
    assert "firmware-x " in run.stdout


def test_check_names_each_aim_that_is_missed(folder, stand_in):
    assert bench(folder, stand_in, "--check", MORE="600").returncode == 0
    run = bench(folder, stand_in, "--check", MORE="1500")
    assert run.returncode == 1
    assert "4 spare blocks: mean 1.125, the aim is 1.1" in run.stderr
    assert "0 spare blocks" not in run.stderr
    run = bench(folder, stand_in, "--check", MORE="2400")
    assert "0 spare blocks: mean 1.200, the aim is 1.15" in run.stderr


def test_another_image_than_the_new_one_is_a_failure(folder, stand_in):
    run = bench(folder, stand_in, SPOIL="yes")
    assert run.returncode == 1
    assert "firmware-x: another image came back" in run.stderr


@pytest.mark.parametrize("args", [("--spare", "x"), ("--only", "nothing"),
                                  ("--spare", "1", "--check")])
def test_what_cannot_be_measured_is_refused(folder, stand_in, args):
    run = bench(folder, stand_in, *args)
    assert run.returncode != 0 and run.stderr


def test_bowline_itself_is_measured(folder):
    run = bench(folder, BIN, "--all", "--spare", "0,1,4")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "large-y " in run.stdout
