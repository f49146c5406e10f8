# SPDX-License-Identifier: Apache-2.0
"""The operator's verbs against bowlined, set up by `server init`, over TLS."""
import fcntl
import hashlib
import http.client
import json
import os
import pty
import re
import signal
import socket
import ssl
import struct
import subprocess
import termios
import threading
import time

import pytest
from bowline_server import RETURNED, Answer, Device
from listening import Listening, Quiet

from .conftest import Tool, firmware, programs


class Site(Tool):
    """A server made by `server init`, and a project that uses it."""

    settings = ""  # more lines of its configuration

    def __init__(self, folder):
        super().__init__(folder)
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.good("server", "init", "srv", "--port", self.port)
        self.srv = self.folder / "srv"
        with open(self.srv / "bowlined.conf", "a") as conf:
            conf.write(self.settings)
        self.log = open(self.folder / "log", "ab")
        self.process = subprocess.Popen(
            [programs() / "bowlined", "--config", self.srv / "bowlined.conf"],
            stdout=self.log, stderr=self.log, env=self.env)
        self.good("init", "--product", "thermostat", "--vendor",
                  "example.com", "--from", "srv")
        end = time.monotonic() + 60
        while self("server", "status").code != 0:
            assert self.process.poll() is None, self.text()
            assert time.monotonic() < end, self.text()
            time.sleep(0.05)

    def text(self):
        return (self.folder / "log").read_text(errors="replace")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(90)
        self.log.close()
        assert code == 0, self.text()

    def request(self, method, path, body=None, token=None, headers=None,
                **_):
        context = ssl.create_default_context(cafile=self.srv / "ca.pem")
        assert context.minimum_version
        c = http.client.HTTPSConnection("localhost", self.port, timeout=30,
                                        context=context)
        fields = {**(headers or {}), "Authorization": f"Bearer {token}"}
        c.request(method, path, body, fields)
        answer = c.getresponse()
        result = Answer(answer.status, answer.headers, answer.read())
        c.close()
        return result

    def release(self, version):
        content = firmware(version)
        (self.folder / "fw.bin").write_bytes(content)
        made = self.good("release", "fw.bin", "--json").json
        self.good("publish")
        return {**made, "content": content}

    def device(self, name):
        made = self.good("device", "add", "--name", name, "-o",
                         f"{name}.token", "--json").json
        device = Device(self, made["id"])
        device.token = (self.folder / f"{name}.token").read_text().strip()
        return device


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    site = Site(tmp_path_factory.mktemp("site"))
    site.good("publish", "srv/root-1.cbor")
    site.good("product", "add")
    yield site
    site.stop()


@pytest.fixture(scope="module")
def world(shared):
    """Two releases; three devices on the first."""
    shared.one = shared.release("1.0.0")
    shared.two = shared.release("1.1.0")
    shared.devices = [shared.device(f"d{i}") for i in range(3)]
    for device in shared.devices:
        device.run(shared.one)
        device.poll()
    return shared


def test_server_status_and_products(shared):
    status = shared.good("server", "status", "--json").json
    assert status["root_version"] == 1 and status["version"]
    shared.good("product", "add")  # twice does no harm
    items = shared.good("product", "list", "--json").json["items"]
    assert [p["name"] for p in items] == ["thermostat"]
    assert "thermostat" in shared.good("product", "list").out
    out = shared.good("server", "status").out
    assert "devices take them: the root document names the key" in out


def test_a_product_is_opened_to_other_clients_and_says_its_address(world):
    closed = world.good("product", "show").out
    assert "address" not in closed
    said = world.good("product", "set", "--unmanaged", "on")
    path = f"https://localhost:{world.port}/p/thermostat/stable/firmware.bin"
    assert path in said.out and ".cert_pem" in said.err
    shown = world.good("product", "show", "thermostat", "--json").json
    assert shown["addresses"] == [path] and shown["unmanaged"] is True
    assert "none" in world.good("device", "unmanaged").err
    answer = world.request("GET", path[len(f"https://localhost:{world.port}"):]
                           + "?device=lamp-1")
    assert answer.status == 404  # nothing was rolled out yet
    row, = world.good("device", "unmanaged", "--product", "thermostat",
                      "--json").json["items"]
    assert row["name"] == "device:lamp-1" and row["status"] == 404
    assert "device:lamp-1" in world.good("device", "unmanaged").out
    world.good("device", "unmanaged", "--forget", row["number"])
    world.refused(4, "device", "unmanaged", "--forget", row["number"])
    assert "none" in world.good("device", "unmanaged").err
    assert "addresses" not in world.good(
        "product", "set", "thermostat", "--unmanaged", "off", "--json").json
    world.refused(2, "product", "set", "thermostat")
    world.refused(4, "product", "show", "none")


