# SPDX-License-Identifier: Apache-2.0
"""What HTTP itself must stand: slow, oversized, ambiguous, old TLS."""
import re
import socket
import ssl
import threading
import time

import pytest


@pytest.fixture(scope="module")
def server(shared_server):
    return shared_server


def talk(server, text, wait=5):
    """Sends bytes, returns all that comes until the server closes."""
    with socket.create_connection(("127.0.0.1", server.port), wait) as s:
        s.sendall(text)
        s.settimeout(wait)
        said = b""
        try:
            while piece := s.recv(65536):
                said += piece
        except (socket.timeout, ConnectionResetError):
            pass
        return said


def statuses(said):
    return [int(code) for code in re.findall(rb"HTTP/1\.1 (\d+) ", said)]


SMUGGLE = b"GET /healthz HTTP/1.1\r\nHost: smuggled\r\n\r\n"


@pytest.mark.parametrize("fields", [
    b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
    b"Content-Length: 4\r\nContent-Length: 4\r\n",
    b"Content-Length: 4\r\nContent-Length: 50\r\n",
    b"Content-Length: 4, 50\r\n",
    b"Content-Length: +4\r\n",
    b"Content-Length: 0x4\r\n",
    b"Content-Length: -1\r\n",
    b"Content-Length: 99999999999999999999999\r\n",
    b"Content-Length : 4\r\n",
    b"Content-Length: 4\r\n 0\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: identity, chunked\r\n",
    b"Transfer-Encoding: xchunked\r\n",
    b"Transfer-Encoding : chunked\r\n",
    b"X y: z\r\nContent-Length: 4\r\n",
    b"Host: other\r\nContent-Length: 4\r\n",
])
def test_a_request_that_can_be_read_in_two_ways_ends_the_connection(
        server, fields):
    said = talk(server, b"POST /d/v1/poll HTTP/1.1\r\nHost: a\r\n" + fields +
                b"\r\n" + b"0\r\n\r\n" + SMUGGLE, 2)
    assert all(400 <= code < 500 for code in statuses(said)), said
    assert b"Connection: close" in said or said == b""


def test_requests_in_a_row_are_answered_in_order(server):
    said = talk(server, SMUGGLE + b"GET /nothing HTTP/1.1\r\nHost: a\r\n"
                b"Connection: close\r\n\r\n")
    assert statuses(said) == [200, 404]


def test_a_header_that_is_too_large_is_refused(server):
    said = talk(server, b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: " +
                b"y" * 70000 + b"\r\n\r\n", 3)
    assert all(code in (400, 413, 414, 431) for code in statuses(said))
    said = talk(server, b"GET /" + b"a" * 70000 + b" HTTP/1.1\r\n\r\n", 3)
    assert all(code in (400, 413, 414, 431) for code in statuses(said))
    assert server.request("GET", "/healthz").status == 200


@pytest.mark.parametrize("text", [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", b"\0" * 1000, b"GET\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n", b"PUT / HTTP/1.1\r\n\r\n", b"\r\n" * 500,
    b"GET /healthz HTTP/1.1\r\n\r\n", b"GET //// HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /api/v1/products/%ff%fe HTTP/1.1\r\nHost: a\r\n\r\n"])
def test_nonsense_gets_no_success_and_does_no_harm(server, text):
    assert 200 not in statuses(talk(server, text, 0.5))
    assert server.request("GET", "/healthz").status == 200


def test_wrong_paths_and_methods(server):
    assert server.request("GET", "/nothing").status == 404
    assert server.api("GET", "/nothing").status == 404
    assert server.request("POST", "/healthz").status == 405
    assert server.request("DELETE", "/d/v1/poll").status == 405
    error = server.api("GET", "/products/none", expect=404).json["error"]
    assert error == {"code": "not-found",
                     "message": "there is no product none"}


def test_who_may_do_what(server):
    product = {"name": "lamp", "vendor_domain": "example.com"}
    for token in None, "", "wrong", server.token + "x":
        answer = server.api("GET", "/products", token=token)
        assert answer.status == 401 and answer.headers["WWW-Authenticate"]
    server.api("GET", "/products", token=server.viewer_token, expect=200)
    server.api("POST", "/products", product, token=server.viewer_token,
               expect=403)
    server.api("POST", "/products", product, expect=201)
    server.api("POST", "/products", product, expect=200)
    audit = server.api("GET", "/audit").json["items"]
    assert [(a["actor"], a["action"], a["object"]) for a in audit][-1] == (
        "ann", "product-add", "lamp")


