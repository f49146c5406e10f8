# SPDX-License-Identifier: Apache-2.0
"""The audit log is a chain: whatever is altered in it is found."""
import csv
import hashlib
import io
import json
import re
import sqlite3
from pathlib import Path

import pytest

ROOM = Path(__file__).parents[2] / "server"
FIELDS = ("action", "actor", "detail", "number", "object", "time")


def database(server):
    return sqlite3.connect(server.folder / "data/bowline.db")


def some_lines(server):
    for name in ("lamp", "fan", "door", "=cmd"):
        server.api("POST", "/products",
                   {"name": name.strip("="), "vendor_domain": "example.com"})
    server.register(name="a \"b\" \\ ü")


def verdict(server):
    return server.api("GET", "/audit/verify", expect=200).json


def canonical(line):
    """RFC 8785, by another hand: the server's own code is not asked."""
    return json.dumps({key: line[key] for key in FIELDS}, sort_keys=True,
                      separators=(",", ":"), ensure_ascii=False).encode()


def test_the_chain_is_what_the_description_says(server):
    some_lines(server)
    lines = server.api("GET", "/audit").json["items"]
    head = bytes(32)
    assert len(lines) >= 6
    for number, line in enumerate(lines, 1):
        assert line["number"] == number
        head = hashlib.sha256(head + canonical(line)).digest()
        assert line["hash"] == head.hex()
    assert verdict(server) == {"ok": True, "lines": len(lines),
                               "first_bad": None, "head": head.hex()}


ALTERED = {"time": "time + 1", "actor": "'eve'", "action": "'nothing'",
           "object": "object || 'x'", "detail": "'other'",
           "hash": "randomblob(32)", "number": "number + 1000"}


@pytest.mark.parametrize("running", [True, False])
@pytest.mark.parametrize("field", ALTERED)
@pytest.mark.parametrize("which", ["first", "middle", "last"])
def test_an_altered_line_is_found(server, field, which, running):
    some_lines(server)
    lines = len(server.api("GET", "/audit").json["items"])
    number = {"first": 1, "middle": 3, "last": lines}[which]
    if not running:
        server.stop()
    with database(server) as db:
        db.execute(f"UPDATE audit SET {field} = {ALTERED[field]}"
                   " WHERE number = ?", (number,))
    if not running:
        server.start()
    said = verdict(server)
    assert not said["ok"] and said["first_bad"] >= number


@pytest.mark.parametrize("running", [True, False])
@pytest.mark.parametrize("which", ["1", "3", "(SELECT max(number) FROM audit)",
                                   "number"])
def test_a_line_that_was_taken_out_is_found_for_ever(server, which, running):
    some_lines(server)
    if not running:
        server.stop()
    with database(server) as db:
        db.execute(f"DELETE FROM audit WHERE number = {which}")
    if not running:
        server.start()
    assert not verdict(server)["ok"]
    server.api("POST", "/products", {"name": "later",
                                     "vendor_domain": "example.com"},
               expect=201)
    assert not verdict(server)["ok"]


@pytest.mark.parametrize("change", [
    "DELETE FROM audit_head", "UPDATE audit_head SET lines = lines - 1",
    "UPDATE audit_head SET hash = randomblob(32)",
    "INSERT INTO audit (time, actor, action, object, detail, hash)"
    " VALUES (1, 'eve', 'x', '', '', randomblob(32))"])
def test_a_forged_end_is_found(server, change):
    some_lines(server)
    with database(server) as db:
        db.execute(change)
    assert not verdict(server)["ok"]
    server.stop()
    server.start()
    assert not verdict(server)["ok"]


def rewrite(db):
    """The whole chain anew, as who has the database and this test can."""
    head = bytes(32)
    names = ("number", "time", "actor", "action", "object", "detail")
    for row in db.execute("SELECT number, time, actor, action, object, detail"
                          " FROM audit ORDER BY number").fetchall():
        line = dict(zip(names, row))
        head = hashlib.sha256(head + canonical(line)).digest()
        db.execute("UPDATE audit SET hash = ? WHERE number = ?",
                   (head, line["number"]))
    db.execute("UPDATE audit_head SET hash = ?", (head,))
    return head


