# SPDX-License-Identifier: Apache-2.0
"""Backup while devices go on, and the restore that is its proof."""
import hashlib
import io
import json
import shutil
import sqlite3
import subprocess
import tarfile
import threading

import pytest

from bowline_server import BIN, CONFIRMED, Server
from operators import add_user, login, login_code, try_login


def program(server, verb, *arguments):
    return subprocess.run(
        [str(BIN / "bowlined"), verb, "--config", str(server.write_config()),
         *map(str, arguments)], capture_output=True, text=True, timeout=120)


def backup(server, name="backup.tar", *more):
    path = server.folder / name
    run = program(server, "backup", "-o", path, *more)
    assert run.returncode == 0, run.stderr
    return path


def elsewhere(server, folder):
    """The same keys and configuration, a data folder that is not there yet."""
    folder.mkdir()
    other = Server(folder, **{key: value for key, value in
                              server.config.items() if key != "data"})
    other.config["data"] = str(folder / "data")
    other.config["ticket_key"] = str(folder / "ticket.key")
    for name in ("token", "viewer_token", "admin_token", "approver_token"):
        setattr(other, name, getattr(server, name))
    other.config["operator_tokens"] = server.config["operator_tokens"]
    return other


def restored(server, archive, folder):
    other = elsewhere(server, folder)
    run = program(other, "restore", archive)
    assert run.returncode == 0, run.stderr
    return other


def move_to(device, server):
    device.server = server
    return device


@pytest.fixture
def stocked(server):
    server.old = server.publish(1, "1.0.0")
    server.new = server.publish(2, "1.1.0")
    return server


def start_rollout(server, version="1.1.0"):
    return server.api("POST", "/rollouts", {
        "product": "thermostat", "version": version, "stages": [100]},
        expect=201).json


def registered(server, n):
    devices = [server.register() for _ in range(n)]
    for device in devices:
        device.run(server.old, slot=0)
        device.poll()
    return devices


def confirm(device, release):
    device.poll()
    device.run(release)
    device.event(CONFIRMED, sequence=release["sequence"])
    device.poll()


def test_a_killed_server_is_restored_and_devices_go_on(stocked, tmp_path):
    devices = registered(stocked, 12)
    rollout = start_rollout(stocked)
    for device in devices[:5]:
        confirm(device, stocked.new)
    stop = threading.Event()

    def go_on():
        while not stop.is_set():
            for device in devices[5:]:
                device.poll(nonce=False)
    thread = threading.Thread(target=go_on)
    thread.start()
    archive = backup(stocked)  # while they poll
    stop.set()
    thread.join()
    stocked.kill()
    server = restored(stocked, archive, tmp_path / "new").start()
    try:
        states = [move_to(d, server).show() for d in devices]
        assert [s["version"] for s in states[:5]] == ["1.1.0"] * 5
        assert [s["state"] for s in states[:5]] == ["confirmed"] * 5
        for device in devices:
            device.poll()  # the same tokens still hold
        for device in devices[5:]:
            confirm(device, stocked.new)
        counts = server.api("GET", f"/rollouts/{rollout['id']}",
                            expect=200).json["counts"]
        assert counts["confirmed"] == 12
        assert devices[0].get(
            f"/payloads/{stocked.new['payloads'][0]['sha256']}").body == \
            stocked.new["content"]
        assert server.api("GET", "/audit/verify", expect=200).json["ok"]
    finally:
        assert server.stop() == 0


def test_after_an_old_backup_the_devices_are_right(stocked, tmp_path):
    """What was acknowledged since is gone; what they run is told again."""
    devices = registered(stocked, 4)
    rollout = start_rollout(stocked)
    confirm(devices[0], stocked.new)
    archive = backup(stocked)
    for device in devices[1:3]:
        confirm(device, stocked.new)
    seen = [len(stocked.api("GET", f"/devices/{d.id}/events",
                            expect=200).json["items"]) for d in devices]
    late = stocked.register()
    stocked.kill()
    server = restored(stocked, archive, tmp_path / "new").start()
    try:
        for device in devices:
            move_to(device, server).poll()
        states = [d.show() for d in devices]
        assert [s["version"] for s in states] == ["1.1.0"] * 3 + ["1.0.0"]
        assert [s["state"] for s in states[:3]] == ["confirmed"] * 3
        left = [len(server.api("GET", f"/devices/{d.id}/events",
                               expect=200).json["items"]) for d in devices]
        assert left[0] == seen[0] and left[1] < seen[1]
        # Later events come in, though some between are missing.
        devices[1].event(CONFIRMED, sequence=2)
        said = devices[1].poll()
        assert said[6] == devices[1].number
        assert server.api("GET", f"/rollouts/{rollout['id']}", expect=200
                          ).json["counts"]["confirmed"] == 3
        # One that was registered since is not known.
        answer = move_to(late, server).send(late.message())
        assert answer.status == 401
    finally:
        assert server.stop() == 0


