#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes vectors.json: make.py FOLDER > vectors.json

FOLDER is the build's test-programs, with delta_vectors (tests/diff) and
delta_vectors_noise (tests/core/delta), which make the images and, with today's
encoder, their patches. Here what must be refused is added. Only a new FORMAT is a reason to make the vectors anew: an encoder
that chooses otherwise is none.
"""
import json
import subprocess
import sys

PROGRAMS = "delta_vectors", "delta_vectors_noise"
ON = "thumb"  # what is altered


def made_today(folder):
    vectors = []
    for name in PROGRAMS:
        made = subprocess.run([f"{folder}/{name}"], check=True,
                              capture_output=True)
        vectors += json.loads(made.stdout)["vectors"]
    return vectors


def altered(patch, at, value):
    return patch[:at] + bytes([value]) + patch[at + 1:]


def refused(v):
    """(name, patch, other members) of patches that give no wanted image."""
    p = bytes.fromhex(v["patch"])
    old = bytearray.fromhex(v["old"])
    old[100] ^= 1
    yield "empty", b"", {}
    yield "head-only", p[:17], {}
    yield "half", p[:len(p) // 2], {}
    yield "last-bytes-missing", p[:-12], {}
    yield "bytes-behind", p + bytes(40), {}
    yield "zero-behind", p + bytes(1), {}
    yield "no-patch", altered(p, 0, 0xC0), {}
    yield "instruction-set-unknown", altered(p, 0, 0xBF), {}
    yield "flag-unknown", p[:1] + bytes([p[1] | 0x80, 0x7F]) + p[2:], {}
    for at in (30, 60, len(p) - 12):
        yield f"bit-flipped-{at}", altered(p, at, p[at] ^ 4), {}
    yield "other-old-image", p, {"old": old.hex()}
    yield "too-little-memory", p, {"ram": v["ram"] - 1}


def main():
    vectors = made_today(sys.argv[1])
    base = next(v for v in vectors if v["name"] == ON)
    for name, patch, others in refused(base):
        v = {"name": name, "expected": "reject", "ram": base["ram"],
             "new_size": base["new_size"], "new_sha256": base["new_sha256"],
             "old_of": ON, "patch": patch.hex()}
        v.update(others)
        if "old" in v:
            del v["old_of"]
        vectors.append(v)
    json.dump({"vectors": vectors}, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
