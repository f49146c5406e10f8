# SPDX-License-Identifier: Apache-2.0
"""Webhooks by the tool, against a server and a receiver that are real."""
import hashlib
import hmac
import json
import queue
import stat

import pytest
from listening import Listening, Quiet

from .test_server import Site


class WebhookSite(Site):
    settings = "webhook_allow_http = true;\nwebhook_allow_private = true;\n"


class Receiver(Listening):
    def __init__(self):
        self.got = queue.Queue()
        self.answer = 204
        receiver = self

        class Handler(Quiet):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.put((dict(self.headers), body))
                self.send_response(receiver.answer)
                self.send_header("Content-Length", "0")
                self.end_headers()

        self.listen(Handler)
        self.url += "/in"

    def next(self, secret):
        """The next event that the secret signs."""
        headers, body = self.got.get(timeout=60)
        t, mac = (part.split("=")[1]
                  for part in headers["Bowline-Signature"].split(","))
        wanted = hmac.new(secret.encode(), t.encode() + b"." + body,
                          hashlib.sha256).hexdigest()
        assert hmac.compare_digest(mac, wanted)
        return json.loads(body)


@pytest.fixture
def site(tmp_path):
    made = WebhookSite(tmp_path)
    yield made
    made.stop()


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.stop()


def add(site, receiver, *more):
    return site.good("webhook", "add", receiver.url, *more, "--json")


def test_a_secret_goes_into_a_file_and_nowhere_else(site, receiver):
    made = add(site, receiver, "--events", "product.add", "-o", "hook.secret")
    path = site.folder / "hook.secret"
    secret = path.read_text().strip()
    assert secret.startswith("whsec_")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert secret not in made.out + made.err
    assert made.json["events"] == ["product.add"] and made.json["enabled"]
    assert made.json["file"] == "hook.secret"
    site.good("product", "add", "lamp")
    event = receiver.next(secret)
    assert event["type"] == "product.add"
    assert event["data"]["object"] == "lamp"
    listed = site.good("webhook", "list", "--json")
    assert [h["url"] for h in listed.json["items"]] == [receiver.url]
    assert secret not in listed.out + site.text()


def test_a_secret_of_ones_own(site, receiver):
    path = site.folder / "mine"
    path.write_text("sixteen letters, or more\n")
    path.chmod(0o644)
    assert "chmod 600" in site.refused(3, "webhook", "add", receiver.url,
                                       "--secret-file", "mine")
    path.chmod(0o600)
    made = add(site, receiver, "--events", "product.*", "--secret-file",
               "mine")
    assert "sixteen" not in made.out + made.err
    number = str(made.json["id"])
    site.good("product", "add", "lamp")
    assert receiver.next("sixteen letters, or more")["type"] == "product.add"
    path.write_text("another one, and as long\n")
    changed = site.good("webhook", "set", number, "--secret-file", "mine",
                        "--events", "test")
    assert "another one" not in changed.out + changed.err
    site.good("webhook", "test", number)
    assert receiver.next("another one, and as long")["type"] == "test"


def test_the_secret_on_the_terminal_is_asked_for(site, receiver):
    shown = site.good("webhook", "add", receiver.url, "-o", "-")
    assert shown.out.startswith("whsec_") and shown.out.count("\n") == 1


def test_add_without_a_place_for_the_secret_changes_nothing(site, receiver):
    args = ("webhook", "add", receiver.url)
    assert "--output" in site.refused(2, *args)
    (site.folder / "there").write_text("x")
    assert "there already" in site.refused(3, *args, "-o", "there")
    assert (site.folder / "there").read_text() == "x"
    site.refused(2, *args, "-o", "new", "--secret-file", "there")
    site.refused(7, *args, "-o", "no/such/folder")
    site.refused(4, "webhook", "add", "ftp://example.com/", "-o", "new")
    site.refused(4, *args, "-o", "new", "--events", "no type at all")
    assert not (site.folder / "new").exists()
    assert site.good("webhook", "list", "--json").json["items"] == []


def test_off_and_on_again_and_gone(site, receiver):
    made = add(site, receiver, "--events", "product.add,test", "-o", "s").json
    secret = (site.folder / "s").read_text().strip()
    number = str(made["id"])
    off = site.good("webhook", "set", number, "--disable", "--json").json
    assert off["enabled"] is False
    site.good("product", "add", "lamp")
    site.refused(4, "webhook", "test", number)
    site.good("webhook", "set", number, "--enable")
    site.good("product", "add", "fan")
    assert receiver.next(secret)["data"]["object"] == "fan"
    site.refused(2, "webhook", "set", number)
    site.refused(2, "webhook", "set", number, "--enable", "--disable")
    site.good("webhook", "remove", number)
    for verb in (("remove",), ("test",), ("deliveries",), ("set", "--enable")):
        site.refused(4, "webhook", verb[0], number, *verb[1:])
    for bad in ("x", "1x", "-1", "../users", "9" * 30):
        site.refused(2, "webhook", "remove", "--", bad)


def test_a_test_says_what_the_receiver_answered(site, receiver):
    made = add(site, receiver, "--events", "test", "-o", "s").json
    number = str(made["id"])
    good = site.good("webhook", "test", number, "--json").json
    assert (good["state"], good["status"], good["tries"]) == (
        "delivered", 204, 1)
    receiver.answer = 500
    bad = site("webhook", "test", number, "--json")
    assert bad.code == 1, bad.out + bad.err
    assert (bad.json["state"], bad.json["status"]) == ("waiting", 500)
    items = site.good("webhook", "deliveries", number, "--json").json["items"]
    assert [d["id"] for d in items] == [bad.json["id"], good["id"]]
    assert len(site.good("webhook", "deliveries", number, "--limit", "1",
                         "--json").json["items"]) == 1
    table = site.good("webhook", "deliveries", number).out
    assert "delivered" in table and "500" in table