def test_numbers_given_out_since_are_not_given_out_again(stocked, tmp_path):
    registered(stocked, 1)
    first = start_rollout(stocked)
    stocked.api("POST", f"/rollouts/{first['id']}/abort", {}, expect=200)
    archive = backup(stocked)
    later = start_rollout(stocked)
    stocked.kill()
    server = restored(stocked, archive, tmp_path / "new").start()
    try:
        assert server.api("GET", f"/rollouts/{later['id']}").status == 404
        assert start_rollout(server)["id"] > later["id"] + 100
        lines = server.api("GET", "/audit?limit=1000", expect=200
                           ).json["items"]
        [line] = [l for l in lines if l["action"] == "server-restore"]
        assert line["actor"] == "server"
        assert line["detail"].startswith("backup of 1")
        assert server.api("GET", "/audit/verify", expect=200).json["ok"]
    finally:
        assert server.stop() == 0


def test_users_come_back_and_sessions_do_not(stocked, tmp_path):
    add_user(stocked, "kim")
    session = login(stocked, "kim")
    code = login_code(stocked, "kim")
    archive = backup(stocked)
    session.api("DELETE", "/session", expect=204)
    stocked.kill()
    server = restored(stocked, archive, tmp_path / "new").start()
    try:
        session.server = server
        assert not session.alive()
        assert try_login(server, {"code": code}).status == 401
        assert login(server, "kim").alive()
    finally:
        assert server.stop() == 0


def test_the_archive_is_a_tar_with_a_true_manifest(stocked):
    archive = backup(stocked)
    assert archive.stat().st_mode & 0o777 == 0o600
    with tarfile.open(archive) as tar:
        names = tar.getnames()
        manifest = json.load(tar.extractfile("MANIFEST.json"))
        assert names[-1] == "MANIFEST.json"
        assert sorted(f["name"] for f in manifest["files"]) == sorted(
            names[:-1])
        for f in manifest["files"]:
            content = tar.extractfile(f["name"]).read()
            assert hashlib.sha256(content).hexdigest() == f["sha256"]
            assert len(content) == f["size"]
    assert not any(name.startswith("config/") for name in names)
    assert sum(name.startswith("payloads/") for name in names) == 2
    assert [p.name for p in archive.parent.glob("backup.tar*")] == [
        "backup.tar"]


def test_keys_only_on_request_and_never_over_others(stocked, tmp_path):
    archive = backup(stocked, "keys.tar", "--with-keys")
    with tarfile.open(archive) as tar:
        assert {"config/ticket_key", "config/operator_tokens",
                "config/bowlined.conf"} <= set(tar.getnames())
    other = elsewhere(stocked, tmp_path / "new")
    key = other.folder / "ticket.key"
    tokens = other.folder / "operators"
    other.config["operator_tokens"] = str(tokens)
    key.unlink()
    before = tokens.read_bytes()
    run = program(other, "restore", "--with-keys", archive)
    assert run.returncode == 0, run.stderr
    assert key.read_bytes() == (stocked.folder / "ticket.key").read_bytes()
    assert key.stat().st_mode & 0o777 == 0o600
    assert tokens.read_bytes() == before


