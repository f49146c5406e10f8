# SPDX-License-Identifier: Apache-2.0
"""The key that a fleet runs: a release that the fleet would refuse is
refused before it is made, and before it is published."""
import pytest
import secure_boot as sb

from esp_made import application, descriptor


class Fleet:
    """A project, and images signed by keys "a", "b", "c"."""

    def __init__(self, project, made):
        self.tool = project
        self.conf = project.folder / "bowline.conf"
        self.text = self.conf.read_text()
        self.key = made
        self.digest = {name: sb.key_digest(key.public_key())
                       for name, key in made.items()}
        self.count = 0

    def says(self, **settings):
        lines = [f'{name} = ( {", ".join(f"{chr(34)}{v}{chr(34)}" for v in x)}'
                 f' );' if isinstance(x, list) else f'{name} = "{x}";'
                 for name, x in settings.items()]
        self.conf.write_text(self.text + "\n".join(lines) + "\n")

    def image(self, signers, chip=9):
        """A new version, signed by each of the letters."""
        self.count += 1
        version = f"1.0.{self.count}"
        segments = None
        if chip == 0:
            segments = [(0x3F400020,
                         descriptor(version, "thermostat") + bytes(256)),
                        (0x40370228, bytes(0x4000))]
        data = application(version, chip=chip, segments=segments)
        if signers:
            data = sb.signed(data, *(self.key[s] for s in signers))
        path = self.tool.folder / f"fw-{version}.bin"
        path.write_bytes(data)
        return path

    def takes(self, signers, **more):
        return self.tool.good("release", self.image(signers, **more),
                              "--json").json

    def refuses(self, signers, **more):
        path = self.image(signers, **more)
        said = self.tool.refused(3, "release", path)
        left = list((self.tool.folder / "releases").glob(f"*{path.stem[3:]}*"))
        assert left == []
        return said


@pytest.fixture(scope="session")
def made():
    return {name: sb.new_key("p256") for name in "abc"}


@pytest.fixture
def fleet(project, made):
    return Fleet(project, made)


def test_without_hardware_the_key_cannot_change(fleet):
    fleet.takes("a")
    said = fleet.refuses("b")
    assert "no update can change the key" in said
    assert fleet.digest["a"][:16] in said and fleet.digest["b"][:16] in said
    assert "thermostat-1.0.1.suit" in said and "esp_secure_boot" in said
    fleet.takes("a")


def test_without_hardware_the_first_block_must_be_the_fleets(fleet):
    fleet.takes("a")
    said = fleet.refuses("ba")
    assert "block 2" in said and "only the first" in said
    fleet.takes("ab")
    assert "no update can change" in fleet.refuses("b")  # "a" is the anchor
    fleet.takes("a")


def test_a_fleet_of_signed_images_takes_none_without_signature(fleet):
    fleet.takes("")  # nobody has said anything of keys
    fleet.takes("a")
    said = fleet.refuses("")
    assert "not signed" in said and "bowline esp sign" in said


def test_with_hardware_any_key_of_the_chips_will_do(fleet):
    fleet.says(esp_secure_boot="on")
    fleet.takes("ab")
    fleet.takes("b")
    fleet.takes("cb")
    assert "none would start it" in fleet.refuses("a")
    fleet.says(esp_secure_boot="on",
               esp_key_digests=[fleet.digest["a"], fleet.digest["b"]])
    fleet.takes("a")
    fleet.takes("ca")
    assert "esp_key_digests" in fleet.refuses("c")


def test_a_revoked_key_counts_no_more(fleet):
    both = [fleet.digest["a"], fleet.digest["b"]]
    fleet.says(esp_secure_boot="on", esp_key_digests=both,
               esp_revoked_digests=[fleet.digest["a"]])
    assert "none would start it" in fleet.refuses("a")
    fleet.takes("ab")
    fleet.says(esp_secure_boot="on", esp_revoked_digests=[fleet.digest["a"]])
    assert "none would start it" in fleet.refuses("a")
    fleet.takes("b")


def test_the_esp32_reads_one_block_even_with_hardware(fleet):
    fleet.says(esp_secure_boot="on", esp_key_digests=[fleet.digest["a"]])
    assert "only the first" in fleet.refuses("ba", chip=0)
    fleet.takes("ab", chip=0)


def test_what_the_project_names_goes_before_what_was_learnt(fleet):
    fleet.takes("a")
    fleet.says(esp_secure_boot="off", esp_key_digests=[fleet.digest["b"]])
    assert "esp_key_digests" in fleet.refuses("a")
    assert "not signed" in fleet.refuses("")
    fleet.takes("b")


def test_a_signature_that_does_not_hold_is_refused_whoever_the_fleet_is(fleet):
    for at, says in ((4096 + 120, "CRC"), (8000, "not FF")):
        path = fleet.image("a")
        data = bytearray(path.read_bytes())
        data[at] ^= 4
        path.write_bytes(data)
        said = fleet.tool.refused(3, "release", path)
        assert says in said and "sign the unsigned image anew" in said


def test_an_older_release_is_judged_by_what_came_before_it(fleet):
    """The anchor is the newest release below, not one that came later."""
    fleet.takes("a")
    second = fleet.takes("a")
    fleet.says(esp_key_digests=[fleet.digest["b"]])
    third = fleet.takes("b")
    fleet.says()
    passes(fleet, second["file"])
    assert "no update can change" in publish(fleet, third["file"], 3)


def publish(fleet, path, code):
    """Nobody listens there: what publish says before it would send."""
    (fleet.tool.folder / "token").write_text("x\n")
    (fleet.tool.folder / "token").chmod(0o600)
    result = fleet.tool("publish", path, "--server", "https://127.0.0.1:1",
                        "--token-file", "token")
    assert result.code == code, result.err
    return result.err


def passes(fleet, path):
    """Everything is checked, and the server could not be reached."""
    return publish(fleet, path, 5)


def test_publish_asks_again(fleet):
    made = fleet.takes("a")
    passes(fleet, made["file"])
    fleet.says(esp_key_digests=[fleet.digest["b"]])
    assert "no update can change" in publish(fleet, made["file"], 3)
    fleet.says(esp_key_digests=[fleet.digest["a"]])
    assert "was not checked" not in passes(fleet, made["file"])
    for path in (fleet.tool.folder / "releases/payloads").iterdir():
        path.unlink()
    assert "was not checked" in passes(fleet, made["file"])


@pytest.mark.parametrize("settings, says", [
    ({"esp_secure_boot": "maybe"}, "esp_secure_boot"),
    ({"esp_key_digests": ["abc"]}, "64 hex digits"),
    ({"esp_key_digests": "abc"}, "must be a list"),
    ({"esp_revoked_digests": [""]}, "64 hex digits"),
])
def test_a_wrong_setting_is_said(fleet, settings, says):
    fleet.says(**settings)
    assert says in fleet.refuses("a")


def test_what_is_no_image_of_the_family_is_told(fleet):
    fleet.says(esp_key_digests=[fleet.digest["a"]])
    assert "no image of the ESP32 family" in \
        fleet.tool.good("release", "fw.bin").err
