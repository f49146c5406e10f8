# SPDX-License-Identifier: Apache-2.0
"""bowline diff, patch, and inspect of patches."""
import hashlib
import os
import pty
import random
import signal
import subprocess
import time

import pytest

from .conftest import SAMPLES, programs

ESP = SAMPLES / "serial-flasher"
SIZES = {"6K": 6, "8": 8, "12288": 12, "16k": 16, "32KB": 32}


def thumb(seed, functions, moved=0):
    """Functions that call each other, as Thumb code; at each tenth `moved`
    bytes are new, so that most calls reach elsewhere."""
    rnd = random.Random(seed)
    starts, bodies, at = [], [], 0
    for k in range(functions):
        at += moved if k % 10 == 0 else 0
        body = [0xB510] + [rnd.randrange(0x1800, 0x6800)
                           for _ in range(rnd.randrange(6, 40))]
        calls = rnd.randrange(1, 4)
        starts.append(at)
        bodies.append((body, [rnd.randrange(functions)
                              for _ in range(calls)]))
        at += 2 * len(body) + 4 * calls + 2
    out = bytearray()
    for k, (body, calls) in enumerate(bodies):
        out += rnd.randbytes(moved if k % 10 == 0 else 0)
        for half in body:
            out += half.to_bytes(2, "little")
        for callee in calls:
            shift = starts[callee] - (len(out) + 4)
            s, i1, i2 = (shift >> k & 1 for k in (24, 23, 22))
            high = 0xF000 | s << 10 | shift >> 12 & 0x3FF
            low = (0xD000 | (~(i1 ^ s) & 1) << 13 | (~(i2 ^ s) & 1) << 11
                   | shift >> 1 & 0x7FF)
            out += high.to_bytes(2, "little") + low.to_bytes(2, "little")
        out += b"\x10\xbd"
    return bytes(out)


@pytest.fixture
def pair(tool):
    """Two images of a firmware in the tool's folder: new bytes here and
    there, so that almost every call differs."""
    old = thumb(5, 400)
    new = thumb(5, 400, 6)
    (tool.folder / "old.bin").write_bytes(old)
    (tool.folder / "new.bin").write_bytes(new)
    return tool


def files(tool):
    return sorted(p.name for p in tool.folder.iterdir())


@pytest.fixture
def patched(pair):
    pair.good("diff", "old.bin", "new.bin", "-o", "p", "--quiet")
    return pair


# --- Making and applying ---

@pytest.mark.parametrize("size", SIZES)
def test_a_patch_gives_the_new_image_in_the_memory_that_was_said(pair, size):
    made = pair.good("diff", "old.bin", "new.bin", "-o", "p", "--ram", size,
                     "--json").json
    assert made["size"] == (pair.folder / "p").stat().st_size
    assert made["size"] < made["new_size"] / 4
    assert made["percent"] == pytest.approx(
        100 * made["size"] / made["new_size"], abs=0.01)
    assert 1024 < made["ram"] <= SIZES[size] * 1024
    applied = pair.good("patch", "old.bin", "p", "back.bin", "--json").json
    back = (pair.folder / "back.bin").read_bytes()
    assert back == (pair.folder / "new.bin").read_bytes()
    assert applied["sha256"] == hashlib.sha256(back).hexdigest()
    assert applied["ram"] == made["ram"]
    assert applied["patch_size"] == made["size"]


def test_calls_into_code_that_moved_cost_next_to_nothing(pair):
    made = pair.good("diff", "old.bin", "new.bin", "-o", "p", "--json").json
    plain = pair.good("diff", "old.bin", "new.bin", "-o", "q", "--isa",
                      "plain", "--json").json
    assert made["isa"] == "thumb" and "calls" in made["found"]
    assert plain["isa"] == "plain"
    assert made["size"] < plain["size"] / 2
    assert made["seconds"] > 0 and made["peak_memory"] > made["new_size"]


