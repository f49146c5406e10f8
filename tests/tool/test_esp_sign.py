# SPDX-License-Identifier: Apache-2.0
"""Secure Boot V2: what we sign, an independent reader takes, and the
reverse; what is refused, and why."""
import pytest
import secure_boot as sb
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from .conftest import SAMPLES
from esp_made import application, descriptor

IMAGE = application()


class Key:
    def __init__(self, folder, name, key):
        self.key = key
        self.path = write_key(folder / f"{name}.pem", sb.pem(key))
        self.public = folder / f"{name}.pub"
        self.public.write_bytes(sb.public_pem(key))
        self.digest = sb.key_digest(key.public_key())


def write_key(path, pem):
    path.write_bytes(pem)
    path.chmod(0o600)
    return path


@pytest.fixture(scope="session")
def keys(tmp_path_factory):
    """keys("p256"), keys("p256", 1): made once each."""
    folder = tmp_path_factory.mktemp("keys")
    made = {}

    def get(scheme, number=0):
        name = f"{scheme}-{number}"
        if name not in made:
            made[name] = Key(folder, name, sb.new_key(scheme))
        return made[name]

    return get


@pytest.fixture
def image(tool):
    path = tool.folder / "app.bin"
    path.write_bytes(IMAGE)
    return path


def key_options(*keys):
    return [word for k in keys for word in ("--key", k.path)]


# --- Both ways ---------------------------------------------------------------

@pytest.mark.parametrize("scheme", sb.SCHEMES)
def test_what_we_sign_an_independent_reader_takes(tool, image, keys, scheme):
    k = keys(scheme)
    made = tool.good("esp", "sign", image, "--key", k.path, "-o", "out.bin",
                     "--json").json
    data = (tool.folder / "out.bin").read_bytes()
    assert sb.check(data, len(IMAGE)) == [(scheme, k.digest)]
    assert data[:len(IMAGE)] == IMAGE == image.read_bytes()
    assert made["sector"] == 4096 and made["size"] == len(data) == 8192
    assert made["blocks"] == [{
        "block": 1, "scheme": sb.NAMES[scheme], "key": k.digest, "good": True,
        "problem": None}]


@pytest.mark.parametrize("scheme", sb.SCHEMES)
@pytest.mark.parametrize("n", [1, 2, 3])
def test_what_others_sign_we_take(tool, image, keys, scheme, n):
    own = [keys(scheme, i) for i in range(n)]
    image.write_bytes(sb.signed(IMAGE, *(k.key for k in own)))
    for k in own:
        seen = tool.good("esp", "verify", image, "--key", k.public,
                         "--json").json
        assert seen["verifies"] is seen["known_key"] is seen["signed"] is True
        assert [b["key"] for b in seen["blocks"]] == [k.digest for k in own]
        assert all(b["scheme"] == sb.NAMES[scheme] for b in seen["blocks"])
    seen = tool.good("esp", "digest", image, "--json").json["keys"]
    assert [(d["block"], d["digest"]) for d in seen] == \
        [(i + 1, k.digest) for i, k in enumerate(own)]


def test_real_images_are_signed_where_their_end_is(tool, keys):
    k = keys("p256")
    tried = 0
    for path in sorted(SAMPLES.rglob("*.bin")):
        seen = tool("inspect", path, "--json").json["files"][0]
        if "chip_id" not in seen or not seen["verifies"]:
            continue
        tool.good("esp", "sign", path, "--key", k.path, "-o", "out.bin",
                  "--force")
        data = (tool.folder / "out.bin").read_bytes()
        assert sb.check(data, seen["length"]) == [("p256", k.digest)]
        assert data[:seen["length"]] == path.read_bytes()[:seen["length"]]
        tool.good("esp", "verify", "out.bin", "--key", k.path)
        tried += 1
    assert tried >= 5


