#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Polls per second, p99 and CPU per poll of bowlined, device state recorded durably
(SQLite, synchronous=FULL), beside nginx returning a static answer of the same
size; in one run, alternating, over keep-alive connections, plain HTTP and TLS.
Both with as many threads or workers.

Light polls: what a device sends when nothing is new. Fresh polls carry a nonce
and get a signed ticket; they are measured apart, since nginx has no such
thing. The load generator is wrk, on the same machine."""
import argparse
import json
import os
import secrets
import shutil
import socket
import ssl
import statistics
import subprocess
import tempfile
import time
import urllib.request
import uuid
from pathlib import Path

import cbor2

import measure

TOP = Path(__file__).resolve().parent.parent
WORKERS = max(2, os.cpu_count() or 1)
BIN = Path(os.environ.get("BOWLINE_BIN", TOP / "bin"))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(port):
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"nothing listens on port {port}")


class Fleet:
    """A server directory made by the tool, and devices registered in it."""

    def __init__(self, d, devices):
        self.d = d / "server"
        self.run("server", "init", str(self.d))
        self.port = free_port()
        self.ports = {"tls": self.port}
        self.process = None
        self.count = devices

    def run(self, *args):
        done = subprocess.run([BIN / "bowline", *args], capture_output=True,
                              text=True)
        if done.returncode != 0:
            raise SystemExit(f"bowline {' '.join(args)}: {done.stderr}")
        return done.stdout

    def start(self, plain):
        env = dict(os.environ, BOWLINE_LISTEN=f"127.0.0.1:{self.port}",
                   BOWLINE_LOG_LEVEL="error",
                   BOWLINE_THREADS=str(WORKERS),
                   BOWLINE_CONNECTIONS_PER_ADDRESS="100000",
                   BOWLINE_PLAIN_HTTP="true" if plain else "false")
        self.process = subprocess.Popen(
            [BIN / "bowlined", "--config", self.d / "bowlined.conf"], env=env)
        wait_for(self.port)

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait()
            self.process = None

    def api(self, method, path, body=None, raw=None):
        token = (self.d / "operator.token").read_text().strip()
        context = ssl.create_default_context(cafile=self.d / "ca.pem")
        request = urllib.request.Request(
            f"https://127.0.0.1:{self.port}/api/v1{path}", method=method,
            data=raw if raw else json.dumps(body).encode() if body else None,
            headers={"Authorization": f"Bearer {token}",
                     "Content-Type": "application/octet-stream" if raw
                     else "application/json"})
        with urllib.request.urlopen(request, context=context) as answer:
            return json.load(answer)

    def register(self):
        self.api("POST", "/roots", raw=(self.d / "root-1.cbor").read_bytes())
        product = self.api("POST", "/products",
                           {"name": "bench", "vendor_domain": "bench.example"})
        polls = []
        for _ in range(self.count):
            device = secrets.token_hex(16)
            token = self.api("POST", "/devices",
                             {"id": device, "product": "bench"})["token"]
            polls.append((device, token))
        return product, polls


def poll_body(device, product, nonce):
    body = {1: bytes.fromhex(device), 3: 1, 4: bytes(32), 5: 0, 6: 0, 7: True,
            8: 1, 10: uuid.UUID(product["class_id"]).bytes, 11: "rev1",
            12: "1.0.0", 14: 1, 15: bytes(32)}
    if nonce:
        body[2] = secrets.token_bytes(16)
    return cbor2.dumps(body, canonical=True)


def write_script(path, product, polls, nonce):
    """A wrk script that sends each device's poll in turn."""
    with open(path, "w") as out:
        out.write("local all = {}\n")
        for number, (device, token) in enumerate(polls, 1):
            body = "".join(f"\\{b}" if b > 99 else f"\\{b:03d}"
                           for b in poll_body(device, product, nonce))
            out.write(f'all[{number}] = wrk.format("POST", "/d/v1/poll", '
                      f'{{["Host"]="127.0.0.1", ["Authorization"]="Bearer {token}", '
                      f'["Content-Type"]="application/cbor"}}, "{body}")\n')
        out.write("local i = 0\nrequest = function()\n"
                  "  i = i % #all + 1\n  return all[i]\nend\n")


def answer_of(fleet, product, poll, plain):
    context = ssl.create_default_context(cafile=fleet.d / "ca.pem")
    scheme = "http" if plain else "https"
    request = urllib.request.Request(
        f"{scheme}://127.0.0.1:{fleet.port}/d/v1/poll",
        data=poll_body(poll[0], product, False),
        headers={"Authorization": f"Bearer {poll[1]}",
                 "Content-Type": "application/cbor"})
    with urllib.request.urlopen(
            request, context=None if plain else context) as answer:
        return answer.read()