def test_a_chain_that_was_made_anew_differs_from_the_head_one_has_noted(
        server):
    some_lines(server)
    noted = verdict(server)["head"]
    with database(server) as db:
        db.execute("UPDATE audit SET actor = 'eve' WHERE number = 2")
        rewrite(db)
    assert not verdict(server)["ok"], "the running server remembers its head"
    server.stop()
    server.start()
    said = verdict(server)
    assert said["ok"] and said["head"] != noted, "only the noted head tells"


def test_hashes_that_somebody_took_are_not_made_again(server):
    some_lines(server)
    server.stop()
    with database(server) as db:
        db.execute("UPDATE audit SET hash = x''")
    server.start()
    assert verdict(server)["first_bad"] == 1


def old_schema(version):
    """The scripts that made a database of that version."""
    source = (ROOM / "store.c").read_text()
    source = source[source.index("migration[] = {"):]
    source = re.sub(r"/\*.*?\*/", "", source, flags=re.S)
    scripts = re.findall(r'((?:"(?:[^"\\]|\\.)*"\s*)+),', source)[:version]
    return ["".join(re.findall(r'"((?:[^"\\]|\\.)*)"', script))
            for script in scripts]


def test_lines_of_an_older_database_are_chained(make_server):
    server = make_server()
    (server.folder / "data").mkdir(0o700)
    with database(server) as db:
        for script in old_schema(3):
            db.executescript(script)
        db.executemany(
            "INSERT INTO audit (time, actor, action, object, detail)"
            " VALUES (?, 'ann', 'product-add', ?, '')",
            [(1700000000 + i, f"product {i}") for i in range(1200)])
        db.execute("PRAGMA user_version = 3")
    server.start()
    said = verdict(server)
    assert said["ok"] and said["lines"] == 1200
    with database(server) as db:
        db.execute("UPDATE audit SET object = 'x' WHERE number = 700")
    assert verdict(server)["first_bad"] == 700


def test_the_export_is_the_log(server):
    some_lines(server)
    lines = server.api("GET", "/audit").json["items"]
    answer = server.api("GET", "/audit/export", expect=200)
    assert answer.headers["Content-Type"] == "application/jsonl"
    rows = [json.loads(row) for row in answer.body.splitlines()]
    assert rows[:-1] == lines
    assert rows[-1] == {"head": lines[-1]["hash"], "lines": len(lines)}
    answer = server.api("GET", "/audit/export?format=csv", expect=200)
    assert answer.headers["Content-Type"] == "text/csv"
    table = list(csv.DictReader(io.StringIO(answer.body.decode())))
    assert [row["hash"] for row in table] == [row["hash"] for row in lines]
    server.api("GET", "/audit/export?format=xml", expect=400)


def test_a_spreadsheet_sees_no_formula(server):
    server.register(name="=HYPERLINK(\"x\")")
    with database(server) as db:
        db.execute("UPDATE audit SET detail = '=1+1', object = '@x' "
                   "WHERE number = 1")
    text = server.api("GET", "/audit/export?format=csv").body.decode()
    row = next(csv.DictReader(io.StringIO(text)))
    assert row["detail"] == "'=1+1" and row["object"] == "'@x"


def test_lines_are_found_by_who_and_what(server):
    some_lines(server)
    ask = server.api
    every = ask("GET", "/audit").json["items"]
    newest = ask("GET", "/audit?order=newest&limit=2").json
    assert newest["items"] == every[:-3:-1]
    after = ask("GET", f"/audit?order=newest&after={newest['next']}").json
    assert newest["items"] + after["items"] == every[::-1]
    found = ask("GET", "/audit?action=product-add").json["items"]
    assert found == [e for e in every if e["action"] == "product-add"]
    assert ask("GET", "/audit?actor=ann").json["items"] == every
    assert ask("GET", "/audit?actor=ann&action=none").json["items"] == []
    assert ask("GET", "/audit?actor=x'%20OR%201").json["items"] == []
