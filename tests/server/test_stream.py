# SPDX-License-Identifier: Apache-2.0
"""Server-sent events: who is told what, who comes back, who is ended."""
import json
import secrets
import signal
import socket
import time

import pytest

from events import Stream
from waiting import wait_for


def rollout(server, version="1.1.0", stages=(50, 100)):
    return server.api("POST", "/rollouts", {
        "product": "thermostat", "version": version,
        "stages": list(stages)}, expect=201).json


@pytest.fixture
def stocked(server):
    server.old = server.publish(1, "1.0.0")
    server.new = server.publish(2, "1.1.0")
    return server


def test_what_operators_do_is_told_with_what_it_is_about(stocked):
    with Stream(stocked) as s:
        assert s.status == 200
        assert s.answer.getheader("Content-Type") == "text/event-stream"
        assert s.answer.getheader("Cache-Control") == "no-store"
        made = rollout(stocked)
        kind, data, first = s.until("audit")
        assert json.loads(data)["number"] > 0
        kind, data, number = s.until("rollout")
        assert number > first
        assert json.loads(data) == {
            "id": made["id"], "product": "thermostat", "state": "running",
            "stage": 0, "what": "created"}
        for action, what in (("pause", "paused"), ("resume", "resumed"),
                             ("advance", "advanced"), ("abort", "aborted")):
            stocked.api("POST", f"/rollouts/{made['id']}/{action}", {},
                        expect=200)
            assert json.loads(s.until("rollout")[1])["what"] == what
        third = stocked.publish(3, "1.2.0")
        assert json.loads(s.until("release")[1]) == {
            "manifest": third["manifest"], "product": "thermostat",
            "version": "1.2.0"}


def test_who_is_not_let_in_hears_nothing(stocked):
    with Stream(stocked, token="wrong") as s:
        assert s.status == 401
    with Stream(stocked, token=stocked.viewer_token) as s:
        assert s.status == 200


@pytest.mark.parametrize("query", ["?device=x", "?rollout=0", "?rollout=1x",
                                   "?device=" + "0" * 31])
def test_a_filter_that_means_nothing_is_refused(server, query):
    with Stream(server, query) as s:
        assert s.status == 400


def test_a_token_that_is_taken_away_ends_its_stream(stocked):
    with Stream(stocked, token=stocked.viewer_token, timeout=90) as s:
        operators = stocked.folder / "operators"
        lines = [line for line in operators.read_text().splitlines(True)
                 if not line.startswith("vic:")]
        operators.write_text("".join(lines))
        stocked.process.send_signal(1)
        while s.next():
            pass  # the end comes, else this times out


def test_devices_are_told_of_together_once_a_second(stocked):
    devices = [stocked.register() for _ in range(5)]
    with Stream(stocked) as s:
        s.until("fleet")
        for _ in range(40):
            for device in devices:
                device.run(stocked.old)
                device.event(8)
                device.poll()
        stocked.publish(9, "9.0.0")  # told at once: what follows came later
        told = 0
        while (event := s.next())[0] != "release":
            told += event[0] == "fleet"
        assert told < 100, "not of each of the 200"
        assert told > 0 or s.until("fleet")


def test_a_device_is_told_only_to_who_asked_for_it(stocked):
    mine, other = stocked.register(), stocked.register()
    with Stream(stocked, f"?device={mine.id}") as s, Stream(stocked) as all_:
        other.poll()
        mine.poll()
        assert json.loads(s.until("device")[1]) == {"id": mine.id}
        assert s.quiet()
        assert all_.quiet(but=("fleet", "audit"))


def test_a_rollout_is_told_only_to_who_wants_it_or_all(stocked):
    made = rollout(stocked)
    with Stream(stocked, f"?rollout={made['id']}") as mine, \
            Stream(stocked, f"?rollout={made['id'] + 1}") as other:
        stocked.api("POST", f"/rollouts/{made['id']}/pause", {}, expect=200)
        assert json.loads(mine.until("rollout")[1])["what"] == "paused"
        assert other.quiet(but=("fleet", "audit"))


