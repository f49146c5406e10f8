# SPDX-License-Identifier: Apache-2.0
"""Webhooks, against a real receiver over HTTPS that fails, hangs, redirects."""
import hashlib
import hmac
import http.server
import json
import queue
import sqlite3
import ssl
import threading
import time

import pytest

from bowline_server import make_certificate
from waiting import wait_for


class Receiver:
    """Answers with what `answers` says, one a request, then 204."""

    def __init__(self, folder, tls=True, name="hook"):
        self.got = queue.Queue()
        self.answers = []
        self.release = threading.Event()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.put((self.path, dict(self.headers), body))
                answer = receiver.answers.pop(0) if receiver.answers else 204
                if answer == "hang":
                    receiver.release.wait(60)
                    return
                if answer == "cut":
                    self.connection.close()
                    return
                self.send_response(answer)
                if 300 <= answer < 400:
                    self.send_header("Location", receiver.url("/elsewhere"))
                if answer == 200:
                    self.end_headers()
                    try:
                        for _ in range(1000):
                            self.wfile.write(b"x" * 10000)
                    except OSError:
                        pass
                    return
                self.end_headers()

            def log_message(self, *_):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.scheme = "https" if tls else "http"
        if tls:
            if not (folder / "hook-ca.crt").exists():
                make_certificate(folder, "hook-ca")
            make_certificate(folder, name, "hook-ca", common="localhost")
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(folder / f"{name}.crt",
                                    folder / f"{name}.key")
            self.http.socket = context.wrap_socket(
                self.http.socket, server_side=True,
                do_handshake_on_connect=False)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def url(self, path="/in", host="localhost"):
        return f"{self.scheme}://{host}:{self.http.server_address[1]}{path}"

    def next(self, wait=60):
        return self.got.get(timeout=wait)

    def body(self, wait=60):
        return json.loads(self.next(wait)[2])

    def stop(self):
        self.release.set()
        self.http.shutdown()
        self.http.server_close()


@pytest.fixture
def receiver(tmp_path):
    made = Receiver(tmp_path)
    yield made
    made.stop()


@pytest.fixture
def hooked(make_server, receiver, tmp_path):
    """A server that may call the receiver on this machine."""
    return make_server(webhook_allow_private=True, webhook_retry=1,
                       webhook_ca=str(tmp_path / "hook-ca.crt")
                       ).start().set_up()


def admin(server, method, path, body=None, expect=200):
    return server.api(method, path, body, token=server.admin_token,
                      expect=expect)


def add(server, url, expect=201, **more):
    return admin(server, "POST", "/webhooks", {"url": url, **more},
                 expect).json


def deliveries(server, hook):
    return admin(server, "GET", f"/webhooks/{hook['id']}/deliveries"
                 ).json["items"]


def rollout(server):
    server.publish(1, "1.0.0")
    server.publish(2, "1.1.0")
    return server.api("POST", "/rollouts", {
        "product": "thermostat", "version": "1.1.0", "stages": [50, 100]},
        expect=201).json


def test_what_happens_is_posted_and_signed(hooked, receiver):
    made = rollout(hooked)
    hook = add(hooked, receiver.url(), events=["rollout.*"])
    assert hook["secret"].startswith("whsec_")
    hooked.api("POST", f"/rollouts/{made['id']}/pause", {}, expect=200)
    path, headers, body = receiver.next()
    said = json.loads(body)
    assert path == "/in"
    assert headers["Content-Type"] == "application/json"
    assert said["type"] == "rollout.pause" == headers["Bowline-Event"]
    assert said["id"] == f"audit-{said['data']['number']}"
    assert said["data"]["actor"] == "ann"
    number = said["data"]["number"]
    assert said["data"]["hash"] == hooked.api(
        "GET", f"/audit?after={number - 1}&limit=1").json["items"][0]["hash"]
    assert said["data"]["rollout"] == {
        "id": made["id"], "name": made["name"], "product": "thermostat",
        "version": "1.1.0"}
    assert abs(said["time"] - time.time()) < 60
    when, mac = (part.split("=")[1]
                 for part in headers["Bowline-Signature"].split(","))
    expected = hmac.new(hook["secret"].encode(), f"{when}.".encode() + body,
                        hashlib.sha256).hexdigest()
    assert hmac.compare_digest(mac, expected)
    [one] = wait_for(lambda: [d for d in deliveries(hooked, hook)
                              if d["state"] == "delivered"])
    assert (one["event"], one["tries"], one["status"]) == (said["id"], 1, 204)


