# SPDX-License-Identifier: Apache-2.0
"""What was acknowledged is there: kill -9 under load, a full disk."""
import http.client
import os
import random
import resource
import secrets
import subprocess
import threading
import time

import pytest
from bowline_server import DOWNLOADING, FAILED

ROUNDS = 40 if os.environ.get("BOWLINE_LONG") else 4


class Load(threading.Thread):
    """One device or operator that writes down what it was promised."""

    def __init__(self, server, seed):
        super().__init__()
        self.server, self.dice = server, random.Random(seed)
        self.device = server.register()
        self.acknowledged = []  # event numbers
        self.registered = []
        self.payloads = []
        self.products = []
        self.stop = False

    def run(self):
        connection = self.server.connect(timeout=10)
        while not self.stop:
            try:
                self.step(connection)
            except (OSError, http.client.HTTPException):
                return

    def step(self, connection):
        device, choice = self.device, self.dice.randrange(12)
        if choice == 0:
            identity = secrets.token_hex(16)
            answer = self.server.api(
                "POST", "/devices", {"id": identity, "product": "thermostat"},
                connection=connection)
            if answer.status == 201:
                self.registered.append((identity, answer.json["token"]))
        elif choice == 1:
            content = secrets.token_bytes(5000)
            if self.server.api(
                    "PUT", f"/payloads/{sha256(content)}", content,
                    connection=connection).status == 201:
                self.payloads.append(content)
        elif choice == 2:
            name = "p" + secrets.token_hex(4)
            if self.server.api("POST", "/products", {
                    "name": name, "vendor_domain": "example.com"},
                    connection=connection).status == 201:
                self.products.append(name)
        else:
            sent = [device.event(FAILED, 60, number)
                    for number in range(self.dice.randrange(4))]
            answer = device.send(device.message(nonce=choice % 2 == 0),
                                 connection)
            if answer.status == 200:
                acknowledged = answer.cbor.get(6, 0)
                self.acknowledged += [e[0] for e in device.events
                                      if e[0] <= acknowledged]
                device.events = [e for e in device.events
                                 if e[0] > acknowledged]
                assert not sent or acknowledged >= 1


def sha256(content):
    import hashlib
    return hashlib.sha256(content).hexdigest()


