#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What applying a patch costs a device: instructions for each byte of the new
image, counted while the decoder runs as Thumb-2 code (-Os) under qemu-arm;
its memory and its deepest stack; bytes read of flash.

    cost.py [--only 'firmware-*'] [--ram 12] [--corpus FOLDER] [--check]
    cost.py OLD PATCH

Time is estimated: 64 MHz, 1.5 cycles an instruction, flash without waits."""
import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import bench

HERE = Path(__file__).resolve().parent
TOP = HERE.parent.parent
COMPILER = "arm-linux-gnueabihf-gcc"
HERTZ, CYCLES = 64e6, 1.5
STACK = 1024  # bytes at most, of the decoder below its caller


def run(*command):
    done = subprocess.run([str(part) for part in command], check=False,
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"cost: {command[0]}: {done.stderr.strip()[-2000:]}")
    return done


def decoder_sources():
    words = (TOP / "core/delta/sources.cmake").read_text().replace(
        ")", " ").split()
    names = dict.fromkeys(w for w in words if w.startswith("src/"))
    return [TOP / "core/delta" / n for n in names if n != "src/encode.c"]


def build(work):
    """The plugin, and the decoder as Thumb-2 code."""
    run("gcc", "-O2", "-shared", "-fPIC", HERE / "count_insns.c", "-o",
        work / "count.so")
    run(COMPILER, "-mthumb", "-Os", "-std=gnu11", "-static", "-pthread",
        "-I", TOP / "core/include", "-I", TOP / "core/delta/include",
        "-I", TOP / "core/delta/src", HERE / "apply.c", *decoder_sources(),
        TOP / "core/src/sha256.c", "-o", work / "apply")


def executed(work, old, patch, times):
    done = run("qemu-arm", "-plugin", work / "count.so", work / "apply", old,
               patch, times)
    return int(done.stderr.split()[-1]), list(map(int, done.stdout.split()))


def cost(work, old, patch):
    """One patch: applied twice, beside once, so that what the program does
    around it does not count."""
    once, (size, ram, stack, reads, back, _) = executed(work, old, patch, 1)
    twice, _ = executed(work, old, patch, 2)
    each = (twice - once) / size
    return {"size": size, "patch": Path(patch).stat().st_size, "ram": ram,
            "stack": stack, "instructions": each, "reads": reads / size,
            "back": back / size, "seconds": each * 2**20 * CYCLES / HERTZ}


def show(name, c):
    print(f"{name:<44} {c['size']:>8} {c['patch']:>7} {c['ram']:>6} "
          f"{c['stack']:>6} {c['instructions']:>8.0f} {c['reads']:>6.2f} "
          f"{c['back']:>6.2f} {c['seconds']:>7.1f}", flush=True)


def make(pair, ram, work):
    patch = work / "patch"
    run(bench.program(), "diff", "--ram", ram, pair["old"], pair["new"], "-o",
        patch, "--force")
    return pair["old"], patch


def measure(args, work):
    if args.files:
        yield "this one", cost(work, *args.files)
        return
    for pair in bench.load(args.corpus.resolve(), args.only, 2):
        yield pair["name"], cost(work, *make(pair, args.ram, work))


def options():
    parse = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parse.add_argument("files", nargs="*", metavar="OLD PATCH")
    parse.add_argument("--only", default="firmware-m4-*", metavar="GLOB")
    parse.add_argument("--ram", default="12", metavar="KB")
    parse.add_argument("--corpus", type=Path, metavar="FOLDER",
                       default=TOP / "build/delta-corpus")
    parse.add_argument("--check", action="store_true",
                       help=f"fail above {STACK} bytes of stack")
    args = parse.parse_args()
    if len(args.files) not in (0, 2):
        parse.error("an old image and a patch, or neither")
    return args


def main():
    args = options()
    print(f"{'pair':<44} {'image':>8} {'patch':>7} {'RAM':>6} {'stack':>6} "
          f"{'insns/B':>8} {'old/B':>6} {'back/B':>6} {'s/MB':>7}")
    deepest = 0
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        build(work)
        for name, c in measure(args, work):
            show(name, c)
            deepest = max(deepest, c["stack"])
    if args.check and deepest > STACK:
        raise SystemExit(f"error: {deepest} bytes of stack, {STACK} is the "
                         "bound")


if __name__ == "__main__":
    main()
