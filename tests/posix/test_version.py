# SPDX-License-Identifier: Apache-2.0
"""The version of a thermostat of one's own: -DTHERMOSTAT_VERSION=..."""
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "examples/thermostat/" \
    "version.cmake"


def check(tmp_path, version):
    call = tmp_path / "call.cmake"
    call.write_text('cmake_minimum_required(VERSION 3.25)\n'
                    f'include("{SCRIPT}")\n'
                    f'thermostat_check_version("{version}" "1.0.0;1.1.0")\n')
    run = subprocess.run(["cmake", "-P", call], capture_output=True, text=True)
    return run.returncode, " ".join(run.stderr.split())


@pytest.mark.parametrize("version", [
    "2.0.0", "2", "1.10", "1.4-rc.1", "1.2.3.4", "2.0.0+abc", "0"])
def test_version_is_taken(tmp_path, version):
    assert check(tmp_path, version) == (0, "")


@pytest.mark.parametrize("version", [
    "abc", "x y", "v2.0.0", "1.", "1..2", "1.2.3.4.5", "2.0.0;rm", "1/2",
    "1.0.0-" + 40 * "x"])
def test_what_is_no_version_is_told(tmp_path, version):
    code, said = check(tmp_path, version)
    assert code != 0 and "is no version" in said
    assert "-DTHERMOSTAT_VERSION=2.0.0" in said


def test_version_that_is_taken_is_told(tmp_path):
    code, said = check(tmp_path, "1.1.0")
    assert code != 0 and "1.1.0 is one of the example's own images" in said
