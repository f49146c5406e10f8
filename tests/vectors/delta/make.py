#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes vectors.json: make.py PROGRAM > vectors.json

PROGRAM is delta_vectors of the build (tests/diff/delta_vectors.c), which makes
the images, and with today's encoder their patches. Here what must be refused
is added. Only a new FORMAT is a reason to make the vectors anew: an encoder
that chooses otherwise is none.
"""
import json
import subprocess
import sys

ON = "thumb"  # what is altered


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
    yield "no-patch", altered(p, 0, 0xC0), {}
    yield "instruction-set-unknown", altered(p, 0, 0xBF), {}
    yield "flag-unknown", p[:1] + bytes([p[1] | 0x80, 0x7F]) + p[2:], {}
    for at in (30, 60, len(p) - 12):
        yield f"bit-flipped-{at}", altered(p, at, p[at] ^ 4), {}
    yield "other-old-image", p, {"old": old.hex()}
    yield "too-little-memory", p, {"ram": v["ram"] - 1}


def main():
    made = subprocess.run([sys.argv[1]], check=True, capture_output=True)
    vectors = json.loads(made.stdout)["vectors"]
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
