# SPDX-License-Identifier: Apache-2.0
"""Clients that know nothing of Bowline, as they are on the wire: a stand-in
for ESP-IDF's esp_https_ota and one for Arduino's httpUpdate, and images that
they take."""
import hashlib
import http.client
import ssl
import struct
from dataclasses import dataclass, field

CHIPS = {"esp32": 0, "esp32s2": 2, "esp32c3": 5, "esp32s3": 9}


def esp_image(version, chip="esp32", size=6000, filler=0):
    """An application image: descriptor, checksum, hash."""
    text = version.encode()[:31].ljust(32, b"\0")
    body = struct.pack("<II8x", 0xABCD5432, 0) + text + b"thermostat".ljust(
        32, b"\0") + b"12:00:00".ljust(16, b"\0") + b"Nov 23 2026".ljust(
        16, b"\0") + b"v5.3".ljust(32, b"\0") + hashlib.sha256(text).digest()
    body = body.ljust(256, b"\0")
    body += bytes((i * 7 + filler) & 255 for i in range(size - 256))
    body += bytes(-len(body) % 4)
    head = struct.pack("<BBBBIB3xHBHHIB", 0xE9, 1, 2, 0x20, 0x40080000, 0xEE,
                       CHIPS[chip], 0, 0, 0xFFFF, 0, 1)
    image = head + struct.pack("<II", 0x3F400020, len(body)) + body
    checksum = 0xEF
    for byte in body:
        checksum ^= byte
    image += bytes(15 - len(image) % 16) + bytes([checksum])
    return image + hashlib.sha256(image).digest()


def esp8266_image(size=4000):
    body = bytes(i & 255 for i in range(size))
    checksum = 0xEF
    for byte in body:
        checksum ^= byte
    image = struct.pack("<BBBBI", 0xE9, 1, 2, 0x40, 0x40100000)
    image += struct.pack("<II", 0x40100000, len(body)) + body
    return image + bytes(15 - len(image) % 16) + bytes([checksum])


def open_connection(server, pin, old_tls=False):
    """As with .cert_pem = pin: nothing else is trusted."""
    if server.plain:
        return http.client.HTTPConnection("localhost", server.port, timeout=30)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(pin or server.folder / "ca.crt")
    if old_tls:  # what ESP-IDF speaks unless it is told otherwise
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    return http.client.HTTPSConnection("localhost", server.port, timeout=30,
                                       context=context)


@dataclass
class Result:
    status: int
    image: bytes = None  # what was installed
    why: str = ""
    requests: list = field(default_factory=list)
    headers: object = None


