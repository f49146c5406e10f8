# SPDX-License-Identifier: Apache-2.0
"""Secure Boot V2 sectors, made and read after the format's description with
Python's cryptography: shares no code with Bowline's."""
import hashlib
import struct
import zlib

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

SECTOR, BLOCK = 4096, 1216
SCHEMES = ["rsa3072", "p192", "p256", "p384"]
NAMES = {"rsa3072": "RSA-3072", "p192": "ECDSA P-192", "p256": "ECDSA P-256",
         "p384": "ECDSA P-384"}
# curve, its id in the block, bytes of a coordinate
CURVES = {"p192": (ec.SECP192R1, 1, 24), "p256": (ec.SECP256R1, 2, 32),
          "p384": (ec.SECP384R1, 3, 48)}
PSS = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)


def new_key(scheme):
    if scheme == "rsa3072":
        return rsa.generate_private_key(65537, 3072)
    return ec.generate_private_key(CURVES[scheme][0]())


def pem(key):
    return key.private_bytes(serialization.Encoding.PEM,
                             serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption())


def public_pem(key):
    return key.public_key().public_bytes(
        serialization.Encoding.PEM,
        serialization.PublicFormat.SubjectPublicKeyInfo)


def scheme_of(public):
    if isinstance(public, rsa.RSAPublicKey):
        return "rsa3072"
    return {192: "p192", 256: "p256", 384: "p384"}[public.curve.key_size]


def digest_of(scheme, message):
    return (hashlib.sha384 if scheme == "p384" else hashlib.sha256)(message)


def prehashed(scheme):
    return utils.Prehashed(hashes.SHA384() if scheme == "p384"
                           else hashes.SHA256())


def key_field(public):
    scheme = scheme_of(public)
    numbers = public.public_numbers()
    if scheme == "rsa3072":
        n, e = numbers.n, numbers.e
        return (n.to_bytes(384, "little") + struct.pack("<I", e)
                + pow(2, 2 * 3072, n).to_bytes(384, "little")
                + struct.pack("<I", -pow(n, -1, 2 ** 32) % 2 ** 32))
    _, number, size = CURVES[scheme]
    return (bytes([number]) + numbers.x.to_bytes(size, "little")
            + numbers.y.to_bytes(size, "little")).ljust(
                97 if scheme == "p384" else 65, b"\0")


def key_digest(public):
    return hashlib.sha256(key_field(public)).hexdigest()


def block(key, message):
    public = key.public_key()
    scheme = scheme_of(public)
    digest = digest_of(scheme, message).digest()
    if scheme == "rsa3072":
        signature = key.sign(digest, PSS, prehashed(scheme))[::-1]
        head = bytes([0xE7, 2, 0, 0])
    else:
        size = CURVES[scheme][2]
        r, s = utils.decode_dss_signature(
            key.sign(digest, ec.ECDSA(prehashed(scheme))))
        signature = r.to_bytes(size, "little") + s.to_bytes(size, "little")
        head = bytes([0xE7, 3, int(scheme == "p384"), 0])
    out = (head + digest + key_field(public) + signature).ljust(1196, b"\0")
    return sealed(out)


def sealed(out):
    return out[:1196] + struct.pack("<I", zlib.crc32(out[:1196])) + bytes(16)


def signed(image, *keys):
    """`image` ends with its hash, or with its padding."""
    message = image + b"\xff" * (-len(image) % SECTOR)
    blocks = b"".join(block(k, message) for k in keys)
    return message + blocks.ljust(SECTOR, b"\xff")


def public_of(p):
    """The key of a block, from its own numbers."""
    if p[1] == 2:
        return "rsa3072", rsa.RSAPublicNumbers(
            int.from_bytes(p[420:424], "little"),
            int.from_bytes(p[36:420], "little")).public_key()
    at = 52 if p[2] == 1 else 36
    scheme = {1: "p192", 2: "p256", 3: "p384"}[p[at]]
    curve, _, size = CURVES[scheme]
    x, y = (int.from_bytes(p[at + 1 + i * size:at + 1 + (i + 1) * size],
                           "little") for i in (0, 1))
    return scheme, ec.EllipticCurvePublicNumbers(x, y, curve()).public_key()


def check_block(p, message):
    """Raises, or returns scheme and key digest."""
    assert len(p) == BLOCK and p[0] == 0xE7 and p[3] == 0
    scheme, public = public_of(p)
    assert (p[1], p[2]) == {"rsa3072": (2, 0), "p384": (3, 1)}.get(
        scheme, (3, 0))
    assert p == sealed(p)
    digest = digest_of(scheme, message).digest()
    assert p[4:4 + len(digest)] == digest
    at = 4 + len(digest)
    field = key_field(public)
    assert p[at:at + len(field)] == field  # also r and M'
    at += len(field)
    if scheme == "rsa3072":
        public.verify(p[at:at + 384][::-1], digest, PSS, prehashed(scheme))
        at += 384
    else:
        size = CURVES[scheme][2]
        r, s = (int.from_bytes(p[at + i * size:at + (i + 1) * size], "little")
                for i in (0, 1))
        public.verify(utils.encode_dss_signature(r, s), digest,
                      ec.ECDSA(prehashed(scheme)))
        at += 2 * size
    assert p[at:1196] == bytes(1196 - at)
    return scheme, hashlib.sha256(field).hexdigest()


def check(data, length):
    """A signed file whose image has `length` bytes: raises, or returns
    [(scheme, key digest)] of its blocks."""
    at = -(-length // SECTOR) * SECTOR
    assert len(data) == at + SECTOR
    assert data[length:at] == b"\xff" * (at - length)
    found = []
    sector = data[at:]
    while len(found) < 3 and sector[len(found) * BLOCK] == 0xE7:
        p = sector[len(found) * BLOCK:][:BLOCK]
        found.append(check_block(p, data[:at]))
    rest = sector[len(found) * BLOCK:]
    assert rest == b"\xff" * len(rest)
    assert found
    return found