def test_who_comes_back_gets_what_it_missed(stocked):
    made = rollout(stocked)
    with Stream(stocked) as s:
        stocked.api("POST", f"/rollouts/{made['id']}/pause", {}, expect=200)
        last = s.until("rollout")[2]
    stocked.api("POST", f"/rollouts/{made['id']}/resume", {}, expect=200)
    with Stream(stocked, last_id=last) as s:
        kinds = []
        while (event := s.next())[0] != "rollout":
            kinds.append(event[0])
        assert "reset" not in kinds
        assert json.loads(event[1])["what"] == "resumed"


@pytest.mark.parametrize("last", [0, 1, 2 ** 62, "x", ""])
def test_who_comes_back_with_an_unknown_place_looks_at_all_anew(server, last):
    with Stream(server, last_id=last) as s:
        assert s.next()[:2] == ("reset", "{}")


def test_a_restarted_server_does_not_know_the_old_place(stocked):
    with Stream(stocked) as s:
        rollout(stocked)
        last = s.until("rollout")[2]
    stocked.stop()
    stocked.start()
    with Stream(stocked, last_id=last) as s:
        assert s.next()[0] == "reset"


def test_a_reader_that_does_not_read_is_told_to_look_anew(
        make_server):
    # Who takes nothing for as long as request_timeout is cut.
    server = make_server(request_timeout=600).start().set_up()
    server.publish(1, "1.0.0")
    server.publish(2, "1.1.0")
    made = rollout(server)
    path = f"/rollouts/{made['id']}/"
    with socket.create_connection(("127.0.0.1", server.port)) as lazy:
        lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        lazy.sendall(b"GET /api/v1/stream HTTP/1.1\r\nHost: a\r\n"
                     b"Authorization: Bearer " + server.token.encode() +
                     b"\r\n\r\n")
        # 2,400 changes with two notices each: far more than the ring holds.
        keep = server.connect()
        for _ in range(1200):
            for action in ("pause", "resume"):
                assert server.api("POST", path + action, {},
                                   connection=keep).status == 200
        lazy.settimeout(60)
        said = b""
        while b"event: reset" not in said:
            piece = lazy.recv(65536)
            assert piece, "it was cut"
            said += piece


def test_an_idle_stream_outlives_the_request_timeout(make_server):
    server = make_server(request_timeout=2).start().set_up()
    with Stream(server) as s:
        time.sleep(5)
        server.publish(1, "1.0.0")
        assert s.until("release")


def test_a_quiet_stream_has_a_heartbeat(server):
    with Stream(server, timeout=90) as s:
        s.answer.readline()
        while s.answer.readline() != b":\n":
            pass


def test_a_listener_that_is_gone_is_let_go(server):
    streams = [Stream(server) for _ in range(5)]
    assert clients(server) == 5
    for s in streams:
        s.close()
    wait_for(lambda: clients(server) == 0)


def clients(server):
    text = server.request("GET", "/metrics").body.decode()
    return int(text.split("\nbowline_stream_clients ")[1].split()[0])


@pytest.mark.parametrize("plain", [True, False])
def test_the_end_of_the_server_ends_streams_at_once(make_server, plain):
    server = make_server(plain).start().set_up()
    release = server.publish(1, "1.0.0", secrets.token_bytes(20_000_000))
    device = server.register()
    connection = server.connect(timeout=60)
    connection.request("GET", "/d/v1/" + release["payloads"][0]["uri"],
                       headers={"Authorization": f"Bearer {device.token}"})
    answer = connection.getresponse()
    streams = [Stream(server) for _ in range(20)]
    server.process.send_signal(signal.SIGTERM)
    for s in streams:
        while s.next():
            pass
        s.close()
    assert server.process.poll() is None, "it waits for what is fetched"
    assert answer.read() == release["content"]
    assert server.stop() == 0


def test_no_more_streams_than_leave_room_for_devices(make_server):
    server = make_server(max_connections=16).start().set_up()
    streams = [Stream(server) for _ in range(9)]
    assert [s.status for s in streams] == [200] * 8 + [503]
    for s in streams:
        s.close()


def test_over_tls_notices_come_at_once(make_server):
    server = make_server(plain=False).start().set_up()
    with Stream(server) as s:
        server.publish(1, "1.0.0")
        assert s.until("release")
