# SPDX-License-Identifier: Apache-2.0
"""Clients that are not ours: esp_https_ota and httpUpdate as they are, against
the server."""
import gzip
import hashlib
import secrets
import socket
import ssl

import pytest
from bowline_server import make_certificate
from esp_clients import HttpsOta, HttpUpdate, esp8266_image, esp_image
from rollouts import fleet, offered
from waiting import wait_for

PATH = "/p/thermostat/stable/firmware.bin"


def open_product(server, open_=True, product="thermostat"):
    return server.api("PATCH", f"/products/{product}", {"unmanaged": open_},
                      token=server.admin_token, expect=200).json


def start(server, release, stages=(100,), expect=201, **more):
    return server.api("POST", "/rollouts", {
        "product": "thermostat", "version": release["version"],
        "stages": list(stages), **more}, expect=expect).json


def act(server, rollout, action, body=None, expect=200):
    return server.api("POST", f"/rollouts/{rollout['id']}/{action}",
                      body or {}, expect=expect).json


def listed(server, **query):
    text = "&".join(f"{k}={v}" for k, v in {"limit": 1000, **query}.items())
    return server.api("GET", f"/unmanaged?{text}", expect=200).json["items"]


def bucket(rollout, device):
    digest = hashlib.sha256(str(rollout["id"]).encode()
                            + bytes.fromhex(device)).digest()
    return int.from_bytes(digest[:8], "big") % 10000


def identity(key):
    return hashlib.sha256(b"bowline unmanaged 1 " + key.encode()).hexdigest()[
        :32]


def mac(i):
    return "A0:B1:C2:%02X:%02X:%02X" % (i >> 16, i >> 8 & 255, i & 255)


def in_stage(rollout, percent, i):
    key = "mac:" + mac(i).replace(":", "").lower()
    return bucket(rollout, identity(key)) < percent * 100


@pytest.fixture
def ready(server):
    """Open, with 1.0.0 for everybody."""
    open_product(server)
    server.old = server.publish(1, "1.0.0", esp_image("1.0.0"))
    server.rollout = start(server, server.old)
    return server


def ask(server, path=PATH, method="GET", **headers):
    return server.request(method, path, headers={
        k.replace("_", "-"): v for k, v in headers.items()})


# --- Closed until an admin opens it ---


def test_the_address_is_closed_until_an_admin_opens_it(server):
    release = server.publish(1, "1.0.0", esp_image("1.0.0"))
    start(server, release)
    closed = ask(server)
    assert closed.status == 404
    assert b"product set NAME --unmanaged on" in closed.body
    assert ask(server, "/p/nothing/stable/firmware.bin").body == closed.body
    server.api("PATCH", "/products/thermostat", {"unmanaged": True},
               expect=403)  # an operator
    assert open_product(server)["unmanaged"] is True
    assert ask(server).status == 200
    server.stop()
    server.start()
    assert ask(server).status == 200
    open_product(server, False)
    assert ask(server).status == 404


def test_advice_comes_with_what_is_not_there(server):
    open_product(server)
    assert b"rollout start" in ask(server).body
    assert ask(server).status == 404
    assert ask(server, "/p/thermostat/Stable!/firmware.bin").status == 404
    assert ask(server, "/p/thermostat/" + "x" * 32
               + "/firmware.bin").status == 404
    assert ask(server, "/p/thermostat/stable/other.bin").status == 404
    assert ask(server, method="POST").status == 405


# --- esp_https_ota ---


def test_a_plain_esp_https_ota_call_gets_the_image(ready):
    result = HttpsOta(ready, PATH).run()
    assert result.image == ready.old["content"]
    assert result.requests == [("GET", None)]
    assert result.headers["X-Bowline-Version"] == "1.0.0"


def test_a_partial_download_takes_head_and_ranges(ready):
    for size in (1000, 4096, len(ready.old["content"]) - 1,
                 len(ready.old["content"])):
        result = HttpsOta(ready, PATH, max_request=size).run()
        assert result.image == ready.old["content"], size
        assert result.requests[0] == ("HEAD", None)
    last = len(ready.old["content"])
    over = ask(ready, Range=f"bytes={last - 10}-{last}")
    assert over.status == 206 and len(over.body) == 10