@pytest.mark.parametrize("body", [
    b"", b"[]", b"{", b'{"name":1,"vendor_domain":"a"}', b'{"name":"x"}',
    b'{"name":"x","name":"y","vendor_domain":"a"}', b'\xff', b"[" * 5000,
    b'{"name":"a/b","vendor_domain":"a"}',
    b'{"name":"a\\u0000b","vendor_domain":"a"}'])
def test_a_body_that_is_no_such_json_is_refused(server, body):
    answer = server.api("POST", "/products", body, expect=400)
    assert answer.json["error"]["message"]


def test_slow_requests_are_cut_while_others_are_served(make_server):
    server = make_server(request_timeout=4,
                         polls_per_minute=0).start().set_up()
    device = server.register()
    cut = []

    def drip(text):
        with socket.create_connection(("127.0.0.1", server.port)) as s:
            try:
                for byte in (text * 100)[:600]:
                    s.sendall(bytes([byte]))
                    time.sleep(0.1)
                cut.append(False)
            except OSError:
                cut.append(True)

    slow_header = b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: yyyyyyyyyyyyyyyyyy"
    slow_body = (b"POST /d/v1/poll HTTP/1.1\r\nHost: a\r\nContent-Length: 4000"
                 b"\r\nAuthorization: Bearer " + device.token.encode() +
                 b"\r\n\r\n" + b"x" * 100)
    dripping = [threading.Thread(target=drip, args=(text,))
                for text in (slow_header, slow_body) * 10]
    for thread in dripping:
        thread.start()
    served = 0
    while not cut:
        device.poll()
        served += 1
        time.sleep(0.05)
    for thread in dripping:
        thread.join()
    assert served > 2, "while they drip"
    assert cut == [True] * 20, "a request may not be dripped for ever"


def test_one_address_gets_so_many_connections(make_server):
    server = make_server(connections_per_address=5).start()
    held = [socket.create_connection(("127.0.0.1", server.port))
            for _ in range(5)]
    for s in held:
        s.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b"200 OK" in s.recv(1000)
    assert talk(server, SMUGGLE, 2) == b""
    for s in held:
        s.close()
    time.sleep(0.3)
    assert server.request("GET", "/healthz").status == 200


def test_tls_1_3_only(make_server):
    server = make_server(plain=False).start()
    assert server.request("GET", "/healthz").status == 200
    context = server.tls()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises((ssl.SSLError, ConnectionError)):
        with socket.create_connection(("127.0.0.1", server.port)) as s:
            context.wrap_socket(s, server_hostname="localhost")
    assert talk(server, SMUGGLE, 2)[:4] != b"HTTP"
    assert server.request("GET", "/healthz").status == 200


def test_a_tls_session_is_resumed(make_server):
    server = make_server(plain=False).start()
    context, session, reused = server.tls(), None, []
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", server.port)) as plain:
            with context.wrap_socket(plain, server_hostname="localhost",
                                     session=session) as s:
                s.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
                assert b"200 OK" in s.recv(1000)
                session = s.session
                reused.append(s.session_reused)
    assert reused == [False, True, True]


def test_metrics_count(server):
    device = server.register()
    device.poll()
    device.poll(nonce=False)
    text = server.request("GET", "/metrics").body.decode()
    for line in ('bowline_polls_total{kind="light"}', "bowline_devices{",
                 "bowline_journal_flush_seconds_count"):
        assert line in text
    for line in text.splitlines():
        assert line.startswith("#") or len(line.split(" ")) == 2, line


@pytest.mark.parametrize("path", [
    "/healthz%00", "/healthz%00/x", "/%00healthz", "/healthz%0a",
    "/healthz%0d%0aX:y", "/d/v1/payloads/" + "0" * 64 + "%00"])
def test_a_path_with_a_hidden_end_is_refused(server, path):
    said = talk(server, f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode(), 2)
    assert statuses(said) == [400], said


def test_a_path_may_be_percent_encoded(server):
    assert server.request("GET", "/%68ealthz").status == 200
    assert server.request("GET", "/healthz%").status == 404
    assert server.request("GET", "/healthz%2500").status == 404
    found = server.api("GET", "/products?after=%30&limit=%31").json
    assert len(found["items"]) == 1
