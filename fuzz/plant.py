#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A source with one fault of plants.txt: plant.py NAME SOURCES OUT, where
SOURCES is core/delta/src. Without NAME: the names and files, for CMake."""
import sys
from pathlib import Path


def plants():
    for line in (Path(__file__).parent / "plants.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            yield [part.strip() for part in line.split(" | ")]


def main():
    if len(sys.argv) == 1:
        print(";".join(f"{name}={file}" for name, file, _, _ in plants()))
        return
    name, sources, out = sys.argv[1:]
    _, file, right, wrong = next(p for p in plants() if p[0] == name)
    text = (Path(sources) / file).read_text()
    if text.count(right) != 1:
        sys.exit(f"fuzz/plants.txt: {name}: '{right}' stands "
                 f"{text.count(right)} times in {file}, not once")
    Path(out).write_text(text.replace(right, wrong))


main()