def test_a_download_that_broke_is_resumed(ready):
    ota = HttpsOta(ready, PATH + "?device=one")
    broken = ota.run(cut_at=2048)
    assert broken.image is None
    result = ota.resume(ready.old["content"][:2048])
    assert result.status == 206
    assert result.image == ready.old["content"]


@pytest.mark.parametrize("text,status,part", [
    ("bytes=0-0", 206, slice(0, 1)), ("bytes=10-", 206, slice(10, None)),
    ("bytes=10-19", 206, slice(10, 20)), ("bytes=-7", 206, slice(-7, None)),
    ("bytes=5-4", 200, slice(None)), ("bytes=a-", 200, slice(None)),
    ("bytes=0-1,5-6", 200, slice(None)), ("bytes=", 200, slice(None)),
    ("items=0-1", 200, slice(None)),
    ("bytes=1-" + "9" * 30, 200, slice(None)),
    ("bytes=9999999-", 416, None), ("bytes=-0", 416, None)])
def test_ranges(ready, text, status, part):
    content = ready.old["content"]
    answer = ask(ready, Range=text)
    assert answer.status == status
    if part is None:
        assert answer.headers["Content-Range"] == f"bytes */{len(content)}"
    else:
        assert answer.body == content[part]
        assert int(answer.headers["Content-Length"]) == len(answer.body)


def test_head_says_all_but_the_bytes(ready):
    head = ask(ready, method="HEAD")
    assert head.status == 200 and head.body == b""
    assert int(head.headers["Content-Length"]) == len(ready.old["content"])
    assert head.headers["Accept-Ranges"] == "bytes"
    assert head.headers["ETag"] == '"%s"' % hashlib.sha256(
        ready.old["content"]).hexdigest()


def test_the_entity_tag_guards_ranges_and_repeats(ready):
    etag = ask(ready, method="HEAD").headers["ETag"]
    good = ask(ready, Range="bytes=5-", If_Range=etag)
    assert good.status == 206
    other = ask(ready, Range="bytes=5-", If_Range='"x"')
    assert other.status == 200 and other.body == ready.old["content"]
    assert ask(ready, If_None_Match=etag).status == 304


def test_the_certificate_is_pinned(make_server):
    server = make_server(plain=False, tls12_unmanaged=True).start().set_up()
    open_product(server)
    release = server.publish(1, "1.0.0", esp_image("1.0.0"))
    start(server, release)
    for old_tls in (False, True):
        assert HttpsOta(server, PATH, old_tls=old_tls).run().image
        assert HttpUpdate(server, PATH, mac(1), old_tls=old_tls).run().image
    make_certificate(server.folder, "stranger")
    with pytest.raises(ssl.SSLCertVerificationError):
        HttpsOta(server, PATH, pin=server.folder / "stranger.crt").run()


def test_tls_1_2_is_for_this_address_only_and_only_when_set(make_server):
    server = make_server(plain=False, tls12_unmanaged=True).start().set_up()
    old = server.tls()
    old.maximum_version = ssl.TLSVersion.TLSv1_2

    def status(path, token=None):
        c = server.connect()
        c._context = old
        c.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        return c.getresponse().status

    assert status("/api/v1/server", server.token) == 426
    assert status("/healthz") == 426
    assert status("/d/v1/manifests/00") == 426
    assert server.api("GET", "/server").status == 200
    strict = make_server(plain=False).start()
    c = strict.connect()
    old = strict.tls()
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    c._context = old
    with pytest.raises(ssl.SSLError):
        c.request("GET", PATH)


# --- httpUpdate ---


def test_http_update_gets_the_image_with_its_md5_then_304(ready):
    first = HttpUpdate(ready, PATH, mac(1), running=b"older").run()
    assert first.image == ready.old["content"]
    again = HttpUpdate(ready, PATH, mac(1), running=first.image).run()
    assert again.status == 304
    row, = listed(ready)
    assert row["runs"] == "1.0.0" and row["client"] == "httpUpdate"
    by_version = HttpUpdate(ready, PATH, mac(2), version="1.0.0").run()
    assert by_version.status == 304
    only_sha = HttpUpdate(ready, PATH, mac(3), running=first.image,
                          says={"sketch-md5": None}).run()
    assert only_sha.status == 304


