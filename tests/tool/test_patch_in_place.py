# SPDX-License-Identifier: Apache-2.0
"""bowline patch --in-place: over the image itself, killed at any time."""
import fcntl
import hashlib
import os
import random
import shutil
import signal
import subprocess
import time

import pytest

from .conftest import Tool, programs

LONG = os.environ.get("BOWLINE_EXHAUSTIVE") == "1"
KILLS = 150 if LONG else 25


def images(seed, size=60000):
    """Pieces that change places over more than a block, in circles."""
    rnd = random.Random(seed)
    old = rnd.randbytes(size)
    pieces = [old[k:k + 1700] for k in range(0, size, 1700)]
    for k in range(0, len(pieces) - 6, 6):
        part = pieces[k:k + 6]
        rnd.shuffle(part)
        pieces[k:k + 6] = part
    return old, b"".join(pieces)[:size - 500] + rnd.randbytes(900)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Images and patches, made once."""
    tool = Tool(tmp_path_factory.mktemp("made"))
    old, new = images(3)
    (tool.folder / "old").write_bytes(old)
    (tool.folder / "new").write_bytes(new)
    (tool.folder / "image").write_bytes(old)
    (tool.folder / "other").write_bytes(new[::-1])
    tool.good("diff", "old", "new", "-o", "p", "--in-place")
    tool.good("diff", "old", "other", "-o", "q", "--in-place")
    tool.good("diff", "old", "new", "-o", "ab")
    return tool.folder


@pytest.fixture
def slot(made, tool):
    shutil.copytree(made, tool.folder, dirs_exist_ok=True)
    return tool


def read(tool, name):
    return (tool.folder / name).read_bytes()


def start(tool, *more, image="image"):
    return subprocess.Popen(
        [programs() / "bowline", "patch", "--in-place", image, "p", *more],
        cwd=tool.folder, env=tool.env, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True)


def until_begun(tool, process):
    """Until the image is neither the old nor the new one."""
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        if (tool.folder / "image.journal").exists() and \
                read(tool, "image")[:60000] != read(tool, "old"):
            return True
    return False


def half_way(tool, image="image"):
    """Stopped by SIGKILL while it was at work."""
    for _ in range(50):
        process = start(tool, image=image)
        begun = until_begun(tool, process)
        process.kill()
        process.communicate()
        if begun and (tool.folder / "image.journal").exists():
            return
        (tool.folder / "image").write_bytes(read(tool, "old"))
    raise AssertionError("it is never half way")


def test_the_image_becomes_the_new_one_and_nothing_is_left(slot):
    before = sorted(os.listdir(slot.folder))
    inode = (slot.folder / "image").stat().st_ino
    new = read(slot, "new")
    said = slot.good("patch", "--in-place", "image", "p", "--json").json
    assert read(slot, "image") == new
    assert sorted(os.listdir(slot.folder)) == before
    assert (slot.folder / "image").stat().st_ino == inode
    assert said["file"] == "image" and said["size"] == len(new)
    assert said["sha256"] == hashlib.sha256(new).hexdigest()
    assert said["patch_size"] == len(read(slot, "p"))
    assert said["work"] % 4096 == 0 and said["ram"] <= 12 * 1024
    assert not said["resumed"] and not said["already"]


def test_diff_and_inspect_say_what_the_device_needs(slot):
    made = slot.good("diff", "old", "new", "-o", "r", "--in-place", "--spare",
                     "3", "--json").json
    said = slot.good("inspect", "r", "--json").json["files"][0]
    for found in (made, said):
        assert found["block"] == 4096 and found["in_place"]
        assert found["work"] in ((4 + 2 * n) * 4096 for n in (2, 3, 4))
    assert f"work area      {made['work']} bytes beside the image" in \
        slot.good("diff", "old", "new", "-o", "s", "--in-place", "--spare",
                  "3").out
    assert "work" not in slot.good("inspect", "ab", "--json").json["files"][0]


def test_done_again_it_says_that_it_is_done(slot):
    slot.good("patch", "--in-place", "image", "p")
    before = (slot.folder / "image").stat().st_mtime_ns
    said = slot.good("patch", "--in-place", "image", "p", "--json").json
    assert said["already"]
    assert "is the new image already" in \
        slot.good("patch", "--in-place", "image", "p").err
    assert (slot.folder / "image").stat().st_mtime_ns == before


@pytest.mark.parametrize("seed", range(3))
def test_killed_at_any_time_it_ends_in_the_new_image(slot, seed):
    """SIGKILL at random times, then the same command again, until it says
    that it is done; then from the old image once more."""
    rnd = random.Random(seed)
    new, whole, kills, taken_up = read(slot, "new"), 0.0, 0, 0
    began = time.monotonic()
    slot.good("patch", "--in-place", "image", "p")
    whole = time.monotonic() - began
    while kills < KILLS or (taken_up == 0 and kills < 20 * KILLS):
        (slot.folder / "image").write_bytes(read(slot, "old"))
        code = None
        while code != 0:
            process = start(slot, "--json")
            try:
                out, err = process.communicate(
                    timeout=rnd.uniform(0, 1.2 * whole))
                code = process.returncode
                assert code == 0, err
                taken_up += '"resumed": true' in out
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.communicate()
                kills += 1
        assert read(slot, "image") == new
        assert not (slot.folder / "image.journal").exists()
    assert taken_up > 0


def test_stopped_by_ctrl_c_it_says_how_to_go_on(slot):
    for _ in range(50):
        process = start(slot)
        begun = until_begun(slot, process)
        process.send_signal(signal.SIGINT)
        process.communicate()
        if begun and process.returncode == -signal.SIGINT:
            break
        (slot.folder / "image").write_bytes(read(slot, "old"))
    else:
        raise AssertionError("it is never half way")
    assert slot.good("patch", "--in-place", "image", "p", "--json"
                     ).json["resumed"]
    assert read(slot, "image") == read(slot, "new")


def test_another_patch_is_refused_half_way(slot):
    half_way(slot)
    image, journal = read(slot, "image"), read(slot, "image.journal")
    said = slot("patch", "--in-place", "image", "q", "--json")
    digest = hashlib.sha256(read(slot, "p")).hexdigest()
    assert said.code == 3
    assert said.json["error"]["status"] == "delta-base"
    assert "half way under another patch" in said.json["error"]["message"]
    assert digest[:8] in said.json["error"]["message"]
    assert read(slot, "image") == image
    assert read(slot, "image.journal") == journal
    assert "going on" in slot.good("patch", "--in-place", "image", "p").err
    assert read(slot, "image") == read(slot, "new")


def test_an_image_that_was_changed_half_way_is_told(slot):
    half_way(slot)
    (slot.folder / "image").write_bytes(bytes(60000))
    said = slot.refused(3, "patch", "--in-place", "image", "p", "--quiet")
    assert "was changed by something else" in said
    assert "remove image.journal" in said


def test_what_is_no_journal_is_in_the_way(slot):
    (slot.folder / "image.journal").write_bytes(b"mine" * 2000)
    assert "not the journal of a patch" in slot.refused(
        3, "patch", "--in-place", "image", "p")
    assert read(slot, "image.journal") == b"mine" * 2000
    assert read(slot, "image") == read(slot, "old")


def test_a_journal_that_was_never_finished_is_no_obstacle(slot):
    (slot.folder / "image.journal").write_bytes(b"\xff" * 5000)
    slot.good("patch", "--in-place", "image", "p")
    assert read(slot, "image") == read(slot, "new")
    assert not (slot.folder / "image.journal").exists()


def test_a_link_to_the_image_has_the_same_journal(slot):
    (slot.folder / "sub").mkdir()
    (slot.folder / "sub/link").symlink_to("../image")
    half_way(slot, "sub/link")
    assert os.listdir(slot.folder / "sub") == ["link"]
    assert slot.good("patch", "--in-place", "image", "p", "--json"
                     ).json["resumed"]
    assert read(slot, "image") == read(slot, "new")
    assert (slot.folder / "sub/link").is_symlink()


def test_two_at_once_are_refused(slot):
    with open(slot.folder / "image", "rb") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        assert "another bowline" in slot.refused(
            3, "patch", "--in-place", "image", "p")


@pytest.mark.parametrize("args, code, says", [
    (["image"], 2, "is missing"),
    (["image", "p", "x"], 2, "IMAGE PATCH"),
    (["image", "p", "--force"], 2, "no --force"),
    (["-", "p"], 2, "needs files"),
    (["image", "-"], 2, "needs files"),
    (["none", "p"], 3, "none: No such file"),
    ([".", "p"], 3, ". is a folder"),
    (["image", "none"], 3, "none: No such file"),
    (["image", "image"], 3, "image: not a patch"),
    (["image", "ab"], 3, "not made for one slot"),
    (["other", "p"], 3, "made for an old image of 60000 bytes"),
    (["same", "p"], 3, "one whose SHA-256 begins with"),
])
def test_what_is_wrong_is_said_and_nothing_is_changed(slot, args, code, says):
    (slot.folder / "same").write_bytes(bytes(60000))
    before = {n: (slot.folder / n).stat().st_mtime_ns
              for n in os.listdir(slot.folder)}
    assert says in slot.refused(code, "patch", "--in-place", *args)
    assert before == {n: (slot.folder / n).stat().st_mtime_ns
                      for n in os.listdir(slot.folder)}


def test_a_damaged_patch_is_refused_before_the_image_is_touched(slot):
    patch, rnd = read(slot, "p"), random.Random(1)
    before = sorted(os.listdir(slot.folder)) + ["damaged"]
    for _ in range(30):
        damaged = bytearray(patch)
        damaged[rnd.randrange(12, len(patch))] ^= 1 << rnd.randrange(8)
        (slot.folder / "damaged").write_bytes(damaged)
        slot.refused(3, "patch", "--in-place", "image", "damaged")
        assert read(slot, "image") == read(slot, "old")
    (slot.folder / "damaged").write_bytes(patch[:len(patch) // 2])
    slot.refused(3, "patch", "--in-place", "image", "damaged")
    assert read(slot, "image") == read(slot, "old")
    assert sorted(os.listdir(slot.folder)) == sorted(before)
