# SPDX-License-Identifier: Apache-2.0
"""Our own `bowline push` and the Arduino library, over real sockets."""
import json
import os
import subprocess

import pytest

from arduino_board import RESTART, SLOTS, image
from test_arduino_signed import BOWLINE, Project

NEW = image("2.0.0", 20000)


def bowline_push(board, file, password=""):
    arguments = [BOWLINE, "push", "127.0.0.1", file, "--port",
                 str(board.port), "--json"]
    if password:
        secret = board.folder / "password"
        secret.write_text(password + "\n")
        secret.chmod(0o600)
        arguments += ["--password-file", secret]
    return subprocess.run(arguments, capture_output=True, text=True,
                          timeout=120, stdin=subprocess.DEVNULL,
                          cwd=board.folder)


@pytest.fixture
def firmware(board):
    file = board.folder / "firmware.bin"
    file.write_bytes(NEW)
    return file


@pytest.mark.parametrize("settings, scheme", [
    ({}, "none"), ({"PASSWORD": "s3cret pw"}, "md5"),
    ({"PASSWORD": "s3cret pw", "STRONG": 1}, "pbkdf2")])
def test_a_firmware_is_installed_and_confirmed(board, firmware, settings,
                                               scheme):
    board.power_on(DEVELOPER=1, **settings).wait("ready")
    run = bowline_push(board, firmware, settings.get("PASSWORD", ""))
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["authentication"] == scheme
    assert board.end() == RESTART
    board.power_on(DEVELOPER=1, **settings).wait("boots slot 1")
    board.wait("confirmed")


def test_a_wrong_password_is_exit_4(board, firmware):
    board.power_on(DEVELOPER=1, PASSWORD="right").wait("ready")
    run = bowline_push(board, firmware, "wrong")
    assert run.returncode == 4
    assert board.states() == ["valid", None]


def test_a_signed_release_is_installed(board, tmp_path_factory):
    project = Project(tmp_path_factory.mktemp("project"))
    project.release(NEW)
    envelope = next((project.folder / "release-bench-10").glob("*.suit"))
    settings = {"ROOT": project.root, "VENDOR": "example.com",
                "PRODUCT": "bench", "PASSWORD": "s3cret pw"}
    board.power_on(**settings).wait("ready")
    run = bowline_push(board, envelope, "s3cret pw")
    assert run.returncode == 0, run.stderr
    assert board.end() == RESTART
    assert board.get(SLOTS[1], len(NEW)) == NEW
    board.power_on(**settings).wait("boots slot 1").wait("confirmed")


def test_an_unsigned_firmware_is_exit_4_with_the_devices_words(
        board, firmware, tmp_path_factory):
    project = Project(tmp_path_factory.mktemp("project"))
    board.power_on(ROOT=project.root, VENDOR="example.com",
                   PRODUCT="bench").wait("ready")
    run = bowline_push(board, firmware)
    assert run.returncode == 4
    assert "Not A Signed Release" in run.stdout + run.stderr
