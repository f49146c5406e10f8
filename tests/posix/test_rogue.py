# SPDX-License-Identifier: Apache-2.0
"""Devices against an update server that was broken into: it has the ticket
key and a certificate they trust. They refuse, say why, and stay as they
are."""
import datetime
import ipaddress
import json
import socket
import subprocess

import pytest
from board import program
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

EXPECTED = {"flip": "payload-digest", "key": "signature", "product": "class",
            "old": "sequence-low", "stale": "ticket-stale"}


def pem(private):
    return private.private_bytes(serialization.Encoding.PEM,
                                 serialization.PrivateFormat.PKCS8,
                                 serialization.NoEncryption())


def certificate(folder):
    """A server's certificate that is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "server")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(name)
            .public_key(key.public_key()).serial_number(1)
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(True, None), True)
            .add_extension(x509.SubjectAlternativeName(
                [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
            .sign(key, hashes.SHA256()))
    (folder / "server.pem").write_bytes(
        made.public_bytes(serialization.Encoding.PEM))
    (folder / "server.key").write_bytes(pem(key))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def secret(path, content):
    path.touch(0o600)
    path.write_bytes(content)


def write(folder, name, release):
    (folder / f"{name}.suit").write_bytes(release.envelope)
    (folder / f"{name}.bin").write_bytes(release.image)
    return f"{folder}/{name}.suit,{folder}/{name}.bin"


@pytest.mark.parametrize("attack", EXPECTED)
def test_attack_is_refused_with_its_reason(attack, device, world, tmp_path):
    port = free_port()
    certificate(tmp_path)
    secret(tmp_path / "ticket.pem", pem(world.ticket_key.private))
    runs = world.release(5, "1.0.0")
    genuine = write(tmp_path, "genuine", world.release(6, "1.1.0"))
    offers = {
        "flip": genuine, "key": genuine, "stale": genuine,
        "old": write(tmp_path, "old", world.release(4, "1.1.0")),
        "product": write(tmp_path, "other", world.release(
            9, "1.1.0", class_id=b"\x31" * 16)),
    }
    option = {"key": "forge"}.get(attack, attack)
    rogue = subprocess.Popen(
        [program("bowline-rogue"), f"--port={port}", "--json", "--wait=20",
         f"--cert={tmp_path}/server.pem", f"--key={tmp_path}/server.key",
         f"--ticket-key={tmp_path}/ticket.pem",
         f"--{option}={offers[attack]}"], stdout=subprocess.PIPE, text=True)
    one = device(f"https://127.0.0.1:{port}", runs,
                 f"--ca={tmp_path}/server.pem")
    assert one.made.returncode == 0, one.made.stderr
    one.power_on()
    said, _ = rogue.communicate(timeout=40)
    assert rogue.returncode == 0, one.said()
    answer = json.loads(said.splitlines()[0])
    assert answer["attack"] == attack and answer["fell"] is False
    assert answer["state"] == "refused"
    assert answer["code"] == EXPECTED[attack]
    one.power_off()
    shown = one.show()
    assert shown["state"]["active"] == "A" and shown["state"]["floor"] == 5
    assert shown["slots"][0]["image"] == runs.image_digest.hex()
    assert shown["slots"][1]["status"] != "confirmed"


def test_rogue_that_is_believed_says_so(device, world, tmp_path):
    """The attacks are no theatre: with the right key they would work."""
    port = free_port()
    certificate(tmp_path)
    secret(tmp_path / "ticket.pem", pem(world.ticket_key.private))
    runs = world.release(5, "1.0.0")
    genuine = write(tmp_path, "genuine", world.release(6, "1.1.0"))
    one = device(f"https://127.0.0.1:{port}", runs,
                 f"--ca={tmp_path}/server.pem")
    rogue = subprocess.Popen(
        [program("bowline-rogue"), f"--port={port}", "--wait=20",
         f"--cert={tmp_path}/server.pem", f"--key={tmp_path}/server.key",
         f"--ticket-key={tmp_path}/ticket.pem", f"--old={genuine}"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    one.power_on()
    said, errors = rogue.communicate(timeout=40)
    assert rogue.returncode == 1 and "fell for it" in errors


def test_usage_is_told():
    for arguments, status in ((["--help"], 0), ([], 2), (["--port=1"], 2)):
        run = subprocess.run([program("bowline-rogue"), *arguments],
                             capture_output=True, text=True)
        assert run.returncode == status
        assert run.stdout if status == 0 else run.stderr

