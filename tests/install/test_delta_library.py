# SPDX-License-Identifier: Apache-2.0
"""docs/DELTA-LIBRARY.md followed to the letter, out of the source tree: its
program, built with what `make install` leaves, applies patches in 12 KB."""
import os
import random
import re
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BOWLINE_BUILD", "build/dev")).resolve()
PAGE = (TOP / "docs/DELTA-LIBRARY.md").read_text()


def run(*command, cwd=None, code=0, **environment):
    done = subprocess.run([str(c) for c in command], cwd=cwd,
                          capture_output=True, text=True, timeout=300,
                          env={**os.environ, **environment})
    assert done.returncode == code, f"{command}:\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def block(language):
    [found] = re.findall(rf"```{language}\n(.*?)```", PAGE, re.S)
    return found


def sanitizers():
    cache = (BUILD / "CMakeCache.txt").read_text()
    found = re.search(r"^BOWLINE_SANITIZE:BOOL=(.*)$", cache, re.M)
    return ["-fsanitize=address,undefined"] \
        if found.group(1) in ("ON", "TRUE", "1") else []


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    there = tmp_path_factory.mktemp("prefix")
    run("cmake", "--install", BUILD, "--prefix", there, DESTDIR="")
    return there


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    rnd = random.Random(11)
    old = bytes(rnd.choices(b"abcdefgh \n\0\1", k=60000))
    new = old[:20000] + rnd.randbytes(500) + old[21000:] + old[:3000]
    (folder / "app-1.4.1.bin").write_bytes(old)
    (folder / "app-1.4.2.bin").write_bytes(new)
    (folder / "large").write_bytes(bytes(rnd.choices(b"ab", k=1 << 20)))
    return folder


@pytest.fixture(scope="module")
def apply(prefix, tmp_path_factory):
    """The page's program, by the page's command."""
    folder = tmp_path_factory.mktemp("apply")
    (folder / "apply.c").write_text(block("c"))
    [line] = re.findall(r"^    (cc -O2 .*)$", PAGE, re.M)
    line = line.replace("cc -O2", " ".join(
        ["cc -O2 -std=c99 -Wall -Wextra -Wpedantic -Werror", *sanitizers()]))
    run("sh", "-ec", line, cwd=folder,
        PKG_CONFIG_PATH=str(prefix / "lib/pkgconfig"))
    return folder / "apply"


def test_the_page_shows_the_example():
    text = (TOP / "examples/delta/apply.c").read_text()
    assert text.split("\n", 1)[1] == block("c")


def make(prefix, images, patch, *options):
    """By the page's first command."""
    [line] = re.findall(r"^    (bowline diff .*)$", PAGE, re.M)
    words = line.split()[1:]
    words[words.index("-o") + 1] = str(patch)
    run(prefix / "bin/bowline", *words, *options, cwd=images)


def test_the_program_applies_a_patch(prefix, images, apply, tmp_path):
    make(prefix, images, tmp_path / "p")
    assert (tmp_path / "p").stat().st_size < 2500
    run(apply, images / "app-1.4.1.bin", tmp_path / "p", tmp_path / "new")
    assert (tmp_path / "new").read_bytes() == \
        (images / "app-1.4.2.bin").read_bytes()


def test_the_program_refuses_what_is_wrong(prefix, images, apply, tmp_path):
    make(prefix, images, tmp_path / "p")
    patch = (tmp_path / "p").read_bytes()
    (tmp_path / "cut").write_bytes(patch[:len(patch) // 2])
    (tmp_path / "none").write_bytes(b"")
    for base, name, status in (("app-1.4.2.bin", "p", 54),
                               ("app-1.4.1.bin", "cut", 53),
                               ("app-1.4.1.bin", "none", 53)):
        said = run(apply, images / base, tmp_path / name, tmp_path / "new",
                   code=1)
        assert f"status {status}\n" in said, (base, name)
    assert "status 1\n" in run(apply, code=1)


def test_the_program_refuses_a_patch_for_a_larger_device(prefix, images,
                                                         apply, tmp_path):
    run(prefix / "bin/bowline", "diff", images / "app-1.4.1.bin",
        images / "large", "-o", tmp_path / "p", "--ram", "32K")
    assert "status 55\n" in run(apply, images / "app-1.4.1.bin",
                                tmp_path / "p", tmp_path / "new", code=1)


def test_the_program_is_built_with_cmake(prefix, images, apply, tmp_path):
    (tmp_path / "CMakeLists.txt").write_text(block("cmake"))
    (tmp_path / "apply.c").write_text(block("c"))
    flags = " ".join(sanitizers())
    run("cmake", "-S", tmp_path, "-B", tmp_path / "b",
        f"-DCMAKE_PREFIX_PATH={prefix}", f"-DCMAKE_C_FLAGS={flags}")
    run("cmake", "--build", tmp_path / "b")
    make(prefix, images, tmp_path / "p")
    run(tmp_path / "b/apply", images / "app-1.4.1.bin", tmp_path / "p",
        tmp_path / "new")
    assert (tmp_path / "new").read_bytes() == \
        (images / "app-1.4.2.bin").read_bytes()


def test_the_library_is_the_decoder_alone(prefix):
    """What it needs from outside: SHA-256 and the C library's memory
    functions."""
    said = run("nm", "-g", prefix / "lib/libbowline-delta.a")
    defined = set(re.findall(r"^\w+ [A-TV-Z] (\w+)$", said, re.M))
    wanted = set(re.findall(r"^ +U (\w+)$", said, re.M)) - defined
    outside = {n for n in wanted if not n.startswith(("__asan", "__ubsan"))}
    assert outside <= {"bl_sha256", "bl_sha256_init", "bl_sha256_update",
                       "bl_sha256_final", "memcpy", "memset", "memmove",
                       "memcmp", "_GLOBAL_OFFSET_TABLE_",
                       "__stack_chk_fail", "__memcpy_chk", "__memset_chk",
                       "__memmove_chk"}, outside
