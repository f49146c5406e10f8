# SPDX-License-Identifier: Apache-2.0
"""Releases with patches: made, explained, and installed by the device's own
code through `bowline conformance`."""
import hashlib
import json

import pytest
from cryptography.hazmat.primitives import serialization

from .conftest import firmware


def sha256(content):
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def three(project):
    """1.0.0 is released, 1.1.0 lies in two.bin; other.bin is 0.9.0."""
    images = {"one": firmware("1.0.0"), "other": firmware("0.9.0"),
              "two": firmware("1.1.0")}
    for name, step in (("two", 7), ("other", 11)):
        body = bytearray(images[name])
        for at in range(3000, 9000, 50):
            body[at] = (body[at] + step) & 255
        images[name] = bytes(body)
    for name, content in images.items():
        (project.folder / f"{name}.bin").write_bytes(content)
    project.good("release", "one.bin")
    project.images = images
    return project


def release(three, *more):
    return three.good(
        "release", "two.bin", "--json", "--delta-from",
        "releases/thermostat-1.0.0.suit", "--delta-from", "other.bin",
        *more).json


def test_patches_are_made_for_each_base(three):
    made = release(three)
    assert [p["from"] for p in made["patches"]] == [
        "releases/thermostat-1.0.0.suit", "other.bin"]
    for patch, base in zip(made["patches"], ("one", "other")):
        assert patch["base"] == sha256(three.images[base])
        content = (three.folder / patch["payload"]).read_bytes()
        assert sha256(content) == patch["sha256"]
        assert len(content) == patch["size"] < 2000
        three.good("patch", f"{base}.bin", patch["payload"], f"{base}.new")
        assert (three.folder / f"{base}.new").read_bytes() == (
            three.images["two"])


def test_inspect_says_which_patch_is_for_whom(three):
    made = release(three)
    shown = three.good("inspect", made["file"], "--json").json["files"][0]
    assert shown["verifies"] is True
    assert shown["components"] == ["app", "app/active", "stage"]
    assert [p["component"] for p in shown["payloads"]] == ["stage", "stage",
                                                           "app"]
    assert all(p["file"].startswith("here, ") for p in shown["payloads"])
    assert shown["deltas"] == [
        {"component": "app", "for": p["base"], "patch": p["sha256"],
         "size": p["size"]} for p in made["patches"]]
    commands = three.good("inspect", "--commands", made["file"]).out
    assert commands.count("x-apply") == 2 and "else try" in commands


def key_of(three):
    pem = (three.folder / "release.pem.pub").read_bytes()
    n = serialization.load_pem_public_key(pem).public_numbers()
    return {"release-esp256": {
        "kty": "EC2", "crv": "P-256", "alg": -9,
        "x": n.x.to_bytes(32, "big").hex(),
        "y": n.y.to_bytes(32, "big").hex()}}


def vector(three, made, running, path, **expected):
    shown = three.good("inspect", made["file"], "--json").json["files"][0]
    payloads = {f"payloads/{h}": (three.folder / "releases/payloads"
                                  / h).read_bytes().hex()
                for h in [made["sha256"]] + [p["sha256"]
                                             for p in made["patches"]]}
    return {
        "name": f"on {running.hex()[:8]}: {path}",
        "envelope": (three.folder / made["file"]).read_bytes().hex(),
        "signed_by": ["release-esp256"], "payloads": payloads,
        "device_state": {
            "vendor_id": shown["vendor_id"], "class_id": shown["class_id"],
            "current_sequence_number": 1, "current_version": [1],
            "active_slot": 0, "active_image": running.hex(),
            "active_image_sha256": sha256(running),
            "active_image_size": len(running)},
        "expected": {"verdict": "accept", "path": path,
                     "image_sha256": made["sha256"], **expected}}


def conform(three, vectors):
    (three.folder / "v.json").write_text(json.dumps(
        {"keys": key_of(three), "vectors": vectors}))
    return three("conformance", "v.json", "--json")


def test_the_devices_code_takes_the_patch_for_what_it_runs(three):
    made = release(three)
    images = three.images
    result = conform(three, [
        vector(three, made, images["one"], "delta"),
        vector(three, made, images["other"], "delta"),
        vector(three, made, firmware("0.8.0"), "full")])
    assert result.code == 0, result.out
    assert result.json["same"] == 3
    assert not any("stands for one" in v["reason"]
                   for v in result.json["vectors"])


def test_a_patch_that_was_changed_installs_nothing(three):
    made = release(three)
    good = vector(three, made, three.images["one"], "delta")
    uri = f"payloads/{made['patches'][0]['sha256']}"
    patch = bytearray.fromhex(good["payloads"][uri])
    patch[len(patch) // 2] ^= 1
    good["payloads"][uri] = patch.hex()
    good["expected"] = {"verdict": "reject", "stage": "install", "code": 11}
    result = conform(three, [good])
    assert result.code == 0, result.out
    assert "payload-digest" in result.json["vectors"][0]["reason"]


def test_a_base_without_use_is_left_out(three):
    noise = b"".join(hashlib.sha256(bytes([i])).digest() for i in range(200))
    (three.folder / "noise.bin").write_bytes(noise)
    (three.folder / "new.bin").write_bytes(
        b"".join(hashlib.sha512(bytes([i])).digest() for i in range(200)))
    made = three.good("release", "new.bin", "--version", "3.0",
                      "--delta-from", "noise.bin")
    assert "no smaller than the image" in made.out + made.err
    shown = three.good("inspect", "releases/thermostat-3.0.suit",
                       "--json").json
    assert shown["files"][0]["components"] == ["app"]


@pytest.mark.parametrize("code, args, says", [
    (3, ["--delta-from", "two.bin"], "is the image itself"),
    (3, ["--delta-from", "nowhere.bin"], "nowhere.bin"),
    (3, ["--delta-from", "one.bin", "--delta-from", "one.bin"],
     "have the same base"),
    (2, ["--delta-ram", "12K"], "only for --delta-from"),
    (2, ["--delta-from", "one.bin", "--delta-ram", "1K"],
     "from 6K to 1024K are possible"),
    (2, ["--delta-from", "one.bin"] * 8, "at most 7"),
])
def test_what_is_refused(three, code, args, says):
    assert says in three.refused(code, "release", "two.bin", "--quiet", *args)
    assert not (three.folder / "releases/thermostat-1.1.0.suit").exists()


def test_release_keys_that_may_not_name_the_stage(three):
    three.good("root", "new", "--release-key", "release.pem", "--ticket-key",
               "ticket.pem", "--root-key", "root.pem", "--release-component",
               "app", "-o", "narrow.cbor", "--force")
    three.good("root", "sign", "narrow.cbor", "--key", "root.pem")
    said = three.refused(3, "release", "two.bin", "--delta-from", "one.bin",
                         "--root", "narrow.cbor", "--quiet")
    assert "the component stage" in said