def test_publishing_twice_uploads_once(world):
    again = world.good("publish", "--json").json["published"][0]
    assert again["uploaded"] == 0 and again["already"] is True
    said = world.good("publish")
    assert said.out.startswith("already published: thermostat 1.1.0, ")
    assert "bowline release makes the next" in said.err


def test_publish_refuses_what_is_no_release(world):
    said = world.refused(3, "publish", "fw.bin")
    assert "bowline release" in said


def test_publish_of_an_envelope_by_strangers(world):
    world.good("key", "new", "stranger.pem")
    (world.folder / "s.bin").write_bytes(firmware("6.6.6"))
    conf = world.folder / "bowline.conf"
    text = conf.read_text()
    conf.write_text(re.sub("(?m)^root = .*$", "", text))
    try:
        made = world.good("release", "s.bin", "--key", "stranger.pem",
                          "--releases", "evil", "--json").json
        said = world.refused(4, "publish", made["file"], "-q")
    finally:
        conf.write_text(text)
    assert "signature" in said


def test_device_add_keeps_the_token_in_a_private_file(world):
    path = world.folder / "d0.token"
    assert path.stat().st_mode & 0o777 == 0o600
    token = path.read_text().strip()
    result = world.good("device", "show", "d0", "--json")
    assert token not in result.out
    said = world.refused(3, "device", "add", "--name", "x", "-o", "d0.token")
    assert "there already" in said
    assert "32 hex digits" in world.refused(2, "device", "add", "xyz")


def test_device_list_show_events(world):
    items = world.good("device", "list", "--json").json["items"]
    assert {d["name"] for d in items} >= {"d0", "d1", "d2"}
    assert all(d["version"] == "1.0.0" for d in items)
    found = world.good("device", "list", "--version", "9.9", "--json").json
    assert found["items"] == []
    short = world.good("device", "list").out.splitlines()
    head = ["id", "name", "version", "state", "last seen", "what happened"]
    assert re.split("  +", short[0]) == head
    assert max(map(len, short)) <= 100
    d = world.devices[0]
    assert re.search(f"(?m)^{d.id[:8]}  d0 .* s ago ", "\n".join(short))
    assert d.id in world.good("device", "list", "--long").out
    for word in (d.id, d.id[:12], "d0"):
        assert world.good("device", "show", word, "--json").json["id"] == d.id
    assert "no device" in world.refused(3, "device", "show", "nobody")
    world.refused(4, "device", "show", "0" * 32)
    d.event(8)
    d.poll()
    events = world.good("device", "events", "d0", "--json").json["items"]
    assert events[0]["state"] == "confirmed"
    assert "confirmed" in world.good("device", "events", "d0").out