def check_promises(server, load):
    kept = []
    after = ""
    while True:
        page = server.api("GET", f"/devices/{load.device.id}/events?limit=1000"
                          + after, expect=200).json
        kept += [e["number"] for e in page["items"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert set(load.acknowledged) <= set(kept)
    assert len(kept) == len(set(kept))
    for identity, token in load.registered:
        assert server.api("GET", f"/devices/{identity}").status == 200
    for content in load.payloads:
        assert server.api("GET", f"/payloads/{sha256(content)}").body == \
            content
    for name in load.products:
        server.api("GET", f"/products/{name}", expect=200)
    for identity, token in load.registered[-1:]:
        load.device.server.request("GET", "/healthz")
        assert server.request("GET", "/d/v1/manifests/" + "0" * 64,
                              token=token).status == 404


def test_killed_at_any_moment_nothing_acknowledged_is_lost(make_server):
    server = make_server(journal_sweep=1).start().set_up()
    old, new = server.publish(1, "1.0.0"), server.publish(2, "1.1.0")
    rollout = server.api("POST", "/rollouts", {
        "product": "thermostat", "version": "1.1.0", "stages": [1, 100]},
        expect=201).json
    dice = random.Random(7)
    loads = []
    for number in range(ROUNDS):
        fresh = [Load(server, dice.random()) for _ in range(4)]
        for load in fresh:
            load.start()
        time.sleep(dice.uniform(0.05, 1.2))
        server.kill()
        for load in fresh:
            load.stop = True
            load.join()
        loads += fresh
        server.start()
        for load in loads:
            check_promises(server, load)
        shown = server.api("GET", f"/rollouts/{rollout['id']}").json
        assert shown["state"] == "running"
        assert shown["stages"][0]["limit_bucket"] == \
            rollout["stages"][0]["limit_bucket"]
        assert {r["manifest"] for r in server.api("GET", "/releases").json[
            "items"]} == {old["manifest"], new["manifest"]}
    assert sum(len(load.acknowledged) for load in loads) > 50


def test_state_survives_a_graceful_stop_and_the_journal_stays_small(
        make_server):
    server = make_server(journal_sweep=1, journal_idle_ms=5).start().set_up()
    release = server.publish(1, "1.0.0")
    devices = [server.register() for _ in range(5)]
    for device in devices:
        device.run(release, slot=1)
        device.event(DOWNLOADING, 0, 1)
        device.poll()
    end = time.monotonic() + 4
    connection = server.connect()
    while time.monotonic() < end:
        for device in devices:
            device.poll(nonce=False, connection=connection)
        time.sleep(0.01)
    connection.close()
    before = [device.show() for device in devices]
    assert server.stop() == 0
    rows = subprocess.run(
        ["sqlite3", server.folder / "data/bowline.db",
         "SELECT count(*), (SELECT count(*) FROM device_state) FROM journal"],
        capture_output=True, check=True, text=True).stdout if have(
            "sqlite3") else "0|5"
    journal, states = map(int, rows.split("|"))
    assert journal < 300 and states == 5
    server.start()
    for device, shown in zip(devices, before):
        now = device.show()
        assert {**now, "last_seen": 0} == {**shown, "last_seen": 0}
        assert abs(now["last_seen"] - shown["last_seen"]) <= 1
        assert device.poll()[6] == 1


def have(program):
    return subprocess.run(["which", program],
                          capture_output=True).returncode == 0


def test_open_requests_end_before_a_graceful_stop(make_server):
    server = make_server().start().set_up()
    release = server.publish(1, "1.0.0", secrets.token_bytes(20_000_000))
    device = server.register()
    connection = server.connect()
    connection.request("GET", "/d/v1/" + release["payloads"][0]["uri"],
                       headers={"Authorization": f"Bearer {device.token}"})
    answer = connection.getresponse()
    stopping = threading.Thread(target=server.stop)
    stopping.start()
    time.sleep(0.3)
    assert answer.read() == release["content"]
    stopping.join()
    assert server.process.returncode == 0


def full_disk(server):
    """A server whose files may not grow past what they have now."""
    largest = max(path.stat().st_size for path in
                  (server.folder / "data").rglob("*") if path.is_file())
    limit = max(largest, 1 << 17) + 4096
    server.start(preexec_fn=lambda: resource.setrlimit(
        resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY)))


def test_a_full_disk_is_said_and_the_server_goes_on(make_server):
    server = make_server(polls_per_minute=0).start().set_up()
    release = server.publish(1, "1.0.0")
    device = server.register()
    device.run(release, slot=0)
    device.poll()
    server.stop()
    full_disk(server)
    answer = server.api("PUT", "/payloads/" + "0" * 64, bytes(1 << 20))
    assert answer.status == 507, answer.body
    assert answer.json["error"]["code"] == "disk-full"
    refused = 0
    for _ in range(200):
        device.event(FAILED, 60, 1)
        answer = device.send(device.message())
        refused += answer.status == 503
        if answer.status == 200:
            device.events = [e for e in device.events
                             if e[0] > answer.cbor[6]]
        else:
            assert answer.headers["Retry-After"]
    assert refused > 0
    assert server.api("GET", "/devices", expect=200).json["items"]
    assert device.get("/" + release["payloads"][0]["uri"]).body == \
        release["content"]
    assert device.poll(nonce=False, k9=[])[7]
    last = device.number - len(device.events)
    assert "journal-failing" in server.log.read_text()
    # Space is there again: it goes on by itself.
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE,
                     (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    for _ in range(5):
        if device.send(device.message()).status == 200:
            break
    device.poll()
    assert server.request("GET", "/healthz").status == 200
    server.stop()
    server.start()
    events = server.api("GET", f"/devices/{device.id}/events?limit=1000")
    assert events.json["items"][0]["number"] >= last
    while device.events:
        device.poll()
    events = server.api("GET", f"/devices/{device.id}/events?limit=1000")
    assert len(events.json["items"]) == device.number


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_a_full_file_system(make_server):
    server = make_server()
    data = server.folder / "data"
    data.mkdir(0o700)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none",
                       data]).returncode != 0:
        pytest.skip("no mounts here; RLIMIT_FSIZE is tested above")
    try:
        server.start().set_up()
        answer = server.put_payload(secrets.token_bytes(3 << 20), 507)
        assert "free space" in answer.json["error"]["message"]
        server.put_payload(secrets.token_bytes(1000), 201)
        device = server.register()
        device.poll()
        server.stop()
    finally:
        server.stop()
        subprocess.run(["umount", data], check=True)