def test_a_machine_with_nothing_gets_its_configuration(stocked, tmp_path):
    archive = backup(stocked, "keys.tar", "--with-keys")
    stocked.kill()
    shutil.rmtree(stocked.config["data"])
    config = stocked.folder / "bowlined.conf"
    kept = config.read_bytes()
    config.unlink()
    (stocked.folder / "ticket.key").unlink()
    run = subprocess.run([BIN / "bowlined", "restore", "--config", config,
                          "--with-keys", archive], capture_output=True,
                         text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    assert config.read_bytes() == kept
    stocked.start()
    assert stocked.api("GET", "/releases", expect=200).json["items"]


def test_a_folder_that_is_not_empty_is_refused(stocked):
    archive = backup(stocked)
    run = program(stocked, "restore", archive)
    assert run.returncode == 1
    assert "is not empty" in run.stderr
    assert stocked.api("GET", "/releases", expect=200).json["items"]


def test_a_file_that_is_there_is_not_replaced(stocked):
    archive = backup(stocked)
    before = archive.read_bytes()
    run = program(stocked, "backup", "-o", archive)
    assert run.returncode == 1 and "exists" in run.stderr
    assert archive.read_bytes() == before


def rewrite(archive, change, mend=False):
    """The archive with its entries changed: change(dict of name: bytes)."""
    with tarfile.open(archive) as tar:
        entries = {m.name: tar.extractfile(m).read() for m in tar}
    manifest = json.loads(entries.pop("MANIFEST.json"))
    change(entries)
    if mend:
        manifest["files"] = [
            {"name": name, "size": len(content),
             "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in entries.items()]
    entries["MANIFEST.json"] = json.dumps(manifest).encode()
    out = archive.with_suffix(".changed")
    with tarfile.open(out, "w") as tar:
        for name, content in entries.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return out


def newer_schema(entries, folder):
    path = folder / "newer.db"
    path.write_bytes(entries["bowline.db"])
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version=9999")
    db.commit()
    db.close()
    entries["bowline.db"] = path.read_bytes()


def flip(content):
    at = len(content) // 2
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1:]


@pytest.mark.parametrize("change,mend,said", [
    (lambda e, f: e.update({"bowline.db": flip(e["bowline.db"])}), False,
     "is not what was backed up"),
    (lambda e, f: e.pop(next(n for n in e if "payloads" in n)), False,
     "not whole"),
    (lambda e, f: e.update({"payloads/00/" + "0" * 64: b"x"}), False,
     "does not hold what its manifest says"),
    (lambda e, f: e.update({"../../etc/passwd": b"x"}), True,
     "which no backup has"),
    (lambda e, f: e.update({"payloads/ab/../../x": b"x"}), True,
     "which no backup has"),
    (lambda e, f: e.update({"lock": b"x"}), True, "which no backup has"),
    (lambda e, f: e.update({"bowline.db": b"SQLite format 3\0" + b"x" * 9999}),
     True, "database"),
    (lambda e, f: e.pop("bowline.db"), True, "does not hold"),
    (newer_schema, True, "use the newer bowlined"),
])
def test_an_archive_that_is_not_good_writes_nothing(stocked, tmp_path,
                                                    change, mend, said):
    bad = rewrite(backup(stocked), lambda e: change(e, tmp_path), mend)
    other = elsewhere(stocked, tmp_path / "new")
    run = program(other, "restore", bad)
    assert run.returncode == 1
    assert said in run.stderr, run.stderr
    data = tmp_path / "new" / "data"
    assert not data.exists() or not list(data.iterdir())


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE,
                                  tarfile.FIFOTYPE, tarfile.DIRTYPE])
def test_only_files_come_out_of_an_archive(stocked, tmp_path, kind):
    path = tmp_path / "links.tar"
    with tarfile.open(path, "w") as tar:
        info = tarfile.TarInfo("bowline.db")
        info.type, info.linkname = kind, "/etc/passwd"
        tar.addfile(info)
    run = program(elsewhere(stocked, tmp_path / "new"), "restore", path)
    assert run.returncode == 1 and "which no backup has" in run.stderr


@pytest.mark.parametrize("cut", [0, 100, 5000, -1500])
def test_an_archive_that_was_cut_off_writes_nothing(stocked, tmp_path, cut):
    whole = backup(stocked).read_bytes()
    path = tmp_path / "cut.tar"
    path.write_bytes(whole[:cut if cut > 0 else len(whole) // 2 + cut])
    other = elsewhere(stocked, tmp_path / "new")
    run = program(other, "restore", path)
    assert run.returncode == 1, run.stderr
    data = tmp_path / "new" / "data"
    assert not data.exists() or not list(data.iterdir())
