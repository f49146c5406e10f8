#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What patches for devices with one slot cost over those for two, on the pairs
of the corpus that are microcontrollers' or as small: `bowline diff --in-place`
without spare erase blocks and with some, each applied by `bowline patch
--in-place` and compared.

    in_place.py [--spare 0,4] [--block 4K] [--all] [--only 'firmware-*']
                [--json FILE] [--check]

The ratio is to `bowline diff` of the same pair with the same memory and
nothing left away; means are geometric. Exits 1 when a patch does not give the
new image, or when --check finds an aim missed."""
import argparse
import json
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import bench
import measure

AIMS = {0: 1.15, 4: 1.10}  # by spare blocks, of the mean
SMALL = ("mini-ft8-*", "hello-*", "firmware-*", "libssl-armhf-*",
         "openssl-armhf-*", "sshd-armhf-*", "ssh-armhf-*",
         "ssh-keygen-armhf-*", "sftp-server-armhf-*")


def size_of(bowline, pair, patch, ram, *more):
    _, wall, _ = measure.run([bowline, "diff", "--ram", str(ram), "--quiet",
                              pair["old"], pair["new"], "-o", patch, *more])
    return patch.stat().st_size, wall


def prove(bowline, pair, patch, image):
    image.write_bytes(Path(pair["old"]).read_bytes())
    measure.run([bowline, "patch", "--in-place", "--quiet", image, patch])
    if image.read_bytes() != Path(pair["new"]).read_bytes():
        raise SystemExit("another image came back")
    image.unlink()


def one_pair(bowline, pair, args):
    """Measures a pair; what fails is told in the result, not raised."""
    result = {key: pair[key] for key in ("name", "class", "new_size")}
    result.update(spare={}, failed=[])
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        try:
            result["two_slots"], _ = size_of(bowline, pair, work / "ab",
                                             args.ram)
            for spare in args.spare:
                patch = work / f"{spare}.patch"
                size, wall = size_of(
                    bowline, pair, patch, args.ram, "--in-place", "--block",
                    args.block, "--spare", str(spare))
                prove(bowline, pair, patch, work / "image")
                result["spare"][spare] = {"bytes": size, "seconds": wall}
        except SystemExit as why:
            result["failed"].append(str(why))
    return result


def ratio(result, spare):
    """To the patch for two slots; None where one of them failed."""
    ours = result["spare"].get(spare)
    return ours["bytes"] / result["two_slots"] if ours else None


def table(results, spares):
    wide = max(len(r["name"]) for r in results)
    head = "".join(f"{f'{n} spare':>10}{'ratio':>7}" for n in spares)
    print(f"{'pair':<{wide}} {'image':>9}{'2 slots':>9}{head}")
    for r in results:
        cells = "".join(
            f"{r['spare'][n]['bytes']:>10}{ratio(r, n):>7.3f}"
            if n in r["spare"] else f"{'FAILED':>10}{'-':>7}" for n in spares)
        print(f"{r['name']:<{wide}} {r['new_size']:>9}"
              f"{r.get('two_slots', '-'):>9}{cells}")


def summarize(results, spares):
    """{spare: what the whole comes to}, printed as well."""
    summary = {}
    for spare in spares:
        known = [r for r in results if ratio(r, spare)]
        if not known:
            continue
        worst = max(known, key=lambda r: ratio(r, spare))
        means = {c: bench.mean(ratio(r, spare) for r in known
                               if r["class"] == c)
                 for c in sorted({r["class"] for r in known})}
        mean = bench.mean(ratio(r, spare) for r in known)
        summary[spare] = {"pairs": len(known), "mean": mean,
                          "classes": means, "worst": worst["name"]}
        print(f"\n{spare} spare blocks, {len(known)} pairs: {mean:.3f} of "
              "the patch for two slots ("
              f"{', '.join(f'{c} {m:.3f}' for c, m in means.items())}); "
              f"worst: {worst['name']} {ratio(worst, spare):.3f}")
    return summary


def missed(summary):
    """The aims that are not met, as lines."""
    return [f"{spare} spare blocks: " +
            (f"mean {summary[spare]['mean']:.3f}, the aim is {aim}"
             if spare in summary else "not measured")
            for spare, aim in AIMS.items()
            if spare not in summary or summary[spare]["mean"] > aim]


def options():
    parse = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parse.add_argument("--ram", type=int, default=bench.AIM_RAM, metavar="KB")
    parse.add_argument("--spare", default="0,4", metavar="N,N",
                       help="spare erase blocks; else 0,4")
    parse.add_argument("--block", default="4K", metavar="SIZE")
    parse.add_argument("--all", action="store_true",
                       help="every pair, also of large computers' programs")
    parse.add_argument("--only", default="*", metavar="GLOB",
                       help="pairs by name")
    parse.add_argument("--corpus", type=Path, metavar="FOLDER",
                       default=bench.TOP / "build/delta-corpus",
                       help="built when it is not there")
    parse.add_argument("--json", type=Path, metavar="FILE")
    parse.add_argument("--jobs", type=int, default=bench.os.cpu_count() or 1)
    parse.add_argument("--check", action="store_true",
                       help="fail when an aim is missed")
    args = parse.parse_args()
    try:
        args.spare = [int(n) for n in args.spare.split(",")]
    except ValueError:
        parse.error("--spare takes numbers, as 0,4")
    if args.check and not set(AIMS) <= set(args.spare):
        parse.error(f"--check needs --spare {','.join(map(str, AIMS))}")
    return args


def chosen(args):
    try:
        pairs = bench.load(args.corpus.resolve(), args.only, args.jobs)
    except bench.corpus.firmware.Failed as why:
        raise SystemExit(f"bench: {why}") from None
    if not args.all:
        pairs = [p for p in pairs
                 if any(bench.fnmatch.fnmatch(p["name"], one)
                        for one in SMALL)]
    if not pairs:
        raise SystemExit(f"bench: no pair is called {args.only}")
    return pairs


def main():
    args = options()
    pairs = chosen(args)
    bowline = bench.program()
    progress = bench.Progress(len(pairs))

    def work(pair):
        result = one_pair(bowline, pair, args)
        progress.step(pair["name"])
        return result

    with ThreadPoolExecutor(max(1, args.jobs)) as pool:
        results = list(pool.map(work, pairs))
    table(results, args.spare)
    summary = summarize(results, args.spare)
    if args.json:
        args.json.write_text(json.dumps(
            {"pairs": results, "summary": summary}, indent=1) + "\n")
    bad = [f"{r['name']}: {why}" for r in results for why in r["failed"]]
    if args.check:
        bad += missed(summary)
    for line in bad:
        print(f"error: {line}", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
