# SPDX-License-Identifier: Apache-2.0
"""docs/DELTA.md is enough to write a decoder: the one that was written from it
(tests/vectors/delta/decode.py) takes the vectors, and what today's encoder
makes. The device's decoder over the same: test_conformance.py."""
import hashlib
import json
import os
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BOWLINE_BUILD", TOP / "build/dev"))
FOLDER = TOP / "tests" / "vectors" / "delta"
sys.path.insert(0, str(FOLDER))

import decode  # noqa: E402
import make  # noqa: E402

VECTORS = json.loads((FOLDER / "vectors.json").read_text())["vectors"]


def old_of(vector):
    name = vector.get("old_of", vector["name"])
    owner = vector if "old" in vector else next(v for v in VECTORS
                                                if v["name"] == name)
    return bytes.fromhex(owner["old"])


def check_accepted(vector):
    patch = bytes.fromhex(vector["patch"])
    if vector["name"].startswith("deflate"):
        with pytest.raises(decode.Unsupported):
            decode.decode(old_of(vector), patch)
        return
    image = decode.decode(old_of(vector), patch)
    assert len(image) == vector["new_size"]
    assert hashlib.sha256(image).hexdigest() == vector["new_sha256"]


@pytest.mark.parametrize("vector", [v for v in VECTORS
                                    if v["expected"] == "accept"],
                         ids=lambda v: v["name"])
def test_the_decoder_from_the_text_gives_the_image(vector):
    check_accepted(vector)


@pytest.mark.parametrize("vector", [v for v in VECTORS
                                    if v["expected"] == "reject"
                                    and v["name"] != "too-little-memory"],
                         ids=lambda v: v["name"])
def test_the_decoder_from_the_text_refuses(vector):
    with pytest.raises((decode.Broken, decode.Unsupported)):
        decode.decode(old_of(vector), bytes.fromhex(vector["patch"]))


class Windows(decode.Decoder):
    """Remembers [from, left, quiet, where units were wrong] of each."""

    def __init__(self, old, patch):
        self.seen = []
        super().__init__(old, patch)

    def begin_window(self):
        super().begin_window()
        self.seen.append([self.at, self.left, self.quiet, []])

    def check(self, s, at):
        right = super().check(s, at)
        if right is None:
            self.seen[-1][3].append(at + s.length)
        return right


@pytest.mark.parametrize("name", ["windows-thumb", "windows-aarch64"])
def test_the_windows_vectors_hold_each_kind_of_window(name):
    vector = next(v for v in VECTORS if v["name"] == name)
    decoder = Windows(old_of(vector), bytes.fromhex(vector["patch"]))
    decoder.image()
    seen = decoder.seen
    assert {quiet for _, _, quiet, _ in seen} == {0, 1}
    assert any(wrong == [at + 128] for at, _, _, wrong in seen)
    assert any(len(wrong) > 8 for _, _, _, wrong in seen)
    short = [w for w in seen if w[0] % 128 and w[0] % 128 + w[1] < 128]
    assert {quiet for _, _, quiet, _ in short} == {0, 1}
    assert any(at % 128 and left > 128 for at, left, _, _ in seen)


def test_what_the_encoder_makes_today_is_still_this_format():
    today = make.made_today(BUILD / "test-programs")
    assert len(today) >= 34
    for vector in today:
        check_accepted(vector)
