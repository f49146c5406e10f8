# SPDX-License-Identifier: Apache-2.0
"""Documents of the author library, read by code that shares nothing with it:
cbor2 for the structure, cryptography for signatures, hashlib for HSS/LMS."""
import base64
import hashlib
import io
import os
import subprocess
import uuid
from pathlib import Path

import cbor2
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils

ESP256, ED25519, HSS = -9, -19, -46


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    program = Path(os.environ["BOWLINE_BUILD"]) / "test-programs"
    folder = tmp_path_factory.mktemp("documents")
    subprocess.run([program / "make-documents", folder], check=True)
    return folder


@pytest.fixture(scope="module")
def keys(made):
    """kid -> (alg, verify function, COSE_Key members)."""
    found = {}
    p256 = serialization.load_pem_public_key(
        (made / "esp256.pub").read_bytes())
    numbers = p256.public_numbers()
    members = {1: 2, -1: 1, -2: numbers.x.to_bytes(32, "big"),
               -3: numbers.y.to_bytes(32, "big")}
    found[thumbprint(members)] = (ESP256, lambda m, s: check_p256(p256, m, s),
                                  members)
    ed = serialization.load_pem_public_key((made / "ed25519.pub").read_bytes())
    assert isinstance(ed, ed25519.Ed25519PublicKey)
    members = {1: 1, -1: 6, -2: ed.public_bytes(
        serialization.Encoding.Raw, serialization.PublicFormat.Raw)}
    found[thumbprint(members)] = (ED25519, lambda m, s: ed.verify(s, m),
                                  members)
    lines = (made / "hss-h5.pub").read_text().split("\n")
    assert lines[0] == "-----BEGIN BOWLINE HSS PUBLIC KEY-----"
    public = base64.b64decode("".join(lines[1:-2]))
    members = {1: 5, -1: public}
    found[thumbprint(members)] = (HSS, lambda m, s: check_hss(public, m, s),
                                  members)
    return found


def thumbprint(members):
    encoded = cbor2.dumps(members, canonical=True)
    return hashlib.sha256(encoded).digest()[:8]


def check_p256(key, message, signature):
    assert len(signature) == 64
    r = int.from_bytes(signature[:32], "big")
    s = int.from_bytes(signature[32:], "big")
    assert isinstance(key.curve, ec.SECP256R1)
    key.verify(utils.encode_dss_signature(r, s), message,
               ec.ECDSA(hashes.SHA256()))


def u32(n):
    return n.to_bytes(4, "big")


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def check_hss(public, message, signature):
    """RFC 8554 section 6.3 for one level, SHA256_M32_H5, N32_W8."""
    assert public[:12] == u32(1) + u32(5) + u32(4)
    identifier, top = public[12:28], public[28:]
    assert signature[:4] == u32(0) and len(signature) == 1296
    q = signature[4:8]
    assert signature[8:12] == u32(4)
    c, y = signature[12:44], signature[44:44 + 34 * 32]
    assert signature[44 + 34 * 32:48 + 34 * 32] == u32(5)
    path = signature[48 + 34 * 32:]
    digest = sha(identifier, q, b"\x81\x81", c, message)
    digest += sum(255 - d for d in digest).to_bytes(2, "big")
    ends = b""
    for i, digit in enumerate(digest):
        value = y[32 * i:32 * i + 32]
        for j in range(digit, 255):
            value = sha(identifier, q, i.to_bytes(2, "big"), bytes([j]), value)
        ends += value
    node = 32 + int.from_bytes(q, "big")
    value = sha(identifier, u32(node), b"\x82\x82",
                sha(identifier, q, b"\x80\x80", ends))
    for level in range(5):
        other = path[32 * level:32 * level + 32]
        pair = other + value if node & 1 else value + other
        node //= 2
        value = sha(identifier, u32(node), b"\x83\x83", pair)
    if value != top:
        raise InvalidSignature


def read(data):
    """One CBOR item that fills `data`, and is deterministic: the canonical
    encoder makes the same bytes of it."""
    stream = io.BytesIO(data)
    item = cbor2.load(stream)
    assert stream.read() == b""
    assert cbor2.dumps(item, canonical=True) == data
    return item


def check_sign1(message, keys, aad, payload):
    assert message.tag == 18
    header, open_header, attached, signature = message.value
    kid = open_header[4]
    alg, verify, _ = keys[kid]
    assert read(header) == {1: alg}
    structure = cbor2.dumps(["Signature1", header, aad,
                             attached if payload is None else payload])
    verify(structure, signature)
    with pytest.raises(InvalidSignature):
        verify(structure + b"\0", signature)
    return kid


def check_sign(data, keys, aad):
    message = read(data)
    assert message.tag == 98
    body, open_header, payload, signatures = message.value
    assert body == b"" and open_header == {}
    kids = []
    for header, open_header, signature in signatures:
        alg, verify, _ = keys[open_header[4]]
        assert read(header) == {1: alg}
        verify(cbor2.dumps(["Signature", b"", header, aad, payload]),
               signature)
        kids.append(open_header[4])
    return read(payload), kids


def bstr(content):
    return cbor2.dumps(content)


