#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes fuzz/seeds/<target>/ from tests/vectors."""
import hashlib
import json
import struct
import sys
import zlib
from pathlib import Path

import cbor2

TOP = Path(__file__).resolve().parent
sys.path.insert(0, str(TOP.parent / "tests/support"))
sys.path.insert(0, str(TOP.parent / "tests/tool"))
import esp_made  # noqa: E402
import arduino_device  # noqa: E402
import secure_boot  # noqa: E402

VECTORS = TOP.parent / "tests/vectors"


def load(name):
    return json.loads((VECTORS / name).read_text())["vectors"]


def write(target, name, data):
    folder = TOP / "seeds" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name.replace("/", "_").replace("#", "-")).write_bytes(data)


def sealed(record):
    return record + struct.pack("<I", zlib.crc32(record))


def flash(vector, root, trial):
    """A whole flash for fuzz/state.c: 12 blocks of 1,024 bytes."""
    envelope = bytes.fromhex(vector["envelope"])
    image = bytes.fromhex(next(iter(vector["payloads"].values())))
    digest = bytes.fromhex(vector["manifest_digest_sha256"])
    slot = struct.pack("<BBHIQ", 3, 0, 0, 1, 7) + digest
    other = struct.pack("<BBHIQ", 2, 0, 0, 1, 7) + digest
    state = b"BLS1" + struct.pack("<IBBBBBBHQQII", 1, 0, trial, 3, 1, 0, 0, 0,
                                  0, 7, 1, 0) + slot + other + bytes(116)
    event = struct.pack("<IIIQHBBBBH", 1, 5, 1, 7, 0, 8, 0, 1, 1, 0x4A42)
    document = bytes.fromhex(root["root"])
    blocks = [struct.pack("<II", len(document), zlib.crc32(document))
              + document, b"", sealed(state), b"", sealed(event), b"",
              struct.pack("<I", len(envelope)) + envelope,
              struct.pack("<I", len(envelope)) + envelope, image, image, b"",
              b""]
    return b"".join(block.ljust(1024, b"\xff") for block in blocks)


def write_flashes():
    root = load("bowline-profile/roots.json")[0]
    for v in load("bowline-profile/positive.json"):
        if v["name"] in ("full-image", "sign-ed25519", "sign-kid"):
            for trial in (0xFF, 1):
                write("state", f"{v['name']}-{trial}", flash(v, root, trial))


def write_polls():
    """What a device sends: light, with a nonce, with events, downloading."""
    light = {1: bytes(16), 3: 1, 4: bytes(32), 5: 0, 6: 0, 7: True, 8: 1}
    events = [[n, 1, 5, state, 0, 7, 1, 1, 2]
              for n, state in enumerate((1, 3, 4, 5, 6, 7, 8), 1)]
    whole = {**light, 2: bytes(range(16)), 9: events, 10: bytes(16),
             11: "rev-a", 12: "1.4.2", 13: [100, 200], 14: 7,
             15: bytes(32), 16: 2}
    told = {**light, 17: -570, 18: {"os": "zephyr 3.7", "site": "M\u00fcnchen"},
            19: [85, 26], 20: 2}
    for name, poll in (("light", light), ("whole", whole), ("told", told)):
        write("poll", name, cbor2.dumps(poll, canonical=True))


