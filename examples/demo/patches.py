# SPDX-License-Identifier: Apache-2.0
"""Patches instead of whole images: who got which, and what that saved, by the
server's count and by the devices' own logs."""
import re
import time
from collections import Counter

FETCHED = re.compile(r"fetched (\d+) bytes of (deltas|payloads)/([0-9a-f]{64})"
                     r" from \d+$", re.M)


def size(n):
    """As people say it."""
    return f"{n / 1e6:.1f} MB" if n >= 1e6 else f"{n / 1e3:.1f} KB"


def of(project, version):
    """The patches to a release, as the server has them."""
    return project.call("release", "delta", version, quiet=True)["items"]


def wait(screen, wanted, seconds=120):
    """`wanted`: what we call it, the project, and the version. Until the
    server has made a patch of each, or cannot; the patches that are ready."""
    end = time.monotonic() + seconds
    while True:
        found = [(name, p) for name, project, version in wanted
                 for p in of(project, version)]
        screen.live("patches: " + ("; ".join(
            f"{name} from {p['from']} {p['state']}" for name, p in found) or
            "the server counts who runs what"), [])
        ready = {name: p for name, p in found if p["state"] == "ready"}
        open_ones = [p for _, p in found if p["state"] in ("queued", "making")]
        if len({name for name, _ in found}) == len(wanted) and not open_ones:
            break
        if time.monotonic() > end:
            break
        time.sleep(0.3)
    screen.erase()
    for name, p in found:
        screen.say(f"     {name}: from {p['from']} for {p['devices']} "
                   f"devices, {p['ram'] // 1024} KB of memory: {p['state']} "
                   f"in {p['seconds']:.1f} s, {p['size']:,} bytes instead of "
                   f"{p['full_size']:,}{' ' + p['reason']}".rstrip())
    return ready


def fetched(device, begin=0):
    """What it fetched, by its own log: bytes by "deltas" and "payloads"."""
    text = (device.dir / "log").read_bytes()[begin:].decode()
    sums = Counter()
    for match in FETCHED.finditer(text):
        sums[match[2]] += int(match[1])
    return sums


def log_ends(devices):
    """How long each device's log is now."""
    return {d.name: (d.dir / "log").stat().st_size for d in devices}


def judge(expect, project, devices, patch, version, begin, whole=()):
    """All but those in `whole` fetched the patch and nothing else, and the
    server says the same."""
    by_name = {d.name: fetched(d, begin[d.name]) for d in devices}
    full = patch["full_size"]
    patched = [n for n, f in by_name.items() if f["deltas"] and
               not f["payloads"]]
    saved = sum(full - by_name[n]["deltas"] for n in patched)
    right = sorted(patched) == sorted(n for n in by_name if n not in whole) \
        and all(by_name[n]["deltas"] == patch["size"] for n in patched)
    now = next(p for p in of(project, version)
               if p["number"] == patch["number"])
    expect(right and saved > 0,
           f"patch {patch['size']:,} bytes instead of {full:,} "
           f"({100 * patch['size'] / full:.1f}%): {len(patched)} devices "
           f"saved {full - patch['size']:,} bytes each, {size(saved)} in "
           "all, by their own logs")
    expect(now["installed"] == len(patched) and now["saved"] == saved,
           f"the server counted {now['installed']} updates by patch and "
           f"{size(now['saved'])} saved: the same, to the byte")
    return by_name


def judge_whole(expect, full, two, refused):
    """Whose patch was damaged, and who takes none: what they fetched.
    `refused`: the event that told of it."""
    (bad, got), (other, of_other) = two
    expect(refused and got["payloads"] == full,
           f"{bad}: its patch was damaged on the way; it refused that and "
           f"fetched the whole {full:,} bytes: " +
           (refused["meaning"] if refused else "not as told"))
    expect(of_other["payloads"] == full and not of_other["deltas"],
           f"{other}: without memory to apply patches it was offered none, "
           f"and fetched the whole {full:,} bytes")