def test_what_was_not_asked_for_does_not_come(hooked, receiver):
    add(hooked, receiver.url(), events=["release.add"])
    rollout(hooked)
    assert receiver.body()["data"]["detail"] == "1.0.0"
    assert receiver.body()["data"]["detail"] == "1.1.0"
    with pytest.raises(queue.Empty):
        receiver.next(1.5)


def test_the_secret_is_never_shown_again_nor_logged(hooked, receiver):
    own = "a secret of my own"
    made = add(hooked, receiver.url("/in?key=topsecret"), secret=own)
    assert made["secret"] == own
    admin(hooked, "POST", f"/webhooks/{made['id']}/test", {}, 202)
    receiver.answers = [500]
    receiver.next()
    receiver.next()
    for path in ("/webhooks", f"/webhooks/{made['id']}",
                 f"/webhooks/{made['id']}/deliveries"):
        assert own not in admin(hooked, "GET", path).body.decode()
    audit = hooked.api("GET", "/audit?limit=1000").body.decode()
    for text in (audit, hooked.log.read_text()):
        assert own not in text and "topsecret" not in text
    assert "webhook-add" in audit and "localhost" in audit


def test_only_an_admin_may_touch_them(hooked, receiver):
    hook = add(hooked, receiver.url())
    for token in (hooked.token, hooked.viewer_token, hooked.approver_token):
        for method, path in (
                ("GET", "/webhooks"), ("POST", "/webhooks"),
                ("GET", f"/webhooks/{hook['id']}"),
                ("PATCH", f"/webhooks/{hook['id']}"),
                ("DELETE", f"/webhooks/{hook['id']}"),
                ("POST", f"/webhooks/{hook['id']}/test"),
                ("GET", f"/webhooks/{hook['id']}/deliveries")):
            hooked.api(method, path, {} if method != "GET" else None,
                       token=token, expect=403)


def test_a_receiver_that_fails_gets_it_again_with_longer_waits(
        hooked, receiver):
    receiver.answers = [500, "cut", 429]
    hook = add(hooked, receiver.url(), events=["product.add"])
    hooked.api("POST", "/products",
               {"name": "lamp", "vendor_domain": "example.com"}, expect=201)
    waits = {}
    while True:
        [one] = deliveries(hooked, hook) or [{"tries": 0, "state": ""}]
        if one["state"] == "delivered":
            break
        if one["tries"]:
            waits[one["tries"]] = one["next"] - one["last"]
        time.sleep(0.05)
    assert waits == {1: 1, 2: 2, 3: 4}
    assert len({receiver.next()[2] for _ in range(4)}) == 1
    assert one["tries"] == 4 and one["error"] == ""


def test_an_order_is_kept_while_a_receiver_is_down(hooked, receiver):
    receiver.answers = [503, 503]
    add(hooked, receiver.url(), events=["product.add"])
    for name in ("one", "two", "three"):
        hooked.api("POST", "/products",
                   {"name": name, "vendor_domain": "example.com"}, expect=201)
    said = [receiver.body()["data"]["object"] for _ in range(5)]
    assert said == ["one", "one", "one", "two", "three"]


def test_one_that_is_not_wanted_does_not_hold_up_the_next(hooked, receiver):
    receiver.answers = [400]
    add(hooked, receiver.url(), events=["product.add"])
    for name in ("one", "two"):
        hooked.api("POST", "/products",
                   {"name": name, "vendor_domain": "example.com"}, expect=201)
    said = [receiver.body()["data"]["object"] for _ in range(3)]
    assert said == ["one", "two", "one"]


