# SPDX-License-Identifier: Apache-2.0
"""What delta.h promises about time, memory and stack, held by counting the
instructions of the decoder (Thumb-2, -Os, qemu-arm) on the slowest patches
that we know how to make. Part of `make test-long`."""
import os
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "bench/delta"))
import cost  # noqa: E402

BUILD = Path(os.environ.get("BOWLINE_BUILD", TOP / "build/dev"))
LONG = bool(os.environ.get("BOWLINE_LONG"))
KINDS = range(17)
MAP_KIND, MAP = 15, 4000
EACH_BYTE, EACH_PAIR, STACK = 10_000, 50, 1024


@pytest.fixture(scope="module", name="work")
def built(tmp_path_factory):
    work = tmp_path_factory.mktemp("cost")
    cost.build(work)
    return work


@pytest.mark.skipif(not LONG, reason="make test-long")
@pytest.mark.parametrize("kind", KINDS)
def test_slow_patches_are_bounded(kind, work):
    old, patch = work / "old", work / "patch"
    subprocess.run([BUILD / "test-programs/delta_slow", str(kind), old, patch],
                   check=True, timeout=300)
    found = cost.cost(work, old, patch)
    bound = EACH_BYTE * found["size"]
    bound += EACH_PAIR * MAP ** 2 if kind == MAP_KIND else 0
    assert found["instructions"] * found["size"] < bound
    assert found["stack"] <= STACK
