# SPDX-License-Identifier: Apache-2.0
"""A small update server for one device at a time: it speaks the device API
of docs/PROTOCOL.md, remembers every report, and misbehaves when told to."""
import re
import threading
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cbor2

import documents
from waiting import wait_for

STATES = ["idle", "offered", "waiting", "downloading", "verifying",
          "installing", "rebooting", "testing", "confirmed", "returned",
          "failed", "refused"]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def reply(self, status, body=b"", kind="application/cbor", **headers):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        gate = self.server.gate
        body = self.rfile.read(int(self.headers["Content-Length"]))
        gate.tokens.add(self.headers.get("Authorization"))
        if gate.refuses:
            gate.refusals += 1
            self.reply(401, b"unknown token\n", "text/plain")
            return
        if gate.down:
            self.reply(503, b"down\n", "text/plain", Retry_After="1")
            return
        self.reply(200, gate.poll(cbor2.loads(body)))

    def do_GET(self):
        gate = self.server.gate
        name = self.path.rsplit("/", 1)[1]
        release = gate.release
        gate.gets.append((self.path, self.headers.get("Range")))
        if name == release.digest.hex():
            self.reply(200, release.envelope)
        elif name == release.image_digest.hex():
            self.payload(gate, gate.payload or release.image, name)
        elif gate.own and name == sha256(gate.own).hexdigest():
            self.payload(gate, gate.own, name)
        elif gate.patch and name == sha256(gate.patch).hexdigest():
            self.payload(gate, gate.patch, name)
        else:
            self.reply(404, b"unknown\n", "text/plain")

    def payload(self, gate, image, name):
        match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
        first = 0
        if match and not gate.ignores_range:
            first = int(match.group(1))
        part = image[first:]
        self.send_response(206 if first else 200)
        self.send_header("Content-Length", str(len(part)))
        self.send_header("ETag", f'"{name}"')
        if first:
            self.send_header("Content-Range",
                             f"bytes {first}-{len(image) - 1}/{len(image)}")
        self.end_headers()
        if gate.cut_after and len(part) > gate.cut_after:
            self.wfile.write(part[:gate.cut_after])
            self.wfile.flush()
            gate.cuts += 1
            self.close_connection = True
            self.connection.shutdown(2)
            return
        self.wfile.write(part)


class Gate:
    """The server; `release` is what it wants devices to run."""

    def __init__(self, ticket_key, release):
        self.ticket_key, self.release = ticket_key, release
        self.reports, self.events, self.gets = [], {}, []
        self.tokens = set()
        self.down = self.refuses = self.ignores_range = False
        self.refusals = 0
        self.cut_after = self.cuts = 0
        self.payload = self.stale = None
        self.policy = {}
        self.patch = None  # bytes, offered to who runs `base`
        self.base = None   # a release
        self.own = None    # a patch that the manifest itself names
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.gate = self
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def poll(self, report):
        self.reports.append(report)
        for event in report.get(9, []):
            self.events[event[0]] = event
        answer = {5: 1, 7: self.release.digest}
        if self.events:
            answer[6] = max(self.events)
        if 2 in report:
            answer[1] = self.stale or documents.ticket(
                self.ticket_key, report[1], report[2], self.release.digest)
        if report[4] != self.release.digest:
            answer[3] = len(self.release.envelope)
            if self.policy:
                answer[8] = self.policy
            if self.patch and 2 in report and 21 in report and \
                    report[15] == self.base.image_digest:
                answer[9] = [self.release.image_digest, report[15],
                             sha256(self.patch).digest(), len(self.patch)]
        return documents.cbor(answer)

    def story(self):
        """[(state, code, sequence, reset)] in the order it happened."""
        return [(STATES[e[3]], e[4], e[5], e[8])
                for _, e in sorted(self.events.items())]

    def wait(self, condition):
        """Until condition(last report) holds; the report."""
        return wait_for(
            lambda: next((r for r in self.reports[-1:] if condition(r)), None),
            said=lambda: f"last: {self.reports[-1:]}, story: {self.story()}")

    def wait_event(self, state, sequence):
        return wait_for(
            lambda: next((e for e in self.story()
                          if e[0] == state and e[2] == sequence), None),
            said=lambda: f"{state} of {sequence}: {self.story()}")

    def wait_running(self, release):
        return self.wait(lambda r: r[7] is True and r[4] == release.digest and
                         r[15] == release.image_digest)