def test_a_redirect_is_not_followed(hooked, receiver):
    receiver.answers = [302, 307]
    hook = add(hooked, receiver.url(), events=["none"])
    admin(hooked, "POST", f"/webhooks/{hook['id']}/test", {}, 202)
    assert receiver.next()[0] == "/in"
    assert receiver.next()[0] == "/in"
    assert receiver.next()[0] == "/in"  # then it was taken


def test_a_redirect_is_said_in_the_log_of_deliveries(hooked, receiver):
    receiver.answers = [301] * 9
    hook = add(hooked, receiver.url(), events=["none"])
    admin(hooked, "POST", f"/webhooks/{hook['id']}/test", {}, 202)
    [one] = wait_for(lambda: [d for d in deliveries(hooked, hook)
                              if d["tries"]])
    assert one["state"] == "waiting" and one["next"] > 0
    assert "redirects are not followed" in one["error"]


def test_one_that_hangs_holds_up_no_other_and_no_stop(hooked, receiver,
                                                      tmp_path):
    other = Receiver(tmp_path, name="other")
    receiver.answers = ["hang"] * 9
    add(hooked, receiver.url(), events=["product.add"])
    add(hooked, other.url(), events=["product.add"])
    for name in ("one", "two", "three"):
        hooked.api("POST", "/products",
                   {"name": name, "vendor_domain": "example.com"}, expect=201)
    assert [other.body()["data"]["object"] for _ in range(3)] == [
        "one", "two", "three"]
    receiver.next()
    assert hooked.stop() == 0
    assert tries_at(hooked, receiver) == 0, "its end was not waited for"
    other.stop()


def tries_at(server, receiver):
    """Of a server that is stopped: tries at the receiver that came to an
    end."""
    with sqlite3.connect(server.folder / "data" / "bowline.db") as db:
        [(tries,)] = db.execute(
            "SELECT sum(tries) FROM deliveries JOIN webhooks"
            " ON webhooks.number = webhook WHERE url = ?", (receiver.url(),))
    db.close()
    return tries


def test_nothing_is_lost_when_the_server_stops_or_is_killed(
        hooked, receiver):
    receiver.answers = [500] * 100
    add(hooked, receiver.url(), events=["product.add"])
    names = [f"product-{i}" for i in range(6)]
    for i, name in enumerate(names):
        hooked.api("POST", "/products",
                   {"name": name, "vendor_domain": "example.com"}, expect=201)
        if i == 2:
            hooked.stop()
            hooked.start()
        if i == 4:
            hooked.kill()
            hooked.start()
    receiver.answers = []
    got = set()
    while got != set(names):
        got.add(receiver.body(60)["data"]["object"])


def test_an_answer_without_end_is_cut_off(hooked, receiver):
    receiver.answers = [200] * 20  # ten megabytes, at each try
    hook = add(hooked, receiver.url(), events=["none"])
    admin(hooked, "POST", f"/webhooks/{hook['id']}/test", {}, 202)
    [one] = wait_for(lambda: [d for d in deliveries(hooked, hook)
                              if d["tries"]])
    assert one["error"] == "its answer is too long"


def test_a_certificate_that_is_not_trusted_ends_it(make_server, receiver):
    server = make_server(webhook_allow_private=True).start().set_up()
    hook = add(server, receiver.url(), events=["none"])
    admin(server, "POST", f"/webhooks/{hook['id']}/test", {}, 202)
    [one] = wait_for(lambda: [d for d in deliveries(server, hook)
                              if d["tries"]])
    assert "certificate" in one["error"] and one["status"] == 0
    assert receiver.got.empty()


@pytest.mark.parametrize("url", [
    "http://example.com/", "ftp://example.com/", "https://", "file:///etc",
    "https://u:p@example.com/", "https://example.com/#x", "example.com",
    "https://127.0.0.1/", "https://localhost/", "https://[::1]/",
    "https://10.0.0.1:8443/x", "https://169.254.169.254/latest",
    "https://[::ffff:192.168.1.1]/", "https://0/", "https://0x7f.1/",
    "https://localhost./", "https://LocalHost../", "https://127.0.0.1./",
    "https://0x7f.1./", "https://\uff11\uff12\uff17.0.0.1/",
    "https://127\u30020\u30020\u30021/", "https://%6cocalhost%2e/",
    "https://2130706433/", "https://exa mple.com/", "https://a\u0001b.com/",
])
def test_a_url_that_leads_nowhere_good_is_refused(shared_server, url):
    answer = shared_server.api("POST", "/webhooks", {"url": url},
                               token=shared_server.admin_token)
    assert answer.status in (400, 422), answer.body


