# SPDX-License-Identifier: Apache-2.0
"""The zip for the Library Manager: whole, the same each time, and it compiles
as Arduino's builder does it: each file below src/, src/ as include folder."""

import re
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest

from arduino_board import TOP

DOUBLE = TOP / "tests/ports/arduino/double"
# Of the ESP-IDF headers, those that only the managed client wants.
IDF = TOP / "tests/ports/esp_idf/double/include"
CPP = ["g++", "-std=gnu++11", "-fno-exceptions", "-fno-rtti", "-Wall",
       "-Wextra", "-Werror", "-Wno-missing-field-initializers"]
C = ["gcc", "-std=gnu11", "-Wall", "-Wextra", "-Werror"]


def make(output):
    subprocess.run([sys.executable, TOP / "ports/arduino/package.py", output],
                   check=True, capture_output=True)
    return output


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    folder = tmp_path_factory.mktemp("library")
    with zipfile.ZipFile(make(folder / "Bowline.zip")) as file:
        file.extractall(folder)
    return folder / "Bowline"


def compiled(source, out, library):
    """The object; `.ino` as Arduino's builder makes C++ of it."""
    command = C if source.suffix == ".c" else CPP
    double = [f"-I{DOUBLE}"]
    if source.parent.name == "managed":
        double = ["-include", DOUBLE / "sdkconfig.h", "-D", "SDKCONFIG_H",
                  f"-I{IDF}"]
    kind = ["-x", "c++", "-include", "Arduino.h"] \
        if source.suffix == ".ino" else []
    run = subprocess.run(
        [*command, "-O1", f"-I{library / 'src'}", *double, *kind, "-c",
         source, "-o", out], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return out


@pytest.fixture(scope="module")
def objects(library, tmp_path_factory):
    folder = tmp_path_factory.mktemp("objects")
    sources = sorted(path for path in (library / "src").rglob("*")
                     if path.suffix in (".c", ".cpp"))
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(
            lambda s: compiled(s, folder / (
                "_".join(s.relative_to(library).parts) + ".o"), library),
            sources))


def symbols(path, *options):
    run = subprocess.run(["nm", *options, path], check=True, text=True,
                         capture_output=True)
    return {line.split()[-1] for line in run.stdout.splitlines()}


def test_the_same_tree_makes_the_same_bytes(tmp_path):
    one, two = make(tmp_path / "1.zip"), make(tmp_path / "2.zip")
    assert one.read_bytes() == two.read_bytes()


def test_it_has_what_the_library_manager_wants(library):
    properties = dict(line.split("=", 1) for line in
                      (library / "library.properties").read_text()
                      .splitlines())
    project = (TOP / "CMakeLists.txt").read_text()
    assert f"VERSION {properties['version']}" in project
    assert properties["architectures"] == "esp32"
    # With it a library is an archive, and less surely linked.
    assert "dot_a_linkage" not in properties
    assert (library / "src" / properties["includes"]).is_file()
    for name in "LICENSE", "README.md", "keywords.txt":
        assert (library / name).stat().st_size > 0
    sketches = list((library / "examples").glob("*/*.ino"))
    assert {path.stem for path in sketches} == {"BasicOTA", "ManagedFleet"}
    assert all(path.stem == path.parent.name for path in sketches)


def test_each_method_has_its_colour(library):
    header = (library / "src/BowlineOTA.h").read_text()
    public = header[header.index("public:"):header.index("private:")]
    public = re.sub(r"/\*.*?\*/", "", public, flags=re.S)
    methods = set(re.findall(r"(?<![.\w])([a-z]\w+)\(", public)) \
        - {"void", "bool"}
    words = {line.split("\t")[0] for line in
             (library / "keywords.txt").read_text().splitlines()
             if "\tKEYWORD2" in line}
    assert {"begin", "handle", "onHealthCheck"} <= methods
    assert methods <= words


def test_every_file_is_there(objects):
    """Nothing of ours is wanted that the library does not have."""
    defined = set().union(*(symbols(path, "--defined-only")
                            for path in objects))
    wanted = set().union(*(symbols(path, "-u") for path in objects))
    assert "bl_suit_step" in wanted and "bowline_start" in wanted
    assert not {name for name in wanted - defined
                if re.match("bl_|bowline|.*Bowline", name)}


@pytest.mark.parametrize("name", ["BasicOTA", "ManagedFleet"])
def test_the_examples_compile(library, objects, tmp_path, name):
    sketch = library / "examples" / name / f"{name}.ino"
    compiled(sketch, tmp_path / "sketch.o", library)
    assert {"setup", "loop"} <= {
        re.sub(r"^_Z\d+|v$", "", symbol)
        for symbol in symbols(tmp_path / "sketch.o", "--defined-only")}


def test_only_a_managed_sketch_carries_the_client(library, tmp_path):
    wanted = {}
    for name in "BasicOTA", "ManagedFleet":
        sketch = library / "examples" / name / f"{name}.ino"
        compiled(sketch, tmp_path / f"{name}.o", library)
        wanted[name] = symbols(tmp_path / f"{name}.o", "-u")
    assert "bowline_early_hook" in wanted["ManagedFleet"]
    assert "bowline_early_hook" not in wanted["BasicOTA"]


def test_no_room_reads_a_file_that_is_not_in_the_library(library):
    missing = []
    for path in (library / "src").rglob("*"):
        if path.suffix not in (".c", ".cpp", ".h"):
            continue
        for name in re.findall(r'#\s*include\s*"([^"]+)"', path.read_text()):
            found = [path.parent / name, library / "src" / name,
                     DOUBLE / name, IDF / name]
            if not any(each.is_file() for each in found):
                missing.append(f"{path.relative_to(library)}: {name}")
    assert not missing


