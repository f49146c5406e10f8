# SPDX-License-Identifier: Apache-2.0
"""Edits without a compiler, of an image of the corpus: what a format's own
overhead is, and whether it copes with what no linker makes."""
import hashlib
import random


def replace(data, at, part):
    return data[:at] + part + data[at + len(part):]


def word_near(data, at):
    """A run of text behind `at`, long enough to be edited."""
    run = 0
    for i in range(at, len(data)):
        run = run + 1 if 0x61 <= data[i] <= 0x7a else 0
        if run == 10:
            return i - 9
    return at


def edits(data):
    """(name, new image)"""
    half = len(data) // 2 & ~15
    noise = random.Random(7)
    text = word_near(data, half)
    digest = hashlib.sha256(data).digest()
    yield "same", data
    yield "byte", replace(data, half, bytes([data[half] ^ 0x40]))
    yield "string", replace(data, text, b"thermostat")
    yield "version-hash", replace(replace(data, text, b"v1.0.1-rc2"),
                                  len(data) - 32, digest)
    yield "append-noise-256", data + noise.randbytes(256)
    yield "append-copy-4k", data + data[half:half + 4096]
    yield "append-ff-4k", data + b"\xff" * 4096
    yield "cut-8k", data[:-8192]
    yield "insert-64", data[:half] + noise.randbytes(64) + data[half:]
    yield "swap-halves", data[half:] + data[:half]


def pairs(base):
    """Edits of one pair's old image."""
    for name, new in edits(base["old"]):
        yield {"name": f"trivial-{name}", "class": "trivial",
               "isa": base["isa"], "old": base["old"], "new": new,
               "source": {"of": base["name"]},
               "hints": dict(base["hints"], new_regions=base["hints"].get(
                   "old_regions"))}
