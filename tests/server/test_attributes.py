# SPDX-License-Identifier: Apache-2.0
"""What devices tell of themselves: kept, replaced whole, durable."""
import json
import sqlite3
import time

import pytest
from first_schema import to_first_schema


def stored(server):
    """device id -> attributes, as the database has them."""
    path = server.folder / "data" / "bowline.db"
    with sqlite3.connect(path, timeout=30) as db:
        return {row[0].hex(): json.loads(row[1]) for row in db.execute(
            "SELECT d.id, a.attributes FROM device_attributes a"
            " JOIN devices d ON d.number = a.device")}


def test_attributes_outlive_kill_9(make_server):
    server = make_server().start().set_up()
    device, other = server.register(), server.register()
    said = {"os": "zephyr 3.7", "site": "München", "note": 'a"b\\c'}
    device.poll(k18=said)
    other.poll(k18={"os": "linux"})
    other.poll(nonce=False, k18={})
    server.kill()
    assert stored(server) == {device.id: said}
    server.start()
    device.poll()  # the same and none: nothing changes
    device.poll(k18=said)
    device.poll(nonce=False, k18={"os": "zephyr 4.0"})
    server.kill()
    assert stored(server) == {device.id: {"os": "zephyr 4.0"}}


def test_attributes_go_with_their_device(make_server):
    server = make_server().start().set_up()
    device = server.register()
    device.poll(k18={"os": "linux"})
    assert stored(server)
    server.api("DELETE", f"/devices/{device.id}", expect=204)
    assert not stored(server)


@pytest.mark.parametrize("attributes, says", [
    ({"ok": "1", "Bad": "2"}, "attribute 2: a name"),
    ({"n": "x" * 65}, "attribute 1: a value"),
    ({"n": "a\x1b[31m"}, "attribute 1: a value"),
    ({f"n{i:02}": "" for i in range(17)}, "at most 16"),
    (["n"], "at most 16")])
def test_malformed_attributes_are_refused_by_name(shared_server, attributes,
                                                  says):
    device = shared_server.register()
    answer = device.send(device.message(k18=attributes))
    assert answer.status == 400
    text = answer.body.decode()
    assert "key 18" in text and says in text, text
    assert device.id not in stored(shared_server)


def test_polls_with_attributes_are_limited(make_server):
    server = make_server(polls_per_minute=5).start().set_up()
    device = server.register()
    statuses = [device.send(device.message(
        nonce=False, k18={"n": str(i)})).status for i in range(8)]
    assert statuses == [200] * 5 + [429] * 3


def test_a_database_of_the_first_version_is_opened(make_server):
    server = make_server(journal_sweep=1).start().set_up()
    device, seen = server.register(), server.register()
    device.poll(k12="1.2.3", k17=60, k19=[50, 24], k18={"os": "linux"})
    time.sleep(1.2)  # folded into device_state; the other in the journal only
    seen.poll(k12="1.2.4")
    server.stop()
    to_first_schema(server.folder / "data" / "bowline.db")
    server.start()
    assert device.show()["version"] == "1.2.3"
    assert seen.show()["version"] == "1.2.4"
    device.poll(k17=-60, k18={"os": "linux"})
    server.kill()
    assert stored(server) == {device.id: {"os": "linux"}}