def test_rollout_from_start_to_finish_and_back(world):
    one, two, devices = world.one, world.two, world.devices
    assert "no active" in world.refused(3, "rollout", "pause")
    r = world.good("rollout", "start", "1.1.0", "--stages", "1,100",
                   "--json").json
    assert r["state"] == "running" and r["stage"] == 0
    assert [s["percent"] for s in r["stages"]] == [1, 100]
    world.refused(4, "rollout", "start", "1.1.0")  # one at a time
    assert world.good("rollout", "pause", "--json").json["state"] == "paused"
    assert world.good("rollout", "resume", "--json").json["state"] == \
        "running"

    late = world("rollout", "status", "--wait", "confirmed", "--timeout",
                 "1")
    assert late.code == 6 and "not confirmed after 1 s" in late.err

    out = world.good("rollout", "status").out
    assert "open" in out and "closed" in out
    assert world.good("rollout", "advance", "--json").json["stage"] == 1
    for device in devices:
        said = device.poll()
        assert said[7].hex() == two["manifest"]

    def update():
        time.sleep(1)
        for device in devices:
            device.run(two)
            device.poll()

    thread = threading.Thread(target=update)
    thread.start()
    result = world("rollout", "status", "--wait", "confirmed", "--timeout",
                   "20", "--json")
    thread.join()
    assert result.code == 0, result.err
    assert result.json["rollout"]["counts"]["confirmed"] == 3
    done = world.good("rollout", "status", "--wait", "finished", "--timeout",
                      "5", "--json").json
    assert done["rollout"]["state"] == "finished"
    watched = world.good("rollout", "status", "--watch")
    assert "3 of 3 confirmed" in watched.out
    # What can no longer be is told at once, not by a time-out.
    assert world("rollout", "status", "--wait", "aborted").code == 1
    path = f"{world.port}/p/thermostat/stable/firmware.bin"
    assert path not in world.good("rollout", "status").out
    world.good("product", "set", "--unmanaged", "on")
    assert path in world.good("rollout", "status").out
    world.good("product", "set", "--unmanaged", "off")
    assert len(world.good("rollout", "list", "--json").json["items"]) == 1

    # One device, then the whole product, back to 1.0.0.
    back = world.good("device", "rollback", "d1", "--to", "1.0.0", "-o",
                      "permit", "--json").json
    assert 6.9 < (back["expires"] - time.time()) / 86400 < 7.1
    seen = world.good("inspect", "permit", "--json").json["files"][0]
    assert seen["type"] == "permit" and seen["verifies"] is True
    assert seen["device"] == devices[1].id
    assert seen["manifest"] == one["manifest"]
    assert devices[1].poll()[7].hex() == one["manifest"]
    assert devices[0].poll()[7].hex() == two["manifest"]
    assert re.search("kind +rollback of this device",
                     world.good("device", "show", "d1").out)
    target = world.good("device", "show", "d1", "--json").json["target"]
    assert target["kind"] == "device"

    world.good("rollback", "--to", "1.0.0", "--days", "1")
    for device in devices:
        assert device.poll()[7].hex() == one["manifest"]
    rollout = world.good("rollout", "status", "--json").json["rollout"]
    assert rollout["kind"] == "rollback"
    assert world.good("rollout", "abort", "--json").json["state"] == "aborted"


def test_rollback_to_what_is_not_there(world):
    said = world.refused(3, "rollback", "--to", "0.0.1")
    assert "no release 0.0.1" in said
    assert "--to" in world.refused(2, "rollback")


def test_rollback_signed_by_strangers_is_refused(world):
    world("key", "new", "other.pem")
    said = world.refused(4, "rollback", "--to", "1.0.0", "--key",
                         "other.pem")
    assert "permit" in said


@pytest.mark.parametrize("stages", ["0", "5,5", "10,1", "101", "x", "1,,2"])
def test_stages_that_do_not_rise(world, stages):
    assert "rising" in world.refused(2, "rollout", "start", "1.1.0",
                                     "--stages", stages)


def test_a_wrong_token(world):
    (world.folder / "bad.token").write_text("x" * 64 + "\n")
    said = world.refused(4, "server", "status", "--token-file", "bad.token")
    assert "401" in said and "x" * 64 not in said


def test_a_token_file_that_is_not_there(world):
    said = world.refused(3, "server", "status", "--token-file", "nowhere")
    assert "nowhere" in said


def test_a_certificate_of_somebody_else(world):
    world.good("server", "init", "other", "-q")
    said = world.refused(5, "server", "status", "--ca-file", "other/ca.pem")
    assert "certificate" in said


def test_device_remove(world):
    world.good("device", "add", "f" * 32, "-o", "f.token")
    world.good("device", "remove", "f" * 32)
    world.refused(4, "device", "show", "f" * 32)
    assert "whole id" in world.refused(2, "device", "remove", "ffff")


def test_a_rollout_that_goes_wrong_says_so(tmp_path):
    site = Site(tmp_path)
    try:
        go_wrong(site)
    finally:
        site.stop()


