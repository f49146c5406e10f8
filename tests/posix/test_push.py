# SPDX-License-Identifier: Apache-2.0
"""Releases pushed to the agent on Linux: by our own sender through each
scheme, and by hand where a sender must misbehave. Whatever happens, the
device keeps a slot that boots."""
import hashlib
import json
import os
import re
import socket
import subprocess

import pytest

from arduino_device import answer, md5, sha256
from avahi import Avahi
from board import program
from waiting import wait_for

OPTIONS = {"none": ["--push-scheme=none"],
           "md5": ["--push-scheme=md5"], "pbkdf2": []}
PASSWORD = "s3cret pw"


def package(release):
    return release.envelope + b"\x5a" \
        + len(release.image).to_bytes(4, "big") + release.image


class Bench:
    """A device that takes pushes, and a server that is silent until then."""

    def __init__(self, tmp, device, gate, world, *options, scheme="md5"):
        self.tmp, self.world = tmp, world
        self.password = tmp / "push.password"
        self.password.write_text(PASSWORD + "\n")
        self.password.chmod(0o600)
        self.factory = world.release(1, "1.0.0")
        self.gate = gate(self.factory)
        more = [] if scheme == "none" else \
            [f"--push-password-file={self.password}"]
        self.device = device(self.gate.url, self.factory, "--push-port=0",
                             *OPTIONS[scheme], *more, *options)
        assert self.device.made.returncode == 0, self.device.made.stderr
        self.gate.down = True
        self.start()

    def start(self):
        before = len(self.ports())
        self.device.power_on()
        wait_for(lambda: len(self.ports()) > before, said=self.device.said)
        self.port = int(self.ports()[-1])

    def ports(self):
        return re.findall(r"at UDP port (\d+)", self.device.said())

    def push(self, content, *more, password=None):
        path = self.tmp / "pushed.bin"
        path.write_bytes(content)
        word = self.tmp / "word"
        word.write_text((password or PASSWORD) + "\n")
        word.chmod(0o600)
        return subprocess.run(
            [program("bowline"), "push", "127.0.0.1", str(path),
             f"--port={self.port}", f"--password-file={word}", *more],
            capture_output=True, text=True, timeout=120, cwd=self.tmp)

    def keeps(self):
        """What it ran it runs, and nothing is on trial."""
        shown = self.device.show()
        assert shown["state"]["active"] == "A"
        assert shown["state"]["trial"] is None
        slot = shown["slots"][0]
        assert slot["status"] == "confirmed" and slot["whole"]
        assert slot["manifest"] == self.factory.digest.hex()

    def confirmed(self, release):
        self.gate.release = release
        self.gate.down = False
        self.gate.wait_running(release)


@pytest.fixture
def bench(tmp_path, device, gate, world):
    def make(*options, **more):
        return Bench(tmp_path, device, gate, world, *options, **more)
    return make


# --- As it should be -------------------------------------------------------

@pytest.mark.parametrize("scheme", ["none", "md5", "pbkdf2"])
def test_a_push_through_each_scheme_is_tried_and_confirmed(bench, world,
                                                           scheme):
    one = bench(scheme=scheme)
    new = world.release(2, "1.1.0")
    pushed = one.push(package(new))
    assert pushed.returncode == 0, pushed.stderr + one.device.said()
    one.confirmed(new)
    shown = one.device.show()
    assert shown["state"]["active"] == "B" and shown["state"]["floor"] == 2
    assert shown["slots"][0]["manifest"] == one.factory.digest.hex()
    assert PASSWORD not in one.device.said()


def test_without_the_group_no_port_is_open(device, gate, world):
    factory = world.release(1, "1.0.0")
    server = gate(factory)
    one = device(server.url, factory)
    one.power_on()
    server.wait_running(factory)
    assert "UDP port" not in one.said()


# --- Who may ---------------------------------------------------------------

