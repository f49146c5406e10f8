# SPDX-License-Identifier: Apache-2.0
"""Exports: whole, while the server goes on, and harmless in a spreadsheet."""
import csv
import io
import json
import socket
import threading

import pytest

from bowline_server import CONFIRMED, PRODUCT

FLEET = 50_000


def table(answer):
    assert answer.headers["Content-Type"] == "text/csv"
    return list(csv.DictReader(io.StringIO(answer.body.decode())))


def lines(answer):
    assert answer.headers["Content-Type"] == "application/jsonl"
    return [json.loads(line) for line in answer.body.decode().splitlines()]


def export(server, path, **more):
    return server.api("GET", "/export" + path, expect=200, **more)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    """Fifty thousand devices; one of them runs something."""
    from bowline_server import Server
    from bowline_server import finish
    server = Server(tmp_path_factory.mktemp("server")).start().set_up()
    server.old = server.publish(1, "1.0.0")
    for start in range(0, FLEET, 10_000):
        server.api("POST", "/devices/bulk", {
            "product": PRODUCT, "devices": [
                {"name": f"device-{i}", "tags": ["a"]}
                for i in range(start, start + 10_000)]}, expect=201)
    yield server
    finish([server])


def test_fifty_thousand_devices_while_others_are_served(fleet):
    device = fleet.register()
    device.run(fleet.old, slot=0)
    stop, polls = threading.Event(), []

    def go_on():
        while not stop.is_set():
            polls.append(device.poll(nonce=False))
    thread = threading.Thread(target=go_on)
    thread.start()
    rows = table(export(fleet, "/devices?format=csv"))
    stop.set()
    thread.join()
    assert len(rows) == FLEET + 1
    assert len({row["id"] for row in rows}) == FLEET + 1
    assert {row["name"] for row in rows if row["name"]} == {
        f"device-{i}" for i in range(FLEET)}
    assert rows[-1]["version"] == "1.0.0" and rows[-1]["id"] == device.id
    assert len(polls) > 10


def test_the_lines_are_what_the_device_pages_show(fleet):
    rows = lines(export(fleet, "/devices"))
    assert len(rows) >= FLEET
    shown = fleet.api("GET", f"/devices/{rows[7]['id']}", expect=200).json
    assert rows[7] == shown


def test_a_reader_that_stops_in_the_middle_does_no_harm(fleet):
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", fleet.port)) as s:
            s.sendall(f"GET /api/v1/export/devices HTTP/1.1\r\nHost: a\r\n"
                      f"Authorization: Bearer {fleet.token}\r\n\r\n".encode())
            assert s.recv(1000).startswith(b"HTTP/1.1 200")
    assert fleet.api("GET", "/server", expect=200)


def test_what_became_of_a_rollouts_devices(server):
    server.publish(1, "1.0.0")
    new = server.publish(2, "1.1.0")
    rollout = server.api("POST", "/rollouts", {
        "product": PRODUCT, "version": "1.1.0", "stages": [100]},
        expect=201).json
    path = f"/rollouts/{rollout['id']}"
    assert table(export(server, path + "?format=csv")) == []
    assert lines(export(server, path)) == []
    devices = [server.register(name=f"n{i}") for i in range(120)]
    for device in devices:
        device.poll()
        device.run(new)
        device.event(CONFIRMED, sequence=2)
        device.poll()
    rows = table(export(server, path + "?format=csv"))
    assert {row["name"] for row in rows} == {f"n{i}" for i in range(120)}
    assert {row["outcome"] for row in rows} == {"confirmed"}
    said = lines(export(server, path))
    assert [r["id"] for r in said] == [r["id"] for r in rows]
    server.api("GET", "/export/rollouts/99", expect=404)
    server.api("GET", "/export/rollouts/x", expect=404)


@pytest.mark.parametrize("name", [
    "=1+1", "+1", "-1", "@SUM(A1)", "  =1+1", '=HYPERLINK("http://x","y")',
    'a"b', "a,b", "ü", "'quoted"])
def test_text_of_others_is_no_formula(server, name):
    device = server.register(name=name)
    body = export(server, "/devices?format=csv").body.decode()
    [row] = list(csv.DictReader(io.StringIO(body)))
    assert row["id"] == device.id
    bare = name.lstrip(" ")
    if bare[0] in "=+-@":
        assert row["name"] == "'" + name
    else:
        assert row["name"] == name
    for cell in row.values():
        assert cell.lstrip(" ")[:1] not in set("=+@")


def test_a_version_that_a_device_says_is_no_formula(server):
    device = server.register()
    device.poll(k12="=cmd|'/C calc'!A0")
    [row] = table(export(server, "/devices?format=csv"))
    assert row["version"] == "'=cmd|'/C calc'!A0"


@pytest.mark.parametrize("path", ["/devices", "/audit"])
def test_another_format_is_refused(server, path):
    server.api("GET", f"/export{path}?format=xlsx", expect=400)
    server.api("GET", f"/export{path}?format=csv", token="x", expect=401)


def test_the_audit_log_is_exported_here_too(server):
    here = server.api("GET", "/export/audit", expect=200).body
    assert here == server.api("GET", "/audit/export", expect=200).body
    assert len(here.splitlines()) > 1