def test_a_new_release_comes_to_who_runs_the_old_one(ready):
    new = ready.publish(2, "1.1.0", esp_image("1.1.0", filler=1))
    start(ready, new)
    result = HttpUpdate(ready, PATH, mac(1),
                        running=ready.old["content"]).run()
    assert result.image == new["content"]
    HttpUpdate(ready, PATH, mac(1), running=new["content"]).run()
    row, = listed(ready)
    assert row["runs"] == "1.1.0"
    assert row["got"]["version"] == "1.1.0"
    assert row["got"]["bytes"] == len(new["content"])
    # who runs something newer, of another build, is not led back
    for version in ("1.2.0-dev", "v2"):
        assert HttpUpdate(ready, PATH, mac(9), running=b"x",
                          version=version).run().status == 304


# --- The wrong device ---


def test_a_device_of_another_chip_is_told_so(ready):
    other = HttpsOta(ready, PATH + "?chip=esp32c3").run()
    assert other.status == 409
    assert other.why == "1.0.0 is for ESP32, and this device is ESP32-C3\n"
    old = HttpUpdate(ready, PATH, mac(1), esp="ESP8266").run()
    assert old.status == 409 and "this device is an ESP8266" in old.why
    assert HttpsOta(ready, PATH + "?chip=ESP32").run().image
    assert "no chip that is known" in HttpsOta(
        ready, PATH + "?chip=z80").run().why
    small = HttpUpdate(ready, PATH, mac(2), space=1000).run()
    assert small.status == 409 and "room for 1000" in small.why
    files = HttpUpdate(ready, PATH, mac(3), says={"mode": "spiffs"}).run()
    assert files.status == 404 and "file systems" in files.why
    # without a word the device itself finds it out, by the first bytes
    blind = HttpsOta(ready, PATH, chip="esp32s3").run()
    assert blind.image is None and blind.why == "mismatch chip id"


def test_an_esp8266_gets_its_own_and_an_esp32_does_not(server):
    open_product(server)
    start(server, server.publish(1, "1.0.0", esp8266_image()))
    assert HttpUpdate(server, PATH, mac(1), esp="ESP8266").run().image
    refused = HttpUpdate(server, PATH, mac(2)).run()
    assert refused.status == 409 and "of the ESP32 family" in refused.why


def test_an_esp8266_takes_a_packed_image(server):
    open_product(server)
    packed = gzip.compress(esp8266_image())
    start(server, server.publish(1, "1.0.0", packed))
    answer = server.request("GET", PATH, headers={
        "x-ESP8266-STA-MAC": mac(1), "x-ESP8266-mode": "sketch"})
    assert answer.status == 200 and answer.body == packed
    assert HttpUpdate(server, PATH, mac(2)).run().status == 409


def test_what_is_no_esp_image_is_for_other_clients(server):
    open_product(server)
    release = server.publish(1, "1.0.0", b"plain bytes" * 100)
    start(server, release)
    assert "no image for an ESP chip" in HttpUpdate(
        server, PATH, mac(1)).run().why
    assert ask(server).body == release["content"]


# --- Staged rollouts ---


def test_nobody_outside_the_stage_gets_the_release(ready):
    """1000 devices over real connections, at 10, then 40 percent."""
    new = ready.publish(2, "1.1.0", esp_image("1.1.0", filler=1))
    old, fresh = ready.old["content"], new["content"]
    running = {}
    for i in range(1000):  # half of them say what they run
        running[i] = old
    rollout = start(ready, new, (10, 40, 100))

    def round_of():
        got = set()
        for i in range(1000):
            if i % 2:
                result = HttpUpdate(ready, PATH, mac(i),
                                    running=running[i]).run()
            else:
                key = "mac" + mac(i).replace(":", "")
                version = "1.0.0" if running[i] == old else "1.1.0"
                result = HttpsOta(
                    ready, f"{PATH}?device={key}&version={version}").run()
            assert result.status in (200, 304), result
            assert result.image in (None, fresh)
            if result.image:
                running[i] = result.image
                got.add(i)
        return got

    def wanted(percent):
        return {i for i in range(1000) if (
            in_stage(rollout, percent, i) if i % 2 else
            bucket(rollout, identity("device:mac" + mac(i).replace(":", "")))
            < percent * 100)}

    first = round_of()
    assert first == wanted(10) and 60 < len(first) < 140
    assert round_of() == set()
    act(ready, rollout, "advance", {"force": True})
    assert round_of() == wanted(40) - first
    assert {i for i in running if running[i] == fresh} == wanted(40)
    rows = listed(ready)
    assert len(rows) == 1000
    assert {r["id"] for r in rows if r["got"]} == {
        r["id"] for r in rows if bucket(rollout, r["id"]) < 4000}
    shown = ready.api("GET", f"/rollouts/{rollout['id']}").json
    assert shown["unmanaged"]["got"] == len(wanted(40))


