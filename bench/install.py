#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Cost of one verified installation of the same image by Bowline's core, by
RAUC, by SWUpdate, and by the floor under all of them (one pass: read, SHA-256
by OpenSSL, write, fdatasync), alternating, on one file system.

RAUC and SWUpdate are Debian's, set up as their manuals say: a plain bundle
with uncompressed squashfs, and a CMS-signed image written directly. RAUC's
cost is its service's and its client's, less those of an idle service."""
import argparse
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import measure

TOP = Path(__file__).resolve().parent.parent
PROGRAM = TOP / "build/bench/test-programs/bench_install"


def sh(*args, **more):
    subprocess.run(args, check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.PIPE, **more)


def make_image(path, megabytes):
    """Bytes that look like firmware: this machine's own libraries."""
    want = megabytes << 20
    with open(path, "wb") as out:
        for name in sorted(Path("/usr/lib").rglob("*.so*")):
            if want == 0:
                return
            if name.is_file() and not name.is_symlink():
                data = name.read_bytes()[:want]
                out.write(data)
                want -= len(data)
    if want:
        raise SystemExit(f"/usr/lib holds {want} bytes too few")


def make_keys(d):
    sh("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
       "ec_paramgen_curve:P-256", "-nodes", "-keyout", d / "key.pem",
       "-out", d / "cert.pem", "-subj", "/CN=bench", "-days", "10",
       "-addext", "extendedKeyUsage=codeSigning",
       "-addext", "keyUsage=digitalSignature")


