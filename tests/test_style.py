# SPDX-License-Identifier: Apache-2.0
"""Formatting, licence lines, and what must not stand in a public tree."""
import shutil
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent


def tracked(*patterns):
    return subprocess.run(["git", "ls-files", "--", *patterns], cwd=TOP,
                          capture_output=True, text=True,
                          check=True).stdout.split()


def test_c_files_are_formatted():
    assert shutil.which("clang-format"), "clang-format is in packages.txt"
    run = subprocess.run(
        ["clang-format", "--dry-run", "-Werror", *tracked("*.c", "*.h")],
        cwd=TOP, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[:4000]


def test_every_source_file_names_its_licence():
    missing = [name for name in tracked("*.c", "*.h", "*.cmake", "*.py")
               if "SPDX-License-Identifier: Apache-2.0"
               not in (TOP / name).read_text()[:400]]
    assert not missing


@pytest.mark.parametrize("word", ["/work/" + "main", "/tmp/" + "b-"])
def test_no_path_of_one_machine_is_tracked(word):
    run = subprocess.run(["git", "grep", "-nF", word], cwd=TOP,
                         capture_output=True, text=True)
    assert run.stdout == ""
