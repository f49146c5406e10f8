#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes fuzz/seeds/<target>/ from tests/vectors."""
import json
import struct
import zlib
from pathlib import Path

import cbor2

TOP = Path(__file__).resolve().parent
VECTORS = TOP.parent / "tests/vectors"


def load(name):
    return json.loads((VECTORS / name).read_text())["vectors"]


def write(target, name, data):
    folder = TOP / "seeds" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name.replace("/", "_").replace("#", "-")).write_bytes(data)


def sealed(record):
    return record + struct.pack("<I", zlib.crc32(record))


def flash(vector, root, trial):
    """A whole flash for fuzz/state.c: 12 blocks of 1,024 bytes."""
    envelope = bytes.fromhex(vector["envelope"])
    image = bytes.fromhex(next(iter(vector["payloads"].values())))
    digest = bytes.fromhex(vector["manifest_digest_sha256"])
    slot = struct.pack("<BBHIQ", 3, 0, 0, 1, 7) + digest
    other = struct.pack("<BBHIQ", 2, 0, 0, 1, 7) + digest
    state = b"BLS1" + struct.pack("<IBBBBBBHQQII", 1, 0, trial, 3, 1, 0, 0, 0,
                                  0, 7, 1, 0) + slot + other + bytes(116)
    event = struct.pack("<IIIQHBBBBH", 1, 5, 1, 7, 0, 8, 0, 1, 1, 0x4A42)
    document = bytes.fromhex(root["root"])
    blocks = [struct.pack("<II", len(document), zlib.crc32(document))
              + document, b"", sealed(state), b"", sealed(event), b"",
              struct.pack("<I", len(envelope)) + envelope,
              struct.pack("<I", len(envelope)) + envelope, image, image, b"",
              b""]
    return b"".join(block.ljust(1024, b"\xff") for block in blocks)


def write_flashes():
    root = load("bowline-profile/roots.json")[0]
    for v in load("bowline-profile/positive.json"):
        if v["name"] in ("full-image", "sign-ed25519", "sign-kid"):
            for trial in (0xFF, 1):
                write("state", f"{v['name']}-{trial}", flash(v, root, trial))


def write_polls():
    """What a device sends: light, with a nonce, with events, downloading."""
    light = {1: bytes(16), 3: 1, 4: bytes(32), 5: 0, 6: 0, 7: True, 8: 1}
    events = [[n, 1, 5, state, 0, 7, 1, 1, 2]
              for n, state in enumerate((1, 3, 4, 5, 6, 7, 8), 1)]
    whole = {**light, 2: bytes(range(16)), 9: events, 10: bytes(16),
             11: "rev-a", 12: "1.4.2", 13: [100, 200], 14: 7,
             15: bytes(32), 16: 2}
    told = {**light, 17: -570, 18: {"os": "zephyr 3.7", "site": "M\u00fcnchen"},
            19: [85, 26], 20: 2}
    for name, poll in (("light", light), ("whole", whole), ("told", told)):
        write("poll", name, cbor2.dumps(poll, canonical=True))


def main():
    write_flashes()
    write_polls()
    for name in ("positive", "negative"):
        for v in load(f"bowline-profile/{name}.json"):
            envelope = bytes.fromhex(v["envelope"])
            write("suit", v["name"], b"\0" + envelope)
            if name == "positive":
                write("cbor", v["name"], envelope)
    for v in load("bowline-profile/tickets.json"):
        write("ticket", v["name"], bytes.fromhex(v["ticket"]))
    for v in load("bowline-profile/roots.json"):
        document = bytes.fromhex(v["root"])
        write("root", v["name"], document)
        write("cose", v["name"], document)
    for v in load("cose/sign-flat.json"):
        write("cose", v["name"], bytes.fromhex(v["cose"]))


if __name__ == "__main__":
    main()