def write_queries():
    """What operators write: queries, and plans."""
    queries = [
        'hardware = "rev-b" and not tag = lab and (version < 1.4.0 or '
        'region in (eu, "us-east")) and name ~ "kitchen-*"',
        "a != 1 or b >= 2 or c <= -3.5 or not (d > 1.4-rc.1 and e in (f))",
        'tag in (lab, "first one")', "version <", "((a = 1"]
    plan = {
        "product": "thermostat", "version": "1.4.0", "name": "autumn",
        "strategy": "canary", "gates": {"soak_s": 60, "manual": True},
        "stages": [{"count": 10, "gates": {"min_failed": 3}},
                   {"percent": 1}, {"percent": 100}],
        "target": {"query": queries[0], "channel": "beta",
                   "include": ["00" * 16, "ff" * 16], "exclude": ["11" * 16]},
        "start_at": 1767571200, "deadline": 1767657600,
        "windows": [{"days": ["mon", "sun"], "from": "22:00", "to": "06:00"},
                    {"from": "00:00", "to": "24:00"}],
        "consent": True, "min_battery_percent": 30, "metered": False,
        "roaming": False, "rate_per_hour": 100, "max_downloads": 5,
        "priority": -7, "security": True, "on_failure": "return",
        "retry": {"attempts": 3, "quarantine_s": 60},
        "permits": [{"manifest": "ab" * 32, "permit": "AAEC"}]}
    for n, query in enumerate(queries):
        write("query", f"query-{n}", query.encode())
    for name, value in (("whole", plan), ("empty", {}),
                        ("old", {"stages": [1, 10, 100]})):
        write("query", f"plan-{name}", json.dumps(value).encode())


def write_answers():
    """What a server says: nothing new, an offer with a policy, new roots."""
    offer = {1: b"ticket", 3: 900, 4: b"permit", 5: 1800, 6: 7,
             7: bytes(32), 8: {1: 30, 2: False, 3: False, 4: True, 5: True,
                               6: 3600}}
    for name, answer in (("nothing", {6: 7, 7: bytes(32)}), ("offer", offer),
                         ("roots", {2: [b"one", b"two"], 6: 1})):
        write("answer", name, cbor2.dumps(answer, canonical=True))


def write_asks():
    """What esp_https_ota, httpUpdate and others send."""
    for name, text in (
            ("idf", "User-Agent: ESP32 HTTP Client/1.0\nRange: bytes=0-65535\n"
             "?device=lamp-7\n?version=1.4.0\n?chip=esp32c3"),
            ("arduino", "User-Agent: ESP32-http-Update\n"
             "x-ESP32-STA-MAC: A0:B1:C2:D3:E4:F5\nx-ESP32-mode: sketch\n"
             "x-ESP32-free-space: 1310720\nx-ESP32-version: 1.4.0\n"
             f"x-ESP32-sketch-md5: {'ab' * 16}\n"
             f"x-ESP32-sketch-sha256: {'CD' * 32}"),
            ("old", "x-ESP8266-STA-MAC: a0-b1-c2-d3-e4-f5\n"
             "x-ESP8266-mode: spiffs\nRange: bytes=-5"),
            ("agent", "User-Agent: lamp/1 (device=a1; version=1.0; chip=esp32)"
             "\nX-Bowline-Device: b2\nRange: bytes=10-"),
            ("certificate", "!" + "ab" * 16)):
        write("ask", name, text.encode())


def write_sectors():
    """Secure Boot V2 sectors, with nothing to mend and with all of it."""
    for n, schemes in enumerate((["rsa3072"], ["p192"], ["p256"], ["p384"],
                                 ["p256"] * 3)):
        keys = [secure_boot.new_key(scheme) for scheme in schemes]
        sector = secure_boot.signed(bytes(256), *keys)[4096:]
        for mend in (0, 3):
            write("esp_sector", f"{schemes[0]}-{n}-{mend}",
                  bytes([mend, 0]) + sector)


def esp_row(kind, subtype, offset, size, label):
    return struct.pack("<HBBII16sI", 0x50AA, kind, subtype, offset, size,
                       label.encode(), 0)


def esp_flash(vector):
    """What fuzz/esp_otadata.c takes: table, otadata, slots of a sector."""
    rows = esp_row(1, 0, 0x2000, 0x2000, "otadata")
    if vector["factory"]:
        rows += esp_row(0, 0, 0x4000, 0x1000, "factory")
    for n in range(2):
        rows += esp_row(0, 0x10 + n, 0x5000 + 0x1000 * n, 0x1000, f"ota_{n}")
    rows += b"\xeb" * 2 + b"\xff" * 14 + hashlib.md5(rows).digest()
    image = b"\x01\x02"
    return b"".join(part.ljust(0x1000, b"\xff") for part in (
        rows, bytes.fromhex(vector["entry0"]), bytes.fromhex(vector["entry1"]),
        image, image, image))[:0x5010]


