# SPDX-License-Identifier: Apache-2.0
"""A program for a device with one slot, built out of the source tree with what
`make install` leaves: bowline/delta_in_place.h and libbowline-delta."""
import json
import os
import random
import re
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
BUILD = Path(os.environ.get("BOWLINE_BUILD", "build/dev")).resolve()


def run(*command, cwd=None, code=0, **environment):
    done = subprocess.run([str(c) for c in command], cwd=cwd,
                          capture_output=True, text=True, timeout=300,
                          env={**os.environ, **environment})
    assert done.returncode == code, f"{command}:\n{done.stdout}{done.stderr}"
    return done.stdout


def sanitizers():
    cache = (BUILD / "CMakeCache.txt").read_text()
    return "-fsanitize=address,undefined" if re.search(
        r"^BOWLINE_SANITIZE:BOOL=(ON|TRUE|1)$", cache, re.M) else ""


@pytest.fixture(scope="module")
def device(tmp_path_factory):
    """A folder with prefix/ as installed, the program, and two images."""
    folder = tmp_path_factory.mktemp("one-slot")
    run("cmake", "--install", BUILD, "--prefix", folder / "prefix",
        DESTDIR="")
    run("sh", "-ec", f"cc -O2 -std=c99 -Wall -Wextra -Wpedantic -Werror "
        f"{sanitizers()} {HERE}/one_slot.c -o one_slot "
        "$(pkg-config --cflags --libs bowline-delta)", cwd=folder,
        PKG_CONFIG_PATH=str(folder / "prefix/lib/pkgconfig"))
    rnd = random.Random(12)
    old = rnd.randbytes(100000)
    (folder / "old").write_bytes(old)
    (folder / "new").write_bytes(old[40000:70000] + rnd.randbytes(300)
                                 + old[:40000] + old[70000:])
    run(folder / "prefix/bin/bowline", "diff", "old", "new", "-o", "p",
        "--in-place", "--block", "4K", "--spare", "2", cwd=folder)
    return folder


def test_a_device_with_one_slot_is_built_with_the_installed_header(device):
    header = device / "prefix/include/bowline/delta_in_place.h"
    assert header.exists()
    said = run(device / "one_slot", "old", "p", "out", cwd=device)
    assert (device / "out").read_bytes() == (device / "new").read_bytes()
    [(ram, work)] = re.findall(r"^RAM (\d+), work (\d+)$", said, re.M)
    [told] = json.loads(run(device / "prefix/bin/bowline", "inspect", "p",
                            "--json", cwd=device))["files"]
    assert (int(ram), int(work)) == (told["ram"], told["work"])
    assert int(ram) <= 12 * 1024 + 12
    areas = (int(work) - 3 * 4096) / 2
    assert int(ram) < areas <= 4 * 4096 and areas % 4096 == 0


def test_it_refuses_another_image(device):
    assert "status 54\n" in run(device / "one_slot", "new", "p", "out",
                                cwd=device, code=1)
