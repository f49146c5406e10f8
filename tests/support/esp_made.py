# SPDX-License-Identifier: Apache-2.0
"""ESP32 images made here, after the format's description, not our reader."""
import hashlib
import struct


def descriptor(version, project, secure_version=0):
    return (struct.pack("<II8x", 0xABCD5432, secure_version)
            + version.encode()[:31].ljust(32, b"\0")
            + project.encode()[:31].ljust(32, b"\0")
            + b"12:00:00".ljust(16, b"\0") + b"Jan  1 2026".ljust(16, b"\0")
            + b"v5.4".ljust(32, b"\0") + hashlib.sha256(b"elf").digest()
            + struct.pack("<HHB", 0, 99, 16)).ljust(256, b"\0")


def application(version="1.0.0", project="thermostat", chip=9, segments=None,
                hashed=True, count=None, secure_version=0):
    code = 0x40374000
    if segments is None:
        code = {0: 0x40080000, 0x12: 0x4FF00000}.get(chip, code)
        first = descriptor(version, project, secure_version)
        segments = [(0x3C000020, first + bytes(256)),
                    (code, bytes(range(256)) * 4)]
    n = len(segments) if count is None else count
    head = (struct.pack("<BBBBIB3x", 0xE9, n, 2, 0x20, code, 0xEE)
            + struct.pack("<HBHHIB", chip, 0, 0, 99, 0, int(hashed)))
    assert len(head) == 24
    body = bytearray(head)
    checksum = 0xEF
    for address, data in segments:
        body += struct.pack("<II", address, len(data)) + data
        for byte in data:
            checksum ^= byte
    body += bytes(15 - len(body) % 16) + bytes([checksum])
    if hashed:
        body += hashlib.sha256(body).digest()
    return bytes(body)


def crc8266(data):
    crc = 0xFFFFFFFF
    for byte in data:
        for shift in range(7, -1, -1):
            top = crc >> 31 ^ byte >> shift & 1
            crc = crc << 1 & 0xFFFFFFFF
            if top:
                crc ^= 0x04C11DB7
    return crc


def sketch8266(size=6000):
    """As the ESP8266's Arduino makes it: boot code, a sketch, a CRC."""
    def image(address, data):
        body = struct.pack("<BBBBIII", 0xE9, 1, 2, 0x40, address, address,
                           len(data)) + data
        checksum = 0xEF
        for byte in data:
            checksum ^= byte
        return body + bytes(15 - len(body) % 16) + bytes([checksum])
    boot = image(0x4010F000, bytes(range(200)) * 2)
    body = bytearray(boot.ljust(4096, b"\xaa")
                     + image(0x40201010, bytes(8) + bytes(size)))
    struct.pack_into("<II", body, 4112, len(body), crc8266(body))
    return bytes(body)
