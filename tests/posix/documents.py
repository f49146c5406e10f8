# SPDX-License-Identifier: Apache-2.0
"""Bowline's documents, written down a second time, from docs/SPEC.md: what
the tests of the board sign with, so that they do not test the author's code
with itself."""
import hashlib

import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import \
    Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (Encoding,
                                                          PublicFormat)

ED25519 = -19
SHA256 = -16
COMPONENT = [b"app"]
VENDOR = bytes.fromhex("5bd2c1f6a0e04c3a8f6f4a1d2e3f4a5b")
CLASS = bytes.fromhex("0e8d7c6b5a49483798a1b2c3d4e5f607")


def cbor(value):
    return cbor2.dumps(value, canonical=True)


def digest_item(content):
    return [SHA256, hashlib.sha256(content).digest()]


class Key:
    def __init__(self):
        self.private = Ed25519PrivateKey.generate()
        self.x = self.private.public_key().public_bytes(Encoding.Raw,
                                                        PublicFormat.Raw)
        thumbprint = cbor({1: 1, -1: 6, -2: self.x})  # RFC 9679
        self.kid = hashlib.sha256(thumbprint).digest()[:8]

    def cose(self):
        return {1: 1, 2: self.kid, 3: ED25519, -1: 6, -2: self.x}


def sign1(key, payload, aad=b"", attached=True):
    header = cbor({1: ED25519})
    to_sign = cbor(["Signature1", header, aad, payload])
    return cbor(cbor2.CBORTag(18, [header, {4: key.kid},
                                   payload if attached else None,
                                   key.private.sign(to_sign)]))


def root_document(root, release, ticket, version=1):
    content = cbor({1: 1, 2: version, 3: 1700000000,
                    4: [k.cose() for k in (root, release, ticket)],
                    5: {1: {1: 1, 2: [root.kid]}, 2: {1: 1, 2: [release.kid]},
                        3: {1: 1, 2: [ticket.kid]}}})
    header = cbor({1: ED25519})
    to_sign = cbor(["Signature", b"", header, b"Bowline-Root-1", content])
    return cbor(cbor2.CBORTag(98, [b"", {}, content, [
        [header, {4: root.kid}, root.private.sign(to_sign)]]]))


def manifest(sequence, version, image, class_id=CLASS, vendor_id=VENDOR):
    digest = hashlib.sha256(image).digest()
    shared = [20, {1: vendor_id, 2: class_id, 3: cbor([SHA256, digest]),
                   14: len(image)}, 1, 15, 2, 15]
    install = [20, {21: "payloads/" + digest.hex()}, 21, 2, 3, 15]
    numbers = [int(n) for n in version.split(".")]
    text = cbor({"en": {"@": {6: version}}}).replace(
        b"\x61@", cbor(COMPONENT))  # a map key that Python can't hash
    return cbor({1: 1, 2: sequence,
                 3: cbor({2: [COMPONENT], 4: cbor(shared)}),
                 6: cbor(numbers), 7: cbor([3, 15]), 9: cbor([23, 2]),
                 20: cbor(install), 23: text})


def delta_manifest(sequence, version, image, base, patch):
    """With a patch of its own for who runs `base`: SPEC.md, "Deltas in a
    manifest", the base's digest in shared as the profile's vectors have it."""
    digest = hashlib.sha256(image).digest()
    shared = [12, 0, 20, {1: VENDOR, 2: CLASS, 3: cbor([SHA256, digest]),
                          14: len(image)}, 1, 15, 2, 15,
              12, 1, 20, {3: cbor(digest_item(base)), 14: len(base)}]
    by_patch = [12, 1, 3, 15,
                12, 2, 20, {3: cbor(digest_item(patch)), 14: len(patch),
                            21: "payloads/"
                            + hashlib.sha256(patch).hexdigest()}, 21, 2, 3, 15,
                12, 0, 20, {22: 2, -258: cbor({1: 1, 2: 1})}, -257, 15]
    whole = [12, 0, 20, {21: "payloads/" + digest.hex()}, 21, 2]
    install = [12, 0, 15, [cbor(by_patch), cbor(whole)], 12, 0, 3, 15]
    return cbor({1: 1, 2: sequence,
                 3: cbor({2: [COMPONENT, [b"app", b"active"], [b"stage"]],
                          4: cbor(shared)}),
                 6: cbor([int(n) for n in version.split(".")]),
                 7: cbor([12, 0, 3, 15]), 9: cbor([12, 0, 23, 2]),
                 20: cbor(install)})


def manifest_digest(content):
    """Over the manifest with the head of its byte string."""
    return hashlib.sha256(cbor(content)).digest()


def envelope(key, content):
    item = cbor([SHA256, manifest_digest(content)])
    wrapper = cbor([item, sign1(key, item, attached=False)])
    return cbor(cbor2.CBORTag(107, {2: wrapper, 3: content}))


def ticket(key, device, nonce, digest, root_version=1, issued=1700000000):
    payload = cbor({4: issued + 3600, 6: issued, 10: nonce, -65537: device,
                    -65538: [SHA256, digest], -65539: root_version})
    return sign1(key, payload, b"Bowline-Ticket-1")


class Release:
    """A version of the product: image and signed envelope."""

    def __init__(self, key, sequence, version, image, patch=None, **other):
        self.sequence, self.version, self.image = sequence, version, image
        content = manifest(sequence, version, image, **other) \
            if patch is None else delta_manifest(sequence, version, image,
                                                 *patch)
        self.digest = manifest_digest(content)
        self.envelope = envelope(key, content)
        self.image_digest = hashlib.sha256(image).digest()