def test_a_wrong_password_installs_nothing(bench, world):
    for scheme in "md5", "pbkdf2":
        one = bench(scheme=scheme)
        pushed = one.push(package(world.release(2, "1.1.0")),
                          password="wrong")
        assert pushed.returncode == 4
        assert "Authentication Failed" in pushed.stderr
        one.keeps()
        assert "Auth Failed" in one.device.said()
        one.device.power_off()
        subprocess.run(["rm", "-r", one.device.dir], check=True)


def test_guessing_is_slowed_down(bench, world):
    one = bench()
    content = package(world.release(2, "1.1.0"))
    for _ in range(3):
        assert "Authentication Failed" in one.push(content,
                                                   password="wrong").stderr
    said = one.push(content).stderr
    assert "Too Many Wrong Passwords" in said
    one.keeps()


def unsigned_by_our_keys(world):
    import documents
    return world.release(2, "1.1.0", key=documents.Key())


@pytest.mark.parametrize("make, why", [
    (lambda w: package(unsigned_by_our_keys(w)), "signature"),
    (lambda w: package(w.release(2, "1.1.0", class_id=bytes(16))), "class"),
    (lambda w: package(w.release(1, "1.0.0")), "Already Runs"),
    (lambda w: w.release(2, "1.1.0").image, "Not A Signed Release"),
    (lambda w: package(w.release(2, "1.1.0"))[:-1], "payload-short"),
    (lambda w: package(w.release(2, "1.1.0"))[:-1] + b"x",
     "Missing Or Damaged"),
    (lambda w: w.release(2, "1.1.0").envelope + b"\x40",
     "Missing Or Damaged"),
    (lambda w: package(w.release(2, "1.1.0")) + bytes(9000000),
     "Not Enough Space"),
])
def test_only_a_good_signed_release_is_taken(bench, world, make, why):
    one = bench(scheme="none")
    pushed = one.push(make(world))
    assert pushed.returncode == 4 and why in pushed.stderr, \
        pushed.stderr + one.device.said()
    one.keeps()
    new = world.release(3, "1.1.0")
    assert one.push(package(new)).returncode == 0
    one.confirmed(new)


def test_a_bad_firmware_goes_back_by_itself(bench, world):
    one = bench()
    assert one.push(package(world.release(2, "1.2.0-crash"))).returncode == 0
    one.gate.down = False
    one.gate.wait_event("returned", 2)
    one.gate.wait_running(one.factory)
    one.keeps()


# --- By hand ---------------------------------------------------------------

class Hand:
    """A sender that does what a test wants."""

    def __init__(self, port, content, digest=None, size=None):
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.settimeout(10)
        self.udp.connect(("127.0.0.1", port))
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(15)
        self.content = content
        digest = digest or hashlib.md5(content).hexdigest()
        self.invitation = "0 {} {} {}\n".format(
            self.listener.getsockname()[1], size or len(content), digest)

    def ask(self, text):
        self.udp.send(text.encode())
        return self.udp.recv(256).decode()

    def enter(self, scheme="md5"):
        """Authenticates; the datagram that did it."""
        nonce = self.ask(self.invitation).split()[1]
        cnonce = os.urandom(16 if scheme == "md5" else 32).hex()
        secret = md5(PASSWORD) if scheme == "md5" else sha256(PASSWORD)
        text = f"200 {cnonce} {answer(scheme, secret, nonce, cnonce)}\n"
        assert self.ask(text) == "OK"
        return text

    def connect(self):
        tcp, _ = self.listener.accept()
        tcp.settimeout(60)
        return tcp

    def send(self, tcp, content):
        """Everything at once; what the device says until it closes."""
        tcp.sendall(content)
        said = b""
        while piece := tcp.recv(4096):
            said += piece
        return said.decode()

    def close(self):
        self.udp.close()
        self.listener.close()