def go_wrong(site):
    site.good("publish", "srv/root-1.cbor")
    site.good("product", "add")
    one, two = site.release("1.0.0"), site.release("1.1.0")
    devices = {name: site.device(name) for name in ("d0", "d1", "d2")}
    for device in devices.values():
        device.run(one)
        device.poll()
    site.good("rollout", "start", "1.1.0", "--stages", "1,100")
    offered = {name: device for name, device in devices.items()
               if device.poll().get(7, b"").hex() == two["manifest"]}
    assert offered
    for device in offered.values():
        device.event(RETURNED, 100, two["sequence"], 4)
        device.poll()
    out = site.good("rollout", "status").out
    for name in offered:
        assert re.search(f"{name} +returned +boot-tries \\(crash\\): .", out)
    said = site.refused(3, "rollout", "advance")
    assert f"{len(offered)} returned, 0 failed" in said
    assert "--force" in said
    site.good("rollout", "advance", "--force")
    assert "last one, 100%, is open" in site.refused(3, "rollout", "advance")
    site.device("first")
    said = site.refused(4, "device", "add", "--name", "first", "-o", "x")
    assert "first" in said and not (site.folder / "x").exists()
    out = site.good("rollout", "status").out
    assert "waiting for    first (never seen)\n" in out
    site.good("rollout", "abort")
    # What was is still told of an ended rollout.
    seen = site.good("rollout", "status", "--json").json
    assert {d["name"] for d in seen["devices"]} == set(offered)

    for words in (["rollback"], ["device", "rollback", "d0"]):
        said = site.refused(3, *words, "--to", "1.1.0")
        assert "bowline rollout start 1.1.0" in said
    for device in devices.values():
        device.facts[14] = two["sequence"] + 100
        device.poll()
    out = site.good("rollout", "start", "1.1.0").out
    assert re.search("blocked +3 of 4 devices have a floor", out)
    assert "release it again" in out


# --- A server that answers strangely -----------------------------------------

