# SPDX-License-Identifier: Apache-2.0
"""Patches: made for what the fleet runs, offered to those that can take them,
and never in the way of an update."""
import hashlib
import os
import random
import signal
import socket
import sqlite3
import stat
import time

import pytest

from bowline_server import BIN, DOWNLOADING
from rollouts import QUICK, fleet, offered, roll_out, shown
from waiting import wait_for

DELTA_FAILED = 56
RAM = 12288
SETS = 63


def image(seed, size=40000, change=0):
    """Bytes like code: words that come back; `change` puts some in."""
    rng = random.Random(seed)
    words = [rng.randbytes(4) for _ in range(900)]
    data = b"".join(rng.choice(words) for _ in range(size // 4))
    if change:
        at = 1000 + change * 100
        data = data[:at] + random.Random(change).randbytes(64) + data[at:]
    return data


def takes(device, ram=RAM, sets=SETS):
    device.facts[21] = [1, ram, sets]
    return device


def capable(server, n, release, ram=RAM, sets=SETS):
    devices = [takes(server.register(), ram, sets) for _ in range(n)]
    for device in devices:
        device.run(release, slot=0)
        device.poll()
    return devices


def deltas(server, release):
    return server.api("GET", f"/releases/{release['manifest']}/deltas",
                      expect=200).json


def ready(server, release, state="ready", n=1):
    """The patches to a release, once so many are in that state."""
    def found():
        items = deltas(server, release)["items"]
        return [i for i in items if i["state"] == state][:n] \
            if sum(i["state"] == state for i in items) >= n else None
    return wait_for(found, said=lambda: str(deltas(server, release)))


def metric(server, name):
    for line in server.request("GET", "/metrics").body.decode().splitlines():
        if line.startswith(name + " "):
            return float(line.split()[-1])
    return None


def program(server, text):
    """A delta_program that does as `text` says."""
    path = server.folder / "maker"
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    server.config["delta_program"] = str(path)
    return server


@pytest.fixture
def releases(server):
    return [server.publish(n, f"1.{n}.0", image(1, change=n - 1))
            for n in (1, 2, 3)]


def install(device, release, patch, n=None):
    """Fetches the patch, and runs what comes of it."""
    got = device.get(f"/deltas/{patch.hex()}")
    assert got.status == 200
    assert hashlib.sha256(got.body).digest() == patch
    device.run(release)
    device.poll()


def test_a_patch_is_made_for_what_runs_and_offered(server, releases):
    old, new, _ = releases
    device, other = capable(server, 2, old)
    rollout = roll_out(server, new, strategy="immediate")
    found, = ready(server, new)
    assert found["from"] == "1.1.0" and found["ram"] == RAM
    assert found["base"] == hashlib.sha256(old["content"]).hexdigest()
    assert found["full_size"] == len(new["content"])
    assert 64 < found["size"] < 400  # 64 bytes are new
    assert found["devices"] == 2 and found["offered"]
    answer = device.poll()
    payload, base, patch, size = answer[9]
    assert payload == hashlib.sha256(new["content"]).digest()
    assert base == hashlib.sha256(old["content"]).digest()
    assert size == found["size"] and patch.hex() == found["patch"]
    assert 9 not in device.poll(nonce=False)
    install(device, new, patch)
    saved = len(new["content"]) - size
    after, = ready(server, new)
    assert after["installed"] == 1 and after["saved"] == saved
    assert deltas(server, new)["saved"] == saved
    assert shown(server, rollout)["bytes"]["delta_saved"] == saved
    assert shown(server, rollout)["bytes"]["delta_devices"] == 1
    assert metric(server, "bowline_delta_saved_bytes_total") == saved
    assert metric(server, "bowline_delta_installs_total") == 1
    assert metric(server, 'bowline_delta_patches{state="ready"}') == 1
    device.poll()
    assert deltas(server, new)["saved"] == saved  # once
    assert 9 in other.poll()


def test_the_patch_comes_in_ranges_like_a_payload(server, releases):
    old, new, _ = releases
    device, = capable(server, 1, old)
    roll_out(server, new, strategy="immediate")
    ready(server, new)
    patch = device.poll()[9][2].hex()
    whole = device.get(f"/deltas/{patch}")
    etag = f'"{patch}"'
    assert whole.headers["ETag"] == etag
    rest = device.get(f"/deltas/{patch}", {"Range": "bytes=10-",
                                           "If-Range": etag})
    assert rest.status == 206 and rest.body == whole.body[10:]
    n = len(whole.body)
    assert rest.headers["Content-Range"] == f"bytes 10-{n - 1}/{n}"
    other = device.get(f"/deltas/{patch}", {"Range": "bytes=10-",
                                            "If-Range": '"x"'})
    assert other.status == 200 and other.body == whole.body
    assert device.get(f"/deltas/{patch}",
                      {"Range": f"bytes={n}-"}).status == 416
    assert device.get("/deltas/" + "0" * 64).status == 404
    assert device.get("/deltas/x").status == 404
    assert server.request("GET", f"/d/v1/deltas/{patch}").status == 401
    # What was sent counts, also twice.
    device.run(new)
    device.poll()
    sent = n + n - 10 + n
    assert deltas(server, new)["saved"] == len(new["content"]) - sent


def test_the_fleet_knows_what_patches_saved_ever_and_today(server, releases):
    old, new, _ = releases
    device, = capable(server, 1, old)

    def said():
        return server.api("GET", "/fleet", expect=200).json["deltas"]
    assert said() == {"enabled": True, "saved": 0, "installs": 0,
                      "saved_today": 0, "installs_today": 0}
    roll_out(server, new, strategy="immediate")
    found, = ready(server, new)
    install(device, new, device.poll()[9][2])
    saved = len(new["content"]) - found["size"]
    after = {"enabled": True, "saved": saved, "installs": 1,
             "saved_today": saved, "installs_today": 1}
    assert said() == after
    server.stop()
    with sqlite3.connect(server.folder / "data" / "bowline.db") as db:
        # The patch is gone, and so is the day.
        db.execute("DELETE FROM deltas")
    server.start()
    assert said() == after
    server.stop()
    with sqlite3.connect(server.folder / "data" / "bowline.db") as db:
        db.execute("UPDATE settings SET value = value - 1"
                   " WHERE name = 'delta_day'")
    server.start()
    wait_for(lambda: said() == {**after, "saved_today": 0,
                                "installs_today": 0})


def test_another_products_device_gets_no_patch(server, releases):
    old, new, _ = releases
    device, = capable(server, 1, old)
    roll_out(server, new, strategy="immediate")
    found, = ready(server, new)
    server.api("POST", "/products", {"name": "lamp",
                                     "vendor_domain": "example.com"},
               expect=201)
    lamp = server.register(product="lamp")
    assert lamp.get(f"/deltas/{found['patch']}").status == 404
    assert device.get(f"/deltas/{found['patch']}").status == 200


def test_the_most_common_version_comes_first(make_server):
    server = make_server()
    log = server.folder / "order"
    program(server, f'sha256sum | cut -c1-64 >> {log}\nexit 2\n')
    server.start().set_up()
    old = [server.publish(n, f"1.{n}.0", image(1, change=n))
           for n in (1, 2, 3)]
    new = server.publish(9, "2.0.0", image(1, change=9))
    for n, release in zip((1, 3, 2), old):
        capable(server, n, release)
    roll_out(server, new, strategy="immediate")
    ready(server, new, "failed", 3)
    made = log.read_text().split()
    assert made == [hashlib.sha256(old[i]["content"]).hexdigest()
                    for i in (1, 2, 0)]


def test_only_memory_classes_that_devices_have_are_made(server, releases):
    old, new, _ = releases
    capable(server, 1, old, ram=10000)
    capable(server, 1, old, ram=40000)
    capable(server, 1, old, ram=5000)
    roll_out(server, new, strategy="immediate")
    found = ready(server, new, n=2)
    assert sorted(i["ram"] for i in found) == [8192, 32768]
    assert len(deltas(server, new)["items"]) == 2


@pytest.mark.parametrize("facts", [
    None, [1, 6000, SETS], [2, RAM, SETS], [1, RAM, 0]])
def test_who_cannot_take_it_is_not_offered_it(server, releases, facts):
    old, new, _ = releases
    capable(server, 2, old)
    device, = fleet(server, 1, old)
    if facts:
        device.facts[21] = facts
    roll_out(server, new, strategy="immediate")
    ready(server, new)
    answer = device.poll()
    assert bytes.fromhex(new["manifest"]) in answer[1] and 9 not in answer


def test_who_runs_another_image_is_not_offered_it(server, releases):
    old, new, _ = releases
    device, = capable(server, 1, old)
    roll_out(server, new, strategy="immediate")
    ready(server, new)
    assert 9 not in device.poll(k15=bytes(32))
    facts = {k: v for k, v in device.facts.items() if k != 15}
    device.facts, kept = facts, device.facts
    assert 9 not in device.poll()
    device.facts = kept
    assert 9 in device.poll()


def test_a_patch_that_saves_too_little_is_not_offered(server):
    old = server.publish(1, "1.0.0", random.Random(1).randbytes(9000))
    new = server.publish(2, "1.1.0", random.Random(2).randbytes(9000))
    device, = capable(server, 1, old)
    roll_out(server, new, strategy="immediate")
    found, = ready(server, new, "useless")
    assert found["size"] > 6300 and "delta_share" in found["reason"]
    assert 9 not in device.poll() and not found["offered"]


def test_a_few_who_lie_of_their_decoder_spoil_it_for_nobody(server, releases):
    old, new, _ = releases
    devices = capable(server, 3, old)
    capable(server, 2, old, sets=1)
    roll_out(server, new, strategy="immediate")
    ready(server, new)
    assert all(9 in d.poll() for d in devices)


def fail(device, release):
    device.event(DOWNLOADING, DELTA_FAILED, release["sequence"])
    device.facts[6] = DOWNLOADING
    return device.poll()


def test_after_a_failed_patch_the_whole_image_and_it_is_counted(
        server, releases):
    old, new, newer = releases
    device, other, third = capable(server, 3, old)
    rollout = roll_out(server, new, strategy="immediate")
    found, = ready(server, new)
    patch = device.poll()[9][2].hex()
    assert device.get(f"/deltas/{patch}").status == 200
    assert 9 not in fail(device, new)
    server.stop()
    server.start()
    assert 9 not in device.poll()
    assert device.get("/payloads/" + hashlib.sha256(
        new["content"]).hexdigest()).status == 200
    device.run(new)
    device.poll()
    now, = ready(server, new)
    assert now["failed"] == 1 and now["installed"] == now["saved"] == 0
    assert shown(server, rollout)["bytes"]["delta_devices"] == 0
    assert other.poll()[9][2].hex() == patch  # one device is no reason yet
    fail(other, new)
    assert 9 not in third.poll()
    gone, = ready(server, new, "withdrawn")
    assert gone["failed"] == 2 and "2 devices" in gone["reason"]
    assert third.get(f"/deltas/{patch}").status == 404
    lines = server.api("GET", "/audit?action=delta-withdraw",
                       expect=200).json["items"]
    assert len(lines) == 1 and lines[0]["actor"] == "bowline"
    assert "1.1.0 -> 1.2.0" in lines[0]["detail"]
    assert metric(server, "bowline_delta_failures_total") >= 1
    assert metric(server, 'bowline_delta_patches{state="withdrawn"}') == 1
    # Another release is another matter.
    device.facts[6] = 0
    roll_out(server, newer, strategy="immediate", priority=9)
    ready(server, newer)
    wait_for(lambda: 9 in device.poll())


def test_a_device_that_took_the_whole_payload_saved_nothing(server, releases):
    old, new, _ = releases
    device, = capable(server, 1, old)
    roll_out(server, new, strategy="immediate")
    ready(server, new)
    patch = device.poll()[9][2].hex()
    device.get(f"/deltas/{patch}")
    device.get("/payloads/" + hashlib.sha256(new["content"]).hexdigest())
    device.run(new)
    device.poll()
    assert deltas(server, new)["saved"] == 0


def broken_download(server, device, path, most, headers=""):
    """Takes a part of it and is gone; how many bytes came."""
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        s.connect(("127.0.0.1", server.port))
        s.sendall(f"GET /d/v1{path} HTTP/1.1\r\nHost: x\r\n{headers}"
                  f"Authorization: Bearer {device.token}\r\n\r\n".encode())
        got = b""
        while b"\r\n\r\n" not in got or \
                len(got.split(b"\r\n\r\n", 1)[1]) < most:
            piece = s.recv(4096)
            assert piece
            got += piece
        assert got.startswith(b"HTTP/1.1 20")
    return len(got.split(b"\r\n\r\n", 1)[1])


def varint(v):
    out = b""
    while v > 127:
        out += bytes([v & 127 | 128])
        v >>= 7
    return out + bytes([v])


def head(before, after):
    """Of a patch, docs/DELTA.md: plain data, no maps."""
    assert len(after) > len(before)
    return (b"\xb1\x02" + varint(len(before))
            + varint(2 * (len(after) - len(before)))
            + hashlib.sha256(before).digest()[:3]
            + hashlib.sha256(after).digest()[:3])


AROUND = 100_000  # what is on its way when a connection ends


def test_what_did_not_come_is_not_counted_as_sent(make_server):
    before, after = image(1), bytes(9_000_000)
    server = make_server()
    program(server, f"cat {server.folder}/patch").start().set_up()
    (server.folder / "patch").write_bytes(
        head(before, after) + random.Random(2).randbytes(5 << 20))
    old = server.publish(1, "1.0.0", before)
    new = server.publish(2, "1.1.0", after)
    device, = capable(server, 1, old)
    rollout = roll_out(server, new, strategy="immediate")
    found, = ready(server, new)
    size, full = found["size"], len(new["content"])
    assert size > 5 << 20
    path = f"/deltas/{device.poll()[9][2].hex()}"

    def sent():
        return shown(server, rollout)["bytes"]["sent"]
    came = broken_download(server, device, path, 300_000)
    wait_for(lambda: came - AROUND <= sent() <= came + AROUND, said=lambda: sent())
    assert metric(server, "bowline_download_bytes_total") <= came + AROUND
    etag = path.split("/")[-1]
    rest = device.get(path, {"Range": f"bytes={came}-",
                             "If-Range": f'"{etag}"'})
    assert len(rest.body) == size - came
    assert size - AROUND <= sent() <= size + AROUND
    assert shown(server, rollout)["bytes"]["saved"] == came
    device.run(new)
    device.poll()
    now, = ready(server, new)
    assert abs(full - size - now["saved"]) <= AROUND
    assert now["installed"] == 1


def test_patches_and_counts_outlive_a_kill(server, releases):
    old, new, _ = releases
    device, other = capable(server, 2, old)
    roll_out(server, new, strategy="immediate")
    found, = ready(server, new)
    assert 9 in other.poll()
    install(device, new, device.poll()[9][2])
    server.stop()
    server.start()
    again, = ready(server, new)
    assert again["patch"] == found["patch"] and again["installed"] == 1
    server.kill()
    server.start()
    assert other.poll()[9][2].hex() == found["patch"]


def children():
    """Processes that make patches of servers that these tests started."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as f:
                environ = f.read()
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                line = f.read()
        except OSError:
            continue
        if b"maker" in line and environ.startswith(b"PATH=/usr/local/bin:"):
            found.append(int(pid))
    return found


def hanging(make_server, tmp_path, **config):
    pids = tmp_path / "pids"
    server = program(make_server(**config),
                     f"echo $$ >> {pids}\nexec sleep 600\n")
    return server, pids


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().split(")")[-1].split()[0] != "Z"
    except OSError:
        return False


def started(pids, n=1):
    return wait_for(lambda: pids.exists() and
                    len(pids.read_text().split()) >= n and
                    [int(p) for p in pids.read_text().split()])


def test_kill_9_ends_what_is_being_made_and_it_is_made_anew(
        make_server, tmp_path):
    server, pids = hanging(make_server, tmp_path)
    server.start().set_up()
    old = server.publish(1, "1.0.0", image(1))
    new = server.publish(2, "1.1.0", image(1, change=1))
    device, = capable(server, 1, old)
    roll_out(server, new, strategy="immediate")
    first = started(pids)[0]
    ready(server, new, "making")
    server.kill()
    wait_for(lambda: not is_alive(first))
    server.config.pop("delta_program")
    server.start()
    ready(server, new)
    assert 9 in device.poll()


def test_three_ends_in_the_middle_are_enough(make_server, tmp_path):
    server, pids = hanging(make_server, tmp_path)
    server.start().set_up()
    old = server.publish(1, "1.0.0", image(1))
    new = server.publish(2, "1.1.0", image(1, change=1))
    capable(server, 1, old)
    roll_out(server, new, strategy="immediate")
    for n in (1, 2, 3):
        started(pids, n)
        ready(server, new, "making")
        server.kill()
        server.start()
    found, = ready(server, new, "failed")
    assert "3 times" in found["reason"]
    assert len(started(pids)) == 3


def test_a_stop_in_the_middle_is_no_failed_try(make_server, tmp_path):
    server, pids = hanging(make_server, tmp_path)
    server.start().set_up()
    old = server.publish(1, "1.0.0", image(1))
    new = server.publish(2, "1.1.0", image(1, change=1))
    capable(server, 1, old)
    roll_out(server, new, strategy="immediate")
    for n in (1, 2, 3, 4):
        child = started(pids, n)[-1]
        assert server.stop() == 0
        assert not is_alive(child)
        server.start()
    started(pids, 5)


@pytest.mark.parametrize("text, reason", [
    ("kill -SEGV $$", "signal 11"),
    ("exit 7", "status 7"),
    ("exit 0", "status 0"),
    ("echo out of words; exit 2", "out of words"),
    ("printf 'no patch at all, but some bytes'", "no patch for these"),
    ("head -c 1000000 /dev/zero", "larger than the payload"),
])
def test_what_breaks_costs_one_patch_only(make_server, text, reason):
    server = program(make_server(), text + "\n").start().set_up()
    old = server.publish(1, "1.0.0", image(1))
    new = server.publish(2, "1.1.0", image(1, change=1))
    device, = capable(server, 1, old)
    roll_out(server, new, strategy="immediate")
    found, = ready(server, new, "failed")
    assert reason in found["reason"]
    assert offered(device, new) and 9 not in device.poll()
    assert metric(server, 'bowline_delta_made_total{result="failed"}') == 1


def dies_until(make_server, tmp_path, times, **config):
    """A maker that is killed so often."""
    pids = tmp_path / "pids"
    server = program(
        make_server(delta_pause=1, delta_memory_mb=0, **config),
        f"echo $$ >> {pids}\n"
        f"test $(wc -l < {pids}) -gt {times} || kill -KILL $$\n"
        f'exec {BIN}/bowlined --make-delta $PPID $1 $2 0 600 0 ""\n')
    return server, pids


def test_what_was_killed_is_made_again_by_itself(make_server, tmp_path):
    server, pids = dies_until(make_server, tmp_path, 2)
    server.start().set_up()
    old = server.publish(1, "1.0.0", image(1))
    new = server.publish(2, "1.1.0", image(1, change=1))
    device, = capable(server, 1, old)
    roll_out(server, new, strategy="immediate")
    found, = ready(server, new)
    assert len(started(pids)) == 3 and found["reason"] == ""
    assert 9 in device.poll()
    assert metric(server, 'bowline_delta_made_total{result="failed"}') == 0


def test_what_is_always_killed_fails_with_its_reason(make_server, tmp_path):
    server, pids = dies_until(make_server, tmp_path, 99)
    server.start().set_up()
    old = server.publish(1, "1.0.0", image(1))
    new = server.publish(2, "1.1.0", image(1, change=1))
    capable(server, 1, old)
    roll_out(server, new, strategy="immediate")
    found, = ready(server, new, "failed")
    assert "3 times" in found["reason"] and "signal 9" in found["reason"]
    assert len(started(pids)) == 3


def test_a_restart_begins_the_count_of_kills_anew(make_server, tmp_path):
    server, pids = dies_until(make_server, tmp_path, 4)
    server.config["delta_pause"] = 3600
    server.start().set_up()
    old = server.publish(1, "1.0.0", image(1))
    new = server.publish(2, "1.1.0", image(1, change=1))
    capable(server, 1, old)
    roll_out(server, new, strategy="immediate")
    for n in (1, 2, 3, 4):
        started(pids, n)
        wait_for(lambda: "signal 9" in ready(server, new,
                                             "queued")[0]["reason"])
        assert server.stop() == 0
        server.start()
    ready(server, new)


def test_what_takes_too_long_is_ended(make_server, tmp_path):
    server, pids = hanging(make_server, tmp_path, delta_seconds=1)
    server.start().set_up()
    old = server.publish(1, "1.0.0", image(1))
    new = server.publish(2, "1.1.0", image(1, change=1))
    capable(server, 1, old)
    roll_out(server, new, strategy="immediate")
    found, = ready(server, new, "failed")
    assert "delta_seconds = 1" in found["reason"]
    assert not is_alive(started(pids)[0])


def test_its_process_has_limits(make_server, tmp_path):
    said = tmp_path / "said"
    server = program(
        make_server(delta_memory_mb=100, delta_seconds=77),
        f"(ulimit -v; ulimit -t; ulimit -c; nice; ls /proc/self/fd | wc -l;"
        f" cat /proc/self/oom_score_adj;"
        f" env | grep -c BOWLINE) > {said}\nexit 2\n")
    server.start(env={**os.environ, "BOWLINE_LOG_LEVEL": "info"}).set_up()
    old = server.publish(1, "1.0.0", image(1))
    new = server.publish(2, "1.1.0", image(1, change=1))
    capable(server, 1, old)
    roll_out(server, new, strategy="immediate")
    ready(server, new, "failed")
    # 0, 1, 2, 3, and what ls has open itself
    assert said.read_text().split() == ["102400", "77", "0", "19", "5", "1000", "0"]


def test_polls_go_on_while_one_is_made(make_server, tmp_path):
    server, pids = hanging(make_server, tmp_path)
    server.start().set_up()
    old = server.publish(1, "1.0.0", image(1))
    new = server.publish(2, "1.1.0", image(1, change=1))
    device, = capable(server, 1, old)
    roll_out(server, new, strategy="immediate")
    started(pids)
    assert offered(device, new)
    server.api("GET", "/fleet", expect=200)


def test_devices_may_wait_for_a_patch_that_is_coming(make_server, tmp_path):
    server, pids = hanging(make_server, tmp_path, delta_wait=600)
    server.start().set_up()
    old = server.publish(1, "1.0.0", image(1))
    new = server.publish(2, "1.1.0", image(1, change=1))
    device, = capable(server, 1, old)
    plain, = fleet(server, 1, old)
    roll_out(server, new, strategy="immediate")
    started(pids)
    answer = device.poll()
    assert bytes.fromhex(new["manifest"]) not in answer[1]
    assert 1 <= answer[5] <= 75 and answer[7] != bytes.fromhex(new["manifest"])
    assert offered(plain, new)
    number = deltas(server, new)["items"][0]["number"]
    server.api("POST", f"/deltas/{number}/withdraw", expect=200)
    assert offered(device, new)


def test_operators_make_withdraw_and_remake(server, releases):
    old, new, _ = releases
    made = server.api("POST", f"/releases/{new['manifest']}/deltas",
                      {"from": "1.1.0", "ram": 8192}, expect=202).json
    assert made["ram"] == 8192 and made["from"] == "1.1.0"
    found, = ready(server, new)
    device, = capable(server, 1, old)
    roll_out(server, new, strategy="immediate")
    ready(server, new, n=2)
    assert 9 in device.poll()
    for item in deltas(server, new)["items"]:
        gone = server.api("POST", f"/deltas/{item['number']}/withdraw",
                          expect=200).json
        assert gone["state"] == "withdrawn"
    assert 9 not in device.poll()
    assert device.get(f"/deltas/{found['patch']}").status == 404
    server.api("POST", f"/deltas/{found['number']}/remake", expect=200)
    again, = ready(server, new)
    assert again["patch"] == found["patch"]
    assert 9 in device.poll()
    actions = [line["action"] for line in server.api(
        "GET", "/audit", expect=200).json["items"]]
    assert actions.count("delta-withdraw") == 2
    assert "delta-make" in actions and "delta-remake" in actions


@pytest.mark.parametrize("path, body, status", [
    ("/releases/{}/deltas", {"from": "9.9.9"}, 404),
    ("/releases/{}/deltas", {"from": "1.2.0"}, 409),
    ("/releases/{}/deltas", {"from": "1.1.0", "ram": 7}, 400),
    ("/releases/{}/deltas", {}, 400),
    ("/deltas/99/remake", None, 404),
    ("/deltas/x/withdraw", None, 404),
])
def test_orders_that_cannot_be_are_refused(server, releases, path, body,
                                           status):
    _, new, _ = releases
    server.api("POST", path.format(new["manifest"]), body, expect=status)


def test_viewers_see_and_order_nothing(server, releases):
    _, new, _ = releases
    path = f"/releases/{new['manifest']}/deltas"
    server.api("GET", path, token=server.viewer_token, expect=200)
    server.api("POST", path, {"from": "1.1.0"}, token=server.viewer_token,
               expect=403)


def test_admins_turn_patches_off_and_on(server, releases):
    old, new, _ = releases
    device, = capable(server, 1, old)
    roll_out(server, new, strategy="immediate")
    found, = ready(server, new)
    set_to = {"token": server.admin_token, "expect": 200}
    server.api("PATCH", "/settings", {"deltas": False}, **set_to)
    assert 9 not in device.poll()
    assert device.get(f"/deltas/{found['patch']}").status == 404
    assert not deltas(server, new)["enabled"]
    server.stop()
    server.start()
    assert 9 not in device.poll()
    server.api("PATCH", "/settings", {"deltas": True}, **set_to)
    assert 9 in device.poll()


def test_an_order_while_patches_are_off_says_that_they_are(server, releases):
    old, new, _ = releases
    order = f"/releases/{new['manifest']}/deltas"
    server.api("POST", order, {"from": old["version"]}, expect=202)
    found, = ready(server, new)
    server.api("PATCH", "/settings", {"deltas": False},
               token=server.admin_token, expect=200)
    for path, body in ((order, {"from": old["version"], "ram": 8192}),
                       (f"/deltas/{found['number']}/remake", None)):
        said = server.api("POST", path, body, expect=409).json["error"]
        assert said["code"] == "deltas-off"
        assert "bowline settings --deltas on" in said["message"]
    assert len(deltas(server, new)["items"]) == 1  # nothing waits
    server.api("POST", f"/deltas/{found['number']}/withdraw", expect=200)


def test_a_base_that_the_server_never_saw_gets_none(server, releases):
    _, new, _ = releases
    device = takes(server.register())
    device.facts.update({4: b"\1" * 32, 15: b"\2" * 32, 8: 1})
    device.poll()
    known, = capable(server, 1, releases[0])
    roll_out(server, new, strategy="immediate")
    ready(server, new)
    assert len(deltas(server, new)["items"]) == 1
    assert 9 not in device.poll()


def test_a_full_store_drops_what_nobody_needs(make_server):
    server = make_server(delta_store_mb=1, delta_memory_mb=0)
    # True patches, made longer: three of them are more than 1 MiB.
    program(server, f'{BIN}/bowlined --make-delta $$ $1 $2 0 600 0 "" &&\n'
            "head -c 400000 /dev/zero\n").start().set_up()
    old = server.publish(1, "1.0.0", b"bowl" * 150000)
    new = [server.publish(n, f"1.{n}.0", b"bowl" * 150000 + b"line%d" % n)
           for n in (2, 3, 4, 5)]
    capable(server, 1, old)
    last = None
    for release in new:
        if last:
            server.api("POST", f"/rollouts/{last['id']}/abort", expect=200)
        last = roll_out(server, release, strategy="immediate")
        ready(server, release)
    left = [len(deltas(server, r)["items"]) for r in new]
    assert left[0] == 0 and left[-1] == 1
    files = list((server.folder / "data" / "deltas").glob("??/*"))
    assert len(files) == sum(left)


def test_a_backup_leaves_patches_out_and_they_are_made_anew(
        server, releases, make_server):
    old, new, _ = releases
    device, = capable(server, 1, old)
    roll_out(server, new, strategy="immediate")
    found, = ready(server, new)
    server.stop()
    for file in (server.folder / "data" / "deltas").glob("??/*"):
        file.unlink()  # as a restored folder has it
    server.start()
    again, = ready(server, new)
    assert again["patch"] == found["patch"]
    wait_for(lambda: 9 in device.poll())


def damage(server, how):
    """What a disk does to the only patch there is; its bytes before."""
    file, = (server.folder / "data" / "deltas").glob("??/*")
    whole = file.read_bytes()
    changed = {"bit": whole[:20] + bytes([whole[20] ^ 4]) + whole[21:],
               "cut": whole[:-5], "longer": whole + b"x", "gone": None}[how]
    if changed is None:
        file.unlink()
    else:
        file.write_bytes(changed)
    return whole


def log_of(server):
    return server.log.read_text(errors="replace")


def whole_again(server, device, new, whole):
    """It has been made anew, and what is sent is right."""
    def sent():
        answer = device.poll()
        if 9 not in answer:
            return None
        return device.get(f"/deltas/{answer[9][2].hex()}")
    got = wait_for(sent)
    assert got.status == 200 and got.body == whole
    found, = ready(server, new)
    assert found["failed"] == 0


@pytest.mark.parametrize("how", ["bit", "cut", "longer", "gone"])
def test_a_patch_damaged_before_a_start_is_offered_to_nobody(
        server, releases, how):
    old, new, _ = releases
    device, = capable(server, 1, old)
    roll_out(server, new, strategy="immediate")
    ready(server, new)
    server.stop()
    whole = damage(server, how)
    server.start()
    answer = device.poll()
    assert bytes.fromhex(new["manifest"]) in answer[1]
    if 9 in answer:  # it was made anew already
        assert device.get(f"/deltas/{answer[9][2].hex()}").body == whole
    whole_again(server, device, new, whole)
    log = log_of(server)
    if how == "bit":
        assert "delta-damaged" in log and "SHA-256" in log
    else:
        assert "delta-files" in log and "lost=1" in log


@pytest.mark.parametrize("how, why", [
    ("bit", "SHA-256"), ("cut", "SHA-256"), ("gone", "the file is gone")])
def test_a_patch_damaged_after_its_offer_is_sent_to_nobody(
        server, releases, how, why):
    old, new, _ = releases
    device, other = capable(server, 2, old)
    roll_out(server, new, strategy="immediate")
    ready(server, new)
    patch = device.poll()[9][2].hex()
    assert 9 in other.poll()
    whole = damage(server, how)
    got = device.get(f"/deltas/{patch}")
    assert got.status == 404 or got.body == whole
    whole_again(server, other, new, whole)
    log = log_of(server)
    assert log.count("delta-damaged") == 1 and why in log
    line, = server.api("GET", "/audit?action=delta-remake",
                       expect=200).json["items"]
    assert line["actor"] == "bowline" and "damaged" in line["detail"]


def test_a_damaged_patch_is_found_before_anybody_asks(server, releases):
    old, new, _ = releases
    device, = capable(server, 1, old)
    roll_out(server, new, strategy="immediate")
    ready(server, new)
    assert 9 in device.poll()
    whole = damage(server, "bit")
    wait_for(lambda: "delta-damaged" in log_of(server))
    whole_again(server, device, new, whole)


def test_what_was_written_and_not_noted_is_removed(server):
    server.stop()
    folder = server.folder / "data" / "deltas" / "ab"
    folder.mkdir(mode=0o700)
    (folder / ("ab" * 32)).write_bytes(b"x")
    server.start()
    assert not (folder / ("ab" * 32)).exists()


def test_a_device_in_slot_b_gets_the_image_of_slot_a(server, releases):
    old, new, _ = releases
    device, = capable(server, 1, old)
    device.run(old, slot=1)
    device.poll()
    roll_out(server, new, strategy="immediate")
    ready(server, new)
    assert device.poll()[9][0] == hashlib.sha256(new["content"]).digest()


def test_a_rollout_that_starts_soon_has_its_patches_before(make_server):
    server = make_server(delta_ahead=600).start().set_up()
    old, soon, late = (server.publish(n, f"1.{n}.0", image(1, change=n))
                       for n in (1, 2, 3))
    device, = capable(server, 1, old)
    now = int(time.time())
    roll_out(server, late, strategy="immediate", start_at=now + 7200)
    roll_out(server, soon, strategy="immediate", start_at=now + 300)
    ready(server, soon)
    assert deltas(server, late)["items"] == []
    assert not offered(device, soon)


def test_a_preview_counts_patches_that_are_ready(server, releases):
    old, new, _ = releases
    capable(server, 2, old)
    fleet(server, 1, old)
    wish = {"product": "thermostat", "version": new["version"],
            "strategy": "immediate"}

    def preview():
        return server.api("POST", "/rollouts/preview", wish, expect=200).json

    full = len(new["content"])
    before = preview()
    assert before["bytes"] == 3 * full and before["delta_devices"] == 0
    server.api("POST", f"/releases/{new['manifest']}/deltas",
               {"from": old["version"]}, expect=202)
    found, = ready(server, new)
    after = preview()
    assert after["delta_devices"] == 2
    assert after["delta_saved"] == 2 * (full - found["size"])
    assert after["bytes"] == full + 2 * found["size"]
