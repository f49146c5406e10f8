# SPDX-License-Identifier: Apache-2.0
"""A device that proves who it is by a certificate instead of a token."""
import datetime
import secrets

import world
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


def issue(folder, identity, out):
    """A client certificate for a device id, by the server's authority."""
    authority = x509.load_pem_x509_certificate(
        (folder / "ca.pem").read_bytes())
    signer = serialization.load_pem_private_key(
        (folder / "offline/ca.key").read_bytes(), None)
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(
                x509.NameOID.COMMON_NAME, identity)]))
            .issuer_name(authority.subject).public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .sign(signer, hashes.SHA256()))
    (out / "device.pem").write_bytes(
        made.public_bytes(serialization.Encoding.PEM))
    (out / "device.key").write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption()))


def with_client_ca(fleet):
    fleet.server.stop()
    with open(fleet.server.folder / "bowlined.conf", "a") as f:
        f.write('client_ca = "ca.pem";\n')
    fleet.server.start()
    fleet.server.wait(fleet.project)


def certified(fleet, factory, name, registered, certified_as):
    """A device without a token; registered under one id, certified as."""
    fleet.project.call("device", "add", registered, "--name", name, "-o",
                       fleet.folder / "tokens" / name)
    issue(fleet.server.folder, certified_as, fleet.folder)
    device = world.Device(name, "thermostat")
    device.id = registered
    run = world.subprocess.run(
        [world.BIN / "bowline-device", "provision", "--dir", device.dir,
         "--id", registered, "--server", fleet.server.url, "--root",
         fleet.server.folder / "root-1.cbor", "--factory", factory["file"],
         "--ca", fleet.server.folder / "ca.pem", "--cert",
         fleet.folder / "device.pem", "--key", fleet.folder / "device.key",
         "--slot-size", str(8 << 20), "--poll", "1", "--first-poll", "1",
         "--backoff", "1", "--backoff-max", "1", "--health-interval", "1"],
        capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    fleet.devices.append(device)
    device.power_on()
    return device


def test_certificate_stands_for_a_token(fleet):
    with_client_ca(fleet)
    first = fleet.release("1.0.0")
    identity = secrets.token_hex(16)
    device = certified(fleet, first, "certified", identity, identity)
    fleet.wait_runs(device, first)
    new = fleet.release("1.1.0")
    fleet.roll_out(new)
    fleet.wait_runs(device, new)


def test_certificate_of_another_device_does_not(fleet):
    with_client_ca(fleet)
    first = fleet.release("1.0.0")
    identity = secrets.token_hex(16)
    device = certified(fleet, first, "impostor", identity,
                       secrets.token_hex(16))
    world.time.sleep(4)
    assert device.is_on()
    assert not fleet.show(device)["version"]
