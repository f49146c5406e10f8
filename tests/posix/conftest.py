# SPDX-License-Identifier: Apache-2.0
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import gateway  # noqa: E402
from board import Device, World  # noqa: E402


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


@pytest.fixture
def device(tmp_path, world):
    """device(url, factory, ...) makes one; it is switched off at the end."""
    made = []

    def make(url, factory, *options, **attributes):
        folder = tmp_path / f"d{len(made)}"
        folder.mkdir()
        one = Device(folder, world, url, factory, *options, **attributes)
        made.append(one)
        return one

    yield make
    for one in made:
        one.power_off()
        shutil.rmtree(one.dir, ignore_errors=True)


@pytest.fixture
def gate(world):
    gates = []

    def make(release):
        gates.append(gateway.Gate(world.ticket_key, release))
        return gates[-1]

    yield make
    for one in gates:
        one.close()
