# SPDX-License-Identifier: Apache-2.0
"""What `make install` leaves, and docs/FIRMWARE.md followed to the letter
with it: a firmware out of tree, released, and run by a device."""
import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from waiting import wait_for

TOP = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BOWLINE_BUILD", "build/dev")).resolve()
PAGE = (TOP / "docs/FIRMWARE.md").read_text()


def run(*command, cwd=None, **environment):
    done = subprocess.run([str(c) for c in command], cwd=cwd,
                          capture_output=True, text=True,
                          env={**os.environ, **environment})
    assert done.returncode == 0, f"{command}:\n{done.stdout}{done.stderr}"
    return done.stdout


def block(language):
    """The page's one block of that language."""
    found = re.findall(rf"```{language}\n(.*?)```", PAGE, re.S)
    assert len(found) == 1
    return found[0]


def sanitizers():
    """A library with sanitizers needs a program with them."""
    cache = (BUILD / "CMakeCache.txt").read_text()
    found = re.search(r"^BOWLINE_SANITIZE:BOOL=(.*)$", cache, re.M)
    return ["-fsanitize=address,undefined"] \
        if found.group(1) in ("ON", "TRUE", "1") else []


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    there = tmp_path_factory.mktemp("prefix")
    run("cmake", "--install", BUILD, "--prefix", there,
        DESTDIR="")
    return there


@pytest.fixture(scope="module")
def firmware(prefix, tmp_path_factory):
    """Built with pkg-config, as the page says."""
    folder = tmp_path_factory.mktemp("product")
    (folder / "firmware.c").write_text(block("c"))
    command = re.search(r"    (cc -O2 .*?bowline-posix\))", PAGE, re.S)
    line = command.group(1).replace("cc -O2", " ".join(
        ["cc -O2 -Wall -Wextra -Wpedantic -Werror", *sanitizers()]))
    run("sh", "-ec", line, cwd=folder,
        PKG_CONFIG_PATH=str(prefix / "lib/pkgconfig"))
    return folder / "firmware-1.0.0.bin"


def test_programs_libraries_and_papers_are_there(prefix):
    for path in ("bin/bowline", "bin/bowlined", "bin/bowline-device",
                 "bin/bowline-sim",
                 "lib/libbowline.a", "lib/libbowline_posix.a",
                 "lib/libbowline_boot.a", "lib/libbowline_sha256.a",
                 "lib/libbowline-delta.a", "lib/libbowline-client-delta.a",
                 "include/bowline/firmware.h", "include/bowline/boot.h",
                 "include/bowline-posix/posix/device.h",
                 "include/bowline-posix/host/error.h",
                 "share/man/man1/bowline.1", "share/man/man1/bowline-sim.1",
                 "share/man/man8/bowlined.8",
                 "share/man/man1/bowline-device.1",
                 "share/bash-completion/completions/bowlined",
                 "share/bash-completion/completions/bowline-sim",
                 "share/bash-completion/completions/bowline-device",
                 "share/zsh/site-functions/_bowlined",
                 "share/zsh/site-functions/_bowline-sim",
                 "share/zsh/site-functions/_bowline-device",
                 "share/doc/bowline/bowlined.conf"):
        assert (prefix / path).is_file(), path


def test_attacker_is_not_installed(prefix):
    assert {p.name for p in (prefix / "bin").iterdir()} == {
        "bowline", "bowlined", "bowline-device", "bowline-sim"}


def test_service_starts_the_installed_server(prefix):
    unit = (prefix / "lib/systemd/system/bowlined.service").read_text()
    assert f"ExecStart={prefix}/bin/bowlined --config " in unit
    assert "/usr/bin" not in unit


def test_core_alone_is_found_by_pkg_config(prefix, tmp_path):
    (tmp_path / "version.c").write_text(
        '#include <bowline/firmware.h>\n#include <bowline/sha256.h>\n'
        'int main(void) { int32_t v[4]; uint8_t d[32];\n'
        'bl_sha256("", 0, d);\n'
        'return bl_version_parse("1.2.3", v, 4) == 3 && d[0] == 0xe3'
        ' ? 0 : 1; }\n')
    flags = run("pkg-config", "--cflags", "--libs", "libbowline",
                PKG_CONFIG_PATH=str(prefix / "lib/pkgconfig")).split()
    run("cc", *sanitizers(), tmp_path / "version.c", "-o",
        tmp_path / "version", *flags)
    run(tmp_path / "version")


def test_firmware_is_built_with_cmake(prefix, firmware, tmp_path):
    (tmp_path / "CMakeLists.txt").write_text(block("cmake"))
    (tmp_path / "firmware.c").write_text(block("c"))
    flags = " ".join(sanitizers())
    run("cmake", "-S", tmp_path, "-B", tmp_path / "build", "-DVERSION=1.1.0",
        f"-DCMAKE_PREFIX_PATH={prefix}", f"-DCMAKE_C_FLAGS={flags}")
    run("cmake", "--build", tmp_path / "build")
    said = run(prefix / "bin/bowline", "inspect",
               tmp_path / "build/firmware-1.1.0.bin")
    assert "my-product" in said and "1.1.0" in said


def test_firmware_is_released_and_a_device_runs_it(prefix, firmware,
                                                   tmp_path):
    bowline = prefix / "bin/bowline"
    project = tmp_path / "my-product"
    project.mkdir()
    said = run(bowline, "inspect", firmware)
    assert "my-product" in said and "1.0.0" in said
    run(bowline, "server", "init", tmp_path / "srv")
    run(bowline, "init", "--from", tmp_path / "srv", "--product",
        "my-product", "--vendor", "example.com", cwd=project)
    made = json.loads(run(bowline, "release", firmware, "--json",
                          cwd=project))
    assert made["version"] == "1.0.0"
    assert made["file"].endswith("releases/my-product-1.0.0.suit")
    (tmp_path / "token").write_text("0123456789abcdef\n")
    run(prefix / "bin/bowline-device", "provision", "--dir", "first", "--id",
        32 * "0", "--server", "https://localhost:9", "--ca",
        tmp_path / "srv/ca.pem", "--root", tmp_path / "srv/root-1.cbor",
        "--factory", "releases/my-product-1.0.0.suit", "--token-file",
        tmp_path / "token", "--slot-size", 8 << 20, cwd=project)
    log = project / "log"
    board = subprocess.Popen(
        [prefix / "bin/bowline-device", "run", "--dir", "first", "--log",
         log], cwd=project, stdin=subprocess.DEVNULL)
    try:
        wait_for(lambda: log.exists() and
                 "runs 1.0.0 in slot A" in log.read_text(), said=log.read_text)
    finally:
        board.terminate()
        assert board.wait(60) == 0
