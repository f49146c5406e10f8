# SPDX-License-Identifier: Apache-2.0
"""bowline push: to a device that runs ArduinoOTA, and what it says when that
does not go well."""
import hashlib
import socket

import pytest

from arduino_device import ArduinoDevice
from .conftest import firmware

IMAGE = bytes((i * 31 + (i >> 8)) & 0xFF for i in range(70001))


@pytest.fixture
def image(tool):
    (tool.folder / "firmware.bin").write_bytes(IMAGE)
    return "firmware.bin"


def password(tool, text, mode=0o600):
    path = tool.folder / "ota.password"
    path.write_text(text + "\n")
    path.chmod(mode)
    return f"--password-file={path.name}"


def arguments(device, image, *more):
    return ["push", "127.0.0.1", image, f"--port={device.port}",
            "--timeout=3", *more]


@pytest.mark.parametrize("scheme", ["none", "md5", "pbkdf2", "pbkdf2-md5"])
def test_a_push_goes_through_each_scheme(tool, image, scheme):
    with ArduinoDevice(scheme, "s3cret pw") as device:
        more = [] if scheme == "none" else [password(tool, "s3cret pw")]
        said = tool.good(*arguments(device, image, *more), "--json").json
        assert device.received == IMAGE and device.whole
        assert device.command == 0
        assert said["authentication"] == scheme.split("-")[0]
        assert said["size"] == said["sent"] == len(IMAGE)
        assert said["md5"] == hashlib.md5(IMAGE).hexdigest()
        assert said["release"] is False


def test_it_says_so_when_nobody_asked_for_a_password(tool, image):
    with ArduinoDevice() as device:
        said = tool.good(*arguments(device, image))
        assert "restarts into it" in said.out
        assert "asked for no password" in said.err


def test_the_password_is_never_on_the_wire(tool, image):
    with ArduinoDevice("md5", "s3cret pw") as device:
        tool.good(*arguments(device, image, password(tool, "s3cret pw")))
        wire = b"".join(device.datagrams)
        assert b"s3cret" not in wire
        assert hashlib.md5(b"s3cret pw").hexdigest().encode() not in wire


def test_a_wrong_password(tool, image):
    for scheme in "md5", "pbkdf2":
        with ArduinoDevice(scheme, "right") as device:
            said = tool.refused(4, *arguments(device, image,
                                              password(tool, "wrong")))
            assert "Authentication Failed" in said
            assert "ota.password" in said and not device.received


def test_a_password_that_is_missing(tool, image):
    with ArduinoDevice("md5", "right") as device:
        said = tool.refused(4, *arguments(device, image))
        assert "Auth Failed" in said and "--password-file" in said


def test_a_password_file_that_others_can_read(tool, image):
    with ArduinoDevice("md5", "right") as device:
        tool.refused(3, *arguments(device, image,
                                   password(tool, "right", 0o644)))
        tool.refused(3, *arguments(device, image, password(tool, "")))
        assert not device.datagrams


def test_nobody_answers(tool, image):
    with ArduinoDevice(fault="deaf") as device:
        said = tool.refused(5, *arguments(device, image))
        assert "No response from device" in said and "--port" in said
        assert len(device.datagrams) == 3


def test_nothing_listens_there(tool, image):
    with ArduinoDevice() as device:
        arguments_ = arguments(device, image)
    said = tool.refused(5, *arguments_)
    assert "nothing listens there" in said


def test_the_connection_is_lost_in_the_middle(tool, image):
    with ArduinoDevice(fault="cut") as device:
        said = tool.refused(5, *arguments(device, image))
        assert "the connection to 127.0.0.1 broke" in said
        assert "keeps the firmware" in said


@pytest.mark.parametrize("words, advice", [
    ("MD5 Check Failed", "damaged"), ("Not Enough Space", "partition"),
    ("Wrong Magic Byte", "firmware.bin"), ("Something Else", "keeps")])
def test_the_devices_own_words_and_what_to_do(tool, image, words, advice):
    with ArduinoDevice(fault=words) as device:
        said = tool.refused(4, *arguments(device, image))
        assert f'End Failed: 127.0.0.1 says "{words}"' in said
        assert advice in said.split(words)[1]
    with ArduinoDevice(refuses=f"ERR: {words}") as device:
        said = tool.refused(4, *arguments(device, image))
        assert f'Begin Failed: 127.0.0.1 says "{words}"' in said


