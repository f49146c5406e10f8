# SPDX-License-Identifier: Apache-2.0
"""Include arrows point one way: each room sees only the rooms named here."""
import re
import subprocess
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent

# room -> include prefixes of other rooms that it may use
SEES = {
    "core": {"bowline"},
    "boot": {"bowline"},
    "esp": {"bowline"},
    "host": {"bowline/span.h", "bowline/status.h", "bowline/sha256.h", "host"},
    "diff": {"bowline", "host", "diff"},
    "author": {"bowline", "host", "author"},
    "ports/esp-idf": {"bowline"},
    "ports/posix": {"bowline", "host", "posix"},
    "ports/arduino": {"bowline"},
    "server": {"bowline", "host", "author", "diff", "posix/crypto.h"},
    "tool": {"bowline", "host", "author", "diff", "posix/crypto.h"},
    "sim": {"bowline", "host", "author", "diff", "posix/crypto.h",
            "posix/describe.h", "posix/esp_follow.h"},
    "examples": {"bowline", "posix", "host"},
}
# headers of libc that freestanding code may use
FREESTANDING = {"stdbool.h", "stddef.h", "stdint.h", "string.h"}
ROOMS = {"bowline", "host", "author", "diff", "posix"}


def sources(room):
    names = subprocess.run(
        ["git", "ls-files", "--", f"{room}/*.c", f"{room}/*.h"],
        cwd=TOP, capture_output=True, text=True, check=True).stdout.split()
    return [TOP / name for name in names]


def includes(path):
    for number, line in enumerate(path.read_text().splitlines(), 1):
        found = re.match(r'\s*#\s*include\s*([<"])([^>"]+)', line)
        if found:
            yield number, found.group(1), found.group(2)


def may(room, header):
    prefix = header.split("/")[0]
    return header in SEES[room] or prefix in SEES[room]


def test_every_room_includes_only_what_it_may_see():
    wrong = []
    for room in SEES:
        for path in sources(room):
            for number, _, header in includes(path):
                if header.split("/")[0] in ROOMS and not may(room, header):
                    wrong.append(f"{path.relative_to(TOP)}:{number}: "
                                 f"{room} may not include {header}")
    assert not wrong, "\n".join(wrong)


def test_device_code_is_freestanding():
    wrong = []
    for room in ("core", "boot", "esp"):
        for path in sources(room):
            for number, kind, header in includes(path):
                if kind == "<" and header not in FREESTANDING:
                    wrong.append(f"{path.relative_to(TOP)}:{number}: "
                                 f"<{header}> in device code")
    assert not wrong, "\n".join(wrong)


def test_programs_do_not_include_each_other():
    wrong = []
    for room in ("server", "tool", "sim"):
        for path in sources(room):
            for number, _, header in includes(path):
                if header.startswith("..") or any(
                        header.startswith(other + "/")
                        for other in ("server", "tool", "sim")
                        if other != room):
                    wrong.append(f"{path.relative_to(TOP)}:{number}: {header}")
    assert not wrong, "\n".join(wrong)


def test_the_check_itself_sees_an_upward_arrow():
    assert not may("core", "host/error.h")
    assert not may("server", "posix/device.h")
    assert may("tool", "author/author.h")