def open_envelope(data, keys):
    outer = read(data)
    assert outer.tag == 107
    envelope = outer.value
    wrapper = read(envelope[2])
    digest = read(wrapper[0])
    assert digest == [-16, hashlib.sha256(bstr(envelope[3])).digest()]
    for block in wrapper[1:]:
        check_sign1(read(block), keys, b"", wrapper[0])
    return envelope, read(envelope[3]), len(wrapper) - 1


def suit_digest(content):
    return cbor2.dumps([-16, hashlib.sha256(content).digest()])


def ids():
    vendor = uuid.uuid5(uuid.NAMESPACE_DNS, "example.com")
    return vendor.bytes, uuid.uuid5(vendor, "thermostat").bytes


def test_one_image_signed_with_hss(made, keys):
    envelope, manifest, blocks = open_envelope(
        (made / "one-image.suit").read_bytes(), keys)
    app = b"\1" + bytes(999)
    vendor, product = ids()
    assert blocks == 1
    assert list(manifest) == [1, 2, 3, 6, 7, 9, 20, 23]
    assert manifest[1] == 1 and manifest[2] == 42
    common = read(manifest[3])
    assert common[2] == [[b"app"]]
    assert read(common[4]) == [
        20, {1: vendor, 2: product, 3: suit_digest(app), 14: 1000},
        1, 15, 2, 15]
    assert read(manifest[6]) == [2, 1, -1, 3]
    assert read(manifest[7]) == [3, 15]
    assert read(manifest[9]) == [23, 2]
    uri = "payloads/" + hashlib.sha256(app).hexdigest()
    assert read(manifest[20]) == [20, {21: uri}, 21, 2, 3, 15]
    assert manifest[23] == [
        -16, hashlib.sha256(bstr(envelope[23])).digest()]
    (language, components), = cbor2.loads(envelope[23]).items()
    assert language == "en"
    assert components == {(b"app",): {1: "Example GmbH", 2: "Thermostat",
                                      6: "2.1-rc.3"}}


def test_two_images_signed_twice(made, keys):
    envelope, manifest, blocks = open_envelope(
        (made / "two-images.suit").read_bytes(), keys)
    app, radio = b"\1" + bytes(999), b"\2" + bytes(499)
    vendor, product = ids()
    assert blocks == 2
    common = read(manifest[3])
    assert common[2] == [[b"app"], [b"radio", b"fw"]]
    assert read(common[4]) == [
        12, [0, 1], 20, {1: vendor, 2: product}, 1, 15, 2, 15,
        12, 0, 20, {3: suit_digest(app), 14: 1000},
        20, {28: cbor2.dumps([2, [2, 0]])}, 28, 15,
        12, 1, 20, {3: suit_digest(radio), 14: 500}]
    uri = "payloads/" + hashlib.sha256(app).hexdigest()
    assert read(manifest[20]) == [
        12, 0, 20, {21: uri}, 12, 1, 20, {21: "#radio/fw"},
        12, [0, 1], 21, 2, 12, True, 3, 15]
    assert read(manifest[7]) == [12, True, 3, 15]
    assert read(manifest[9]) == [12, 0, 23, 2]
    assert envelope["#radio/fw"] == radio


def test_root_document(made, keys):
    content, kids = check_sign((made / "root.cose").read_bytes(), keys,
                               b"Bowline-Root-1")
    by_alg = {alg: kid for kid, (alg, _, _) in keys.items()}
    assert kids == [by_alg[ESP256], by_alg[ED25519]]
    assert [content[k] for k in (1, 2, 3, 6, 7)] == [
        1, 1, 1790000000, 3, 100000]
    for cose_key in content[4]:
        alg, _, members = keys[cose_key[2]]
        assert cose_key == {**members, 2: cose_key[2], 3: alg}
    assert content[5] == {
        1: {1: 2, 2: [by_alg[ESP256], by_alg[ED25519], by_alg[HSS]]},
        2: {1: 1, 2: [by_alg[ED25519]], 3: [[b"app"]]},
        3: {1: 1, 2: [by_alg[ED25519]]}}


def test_ticket(made, keys):
    data = (made / "ticket.cose").read_bytes()
    assert len(data) <= 256
    message = read(data)
    check_sign1(message, keys, b"Bowline-Ticket-1", None)
    assert read(message.value[2]) == {
        4: 1790003600, 6: 1790000000, 10: b"\7\7\7" + bytes(13),
        -65537: bytes(15) + b"\x09", -65538: [-16, bytes(31) + b"\x08"],
        -65539: 1}


def test_permit(made, keys):
    content, kids = check_sign((made / "permit.cose").read_bytes(), keys,
                               b"Bowline-Permit-1")
    assert len(set(kids)) == 2
    assert content == {
        4: 1790003600, 6: 1790000000, -65538: [-16, b"\x06" + bytes(31)],
        -65540: b"\x05" + bytes(15)}


def test_private_keys_are_for_their_owner_only(made):
    for name in ("esp256", "ed25519", "hss-h5"):
        assert (made / f"{name}.key").stat().st_mode & 0o777 == 0o600