def test_a_name_of_a_private_address_is_refused_when_it_is_called(
        make_server, receiver, tmp_path):
    """The name is good; what it means is looked at when it is connected."""
    server = make_server(webhook_ca=str(tmp_path / "hook-ca.crt"))
    server.start().set_up()
    hook = add(server, receiver.url(host="hook.localhost"), events=["none"])
    admin(server, "POST", f"/webhooks/{hook['id']}/test", {}, 202)
    [one] = wait_for(lambda: [d for d in deliveries(server, hook)
                              if d["tries"]])
    assert one["status"] == 0
    assert one["error"] == "its name leads to a private address"
    assert receiver.got.empty()


def test_plain_http_only_where_the_configuration_says_so(make_server,
                                                         tmp_path):
    plain = Receiver(tmp_path, tls=False)
    server = make_server(webhook_allow_private=True, webhook_allow_http=True)
    server.start().set_up()
    hook = add(server, plain.url())
    admin(server, "POST", f"/webhooks/{hook['id']}/test", {}, 202)
    assert plain.body()["type"] == "test"
    plain.stop()


def test_one_that_is_off_gets_nothing_and_begins_anew(hooked, receiver):
    hook = add(hooked, receiver.url(), events=["product.add"])
    path = f"/webhooks/{hook['id']}"
    admin(hooked, "PATCH", path, {"enabled": False})
    admin(hooked, "POST", path + "/test", {}, 409)
    hooked.api("POST", "/products",
               {"name": "unheard", "vendor_domain": "example.com"},
               expect=201)
    changed = admin(hooked, "PATCH", path,
                    {"enabled": True, "url": receiver.url("/new")}).json
    assert changed["enabled"] and changed["url"].endswith("/new")
    hooked.api("POST", "/products",
               {"name": "heard", "vendor_domain": "example.com"}, expect=201)
    where, _, body = receiver.next()
    assert where == "/new"
    assert json.loads(body)["data"]["object"] == "heard"


def test_one_that_is_removed_is_gone_with_its_deliveries(hooked, receiver):
    receiver.answers = [500] * 50
    hook = add(hooked, receiver.url())
    admin(hooked, "POST", f"/webhooks/{hook['id']}/test", {}, 202)
    receiver.next()
    admin(hooked, "DELETE", f"/webhooks/{hook['id']}", expect=204)
    admin(hooked, "GET", f"/webhooks/{hook['id']}", expect=404)
    while True:
        try:
            receiver.next(4)
        except queue.Empty:
            break


def test_there_are_32_at_most(shared_server):
    made = [add(shared_server, "https://hooks.example.com/in")
            for _ in range(32)]
    add(shared_server, "https://hooks.example.com/in", expect=409)
    for hook in made:
        admin(shared_server, "DELETE", f"/webhooks/{hook['id']}", expect=204)


@pytest.mark.parametrize("body", [
    {}, {"url": 1}, {"url": "https://h.example.com/", "events": "all"},
    {"url": "https://h.example.com/", "events": ["Rollout"]},
    {"url": "https://h.example.com/", "events": ["a*"]},
    {"url": "https://h.example.com/", "events": [""]},
    {"url": "https://h.example.com/", "events": ["x" * 41]},
    {"url": "https://h.example.com/", "events": ["x"] * 33},
    {"url": "https://h.example.com/", "secret": "short"},
    {"url": "https://h.example.com/", "secret": "x" * 129},
    {"url": "https://h.example.com/", "enabled": "yes"},
    {"url": "https://h.example.com/" + "x" * 1024},
])
def test_a_wish_that_means_nothing_is_refused(shared_server, body):
    shared_server.api("POST", "/webhooks", body,
                      token=shared_server.admin_token, expect=400)
