# SPDX-License-Identifier: Apache-2.0
"""One clear error for each thing that is wrong at the start."""
import json
import os
import signal
import socket
import subprocess
import time

import pytest
from bowline_server import BIN, make_certificate


def fails(server, *words, arguments=()):
    done = subprocess.run(server.command() + list(arguments),
                          capture_output=True, text=True, timeout=20)
    assert done.returncode == 1
    lines = [line for line in done.stderr.splitlines()
             if line.startswith("bowlined: ")]
    assert len(lines) == 1, done.stderr
    for word in words:
        assert word in lines[0], lines[0]


def test_a_port_in_use(make_server):
    server = make_server()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        server.config["listen"] = f"127.0.0.1:{taken.getsockname()[1]}"
        fails(server, "listen", "another program")


def test_an_unwritable_data_folder(make_server):
    server = make_server()
    blocker = server.folder / "file"
    blocker.write_text("")
    server.config["data"] = str(blocker / "data")
    fails(server, "data", "file")


def test_one_folder_one_server(make_server):
    first = make_server().start()
    second = make_server(data=first.config["data"])
    fails(second, "another bowlined")


def test_a_damaged_database(make_server):
    server = make_server().start().set_up()
    server.stop()
    database = server.folder / "data/bowline.db"
    database.write_bytes(b"not a database" * 1000)
    fails(server, "bowline.db")


@pytest.mark.parametrize("key,value,word", [
    ("listen", "nowhere", "address:port"), ("threads", 1000, "between"),
    ("log_level", "loud", "log_level"), ("nonsense", 1, "no such key"),
    ("plain_http", "yes", "true or false"), ("ticket_key", "/none", "/none"),
    ("operator_tokens", "/none", "/none")])
def test_a_wrong_configuration(make_server, key, value, word):
    server = make_server()
    server.config[key] = value
    fails(server, key, word)


def bowlined_says(*arguments, **environment):
    done = subprocess.run([BIN / "bowlined", *arguments], text=True,
                          capture_output=True, timeout=20,
                          env={**os.environ, **environment})
    assert done.returncode == 1
    return done.stderr


def test_a_configuration_file_that_is_not_there(tmp_path):
    said = bowlined_says("--config", tmp_path / "nope.conf")
    assert "nope.conf: there is no such file" in said
    assert "bowline server init" in said
    assert "line 0" not in said
    said = bowlined_says("--config", tmp_path)
    assert str(tmp_path) in said and "line 0" not in said


@pytest.mark.skipif(os.path.exists("/etc/bowline/bowlined.conf"),
                    reason="this machine has one")
def test_no_configuration_file_at_all():
    said = bowlined_says()
    assert "/etc/bowline/bowlined.conf does not exist" in said
    assert "--config" in said


def test_tokens_that_others_can_read(make_server):
    server = make_server()
    (server.folder / "operators").chmod(0o644)
    fails(server, "chmod 600")


@pytest.mark.parametrize("name", ["ticket.key", "server.key"])
@pytest.mark.parametrize("arguments", [[], ["--check"]])
def test_keys_that_others_may_touch(make_server, name, arguments):
    server = make_server(plain=False)
    for mode in (0o640, 0o604, 0o620):
        (server.folder / name).chmod(mode)
        fails(server, name, f"{mode:04o}", "chmod 600", arguments=arguments)


def test_no_tls_and_no_plain_http(make_server):
    server = make_server()
    server.config["plain_http"] = False
    fails(server, "tls_certificate")


def test_an_expired_certificate_is_said_loudly_and_served(make_server):
    server = make_server(plain=False)
    make_certificate(server.folder, "server", "ca", days=(-9, -2),
                     common="localhost")
    fails(server, "server.crt", "has expired", arguments=["--check"])
    server.start()
    text = server.log.read_text()
    assert "has expired" in text and "server.crt" in text
    with pytest.raises(OSError):
        server.request("GET", "/healthz")


def test_a_key_that_is_not_the_certificates(make_server):
    server = make_server(plain=False)
    make_certificate(server.folder, "other", "ca")
    server.config["tls_key"] = str(server.folder / "other.key")
    fails(server, "certificate and key")


def test_check_says_good(make_server):
    server = make_server(plain=False)
    done = subprocess.run(server.command() + ["--check"], text=True,
                          capture_output=True)
    assert done.returncode == 0 and "good" in done.stdout


def test_options():
    for option, word in (("--help", "usage"), ("--version", "bowlined")):
        done = subprocess.run([BIN / "bowlined", option], text=True,
                              capture_output=True)
        assert done.returncode == 0 and word in done.stdout
    assert subprocess.run([BIN / "bowlined", "--nonsense"],
                          capture_output=True).returncode == 2


def test_the_environment_overrides_the_file(make_server):
    server = make_server()
    server.start(env={**os.environ, "BOWLINE_LOG_FORMAT": "json",
                      "BOWLINE_POLL_INTERVAL": "77"})
    server.set_up()
    device = server.register()
    assert device.poll(nonce=False)[5] == 77
    assert '"event":"started"' in server.log.read_text()


@pytest.mark.parametrize("asked, level", [(0, "info"), (5000, "warning")])
def test_fewer_files_than_connections_are_said_once(make_server, asked, level):
    server = make_server(max_connections=asked, log_format="json")
    server.command = lambda: ["prlimit", "--nofile=1256:1256",
                              *type(server).command(server)]
    server.start()
    said = [json.loads(line) for line in server.log.read_text().splitlines()]
    files = [line for line in said if line["event"] == "files"]
    assert [line["level"] for line in files] == [level]
    assert files[0]["limit"] == 1256
    if asked == 0:
        assert files[0]["max_connections"] == 500


def test_sighup_reads_the_tokens_again(make_server):
    server = make_server().start()
    server.api("GET", "/server", expect=200)
    tokens = server.folder / "operators"
    tokens.write_text("")
    server.process.send_signal(signal.SIGHUP)
    for _ in range(50):
        if server.api("GET", "/server").status == 401:
            return
        time.sleep(0.1)
    raise AssertionError("the old token still holds")


def test_no_secret_is_logged(make_server):
    server = make_server(log_level="debug").start().set_up()
    device = server.register()
    device.poll()
    device.send(b"x", token="wrong-secret")
    text = server.log.read_text()
    assert "request" in text
    for secret in (server.token, device.token, device.token.split(".")[1],
                   "wrong-secret"):
        assert secret not in text
