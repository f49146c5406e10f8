# SPDX-License-Identifier: Apache-2.0
"""The Debian packages of `make dist`: what is in them, and that it works."""
import gzip
import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BOWLINE_BUILD", "build/dev")).resolve()
UNITS = TOP / "packaging" / "systemd"
SCRIPTS = TOP / "packaging" / "debian"
NAMES = ["bowline", "bowline-device", "bowline-server", "bowline-sim",
         "libbowline-dev"]
EXPOSURE = {"bowlined": 1.2, "bowline-device": 1.1}


def run(*command, cwd=None, check=True, **environment):
    done = subprocess.run([str(c) for c in command], cwd=cwd,
                          capture_output=True, text=True, timeout=300,
                          env={**os.environ, **environment})
    assert not check or done.returncode == 0, \
        f"{command}:\n{done.stdout}{done.stderr}"
    return done.stdout


def make(folder):
    run(TOP / "packaging" / "dist.sh", "-b", BUILD, "-o", folder,
        SOURCE_DATE_EPOCH="1700000000", DIST_COMPRESSION="gzip")
    return {path.name.split("_")[0]: path
            for path in sorted(folder.glob("*.deb"))}


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    return make(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def root(packages, tmp_path_factory):
    """All of them unpacked, as dpkg would, into a folder."""
    folder = tmp_path_factory.mktemp("root")
    for path in packages.values():
        run("dpkg-deb", "-x", path, folder)
    return folder


def field(package, name):
    return run("dpkg-deb", "-f", package, name).strip()


def files(package):
    listed = run("dpkg-deb", "-c", package).splitlines()
    return {line.split()[5][1:]: line for line in listed}


def test_there_is_one_of_each(packages):
    assert sorted(packages) == NAMES


def test_the_same_build_gives_the_same_bytes(packages, tmp_path):
    again = make(tmp_path)
    for name, path in packages.items():
        assert hashlib.sha256(path.read_bytes()).digest() == \
            hashlib.sha256(again[name].read_bytes()).digest(), name


@pytest.mark.parametrize("name,wanted", [
    ("bowline-server", {"/usr/bin/bowlined", "/usr/share/man/man8/bowlined.8.gz",
                        "/lib/systemd/system/bowlined.service",
                        "/usr/share/bowline/grafana.json",
                        "/usr/share/bash-completion/completions/bowlined",
                        "/usr/share/zsh/vendor-completions/_bowlined",
                        "/usr/share/bowline/alerts.yml",
                        "/usr/share/doc/bowline-server/examples/bowlined.conf"}),
    ("bowline", {"/usr/bin/bowline", "/usr/share/man/man1/bowline.1.gz",
                 "/usr/share/bash-completion/completions/bowline",
                 "/usr/share/zsh/vendor-completions/_bowline"}),
    ("bowline-device", {"/usr/bin/bowline-device",
                        "/usr/share/man/man1/bowline-device.1.gz",
                        "/usr/share/bash-completion/completions/bowline-device",
                        "/usr/share/zsh/vendor-completions/_bowline-device",
                        "/lib/systemd/system/bowline-device.service"}),
    ("bowline-sim", {"/usr/bin/bowline-sim",
                     "/usr/share/man/man1/bowline-sim.1.gz",
                     "/usr/share/bash-completion/completions/bowline-sim",
                     "/usr/share/zsh/vendor-completions/_bowline-sim"}),
    ("libbowline-dev", {"/usr/include/bowline/client.h",
                        "/usr/include/bowline/delta.h",
                        "/usr/include/bowline/delta_in_place.h",
                        "/usr/share/doc/libbowline-dev/DELTA-LIBRARY.md",
                        "/usr/share/doc/libbowline-dev/DELTA-IN-PLACE.md",
                        "/usr/share/doc/libbowline-dev/examples/apply.c"}),
])
def test_what_is_in_it(packages, name, wanted):
    there = files(packages[name])
    assert wanted <= set(there), sorted(there)
    assert f"/usr/share/doc/{name}/copyright" in there
    assert f"/usr/share/doc/{name}/changelog.gz" in there
    for path, line in there.items():
        assert " root/root " in line
        assert "s" not in line[:10] and line[8] != "w", line
        assert not path.startswith(("/etc", "/var", "/usr/local")), path


def test_no_file_is_in_two_packages(packages):
    seen = {}
    for name, package in packages.items():
        for path in files(package):
            if not path.endswith("/"):
                assert path not in seen, (path, name, seen.get(path))
                seen[path] = name


def test_they_need_what_they_are_linked_with(packages):
    server = field(packages["bowline-server"], "Depends")
    for library in ("libc6", "libmicrohttpd12", "libsqlite3-0", "libssl3",
                    "libjansson4", "libarchive13", "adduser"):
        assert library in server
    assert "libmicrohttpd" not in field(packages["bowline"], "Depends")
    assert "libssl-dev" in field(packages["libbowline-dev"], "Depends")
    for package in packages.values():
        assert field(package, "Version") == field(packages["bowline"],
                                                  "Version")


@pytest.mark.parametrize("program,option", [
    ("bowlined", "--version"), ("bowlined", "--help"),
    ("bowline", "--version"), ("bowline-device", "--help"),
    ("bowline-sim", "--help")])
def test_the_programs_run(root, program, option):
    assert program in run(root / "usr/bin" / program, option)


def test_the_packaged_server_serves_and_is_backed_up(root, tmp_path):
    sys.path.insert(0, str(TOP / "tests" / "support"))
    import bowline_server
    server = bowline_server.Server(tmp_path)
    program = root / "usr/bin/bowlined"
    server.command = lambda: [str(program), "--config",
                              str(server.write_config())]
    server.start().set_up()
    try:
        assert server.request("GET", "/healthz").status == 200
        run(program, "backup", "--config", tmp_path / "bowlined.conf", "-o",
            tmp_path / "b.tar")
        assert (tmp_path / "b.tar").stat().st_size > 10000
    finally:
        assert server.stop() == 0


def test_the_packaged_sample_is_a_configuration(root, tmp_path):
    """All but the files that it names."""
    sample = (root / "usr/share/doc/bowline-server/examples/bowlined.conf"
              ).read_text()
    path = tmp_path / "bowlined.conf"
    path.write_text(sample)
    done = subprocess.run([root / "usr/bin/bowlined", "--config", path,
                           "--check"], capture_output=True, text=True)
    assert done.returncode == 1
    assert "/etc/bowline/server" in done.stderr, done.stderr


def test_man_pages_and_completions_are_whole(root):
    for page in root.glob("usr/share/man/man*/*.gz"):
        text = gzip.decompress(page.read_bytes()).decode()
        assert ".Sh NAME" in text or ".SH NAME" in text, page
    bash = root / "usr/share/bash-completion/completions/bowline"
    said = run("bash", "-c", f"source {bash}; complete -p bowline")
    assert "bowline" in said
    zsh = (root / "usr/share/zsh/vendor-completions/_bowline").read_text()
    assert zsh.startswith("#compdef bowline")


PROGRAM = """
#include <bowline/version.h>
#include <bowline/status.h>
#include <stdio.h>

int main(void)
{
    puts(bl_status_name(BL_OK));
    return 0;
}
"""


def program_text():
    text = PROGRAM
    if not (TOP / "core/include/bowline/version.h").exists():
        text = text.replace("#include <bowline/version.h>\n", "")
    return text


def sanitizers():
    cache = (BUILD / "CMakeCache.txt").read_text()
    found = re.search(r"^BOWLINE_SANITIZE:BOOL=(.*)$", cache, re.M)
    return ["-fsanitize=address,undefined"] \
        if found.group(1) in ("ON", "TRUE", "1") else []


def test_a_program_is_made_with_pkg_config(root, tmp_path):
    [pc] = root.glob("usr/lib/**/libbowline.pc")
    flags = run("pkg-config", "--cflags", "--libs", "libbowline",
                PKG_CONFIG_PATH=str(pc.parent)).split()
    (tmp_path / "a.c").write_text(program_text())
    run("cc", "-Wall", "-Werror", *sanitizers(), tmp_path / "a.c", *flags,
        "-o", tmp_path / "a")
    assert run(tmp_path / "a").strip() == "ok"


def test_the_decoder_of_deltas_is_in_it(root, tmp_path):
    [pc] = root.glob("usr/lib/**/bowline-delta.pc")
    flags = run("pkg-config", "--cflags", "--libs", "bowline-delta",
                PKG_CONFIG_PATH=str(pc.parent)).split()
    example = root / "usr/share/doc/libbowline-dev/examples/apply.c"
    run("cc", "-std=c99", "-Wall", "-Werror", *sanitizers(), example, *flags,
        "-o", tmp_path / "apply")
    (tmp_path / "old").write_bytes(bytes(range(256)) * 40)
    (tmp_path / "new").write_bytes(bytes(range(256)) * 41)
    run(root / "usr/bin/bowline", "diff", tmp_path / "old", tmp_path / "new",
        "-o", tmp_path / "patch")
    run(tmp_path / "apply", tmp_path / "old", tmp_path / "patch",
        tmp_path / "made")
    assert (tmp_path / "made").read_bytes() == \
        (tmp_path / "new").read_bytes()


def test_a_program_is_made_with_cmake(root, tmp_path):
    (tmp_path / "a.c").write_text(program_text())
    flags = " ".join(sanitizers())
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.25)\nproject(a C)\n"
        "find_package(bowline REQUIRED)\nadd_executable(a a.c)\n"
        "target_link_libraries(a bowline::core bowline::sha256)\n")
    run("cmake", "-S", tmp_path, "-B", tmp_path / "b",
        f"-DCMAKE_PREFIX_PATH={root / 'usr'}", f"-DCMAKE_C_FLAGS={flags}")
    run("cmake", "--build", tmp_path / "b")
    assert run(tmp_path / "b" / "a").strip() == "ok"


