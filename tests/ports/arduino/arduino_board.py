# SPDX-License-Identifier: Apache-2.0
"""A board with the Arduino library on it, and who pushes to it."""
import hashlib
import os
import select
import socket
import struct
import subprocess
import threading
import zlib
from pathlib import Path

from waiting import LIMIT, wait_for

TOP = Path(__file__).resolve().parents[3]
PROGRAMS = Path(os.environ.get("BOWLINE_BUILD", TOP / "build/dev")).resolve() \
    / "test-programs"
RESTART = 75
BRICK = 76
FLASH = 0x100000
SLOTS = (0x10000, 0x50000)
OTADATA = 0xE000
STATES = {0: "new", 1: "pending", 2: "valid", 3: "invalid", 4: "aborted"}


def image(version="1.0.0", size=6000):
    """The smallest that an ESP32's bootloader takes: one segment, with an
    application descriptor and `size` bytes behind it."""
    text = version.encode().ljust(32, b"\0")
    descriptor = struct.pack("<II8x", 0xABCD5432, 0) + text \
        + b"bench".ljust(32, b"\0") + bytes(32 + 32 + 32 + 80)
    assert len(descriptor) == 256
    data = descriptor + hashlib.shake_128(text).digest(size - size % 4)
    address = 0x3F400020
    out = struct.pack("<BBBBIB3xHBHH4xB", 0xE9, 1, 2, 0x20, address, 0xEE, 0,
                      0, 0, 0xFFFF, 1)
    out += struct.pack("<II", address, len(data)) + data
    check = 0xEF
    for byte in data:
        check ^= byte
    out += bytes(15 - len(out) % 16) + bytes([check])
    return out + hashlib.sha256(out).digest()


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Board:
    def __init__(self, folder, program="arduino-sketch"):
        self.folder = folder
        self.program = PROGRAMS / program
        self.flash = folder / "flash"
        self.health = folder / "health"
        self.wifi_down = folder / "wifi-down"
        self.flash.write_bytes(b"\xff" * FLASH)
        self.put(SLOTS[0], image("1.0.0"))
        self.port = free_port()
        self.process = None
        self.lines = []

    def put(self, at, data):
        with self.flash.open("r+b") as file:
            file.seek(at)
            file.write(data)

    def get(self, at, n):
        return self.flash.read_bytes()[at:at + n]

    def record(self, record, number, state):
        """Writes one of otadata's two."""
        code = next(key for key, name in STATES.items() if name == state)
        raw = struct.pack("<I", number)
        self.put(OTADATA + record * 4096, struct.pack(
            "<4s20sII", raw, b"\xff" * 20, code,
            zlib.crc32(raw, 0xFFFFFFFF)).ljust(4096, b"\xff"))

    def state(self, record):
        """Of one of otadata's two records; None: it is erased."""
        number, state = struct.unpack("<I20xI4x",
                                      self.get(OTADATA + record * 4096, 32))
        return None if number == 0xFFFFFFFF else STATES.get(state, state)

    def states(self):
        return [self.state(0), self.state(1)]

    def says(self, health):
        """good, bad or pending."""
        self.health.write_text(health)

    def power_on(self, **settings):
        """Keywords in capitals: SKETCH_<keyword> for the sketch."""
        env = dict(os.environ, DOUBLE_FLASH=str(self.flash),
                   DOUBLE_WIFI_DOWN=str(self.wifi_down),
                   SKETCH_PORT=str(self.port), SKETCH_INTERVAL="0")
        env |= {f"SKETCH_{key}": str(value)
                for key, value in settings.items()}
        self.lines = []
        self.process = subprocess.Popen(
            [self.program], env=env, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace")
        threading.Thread(target=self._listen, args=(self.process,),
                         daemon=True).start()
        return self

    def _listen(self, process):
        for line in process.stdout:
            self.lines.append(line.strip())

    def said(self, text):
        return any(text in line for line in self.lines)

    def wait(self, text):
        wait_for(lambda: self.said(text) or self.process.poll() is not None,
                 said=lambda: "\n".join(self.lines))
        wait_for(lambda: self.said(text), 5,
                 said=lambda: f"{text}\n" + "\n".join(self.lines))
        return self

    def end(self):
        """How the program ended by itself."""
        return self.process.wait(LIMIT)

    def power_off(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
        if self.process is not None:
            self.process.wait()


class Refused(Exception):
    pass


def md5(data):
    return hashlib.md5(data).hexdigest()


def answer(nonce, password):
    """What espota.py answers to a nonce of either length."""
    if len(nonce) == 32:
        cnonce = md5(b"anything")
        known = md5(password.encode())
        return cnonce, md5(f"{known}:{nonce}:{cnonce}".encode())
    cnonce = hashlib.sha256(b"anything").hexdigest()
    known = hashlib.sha256(password.encode()).hexdigest()
    key = hashlib.pbkdf2_hmac("sha256", known.encode(),
                              f"{nonce}:{cnonce}".encode(), 10000).hex()
    return cnonce, hashlib.sha256(
        f"{key}:{nonce}:{cnonce}".encode()).hexdigest()


class Sender:
    """espota.py's side, as its transcripts show it."""

    def __init__(self, port):
        self.device = ("127.0.0.1", port)
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", 0))
        self.tcp = socket.create_server(("127.0.0.1", 0))
        self.replies = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.udp.close()
        self.tcp.close()

    def ask(self, text, seconds=10):
        self.udp.sendto(text.encode(), self.device)
        if not select.select([self.udp], [], [], seconds)[0]:
            raise Refused("no answer")
        reply = self.udp.recv(128).decode()
        self.replies.append(reply)
        return reply

    def invite(self, data, password="", command=0, size=None, digest=None):
        size = len(data) if size is None else size
        reply = self.ask(f"{command} {self.tcp.getsockname()[1]} {size} "
                         f"{digest or md5(data)}\n")
        if reply.startswith("AUTH "):
            cnonce, response = answer(reply[5:], password)
            reply = self.ask(f"200 {cnonce} {response}\n")
        if reply != "OK":
            raise Refused(reply)

    def send(self, data, piece=1024, stop_at=None):
        """What the device said in the end: "OK", or its error."""
        self.tcp.settimeout(LIMIT)
        connection, _ = self.tcp.accept()
        with connection:
            connection.settimeout(LIMIT)
            at, said = 0, b""
            while at < len(data):
                if stop_at is not None and at >= stop_at:
                    return None
                connection.sendall(data[at:at + piece])
                said = connection.recv(32)
                if not said or not said.strip().isdigit():
                    break
                at += piece
            while rest := connection.recv(256):
                said += rest
        return said.lstrip(b"0123456789").decode().strip()


def push(port, data, password="", **how):
    stop_at = how.pop("stop_at", None)
    with Sender(port) as sender:
        sender.invite(data, password, **how)
        return sender.send(data, stop_at=stop_at)
