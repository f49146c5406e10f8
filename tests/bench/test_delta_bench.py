# SPDX-License-Identifier: Apache-2.0
"""The delta measurements: that they measure, and that they notice."""
import importlib
import json
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
BENCH = TOP / "bench/delta"
BIN = Path(os.environ.get("BOWLINE_BIN", TOP / "bin")).resolve()
MODULES = ("elf", "trivial", "debian", "esp", "firmware", "corpus", "peers",
           "measure", "bench")

# A program in bowline's place: the new image is the patch. SPOIL spoils it.
STAND_IN = """#!/bin/sh
case $1 in
diff) cp "$5" "$7" ;;
patch) cp "$3" "$4"; [ -z "$SPOIL" ] || echo spoilt >>"$4" ;;
esac
"""


@pytest.fixture
def module(monkeypatch):
    """module(name): one of the measurements' own."""
    monkeypatch.syspath_prepend(str(BENCH.parent))
    monkeypatch.syspath_prepend(str(BENCH))
    for name in MODULES:
        sys.modules.pop(name, None)
    yield importlib.import_module
    for name in MODULES:
        sys.modules.pop(name, None)


@pytest.fixture
def folder(tmp_path, module):
    """A corpus of three small pairs."""
    corpus = module("corpus").Corpus(tmp_path / "corpus")
    image = b"".join(struct.pack("<IH", i * 2654435761 % 2**32, i % 7)
                     for i in range(3000))
    base = {"name": "image", "isa": "raw", "old": image, "hints": {}}
    wanted = ("trivial-same", "trivial-byte", "trivial-insert-64")
    for pair in module("trivial").pairs(base):
        if pair["name"] in wanted:
            corpus.add(pair)
    assert len(corpus.entries) == 3
    corpus.finish()
    return corpus.dir


@pytest.fixture
def stand_in(tmp_path):
    program = tmp_path / "stand-in/bowline"
    program.parent.mkdir()
    program.write_text(STAND_IN)
    program.chmod(0o755)
    return program.parent


def bench(folder, programs, *args, **env):
    return subprocess.run(
        ["/usr/bin/python3", BENCH / "bench.py", "--corpus", folder, *args],
        env=dict(os.environ, BOWLINE_BIN=str(programs), **env),
        capture_output=True, text=True, timeout=300)


def test_measures_every_pair_beside_the_peers(folder, stand_in, tmp_path):
    out = tmp_path / "out.json"
    run = bench(folder, stand_in, "--ram", "12,16", "--json", out)
    assert run.returncode == 0, run.stderr
    result = json.loads(out.read_text())
    assert len(result["pairs"]) == 3 and set(result["summary"]) == {"12", "16"}
    for pair in result["pairs"]:
        assert pair["ours"]["12"]["bytes"] == pair["new_size"]
        assert 0 < pair["peers"]["bsdiff"] < 1000
        assert set(pair["peers"]) == {"bsdiff", "xdelta3", "zstd"}
        assert f"{pair['name']} " in run.stdout
    assert result["summary"]["12"]["mean"] > 10


def test_another_image_than_the_new_one_is_a_failure(folder, stand_in):
    run = bench(folder, stand_in, "--only", "trivial-byte", SPOIL="yes")
    assert run.returncode == 1
    assert "trivial-byte: --ram 12: another image came back" in run.stderr


def test_a_program_that_fails_is_a_failure(folder, tmp_path):
    broken = tmp_path / "broken/bowline"
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\necho 'no such command' >&2; exit 2\n")
    broken.chmod(0o755)
    run = bench(folder, broken.parent)
    assert run.returncode == 1 and "no such command" in run.stderr


def test_check_names_each_aim_that_is_missed(folder, stand_in):
    run = bench(folder, stand_in, "--check")
    assert run.returncode == 1
    assert "error: mean " in run.stderr
    assert "bytes for identical images, 64 is the bound" in run.stderr
    assert "trivial-byte: " in run.stderr


@pytest.mark.parametrize("args", [("--ram", "13"), ("--ram", "x"),
                                  ("--ram", "16", "--check"),
                                  ("--only", "nothing")])