def find_in_stage(rollout, percent, inside):
    return next(i for i in range(100000)
                if in_stage(rollout, percent, i) == inside)


def test_a_stage_of_a_count_holds_none_of_them(ready):
    new = ready.publish(2, "1.1.0", esp_image("1.1.0", filler=1))
    start(ready, new, [{"count": 5}, {"percent": 100}])
    for i in range(20):
        assert HttpUpdate(ready, PATH, mac(i),
                          running=ready.old["content"]).run().status == 304


def test_a_stage_that_was_raised_to_a_managed_device_is_not_raised_for_them(
        ready):
    following = {"id": ready.rollout["id"] + 1}
    device = ready.register(next(i for i in (f"{n:032x}" for n in range(99))
                                 if bucket(following, i) > 3000))
    device.run(ready.old, slot=0)
    device.poll()
    new = ready.publish(2, "1.1.0", esp_image("1.1.0", filler=1))
    rollout = start(ready, new, (1, 100))
    limit = rollout["stages"][0]["limit_bucket"]
    got = [HttpUpdate(ready, PATH, mac(i),
                      running=ready.old["content"]).run().image
           for i in range(300)]
    assert {i for i in range(300) if got[i]} == {
        i for i in range(300) if in_stage(rollout, 1, i)}
    assert limit > 3000


def test_without_identity_only_what_has_come_to_100_percent(ready):
    new = ready.publish(2, "1.1.0", esp_image("1.1.0", filler=1))
    rollout = start(ready, new, (50, 100))
    assert HttpsOta(ready, PATH).run().image == ready.old["content"]
    act(ready, rollout, "advance", {"force": True})
    assert HttpsOta(ready, PATH).run().image == new["content"]
    assert listed(ready) == []


def test_without_identity_and_nothing_whole_there_is_nothing(server):
    open_product(server)
    start(server, server.publish(1, "1.0.0", esp_image("1.0.0")), (50, 100))
    nothing = HttpsOta(server, PATH).run()
    assert nothing.status == 304
    assert "?device=" in nothing.headers["X-Bowline-Why"]


def test_pause_abort_and_way_back_hold(ready):
    new = ready.publish(2, "1.1.0", esp_image("1.1.0", filler=1))
    rollout = start(ready, new)

    def of(i, running=ready.old):
        return HttpUpdate(ready, PATH, mac(i), running=running["content"]
                          ).run()

    assert of(1).image == new["content"]
    act(ready, rollout, "pause")
    held = of(2)
    assert held.status == 304 and "paused" in held.headers["X-Bowline-Why"]
    act(ready, rollout, "resume")
    assert of(2).image == new["content"]
    act(ready, rollout, "abort")
    assert of(3).status == 304
    ready.api("POST", "/products/thermostat/rollback", {
        "version": "1.0.0", "permit": ready.permit(ready.old["manifest"])},
        expect=202)
    assert of(1, new).image == ready.old["content"]
    assert of(3).status == 304


def test_a_pause_holds_in_the_middle_of_a_download(ready):
    new = ready.publish(2, "1.1.0", esp_image("1.1.0", filler=1))
    rollout = start(ready, new)
    ota = HttpsOta(ready, PATH + "?device=one&version=1.0.0",
                   max_request=2000)
    ota.between = lambda: act(ready, rollout, "pause")
    result = ota.run()
    assert result.image is None and result.status == 304


def test_pieces_of_two_releases_are_not_mixed(ready):
    new = ready.publish(2, "1.1.0", esp_image("1.1.0", filler=1))
    ota = HttpsOta(ready, PATH + "?device=one", max_request=2000)

    def once():
        ota.between = None
        start(ready, new)

    ota.between = once
    result = ota.run()
    assert result.image is None and result.status == 409
    assert ota.run().image == new["content"]
    # who goes on where it was cut off gets the new one from its beginning
    other = HttpsOta(ready, PATH + "?device=two")
    other.run(cut_at=1024)
    third = ready.publish(3, "1.2.0", esp_image("1.2.0", filler=2))
    start(ready, third)
    resumed = other.resume(new["content"][:1024])
    assert resumed.status == 200 and resumed.image == third["content"]


