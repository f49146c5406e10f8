# SPDX-License-Identifier: Apache-2.0
"""What the tool writes, read by others: cbor2 and cryptography."""
import hashlib
import uuid

import cbor2
import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    encode_dss_signature)

from .conftest import firmware


def public(tool, name):
    return serialization.load_pem_public_key(
        (tool.folder / name).read_bytes())


def verify(key, message, signature):
    if isinstance(key, ec.EllipticCurvePublicKey):
        r = int.from_bytes(signature[:32], "big")
        s = int.from_bytes(signature[32:], "big")
        key.verify(encode_dss_signature(r, s), message,
                   ec.ECDSA(hashes.SHA256()))
    else:
        key.verify(signature, message)


def wrapped(content):
    return cbor2.dumps(content)


@pytest.mark.parametrize("kind", ["esp256", "ed25519"])
def test_an_envelope_is_what_suit_says(tool, kind):
    tool.good("init", "--product", "thermostat", "--vendor", "example.com")
    tool.good("key", "new", "release.pem", "--kind", kind)
    (tool.folder / "fw.bin").write_bytes(firmware("1.4-rc.1"))
    r = tool.good("release", "fw.bin", "--sequence", "7", "--json").json
    envelope = cbor2.loads(open(r["file"], "rb").read())
    assert envelope.tag == 107
    body = envelope.value
    digest_item, block = cbor2.loads(body[2])
    alg, digest = cbor2.loads(digest_item)
    # The manifest is hashed with its byte-string head.
    assert alg == -16
    assert digest == hashlib.sha256(wrapped(body[3])).digest()
    assert digest.hex() == r["manifest"]

    sign1 = cbor2.loads(block)
    protected, unprotected, payload, signature = sign1.value
    assert sign1.tag == 18 and payload is None
    assert cbor2.loads(protected) == {1: -9 if kind == "esp256" else -19}
    assert unprotected[4].hex() == r["signers"][0]
    message = cbor2.dumps(["Signature1", protected, b"", digest_item])
    verify(public(tool, "release.pem.pub"), message, signature)
    with pytest.raises(InvalidSignature):
        verify(public(tool, "release.pem.pub"), message + b"x", signature)

    manifest = cbor2.loads(body[3])
    assert manifest[1] == 1 and manifest[2] == 7
    assert cbor2.loads(manifest[6]) == [1, 4, -1, 1]
    common = cbor2.loads(manifest[3])
    assert common[2] == [[b"app"]]
    shared = cbor2.loads(common[4])
    assert shared[0] == 20 and shared[2:] == [1, 15, 2, 15]
    vendor = uuid.uuid5(uuid.NAMESPACE_DNS, "example.com")
    image = (tool.folder / "fw.bin").read_bytes()
    parameters = shared[1]
    assert parameters[1] == vendor.bytes
    assert parameters[2] == uuid.uuid5(vendor, "thermostat").bytes
    assert cbor2.loads(parameters[3]) == [-16,
                                          hashlib.sha256(image).digest()]
    assert parameters[14] == len(image)
    # Every encoding is the deterministic one.
    raw = open(r["file"], "rb").read()
    assert cbor2.dumps(envelope, canonical=True) == raw


def new_root(project, *args, output="root-2.cbor"):
    return project("root", "new", "--from", "root-1.cbor", "-o", output,
                   *args, "--json")


def test_a_root_document_is_rotated(project):
    project.good("key", "new", "root-b.pem", "--kind", "ed25519")
    made = new_root(project, "--root-key", "root-b.pem.pub", "--floor", "5")
    assert made.code == 0, made.err
    assert made.json["version"] == 2 and made.json["floor"] == 5
    old = project.good("root", "show", "root-1.cbor", "--json").json
    # What is not said anew is carried over.
    assert (made.json["roles"]["release"]["keys"]
            == old["files"][0]["roles"]["release"]["keys"])

    first = project.good("root", "sign", "root-2.cbor", "--previous",
                         "root-1.cbor", "--key", "root-b.pem", "--json").json
    assert first["complete"] is False
    assert "root-old-threshold" in first["missing"]
    second = project.good("root", "sign", "root-2.cbor", "--previous",
                          "root-1.cbor", "--key", "root.pem", "--json").json
    assert second["complete"] is True and second["missing"] is None
    assert len(second["signed_by"]) == 2
    seen = project.good("root", "show", "root-2.cbor", "--previous",
                        "root-1.cbor", "--json").json["files"][0]
    assert seen["verifies"] is True


def test_a_root_document_is_what_the_header_says(project):
    sign = cbor2.loads((project.folder / "root-1.cbor").read_bytes())
    assert sign.tag == 98
    protected, unprotected, payload, signatures = sign.value
    assert protected == b"" and unprotected == {}
    content = cbor2.loads(payload)
    assert content[1] == 1 and content[2] == 1
    assert set(content[5]) == {1, 2, 3}
    (head, _, signature), = signatures
    message = cbor2.dumps(["Signature", protected, head, b"Bowline-Root-1",
                           payload])
    verify(public(project, "root.pem.pub"), message, signature)


def test_a_key_signs_a_root_document_once(project):
    said = project.refused(3, "root", "sign", "root-1.cbor", "--key",
                           "root.pem")
    assert "root.pem" in said


def test_a_root_document_that_nobody_signed(project):
    assert new_root(project).code == 0
    result = project("root", "show", "root-2.cbor")
    assert result.code == 1 and "nobody has signed" in result.out


