# SPDX-License-Identifier: Apache-2.0
"""packaging/install-packages.sh installs what is missing, and no more."""
import os
import shutil
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def install(tmp_path):
    """install(list) -> the packages that apt-get was asked for."""
    shutil.copy(TOP / "packaging/install-packages.sh", tmp_path)
    asked = tmp_path / "asked"
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, text in (("apt-get", f'echo "$@" >>{asked}'),
                       ("sudo", 'exec "$@"')):
        (programs / name).write_text(f"#!/bin/sh\n{text}\n")
        (programs / name).chmod(0o755)

    def run(text):
        (tmp_path / "packages.txt").write_text(text)
        subprocess.run(
            ["sh", tmp_path / "install-packages.sh", "build"], check=True,
            env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"})
        said = asked.read_text() if asked.exists() else ""
        return [word for line in said.splitlines() if "install" in line
                for word in line.split() if word.startswith("no-such-")]

    return run


def test_what_is_missing_is_installed(install):
    assert install("no-such-a build\nno-such-b test\n") == ["no-such-a"]


def test_a_command_from_elsewhere_counts_as_its_package(install):
    assert install("no-such-a build command:sh\n"
                   "no-such-b build command:no-such-command\n") == [
                       "no-such-b"]


def test_node_is_not_replaced(install):
    lines = [line.split() for line in (
        TOP / "packaging/packages.txt").read_text().splitlines()]
    assert ["nodejs", "build", "command:node"] in lines
    assert ["npm", "build", "command:npm"] in lines