@pytest.mark.parametrize("size", [4096, 8192 - 16, 8192])
def test_the_sector_follows_an_image_that_ends_near_a_sector(tool, keys,
                                                             size):
    filler = size - len(application(segments=[])) - 8
    data = application(segments=[(0x40374000, bytes(filler // 4 * 4))])
    assert abs(len(data) - size) <= 16
    (tool.folder / "a.bin").write_bytes(data)
    tool.good("esp", "sign", "a.bin", "--key", keys("p256").path)
    assert sb.check((tool.folder / "a.bin").read_bytes(), len(data))


def test_every_form_of_a_key_file_gives_the_same_digest(tool, keys):
    for scheme in ("rsa3072", "p256"):
        k = keys(scheme)
        old = write_key(tool.folder / "old.pem", k.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption()))
        seen = tool.good("esp", "digest", k.path, k.public, old, "--json").json
        assert [d["digest"] for d in seen["keys"]] == [k.digest] * 3
        assert seen["keys"][0]["block"] is None
    tool.good("esp", "digest", k.path, "-o", "efuse.bin")
    assert (tool.folder / "efuse.bin").read_bytes().hex() == k.digest
    assert "name one key" in tool.refused(
        3, "esp", "digest", k.path, keys("rsa3072").path, "-o", "two.bin")
    assert tool.good("esp", "digest", k.path).out == \
        f"{k.digest}  ECDSA P-256  {k.path}\n"


def test_a_release_key_of_ours_signs_images_too(tool, image):
    tool.good("key", "new", "sb.pem")
    tool.good("esp", "sign", image, "--key", "sb.pem")
    public = serialization.load_pem_public_key(
        (tool.folder / "sb.pem.pub").read_bytes())
    assert sb.check(image.read_bytes(), len(IMAGE)) == \
        [("p256", sb.key_digest(public))]


# --- More than one signature ---------------------------------------------------

@pytest.mark.parametrize("scheme", ["rsa3072", "p256"])
def test_a_signature_is_appended_and_nothing_before_it_changes(
        tool, image, keys, scheme):
    own = [keys(scheme, i) for i in range(3)]
    before = None
    for i, k in enumerate(own):
        tool.good("esp", "sign", image, "--key", k.path,
                  *(["--append"] if i else []))
        data = image.read_bytes()
        assert len(data) == 8192
        if before:
            assert data[:4096 + i * 1216] == before[:4096 + i * 1216]
        before = data
        assert sb.check(data, len(IMAGE)) == \
            [(scheme, o.digest) for o in own[:i + 1]]
    said = tool.refused(3, "esp", "sign", image, "--append", "--key",
                        keys(scheme, 3).path)
    assert "three at most" in said and image.read_bytes() == before


def test_three_keys_at_once_sign_in_their_order(tool, image, keys):
    own = [keys("p256", i) for i in (2, 0, 1)]
    tool.good("esp", "sign", image, *key_options(*own))
    assert sb.check(image.read_bytes(), len(IMAGE)) == \
        [("p256", k.digest) for k in own]


def test_ours_is_appended_to_what_others_signed(tool, image, keys):
    first, second = keys("p256"), keys("p256", 1)
    image.write_bytes(sb.signed(IMAGE, first.key))
    tool.good("esp", "sign", image, "--append", "--key", second.path)
    assert sb.check(image.read_bytes(), len(IMAGE)) == \
        [("p256", first.digest), ("p256", second.digest)]


def test_append_also_begins_a_sector(tool, image, keys):
    k = keys("p256")
    tool.good("esp", "sign", image, "--append", "--key", k.path)
    assert sb.check(image.read_bytes(), len(IMAGE)) == [("p256", k.digest)]


# --- Refusals ------------------------------------------------------------------

def refused_and_unchanged(tool, path, code, *args):
    before = path.read_bytes()
    said = tool.refused(code, "esp", "sign", path, *args)
    assert path.read_bytes() == before
    return said


def test_a_signed_image_is_not_signed_once_more(tool, image, keys):
    k = keys("p256")
    tool.good("esp", "sign", image, "--key", k.path)
    said = refused_and_unchanged(tool, image, 3, "--key",
                                 keys("p256", 1).path)
    assert "signed already" in said and "--append" in said
    assert k.digest[:16] in said


def test_no_key_signs_twice_and_schemes_do_not_mix(tool, image, keys):
    k = keys("p256")
    both = key_options(k, k)
    assert "already" in refused_and_unchanged(tool, image, 3, *both)
    mixed = key_options(k, keys("rsa3072"))
    assert "one scheme only" in refused_and_unchanged(tool, image, 3, *mixed)
    tool.good("esp", "sign", image, "--key", k.path)
    assert "already" in refused_and_unchanged(
        tool, image, 3, "--append", "--key", k.path)
    assert "one scheme only" in refused_and_unchanged(
        tool, image, 3, "--append", "--key", keys("p384").path)


def test_nothing_is_put_beside_a_signature_that_does_not_hold(tool, image,
                                                              keys):
    for at, says in ((700, "not what was signed"), (4096 + 820, "CRC"),
                     (8191, "not FF")):
        data = bytearray(sb.signed(application(hashed=False),
                                   keys("rsa3072").key))
        if at == 700:
            at = len(application(hashed=False)) + 5  # in the fill
        data[at] ^= 1
        image.write_bytes(data)
        said = refused_and_unchanged(tool, image, 3, "--append", "--key",
                                     keys("rsa3072", 1).path)
        assert says in said and "anew" in said


@pytest.mark.parametrize("tail, good", [
    (b"\xff" * 100, True), (b"\xff" * 9000, True), (b"x", False),
    (b"\xff" * 8000 + b"\0", False)])
def test_only_ff_may_follow_what_is_signed(tool, image, keys, tail, good):
    k = keys("p256")
    image.write_bytes(IMAGE + tail)
    if good:
        tool.good("esp", "sign", image, "--key", k.path)
        assert sb.check(image.read_bytes(), len(IMAGE))
    else:
        assert "follow the image" in refused_and_unchanged(
            tool, image, 3, "--key", k.path)


def test_a_damaged_image_is_not_signed(tool, image, keys):
    data = bytearray(IMAGE)
    data[400] ^= 1
    image.write_bytes(data)
    assert "damaged" in refused_and_unchanged(tool, image, 3, "--key",
                                              keys("p256").path)
    image.write_bytes(IMAGE[:500])
    assert "damaged" in refused_and_unchanged(tool, image, 3, "--key",
                                              keys("p256").path)


def test_what_is_no_image_of_the_family_is_refused(tool, image, keys):
    image.write_bytes(b"hello" * 100)
    for verb in (("sign", image, "--key", keys("p256").path),
                 ("verify", image)):
        assert "no image of the ESP32 family" in tool.refused(3, "esp", *verb)
    old = next(SAMPLES.rglob("ESP8266/*hello*.bin"), None)
    assert old is not None
    assert "ESP8266" in tool.refused(3, "esp", "sign", old, "--key",
                                     keys("p256").path, "-o", "x.bin")


def test_keys_that_cannot_be_are_refused(tool, image, keys):
    f = tool.folder
    for name, key, says in (
            ("rsa2048", rsa.generate_private_key(65537, 2048), "3072"),
            ("ed", ed25519.Ed25519PrivateKey.generate(), "RSA-3072"),
            ("p521", ec.generate_private_key(ec.SECP521R1()), "P-256")):
        path = write_key(f / f"{name}.pem", sb.pem(key))
        for verb in (("sign", image, "--key", path), ("digest", path)):
            said = tool.refused(3, "esp", *verb)
            assert says in said and path.name in said
    locked = write_key(f / "locked.pem", keys("p256").key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret")))
    assert "pass phrase" in refused_and_unchanged(tool, image, 3, "--key",
                                                  locked)
    assert "private key" in refused_and_unchanged(
        tool, image, 3, "--key", keys("p256").public)
    open_to_all = write_key(f / "open.pem", sb.pem(keys("p256").key))
    open_to_all.chmod(0o644)
    assert "open.pem" in refused_and_unchanged(tool, image, 3, "--key",
                                               open_to_all)
    assert "--key" in tool.refused(2, "esp", "sign", image)
    four = key_options(*(keys("p256", i) for i in range(4)))
    assert "at most three" in refused_and_unchanged(tool, image, 2, *four)


def test_a_file_that_is_there_is_not_replaced_without_force(tool, image,
                                                            keys):
    (tool.folder / "there.bin").write_text("mine")
    args = ("--key", keys("p256").path, "-o", "there.bin")
    assert "there already" in refused_and_unchanged(tool, image, 3, *args)
    assert (tool.folder / "there.bin").read_text() == "mine"
    tool.good("esp", "sign", image, *args, "--force")


# --- Verifying -----------------------------------------------------------------

def no(tool, *args):
    result = tool("esp", "verify", *args, "--json")
    assert result.code == 1, result.out + result.err
    assert result.json["verifies"] is False
    return result.json["problem"]


def test_verify_says_no_for_a_key_that_did_not_sign(tool, image, keys):
    k, other = keys("p256"), keys("p256", 1)
    assert "not signed" in no(tool, image)
    image.write_bytes(sb.signed(IMAGE, k.key))
    assert "none of the keys" in no(tool, image, "--key", other.path)
    assert "none of the keys" in no(tool, image, "--digest", other.digest)
    tool.good("esp", "verify", image, "--digest", k.digest)
    tool.good("esp", "verify", image, "--digest", k.digest, "--key",
              other.public)
    bare = tool.good("esp", "verify", image)
    assert "whose counts" in bare.err
    assert "with the keys that it carries" in bare.out
    assert tool.good("esp", "verify", image, "--json").json["known_key"] \
        is None
    assert "64 hex" in tool.refused(3, "esp", "verify", image, "--digest",
                                    "abc")


def test_without_hardware_only_the_first_signature_counts(tool, image, keys):
    first, second = keys("p256"), keys("p256", 1)
    image.write_bytes(sb.signed(IMAGE, first.key, second.key))
    args = (image, "--key", second.path)
    tool.good("esp", "verify", *args, "--secure-boot", "on")
    assert "first one only" in no(tool, *args, "--secure-boot", "off")
    tool.good("esp", "verify", image, "--key", first.path, "--secure-boot",
              "off")


def test_an_esp32_reads_one_block_even_with_hardware(tool, image, keys):
    first, second = keys("rsa3072"), keys("rsa3072", 1)
    # Behind its head this segment lies as the chip's pages want it.
    data = application(chip=0, segments=[
        (0x3F400020, descriptor("1.0.0", "thermostat") + bytes(256)),
        (0x40370228, bytes(0x4000))])
    image.write_bytes(sb.signed(data, first.key, second.key))
    args = (image, "--key", second.path, "--secure-boot", "on")
    assert "first one only" in no(tool, *args)


def test_an_image_that_was_signed_twice_over_is_seen_through(tool, image,
                                                             keys):
    """As other tools do it: the sector becomes payload of a second one."""
    once = sb.signed(IMAGE, keys("p256").key)
    image.write_bytes(sb.signed(once, keys("p256", 1).key))
    assert "signed twice" in no(tool, image)
    image.write_bytes(once + b"more")
    assert "nothing signs" in no(tool, image)
    image.write_bytes(once[:-1])
    assert "ends inside" in no(tool, image)


def test_a_forged_key_helper_is_caught(tool, image, keys):
    """r and M' of an RSA key are its digest's business, and the chip's."""
    for at in (424, 808):
        data = bytearray(sb.signed(IMAGE, keys("rsa3072").key))
        data[4096 + at] ^= 1
        p = bytes(data[4096:4096 + sb.BLOCK])
        data[4096:4096 + sb.BLOCK] = sb.sealed(p)
        image.write_bytes(data)
        assert "does not verify" in no(tool, image)


def test_inspect_says_who_signed_and_whether_it_holds(tool, image, keys):
    k = keys("p256")
    assert "signatures" not in \
        tool.good("inspect", image, "--json").json["files"][0]
    image.write_bytes(sb.signed(IMAGE, k.key))
    seen = tool.good("inspect", image, "--json").json["files"][0]
    assert seen["verifies"] is True
    assert [(s["key"], s["good"]) for s in seen["signatures"]] == \
        [(k.digest, True)]
    data = bytearray(image.read_bytes())
    data[4096 + 110] ^= 1
    image.write_bytes(data)
    result = tool("inspect", image, "--json")
    assert result.code == 1
    seen = result.json["files"][0]
    assert seen["verifies"] is False and "signature 1" in seen["problem"]
