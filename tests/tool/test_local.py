# SPDX-License-Identifier: Apache-2.0
"""From an empty folder to a signed release, and what is refused on the way."""
import hashlib
import json
import os
import stat
import uuid

import pytest

from .conftest import SAMPLES, firmware, record


def test_init_writes_a_project_file_that_every_verb_finds(tool):
    result = tool.good("init", "--product", "thermostat", "--vendor",
                       "example.com", "--json").json
    vendor = uuid.uuid5(uuid.NAMESPACE_DNS, "example.com")
    assert result["vendor_id"] == vendor.hex
    assert result["class_id"] == uuid.uuid5(vendor, "thermostat").hex
    below = tool.folder / "a" / "b"
    below.mkdir(parents=True)
    (tool.folder / "fw.bin").write_bytes(firmware("1.0.0"))
    tool.good("key", "new", "release.pem")
    made = tool.good("release", tool.folder / "fw.bin", "--json",
                     cwd=below).json
    assert made["product"] == "thermostat"
    assert (tool.folder / "releases/thermostat-1.0.0.suit").exists()


def test_init_does_not_replace_a_project_file(project):
    said = project.refused(3, "init", "--vendor", "example.com")
    assert "bowline.conf is there already" in said


def test_init_without_a_vendor_says_what_to_say(tool):
    assert "--vendor" in tool.refused(2, "init")


@pytest.mark.parametrize("text, says", [
    ("product = 5;", "bowline.conf:1: product must be a text"),
    ("colour = \"red\";", "\"colour\" is no setting"),
    ("product = \"x\"", None),
    ("product = ", "bowline.conf:1"),
    ("release_keys = \"x\";", "must be a list of texts"),
])
def test_a_wrong_project_file_is_an_error_with_its_line(tool, text, says):
    (tool.folder / "bowline.conf").write_text(text)
    (tool.folder / "fw.bin").write_bytes(firmware("1.0.0"))
    said = tool.refused(3, "release", "fw.bin")
    if says:
        assert says in said


def test_keys_are_private_and_never_replaced(tool):
    made = tool.good("key", "new", "a.pem", "--json").json
    assert made["kind"] == "esp256" and made["signatures_left"] is None
    mode = os.stat(tool.folder / "a.pem").st_mode
    assert stat.S_IMODE(mode) == 0o600
    assert "never replaced" in tool.refused(3, "key", "new", "a.pem")
    both = tool.good("key", "show", "a.pem", "a.pem.pub", "--json").json
    assert [k["private"] for k in both["keys"]] == [True, False]
    assert {k["kid"] for k in both["keys"]} == {made["kid"]}


@pytest.mark.parametrize("kind, left", [("ed25519", None), ("hss-h5", 32)])
def test_key_kinds(tool, kind, left):
    made = tool.good("key", "new", "k.pem", "--kind", kind, "--json").json
    assert made["kind"] == kind.split("-")[0]
    assert made["signatures_left"] == left


def test_key_kid_is_the_thumbprint_of_rfc_9679(tool):
    from cryptography.hazmat.primitives import serialization
    import cbor2
    made = tool.good("key", "new", "k.pem", "--json").json
    pem = (tool.folder / "k.pem.pub").read_bytes()
    numbers = serialization.load_pem_public_key(pem).public_numbers()
    cose = {1: 2, -1: 1, -2: numbers.x.to_bytes(32, "big"),
            -3: numbers.y.to_bytes(32, "big")}
    digest = hashlib.sha256(cbor2.dumps(cose, canonical=True)).hexdigest()
    assert made["kid"] == digest[:16]


def test_release_takes_the_version_of_the_image(project):
    r = project.good("release", "fw.bin", "--json").json
    assert r["version"] == "1.1.0" and r["version_from"] == "image"
    assert r["verified"] is True and r["size"] == 20128
    body = (project.folder / "fw.bin").read_bytes()
    assert r["sha256"] == hashlib.sha256(body).hexdigest()
    payload = project.folder / "releases/payloads" / r["sha256"]
    assert payload.read_bytes() == body
    kept = json.loads((project.folder
                       / "releases/thermostat-1.1.0.json").read_text())
    assert kept["manifest"] == r["manifest"]


