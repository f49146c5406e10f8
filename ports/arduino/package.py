#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""package.py OUTPUT.zip: the Arduino library as the Library Manager wants it.

Arduino's builder compiles each .c and .cpp below src/, with src/ as the only
include folder. So the public headers of core, delta and esp go to src/bowline,
and each room's sources to a folder of their own, beside their private headers.
The lists are those that CMake reads. The same tree makes the same bytes.
"""
import re
import sys
import zipfile
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
HERE = Path("ports/arduino")
# folder in src/, room in the repository, list of its sources, variables of it
ROOMS = [
    ("core", "core", ["CORE_SOURCES", "CLIENT_DELTA_SOURCES"]),
    ("delta", "core/delta", ["DELTA_SHARED", "DELTA_SOURCES"]),
    ("esp", "esp", ["ESP_SOURCES"]),
    ("managed", "ports/esp-idf", ["ESP_IDF_SOURCES"]),
]
# Beside the lists: hosts link another SHA-256.
MORE = {"core": ["src/sha256.c"]}
# BowlineCrypto.c has the same functions, by what each Arduino core has.
LESS = {"managed": ["src/crypto_psa.c"]}
PUBLIC = ["core/include/bowline", "core/delta/include/bowline",
          "esp/include/bowline"]


def listed(room, variables):
    """The sources that a sources.cmake sets in these variables."""
    text = (TOP / room / "sources.cmake").read_text()
    found = []
    for name in variables:
        block = re.search(rf"set\(BOWLINE_{name}\b([^)]*)\)", text)
        if block is None:
            sys.exit(f"{room}/sources.cmake: no BOWLINE_{name}")
        found += re.findall(r"\bsrc/\w+\.c\b", block.group(1))
    return found


def version():
    return re.search(r"project\(bowline VERSION ([\d.]+)",
                     (TOP / "CMakeLists.txt").read_text()).group(1)


def files():
    """Pairs: name in the library, file in the repository."""
    for name in "library.properties", "keywords.txt", "README.md":
        yield name, HERE / name
    yield "LICENSE", Path("LICENSE")
    for path in sorted((TOP / HERE / "examples").rglob("*")):
        if path.is_file():
            yield str(path.relative_to(TOP / HERE)), path.relative_to(TOP)
    for path in sorted((TOP / HERE / "src").rglob("*.*")):
        yield str(path.relative_to(TOP / HERE)), path.relative_to(TOP)
    for folder in PUBLIC:
        for path in sorted((TOP / folder).glob("*.h")):
            yield f"src/bowline/{path.name}", path.relative_to(TOP)
    yield ("src/bowline_esp.h",
           Path("ports/esp-idf/include/bowline_esp.h"))
    for folder, room, variables in ROOMS:
        sources = listed(room, variables) + MORE.get(folder, [])
        for source in sources:
            if source not in LESS.get(folder, []):
                yield f"src/{folder}/{Path(source).name}", Path(room) / source
        for path in sorted((TOP / room / "src").glob("*.h")):
            yield f"src/{folder}/{path.name}", path.relative_to(TOP)


def content(name, path):
    data = (TOP / path).read_bytes()
    if name == "library.properties":
        data = re.sub(rb"(?m)^version=.*$", b"version=" + version().encode(),
                      data)
    return data


def main(output):
    seen = {}
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as out:
        for name, path in files():
            if name in seen:
                sys.exit(f"{name}: both {seen[name]} and {path}")
            seen[name] = path
            info = zipfile.ZipInfo(f"Bowline/{name}", (1980, 1, 1, 0, 0, 0))
            info.external_attr = 0o100644 << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            out.writestr(info, content(name, path))
    print(f"{output}: {len(seen)} files")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__.splitlines()[0])
    main(sys.argv[1])