def write_esp():
    config = {"none": 0, "rollback": 1, "antirb": 3}
    two = [v for v in load("esp/otadata-select.json") if v["ota_slots"] == 2]
    for n, v in enumerate(two[::20]):
        head = bytes([config[v["config"]] | v["efuse"] << 4, 3 + n % 2])
        write("esp_otadata", f"flash-{n}", head + esp_flash(v))


def write_images():
    """Made ones, two real ones; with the number of reads in front."""
    folder = TOP.parent / "tests/samples/esp-images/serial-flasher"
    made = {
        "hashed": esp_made.application(),
        "plain": esp_made.application(hashed=False),
        "sdk": esp_made.application(project="arduino-lib-builder"),
        "sketch": esp_made.sketch8266(400),
        "behind": esp_made.application() + b"\xff" * 64 + b"x",
        "bootloader": (folder / "ESP32_P4/2025-05-30_bootloader.bin"
                       ).read_bytes(),
        "esp8266": (folder / "ESP8266/2020-12-07_bootloader.bin"
                    ).read_bytes()}
    v1 = bytes([0xE9, 1, 2, 0]) + bytes(4)
    made["esp8266-v2"] = (bytes([0xEA, 4, 2, 0]) + bytes(8)
                          + struct.pack("<I", 16) + bytes(16) + v1
                          + struct.pack("<II", 0x40100000, 16) + bytes(16)
                          + bytes(16))
    for name, data in made.items():
        write("esp_image", name, b"\xff" + data)
        write("esp_image", f"{name}-cut", b"\x05" + data[:200])


def said(what, data, wait=0):
    """A step of fuzz/arduino_ota.c; its lengths count pairs of bytes."""
    return bytes([what, wait, len(data) // 2]) + data


def write_pushes():
    """A whole push through each scheme, a sender's, and a package."""
    image = bytes(range(200))
    invitation = f"0 4000 200 {hashlib.md5(image).hexdigest()}".encode()
    for number, scheme, n in ((0, "none", 0), (2, "md5", 16),
                              (3, "pbkdf2", 32)):
        steps = said(0, invitation + b"\n" * (len(invitation) % 2))
        if n:
            nonce = cnonce = "5a" * n
            secret = (arduino_device.md5 if n == 16
                      else arduino_device.sha256)("fuzz")
            text = f"200 {cnonce} " + arduino_device.answer(
                scheme, secret, nonce, cnonce)
            steps += said(0, text.encode() + b"\n" * (len(text) % 2))
        steps += said(0x44, b"") + said(3, image) + said(2, b"", 40)
        write("arduino_ota", scheme, bytes([number]) + steps)
    write("arduino_ota", "sender", b"\4" + said(0, b"") + said(0, b"OK")
          + said(1, b"") + said(2, b"1024") * 3 + said(2, b"952O")
          + said(2, b"K\n"))
    package = bytes.fromhex("d86ba1024301020358c8") + image
    write("arduino_ota", "package", b"\5" + bytes([len(package) // 2])
          + package)


def main():
    write_pushes()
    write_images()
    write_asks()
    write_sectors()
    write_flashes()
    write_esp()
    write_polls()
    write_answers()
    write_queries()
    for name in ("positive", "negative"):
        for v in load(f"bowline-profile/{name}.json"):
            envelope = bytes.fromhex(v["envelope"])
            write("suit", v["name"], b"\0" + envelope)
            if name == "positive":
                write("cbor", v["name"], envelope)
    for v in load("bowline-profile/tickets.json"):
        write("ticket", v["name"], bytes.fromhex(v["ticket"]))
    for v in load("bowline-profile/roots.json"):
        document = bytes.fromhex(v["root"])
        write("root", v["name"], document)
        write("cose", v["name"], document)
    for v in load("cose/sign-flat.json"):
        write("cose", v["name"], bytes.fromhex(v["cose"]))


if __name__ == "__main__":
    main()
