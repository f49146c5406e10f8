# SPDX-License-Identifier: Apache-2.0
"""The device API: hostile polls, identities, downloads."""
import http.client
import random
import secrets
import socket
import time

import cbor2
import pytest
from bowline_server import make_certificate
from waiting import wait_for


@pytest.fixture(scope="module")
def server(shared_server):
    return shared_server


def test_a_poll_cut_at_any_length_is_malformed(server):
    device = server.register()
    device.event(3, 0, 2)
    body = device.message(k13=[1, 2])
    connection = server.connect()
    for n in range(len(body)):
        answer = device.send(body[:n], connection)
        assert answer.status == 400, n
    assert device.send(body + b"\0", connection).status == 400
    assert device.send(body, connection).status == 200


def test_a_poll_with_any_bit_flipped_does_no_harm(make_server):
    server = make_server(polls_per_minute=0).start().set_up()
    device = server.register()
    device.event(3, 0, 2)
    body = device.message()
    connection = server.connect()
    for bit in range(0, len(body) * 8, 3):
        bad = bytearray(body)
        bad[bit // 8] ^= 1 << bit % 8
        assert device.send(bytes(bad), connection).status in (200, 400, 403)
    assert server.request("GET", "/healthz").status == 200


@pytest.mark.parametrize("change", [
    {5: 2}, {6: 12}, {6: -1}, {7: 1}, {4: bytes(31)}, {2: bytes(7)},
    {2: bytes(33)}, {11: "x" * 32}, {12: "a\nb"}, {9: [[1] * 8]},
    {9: [[1] * 9] * 9}, {9: [[2, 0, 0, 0, 0, 0, 0, 0, 0],
                             [1, 0, 0, 0, 0, 0, 0, 0, 0]]},
    {13: [1]}, {8: 2 ** 63}, {10: bytes(15)}, {16: 5}, {3: None},
    {21: 1}, {21: [1, 12288]}, {21: [1, -1, 63]}, {21: [1, 2, "x"]},
    {21: {}}, {21: [[1], 2, 3]}])
def test_values_out_of_range_are_malformed(server, change):
    device = server.register()
    facts = {1: bytes.fromhex(device.id), **device.facts, **change}
    body = cbor2.dumps(dict(sorted(facts.items())), canonical=True)
    assert device.send(body).status == 400


def test_unknown_keys_are_ignored_missing_ones_are_not(server):
    device = server.register()
    assert device.poll(nonce=False, k99={"a": [1]})
    assert device.poll(k21=[1, 2 ** 63, 2 ** 63, {"later": 1}])
    facts = {1: bytes.fromhex(device.id), **device.facts}
    for key in (1, 3, 4, 5, 6, 7, 8):
        less = {k: v for k, v in facts.items() if k != key}
        body = cbor2.dumps(dict(sorted(less.items())), canonical=True)
        assert device.send(body).status == 400, key


def test_an_oversized_poll_is_refused(server):
    device = server.register()
    assert device.send(b"\0" * 4097).status == 413
    try:  # so much is not read to its end: the line may be cut
        assert device.send(b"\0" * 5000000).status == 413
    except OSError:
        pass
    device.poll(nonce=False)


def test_device_a_cannot_act_as_b(server):
    a, b = server.register(), server.register()
    assert b.send(b.message(), token=a.token).status == 403
    assert b.send(b.message(), token=None).status == 401
    forged = b.id + "." + a.token.split(".")[1]
    assert b.send(b.message(), token=forged).status == 401
    assert b.send(b.message(), token=b.token[:-1]).status == 401
    assert b.send(b.message(), token=server.token).status == 401
    assert server.api("GET", "/devices", token=a.token).status == 401


def test_a_deleted_device_is_unknown(server):
    device = server.register()
    device.poll()
    server.api("POST", "/devices", {"id": device.id, "product": "thermostat"},
               expect=409)
    server.api("DELETE", f"/devices/{device.id}", expect=204)
    assert device.send(device.message()).status == 401
    again = server.register(device.id)
    assert again.token != device.token
    assert again.poll(nonce=False)


def refusals(server):
    return [line for line in server.log.read_text().splitlines()
            if "event=device-refused" in line]


def test_a_refused_device_is_in_the_log_but_cannot_fill_it(make_server):
    server = make_server().start().set_up()
    device, other = server.register(), server.register()
    server.api("DELETE", f"/devices/{device.id}", expect=204)
    assert device.send(device.message()).status == 401
    secret = other.token.split(".")[1]
    wrong = f"{other.id}.{'0' * 64}"
    assert other.send(other.message(), token=wrong).status == 401
    assert other.send(other.message(), token="x y\tz").status == 401
    lines = refusals(server)
    assert f"device={device.id}" in lines[0] and "removed" in lines[0]
    assert f"device={other.id}" in lines[1] and "anew" in lines[1]
    assert "device=" not in lines[2] and "not a device token" in lines[2]
    for _ in range(40):
        device.send(device.message())
    assert 10 <= len(refusals(server)) <= 12
    text = server.log.read_text()
    assert secret not in text and "0" * 64 not in text


def test_a_device_of_another_class_is_told_so(server):
    device = server.register()
    answer = device.send(device.message(k10=bytes(16)))
    assert answer.status == 403 and b"class id" in answer.body


def test_events_are_acknowledged_once_and_kept(server):
    device = server.register()
    for code in range(10):
        device.event(10, 60 + code, 7)
    first = device.message()
    assert device.send(first).cbor[6] == 8
    assert device.send(first).cbor[6] == 8  # the answer was lost: sent again
    device.poll()
    device.poll()
    assert device.events == []
    events = server.api("GET", f"/devices/{device.id}/events").json["items"]
    assert [e["number"] for e in events] == list(range(10, 0, -1))
    page = server.api("GET", f"/devices/{device.id}/events?limit=4").json
    assert [e["number"] for e in page["items"]] == [10, 9, 8, 7]
    rest = server.api(
        "GET", f"/devices/{device.id}/events?after={page['next']}").json
    assert [e["number"] for e in rest["items"]] == [6, 5, 4, 3, 2, 1]


def test_polls_that_cost_are_limited_light_ones_are_not(make_server):
    server = make_server(polls_per_minute=6).start().set_up()
    device, other = server.register(), server.register()
    for _ in range(3):
        device.poll()
        device.event(10, 60, 7)
        device.poll(nonce=False)
    device.event(10, 60, 7)
    for message in (device.message(), device.message(nonce=False)):
        answer = device.send(message)
        assert answer.status == 429
        assert 1 <= int(answer.headers["Retry-After"]) <= 11
    events, device.events = device.events, []
    for _ in range(30):
        device.poll(nonce=False)
    other.poll()
    listed = server.api("GET", f"/devices/{device.id}/events").json["items"]
    assert [e["number"] for e in listed] == [3, 2, 1]
    assert events[0][0] == 4  # neither stored nor acknowledged: sent again


def events(server, device):
    items, after = [], ""
    while True:
        page = server.api(
            "GET", f"/devices/{device.id}/events?limit=7{after}").json
        items += [(e["life"], e["number"], e["code_number"])
                  for e in page["items"]]
        if not page.get("next"):
            return items
        after = f"&after={page['next']}"


def drain(device):
    for _ in range(20):
        device.poll()
        if not device.events:
            return
    raise AssertionError("not acknowledged: " + repr(device.events))


def provision_anew(device, n, code):
    device.number, device.events = 0, []
    for _ in range(n):
        device.event(10, code, 7)


@pytest.mark.parametrize("n", [1, 3, 8, 20, 60])
def test_a_device_provisioned_anew_gets_its_events_stored(make_server, n):
    server = make_server(polls_per_minute=0).start().set_up()
    device = server.register()
    provision_anew(device, 30, 60)
    drain(device)
    for life in (1, 2):
        provision_anew(device, n, 60 + life)
        drain(device)
        server.stop()
        server.start()
        device.event(10, 60 + life, 7)
        drain(device)
    want = [(life, number, 60 + life) for life, most in
            ((2, n + 1), (1, n + 1), (0, 30)) for number in range(most, 0, -1)]
    assert events(server, device) == want
    server.api("DELETE", f"/devices/{device.id}", expect=204)


def test_what_a_device_sends_again_is_no_new_life(server):
    device = server.register()
    provision_anew(device, 20, 60)
    all_of_them = list(device.events)
    drain(device)
    # A reboot: it does not know what was acknowledged, and begins at 1.
    for first in (0, 5, 12, 19):
        device.events = all_of_them[first:]
        assert device.poll()[6] == 20
    assert [e[:2] for e in events(server, device)] == [
        (0, n) for n in range(20, 0, -1)]


def test_the_newest_events_are_kept(make_server):
    server = make_server(polls_per_minute=0, events_per_device=16,
                         journal_sweep=1).start().set_up()
    device, quiet = server.register(), server.register()
    provision_anew(quiet, 16, 60)
    drain(quiet)
    provision_anew(device, 100, 60)
    all_of_them = list(device.events)
    drain(device)

    def only_the_newest():
        device.poll(nonce=False)
        return len(events(server, device)) == 16
    wait_for(only_the_newest, pause=0.2)
    assert [e[1] for e in events(server, device)] == list(range(100, 84, -1))
    assert len(events(server, quiet)) == 16
    # After a reboot it sends even those that were dropped: no new life.
    device.events = all_of_them
    drain(device)
    assert {e[0] for e in events(server, device)} == {0}
    # Numbers that begin anew, where no row is left to compare with.
    provision_anew(device, 20, 61)
    drain(device)
    assert events(server, device)[0] == (1, 20, 61)


# --- downloads ---

@pytest.fixture(scope="module")
def payload(server):
    content = secrets.token_bytes(200_001)
    release = server.publish(1, "1.0.0", content)
    return server.register(), content, release["payloads"][0]["sha256"]


def test_ranges(payload):
    device, content, sha256 = payload
    path = f"/payloads/{sha256}"
    whole = device.get(path)
    assert whole.status == 200 and whole.body == content
    assert whole.headers["ETag"] == f'"{sha256}"'
    assert whole.headers["Accept-Ranges"] == "bytes"
    part = device.get(path, {"Range": "bytes=1000-"})
    assert part.status == 206 and part.body == content[1000:]
    assert part.headers["Content-Range"] == "bytes 1000-200000/200001"
    assert device.get(path, {"Range": "bytes=0-"}).status == 206
    last = device.get(path, {"Range": "bytes=200000-"})
    assert last.status == 206 and last.body == content[-1:]
    for start in ("200001", "99999999999", "99999999999999999999"):
        beyond = device.get(path, {"Range": f"bytes={start}-"})
        assert beyond.status in (416, 200), start
        if beyond.status == 416:
            assert beyond.headers["Content-Range"] == "bytes */200001"


@pytest.mark.parametrize("field", ["bytes=-5", "bytes=0-9", "bytes=1-,3-",
                                   "lines=1-", "bytes=x-", "bytes="])
def test_other_ranges_are_ignored(payload, field):
    device, content, sha256 = payload
    answer = device.get(f"/payloads/{sha256}", {"Range": field})
    assert answer.status == 200 and answer.body == content


def test_if_range(payload):
    device, content, sha256 = payload
    path, part = f"/payloads/{sha256}", {"Range": "bytes=7-"}
    same = device.get(path, {**part, "If-Range": f'"{sha256}"'})
    assert same.status == 206 and same.body == content[7:]
    other = device.get(path, {**part, "If-Range": '"other"'})
    assert other.status == 200 and other.body == content
    weak = device.get(path, {**part, "If-Range": f'W/"{sha256}"'})
    assert weak.status == 200


def test_head_has_the_size_and_no_body(server, payload):
    device, content, sha256 = payload
    answer = server.request("HEAD", f"/d/v1/payloads/{sha256}",
                            token=device.token)
    assert answer.status == 200 and answer.body == b""
    assert answer.headers["Content-Length"] == str(len(content))


def test_a_download_cut_anywhere_resumes(payload):
    device, content, sha256 = payload
    dice = random.Random(1)
    for _ in range(30):
        have = b""
        while len(have) < len(content):
            fields = {"Authorization": f"Bearer {device.token}"}
            if have:
                fields |= {"Range": f"bytes={len(have)}-",
                           "If-Range": f'"{sha256}"'}
            connection = device.server.connect()
            connection.request("GET", f"/d/v1/payloads/{sha256}",
                               headers=fields)
            answer = connection.getresponse()
            assert answer.status == (206 if have else 200)
            have += answer.read(dice.randrange(1, 150_000))
            connection.close()
        assert have == content


def test_what_is_not_there_is_not_found(payload):
    device, _, sha256 = payload
    for path in ("/payloads/" + "0" * 64, "/payloads/x", "/manifests/x",
                 "/payloads/..%2f..%2fbowline.db", "/manifests/" + "0" * 64,
                 f"/payloads/{sha256}/", "/payloads/"):
        assert device.get(path).status == 404, path


def test_a_device_has_two_downloads_at_most(make_server):
    server = make_server().start().set_up()
    release = server.publish(1, "1.0.0", secrets.token_bytes(30_000_000))
    path = release["payloads"][0]["uri"]
    greedy, other = server.register(), server.register()
    held = []
    for _ in range(2):
        connection = server.connect()
        connection.request("GET", f"/d/v1/{path}", headers={
            "Authorization": f"Bearer {greedy.token}"})
        held.append((connection, connection.getresponse()))
    for _ in range(3):
        busy = greedy.get(f"/{path}")
        assert busy.status == 429 and int(busy.headers["Retry-After"]) > 0
        assert b"this device" in busy.body
    assert other.get(f"/{path}").status == 200
    for connection, answer in held:
        answer.close()
        connection.close()
    wait_for(lambda: greedy.get(
        f"/{path}", {"Range": "bytes=1-"}).status != 429)


def test_who_takes_an_answer_byte_by_byte_is_cut(make_server):
    server = make_server(request_timeout=2).start().set_up()
    content = secrets.token_bytes(30_000_000)
    path = server.publish(1, "1.0.0", content)["payloads"][0]["uri"]

    def take(at_once, pause, seconds):
        """How many bytes until the server ends it, or time is over."""
        device = server.register()
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            s.settimeout(seconds)
            s.connect(("127.0.0.1", server.port))
            s.sendall(f"GET /d/v1/{path} HTTP/1.1\r\nHost: a\r\nAuthorization:"
                      f" Bearer {device.token}\r\n\r\n".encode())
            until, n = time.monotonic() + seconds, 0
            while time.monotonic() < until:
                try:
                    piece = s.recv(at_once)
                except ConnectionError:
                    piece = b""
                if not piece:
                    return n, False
                n += len(piece)
                time.sleep(pause)
                if at_once == 1:  # read what is left when it was cut
                    metrics = server.request("GET", "/metrics").body.decode()
                    if "bowline_downloads_open 0" in metrics:
                        return n, False
        return n, True

    n, alive = take(1, 0.2, 60)
    assert not alive and n < 200
    assert take(65536, 0.01, 5)[1]


def test_too_many_downloads_are_put_off(make_server):
    server = make_server(max_downloads=2).start().set_up()
    content = secrets.token_bytes(30_000_000)
    release = server.publish(1, "1.0.0", content)
    device = server.register()
    path = "/d/v1/" + release["payloads"][0]["uri"]
    held = []
    for _ in range(2):
        connection = server.connect()
        connection.request("GET", path, headers={
            "Authorization": f"Bearer {device.token}"})
        held.append((connection, connection.getresponse()))
    busy = device.get("/" + release["payloads"][0]["uri"])
    assert busy.status == 429 and int(busy.headers["Retry-After"]) > 0
    for connection, answer in held:
        assert answer.status == 200 and answer.read() == content
        connection.close()
    assert device.get("/" + release["payloads"][0]["uri"]).status == 200


def test_another_products_manifest_is_not_given(server):
    release = server.publish(5, "1.0.5")
    server.api("POST", "/products",
               {"name": "lamp", "vendor_domain": "example.com"}, expect=201)
    lamp = server.register(product="lamp")
    assert lamp.get(f"/manifests/{release['manifest']}").status == 404


# --- certificates ---

def test_a_certificate_is_an_identity_and_only_its_own(make_server):
    server = make_server(plain=False)
    server.config["client_ca"] = str(server.folder / "ca.crt")
    server.start().set_up()
    a, b = server.register(), server.register()
    make_certificate(server.folder, "a", "ca", common=a.id)
    make_certificate(server.folder, "foreign-ca")
    make_certificate(server.folder, "forged", "foreign-ca", common=a.id)
    make_certificate(server.folder, "old", "ca", days=(-9, -1), common=a.id)
    assert a.send(a.message(), token=None, certificate="a").status == 200
    assert b.send(b.message(), token=None, certificate="a").status == 403
    # A device whose certificate has run out must be reachable for a fix.
    assert a.send(a.message(), token=None, certificate="old").status == 200
    try:
        forged = a.send(a.message(), token=None, certificate="forged").status
    except (OSError, http.client.HTTPException):
        forged = 401
    assert forged == 401
    assert a.send(a.message()).status == 200
    assert a.send(a.message(), token=None).status == 401
