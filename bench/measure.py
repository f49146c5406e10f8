# SPDX-License-Identifier: Apache-2.0
"""What the measurements share: running a command with its cost, and ratios
that are taken within a round, so that a noisy machine hits both sides."""
import os
import statistics
import subprocess
import tempfile
import time


def peak_mb(pid):
    """Peak resident size so far. Not rusage's: that counts the program that
    forked, too."""
    try:
        with open(f"/proc/{pid}/status") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0.0


def run(args, **more):
    """Runs a command; returns (cpu seconds, wall seconds, peak RSS in MB)."""
    with tempfile.TemporaryFile() as errors:
        begin = time.monotonic()
        child = subprocess.Popen(args, stdout=subprocess.DEVNULL,
                                 stderr=errors, **more)
        peak = 0.0
        while True:
            peak = max(peak, peak_mb(child.pid))
            pid, status, usage = os.wait4(child.pid, os.WNOHANG)
            if pid:
                break
            time.sleep(0.005)
        wall = time.monotonic() - begin
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            errors.seek(0)
            raise SystemExit(f"{args[0]} failed: {errors.read()[-600:]}")
    return usage.ru_utime + usage.ru_stime, wall, peak


def process_cpu(pid):
    """CPU seconds that a running process has used, all its threads."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def spread(values):
    return (f"{statistics.median(values):.2f} "
            f"({min(values):.2f}-{max(values):.2f})")


def ratios(rounds, name, base, index):
    return [r[name][index] / r[base][index] for r in rounds]
