# SPDX-License-Identifier: Apache-2.0
"""Without developer mode the Arduino library takes signed releases only."""
import os
import subprocess
from pathlib import Path

import cbor2
import pytest

from arduino_board import RESTART, SLOTS, TOP, image, push

BOWLINE = Path(os.environ.get("BOWLINE_BIN", TOP / "bin")).resolve() \
    / "bowline"


class Project:
    """Keys, a root document, and releases signed with them."""

    def __init__(self, folder):
        self.folder = folder
        for name in "root", "release", "ticket", "stranger":
            self.run("key", "new", f"{name}.pem")
        self.run("root", "new", "--root-key", "root.pem.pub", "--release-key",
                 "release.pem.pub", "--ticket-key", "ticket.pem.pub",
                 "-o", "root-1.cbor")
        self.run("root", "sign", "root-1.cbor", "--key", "root.pem")
        self.root = folder / "root-1.cbor"

    def run(self, *args):
        run = subprocess.run([BOWLINE, *map(str, args)], cwd=self.folder,
                             capture_output=True, text=True,
                             stdin=subprocess.DEVNULL, timeout=120)
        assert run.returncode == 0, run.stdout + run.stderr

    def release(self, data, sequence=10, key="release", product="bench"):
        """The package as bytes: envelope, then the payload."""
        name = f"{key}-{product}-{sequence}"
        if not (self.folder / name).is_dir():
            self.make(name, data, sequence, key, product)
        envelope = next((self.folder / name).glob("*.suit")).read_bytes()
        return envelope + cbor2.dumps(data)

    def make(self, name, data, sequence, key, product):
        file = self.folder / f"{name}.bin"
        file.write_bytes(data)
        self.run("release", file, "--version", "2.0.0", "--sequence",
                 sequence, "--product", product, "--vendor", "example.com",
                 "--key", f"{key}.pem", "--component", "app", "--releases",
                 self.folder / name)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return Project(tmp_path_factory.mktemp("project"))


@pytest.fixture
def ready(board, project):
    board.settings = {"ROOT": project.root, "VENDOR": "example.com",
                      "PRODUCT": "bench"}
    return board.power_on(**board.settings).wait("ready")


NEW = image("2.0.0", 20000)


def refused(board, data, *words):
    said = push(board.port, data)
    assert any(word in said for word in words), said
    board.wait("error ")
    assert board.states() == ["valid", None]
    board.power_off()
    board.power_on(**board.settings).wait("boots slot 0").wait("ready")


def test_a_signed_release_is_installed_and_tried(ready, project):
    assert push(ready.port, project.release(NEW)) == "OK"
    assert ready.end() == RESTART
    assert not ready.said("DEVELOPER")
    assert ready.get(SLOTS[1], len(NEW)) == NEW
    ready.power_on(**ready.settings).wait("boots slot 1").wait("confirmed")
    assert ready.state(1) == "valid"


def test_an_unsigned_image_is_refused(ready):
    refused(ready, NEW, "Not A Signed Release")


def test_a_release_signed_by_a_stranger_is_refused(ready, project):
    refused(ready, project.release(NEW, key="stranger"), "no trusted key")


def test_a_release_for_another_product_is_refused(ready, project):
    refused(ready, project.release(NEW, product="oven"), "another product")


def test_another_image_behind_the_manifest_is_refused(ready, project):
    good = project.release(NEW)
    other = image("6.6.6", 20000)
    assert len(other) == len(NEW)
    refused(ready, good[:-len(NEW)] + other, "has not the digest")
    # Nor is its number kept for whatever is confirmed next.
    kept = ready.flash.with_name("flash.bowline.trial")
    assert not kept.exists() or int(kept.read_text()) == 0


def test_an_image_of_another_size_is_refused(ready, project):
    good = project.release(NEW)
    refused(ready, good[:len(good) - len(cbor2.dumps(NEW))]
            + cbor2.dumps(NEW[:-16]), "Not The Release's Payload")


# But for the key's name (bytes 56 to 63), a hint that nobody signs.
@pytest.mark.parametrize("at", [0, 2, 20, 48, 66, 100, *range(130, 419, 40)])
def test_a_flipped_bit_in_the_manifest_is_refused(ready, project, at):
    bad = bytearray(project.release(NEW))
    bad[at] ^= 4
    assert push(ready.port, bytes(bad)) != "OK"
    ready.wait("error ")
    assert ready.states() == ["valid", None]


def test_a_release_without_its_payload_is_refused(ready, project):
    good = project.release(NEW)
    refused(ready, good[:len(good) - len(cbor2.dumps(NEW))],
            "Not A Whole Release")


def test_a_second_payload_is_refused(ready, project):
    refused(ready, project.release(NEW) + cbor2.dumps(NEW),
            "Not The Release's Payload")


def test_what_was_confirmed_is_the_floor(ready, project):
    assert push(ready.port, project.release(NEW, 20)) == "OK"
    assert ready.end() == RESTART
    ready.power_on(**ready.settings).wait("confirmed")
    assert "older" in push(ready.port, project.release(NEW, 19))
    ready.wait("error ")
    assert push(ready.port, project.release(NEW, 20)) == "OK"


def test_what_was_not_confirmed_raises_no_floor(ready, project):
    ready.says("bad")
    assert push(ready.port, project.release(NEW, 30)) == "OK"
    assert ready.end() == RESTART
    ready.power_on(**ready.settings, HEALTH=ready.health).wait("returns")
    assert ready.end() == RESTART
    ready.power_on(**ready.settings).wait("boots slot 0").wait("ready")
    assert push(ready.port, project.release(NEW, 29)) == "OK"


def test_a_release_needs_a_root_document_on_the_bench_too(board, project):
    board.settings = {"DEVELOPER": 1}
    board.power_on(**board.settings).wait("ready")
    refused(board, project.release(NEW), "No Root Document")


def test_a_file_system_is_refused(ready):
    data = b"SPIFFS" * 2000
    with pytest.raises(Exception, match="Developer Mode"):
        push(ready.port, data, command=100)
    assert ready.get(0x90000, 16) == b"\xff" * 16
