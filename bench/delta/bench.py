#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Sizes of deltas: `bowline diff` beside bsdiff, xdelta3 and zstd on every
pair of the corpus, each patch applied again and compared.

    bench.py [--ram 12] [--only 'firmware-*'] [--json FILE] [--check]

The ratio is to bsdiff, means are geometric. Exits 1 when a patch does not
give the new image, or when --check finds an aim missed."""
import argparse
import fnmatch
import json
import math
import os
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import corpus
import measure
import peers

TOP = Path(__file__).resolve().parent.parent.parent
RAM = (6, 8, 12, 16, 32)
AIM_RAM = 12
AIM_MEAN = 0.25
AIM_WORST = 0.9
AIM_SAME = 64


def program():
    given = os.environ.get("BOWLINE_BIN")
    folder = Path(given) if given else TOP / "bin"
    return str(folder / "bowline") if folder.is_dir() else str(folder)


def one_profile(bowline, pair, ram, work):
    """Our side of a pair: bytes, and what making and applying costs."""
    patch, back = work / f"{ram}.patch", work / f"{ram}.back"
    cpu, wall, peak = measure.run([bowline, "diff", "--ram", str(ram),
                                   pair["old"], pair["new"], "-o", patch])
    _, apply, _ = measure.run([bowline, "patch", pair["old"], patch, back])
    if back.read_bytes() != Path(pair["new"]).read_bytes():
        raise SystemExit("another image came back")
    return {"bytes": patch.stat().st_size, "seconds": wall, "cpu": cpu,
            "peak_mb": peak, "apply_seconds": apply}


def one_pair(bowline, pair, profiles):
    """Measures a pair; what fails is told in the result, not raised."""
    result = {key: pair[key] for key in ("name", "class", "isa", "new_size")}
    result.update(ours={}, failed=[])
    result["same"] = (Path(pair["old"]).read_bytes()
                      == Path(pair["new"]).read_bytes())
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        try:
            result["peers"] = peers.sizes(Path(pair["old"]),
                                          Path(pair["new"]), work)
        except peers.Failed as why:
            result["peers"] = {}
            result["failed"].append(str(why))
        for ram in profiles:
            try:
                result["ours"][ram] = one_profile(bowline, pair, ram, work)
            except SystemExit as why:
                result["failed"].append(f"--ram {ram}: {why}")
    return result


class Progress:
    def __init__(self, total):
        self.total = total
        self.done = 0
        self.shown = sys.stderr.isatty()

    def step(self, name):
        self.done += 1
        if self.shown:
            full = 30 * self.done // self.total
            print(f"\r\033[K[{'#' * full}{'.' * (30 - full)}] "
                  f"{self.done}/{self.total} {name}",
                  end="" if self.done < self.total else "\r\033[K",
                  file=sys.stderr, flush=True)


def ratio(result, ram):
    """To bsdiff; None where one of the two failed."""
    ours, base = result["ours"].get(ram), result["peers"].get("bsdiff")
    return ours["bytes"] / base if ours and base else None


def mean(values):
    values = [v for v in values if v]
    if not values:
        return None
    return math.exp(sum(map(math.log, values)) / len(values))


def show(value):
    return "-" if value is None else f"{value:.3f}"


def table(results, profiles):
    wide = max(len(r["name"]) for r in results)
    head = "".join(f"{f'{ram} KB':>9}" for ram in profiles)
    print(f"{'pair':<{wide}} {'image':>9}{head}"
          f"{'bsdiff':>9}{'xdelta3':>9}{'zstd':>9} {'ratio':>6}"
          f"{'cpu s':>7}{'MB':>6}")
    for r in results:
        ours = "".join(f"{r['ours'][ram]['bytes']:>9}" if ram in r["ours"]
                       else f"{'FAILED':>9}" for ram in profiles)
        others = "".join(f"{r['peers'].get(name, '-'):>9}"
                         for name in peers.PEERS)
        cost = max(r["ours"].values(), key=lambda o: o["cpu"],
                   default={"cpu": 0, "peak_mb": 0})
        print(f"{r['name']:<{wide}} {r['new_size']:>9}{ours}{others} "
              f"{show(ratio(r, main_ram(profiles))):>6}"
              f"{cost['cpu']:>7.1f}{cost['peak_mb']:>6.0f}")


def main_ram(profiles):
    return AIM_RAM if AIM_RAM in profiles else profiles[0]


def summarize(results, profiles):
    """{ram: what the whole comes to}, printed as well."""
    classes = sorted({r["class"] for r in results})
    summary = {}
    for ram in profiles:
        known = [r for r in results if ratio(r, ram)]
        if not known:
            print(f"\n{ram} KB: no pair could be measured")
            continue
        worst = max(known, key=lambda r: ratio(r, ram))
        cost = [r["ours"][ram] for r in known]
        means = {c: mean(ratio(r, ram) for r in known if r["class"] == c)
                 for c in classes}
        of_peers = {name: mean(r["ours"][ram]["bytes"] / r["peers"][name]
                               for r in known) for name in peers.PEERS}
        of_best = mean(r["ours"][ram]["bytes"] / min(r["peers"].values())
                       for r in known)
        summary[ram] = {
            "pairs": len(known), "mean": mean(ratio(r, ram) for r in known),
            "classes": means, "peers": of_peers, "best_peer": of_best,
            "worst": {"name": worst["name"], "ratio": ratio(worst, ram)},
            "cpu": sum(c["cpu"] for c in cost),
            "peak_mb": max(c["peak_mb"] for c in cost)}
        s = summary[ram]
        print(f"\n{ram} KB of RAM, {len(known)} pairs: "
              f"{s['mean']:.3f} of bsdiff "
              f"({', '.join(f'{c} {show(m)}' for c, m in means.items())}); "
              f"{of_peers['xdelta3']:.3f} of xdelta3, "
              f"{of_peers['zstd']:.3f} of zstd, "
              f"{of_best:.3f} of the best of them\n"
              f"worst: {worst['name']} {ratio(worst, ram):.3f}; "
              f"encoder: {s['cpu']:.1f} s of CPU in all, at most "
              f"{max(c['cpu'] for c in cost):.1f} s and "
              f"{s['peak_mb']:.0f} MB for a pair")
    return summary


def missed(results, summary, aim):
    """The aims that are not met, as lines."""
    lines = []
    if AIM_RAM not in summary:
        return [f"nothing was measured at {AIM_RAM} KB"]
    if summary[AIM_RAM]["mean"] > aim:
        lines.append(f"mean {summary[AIM_RAM]['mean']:.3f} of bsdiff, "
                     f"the aim is {aim}")
    for r in results:
        found = ratio(r, AIM_RAM)
        if found is None:
            lines.append(f"{r['name']}: not measured")
        elif r["same"]:
            size = r["ours"][AIM_RAM]["bytes"]
            if size >= AIM_SAME:
                lines.append(f"{r['name']}: {size} bytes for identical "
                             f"images, {AIM_SAME} is the bound")
        elif found > AIM_WORST:
            lines.append(f"{r['name']}: {found:.3f} of bsdiff, {AIM_WORST} "
                         "is the bound")
    return lines


def profiles_of(text):
    if text == "all":
        return list(RAM)
    chosen = [int(one) for one in text.split(",")]
    if not set(chosen) <= set(RAM):
        raise ValueError
    return chosen


def load(folder, only, jobs):
    """The pairs to measure, their files as absolute paths."""
    manifest = folder / "pairs.json"
    if not manifest.exists():
        print(f"building the corpus in {folder}", file=sys.stderr)
        corpus.build(folder, corpus.KINDS, jobs=jobs)
    pairs = json.loads(manifest.read_text())
    for pair in pairs:
        for side in ("old", "new"):
            pair[side] = str(folder / pair[side])
    return [p for p in pairs if fnmatch.fnmatch(p["name"], only)]


def options():
    parse = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parse.add_argument("--ram", default=str(AIM_RAM), metavar="KB",
                       help=f"profiles, comma-separated, of {RAM}, or all")
    parse.add_argument("--only", default="*", metavar="GLOB",
                       help="pairs by name")
    parse.add_argument("--corpus", type=Path, metavar="FOLDER",
                       default=TOP / "build/delta-corpus",
                       help="built when it is not there")
    parse.add_argument("--json", type=Path, metavar="FILE")
    parse.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parse.add_argument("--check", action="store_true",
                       help="fail when an aim is missed")
    parse.add_argument("--aim", type=float, default=AIM_MEAN,
                       help="of the mean, for --check")
    args = parse.parse_args()
    try:
        args.ram = profiles_of(args.ram)
    except ValueError:
        parse.error(f"--ram takes {', '.join(map(str, RAM))}, or all")
    if args.check and AIM_RAM not in args.ram:
        parse.error(f"--check needs --ram {AIM_RAM}")
    return args


def measure_all(pairs, args):
    bowline = program()
    if not os.access(bowline, os.X_OK):
        raise SystemExit(f"bench: no program {bowline}: run make, or set "
                         "BOWLINE_BIN")
    if peers.missing():
        raise SystemExit(f"bench: {', '.join(peers.missing())} not "
                         "installed: make bench-delta installs them")
    progress = Progress(len(pairs))

    def work(pair):
        result = one_pair(bowline, pair, args.ram)
        progress.step(pair["name"])
        return result

    with ThreadPoolExecutor(max(1, args.jobs)) as pool:
        return list(pool.map(work, pairs))


def main():
    args = options()
    try:
        pairs = load(args.corpus.resolve(), args.only, args.jobs)
    except corpus.firmware.Failed as why:
        raise SystemExit(f"bench: {why}") from None
    if not pairs:
        raise SystemExit(f"bench: no pair is called {args.only}")
    results = measure_all(pairs, args)
    table(results, args.ram)
    summary = summarize(results, args.ram)
    if args.json:
        args.json.write_text(json.dumps(
            {"pairs": results, "summary": summary}, indent=1) + "\n")
    bad = [f"{r['name']}: {why}" for r in results for why in r["failed"]]
    if args.check:
        bad += missed(results, summary, args.aim)
    for line in bad:
        print(f"error: {line}", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