def test_a_replayed_authentication_is_refused(bench, world):
    one = bench()
    hand = Hand(one.port, package(world.release(2, "1.1.0")))
    text = hand.enter()
    hand.connect().close()
    wait_for(lambda: "Receive Failed" in one.device.said())
    hand.udp.settimeout(2)
    with pytest.raises(TimeoutError):
        hand.ask(text)  # no nonce is out
    hand.udp.settimeout(10)
    assert hand.ask(hand.invitation).startswith("AUTH ")
    assert hand.ask(text) == "Authentication Failed"
    one.keeps()
    hand.close()


def test_each_nonce_is_another(bench):
    one = bench(scheme="pbkdf2")
    hand = Hand(one.port, b"x")
    nonces = [hand.ask(hand.invitation) for _ in range(8)]
    assert len(set(nonces)) == 8
    assert all(re.fullmatch(r"AUTH [0-9a-f]{64}", n) for n in nonces)
    hand.close()


def test_the_connection_is_lost_in_the_middle(bench, world):
    one = bench()
    new = world.release(2, "1.1.0")
    hand = Hand(one.port, package(new))
    hand.enter()
    tcp = hand.connect()
    tcp.sendall(hand.content[:20000])
    assert tcp.recv(10)
    tcp.close()
    wait_for(lambda: "Receive Failed" in one.device.said())
    one.keeps()
    assert one.push(package(new)).returncode == 0
    one.confirmed(new)
    hand.close()


def test_a_sender_that_stalls_is_given_up(bench, world):
    one = bench()
    hand = Hand(one.port, package(world.release(2, "1.1.0")))
    hand.enter()
    tcp = hand.connect()
    said = hand.send(tcp, hand.content[:1000])
    assert said == "1000" * 4 + "Stream Read Timeout\r\n"
    one.keeps()
    hand.close()


def test_a_wrong_md5_installs_nothing(bench, world):
    one = bench()
    hand = Hand(one.port, package(world.release(2, "1.1.0")),
                digest="0" * 32)
    hand.enter()
    assert hand.send(hand.connect(), hand.content).endswith(
        "MD5 Check Failed\r\n")
    one.keeps()
    hand.close()


def test_a_wrong_size_installs_nothing(bench, world):
    one = bench()
    content = package(world.release(2, "1.1.0"))
    short = Hand(one.port, content, size=len(content) - 100)
    short.enter()
    try:
        said = short.send(short.connect(), content)
    except ConnectionResetError:
        said = "Bad Size Given\r\n"  # its text was overtaken by the reset
    assert said.endswith("Bad Size Given\r\n")
    wait_for(lambda: "Bad Size Given" in one.device.said())
    one.keeps()
    long = Hand(one.port, content, size=len(content) + 100)
    long.enter()
    assert long.send(long.connect(), content).endswith(
        "Stream Read Timeout\r\n")
    one.keeps()
    short.close()
    long.close()


def test_no_push_comes_between_a_download_and_its_next_try(bench, world):
    one = bench(scheme="none")
    offered = world.release(2, "1.1.0")
    one.gate.release, one.gate.cut_after = offered, 100000
    one.gate.down = False
    wait_for(lambda: one.gate.cuts > 0, said=one.device.said)
    pushed = one.push(package(world.release(3, "1.1.0")), "--timeout=60")
    assert pushed.returncode == 4 and "under way" in pushed.stderr, \
        pushed.stderr + one.device.said()
    one.gate.cut_after = 0
    one.gate.wait_running(offered)


def test_a_power_cut_during_a_push_leaves_the_old_slot(bench, world):
    one = bench()
    hand = Hand(one.port, package(world.release(2, "1.1.0")))
    hand.enter()
    hand.connect().sendall(hand.content[:50000])
    one.device.power_off()
    one.keeps()
    one.start()
    one.gate.down = False
    one.gate.wait_running(one.factory)
    hand.close()


