# SPDX-License-Identifier: Apache-2.0
"""What others make of a pair: Debian's bsdiff, xdelta3 and zstd, each with
its strongest settings, each applied again."""
import shutil
import subprocess


class Failed(Exception):
    pass


def sh(*args):
    done = subprocess.run([str(a) for a in args], capture_output=True,
                          check=False)
    if done.returncode != 0:
        raise Failed(f"{args[0]}: {done.stderr.decode().strip()[-300:]}")


def bsdiff(old, new, patch, back):
    sh("bsdiff", old, new, patch)
    sh("bspatch", old, back, patch)


def xdelta3(old, new, patch, back):
    sh("xdelta3", "-e", "-q", "-f", "-9", "-S", "lzma", "-s", old, new, patch)
    sh("xdelta3", "-d", "-q", "-f", "-s", old, patch, back)


def zstd(old, new, patch, back):
    sh("zstd", "-q", "-f", "--ultra", "-22", "--long=27",
       f"--patch-from={old}", new, "-o", patch)
    sh("zstd", "-q", "-f", "-d", "--long=27", f"--patch-from={old}", patch,
       "-o", back)


PEERS = {"bsdiff": bsdiff, "xdelta3": xdelta3, "zstd": zstd}


def missing():
    return [name for name in PEERS if shutil.which(name) is None]


def sizes(old, new, work):
    """{peer: bytes of the patch}"""
    found = {}
    for name, make in PEERS.items():
        patch, back = work / f"{name}.patch", work / f"{name}.back"
        make(old, new, patch, back)
        if back.read_bytes() != new.read_bytes():
            raise Failed(f"{name}: another image than {new.name} came back")
        found[name] = patch.stat().st_size
        patch.unlink()
        back.unlink()
    return found