class Nginx:
    def __init__(self, d, fleet, size, plain):
        self.port = free_port()
        tls = "" if plain else (
            f"ssl_certificate {fleet.d}/server.pem; "
            f"ssl_certificate_key {fleet.d}/server.key; "
            "ssl_protocols TLSv1.3;")
        listen = f"listen 127.0.0.1:{self.port}{'' if plain else ' ssl'};"
        config = d / "nginx.conf"
        config.write_text(
            f"worker_processes {WORKERS}; daemon off; pid {d}/nginx.pid; "
            f"error_log {d}/nginx.log;\n"
            "events { worker_connections 4096; }\n"
            "http { access_log off; keepalive_requests 100000000; "
            f"client_body_temp_path {d}/t1; proxy_temp_path {d}/t2; "
            f"fastcgi_temp_path {d}/t3; uwsgi_temp_path {d}/t4; "
            f"scgi_temp_path {d}/t5;\n"
            f"server {{ {listen} {tls} default_type application/cbor; "
            f'location / {{ return 200 "{"x" * size}"; }} }} }}\n')
        self.process = subprocess.Popen(
            ["/usr/sbin/nginx", "-c", config, "-p", d],
            stderr=subprocess.DEVNULL)
        wait_for(self.port)

    def pids(self):
        children = subprocess.run(
            ["pgrep", "-P", str(self.process.pid)], capture_output=True,
            text=True).stdout.split()
        return [self.process.pid, *map(int, children)]

    def stop(self):
        self.process.terminate()
        self.process.wait()


def wrk(port, plain, script, seconds, connections):
    scheme = "http" if plain else "https"
    out = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s",
         script, f"{scheme}://127.0.0.1:{port}/d/v1/poll"],
        check=True, capture_output=True, text=True).stdout
    requests = int(out.split(" requests in ")[0].split()[-1])
    rate = float(out.split("Requests/sec:")[1].split()[0])
    if "Non-2xx" in out or "Socket errors" in out:
        raise SystemExit(f"errors under load:\n{out}")
    return requests, rate, milliseconds(out.split("99%")[1].split()[0])


def milliseconds(text):
    """wrk's "812.00us", "1.54ms", "1.02s"."""
    for unit, factor in (("us", 1e-3), ("ms", 1), ("s", 1e3)):
        if text.endswith(unit):
            return float(text[:-len(unit)]) * factor
    raise SystemExit(f"wrk said {text}")


def cost(pids, *args):
    before = sum(measure.process_cpu(p) for p in pids)
    requests, rate, p99 = wrk(*args)
    cpu = sum(measure.process_cpu(p) for p in pids) - before
    return cpu / requests * 1e6, rate, p99


def section(title, d, fleet, product, polls, plain, options):
    fleet.start(plain)
    size = len(answer_of(fleet, product, polls[0], plain))
    nginx = Nginx(d, fleet, size, plain)
    light = d / "light.lua"
    fresh = d / "fresh.lua"
    write_script(light, product, polls, False)
    write_script(fresh, product, polls, True)
    rounds = []
    for number in range(options.rounds + 1):
        one = {}
        for name, pids, port, script in (
                ("nginx", nginx.pids(), nginx.port, light),
                ("bowlined", [fleet.process.pid], fleet.port, light),
                ("fresh", [fleet.process.pid], fleet.port, fresh)):
            one[name] = cost(pids, port, plain, script, options.seconds,
                             options.connections)
        if number:
            rounds.append(one)
    fleet.stop()
    nginx.stop()
    print(f"\n{title}: {len(polls)} devices, {options.connections} "
          f"connections, {WORKERS} threads each, answer of {size} bytes, "
          f"{options.rounds} rounds of {options.seconds} s; median (min-max)\n")
    print("| | polls/s / nginx | p99 / nginx | CPU per poll / nginx | "
          "p99 ms | CPU us per poll |")
    print("|---|---|---|---|---|---|")
    for name in ("nginx", "bowlined", "fresh"):
        per = statistics.median(r[name][0] for r in rounds)
        p99 = statistics.median(r[name][2] for r in rounds)
        print(f"| {name} | {measure.spread(measure.ratios(rounds, name, 'nginx', 1))}"
              f" | {measure.spread(measure.ratios(rounds, name, 'nginx', 2))}"
              f" | {measure.spread(measure.ratios(rounds, name, 'nginx', 0))}"
              f" | {p99:.2f} | {per:.1f} |")


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--devices", type=int, default=2000)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--seconds", type=int, default=5)
    arguments.add_argument("--connections", type=int, default=64)
    options = arguments.parse_args()
    d = Path(tempfile.mkdtemp(prefix="bowline-bench-"))
    fleet = Fleet(d, options.devices)
    try:
        fleet.start(False)
        product, polls = fleet.register()
        fleet.stop()
        section("plain HTTP", d, fleet, product, polls, True, options)
        section("TLS 1.3", d, fleet, product, polls, False, options)
    finally:
        fleet.stop()
        shutil.rmtree(d)


if __name__ == "__main__":
    main()
