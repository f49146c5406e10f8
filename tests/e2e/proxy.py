# SPDX-License-Identifier: Apache-2.0
"""A proxy between device and server that does what bad proxies do: ends TLS
with the server's own certificate, and cuts, ignores Range, or lies."""
import socket
import ssl
import threading


class Request:
    def __init__(self, head, body):
        self.line = head.split(b"\r\n")[0]
        self.lines = head.split(b"\r\n")[1:]
        self.body = body

    def header(self, name):
        for line in self.lines:
            key, _, value = line.partition(b":")
            if key.strip().lower() == name:
                return value.strip()
        return None

    def without(self, name):
        self.lines = [line for line in self.lines
                      if line.partition(b":")[0].strip().lower() != name]

    def encode(self):
        return b"\r\n".join([self.line, *self.lines, b"", b""]) + self.body


def read_message(stream):
    """One HTTP message with Content-Length; None at the end."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = stream.recv(65536)
        if not more:
            return None
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    message = Request(head, b"")
    length = int(message.header(b"content-length") or 0)
    while len(body) < length:
        more = stream.recv(65536)
        if not more:
            break
        body += more
    message.body = body
    return message


class Proxy:
    """`cut_after`: bytes of a payload's answer before the line goes dead;
    `cuts_left`: how often. `ignore_range`: the server never sees Range.
    `stall_after`: bytes of a patch before the line stands still, once, until
    `go`; `delta_ranges`: what was asked of patches.
    `lie`: a 206 says what was asked for but holds the payload's beginning.
    `flip`: one bit of each payload is flipped."""

    def __init__(self, upstream, ca, certificate, key):
        self.upstream = upstream
        self.client = ssl.create_default_context(cafile=ca)
        self.server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.server.minimum_version = ssl.TLSVersion.TLSv1_3
        self.server.load_cert_chain(certificate, key)
        self.cut_after, self.cuts_left, self.cuts = 0, 0, 0
        self.ignore_range = self.lie = self.flip = False
        self.ranges, self.delta_ranges = [], []
        self.stall_after = 0
        self.stalled, self.go = threading.Event(), threading.Event()
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def close(self):
        self.socket.close()

    def accept(self):
        while True:
            try:
                raw, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(raw,),
                             daemon=True).start()

    def serve(self, raw):
        try:
            with self.server.wrap_socket(raw, server_side=True) as down:
                with socket.create_connection(
                        ("127.0.0.1", self.upstream)) as tcp, \
                        self.client.wrap_socket(
                            tcp, server_hostname="localhost") as up:
                    while self.pass_one(down, up):
                        pass
        except (OSError, ssl.SSLError):
            pass

    def pass_one(self, down, up):
        request = read_message(down)
        if request is None:
            return False
        payload = b"/payloads/" in request.line
        wanted = request.header(b"range")
        if payload:
            self.ranges.append(wanted)
            if self.ignore_range or self.lie:
                request.without(b"range")
                request.without(b"if-range")
        up.sendall(request.encode())
        answer = read_message(up)
        if answer is None:
            return False
        if payload:
            self.spoil(answer, wanted)
        data = answer.encode()
        if b"/deltas/" in request.line:
            self.delta_ranges.append(wanted)
            if 0 < self.stall_after < len(answer.body):
                self.stall(down, data[:len(data) - len(answer.body) +
                                      self.stall_after])
                return False
        if payload and self.cuts_left > 0 and \
                len(answer.body) > self.cut_after:
            self.cuts_left -= 1
            self.cuts += 1
            down.sendall(data[:len(data) - len(answer.body) +
                              self.cut_after])
            return False
        down.sendall(data)
        return True

    def stall(self, down, data):
        self.stall_after = 0
        down.sendall(data)
        self.stalled.set()
        self.go.wait(120)

    def spoil(self, answer, wanted):
        if self.flip and answer.body:
            middle = len(answer.body) // 2
            answer.body = answer.body[:middle] + \
                bytes([answer.body[middle] ^ 1]) + answer.body[middle + 1:]
        if self.lie and wanted:
            size = len(answer.body)
            first = int(wanted.removeprefix(b"bytes=").removesuffix(b"-"))
            answer.line = b"HTTP/1.1 206 Partial Content"
            answer.body = answer.body[:size - first]
            answer.without(b"content-length")
            answer.lines += [b"Content-Length: %d" % len(answer.body),
                             b"Content-Range: bytes %d-%d/%d" %
                             (first, size - 1, size)]
