#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes fuzz/seeds/<target>/ from tests/vectors."""
import json
from pathlib import Path

TOP = Path(__file__).resolve().parent
VECTORS = TOP.parent / "tests/vectors"


def load(name):
    return json.loads((VECTORS / name).read_text())["vectors"]


def write(target, name, data):
    folder = TOP / "seeds" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name.replace("/", "_").replace("#", "-")).write_bytes(data)


def main():
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