# --- Maintainer scripts ---

@pytest.fixture
def stubs(tmp_path):
    """Commands of a Debian system that only write down what they are told."""
    said = tmp_path / "said"
    said.touch()
    for name, code in (("adduser", 0), ("install", 0), ("systemctl", 0),
                       ("deb-systemd-invoke", 0), ("deb-systemd-helper", 1),
                       ("getent", 2)):
        path = tmp_path / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >>{said}\nexit {code}\n')
        path.chmod(0o755)
    return tmp_path, said


@pytest.mark.parametrize("name,user", [("bowline-server", "bowline"),
                                       ("bowline-device", "bowline-device")])
def test_an_installation_makes_its_user_once(stubs, name, user):
    folder, said = stubs
    script = SCRIPTS / f"{name}.postinst"
    run("sh", "-e", script, "configure", "",
        PATH=f"{folder}:{os.environ['PATH']}")
    [line] = [l for l in said.read_text().splitlines() if "adduser" in l]
    assert "--system" in line and line.endswith(f" {user}")
    said.write_text("")
    (folder / "getent").write_text("#!/bin/sh\nexit 0\n")
    run("sh", "-e", script, "configure", "0.0.9",
        PATH=f"{folder}:{os.environ['PATH']}")
    assert "adduser" not in said.read_text()


