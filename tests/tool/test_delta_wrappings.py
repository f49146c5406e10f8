# SPDX-License-Identifier: Apache-2.0
"""bowline diff, patch and inspect of what images are wrapped in: compressed
members of each kind, file systems, ESP8266 images."""
import gzip
import io
import random
import struct
import subprocess
import zipfile
import zlib

import pytest

from esp_made import application

RAM = "64"


def text(seed, lines=1200):
    rnd = random.Random(seed)
    words = [bytes(rnd.choices(b"abcdefghijklmnopqrstuvwxyz", k=rnd.randrange(
        3, 11))) for _ in range(300)]
    return b"\n".join(b" ".join(rnd.choices(words, k=8))
                      for _ in range(lines)) + b"\n"


def changed(content):
    """A few lines in the middle are others, and some more."""
    half = len(content) // 2
    return content[:half] + b"a line that is new\n" * 3 + content[half + 40:]


def around(member):
    """An image that holds it."""
    rnd = random.Random(9)
    return rnd.randbytes(3000) + member + rnd.randbytes(2001)


def raw_deflate(content):
    c = zlib.compressobj(9, zlib.DEFLATED, -15)
    return c.compress(content) + c.flush()


def zip_of(content):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr(zipfile.ZipInfo("page.txt"), content,
                   zipfile.ZIP_DEFLATED)
    return out.getvalue()


KINDS = {"gzip": lambda c: gzip.compress(c, mtime=0), "zlib": zlib.compress,
         "zip": zip_of, "raw": raw_deflate}


def round_trip(tool, old, new, *options):
    """What the patch is; it has given the new image, and inspect agrees."""
    (tool.folder / "old").write_bytes(old)
    (tool.folder / "new").write_bytes(new)
    made = tool.good("diff", "old", "new", "-o", "p", "--ram", RAM, *options,
                     "--json").json
    tool.good("patch", "old", "p", "back")
    assert (tool.folder / "back").read_bytes() == new
    seen = tool.good("inspect", "p", "--base", "old", "--json") \
        .json["files"][0]
    assert seen["type"] == "patch" and seen["verifies"] is True
    assert seen["deflate"] == made["deflate"]
    assert seen["size"] == made["size"] == (tool.folder / "p").stat().st_size
    (tool.folder / "back").unlink()
    (tool.folder / "p").unlink()
    return made


@pytest.mark.parametrize("kind", ["gzip", "zlib", "zip"])
def test_members_with_a_head_are_taken_apart(tool, kind):
    content = text(1)
    old, new = (around(KINDS[kind](c)) for c in (content, changed(content)))
    made = round_trip(tool, old, new)
    left = round_trip(tool, old, new, "--no-deflate")
    assert made["deflate"] is True and left["deflate"] is False
    assert made["size"] < left["size"] / 3
    assert made["size"] < 1500


def test_a_raw_stream_without_a_head_is_bytes_like_any(tool):
    content = text(2)
    old, new = (around(raw_deflate(c)) for c in (content, changed(content)))
    made = round_trip(tool, old, new)
    assert made["deflate"] is False
    assert made["size"] < len(new)


def squashfs(tool, name, files):
    root = tool.folder / name
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    image = tool.folder / f"{name}.squashfs"
    subprocess.run(
        ["mksquashfs", root, image, "-comp", "gzip", "-noappend", "-all-root",
         "-mkfs-time", "0", "-all-time", "0", "-no-xattrs", "-processors",
         "1", "-quiet", "-no-progress"], check=True, capture_output=True)
    return image.read_bytes()


def test_a_squashfs_is_taken_apart_block_by_block(tool):
    files = {f"www/page{n}.html": text(n, 3000) for n in range(4)}
    old = squashfs(tool, "a", files)
    new = squashfs(tool, "b", {**files, "www/page2.html":
                               changed(files["www/page2.html"])})
    made = round_trip(tool, old, new)
    left = round_trip(tool, old, new, "--no-deflate")
    assert made["deflate"] is True
    assert made["size"] < left["size"] / 2 < len(new) / 2


def esp8266(segments):
    """Eight bytes of head, segments, the checksum in the last of 16."""
    out = struct.pack("<BBBBI", 0xE9, len(segments), 2, 0x40, 0x40100004)
    checksum = 0xEF
    for address, data in segments:
        out += struct.pack("<II", address, len(data)) + data
        for byte in data:
            checksum ^= byte
    return out + bytes(15 - len(out) % 16) + bytes([checksum])


def calls(seed, functions, moved):
    """Xtensa-like: entry, adds, CALL0 to other functions, RET."""
    rnd = random.Random(seed)
    plans = [(rnd.randrange(4, 30), rnd.randrange(functions))
             for _ in range(functions)]
    starts, at = [], 0
    for k, (adds, _) in enumerate(plans):
        at += moved if k % 10 == 5 else 0
        starts.append(at)
        at += 3 * (adds + 2) + (-(3 * (adds + 2)) % 4)
    out = bytearray()
    for k, (adds, callee) in enumerate(plans):
        out += bytes(starts[k] - len(out))
        for _ in range(adds):
            out += bytes([0x00 | rnd.randrange(2, 8) << 4,
                          rnd.randrange(256), 0x80])
        offset = (starts[callee] - (len(out) & ~3) - 4) >> 2
        out += (5 | (offset & 0x3FFFF) << 6).to_bytes(3, "little")
        out += b"\x80\x00\x00"
        out += bytes(-len(out) % 4)
    return bytes(out)


def test_esp8266_images_have_their_short_head_and_checksum(tool):
    data = random.Random(3).randbytes(1600)
    old, new = (esp8266([(0x40100000, calls(4, 300, moved)),
                         (0x3FFE8000, data[:n])])
                for moved, n in ((0, 1600), (8, 1592)))
    seen = tool.folder / "seen"
    seen.write_bytes(new)
    said = tool.good("inspect", seen, "--json").json["files"][0]
    assert said["format"] == "ESP8266 image" and said["verifies"] is True
    made = round_trip(tool, old, new)
    assert made["found"] == "from the ESP8266 image header"
    assert made["isa"] == "xtensa"
    plain = round_trip(tool, old, new, "--isa", "plain")
    assert made["size"] < plain["size"]


def test_an_esp32_image_is_not_taken_for_an_esp8266(tool):
    made = round_trip(tool, application(), application(version="1.0.1"))
    assert made["found"] == "from the ESP image header"
