#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Builds the corpus of the delta measurements: pairs of images, old and new,
from what anyone on Debian 12 can get. The folder then holds pairs.json, the
images, and skipped.txt with the pairs that could not be made, and why.

    corpus.py FOLDER [--only deb,firmware,esp,trivial] [--jobs N]

An entry of pairs.json: name, class, isa (thumb, rv, rv64, xt, aarch64, x86,
raw), old and new (files below the folder), their sizes, source (where they
come from, versions exactly), hints (where the bytes stand in memory; bowline
finds that out by itself, other programs may want to be told)."""
import argparse
import json
import os
import sys
from pathlib import Path

import debian
import esp
import firmware
import trivial

KINDS = ("esp", "firmware", "deb", "trivial")
MIRROR = "http://deb.debian.org"
ARCHS = ("armhf", "arm64", "amd64", "riscv64")


class Corpus:
    def __init__(self, folder):
        self.dir = folder
        self.entries = []
        self.skipped = []
        (folder / "images").mkdir(parents=True, exist_ok=True)

    def say(self, text):
        self.skipped.append(text)
        print(f"\r\033[K{text}" if sys.stderr.isatty() else text,
              file=sys.stderr)

    def add(self, pair):
        entry = dict(pair)
        for side in ("old", "new"):
            path = self.dir / "images" / f"{pair['name']}.{side}"
            path.write_bytes(pair[side])
            entry[side] = str(path.relative_to(self.dir))
            entry[f"{side}_size"] = len(pair[side])
        self.entries.append(entry)
        if sys.stderr.isatty():
            print(f"\r\033[K{len(self.entries)} pairs: {pair['name']}",
                  end="", file=sys.stderr, flush=True)

    def finish(self):
        if sys.stderr.isatty():
            print("\r\033[K", end="", file=sys.stderr)
        names = [e["name"] for e in self.entries]
        assert len(set(names)) == len(names), "two pairs of one name"
        (self.dir / "skipped.txt").write_text(
            "".join(line + "\n" for line in self.skipped))
        part = self.dir / "pairs.json.part"
        part.write_text(json.dumps(self.entries, indent=1) + "\n")
        part.replace(self.dir / "pairs.json")


def first_image(made):
    """What the trivial edits are made of: firmware, else whatever there is."""
    for pair in sorted(made, key=lambda p: p["class"] != "firmware-thumb"):
        return pair
    raise SystemExit("trivial edits need an image: no other pair was made")


def build(folder, kinds, mirror=MIRROR, archs=ARCHS, jobs=2):
    corpus = Corpus(folder)
    made = []

    def take(pairs):
        for pair in pairs:
            corpus.add(pair)
            made.append({**pair, "new": b""})

    if "esp" in kinds:
        take(esp.pairs(corpus.say))
    if "firmware" in kinds:
        take(firmware.pairs(corpus.say, jobs))
    if "deb" in kinds:
        take(debian.pairs(folder / "apt", mirror, corpus.say, archs))
    if "trivial" in kinds:
        take(list(trivial.pairs(first_image(made))))
    corpus.finish()
    return corpus


def main():
    parse = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parse.add_argument("folder", type=Path)
    parse.add_argument("--only", default=",".join(KINDS),
                       help="comma-separated: " + ", ".join(KINDS))
    parse.add_argument("--archs", default=",".join(ARCHS))
    parse.add_argument("--mirror",
                       default=os.environ.get("BOWLINE_DEBIAN_MIRROR", MIRROR))
    parse.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    args = parse.parse_args()
    kinds = args.only.split(",")
    if not set(kinds) <= set(KINDS):
        parse.error(f"--only takes {', '.join(KINDS)}")
    try:
        corpus = build(args.folder.resolve(), kinds, args.mirror,
                       args.archs.split(","), args.jobs)
    except firmware.Failed as why:
        raise SystemExit(f"corpus: {why}") from None
    print(f"{len(corpus.entries)} pairs in {args.folder}/pairs.json, "
          f"{len(corpus.skipped)} not to be had (skipped.txt)")


if __name__ == "__main__":
    main()