@pytest.mark.parametrize("args, says", [
    (["--root-threshold", "2"], "so 2 cannot sign"),
    (["--root-kinds", "rsa"], "esp256"),
    (["--floor", "x"], "whole number"),
])
def test_root_new_with_a_wrong_command_line(project, args, says):
    result = new_root(project, *args)
    assert result.code == 2 and says in result.err


def test_root_new_without_keys_says_which(tool):
    assert "--root-key" in tool.refused(2, "root", "new", "-o", "r")
    assert "--output" in tool.refused(2, "root", "new")


def test_root_show_refuses_what_is_none(project):
    assert "not a root document" in project.refused(3, "root", "show",
                                                    "fw.bin")


def test_a_hybrid_release_role(tool):
    """Two keys of two kinds must sign: one of them alone is too few."""
    tool.good("init", "--product", "thermostat", "--vendor", "example.com")
    for name, kind in [("root", "esp256"), ("ticket", "esp256"),
                       ("a", "esp256"), ("b", "hss-h5")]:
        tool.good("key", "new", f"{name}.pem", "--kind", kind)
    tool.good("root", "new", "--root-key", "root.pem.pub", "--ticket-key",
              "ticket.pem.pub", "--release-key", "a.pem.pub",
              "--release-key", "b.pem.pub", "--release-threshold", "2",
              "--release-kinds", "esp256,hss", "-o", "root.cbor")
    tool.good("root", "sign", "root.cbor", "--key", "root.pem")
    (tool.folder / "fw.bin").write_bytes(firmware("1.0.0"))
    said = tool.refused(3, "release", "fw.bin", "--root", "root.cbor",
                        "--key", "a.pem")
    assert "threshold" in said
    r = tool.good("release", "fw.bin", "--root", "root.cbor", "--key",
                  "a.pem", "--key", "b.pem", "--json").json
    assert r["verified"] is True and len(r["signers"]) == 2
    left = tool.good("key", "show", "b.pem", "--json").json["keys"][0]
    assert left["signatures_left"] == 31


def test_server_init_makes_what_a_server_needs(tool):
    made = tool.good("server", "init", "srv", "--name", "updates.example.com",
                     "--name", "10.0.0.7", "--port", "9443", "--json").json
    assert made["url"] == "https://updates.example.com:9443"
    offline = {m["file"] for m in made["made"] if m["offline"]}
    assert all(f.startswith("srv/offline/") for f in offline)
    assert len(offline) == 3
    srv = tool.folder / "srv"
    for name in ("server.key", "ticket.pem", "operator.token", "operators",
                 "offline/ca.key", "offline/root-1.pem"):
        assert (srv / name).stat().st_mode & 0o777 == 0o600, name
    token = (srv / "operator.token").read_text().strip()
    assert token not in (srv / "operators").read_text()
    assert (hashlib.sha256(token.encode()).hexdigest()
            in (srv / "operators").read_text())
    seen = tool.good("inspect", srv / "root-1.cbor", "--json").json
    assert seen["files"][0]["verifies"] is True

    ca = x509.load_pem_x509_certificate((srv / "ca.pem").read_bytes())
    leaf = x509.load_pem_x509_certificate((srv / "server.pem").read_bytes())
    for one in (leaf, ca):
        assert one.issuer == ca.subject
        ca.public_key().verify(one.signature, one.tbs_certificate_bytes,
                               ec.ECDSA(hashes.SHA256()))
    names = leaf.extensions.get_extension_for_class(
        x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["updates.example.com"]
    assert [str(a) for a in names.get_values_for_type(x509.IPAddress)] == \
        ["10.0.0.7"]
    assert "0.0.0.0:9443" in (srv / "bowlined.conf").read_text()


def test_server_init_replaces_nothing(tool):
    tool.good("server", "init", "srv")
    assert "holds a server" in tool.refused(3, "server", "init", "srv")


def test_server_init_with_a_name_that_is_none(tool):
    said = tool.refused(3, "server", "init", "srv", "--name",
                        "x,DNS:evil.example")
    assert "neither a DNS name nor an address" in said


def test_init_from_a_server_folder_is_ready_to_release(tool):
    tool.good("server", "init", "srv")
    tool.good("init", "--product", "thermostat", "--vendor", "example.com",
              "--from", "srv")
    (tool.folder / "fw.bin").write_bytes(firmware("1.0.0"))
    assert tool.good("release", "fw.bin", "--json").json["verified"] is True


def test_server_init_prints_straight_columns(tool):
    for folder in ("s", "a-folder-with-a-rather-long-name"):
        lines = tool.good("server", "init", folder).out.splitlines()
        rows = [l for l in lines if l.startswith("  ")]
        at = {len(l) - len(l[2:].split("  ", 1)[1].lstrip()) for l in rows}
        assert len(rows) > 8 and len(at) == 1, lines


def test_a_release_key_that_was_moved_away(tool):
    tool.good("server", "init", "srv")
    made = tool.good("init", "--product", "thermostat", "--vendor",
                     "example.com", "--from", "srv")
    assert "release key" in made.out and "srv/offline/release.pem" in made.out
    (tool.folder / "srv/offline").rename(tool.folder / "vault")
    (tool.folder / "fw.bin").write_bytes(firmware("1.0.0"))
    said = tool.refused(3, "release", "fw.bin")
    assert "srv/offline/release.pem" in said
    assert "release_keys in bowline.conf" in said and "--key FILE" in said
    assert "release_keys" not in tool.refused(3, "release", "fw.bin", "--key",
                                              "nowhere.pem")
    tool.good("release", "fw.bin", "--key", "vault/release.pem")
    made = tool.good("init", "--product", "thermostat", "--vendor",
                     "example.com", "--from", "srv", "--force", "--json")
    assert made.json["release_key"] is None