class Strange(Listening):
    """Answers each request from a list: (status, headers, body)."""

    def __init__(self, *answers, address=("127.0.0.1", 0)):
        self.answers = list(answers)
        self.paths = []
        outer = self

        class Handler(Quiet):
            def do(self):
                outer.paths.append(self.path)
                status, headers, body = outer.answers[
                    min(len(outer.paths), len(outer.answers)) - 1]
                self.send_response(status)
                for key, value in headers.items():
                    self.send_header(key, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_HEAD = do

        self.listen(Handler, address)


def page(items, following=None):
    return 200, {}, json.dumps({"items": items, "next": following}).encode()


@pytest.mark.parametrize("answer, code, says", [
    ((200, {}, b"<html>"), 4, "no JSON"),
    ((200, {}, b""), 4, "no JSON"),
    ((200, {}, b"{}"), 4, "no items"),
    ((500, {}, b"oops\x1b[2J"), 4, "oops\\x1b[2J"),
    ((404, {}, json.dumps({"error": {"code": "no-such", "message":
                                     "nothing here"}}).encode()), 4,
     "nothing here (no-such, 404)"),
    ((302, {"Location": "http://127.0.0.1:1/"}, b""), 4, "302"),
])
def test_strange_answers_are_one_error(tool, answer, code, says):
    with Strange(answer) as strange:
        said = tool.refused(code, "product", "list", "--server", strange.url)
    assert says in said


def test_a_busy_server_is_asked_again(tool):
    with Strange((503, {"Retry-After": "2"}, b""), page([])) as strange:
        result = tool.good("product", "list", "--server", strange.url)
        assert "once more in 2 s" in result.err
        assert len(strange.paths) == 2


def test_long_lists_are_read_to_the_end(tool):
    def item(i):
        return {"name": f"p{i}", "vendor_domain": "x", "class_id": "0"}
    with Strange(page([item(0)], "a b"), page([item(1)], 7),
                 page([item(2)])) as strange:
        items = tool.good("product", "list", "--server", strange.url,
                          "--json").json["items"]
        assert [i["name"] for i in items] == ["p0", "p1", "p2"]
        assert strange.paths[1].endswith("&after=a%20b")
        assert strange.paths[2].endswith("&after=7")


def test_text_of_the_server_cannot_drive_the_terminal(tool):
    evil = {"name": "\x1b]0;x\x07", "vendor_domain": "\u202e",
            "class_id": "0"}
    with Strange(page([evil])) as strange:
        out = tool.good("product", "list", "--server", strange.url).out
    assert "\x1b" not in out and "\u202e" not in out


def test_a_token_is_not_sent_in_the_clear(tool):
    said = tool.refused(3, "product", "list", "--server",
                        "http://updates.example.com")
    assert "https://" in said
    tool.refused(3, "product", "list", "--server",
                 "http://localhost.example.com")


ROLLOUT = {"id": 4, "product": "p", "version": "1", "state": "running",
           "stage": 0, "stages": [{"percent": 100, "devices": 4}]}


def rollout(more=None, **counts):
    names = ("eligible", "offered", "waiting", "downloading", "installing",
             "testing", "confirmed", "returned", "failed", "refused")
    body = {**ROLLOUT, "counts": {n: counts.get(n, 0) for n in names},
            **(more or {})}
    return 200, {}, json.dumps(body).encode()


def lost_device(i, outcome="returned", **more):
    return {"id": f"{i:032x}", "name": f"d{i}", "outcome": outcome,
            "code": "boot-tries", "meaning": "it never confirmed itself",
            "reset": "crash", "version": "1.0.0", "when": 1000 + i, **more}


def test_status_names_the_devices_that_need_a_look(tool):
    lost = [lost_device(0, name=""), lost_device(1, "refused", reset="unknown",
            code="class", meaning="made for another product")]
    lost += [lost_device(i) for i in range(2, 15)]
    with Strange(rollout({"devices": lost}, eligible=20, returned=14,
                         refused=1)) as strange:
        out = tool.good("rollout", "status", "4", "--server",
                        strange.url).out
        seen = tool.good("rollout", "status", "4", "--server", strange.url,
                         "--json").json
    assert re.search("00000000 +returned +boot-tries \\(crash\\): it never",
                     out)
    assert re.search("d1 +refused +class: made for another product", out)
    assert "d9 " in out and "d10" not in out and "and 5 more" in out
    assert seen["devices"] == lost


def test_status_says_what_it_waits_for(tool):
    waiting = {"count": 12, "devices": [
        {"id": "ab" * 16, "name": "first", "why": "never seen",
         "last_seen": None},
        {"id": "cd" * 16, "name": "", "why": "silent", "last_seen": 86400}]}
    blocked = {"count": 2, "reason": "2 of 4 devices have a floor above it"}
    with Strange(rollout({"waiting_for": waiting, "blocked": blocked},
                         eligible=4, confirmed=2)) as strange:
        out = tool.good("rollout", "status", "4", "--server",
                        strange.url).out
    assert "waiting for    first (never seen)\n" in out
    assert "cdcdcdcd (silent, last seen 1970-01-02 00:00:00 UTC)" in out
    assert "and 10 more" in out
    assert "blocked        2 of 4 devices have a floor above it" in out


@pytest.mark.parametrize("text", ["\x1b[2J", "\u202e"])
def test_names_in_a_rollout_cannot_drive_the_terminal(tool, text):
    more = {"devices": [lost_device(1, name=text, meaning=text, code=text)],
            "waiting_for": {"count": 1, "devices": [
                {"id": "0", "name": text, "why": text, "last_seen": None}]},
            "blocked": {"count": 1, "reason": text}}
    with Strange(rollout(more, eligible=1, returned=1)) as strange:
        out = tool.good("rollout", "status", "4", "--server",
                        strange.url).out
    assert text not in out and "blocked" in out and "need a look" in out


def test_one_device_is_not_devices(tool):
    stages = [{"percent": 1, "devices": 1}, {"percent": 100, "devices": 4}]
    with Strange(rollout({"stages": stages}, eligible=1)) as strange:
        out = tool.good("rollout", "status", "4", "--server",
                        strange.url).out
    assert "1 device  open" in out and "4 devices  closed" in out


@pytest.mark.parametrize("verb", [["rollback"],
                                  ["device", "rollback", "0" * 32]])
def test_rollback_is_no_way_forward(project, verb):
    release = {"version": "2.2.0", "manifest": "00" * 32, "sequence": 9}
    refusal = {"error": {"code": "not-older", "message": "it is newer"}}
    answers = [page([release]),
               (200, {}, json.dumps({"class_id": "00" * 16}).encode()),
               (409, {}, json.dumps(refusal).encode())]
    if verb[0] == "device":
        device = {"id": "0" * 32, "product": "thermostat"}
        answers.insert(0, (200, {}, json.dumps(device).encode()))
    with Strange(*answers) as strange:
        said = project.refused(3, *verb, "--to", "2.2.0", "--server",
                               strange.url)
    assert "bowline rollout start 2.2.0" in said


STAGES = {"stages": [{"percent": 10, "devices": 2},
                     {"percent": 50, "devices": 9}]}


@pytest.mark.parametrize("more, counts, says", [
    (STAGES, {"returned": 2, "failed": 1},
     "2 returned, 1 failed, 0 refused; bowline rollout status 4"),
    ({**STAGES, "stage": 1}, {}, "the last one, 50%, is open"),
    ({**STAGES, "state": "paused"}, {}, "rollout resume 4"),
    ({**STAGES, "state": "finished"}, {}, "rollout 4 is finished"),
])
def test_advance_looks_before_it_leaps(tool, more, counts, says):
    with Strange(rollout(more, eligible=4, **counts)) as strange:
        said = tool.refused(3, "rollout", "advance", "4", "--server",
                            strange.url)
        assert says in said
        assert strange.paths == ["/api/v1/rollouts/4"]
        if counts:
            tool.good("rollout", "advance", "4", "--force", "--server",
                      strange.url)
            assert strange.paths[-1] == "/api/v1/rollouts/4/advance"


def test_a_rollout_that_does_not_reach_all_is_warned_of(tool):
    with Strange(rollout(STAGES)) as strange:
        said = tool.good("rollout", "start", "1", "--product", "p",
                         "--stages", "10,50", "--server", strange.url).err
        assert "Warning: the last stage is 50%" in said
        assert "bowline rollout status 4 --watch" in said
    with Strange(rollout()) as strange:
        said = tool.good("rollout", "start", "1", "--product", "p",
                         "--server", strange.url).err
        assert "Warning" not in said and "advance" not in said


def test_the_list_counts_stages_as_people_do(tool):
    row = json.loads(rollout({**STAGES, "stage": 1, "kind": "update"})[2])
    with Strange(page([row])) as strange:
        out = tool.good("rollout", "list", "--server", strange.url).out
        items = tool.good("rollout", "list", "--server", strange.url,
                          "--json").json["items"]
    assert "2 of 2" in out and items == [row]


def test_watch_draws_over_itself_and_nothing_else(tool):
    """In a terminal of 40 columns and 12 rows."""
    lost = [lost_device(i) for i in range(4)]
    answers = [rollout(eligible=4), rollout({"devices": lost}, eligible=4,
                                            returned=4),
               rollout({"state": "finished"}, eligible=4, confirmed=4)]
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("4H", 12, 40, 0, 0))
    with Strange(*answers) as strange:
        run = subprocess.run(
            [programs() / "bowline", "rollout", "status", "4", "--watch",
             "--server", strange.url], cwd=tool.folder, env=tool.env,
            stdout=slave, stderr=subprocess.PIPE, timeout=30)
    os.close(slave)
    out = b""
    try:
        while piece := os.read(master, 65536):
            out += piece
    except OSError:
        pass  # the other end is closed
    os.close(master)
    assert run.returncode == 0, run.stderr
    text = out.decode()
    assert "\x1b[H" not in text and "\x1b[2J" not in text
    pictures = re.split("\x1b\\[(\\d+)A\x1b\\[J", text)
    assert len(pictures) == 5
    for picture, up in zip(pictures[0::2], pictures[1::2]):
        lines = re.sub("\x1b\\[\\d*m", "", picture).split("\r\n")[:-1]
        rows = sum(max(1, -(-len(line) // 40)) for line in lines)
        assert rows == int(up) and rows < 12
    assert "4 of 4 confirmed" in pictures[-1]


def test_watch_ends_when_nobody_reads(tool):
    read, write = os.pipe()
    with Strange(rollout(eligible=4)) as strange:
        process = subprocess.Popen(
            [programs() / "bowline", "rollout", "status", "4", "--watch",
             "--server", strange.url], cwd=tool.folder, env=tool.env,
            stdout=write, stderr=subprocess.PIPE, text=True)
        os.close(write)
        os.read(read, 10)
        os.close(read)
        try:
            err = process.communicate(timeout=60)[1]
        finally:
            process.kill()
    assert process.returncode == 0 and err == ""


@pytest.mark.parametrize("wait, counts, code", [
    ("confirmed", {"eligible": 4, "confirmed": 4}, 0),
    ("confirmed", {"eligible": 4, "confirmed": 3, "returned": 1}, 1),
    ("confirmed", {"eligible": 4, "confirmed": 3}, 6),
    ("settled", {"eligible": 4, "confirmed": 2, "failed": 1, "refused": 1},
     0),
    ("settled", {"eligible": 4, "confirmed": 2, "testing": 2}, 6),
    ("finished", {"eligible": 4, "confirmed": 4}, 6),
])
def test_wait(tool, wait, counts, code):
    answers = [rollout(**counts)]
    with Strange(*answers) as strange:
        result = tool("rollout", "status", "4", "--wait", wait, "--timeout",
                      "1", "--server", strange.url, "--json")
    assert result.code == code, result.err


def test_a_wait_outlives_a_server_that_restarts(shared):
    """No answer for a while is not the end of a wait."""
    status, _, body = rollout(eligible=4, confirmed=1)
    with Strange((status, {"Connection": "close"}, body)) as strange:
        process = subprocess.Popen(
            [programs() / "bowline", "rollout", "status", "4", "--wait",
             "confirmed", "--timeout", "120", "--server", strange.url],
            cwd=shared.folder, env=shared.env, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        while len(strange.paths) < 1:
            time.sleep(0.02)
        address = strange.http.server_address
    time.sleep(2.5)
    again = Strange.__new__(Strange)
    assert process.poll() is None
    try:
        Strange.__init__(again, rollout(eligible=4, confirmed=4),
                         address=address)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
        again.stop()
    assert process.returncode == 0, err
    assert "once more" in err and "4 of 4 confirmed" in out


def test_a_release_with_patches_is_published_with_them(shared):
    """Only who runs the base fetches the patch; the server has both."""
    old = shared.release("7.0.0")
    (shared.folder / "base.bin").write_bytes(old["content"])
    (shared.folder / "fw.bin").write_bytes(firmware("7.1.0"))
    made = shared.good("release", "fw.bin", "--delta-from", "base.bin",
                       "--json").json
    published = shared.good("publish", "--json").json["published"][0]
    assert published["uploaded"] == 2
    token = (shared.srv / "operator.token").read_text().strip()
    shown = shared.request(
        "GET", f"/api/v1/releases/{made['manifest']}", token=token).json
    of = {p["sha256"]: p["component"] for p in shown["payloads"]}
    assert of == {made["sha256"]: "app",
                  made["patches"][0]["sha256"]: "stage"}
    device = shared.device("patched")
    device.run(old)
    for digest in of:
        got = shared.request("GET", f"/d/v1/payloads/{digest}",
                             token=device.token)
        assert got.status == 200
        assert hashlib.sha256(got.body).hexdigest() == digest
    assert shared.good("publish", "--json").json["published"][0][
        "uploaded"] == 0


def test_a_rollout_to_clients_that_report_nothing_says_who_goes_on(shared):
    new = shared.release("7.2.0")
    assert new
    shared("rollout", "abort")
    nobody = ("rollout", "start", "7.2.0", "--query", "version = 99",
              "--stages", "10,100")
    assert "--force" not in shared.good(*nobody).err
    shared.good("rollout", "abort")
    shared.good("product", "set", "--unmanaged", "on")
    said = shared.good(*nobody).err
    assert re.search(r"bowline rollout advance \d+ --force", said)
    shared.good("rollout", "abort")
    shared.good("product", "set", "--unmanaged", "off")
