# SPDX-License-Identifier: Apache-2.0
"""A firmware of this repository in several revisions, for Cortex-M4,
Cortex-M0+ and RV32IMC: the update client (all of core and boot), the
thermostat's application and a console, with a C library. Each revision is
what a small release is made of: a fixed line, a feature, a changed structure,
another compiler option, another order of linking."""
import hashlib
import re
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
OWN = Path(__file__).resolve().parent / "firmware"
RAM = 0x20000000
RAM_SIZE = 0x20000

ARM = "arm-none-eabi-"
RV = "riscv64-unknown-elf-"
# name: (instructions, tool prefix, flags, flash address)
TARGETS = {
    "m4": ("thumb", ARM, ["-mcpu=cortex-m4", "-mthumb",
                          "--specs=nosys.specs"], 0x08020000),
    "m0": ("thumb", ARM, ["-mcpu=cortex-m0plus", "-mthumb",
                          "--specs=nano.specs", "--specs=nosys.specs",
                          "-u", "_printf_float"], 0x00010000),
    "rv32": ("rv", RV, ["-march=rv32imc", "-mabi=ilp32", "-mcmodel=medany",
                        "--specs=picolibc.specs"], 0x42000020),
}
COMMON = ["-std=gnu11", "-g0", "-ffunction-sections", "-fdata-sections",
          "-ffreestanding", "-fno-inline-functions-called-once",
          f"-DSTACK={RAM + RAM_SIZE:#x}", "-DUART=0x40004000"]


class Failed(Exception):
    """A compiler is not there, or a revision does not build."""


def sources(path, *names):
    """A room's sources, of the lists that CMake reads."""
    text = (path / "sources.cmake").read_text()
    listed = []
    for name in names:
        found = re.search(rf"set\({name}\s([^)]*)\)", text)
        if not found:
            raise Failed(f"{path.name}/sources.cmake has no {name}; "
                         "bench/delta/firmware.py has to follow")
        listed += [one for one in found.group(1).split()
                   if one.endswith(".c")]
    return [path / one for one in listed]


def edit(path, pattern, replacement):
    text = path.read_text()
    changed, count = re.subn(pattern, replacement, text, count=1, flags=re.M)
    if count != 1:
        raise Failed(f"{path.name}: nothing matches {pattern}; bench/delta/"
                     "firmware.py has to follow what has changed there")
    path.write_text(changed)


# Edits of a copy of the sources.
def fix_core(tree):
    """A check more in a function that everything reads through."""
    edit(tree / "core/src/cbor.c", r"^#include .*\n(?!#include)",
         r"\g<0>\nuint32_t bl_bench_errors;\nstatic void bench_note"
         r"(uint32_t n)\n{\n    bl_bench_errors += n * 3u;\n}\n")
    edit(tree / "core/src/cbor.c", r"^(bl_\w+ \w+\([^;{]*\)\n\{\n)",
         r"\g<1>    bench_note(7u);\n")


def widen_client(tree):
    """A member more in front of the client's state: all behind it moves."""
    edit(tree / "core/include/bowline/client.h", r"^struct bl_client \{\n",
         r"\g<0>    uint32_t bench_counters[3];\n")


def widen_state(tree):
    edit(tree / "core/include/bowline/flash.h", r"^struct bl_layout \{\n",
         r"\g<0>    uint32_t bench_banks;\n")


# revision: (version, optimization, defines, edits of the tree, order)
REVISIONS = {
    "base": ("1.0.0", "-Os", [], [], 1),
    "version": ("1.0.1", "-Os", [], [], 1),
    "fix": ("1.0.1", "-Os", ["-DFIX"], [], 1),
    "core-fix": ("1.0.2", "-Os", ["-DFIX"], [fix_core], 1),
    "feature": ("1.1.0", "-Os", ["-DFIX", "-DFEATURE"], [], 1),
    "struct": ("1.2.0", "-Os", ["-DFIX", "-DFEATURE"],
               [widen_client, widen_state], 1),
    "order": ("1.2.1", "-Os", ["-DFIX", "-DFEATURE"], [], -1),
    "o2": ("1.0.1", "-O2", ["-DFIX"], [], 1),
    "o2-feature": ("1.1.0", "-O2", ["-DFIX", "-DFEATURE"], [], 1),
}
STEPS = [("base", "version"), ("base", "fix"), ("fix", "core-fix"),
         ("fix", "feature"), ("feature", "struct"), ("feature", "order"),
         ("fix", "o2"), ("o2", "o2-feature")]