def test_what_a_person_reads(pair):
    said = pair.good("diff", "old.bin", "new.bin", "-o", "p").out
    size = (pair.folder / "p").stat().st_size
    old = (pair.folder / "old.bin").stat().st_size
    assert f"  old            {old} bytes\n" in said
    assert f"  patch          {size} bytes, " in said
    assert "% of the new image" in said and "device's RAM" in said
    assert "  code           thumb (" in said
    said = pair.good("patch", "old.bin", "p", "back.bin").out
    digest = hashlib.sha256((pair.folder / "new.bin").read_bytes())
    assert digest.hexdigest() in said


def test_esp32_images_are_known_by_their_header(tool):
    path = sorted(ESP.rglob("*.bin"), key=lambda p: p.stat().st_size)[-1]
    old = path.read_bytes()
    new = bytearray(old)
    new[len(old) // 2] ^= 0x55
    (tool.folder / "old").write_bytes(old)
    (tool.folder / "new").write_bytes(new)
    made = tool.good("diff", "old", "new", "-o", "p", "--json").json
    assert made["isa"] in ("xtensa", "riscv", "plain")
    assert made["size"] < 200
    tool.good("patch", "old", "p", "back")
    assert (tool.folder / "back").read_bytes() == bytes(new)
    said = tool.refused(2, "diff", "old", "new", "-o", "q", "--base", "0x10")
    assert "--base is for raw images" in said


def test_the_same_images_have_a_tiny_patch(pair):
    made = pair.good("diff", "old.bin", "old.bin", "-o", "p", "--json").json
    assert made["size"] < 64
    pair.good("patch", "old.bin", "p", "back")
    assert (pair.folder / "back").read_bytes() == \
        (pair.folder / "old.bin").read_bytes()


def test_images_without_anything_in_common_are_still_right(tool):
    rnd = random.Random(1)
    (tool.folder / "a").write_bytes(rnd.randbytes(3000))
    (tool.folder / "b").write_bytes(rnd.randbytes(5000))
    said = tool.good("diff", "a", "b", "-o", "p")
    assert "send the image" in said.err
    assert "send the image" not in tool.good(
        "diff", "a", "b", "-o", "p", "--force", "--quiet").err
    tool.good("patch", "a", "p", "c")
    assert (tool.folder / "c").read_bytes() == \
        (tool.folder / "b").read_bytes()


@pytest.mark.parametrize("old, new", [(1, 1), (1, 40), (40, 1)])
def test_the_smallest_images(tool, old, new):
    (tool.folder / "a").write_bytes(bytes(range(old)))
    (tool.folder / "b").write_bytes(bytes(range(7, 7 + new)))
    tool.good("diff", "a", "b", "-o", "p")
    tool.good("patch", "a", "p", "c")
    assert (tool.folder / "c").read_bytes() == bytes(range(7, 7 + new))


def test_the_same_call_gives_the_same_bytes(pair):
    for name, env in (("p", {}), ("q", {"MALLOC_PERTURB_": "85",
                                        "ASAN_OPTIONS": "detect_leaks=1:"
                                        "max_malloc_fill_size=1000000:"
                                        "malloc_fill_byte=170"})):
        pair.good("diff", "old.bin", "new.bin", "-o", name, env=env)
    assert (pair.folder / "p").read_bytes() == \
        (pair.folder / "q").read_bytes()


def test_less_effort_gives_a_patch_as_well(pair):
    for effort in ("0", "9"):
        pair.good("diff", "old.bin", "new.bin", "-o", effort, "--effort",
                  effort)
        pair.good("patch", "old.bin", effort, "back", "--force")
        assert (pair.folder / "back").read_bytes() == \
            (pair.folder / "new.bin").read_bytes()
    assert (pair.folder / "9").stat().st_size <= \
        (pair.folder / "0").stat().st_size


def test_a_link_address_may_be_said(pair):
    for name, base in (("p", "0x08000000"), ("q", "134217728")):
        pair.good("diff", "old.bin", "new.bin", "-o", name, "--base", base)
    assert (pair.folder / "p").read_bytes() == \
        (pair.folder / "q").read_bytes()


# --- Pipes ---

def pipe(tool, given, *args):
    run = subprocess.run([programs() / "bowline", *args], cwd=tool.folder,
                         input=given, capture_output=True, env=tool.env,
                         timeout=120)
    assert b"Sanitizer" not in run.stderr, run.stderr
    return run


def test_patches_and_images_go_through_pipes(patched):
    want = (patched.folder / "new.bin").read_bytes()
    patch = (patched.folder / "p").read_bytes()
    made = pipe(patched, want, "diff", "old.bin", "-", "-o", "-")
    assert made.returncode == 0 and made.stdout == patch
    made = pipe(patched, patch, "patch", "old.bin", "-", "-")
    assert made.returncode == 0 and made.stdout == want
    old = (patched.folder / "old.bin").read_bytes()
    made = pipe(patched, old, "patch", "-", "p", "-")
    assert made.returncode == 0 and made.stdout == want


def test_what_a_pipe_cannot_be(patched):
    for args in (["diff", "-", "-", "-o", "q"], ["patch", "-", "-", "q"]):
        assert "only one file" in patched.refused(2, *args)
    for args in (["diff", "old.bin", "new.bin", "-o", "-"],
                 ["patch", "old.bin", "p", "-"]):
        said = patched(*args, "--json")
        assert said.code == 2
        assert "cannot both" in said.json["error"]["message"]
    assert "nothing came" in patched.refused(3, "patch", "old.bin", "-", "q")
    assert "nothing came" in patched.refused(3, "diff", "-", "old.bin", "-o",
                                             "q")
    assert files(patched) == ["new.bin", "old.bin", "p"]


def test_a_reader_that_leaves_is_told(patched):
    read, write = os.pipe()
    os.close(read)
    run = subprocess.run([programs() / "bowline", "patch", "old.bin", "p",
                          "-"], cwd=patched.folder, stdout=write,
                         stderr=subprocess.PIPE, text=True, env=patched.env)
    os.close(write)
    assert run.returncode == 7
    assert "standard output: Broken pipe" in run.stderr


# --- Wrong usage ---

@pytest.mark.parametrize("args, code, says", [
    (["diff", "old.bin", "-o", "q"], 2, "OLD NEW is missing"),
    (["diff", "old.bin", "new.bin"], 2, "-o PATCH is missing"),
    (["diff", "old.bin", "new.bin", "x", "-o", "q"], 2, "one argument too"),
    (["diff", "none", "new.bin", "-o", "q"], 3, "none: No such file"),
    (["diff", "old.bin", "none", "-o", "q"], 3, "none: No such file"),
    (["diff", ".", "new.bin", "-o", "q"], 3, ". is a folder"),
    (["diff", "old.bin", "/dev/null", "-o", "q"], 3, "not a regular file"),
    (["diff", "old.bin", "empty", "-o", "q"], 3, "empty is empty"),
    (["diff", "empty", "new.bin", "-o", "q"], 3, "empty is empty"),
    (["diff", "old.bin", "huge", "-o", "q"], 3, "at most 1073741824"),
    (["diff", "old.bin", "new.bin", "-o", "."], 3, ". is a folder"),
    (["diff", "old.bin", "new.bin", "-o", ""], 2, "is empty"),
    (["diff", "old.bin", "new.bin", "-o", "no/q"], 3, "no: No such file"),
    (["diff", "old.bin", "new.bin", "-o", "old.bin/q"], 3, "not a folder"),
    (["diff", "old.bin", "new.bin", "-o", "/dev/null", "--force"], 3,
     "not a regular file"),
    (["diff", "old.bin", "new.bin", "-o", "./new.bin", "--force"], 3,
     "one of the files that are read"),
    (["diff", "old.bin", "new.bin", "-o", "link", "--force"], 3,
     "one of the files that are read"),
    (["diff", "old.bin", "new.bin", "-o", "p"], 3, "p is there already"),
    (["diff", "old.bin", "new.bin", "-o", "q", "--ram", "5"], 2, "from 6K"),
    (["diff", "old.bin", "new.bin", "-o", "q", "--ram", "6143"], 2,
     "from 6K"),
    (["diff", "old.bin", "new.bin", "-o", "q", "--ram", "0"], 2, "from 6K"),
    (["diff", "old.bin", "new.bin", "-o", "q", "--ram", "12M"], 2,
     "say a size"),
    (["diff", "old.bin", "new.bin", "-o", "q", "--ram", "-12"], 2,
     "say a size"),
    (["diff", "old.bin", "new.bin", "-o", "q", "--ram", "9" * 30], 2,
     "say a size"),
    (["diff", "old.bin", "new.bin", "-o", "q", "--effort", "10"], 2,
     "from 0 to 9"),
    (["diff", "old.bin", "new.bin", "-o", "q", "--isa", "avr"], 2,
     "say one of: auto thumb"),
    (["diff", "old.bin", "new.bin", "-o", "q", "--base", "flash"], 2,
     "say an address"),
    (["diff", "old.bin", "new.bin", "-o", "q", "--base", "0x100000000"], 2,
     "say an address"),
    (["diff", "old.bin", "new.bin", "-o", "q", "--base", "0", "--isa",
      "plain"], 2, "has no addresses"),
    (["diff", "old.bin", "new.bin", "-o", "q", "--block", "4K"], 2,
     "--block is only for --in-place"),
    (["diff", "old.bin", "new.bin", "-o", "q", "--spare", "4"], 2,
     "--spare is only for --in-place"),
    (["diff", "old.bin", "new.bin", "-o", "q", "--in-place", "--block",
      "5000"], 2, "power of two"),
    (["patch", "old.bin", "p"], 2, "OLD PATCH NEW is missing"),
    (["patch", "none", "p", "q"], 3, "none: No such file"),
    (["patch", "old.bin", "none", "q"], 3, "none: No such file"),
    (["patch", "old.bin", "empty", "q"], 3, "empty is empty"),
    (["patch", "old.bin", ".", "q"], 3, ". is a folder"),
    (["patch", "old.bin", "p", "new.bin"], 3, "new.bin is there already"),
    (["patch", "old.bin", "p", "old.bin", "--force"], 3,
     "one of the files that are read"),
    (["patch", "old.bin", "p", "p", "--force"], 3,
     "one of the files that are read"),
    (["patch", "old.bin", "p", "no/q"], 3, "no: No such file"),
    (["patch", "old.bin", "old.bin", "q"], 3, "old.bin: not a patch"),
    (["patch", "new.bin", "p", "q"], 3, "p is not for new.bin: made for an"),
    (["patch", "same", "p", "q"], 3, "one whose SHA-256 begins with"),
    (["patch", "old.bin", "p", "q", "--ram", "12"], 2, "no such option"),
])
def test_what_is_wrong_is_said_and_nothing_is_written(patched, args, code,
                                                      says):
    (patched.folder / "empty").touch()
    with open(patched.folder / "huge", "wb") as f:
        f.truncate((1 << 30) + 1)
    os.link(patched.folder / "new.bin", patched.folder / "link")
    old = (patched.folder / "old.bin").read_bytes()
    (patched.folder / "same").write_bytes(old[:-1] + bytes([old[-1] ^ 1]))
    before = {n: (patched.folder / n).stat().st_mtime_ns
              for n in files(patched)}
    assert says in patched.refused(code, *args)
    assert before == {n: (patched.folder / n).stat().st_mtime_ns
                      for n in files(patched)}


def test_a_refusal_has_its_status_as_json(patched):
    for args, status in ((["new.bin", "p"], "delta-base"),
                         (["old.bin", "new.bin"], "delta-format")):
        said = patched("patch", *args, "q", "--json")
        assert said.code == 3 and said.json["error"]["status"] == status


def test_force_replaces_a_file(patched):
    (patched.folder / "q").write_text("mine")
    patched.refused(3, "patch", "old.bin", "p", "q")
    assert (patched.folder / "q").read_text() == "mine"
    patched.good("patch", "old.bin", "p", "q", "--force")
    assert (patched.folder / "q").read_bytes() == \
        (patched.folder / "new.bin").read_bytes()
    patched.good("diff", "old.bin", "new.bin", "-o", "q", "--force")
    assert (patched.folder / "q").read_bytes() == \
        (patched.folder / "p").read_bytes()


def test_a_folder_that_may_not_be_written_is_the_machines_fault(patched):
    if os.geteuid() == 0:
        folder = "/proc"  # where not even root can make a file
    else:
        folder = "/"
    for args in (["diff", "old.bin", "new.bin", "-o", f"{folder}/q"],
                 ["patch", "old.bin", "p", f"{folder}/q"]):
        assert "cannot write" in patched.refused(7, *args)


# --- Damage ---

def test_a_patch_that_was_cut_off_is_refused(patched):
    patch = (patched.folder / "p").read_bytes()
    cuts = {1, 2, 3, 8, len(patch) // 2, len(patch) * 3 // 4}
    for n in sorted(cuts):
        (patched.folder / "cut").write_bytes(patch[:n])
        said = patched.refused(3, "patch", "old.bin", "cut", "q")
        assert said.startswith("bowline patch: cut: ")
        assert not (patched.folder / "q").exists()


def test_a_damaged_patch_is_refused(patched):
    patch = (patched.folder / "p").read_bytes()
    want = (patched.folder / "new.bin").read_bytes()
    rnd = random.Random(3)
    for _ in range(12):
        bad = bytearray(patch)
        bad[rnd.randrange(len(bad))] ^= 1 << rnd.randrange(8)
        (patched.folder / "bad").write_bytes(bad)
        said = patched("patch", "old.bin", "bad", "q", "--force")
        if said.code == 0:  # a bit that nobody reads
            assert (patched.folder / "q").read_bytes() == want
        else:
            assert said.code == 3 and said.err.count("\n") == 1
            assert not (patched.folder / "q").exists()
        (patched.folder / "q").unlink(missing_ok=True)


def test_a_patch_with_more_behind_it_is_refused(patched):
    patch = (patched.folder / "p").read_bytes()
    (patched.folder / "more").write_bytes(patch + bytes(5000))
    patched.refused(3, "patch", "old.bin", "more", "q")
    assert not (patched.folder / "q").exists()


# --- Progress and stopping ---

def test_progress_is_drawn_on_a_terminal_and_only_there(tool):
    (tool.folder / "old").write_bytes(thumb(2, 3000))
    (tool.folder / "new").write_bytes(thumb(2, 3000, 30))
    command = [programs() / "bowline", "diff", "old", "new", "-o", "p",
               "--force"]
    for more, drawn in (([], True), (["--quiet"], False)):
        main, other = pty.openpty()
        run = subprocess.Popen(command + more, cwd=tool.folder,
                               env={**tool.env, "TERM": "xterm"},
                               stdout=subprocess.PIPE, stderr=other)
        os.close(other)
        said = b""
        try:
            while part := os.read(main, 4096):
                said += part
        except OSError:  # how a terminal says that it is closed
            pass
        os.close(main)
        run.communicate()
        assert run.returncode == 0
        assert (b"comparing" in said and b"%" in said) == drawn, said
        assert said.endswith(b"\r\x1b[K") == drawn
    assert tool.good(*command[1:]).err == ""



def wait_for_work(process, seconds):
    """Until the process has used that much processor time."""
    tick = os.sysconf("SC_CLK_TCK")
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with open(f"/proc/{process.pid}/stat") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        if (int(fields[11]) + int(fields[12])) / tick >= seconds:
            return
        time.sleep(0.01)
    raise AssertionError("it does not work")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_was_stopped_leaves_nothing(tool, number):
    big = thumb(1, 12000)
    (tool.folder / "old").write_bytes(big)
    (tool.folder / "new").write_bytes(thumb(1, 12000, 200))
    process = subprocess.Popen(
        [programs() / "bowline", "diff", "old", "new", "-o", "p", "--effort",
         "9"], cwd=tool.folder, env=tool.env, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True)
    wait_for_work(process, 0.2)
    process.send_signal(number)
    out, err = process.communicate(timeout=120)
    assert process.returncode == -number, err
    assert out == "" and "Sanitizer" not in err
    assert files(tool) == ["new", "old"]


def test_waiting_for_a_pipe_can_be_stopped(patched):
    process = subprocess.Popen(
        [programs() / "bowline", "patch", "old.bin", "-", "q"],
        cwd=patched.folder, env=patched.env, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with open(f"/proc/{process.pid}/status") as f:
            caught = f.read().split("SigCgt:\t")[1].split()[0]
        if int(caught, 16) >> (signal.SIGINT - 1) & 1:
            break
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    process.wait(60)
    process.stdin.close()
    assert process.returncode == -signal.SIGINT
    assert not (patched.folder / "q").exists()


# --- bowline inspect ---

def test_inspect_says_what_a_patch_is(patched):
    found = patched.good("inspect", "p", "--json").json["files"][0]
    made = patched.good("diff", "old.bin", "new.bin", "-o", "q",
                        "--json").json
    for key in ("format", "isa", "in_place", "deflate", "old_size",
                "new_size", "ram", "old_check", "new_check", "percent",
                "size"):
        assert found[key] == made[key], key
    assert found["type"] == "patch"
    assert found["verifies"] is None and "--base" in found["problem"]
    for name, key in (("old.bin", "old_check"), ("new.bin", "new_check")):
        digest = hashlib.sha256((patched.folder / name).read_bytes())
        assert found[key] == digest.hexdigest()[:6]


def test_inspect_weighs_the_parts_of_a_patch(patched):
    found = patched.good("inspect", "p", "--base", "old.bin",
                         "--json").json["files"][0]
    assert found["verifies"] is True and found["problem"] is None
    assert found["copied"] + found["literal"] == found["new_size"]
    assert found["copies"] > 0 and found["map"] > 10
    parts = {p["part"]: p for p in found["parts"]}
    total = sum(p["bytes"] for p in parts.values())
    assert total == pytest.approx(found["size"], rel=0.03)
    assert sum(p["percent"] for p in parts.values()) == \
        pytest.approx(100, abs=3)
    assert parts["map"]["bytes"] > 10
    assert parts["head and regions"]["bytes"] > 10
    said = patched.good("inspect", "p", "--base", "old.bin").out
    assert "  applies\n" in said and "head and regions" in said


def test_a_patch_for_one_slot_applies_and_its_parts_are_not_weighed(pair):
    pair.good("diff", "old.bin", "new.bin", "-o", "q", "--in-place",
              "--block", "4K", "--spare", "2")
    found = pair.good("inspect", "q", "--base", "old.bin",
                      "--json").json["files"][0]
    assert found["in_place"] is True and found["verifies"] is True
    assert "parts" not in found
    pair.good("patch", "old.bin", "q", "made.bin")
    assert (pair.folder / "made.bin").read_bytes() == \
        (pair.folder / "new.bin").read_bytes()


def test_inspect_of_a_patch_for_another_image(patched):
    said = patched("inspect", "p", "--base", "new.bin")
    assert said.code == 1 and "DOES NOT APPLY: made for an old" in said.out
    patch = (patched.folder / "p").read_bytes()
    (patched.folder / "cut").write_bytes(patch[:len(patch) * 3 // 4])
    said = patched("inspect", "cut", "--base", "old.bin")
    assert said.code == 1 and "DOES NOT APPLY: " in said.out
    (patched.folder / "head").write_bytes(patch[:6])
    said = patched("inspect", "head")
    assert said.code == 1 and "cut off within its head" in said.out


def test_inspect_refuses_what_patch_refuses(patched):
    patch = patched.folder / "p"
    whole = patch.read_bytes()
    patch.write_bytes(whole + whole)
    assert patched("patch", "old.bin", "p", "out").code == 3
    said = patched("inspect", "p", "--base", "old.bin")
    assert said.code == 1 and "DOES NOT APPLY" in said.out


def test_inspect_takes_a_base_for_patches_only(patched):
    assert "old.bin is none" in patched.refused(
        2, "inspect", "old.bin", "--base", "old.bin")
    assert "none: No such file" in patched.refused(
        3, "inspect", "p", "--base", "none")