def test_hostile_datagrams_do_no_harm(bench, world):
    one = bench()
    hand = Hand(one.port, package(world.release(2, "1.1.0")))
    for n in range(300):
        hand.udp.send(os.urandom(n))
    for text in ("0 1 2", "200 a b", "0 0 0 " + "0" * 32, "\n" * 100,
                 "200 " + "0" * 64 + " " + "0" * 64, "0 70000 1 " + "0" * 32):
        hand.udp.send(text.encode())
    new = world.release(2, "1.1.0")
    pushed = one.push(package(new))
    assert pushed.returncode == 0, pushed.stderr
    one.confirmed(new)
    hand.close()


# --- Developer mode --------------------------------------------------------

def test_developer_mode_says_so_and_takes_a_bare_image(bench, world):
    one = bench("--push-developer")
    assert "DEVELOPER MODE" in one.device.said()
    new = world.release(2, "1.1.0")
    pushed = one.push(new.image)
    assert pushed.returncode == 0, pushed.stderr + one.device.said()
    wait_for(lambda: one.device.show()["state"]["trial"] == "B" and
             one.device.show()["slots"][1]["image"]
             == new.image_digest.hex(), said=one.device.said)
    wait_for(lambda: "1.1.0" in one.device.said(), said=one.device.said)


def test_developer_mode_goes_back_from_what_does_not_start(bench, world):
    one = bench("--push-developer")
    assert one.push(b"\x7fELF" + os.urandom(5000)).returncode == 0
    one.gate.down = False
    one.gate.wait_running(one.factory)
    one.keeps()


# --- mDNS ------------------------------------------------------------------

@pytest.mark.skipif(os.geteuid() != 0 or os.path.exists(
    "/run/avahi-daemon/pid"),
    reason="takes root, to start an avahi daemon, and that none runs")
def test_a_device_is_announced_found_and_pushed_to(bench, world, tmp_path,
                                                   monkeypatch):
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nowhere")
    silent = bench()
    assert "not announced" in silent.device.said()
    silent.device.power_off()
    daemon = Avahi(tmp_path)
    try:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS",
                           daemon.env["DBUS_SYSTEM_BUS_ADDRESS"])
        silent.start()
        wait_for(lambda: "announced by mDNS" in silent.device.said(),
                 said=silent.device.said)
        listed = subprocess.run(
            [program("bowline"), "push", "--list", "--json"],
            capture_output=True, text=True, timeout=60)
        found, = json.loads(listed.stdout)["items"]
        assert found["name"] == "device"
        assert found["address"] == "127.0.0.1"
        assert found["port"] == silent.port
        assert found["board"] == "thermostat"
        assert found["password"] == "yes"
        raw = subprocess.run(
            ["avahi-browse", "-rpt", "_arduino._tcp"], capture_output=True,
            text=True, timeout=60).stdout
        for text in ("board=thermostat", "tcp_check=no", "ssh_upload=no",
                     "auth_upload=yes"):
            assert f'"{text}"' in raw
        new = world.release(2, "1.1.0")
        assert silent.push(package(new)).returncode == 0
        silent.confirmed(new)
    finally:
        daemon.close()


# --- Settings --------------------------------------------------------------

def test_a_push_group_that_makes_no_sense_is_refused(device, gate, world):
    factory = world.release(1, "1.0.0")
    server = gate(factory)
    for option, why in (("--push-scheme=sha1", "pbkdf2, md5 or none"),
                        ("--push-scheme=md5", "password_file"),
                        ("--push-developer", "password_file")):
        one = device(server.url, factory, option)
        assert one.made.returncode == 1 and why in one.made.stderr


def test_a_password_that_others_can_read_is_not_used(bench, world):
    one = bench()
    one.device.power_off()
    (one.device.dir / "push.password").chmod(0o644)
    one.gate.down = False
    one.device.power_on()
    one.gate.wait_running(one.factory)
    assert "no pushes are taken" in one.device.said()