@pytest.mark.parametrize("args, says", [
    (["--version", "1.2.0"], "carries version 1.1.0, not 1.2.0"),
    (["--product", "kettle"], 'firmware of product "thermostat"'),
    (["--key", "ticket.pem"], "devices would refuse the release"),
    (["--key", "release.pem.pub"], "release.pem.pub"),
    (["--key", "nowhere.pem"], "nowhere.pem"),
    (["--min-version", "x"], "minimum version"),
    (["--root", "fw.bin"], "root document fw.bin"),
    (["--notes", "nowhere.txt"], "nowhere.txt"),
])
def test_release_refuses(project, args, says):
    assert says in project.refused(3, "release", "fw.bin", *args)
    assert not (project.folder / "releases").exists()


@pytest.mark.parametrize("args, says", [
    (["--sequence", "0"], "whole number"),
    (["--sequence", "1x"], "whole number"),
    (["--colour"], "no such option"),
    (["--json=yes"], "takes no value"),
    (["--version"], "--version needs V"),
    (["--version", "1", "--version", "1"], "twice"),
    (["second.bin"], "one argument too many"),
])
def test_release_with_a_wrong_command_line(project, args, says):
    assert says in project.refused(2, "release", "fw.bin", *args)


def test_release_numbers_rise_and_releases_never_change(project):
    first = project.good("release", "fw.bin", "--sequence", "7000000000",
                         "--json").json
    said = project.refused(3, "release", "fw.bin")
    assert "a release never changes" in said
    (project.folder / "two.bin").write_bytes(firmware("1.2.0"))
    said = project.refused(3, "release", "two.bin", "--sequence", "5")
    assert "7000000000 already" in said
    second = project.good("release", "two.bin", "--json").json
    assert second["sequence"] == first["sequence"] + 1


def test_release_of_an_image_without_a_version(project):
    (project.folder / "raw.bin").write_bytes(b"just some bytes" * 100)
    assert "carries no version" in project.refused(3, "release", "raw.bin")
    r = project.good("release", "raw.bin", "--version", "2.0", "--json").json
    assert r["version_from"] == "command"


def test_release_of_an_image_with_two_records_that_differ(project):
    both = firmware("1.0.0") + record("2.0.0", "thermostat")
    (project.folder / "both.bin").write_bytes(both)
    assert "two firmware records" in project.refused(3, "release", "both.bin")


@pytest.mark.parametrize("version", ["../x", "", ".1", "1 0", "1/0", "a" * 64])
def test_release_refuses_versions_that_are_no_names(project, version):
    (project.folder / "raw.bin").write_bytes(b"raw" * 100)
    said = project.refused(3, "release", "raw.bin", "--version", version)
    assert "letters, digits" in said


def test_release_of_a_real_esp32_application(project):
    image = SAMPLES / "serial-flasher/ESP32_S3/2024-08-13_hello_world.bin"
    r = project.good("release", image, "--json").json
    assert r["version"] == "v1.4.1-2-g0296947-dirty"
    assert r["image"]["chip"] == "ESP32-S3"
    seen = project.good("inspect", r["file"], "--json").json["files"][0]
    assert seen["version"] == "1.4.1"  # what devices compare
    assert seen["version_text"] == r["version"]
    said = project.refused(3, "release", image, "--version", "1.4.1")
    assert "carries version v1.4.1-2-g0296947-dirty, not 1.4.1" in said


def test_release_compares_a_cut_descriptor_as_far_as_it_goes(project):
    image = SAMPLES / "idf-extra/hello_world_esp32.bin"
    whole = "qa-test-esp32c61-master-20250701-0123"
    r = project.good("release", image, "--version", whole, "--json").json
    assert r["version"] == whole
    project.refused(3, "release", image, "--version",
                    "qa-test-esp32c61-master-2025071-0123")