def test_who_does_not_say_what_it_runs_is_not_sent_it_again_and_again(ready):
    path = PATH + "?device=one"
    assert HttpsOta(ready, path).run().image
    wait_for(lambda: listed(ready)[0]["got"]["bytes"]
             == len(ready.old["content"]))
    again = HttpsOta(ready, path).run()
    assert again.status == 304
    assert "does not say what it runs" in again.headers["X-Bowline-Why"]
    new = ready.publish(2, "1.1.0", esp_image("1.1.0", filler=1))
    start(ready, new)
    assert HttpsOta(ready, path).run().image == new["content"]


def test_channels_queries_and_conditions_hold(ready):
    new = ready.publish(2, "1.1.0", esp_image("1.1.0", filler=1))
    ready.api("PATCH", f"/releases/{new['manifest']}",
              {"channels": ["beta"]}, expect=200)
    start(ready, new)
    beta = PATH.replace("stable", "beta")
    assert HttpUpdate(ready, PATH, mac(1),
                      running=ready.old["content"]).run().status == 304
    assert HttpUpdate(ready, beta, mac(2),
                      running=ready.old["content"]).run().image
    third = ready.publish(3, "1.2.0", esp_image("1.2.0", filler=2))
    rollout = start(ready, third, target={"query": "not tag = unmanaged"})
    assert HttpUpdate(ready, PATH, mac(1),
                      running=ready.old["content"]).run().status == 304
    act(ready, rollout, "abort")
    start(ready, third, consent=True)
    asked = HttpUpdate(ready, PATH, mac(1),
                       running=ready.old["content"]).run()
    assert asked.status == 304
    assert "consent" in asked.headers["X-Bowline-Why"]


def test_behind_a_stepping_stone_only_who_says_what_it_runs(ready):
    stone = ready.publish(2, "1.1.0", esp_image("1.1.0", filler=1))
    last = ready.publish(3, "1.2.0", esp_image("1.2.0", filler=2))
    ready.api("PATCH", f"/releases/{stone['manifest']}", {"stepping": True},
              expect=200)
    start(ready, last)
    blind = HttpsOta(ready, PATH + "?device=one").run()
    assert blind.status == 304
    assert "?version=" in blind.headers["X-Bowline-Why"]
    seen = [HttpUpdate(ready, PATH, mac(1), running=running).run().image
            for running in (ready.old["content"], stone["content"],
                            last["content"])]
    assert seen == [stone["content"], last["content"], None]


# --- Who asks ---


def test_identities(ready):
    ready_rows = {}
    for name, path, headers in (
            ("device:a-1", "?device=a-1", {}),
            ("device:b.2", "", {"X-Bowline-Device": "b.2"}),
            ("mac:a0b1c2d3e4f5", "", {"x-ESP32-STA-MAC":
                                      "A0:B1:C2:D3:E4:F5"}),
            ("device:c3", "", {"User-Agent":
                               "lamp/1.0 (device=c3; version=0.9)"})):
        assert ready.request("GET", PATH + path,
                             headers=headers).status == 200
        ready_rows[name] = identity(name)
    rows = {r["name"]: r for r in listed(ready)}
    assert {n: r["id"] for n, r in rows.items()} == ready_rows
    assert rows["device:c3"]["version"] == "0.9"
    assert all(r["status"] == 200 and r["asked"] == 1 for r in rows.values())


def test_a_client_certificate_is_an_identity(make_server):
    server = make_server(plain=False)
    server.config["client_ca"] = str(server.folder / "ca.crt")
    server.start().set_up()
    open_product(server)
    start(server, server.publish(1, "1.0.0", esp_image("1.0.0")))
    make_certificate(server.folder, "lamp-7", "ca", common="lamp-7")
    assert server.request("GET", PATH, certificate="lamp-7").status == 200
    assert listed(server)[0]["name"] == "cert:lamp-7"
    device = server.register()
    make_certificate(server.folder, "managed", "ca", common=device.id)
    told = server.request("GET", PATH, certificate="managed")
    assert told.status == 403 and b"registered" in told.body
    assert len(listed(server)) == 1