def run(args, cwd):
    done = subprocess.run(args, cwd=cwd, capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        raise Failed(f"{args[0]}: {done.stderr.strip()[-600:]}")


def make_tree(target, revision, work):
    """A copy of the sources with the revision's edits; folder per edits, so
    that revisions without any share one, and its objects."""
    _, optimize, _, edits, _ = REVISIONS[revision]
    tree = work / "-".join([target + optimize,
                            *(change.__name__ for change in edits)])
    if not tree.exists():
        for room in ("core", "boot", "examples/thermostat", "tests/size"):
            shutil.copytree(TOP / room, tree / room)
        shutil.copytree(OWN, tree / "app")
        for change in edits:
            change(tree)
    return tree


def includes(tree):
    folders = [*sorted(tree.glob("**/include")), tree / "app",
               tree / "examples/thermostat", tree / "tests/size"]
    return [f"-I{folder}" for folder in folders]


def compile_one(compiler, defines, tree, revision, source):
    own = source.parent == tree / "app"
    out = source.with_suffix(f".{revision}.o" if own else ".o")
    if not out.exists():
        run([*compiler, *(defines if own else []), "-c", source, "-o", out],
            tree)
    return out


def files_of(tree, feature):
    """In the order of linking: the application stands in the middle."""
    return (sources(tree / "core", "BOWLINE_CORE_SOURCES",
                    "BOWLINE_CLIENT_DELTA_SOURCES")
            + sources(tree / "core/delta", "BOWLINE_DELTA_SHARED",
                      "BOWLINE_DELTA_SOURCES")
            + [tree / "core/src/sha256.c", tree / "app/app.c"]
            + ([tree / "app/schedule.c"] if feature else [])
            + [tree / "examples/thermostat/sensor.c",
               tree / "examples/thermostat/control.c",
               tree / "tests/size/port.c"]
            + sources(tree / "boot", "BOWLINE_BOOT_SOURCES"))


def build(target, revision, work, pool):
    """The image, as it is written to flash."""
    _, prefix, flags, flash = TARGETS[target]
    version, optimize, defines, _, order = REVISIONS[revision]
    commit = hashlib.sha256(revision.encode()).hexdigest()[:10]
    defines = [*defines, f'-DVERSION="{version}"', f'-DBUILT="{commit}"']
    tree = make_tree(target, revision, work)
    files = files_of(tree, "-DFEATURE" in defines)
    compiler = [prefix + "gcc", *flags, optimize, *COMMON, *includes(tree)]
    objects = list(pool.map(
        lambda source: compile_one(compiler, defines, tree, revision, source),
        [tree / "app/start.c", *files]))
    run([*compiler, "-nostartfiles", "-Wl,--no-gc-sections",
         f"-Wl,--defsym=FLASH_AT={flash:#x}",
         f"-Wl,--defsym=RAM_AT={RAM:#x}", "-T", tree / "app/link.ld",
         objects[0], *objects[1:][::order], "-lm", "-o", tree / "app.elf"],
        tree)
    run([prefix + "objcopy", "-O", "binary", tree / "app.elf",
         tree / "app.bin"], tree)
    return (tree / "app.bin").read_bytes()


def pair(target, old, new, images):
    isa, _, _, flash = TARGETS[target]
    return {"name": f"firmware-{target}-{old}-{new}",
            "class": f"firmware-{isa}", "isa": isa, "old": images[old],
            "new": images[new], "source": {"revisions": [old, new]},
            "hints": {"base": flash, "ram": [RAM, RAM + RAM_SIZE]}}


def pairs(say, jobs):
    for target, (_, prefix, _, _) in TARGETS.items():
        if shutil.which(prefix + "gcc") is None:
            say(f"no pair: firmware-{target}: {prefix}gcc is not installed "
                "(make bench-delta installs it)")
            continue
        with (tempfile.TemporaryDirectory() as work,
              ThreadPoolExecutor(jobs) as pool):
            images = {name: build(target, name, Path(work), pool)
                      for name in REVISIONS}
        for old, new in STEPS:
            yield pair(target, old, new, images)