def test_release_of_arduino_firmware_takes_the_version_of_the_command(
        project):
    from esp_made import application
    image = project.folder / "arduino.bin"
    image.write_bytes(application(version="9036908-dirty",
                                  project="esp32-arduino-lib-builder"))
    said = project.refused(3, "release", image)
    assert "Arduino SDK" in said and "--version" in said
    result = project.good("release", image, "--version", "3.0")
    assert "Arduino SDK" in result.err


def test_release_refuses_a_damaged_image_and_a_bootloader(project):
    image = SAMPLES / "serial-flasher/ESP32_C2/2024-08-13_hello_world.bin"
    body = bytearray(image.read_bytes())
    body[30000] ^= 1
    (project.folder / "bad.bin").write_bytes(body)
    assert "damaged" in project.refused(3, "release", "bad.bin")
    boot = SAMPLES / "serial-flasher/ESP32_C6/2023-07-24_bootloader.bin"
    assert "bootloader" in project.refused(3, "release", boot)


# --- Input that is no input -------------------------------------------------

@pytest.mark.parametrize("verb", [
    ["release"], ["inspect"], ["root", "show"], ["key", "show"],
    ["root", "sign", "--key", "root.pem"], ["publish"], ["conformance"]])
@pytest.mark.parametrize("what", ["missing", "folder", "empty"])
def test_a_file_that_cannot_be_is_one_clear_error(project, verb, what):
    path = project.folder / what
    if what == "folder":
        path.mkdir()
    elif what == "empty":
        path.touch()
    more = ["--server", "https://127.0.0.1:1"] if verb == ["publish"] else []
    said = project.refused(3, *verb, path, *more)
    assert what in said


def test_an_envelope_cut_at_any_length_does_not_verify(project):
    r = project.good("release", "fw.bin", "--json").json
    whole = open(r["file"], "rb").read()
    cuts = sorted({1, 2, 3, len(whole) - 1, *range(4, len(whole), 23)})
    names = []
    for n in cuts:
        path = project.folder / f"cut-{n}"
        path.write_bytes(whole[:n])
        names.append(path)
    result = project("inspect", *names[2:40], "--json")
    assert result.code == 1, result.err
    for file in result.json["files"]:
        assert file["type"] == "envelope" and file["verifies"] is False
        assert file["problem"]
    for n in cuts[2::4]:
        said = project.refused(3, "publish", f"cut-{n}", "--server",
                               "https://127.0.0.1:1")
        assert "envelope" in said or "(cbor)" in said


def test_an_envelope_with_a_flipped_bit_does_not_verify(project):
    r = project.good("release", "fw.bin", "--json").json
    whole = open(r["file"], "rb").read()
    names = []
    for at in range(2, len(whole), 11):
        body = bytearray(whole)
        body[at] ^= 1 << at % 8
        path = project.folder / f"flip-{at}"
        path.write_bytes(body)
        names.append(path)
    for some in (names[:30], names[30:]):
        result = project("inspect", *some, "--json")
        assert result.code == 1
        good = [f["file"] for f in result.json["files"]
                if f["verifies"] is not False]
        # The kid of a block and text are not signed over: they only name.
        for name in good:
            at = int(name.rsplit("-", 1)[1])
            assert is_unsigned(whole, at), at


def is_unsigned(envelope, at):
    import cbor2
    body = cbor2.loads(envelope).value
    block = cbor2.loads(body[2])[1]
    kid = cbor2.loads(block).value[1].get(4, b"")
    start = envelope.find(kid)
    return start <= at < start + len(kid)


def test_inspect_says_when_a_payload_beside_was_changed(project):
    r = project.good("release", "fw.bin", "--json").json
    with open(r["payload"], "r+b") as f:
        f.seek(100)
        f.write(b"x")
    result = project("inspect", r["file"])
    assert result.code == 1 and "DOES NOT VERIFY" in result.out
    said = project.refused(3, "publish", r["file"], "--server",
                           "https://127.0.0.1:1")
    assert "is not the payload that" in said


