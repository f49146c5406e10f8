# SPDX-License-Identifier: Apache-2.0
"""Payloads and releases: what is taken, and why something is refused."""
import hashlib
import secrets
import threading

import pytest

from bowline_server import sign


def refused(server, envelope, status, code):
    error = server.api("POST", "/releases", envelope,
                       expect=status).json["error"]
    assert error["code"] == code, error
    return error["message"]


def test_a_payload_twice_is_one(server):
    content = secrets.token_bytes(100_000)
    server.put_payload(content, 201)
    server.put_payload(content, 200)
    digest = hashlib.sha256(content).hexdigest()
    head = server.api("HEAD", f"/payloads/{digest}", expect=200)
    assert head.headers["Content-Length"] == "100000"
    server.api("HEAD", "/payloads/" + "0" * 64, expect=404)


def test_two_uploads_at_once_of_the_same_payload(server):
    content = secrets.token_bytes(3_000_000)
    got = []
    threads = [threading.Thread(target=lambda: got.append(
        server.put_payload(content, None).status)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 4 and set(got) <= {200, 201}
    digest = hashlib.sha256(content).hexdigest()
    assert server.api("GET", f"/payloads/{digest}").body == content
    assert list((server.folder / "data/payloads/incoming").iterdir()) == []


def test_a_payload_that_is_another_is_refused(server):
    answer = server.api("PUT", "/payloads/" + "ab" * 32, b"x", expect=422)
    assert answer.json["error"]["code"] == "payload-digest"
    assert list((server.folder / "data/payloads/incoming").iterdir()) == []
    server.api("PUT", "/payloads/abc", b"x", expect=400)
    server.api("HEAD", "/payloads/" + "ab" * 32, expect=404)


def test_an_upload_that_is_cut_leaves_nothing(server):
    content = secrets.token_bytes(1000)
    digest = hashlib.sha256(content).hexdigest()
    connection = server.connect()
    connection.putrequest("PUT", f"/api/v1/payloads/{digest}")
    connection.putheader("Authorization", f"Bearer {server.token}")
    connection.putheader("Content-Length", "1000")
    connection.endheaders()
    connection.send(content[:500])
    connection.close()
    server.api("HEAD", f"/payloads/{digest}", expect=404)
    server.put_payload(content, 201)


def test_a_payload_over_the_limit_is_refused(make_server):
    server = make_server(max_payload_mb=1).start().set_up()
    server.put_payload(bytes(1 << 20), 201)
    try:
        server.put_payload(bytes((1 << 20) + 1), 413)
    except OSError:
        pass  # the line was cut: as good
    server.api("GET", "/server", expect=200)


def test_a_release_is_what_its_manifest_says(server):
    release = server.publish(7, "1.2.3")
    assert release["version"] == "1.2.3" and release["sequence"] == 7
    assert release["product"] == "thermostat"
    payload = release["payloads"][0]
    content = release["content"]
    digest = hashlib.sha256(content).hexdigest()
    assert payload == {"component": "app", "uri": f"payloads/{digest}",
                       "sha256": digest, "size": len(content)}
    assert len(release["signers"]) == 1
    path = f"/releases/{release['manifest']}"
    assert server.api("GET", path + "/envelope", expect=200).body == (
        server.folder / "release-7").read_bytes()
    assert server.api("GET", "/releases?product=thermostat").json[
        "items"][0]["manifest"] == release["manifest"]
    assert server.api("GET", "/releases?product=lamp").json["items"] == []
    again = server.api("POST", "/releases",
                       (server.folder / "release-7").read_bytes(), expect=200)
    assert again.json["manifest"] == release["manifest"]


def test_a_release_signed_by_another_key_is_refused(server):
    server.put_payload(b"image")
    message = refused(server, server.envelope(2, "1.1.0", b"image",
                                              key="stranger"),
                      422, "signature")
    assert "no trusted key" in message


def test_a_release_with_any_bit_flipped_is_refused(server):
    server.put_payload(b"image")
    envelope = server.envelope(2, "1.1.0", b"image")
    connection = server.connect()
    for bit in range(0, len(envelope) * 8, 37):
        bad = bytearray(envelope)
        bad[bit // 8] ^= 1 << bit % 8
        answer = server.api("POST", "/releases", bytes(bad),
                            connection=connection)
        if answer.status == 201:  # the kid beside a signature is only a hint
            server.kill()
            server.start()
            manifest = answer.json["manifest"]
            assert bytes.fromhex(manifest) in envelope
            assert server.folder.joinpath("release-2").read_bytes()[
                bit // 8 - 16:bit // 8 + 16]
            break
        assert answer.status == 422, bit


def test_a_release_without_its_payload_is_refused(server):
    refused(server, server.envelope(2, "1.1.0", b"image"), 409,
            "payload-missing")


def test_a_release_of_an_unknown_product_is_refused(server):
    server.put_payload(b"image")
    refused(server, server.envelope(2, "1.1.0", b"image", product="lamp"),
            422, "unknown-product")


@pytest.mark.parametrize("sequence", [4, 5])
def test_a_release_that_is_not_newer_is_refused(server, sequence):
    server.publish(5, "1.1.0")
    server.put_payload(b"image")
    message = refused(server, server.envelope(sequence, "1.0.9", b"image"),
                      409, "sequence")
    assert "not above 5" in message


def test_root_documents(make_server):
    server = make_server().start()
    refused(server, b"\xd8\x6b\xa0", 409, "no-root")
    second = server.make_root(2)
    server.api("POST", "/roots", second, expect=409)
    server.api("POST", "/roots", b"nonsense", expect=422)
    large = server.api("POST", "/roots", bytes(4089), expect=422)
    assert "room for 4088" in large.json["error"]["message"]
    first = (server.folder / "root-1").read_bytes()
    server.api("POST", "/roots", first, expect=201)
    bad = bytearray(second)
    bad[-1] ^= 1
    server.api("POST", "/roots", bytes(bad), expect=422)
    server.api("POST", "/roots", second, expect=201)
    assert [r["version"] for r in server.api("GET", "/roots").json[
        "items"]] == [1, 2]
    assert server.api("GET", "/roots/2").body == second
    assert server.api("GET", "/server").json["root_version"] == 2


def test_a_version_means_one_release_of_a_product(server):
    server.publish(1, "1.0.0")
    server.put_payload(b"another image")
    answer = server.api("POST", "/releases",
                        server.envelope(2, "1.0.0", b"another image"),
                        expect=409).json["error"]
    assert answer["code"] == "version-taken"
    assert "another release 1.0.0, with sequence number 1" in answer["message"]
    server.api("POST", "/releases",
               server.envelope(2, "1.0.1", b"another image"), expect=201)


def test_a_name_means_one_device_of_a_product(server):
    server.register(name="kitchen")
    again = {"id": "ab" * 16, "product": "thermostat", "name": "kitchen"}
    answer = server.api("POST", "/devices", again, expect=409).json["error"]
    assert answer["code"] == "name-taken" and "kitchen" in answer["message"]
    server.api("POST", "/products",
               {"name": "lamp", "vendor_domain": "example.com"}, expect=201)
    server.register(name="kitchen", product="lamp")
    server.register()
    server.register()  # as many without a name as one likes
    server.api("POST", "/devices", {**again, "name": "hall"}, expect=201)


def test_keys_are_named_as_the_tool_names_them(server):
    sign("key", server.folder / "hss.key", "hss-h5")
    server.api("POST", "/roots", server.make_root(2, release="hss"),
               expect=201)
    root = server.api("GET", "/roots", expect=200).json["items"][-1]
    assert root["version"] == 2
    kinds = {role["role"]: [key["kind"] for key in role["keys"]]
             for role in root["roles"]}
    assert kinds == {"root": ["esp256"], "release": ["hss"],
                     "ticket": ["ed25519"]}
    server.put_payload(b"image")
    envelope = server.envelope(2, "1.1.0", b"image", key="hss")
    release = server.api("POST", "/releases", envelope, expect=201).json
    assert [key["kind"] for key in release["signers"]] == ["hss"]
