#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Memory of bowlined for each connection that does nothing: kept-alive ones
of devices after a poll, plain and TLS, and event streams of operators. Growth
of the resident size, divided by the connections; read when all are open, and
again after some seconds in which all must still be there. (Event streams get
half of max_connections, which is set for it.)"""
import argparse
import os
import re
import resource
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cbor2

from poll import BIN, Fleet, wait_for

ROOM = 200  # files that a process needs beside its connections
OPENERS = 8


def resident_kb(pid):
    text = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", text).group(1))


def connections_of(pid):
    """How many TCP sockets it holds, the listening one not counted."""
    count = 0
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            count += os.readlink(link).startswith("socket:")
        except OSError:
            pass
    return count


class Server(Fleet):
    def start(self, plain):
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        env = dict(os.environ, BOWLINE_LISTEN=f"127.0.0.1:{self.port}",
                   BOWLINE_LOG_LEVEL="error", BOWLINE_THREADS="2",
                   BOWLINE_CONNECTIONS_PER_ADDRESS="0",
                   BOWLINE_MAX_CONNECTIONS=str(2 * self.count + 100),
                   BOWLINE_REQUEST_TIMEOUT="3600",
                   BOWLINE_PLAIN_HTTP="true" if plain else "false")
        self.process = subprocess.Popen(
            [BIN / "bowlined", "--config", self.d / "bowlined.conf"],
            env=env, preexec_fn=lambda: resource.setrlimit(
                resource.RLIMIT_NOFILE, (hard, hard)))
        wait_for(self.port)


class Client:
    def __init__(self, server, plain):
        self.server, self.plain = server, plain
        if not plain:
            self.context = ssl.create_default_context(
                cafile=server.d / "ca.pem")

    def connect(self):
        raw = socket.create_connection(("127.0.0.1", self.server.port), 60)
        if self.plain:
            return raw
        return self.context.wrap_socket(raw, server_hostname="localhost")

    def poll(self, device, token, class_id):
        body = cbor2.dumps(
            {1: bytes.fromhex(device), 3: 1, 4: bytes(32), 5: 0, 6: 0,
             7: True, 8: 1, 10: class_id}, canonical=True)
        s = self.connect()
        s.sendall(f"POST /d/v1/poll HTTP/1.1\r\nHost: localhost\r\n"
                  f"Authorization: Bearer {token}\r\n"
                  f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
        return expect(s)

    def listen(self, token):
        s = self.connect()
        s.sendall(f"GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\n"
                  f"Authorization: Bearer {token}\r\n\r\n".encode())
        return expect(s)


def expect(s):
    answer = b""
    while b"\r\n\r\n" not in answer:
        piece = s.recv(4096)
        if not piece:
            raise SystemExit(f"the server closed: {answer[:200]}")
        answer += piece
    if b" 200 " not in answer.split(b"\r\n")[0]:
        raise SystemExit(f"refused: {answer[:300]}")
    return s


def measure(server, plain, open_one, options):
    """KB for each connection, at first and after `wait` seconds."""
    server.start(plain)
    client = Client(server, plain)
    pid = server.process.pid
    opened = [open_one(client) for _ in range(10)]  # what is made once
    before, base = resident_kb(pid), connections_of(pid)
    with ThreadPoolExecutor(OPENERS) as pool:
        opened += pool.map(lambda _: open_one(client),
                           range(options.connections))
    after = resident_kb(pid)
    time.sleep(options.wait)
    later = resident_kb(pid)
    held = connections_of(pid) - base
    for s in opened:
        s.close()
    server.stop()
    if held != options.connections:
        raise SystemExit(f"only {held} of {options.connections} were held")
    return [(size - before) / options.connections for size in (after, later)]


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--connections", type=int, default=10000)
    arguments.add_argument("--wait", type=int, default=20)
    arguments.add_argument("--only", choices=("plain", "tls", "stream"))
    options = arguments.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard < options.connections + ROOM:
        raise SystemExit(f"--connections {options.connections} needs as many "
                         f"open files; the limit here is {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    d = Path(tempfile.mkdtemp(prefix="bowline-bench-"))
    server = Server(d, options.connections)
    try:
        server.start(False)
        server.count, count = 1, server.count
        product, ((device, token),) = server.register()
        server.count = count
        server.stop()
        class_id = uuid.UUID(product["class_id"]).bytes
        operator = (server.d / "operator.token").read_text().strip()
        print(f"{options.connections} idle connections; KB of bowlined's "
              f"resident memory for each\n")
        print(f"| | all open | {options.wait} s later |\n|---|---:|---:|")
        for which, name, plain, open_one in (
                ("plain", "kept alive, plain HTTP", True,
                 lambda c: c.poll(device, token, class_id)),
                ("tls", "kept alive, TLS 1.3", False,
                 lambda c: c.poll(device, token, class_id)),
                ("stream", "event stream, TLS 1.3", False,
                 lambda c: c.listen(operator))):
            if options.only not in (None, which):
                continue
            at_once, later = measure(server, plain, open_one, options)
            print(f"| {name} | {at_once:.1f} | {later:.1f} |", flush=True)
    finally:
        server.stop()
        shutil.rmtree(d)


if __name__ == "__main__":
    main()
