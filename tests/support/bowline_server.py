# SPDX-License-Identifier: Apache-2.0
"""A bowlined of one's own: keys, root document, certificates, configuration
in a folder, the program on a free port, and a client for both of its APIs."""
import base64
import datetime
import functools
import hashlib
import http.client
import json
import os
import re
import secrets
import signal
import ssl
import subprocess
import tempfile
import time
from pathlib import Path

import cbor2
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

BUILD = Path(os.environ.get("BOWLINE_BUILD", "build/dev"))
BIN = Path(os.environ.get("BOWLINE_BIN", BUILD / "bin"))
SIGN = BUILD / "test-programs" / "sign-documents"
DOMAIN = "example.com"
PRODUCT = "thermostat"
IDLE, OFFERED, WAITING, DOWNLOADING = 0, 1, 2, 3
TESTING, CONFIRMED, RETURNED, FAILED, REFUSED = 7, 8, 9, 10, 11


def sign(*arguments):
    subprocess.run([SIGN, *map(str, arguments)], check=True)


def make_certificate(folder, name, issuer=None, days=(-1, 30), common=None):
    """Writes name.crt and name.key; `issuer` names another pair there."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.utcnow()
    subject = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, common or name)])
    signer, parent = key, subject
    if issuer:
        signer = serialization.load_pem_private_key(
            (folder / f"{issuer}.key").read_bytes(), None)
        parent = x509.load_pem_x509_certificate(
            (folder / f"{issuer}.crt").read_bytes()).subject
    builder = x509.CertificateBuilder(
        parent, subject, key.public_key(), x509.random_serial_number(),
        now + datetime.timedelta(days=days[0]),
        now + datetime.timedelta(days=days[1]))
    builder = builder.add_extension(
        x509.BasicConstraints(ca=issuer is None, path_length=None), True)
    builder = builder.add_extension(x509.SubjectAlternativeName(
        [x509.DNSName("localhost")]), False)
    (folder / f"{name}.crt").write_bytes(
        builder.sign(signer, hashes.SHA256()).public_bytes(
            serialization.Encoding.PEM))
    path = folder / f"{name}.key"
    path.write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption()))
    path.chmod(0o600)


@functools.cache
def key_ring():
    """Keys and a first root document: the same ones for every server."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        for name, kind in (("root", "esp256"), ("release", "esp256"),
                           ("ticket", "ed25519"), ("stranger", "esp256")):
            sign("key", folder / f"{name}.key", kind)
        sign("root", folder / "root-1", 1, folder / "root.key",
             folder / "release.key", folder / "ticket.key")
        return {path.name: path.read_bytes() for path in folder.iterdir()}


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def cbor(self):
        return cbor2.loads(self.body)


