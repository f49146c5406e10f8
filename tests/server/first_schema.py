# SPDX-License-Identifier: Apache-2.0
"""A database as the first version of bowlined would have left it."""
import sqlite3
import struct
from pathlib import Path

SCHEMA = (Path(__file__).parent / "schema_1.sql").read_text()
SEEN, SIZES = 1, {1: 201, 2: 260, 3: 274}


def shortened(record):
    assert len(record) == SIZES[record[0]]
    return b"\x01" + record[1:SIZES[1]]


def shortened_blob(blob):
    """A row of the table journal: records of both kinds, one by one."""
    out = b""
    while blob:
        size = 9 if blob[0] == SEEN else 5 + SIZES[blob[5]]
        record, blob = blob[:size], blob[size:]
        if record[0] != SEEN:
            record = record[:5] + shortened(record[5:])
        out += record
    return out


def copy_table(db, table):
    columns = ", ".join(row[1] for row in db.execute(
        f"PRAGMA main.table_info({table})"))
    db.execute(f"INSERT INTO main.{table} ({columns})"
               f" SELECT {columns} FROM now.{table}")


def to_first_schema(path):
    """Its tables, with what they could hold of the rows; the server is not
    running."""
    first = path.with_suffix(".first")
    with sqlite3.connect(first) as db:
        db.executescript(SCHEMA)
        db.execute("ATTACH ? AS now", (str(path),))
        for (table,) in db.execute(
                "SELECT name FROM main.sqlite_master WHERE type = 'table'"
                " AND name NOT LIKE 'sqlite%'").fetchall():
            copy_table(db, table)
        for table, key, column, change in (
                ("device_state", "device", "record", shortened),
                ("journal", "number", "records", shortened_blob)):
            for number, old in db.execute(
                    f"SELECT {key}, {column} FROM main.{table}").fetchall():
                db.execute(f"UPDATE main.{table} SET {column} = ?"
                           f" WHERE {key} = ?", (change(old), number))
    db.close()
    for leftover in ("-wal", "-shm"):
        Path(str(path) + leftover).unlink(missing_ok=True)
    first.replace(path)