class HttpsOta:
    """esp_https_ota: a GET, or (partial_http_download) a HEAD and then ranges,
    each on a connection of its own. Stops at the first answer that it does
    not like; refuses an image for another chip after its first bytes; checks
    the whole as esp_ota_end does."""

    def __init__(self, server, path, chip="esp32", agent=None, headers=None,
                 pin=None, old_tls=False, max_request=0):
        self.server, self.path, self.chip = server, path, chip
        self.headers = {"User-Agent": agent or "ESP32 HTTP Client/1.0",
                        **(headers or {})}
        self.pin, self.old_tls = pin, old_tls
        self.max_request = max_request  # 0: no partial_http_download
        self.between = None  # called before each range but the first

    def ask(self, result, method, extra=None, cut_at=None):
        c = open_connection(self.server, self.pin, self.old_tls)
        c.request(method, self.path, headers={**self.headers,
                                              **(extra or {})})
        answer = c.getresponse()
        result.requests.append((method, (extra or {}).get("Range")))
        result.status, result.headers = answer.status, answer.headers
        if method != "HEAD" and answer.status in (200, 206):
            assert answer.headers["Transfer-Encoding"] is None
            assert int(answer.headers["Content-Length"]) > 0
        body = answer.read(cut_at)
        c.close()
        return body

    def total(self, result):
        where, _, whole = result.headers["Content-Range"].partition("/")
        assert where.startswith("bytes ")
        return int(whole)

    def partial(self, result):
        self.ask(result, "HEAD")
        if result.status != 200:
            return b""
        length = int(result.headers["Content-Length"])
        image = b""
        while len(image) < length:
            if image and self.between:
                self.between()
            end = len(image) + self.max_request - 1
            ask = f"bytes={len(image)}-" + (str(end) if end < length + 1
                                            else "")
            piece = self.ask(result, "GET", {"Range": ask})
            if result.status != 206 or self.total(result) != length:
                return b""
            image += piece
        return image

    def resume(self, have):
        """ota_resumption: `have` is in flash already."""
        result = Result(0)
        more = self.ask(result, "GET", {"Range": f"bytes={len(have)}-"})
        if result.status == 206:
            return self.judge(result, have + more)
        return self.judge(result, more if result.status == 200 else b"")

    def run(self, cut_at=None):
        result = Result(0)
        if self.max_request:
            return self.judge(result, self.partial(result))
        image = self.ask(result, "GET", cut_at=cut_at)
        if result.status != 200:
            result.why = image.decode()
            image = b""
        return self.judge(result, image)

    def judge(self, result, image):
        if not image:
            result.why = result.why or "not modified, or refused"
        elif image[0] != 0xE9:
            result.why = "magic byte"
        elif struct.unpack_from("<H", image, 12)[0] != CHIPS[self.chip]:
            result.why = "mismatch chip id"
        elif hashlib.sha256(image[:-32]).digest() != image[-32:]:
            result.why = "image is corrupt"
        else:
            result.image = image
        return result


class HttpUpdate:
    """Arduino's httpUpdate: HTTP/1.0, and headers that tell of the sketch.
    `says`: more of them, or others (None leaves one out)."""

    def __init__(self, server, path, mac, running=b"", version=None,
                 esp="ESP32", space=1310720, says=None, old_tls=False):
        self.server, self.path, self.space = server, path, space
        self.old_tls = old_tls
        p = f"x-{esp}-"
        self.headers = {
            "User-Agent": f"{esp}-http-Update", "Connection": "close",
            "Cache-Control": "no-cache", p + "STA-MAC": mac,
            p + "AP-MAC": mac[:-1] + "0", p + "free-space": str(space),
            p + "sketch-size": str(len(running)),
            p + "sketch-md5": hashlib.md5(running).hexdigest(),
            p + "chip-size": "4194304", p + "sdk-version": "v5.1.4",
            p + "mode": "sketch"}
        if esp == "ESP32" and running:
            self.headers[p + "sketch-sha256"] = (
                running[-32:] if len(running) > 32 else
                hashlib.sha256(running).digest()).hex().upper()
        if version is not None:
            self.headers[p + "version"] = version
        self.headers.update({p + k: v for k, v in (says or {}).items()})
        self.headers = {k: v for k, v in self.headers.items()
                        if v is not None}

    def run(self):
        c = open_connection(self.server, None, self.old_tls)
        c._http_vsn, c._http_vsn_str = 10, "HTTP/1.0"
        c.putrequest("GET", self.path, skip_accept_encoding=True)
        for name, value in self.headers.items():
            c.putheader(name, value)
        c.endheaders()
        answer = c.getresponse()
        result = Result(answer.status, headers=answer.headers)
        body = answer.read()
        c.close()
        if answer.status == 304:
            result.why = "no updates"
        elif answer.status != 200:
            result.why = body.decode()
        elif int(answer.headers["Content-Length"] or 0) != len(body) or \
                not body:
            result.why = "server did not report size"
        elif len(body) > self.space:
            result.why = "not enough space"
        elif body[0] != 0xE9:
            result.why = "verify bin header failed"
        elif answer.headers["x-MD5"] != hashlib.md5(body).hexdigest():
            result.why = "wrong MD5"
        else:
            result.image = body
        return result