def test_what_cannot_be_measured_is_refused(folder, stand_in, args):
    run = bench(folder, stand_in, *args)
    assert run.returncode != 0 and run.stderr


def test_bowline_meets_the_bounds_on_small_pairs(folder):
    run = bench(folder, BIN, "--check", "--aim", "0.9")
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_mean_is_geometric(module):
    assert module("bench").mean([0.5, 2.0, None]) == pytest.approx(1.0)
    assert module("bench").mean([]) is None


def test_trivial_edits_are_what_they_say(module):
    image = b"".join(i.to_bytes(2, "big") for i in range(8192))
    new = dict(module("trivial").edits(image))
    assert new["same"] == image
    assert sum(a != b for a, b in zip(new["byte"], image)) == 1
    assert new["swap-halves"][8192:] == image[:8192]
    assert len(new["insert-64"]) == len(image) + 64
    assert len({*new.values()}) == len(new)


def test_versions_in_names_say_what_differs(module):
    short = module("debian").short
    assert short("1:9.2p1-2+deb12u7", "1:9.2p1-2+deb12u10") \
        == "deb12u7-deb12u10"
    assert short("3.0.17-1~deb12u2", "3.0.20-1~deb12u2") == "3.0.17-3.0.20"


class FakeApt:
    arch = "armhf"

    def __init__(self, **known):
        self.known = {v.replace("_", "."): {s} for v, s in known.items()}

    def versions(self, _):
        return self.known


def test_each_step_within_a_release_is_a_pair(module):
    steps = module("debian").steps
    apt = FakeApt(v1_10="bookworm", v1_9="bookworm-updates",
                  v1_11="bookworm-security", v2_0="trixie",
                  v1_99="bookworm-backports")
    assert steps(apt, "p", None) == [("v1.9", "v1.10"), ("v1.10", "v1.11")]
    assert steps(apt, "p", "trixie") == [("v1.11", "v2.0")]


def test_a_mirror_with_one_version_is_told(module):
    debian = module("debian")
    with pytest.raises(debian.Missing, match="has only v1.0 for bookworm"):
        debian.steps(FakeApt(v1_0="bookworm"), "p", None)
    with pytest.raises(debian.Missing, match="the mirror has none"):
        debian.steps(FakeApt(), "p", None)


def test_regions_of_an_elf_file(module):
    elf = module("elf")
    data = Path("/bin/true").read_bytes()
    if shutil.which("readelf") is None:
        pytest.fail("binutils are in packages.txt")
    lines = subprocess.run(["readelf", "-lW", "/bin/true"], text=True,
                           capture_output=True, check=True).stdout
    loads = [line.split() for line in lines.splitlines()
             if line.split()[:1] == ["LOAD"]]
    assert [(r["off"], r["addr"], r["len"]) for r in elf.regions(data)] == \
        [(int(w[1], 16), int(w[2], 16), int(w[4], 16)) for w in loads]


def test_an_edit_of_the_sources_that_finds_nothing_says_so(module, tmp_path):
    firmware = module("firmware")
    (tmp_path / "a.h").write_text("struct b {\n")
    with pytest.raises(firmware.Failed, match="nothing matches"):
        firmware.edit(tmp_path / "a.h", r"^struct a \{", "")


def test_every_edit_of_the_firmware_still_finds_its_place(module, tmp_path):
    firmware = module("firmware")
    edited = [name for name, row in firmware.REVISIONS.items() if row[3]]
    trees = {firmware.make_tree("m4", name, tmp_path) for name in edited}
    assert len(trees) == len(edited) >= 2


def test_the_firmware_finds_all_its_sources_and_headers(module, tmp_path):
    firmware = module("firmware")
    tree = firmware.make_tree("m4", "base", tmp_path)
    files = firmware.files_of(tree, True)
    run = subprocess.run(
        ["cc", "-M", '-DVERSION="1"', '-DBUILT="1"', "-DFEATURE", "-DFIX",
         *firmware.includes(tree), *files], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