class Rauc:
    def __init__(self, d, image, size):
        self.d = d
        for slot in "ab":
            with open(d / f"rauc.{slot}", "wb") as f:
                f.truncate(size)
        (d / "system.conf").write_text(
            f"[system]\ncompatible=bench\nbootloader=noop\n"
            f"statusfile={d}/status\nmountprefix={d}/mnt\n"
            f"bundle-formats=plain\n"
            f"[keyring]\npath={d}/cert.pem\ncheck-purpose=codesign\n"
            f"[slot.rootfs.0]\ndevice={d}/rauc.a\ntype=raw\nbootname=A\n"
            f"[slot.rootfs.1]\ndevice={d}/rauc.b\ntype=raw\nbootname=B\n")
        content = d / "content"
        content.mkdir()
        os.link(image, content / "rootfs.img")
        (content / "manifest.raucm").write_text(
            "[update]\ncompatible=bench\nversion=2\n[bundle]\nformat=plain\n"
            "[image.rootfs]\nfilename=rootfs.img\n")
        sh("rauc", "bundle", f"--cert={d}/cert.pem", f"--key={d}/key.pem",
           "--mksquashfs-args=-noD -noI -noF -noX",
           content, d / "bundle.raucb")
        (d / "dbus.conf").write_text(
            '<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus '
            'Configuration 1.0//EN" "http://www.freedesktop.org/standards/'
            'dbus/1.0/busconfig.dtd"><busconfig><type>system</type>'
            f'<listen>unix:path={d}/bus</listen><policy context="default">'
            '<allow send_destination="*"/><allow own="*"/>'
            '<allow receive_sender="*"/></policy></busconfig>')
        self.env = dict(os.environ,
                        DBUS_SYSTEM_BUS_ADDRESS=f"unix:path={d}/bus")

    def session(self, install):
        """One service, started and stopped, with or without an install."""
        bus = subprocess.Popen(
            ["dbus-daemon", f"--config-file={self.d}/dbus.conf", "--nofork"],
            stderr=subprocess.DEVNULL)
        while not (self.d / "bus").exists():
            time.sleep(0.01)
        service = subprocess.Popen(
            ["rauc", f"--conf={self.d}/system.conf", "--override-boot-slot=A",
             "service"], env=self.env, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        time.sleep(0.3)
        cpu = wall = 0.0
        if install:
            cpu, wall, _ = measure.run(
                ["rauc", "install", str(self.d / "bundle.raucb")],
                env=self.env)
        peak = measure.peak_mb(service.pid)
        service.terminate()
        _, _, usage = os.wait4(service.pid, 0)
        service.returncode = 0
        bus.terminate()
        bus.wait()
        (self.d / "bus").unlink(missing_ok=True)
        return (cpu + usage.ru_utime + usage.ru_stime, wall,
                peak)

    def __call__(self):
        idle = self.session(False)
        cost = self.session(True)
        return cost[0] - idle[0], cost[1], cost[2]


class SwUpdate:
    def __init__(self, d, image, size):
        self.d = d
        target = d / "swupdate.slot"
        with open(target, "wb") as f:
            f.truncate(size)
        work = d / "swu"
        work.mkdir()
        digest = subprocess.run(["openssl", "dgst", "-sha256", "-r", image],
                                check=True, capture_output=True,
                                text=True).stdout.split()[0]
        (work / "sw-description").write_text(
            'software = { version = "2.0"; hardware-compatibility = ["1.0"];\n'
            ' images: ( { filename = "rootfs.img"; type = "raw";\n'
            f'  device = "{target}"; installed-directly = true;\n'
            f'  sha256 = "{digest}"; }} ); }}\n')
        os.link(image, work / "rootfs.img")
        sh("openssl", "cms", "-sign", "-in", work / "sw-description", "-out",
           work / "sw-description.sig", "-signer", d / "cert.pem", "-inkey",
           d / "key.pem", "-outform", "DER", "-nosmimecap", "-binary")
        with open(d / "image.swu", "wb") as out:
            subprocess.run(["cpio", "-o", "-H", "crc", "--quiet"], cwd=work,
                           input=b"sw-description\nsw-description.sig\n"
                                 b"rootfs.img\n", stdout=out, check=True)

    def __call__(self):
        return measure.run(["swupdate", "-k", str(self.d / "cert.pem"),
                            "-H", "bench:1.0", "--cert-purpose",
                            "codeSigning", "-i", str(self.d / "image.swu")])


def own(mode, d, image):
    run = subprocess.run([PROGRAM, mode, d, image], check=True,
                         capture_output=True, text=True)
    cpu, wall, rss = map(float, run.stdout.split())
    return cpu, wall, rss / 1024


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--megabytes", type=int, default=64)
    arguments.add_argument("--rounds", type=int, default=7)
    options = arguments.parse_args()
    d = Path(tempfile.mkdtemp(prefix="bowline-bench-",
                              dir=TOP / "build/bench"))
    try:
        measure_all(d, options)
    finally:
        shutil.rmtree(d)


def measure_all(d, options):
    image = d / "image"
    make_image(image, options.megabytes)
    make_keys(d)
    own_dir = d / "own"
    own_dir.mkdir()
    sh(PROGRAM, "prepare", own_dir, image)
    size = options.megabytes << 20
    ways = {"floor": lambda: own("floor", own_dir, image),
            "bowline": lambda: own("bowline", own_dir, image),
            "rauc": Rauc(d, image, size),
            "swupdate": SwUpdate(d, image, size)}
    rounds = []
    for number in range(options.rounds + 1):
        costs = {name: way() for name, way in ways.items()}
        if number:  # the first round warms the caches
            rounds.append(costs)
    print(f"\nInstallation of {options.megabytes} MiB, {options.rounds} "
          f"rounds, alternating; median (min-max)\n")
    print("| | CPU / floor | wall / floor | CPU ms per MiB | peak RSS MB |")
    print("|---|---|---|---|---|")
    for name in ways:
        cpu = measure.ratios(rounds, name, "floor", 0)
        wall = measure.ratios(rounds, name, "floor", 1)
        per = statistics.median(r[name][0] for r in rounds) * 1000
        rss = statistics.median(r[name][2] for r in rounds)
        print(f"| {name} | {measure.spread(cpu)} | {measure.spread(wall)} | "
              f"{per / options.megabytes:.2f} | {rss:.0f} |")


if __name__ == "__main__":
    main()
