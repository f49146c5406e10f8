-- SPDX-License-Identifier: Apache-2.0
-- The database of version 0.1's first schema: never changes.
CREATE TABLE roots (version INTEGER PRIMARY KEY, document BLOB NOT NULL,
    created INTEGER NOT NULL);
CREATE TABLE products (number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT
    NULL UNIQUE, domain TEXT NOT NULL, vendor_id BLOB NOT NULL, class_id BLOB
    NOT NULL UNIQUE, created INTEGER NOT NULL);
CREATE TABLE releases (number INTEGER PRIMARY KEY AUTOINCREMENT, product
    INTEGER NOT NULL REFERENCES products(number), version TEXT NOT NULL,
    sequence INTEGER NOT NULL, manifest BLOB NOT NULL UNIQUE, envelope BLOB
    NOT NULL, signers TEXT NOT NULL, payloads TEXT NOT NULL, created INTEGER
    NOT NULL, UNIQUE (product, sequence));
CREATE TABLE rollouts (number INTEGER PRIMARY KEY AUTOINCREMENT, product
    INTEGER NOT NULL REFERENCES products(number), release INTEGER NOT NULL
    REFERENCES releases(number), name TEXT NOT NULL, kind INTEGER NOT NULL,
    state INTEGER NOT NULL, stage INTEGER NOT NULL, stages TEXT NOT NULL,
    permit BLOB, created INTEGER NOT NULL, changed INTEGER NOT NULL);
CREATE TABLE devices (number INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB NOT
    NULL UNIQUE, product INTEGER NOT NULL REFERENCES products(number), token
    BLOB NOT NULL, name TEXT NOT NULL, tags TEXT NOT NULL, created INTEGER NOT
    NULL);
CREATE TABLE pins (device INTEGER PRIMARY KEY REFERENCES devices(number) ON
    DELETE CASCADE, ord INTEGER NOT NULL, release INTEGER NOT NULL REFERENCES
    releases(number), permit BLOB NOT NULL);
CREATE TABLE device_state (device INTEGER PRIMARY KEY, record BLOB NOT NULL);
CREATE TABLE journal (number INTEGER PRIMARY KEY, records BLOB NOT NULL);
CREATE TABLE events (device INTEGER NOT NULL, number INTEGER NOT NULL, boot
    INTEGER NOT NULL, uptime INTEGER NOT NULL, state INTEGER NOT NULL, code
    INTEGER NOT NULL, sequence INTEGER NOT NULL, slot INTEGER NOT NULL,
    attempt INTEGER NOT NULL, reset INTEGER NOT NULL, received INTEGER NOT
    NULL, PRIMARY KEY (device, number)) WITHOUT ROWID;
CREATE TABLE audit (number INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT
    NULL, actor TEXT NOT NULL, action TEXT NOT NULL, object TEXT NOT NULL,
    detail TEXT NOT NULL);
PRAGMA user_version = 1;
