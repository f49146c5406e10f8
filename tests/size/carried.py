#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a linked program carries of Bowline, and its deepest stack.

    carried.py BUILD IMAGE

Reads BUILD/IMAGE.map for the bytes that the linker kept of each object, and
the compiler's .ci files (-fcallgraph-info=su) for frames and calls.
"""
import pathlib
import re
import sys

PRIMITIVES = {"sha256.c", "hss.c"}
GROUPS = (
    ("manifests, root documents, tickets",
     r"(cbor|label|cose|signature|root|ticket|suit)"),
    ("storage and installation",
     r"(flash|state|journal|slot|install|firmware)"),
    ("client", r"(client|policy)"),
    ("boot decision", r"(decide|run)\.c"),
)
ENTRIES = {"client": "bl_client_", "boot": "bl_boot_run"}

# Calls through pointers: which functions of core each caller can reach. The
# port's own (flash, random source, signatures) are not core's to count.
CALLBACKS = ("on_component", "on_image_match", "on_write", "on_copy",
             "on_content_match")
PLATFORM = "the platform"
CALLS_PLATFORM = {"suit_run.c", "suit_scan.c"}


def kept(map_file):
    """Bytes of code and constants per source file."""
    sizes = {}
    text = map_file.read_text().split("Linker script and memory map")[1]
    pattern = re.compile(
        r"^ \.(?:text|rodata|srodata|data|sdata)\S*\s+0x([0-9a-f]+)\s+"
        r"0x([0-9a-f]+) (\S+)$", re.M)
    for address, size, origin in pattern.findall(text):
        if int(address, 16) == 0 or "crt0" in origin:
            continue
        name = re.sub(r".*[(/](\w+)\.c\.obj\)?$", r"\1.c", origin)
        if "libgcc" in origin:
            name = "libgcc"
        elif "tests/size" in origin:
            name = "harness"
        sizes[name] = sizes.get(name, 0) + int(size, 16)
    sizes.pop("harness", None)
    return sizes


def graph(build):
    """Frames, and calls, by function; static ones are told apart by file."""
    frames, calls = {}, {}
    for file in sorted(build.rglob("*.ci")):
        if "CMakeFiles/3" in str(file) or "tests/size" in str(file):
            continue
        text = file.read_text()
        source = file.name.removesuffix(".ci")
        for title, label in re.findall(
                r'node: \{ title: "([^"]+)" label: "([^"]*)"', text):
            size = re.search(r"(\d+) bytes \((\S+?)\)", label)
            if size:
                frames[title] = int(size.group(1))
                if size.group(2) == "dynamic":
                    raise SystemExit(f"{title}: a frame without a bound")
        for caller, callee in re.findall(
                r'edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"', text):
            if callee == "__indirect_call":
                if source in CALLS_PLATFORM:
                    calls.setdefault(caller, set()).add(PLATFORM)
            else:
                calls.setdefault(caller, set()).add(callee)
    return frames, calls


def source_of(function):
    return re.sub(r".*/(\w+\.c):.*", r"\1", function)


def deepest(frames, calls, roots):
    """The largest sum of frames from any root down, and its calls."""
    known = {}

    def below(function, platform):
        for f in sorted(calls.get(function, ())):
            if f != PLATFORM:
                yield f
                continue
            yield from (g for g in frames if source_of(g) == platform and
                        g.split(":")[-1] in CALLBACKS)

    def visit(function, platform, path):
        if function in path:
            raise SystemExit("recursion: " + " > ".join(path + [function]))
        if source_of(function) == "slot.c" or function == "bl_slot_check":
            platform = "slot.c"  # from here on, manifests see that one
        key = function, platform
        if key not in known:
            depth, chain = max((visit(f, platform, path + [function])
                                for f in below(function, platform)),
                               default=(0, []))
            known[key] = depth + frames.get(function, 0), [function] + chain
        return known[key]

    return max(visit(f, "client_platform.c", []) for f in roots)


def main():
    build, image = pathlib.Path(sys.argv[1]), sys.argv[2]
    sizes = kept(build / f"{image}.map")
    primitives = sum(sizes.pop(p, 0) for p in PRIMITIVES)
    helpers = sizes.pop("libgcc", 0)
    own = set(sizes)
    parts = []
    for name, pattern in GROUPS:
        part = [f for f in sizes if re.match(pattern, f)]
        if part:
            parts.append(f"{name} {sum(sizes[f] for f in part)}")
        own.difference_update(part)
    if own:
        raise SystemExit(f"{image}: in no group: {', '.join(sorted(own))}")
    frames, calls = graph(build)
    roots = [f for f in frames if f.startswith(ENTRIES[image])]
    if not roots:
        raise SystemExit(f"{image}: no .ci files: is -fcallgraph-info set?")
    depth, chain = deepest(frames, calls, roots)
    print(f"{image}: {sum(sizes.values())} bytes of code; SHA-256 and "
          f"HSS-LMS {primitives}, the compiler's helpers {helpers}")
    print("   ", "; ".join(parts))
    print(f"    deepest stack {depth}:",
          " > ".join(f"{f.split(':')[-1]} {frames.get(f, 0)}"
                     for f in chain))


if __name__ == "__main__":
    main()