def test_a_failed_push_as_json(tool, image):
    with ArduinoDevice(fault="Not Enough Space") as device:
        result = tool(*arguments(device, image), "--json")
        assert result.code == 4
        assert result.json["error"]["exit"] == 4
        assert result.json["said"] == "Not Enough Space"
        assert result.json["sent"] == len(IMAGE)


def test_a_file_system(tool, image):
    with ArduinoDevice() as device:
        tool.good(*arguments(device, image, "--filesystem"))
        assert device.command == 100


def test_somebody_else_s_connection_is_not_taken(tool, image):
    """Who connects from another address gets nothing."""
    with socket.socket() as probe:
        probe.bind(("", 0))
        port = probe.getsockname()[1]

    class Listened(ArduinoDevice):
        stranger = None

        def take(self, host, invitation):
            with socket.create_connection(
                    (host, port), 10, ("127.0.0.2", 0)) as other:
                other.settimeout(10)
                self.stranger = other.recv(1024)
            super().take(host, invitation)

    with Listened() as device:
        tool.good(*arguments(device, image, f"--listen-port={port}"))
        assert device.stranger == b"" and device.received == IMAGE


def test_wrong_command_lines(tool, image):
    for words in (["push"], ["push", "127.0.0.1"],
                  ["push", "--list", "127.0.0.1"],
                  ["push", "a", image, "--output=x"],
                  ["push", "--list", "--output=x"],
                  ["push", "127.0.0.1", image, "--port=0"],
                  ["push", "127.0.0.1", image, "--timeout=0"]):
        tool.refused(2, *words)
    assert "Host nowhere.invalid Not Found" in tool.refused(
        5, "push", "nowhere.invalid", image)
    (tool.folder / "empty").write_bytes(b"")
    tool.refused(3, "push", "127.0.0.1", "empty")


# --- Releases --------------------------------------------------------------

def cbor_bytes(payload):
    return b"\x5a" + len(payload).to_bytes(4, "big") + payload


@pytest.fixture
def release(project):
    image = firmware("1.2.0", size=70000)
    (project.folder / "app.bin").write_bytes(image)
    made = project.good("release", "app.bin", "--json").json
    return project, made["file"], image


def test_a_release_is_sent_with_its_payload_behind_it(release):
    tool, envelope, image = release
    expected = (tool.folder / envelope).read_bytes() + cbor_bytes(image)
    with ArduinoDevice() as device:
        said = tool.good(*arguments(device, envelope), "--json").json
        assert said["release"] is True
        assert device.received == expected and device.whole
    tool.good("push", "--output", "one.file", envelope)
    assert (tool.folder / "one.file").read_bytes() == expected
    with ArduinoDevice() as device:
        tool.good(*arguments(device, "one.file"))
        assert device.received == expected
    tool.refused(3, "push", "--output", "one.file", envelope)
    tool.refused(3, "push", "--output", "other.file", "app.bin")


def test_a_release_whose_payload_was_changed_is_not_sent(release):
    tool, envelope, _ = release
    folder = (tool.folder / envelope).parent / "payloads"
    payload, = folder.iterdir()
    payload.chmod(0o644)
    payload.write_bytes(payload.read_bytes()[:-1] + b"x")
    with ArduinoDevice() as device:
        said = tool.refused(3, *arguments(device, envelope))
        assert "was changed after the release was made" in said
        payload.unlink()
        tool.refused(3, *arguments(device, envelope))
        assert not device.datagrams


def test_a_cut_release_is_not_sent(release):
    tool, envelope, _ = release
    whole = (tool.folder / envelope).read_bytes()
    (tool.folder / "cut").write_bytes(whole[:-10])
    said = tool.refused(3, "push", "127.0.0.1", "cut")
    assert "is it whole" in said


# --- mDNS ------------------------------------------------------------------

def test_without_an_avahi_daemon_the_list_says_so(tool):
    nowhere = f"unix:path={tool.folder}/no-bus"
    env = {"DBUS_SYSTEM_BUS_ADDRESS": nowhere}
    said = tool.refused(7, "push", "--list", env=env)
    assert "avahi" in said
    assert tool("push", "--list", "--json",
                env=env).json["error"]["exit"] == 7
