# SPDX-License-Identifier: Apache-2.0
"""Deltas made and applied on other processors, big-endian and 32-bit ones
among them: every pair comes back, and the patches are the same to the bit.
Part of `make test-long`, which installs the compilers and qemu-user."""
import os
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
BUILD = Path(os.environ.get("BOWLINE_BUILD", HERE.parent.parent / "build/dev"))
LONG = bool(os.environ.get("BOWLINE_LONG"))
COUNT = os.environ.get("BOWLINE_HOSTS_PAIRS", "1000")
HOSTS = {
    "powerpc": ("powerpc-linux-gnu", "qemu-ppc", "big-endian, 32 bits"),
    "s390x": ("s390x-linux-gnu", "qemu-s390x", "big-endian, 64 bits"),
    "arm": ("arm-linux-gnueabihf", "qemu-arm", "little-endian, 32 bits"),
    "i686": ("i686-linux-gnu", "qemu-i386", "little-endian, 32 bits"),
}


def run(*command, timeout=3000):
    done = subprocess.run([str(part) for part in command], timeout=timeout,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout.strip()


@pytest.fixture(scope="module", name="own")
def own_patches():
    """What this machine says, with sanitizers and libdivsufsort."""
    return run(BUILD / "test-programs/delta_hosts", 0, COUNT)


@pytest.mark.skipif(not LONG, reason="make test-long")
@pytest.mark.parametrize("host", HOSTS)
def test_patches_are_the_same_on(host, own, tmp_path):
    triple, qemu, _ = HOSTS[host]
    run("cmake", "-G", "Ninja", "-S", HERE / "hosts", "-B", tmp_path,
        "-DCMAKE_SYSTEM_NAME=Linux", "-DCMAKE_BUILD_TYPE=None",
        f"-DCMAKE_SYSTEM_PROCESSOR={host}",
        f"-DCMAKE_C_COMPILER={triple}-gcc")
    run("ninja", "-C", tmp_path, "delta_hosts")
    theirs = run(qemu, "-L", f"/usr/{triple}", tmp_path / "delta_hosts",
                 0, COUNT)
    assert theirs == own