class Server:
    """`config` overrides keys of the configuration file."""

    def __init__(self, folder, plain=True, **config):
        self.folder = Path(folder)
        self.plain = plain
        self.process = None
        self.port = 0
        self.token = secrets.token_hex(16)
        self.viewer_token = secrets.token_hex(16)
        self.approver_token = secrets.token_hex(16)
        self.admin_token = secrets.token_hex(16)
        self.log = self.folder / "log"
        self.config = {
            "listen": "127.0.0.1:0", "data": str(self.folder / "data"),
            "ticket_key": str(self.folder / "ticket.key"),
            "operator_tokens": str(self.folder / "operators"),
            "threads": 2}
        self._make_keys()
        if plain:
            self.config["plain_http"] = True
        else:
            make_certificate(self.folder, "ca")
            make_certificate(self.folder, "server", "ca", common="localhost")
            self.config["tls_certificate"] = str(self.folder / "server.crt")
            self.config["tls_key"] = str(self.folder / "server.key")
        self.config.update(config)

    def _make_keys(self):
        for name, content in key_ring().items():
            (self.folder / name).write_bytes(content)
            (self.folder / name).chmod(0o600)
        lines = []
        for name, token, role in (("ann", self.token, "operator"),
                                  ("vic", self.viewer_token, "viewer"),
                                  ("pru", self.approver_token, "approver"),
                                  ("ada", self.admin_token, "admin")):
            digest = hashlib.sha256(token.encode()).hexdigest()
            lines.append(f"{name}:{digest}:{role}\n")
        operators = self.folder / "operators"
        operators.write_text("".join(lines))
        operators.chmod(0o600)

    def make_root(self, version, release="release", ticket="ticket"):
        out = self.folder / f"root-{version}"
        previous = [self.folder / f"root-{version - 1}"] * (version > 1)
        sign("root", out, version, self.folder / "root.key",
             self.folder / f"{release}.key", self.folder / f"{ticket}.key",
             *previous)
        return out.read_bytes()

    # --- the process ---

    def write_config(self):
        def text(value):
            if isinstance(value, bool):
                return "true" if value else "false"
            return str(value) if isinstance(value, int) else json.dumps(value)
        path = self.folder / "bowlined.conf"
        path.write_text("".join(f"{key} = {text(value)};\n"
                                for key, value in self.config.items()))
        return path

    def command(self):
        return [str(BIN / "bowlined"), "--config", str(self.write_config())]

    def start(self, **popen):
        mark = self.log.stat().st_size if self.log.exists() else 0
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                self.command(), stderr=log, stdout=log, **popen)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            text = self.log.read_bytes()[mark:].decode(errors="replace")
            found = re.search(r'event\W+started\b.*?port\W+(\d+)', text)
            if found:
                self.port = int(found.group(1))
                return self
            if self.process.poll() is not None:
                raise RuntimeError(f"bowlined ended: {text}")
            time.sleep(0.01)
        raise RuntimeError(f"bowlined did not start: {text}")

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(90)
        return self.process.returncode if self.process else None

    def kill(self):
        self.process.kill()
        self.process.wait()

    # --- requests ---

    def tls(self, certificate=None):
        context = ssl.create_default_context(cafile=self.folder / "ca.crt")
        if certificate:
            context.load_cert_chain(self.folder / f"{certificate}.crt",
                                    self.folder / f"{certificate}.key")
        return context

    def connect(self, certificate=None, timeout=30):
        if self.plain:
            return http.client.HTTPConnection("localhost", self.port, timeout)
        return http.client.HTTPSConnection(
            "localhost", self.port, timeout=timeout,
            context=self.tls(certificate))

    def request(self, method, path, body=None, token=None, headers=None,
                certificate=None, connection=None):
        fields = dict(headers or {})
        if token:
            fields["Authorization"] = f"Bearer {token}"
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
        c = connection or self.connect(certificate)
        try:
            c.request(method, path, body, fields)
            answer = c.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            if connection is None:
                c.close()

    def api(self, method, path, body=None, expect=None, **more):
        answer = self.request(method, "/api/v1" + path, body,
                              token=more.pop("token", self.token), **more)
        if expect is not None:
            assert answer.status == expect, (answer.status, answer.body)
        return answer

    def put_payload(self, content, expect=201):
        digest = hashlib.sha256(content).hexdigest()
        return self.api("PUT", f"/payloads/{digest}", content, expect=expect)

    # --- documents ---

    def envelope(self, sequence, version, content, key="release",
                 product=PRODUCT, least=None):
        image = self.folder / f"image-{sequence}"
        image.write_bytes(content)
        out = self.folder / f"release-{sequence}"
        sign("release", out, self.folder / f"{key}.key", DOMAIN, product,
             sequence, version, image, *([least] if least else []))
        return out.read_bytes()

    def permit(self, manifest, device=None, key="release", seconds=3600,
               product=PRODUCT):
        out = self.folder / "permit"
        sign("permit", out, self.folder / f"{key}.key", DOMAIN, product,
             manifest, seconds, *([device] if device else []))
        return base64.b64encode(out.read_bytes()).decode()

    def set_up(self):
        """Root document and product."""
        self.api("POST", "/roots", (self.folder / "root-1").read_bytes(),
                 expect=201)
        self.api("POST", "/products",
                 {"name": PRODUCT, "vendor_domain": DOMAIN}, expect=201)
        return self

    def publish(self, sequence, version, content=None, **more):
        content = content or f"image {version} {sequence}".encode() * 50
        self.put_payload(content)
        release = self.api("POST", "/releases",
                           self.envelope(sequence, version, content, **more),
                           expect=201).json
        release["content"] = content
        return release

    def register(self, identity=None, product=PRODUCT, **more):
        device = Device(self, identity or secrets.token_hex(16))
        answer = self.api("POST", "/devices",
                          {"id": device.id, "product": product, **more},
                          expect=201).json
        device.token = answer["token"]
        return device


class Device:
    """What a device would say, without being one."""

    def __init__(self, server, identity):
        self.server, self.id = server, identity
        self.token = None
        self.events = []
        self.number = 0
        self.facts = {3: 1, 4: bytes(32), 5: 0, 6: IDLE, 7: True, 8: 0,
                      11: "rev-a", 12: "1.0.0", 14: 0, 15: bytes(32)}

    def event(self, state, code=0, sequence=0, reset=0):
        self.number += 1
        self.events.append([self.number, 1, 10, state, code, sequence, 1, 0,
                            reset])
        return self.number

    def message(self, nonce=True, **over):
        facts = {1: bytes.fromhex(self.id), **self.facts}
        if nonce:
            facts[2] = secrets.token_bytes(16)
        if self.events:
            facts[9] = self.events[:8]
        facts.update({int(key[1:]): value for key, value in over.items()})
        return cbor2.dumps(dict(sorted(facts.items())), canonical=True)

    def send(self, body, connection=None, **more):
        return self.server.request(
            "POST", "/d/v1/poll", body, connection=connection,
            token=more.pop("token", self.token),
            headers={"Content-Type": "application/cbor"}, **more)

    def poll(self, nonce=True, connection=None, **over):
        answer = self.send(self.message(nonce, **over), connection)
        assert answer.status == 200, (answer.status, answer.body)
        said = answer.cbor
        self.events = [e for e in self.events if e[0] > said.get(6, 0)]
        return said

    def run(self, release, slot=None, confirmed=True):
        """As if it had installed and booted it."""
        self.facts.update({
            4: bytes.fromhex(release["manifest"]), 7: confirmed,
            5: 1 - self.facts[5] if slot is None else slot,
            6: CONFIRMED if confirmed else TESTING, 8: release["sequence"],
            12: release["version"],
            15: hashlib.sha256(release["content"]).digest()})
        if confirmed:
            self.facts[14] = max(self.facts[14], release["sequence"])

    def get(self, path, headers=None, **more):
        return self.server.request("GET", "/d/v1" + path, token=self.token,
                                   headers=headers, **more)

    def show(self):
        return self.server.api("GET", f"/devices/{self.id}", expect=200).json


def finish(servers):
    """Stops them; none may have ended by itself, or by a sanitizer's word."""
    for server in servers:
        code = server.stop()
        if server.process:
            text = server.log.read_text(errors="replace")
            assert "Sanitizer" not in text, text
            assert code in (0, -9), text
