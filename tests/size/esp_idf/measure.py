#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the ESP-IDF component adds to a firmware: flash, RAM, stack.

    measure.py BUILD

Reads BUILD/esp_idf.map, the linked program's symbols, and the compiler's .ci
files. ESP-IDF's own functions are not there and not counted: what is below a
call of esp_http_client or PSA is theirs.
"""
import pathlib
import re
import subprocess
import sys

# Where the linker's map says that a piece comes from.
GROUPS = (
    ("component", r"esp_idf_component"),
    ("core", r"bowline_core"),
    ("SHA-256", r"bowline_sha256"),
    ("deltas", r"(bowline_client_delta|esp_idf_delta)"),
)
# A larger one is a change that somebody should know of (docs/ESP32.md).
LIMITS = {"component": 12000, "hook.c:bowline_early_hook": 1536,
          "agent.c:run": 4096}
# Calls through pointers that the compiler's graph does not follow: from core
# to the port's flash and signature check.
TO_FLASH = r"(flash|state|journal|slot|install\w*|client_delta\w*)\.c:"
FLASH = r"store\.c:flash_(read|write|erase)$"
TO_CRYPTO = r"(signature)\.c:"
CRYPTO = r"crypto_psa\.c:p256_verify$"
TO_PLATFORM = r"suit_(run|scan)\.c:"
PLATFORM = r"client_platform\.c:on_\w+$"


def kept(text):
    """Bytes that the linker kept, by group: flash, and RAM."""
    flash, ram = {}, {}
    pattern = re.compile(
        r"^ \.(text|rodata|srodata|data|sdata|bss|sbss|init_array)\S*\s+"
        r"0x([0-9a-f]+)\s+0x([0-9a-f]+) (\S+)$", re.M)
    body = text.split("Linker script and memory map")[1]
    for section, address, size, origin in pattern.findall(body):
        group = next((name for name, where in GROUPS
                      if re.search(where, origin)), None)
        if int(address, 16) == 0 or group is None:
            continue
        in_ram = "bss" in section or section.endswith("data") and \
            "ro" not in section
        if "bss" not in section:
            flash[group] = flash.get(group, 0) + int(size, 16)
        if in_ram:
            ram[group] = ram.get(group, 0) + int(size, 16)
    return flash, ram


def graph(build):
    frames, calls = {}, {}
    for file in sorted(build.rglob("*.ci")):
        if re.search(r"CMakeFiles/3|size_|delta_(one|three)", str(file)):
            continue
        text = file.read_text()
        for title, label in re.findall(
                r'node: \{ title: "([^"]+)" label: "([^"]*)"', text):
            size = re.search(r"(\d+) bytes \((\S+?)\)", label)
            where = re.search(r"(\w+\.[ch]):", label)
            if size and where:
                source = where.group(1)
                name = re.sub(r".*:", "", title)
                frames[title] = int(size.group(1)), f"{source}:{name}"
        for caller, callee in re.findall(
                r'edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"', text):
            calls.setdefault(caller, set()).add(callee)
    return frames, calls


def follow(frames, calls):
    """Puts the known targets in the place of calls through pointers."""
    for caller, callees in calls.items():
        if "__indirect_call" not in callees or caller not in frames:
            continue
        name = frames[caller][1]
        for sources, targets in ((TO_FLASH, FLASH), (TO_CRYPTO, CRYPTO),
                                 (TO_PLATFORM, PLATFORM)):
            if re.match(sources, name):
                callees.update(t for t, (_, n) in frames.items()
                               if re.match(targets, n))


def deepest(frames, calls, root):
    known = {}

    def visit(function, path):
        if function not in frames:
            return 0, []
        if function in path:
            raise SystemExit("recursion: " + " > ".join(path + [function]))
        if function not in known:
            depth, chain = max((visit(f, path + [function])
                                for f in sorted(calls.get(function, ()))),
                               default=(0, []))
            known[function] = depth + frames[function][0], [function] + chain
        return known[function]

    found = [f for f, (_, name) in frames.items() if name == root]
    if len(found) != 1:
        raise SystemExit(f"{root}: not in the compiler's call graph")
    return visit(found[0], [])


def agent_size(build):
    """The one block that bowline_start allocates."""
    program = build / "test-programs" / "size_esp_idf"
    lines = subprocess.run(
        ["riscv64-unknown-elf-nm", "-S", program], capture_output=True,
        text=True, check=True).stdout.splitlines()
    return next(int(line.split()[1], 16) for line in lines
                if line.endswith(" size_of_agent"))


def within(what, bytes_):
    if bytes_ > LIMITS[what]:
        raise SystemExit(f"{what}: {bytes_} bytes, more than the "
                         f"{LIMITS[what]} that docs/ESP32.md says")


def main():
    build = pathlib.Path(sys.argv[1])
    flash, ram = kept((build / "esp_idf.map").read_text())
    if set(flash) != {name for name, _ in GROUPS}:
        raise SystemExit(f"not all parts are linked: {sorted(flash)}")
    print("ESP-IDF component: "
          + ", ".join(f"{name} {flash[name]}" for name, _ in GROUPS)
          + f": {sum(flash.values())} bytes of flash")
    print(f"    RAM: {sum(ram.values())} bytes static, one block of "
          f"{agent_size(build)} bytes, and the task's stack")
    frames, calls = graph(build)
    follow(frames, calls)
    for root, what in (("hook.c:bowline_early_hook", "early hook"),
                       ("agent.c:run", "task")):
        depth, chain = deepest(frames, calls, root)
        print(f"    deepest stack, {what}, ESP-IDF's own below it not "
              f"counted: {depth}:",
              " > ".join(f"{frames[f][1].split(':')[-1]} {frames[f][0]}"
                         for f in chain))
        within(root, depth)
    within("component", flash["component"])


if __name__ == "__main__":
    main()