def test_inspect_knows_each_kind_of_file(project):
    r = project.good("release", "fw.bin", "--json").json
    files = project.good("inspect", r["file"], "root-1.cbor", "root.pem",
                         "root.pem.pub", "fw.bin", "--json").json["files"]
    assert [f["type"] for f in files] == ["envelope", "root document", "key",
                                          "key", "image"]
    assert [f["verifies"] for f in files] == [True, True, None, None, None]
    assert files[4]["version"] == "1.1.0"
    assert files[4]["record_offset"] == 1234


def test_inspect_without_a_root_document_says_what_was_not_checked(project):
    r = project.good("release", "fw.bin", "--json").json
    result = project.good("inspect", r["file"], cwd="/")
    assert "not checked" in result.out and "--root" in result.out
    seen = project.good("inspect", r["file"], "--json",
                        cwd="/").json["files"][0]
    assert seen["verifies"] is None


def test_inspect_commands_lists_the_sequences(project):
    r = project.good("release", "fw.bin", "--min-version", "1.0",
                     "--json").json
    out = project.good("inspect", r["file"], "--commands",
                       "--json").json["files"][0]["commands"]
    lines = [line.strip() for line in out]
    assert lines[0] == "shared:"
    for line in ("condition vendor", "condition class", "condition version",
                 "install:", "fetch", "validate:", "invoke"):
        assert line in lines


def test_json_is_printed_also_when_refused(project):
    result = project("release", "fw.bin", "--version", "9", "--json")
    assert result.code == 3
    error = result.json["error"]
    assert error["exit"] == 3 and "carries version" in error["message"]
    result = project("release", "fw.bin", "--key", "ticket.pem", "--json")
    assert result.json["error"]["status"] == "signature"


def test_quiet_and_colors(project):
    plain = project.good("release", "fw.bin")
    assert "\033[" not in plain.out and "Next:" in plain.err
    quiet = project.good("inspect", "root-1.cbor", "--quiet", "--color",
                         "always")
    assert quiet.err == "" and "\033[" in quiet.out
    never = project.good("inspect", "root-1.cbor", env={"NO_COLOR": "1"})
    assert "\033[" not in never.out


def test_status_codes_are_those_of_the_header(tool):
    codes = tool.good("status-codes", "--json").json["codes"]
    by_number = {c["number"]: c["name"] for c in codes}
    assert by_number[0] == "ok" and by_number[22] == "signature"
    assert by_number[100] == "boot-tries" and len(by_number) == len(codes)


def test_each_code_says_what_to_do(tool):
    said = tool.good("status-codes", "--json").json
    for c in said["codes"] + said["whys"] + said["waits"]:
        assert c["meaning"] and c["advice"], c
        assert "does not know this code" not in c["advice"], c
    assert {"unseen", "silent", "quarantine"} <= {
        c["name"] for c in said["whys"]}
    assert [c["name"] for c in said["waits"]] == [
        "window", "consent", "battery", "network"]


def test_version(tool):
    assert tool.good("version").out == tool.good("--version").out


def test_a_server_that_is_not_there_is_exit_5(project):
    said = project.refused(5, "server", "status", "--server",
                           "https://127.0.0.1:1")
    assert "127.0.0.1:1" in said


def test_an_address_with_a_password_is_refused(project):
    said = project.refused(3, "server", "status", "--server",
                           "https://me:secret@127.0.0.1:1")
    assert "secret" not in said


def test_json_is_printed_also_for_a_wrong_command_line(tool):
    result = tool("release", "--bogus", "--json")
    assert result.code == 2 and result.json["error"]["exit"] == 2


def test_output_that_cannot_be_written_is_an_error(tool):
    import subprocess
    from .conftest import programs
    with open("/dev/full", "w") as full:
        run = subprocess.run([programs() / "bowline", "help"], stdout=full,
                             stderr=subprocess.PIPE, text=True)
    assert run.returncode == 7 and "could not be written" in run.stderr


def test_a_folder_that_cannot_be_written(project):
    (project.folder / "blocked").write_text("a file, not a folder")
    said = project.refused(7, "release", "fw.bin", "--releases", "blocked")
    assert "blocked" in said
