# SPDX-License-Identifier: Apache-2.0
"""A release whose image is linked for its slot: what is confirmed where."""
import hashlib
import uuid

import cbor2
from bowline_server import CONFIRMED, DOMAIN, PRODUCT
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature)

IMAGES = [b"image for slot A" * 60, b"image for slot B" * 60]
DIGESTS = [hashlib.sha256(image).digest() for image in IMAGES]


def encode(value):
    return cbor2.dumps(value, canonical=True)


def for_slot(i, then):
    """A sequence that holds in slot `i` only."""
    take = [20, {3: encode([-16, DIGESTS[i]]), 14: len(IMAGES[i]),
                 21: "payloads/" + DIGESTS[i].hex()}]
    return encode([20, {5: i}, 5, 5] + take + then)


def signed(manifest, key):
    digest = encode([-16, hashlib.sha256(encode(manifest)).digest()])
    head = encode({1: -9})
    r, s = decode_dss_signature(key.sign(
        encode(["Signature1", head, b"", digest]), ec.ECDSA(hashes.SHA256())))
    block = encode(cbor2.CBORTag(
        18, [head, {}, None, r.to_bytes(32, "big") + s.to_bytes(32, "big")]))
    return encode(cbor2.CBORTag(
        107, {2: encode([digest, block]), 3: manifest}))


def slot_linked(server):
    vendor = uuid.uuid5(uuid.NAMESPACE_DNS, DOMAIN)
    identity = {1: vendor.bytes, 2: uuid.uuid5(vendor, PRODUCT).bytes}
    common = {2: [[b"app"]], 4: encode([20, identity, 1, 15, 2, 15])}
    manifest = encode({
        1: 1, 2: 5, 3: encode(common), 6: encode([1, 5, 0]),
        7: encode([15, [for_slot(i, [3, 15]) for i in (0, 1)]]),
        9: encode([23, 2]),
        20: encode([15, [for_slot(i, [21, 15, 3, 15]) for i in (0, 1)]])})
    key = serialization.load_pem_private_key(
        (server.folder / "release.key").read_bytes(), None)
    for image in IMAGES:
        server.put_payload(image)
    return server.api("POST", "/releases", signed(manifest, key),
                      expect=201).json


def install(device, release, slot, image):
    device.facts[5] = 1 - slot
    device.poll()
    device.facts.update({
        4: bytes.fromhex(release["manifest"]), 5: slot, 6: CONFIRMED, 7: True,
        8: 5, 12: release["version"], 14: 5, 15: image})
    device.poll()


def test_an_image_linked_for_its_slot_is_confirmed_in_either(server):
    release = slot_linked(server)
    rollout = server.api("POST", "/rollouts", {
        "product": PRODUCT, "version": release["version"], "stages": [100]},
        expect=201).json
    for slot in (0, 1):
        device = server.register()
        install(device, release, slot, DIGESTS[slot])
    wrong = server.register()
    install(wrong, release, 1, DIGESTS[0])
    shown = server.api("GET", f"/rollouts/{rollout['id']}", expect=200).json
    assert shown["counts"]["confirmed"] == 2, shown


def test_payloads_are_for_the_product_whose_release_names_them(server):
    release = slot_linked(server)
    loose = server.put_payload(b"in no release").json["sha256"]
    server.api("POST", "/products",
               {"name": "lamp", "vendor_domain": DOMAIN}, expect=201)
    own, lamp = server.register(), server.register(product="lamp")
    for digest, image in zip(DIGESTS, IMAGES):
        assert own.get(f"/payloads/{digest.hex()}").body == image
        assert lamp.get(f"/payloads/{digest.hex()}").status == 404
    assert own.get(f"/payloads/{loose}").status == 404
    assert lamp.get(f"/manifests/{release['manifest']}").status == 404