@pytest.mark.parametrize("headers", [
    {"x-ESP32-STA-MAC": "A0:B1:C2:D3:E4"},
    {"x-ESP32-STA-MAC": "A0:B1:C2:D3:E4:F5:06"},
    {"x-ESP32-STA-MAC": ""}, {"x-ESP32-STA-MAC": "::::::A0B1C2D3E4F5"},
    {"x-ESP32-STA-MAC": "00:00:00:00:00:00"},
    {"x-ESP32-STA-MAC": "g0:B1:C2:D3:E4:F5"},
    {"x-ESP32-STA-MAC": "A0:B1:C2:D3:E4:F5", "x-ESP32-sketch-md5": "xyz"},
    {"x-ESP32-STA-MAC": "A0:B1:C2:D3:E4:F5", "x-ESP32-free-space": "-1"},
    {"x-ESP32-STA-MAC": "A0:B1:C2:D3:E4:F5", "x-ESP32-free-space": "9" * 40},
    {"x-ESP32-STA-MAC": "A0:B1:C2:D3:E4:F5", "x-ESP32-version": "x" * 64},
    {"x-ESP32-STA-MAC": "A0:B1:C2:D3:E4:F5", "x-ESP32-version": "1\xe9"},
    {"x-ESP32-STA-MAC": "A0:B1:C2:D3:E4:F5",
     "x-ESP32-sketch-sha256": "0" * 63},
    {"X-Bowline-Device": "a b"}, {"X-Bowline-Device": "x" * 65},
    {"X-Bowline-Device": "<script>"}, {"User-Agent": "x device=$(reboot)"}])
def test_hostile_headers_are_refused_with_a_word(ready, headers):
    answer = ready.request("GET", PATH, headers=headers)
    assert answer.status == 400, answer.body
    assert answer.body.count(b"\n") == 1 and len(answer.body) < 200
    assert listed(ready) == []


@pytest.mark.parametrize("query", [
    "device=", "device=%00", "device=a%0Ab", "device=" + "x" * 65,
    "device=../..", "device=%F0%9F%98%80", "chip=" + "x" * 30, "chip=%27",
    "version=" + "1" * 64, "version=%01"])
def test_hostile_queries_are_refused_with_a_word(ready, query):
    assert ready.request("GET", f"{PATH}?{query}").status == 400
    assert listed(ready) == []


def test_bytes_that_are_no_request_do_no_harm(ready):
    for head in (b"GET %b HTTP/1.0\r\nx-ESP32-STA-MAC: \xff\xfe\r\n\r\n",
                 b"GET %b HTTP/1.0\r\nRange: bytes=\x01\r\n\r\n",
                 b"HEAD %b HTTP/1.0\r\nx-ESP32-mode\r\n\r\n"):
        with socket.create_connection(("localhost", ready.port)) as s:
            s.sendall(head.replace(b"%b", PATH.encode()))
            s.settimeout(30)
            s.recv(4096)
    assert HttpsOta(ready, PATH).run().image


# --- The list ---


def test_the_number_of_them_is_bounded(make_server):
    server = make_server(unmanaged_devices=20).start().set_up()
    open_product(server)
    old = server.publish(1, "1.0.0", esp_image("1.0.0"))
    start(server, old)
    new = server.publish(2, "1.1.0", esp_image("1.1.0", filler=1))
    rollout = start(server, new, (50, 100))
    for i in range(60):  # who is not kept is answered as well
        got = HttpUpdate(server, PATH, mac(i), running=old["content"]).run()
        assert (got.image == new["content"]) == in_stage(rollout, 50, i)
    rows = listed(server)
    assert len(rows) == 20
    assert server.api("GET", "/products/thermostat").json[
        "unmanaged_devices"] == 20
    server.api("DELETE", f"/unmanaged/{rows[0]['number']}", expect=204)
    server.api("DELETE", f"/unmanaged/{rows[0]['number']}", expect=404)
    HttpUpdate(server, PATH, mac(59)).run()
    after = listed(server)
    assert len(after) == 20 and after[-1]["name"].endswith("003b")
    server.stop()
    server.start()
    assert listed(server) == after
    assert [r["action"] for r in server.api("GET", "/audit").json["items"]
            ].count("unmanaged-delete") == 1