@pytest.mark.parametrize("name", ["bowline-server", "bowline-device"])
@pytest.mark.parametrize("verb", ["remove", "purge", "upgrade"])
def test_a_removal_deletes_no_data(stubs, name, verb):
    folder, said = stubs
    for script in ("prerm", "postrm"):
        text = (SCRIPTS / f"{name}.{script}").read_text()
        assert not re.search(r"\b(rm|rmdir|deluser|userdel)\b", text)
        run("sh", "-e", SCRIPTS / f"{name}.{script}", verb,
            PATH=f"{folder}:{os.environ['PATH']}")


@pytest.mark.parametrize("script", sorted(SCRIPTS.iterdir()),
                         ids=lambda p: p.name)
def test_a_script_is_packed_as_it_is(packages, tmp_path, script):
    package, kind = script.name.rsplit(".", 1)
    run("dpkg-deb", "-e", packages[package], tmp_path / "control")
    packed = tmp_path / "control" / kind
    assert packed.read_bytes() == script.read_bytes()
    assert packed.stat().st_mode & 0o777 == 0o755


# --- Services ---

@pytest.mark.parametrize("unit", sorted(EXPOSURE))
def test_a_service_has_no_more_rights_than_the_manual_says(unit):
    said = run("systemd-analyze", "security", "--offline=true",
               UNITS / f"{unit}.service", check=False)
    figure = float(re.search(r"exposure level for \S+: (\S+)", said).group(1))
    assert figure <= EXPOSURE[unit]
    page = (TOP / "docs/OPERATING.md").read_text()
    assert f"`{unit}.service` | {figure}" in page


def complaints(root, unit):
    """Of the unit's own lines, not of what the folder lacks around it."""
    said = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", f"--root={root}", unit],
        capture_output=True, text=True).stderr.splitlines()
    return [line for line in said if unit in line
            and "sysinit.target not found" not in line
            and "/bin/kill is not executable" not in line]


def test_a_service_is_read_without_a_warning(root):
    for unit in EXPOSURE:
        assert complaints(root, f"{unit}.service") == []
    folder = root / "lib/systemd/system"
    text = (folder / "bowlined.service").read_text()
    (folder / "wrong.service").write_text(
        text.replace("ProtectHome=", "ProtectHouse="))
    assert complaints(root, "wrong.service")