def test_pages_of_the_list(ready):
    for i in range(7):
        HttpUpdate(ready, PATH, mac(i)).run()
    first = ready.api("GET", "/unmanaged?limit=5").json
    second = ready.api("GET", f"/unmanaged?limit=5&after={first['next']}"
                       ).json
    assert len(first["items"]) == 5 and len(second["items"]) == 2
    assert second["next"] is None
    assert listed(ready, product="thermostat") == (
        first["items"] + second["items"])
    ready.api("GET", "/unmanaged?product=none", expect=404)


def test_too_many_requests_are_turned_away(ready):
    c = ready.connect()
    codes = set()
    for _ in range(2500):  # unnamed: by address
        codes.add(ready.request("HEAD", PATH, connection=c).status)
        if 429 in codes:
            break
    assert codes == {200, 429}
    late = ready.request("GET", PATH, connection=c)
    assert late.status == 429 and int(late.headers["Retry-After"]) >= 1


def test_invented_clients_use_up_the_rate_of_no_managed_device(ready):
    new = ready.publish(2, "1.1.0", esp_image("1.1.0", filler=1))
    (device,) = fleet(ready, 1, ready.old)
    start(ready, new, rate_per_hour=60)
    answers = [ask(ready, f"{PATH}?device=invented{i}&version=1.0.0")
               for i in range(5)]
    assert [a.status for a in answers] == [200] + [304] * 4
    assert answers[0].body == new["content"]
    assert offered(device, new)


def test_half_of_the_downloads_are_kept_for_managed_devices(make_server):
    server = make_server(max_downloads=4).start().set_up()
    open_product(server)
    content = secrets.token_bytes(30_000_000)
    release = server.publish(1, "1.0.0", content)
    start(server, release)
    device = server.register()
    held = []
    for i in range(2):
        connection = server.connect()
        connection.request("GET", f"{PATH}?device=invented{i}")
        held.append((connection, connection.getresponse()))
    busy = ask(server, PATH + "?device=invented2")
    assert busy.status == 429 and int(busy.headers["Retry-After"]) > 0
    assert device.get("/" + release["payloads"][0]["uri"]).body == content
    for connection, answer in held:
        assert answer.status == 200 and answer.read() == content
        connection.close()
    wait_for(lambda: ask(server, PATH + "?device=invented2").status == 200)


def test_no_rollout_waits_for_them_or_counts_them(ready):
    HttpUpdate(ready, PATH, mac(1)).run()
    shown = ready.api("GET", f"/rollouts/{ready.rollout['id']}").json
    assert shown["counts"]["eligible"] == 0
    assert ready.api("GET", "/products/thermostat").json["devices"] == 0
    assert ready.api("GET", "/devices").json["items"] == []


def test_a_signed_image_is_known_by_the_digest_that_the_device_takes(ready):
    image = esp_image("1.1.0", filler=1)
    signed = image + b"\xff" * (-len(image) % 4096) + b"\xe7\x02" + bytes(4094)
    new = ready.publish(2, "1.1.0", signed)
    start(ready, new)
    first = HttpUpdate(ready, PATH, mac(1), running=ready.old["content"]).run()
    assert first.image == signed
    again = HttpUpdate(ready, PATH, mac(1), running=image,
                       says={"sketch-sha256": None}).run()
    assert again.status == 304


def test_who_does_not_keep_a_release_is_left_alone_for_a_time(ready):
    new = ready.publish(2, "1.1.0", esp_image("1.1.0", filler=1))
    rollout = start(ready, new, retry={"attempts": 2, "quarantine_s": 3600})

    def ask_again():  # it came back by itself: still the old one
        return HttpUpdate(ready, PATH, mac(1),
                          running=ready.old["content"]).run()

    assert ask_again().image == new["content"]
    assert ask_again().image == new["content"]
    held = []  # the server may hear of a download's end after its client

    def is_held():
        held.append(ask_again())
        return held[-1].status == 304

    wait_for(is_held, 5)
    held = held[-1]
    assert "as often as the plan tries" in held.headers["X-Bowline-Why"]
    ready.stop()
    ready.start()
    assert ask_again().status == 304
    assert HttpUpdate(ready, PATH, mac(2),
                      running=ready.old["content"]).run().image
    act(ready, rollout, "abort")
    start(ready, new)
    assert ask_again().image == new["content"]
