# SPDX-License-Identifier: Apache-2.0
"""The HTTP client against real TLS servers: 1.3 only, only the CA it knows."""
import http.server
import os
import ssl
import subprocess
import threading
from pathlib import Path

import pytest


def fetch(url, *files):
    program = Path(os.environ["BOWLINE_BUILD"]) / "test-programs/http-fetch"
    return subprocess.run([program, url, *map(str, files)],
                          capture_output=True, text=True, timeout=60)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    for name, subject in (("server", "localhost"), ("other", "localhost"),
                          ("client", "0e8f28e966b55dbaa7a60d507f2bfbd8")):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
             f"/CN={subject}", "-addext", "subjectAltName=DNS:localhost",
             "-keyout", folder / f"{name}.key", "-out",
             folder / f"{name}.crt"], check=True, capture_output=True)
    return folder


class Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        peer = self.connection.getpeercert()
        name = dict(p[0] for p in peer["subject"]) if peer else {}
        body = f"{self.connection.version()} {name.get('commonName')}"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *args):
        pass


@pytest.fixture
def serve(certificate):
    running = []

    def start(maximum=ssl.TLSVersion.TLSv1_3, ask=False):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.maximum_version = maximum
        context.load_cert_chain(certificate / "server.crt",
                                certificate / "server.key")
        if ask:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(certificate / "client.crt")
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hello)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.handle_error = lambda *args: None
        threading.Thread(target=server.serve_forever, daemon=True).start()
        running.append(server)
        return f"https://localhost:{server.server_address[1]}/"

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


def test_tls_1_3_with_the_right_ca(serve, certificate):
    run = fetch(serve(), certificate / "server.crt")
    assert (run.returncode, run.stdout) == (0, "200 TLSv1.3 None\n"), run.stderr


def test_tls_1_2_server_is_refused(serve, certificate):
    run = fetch(serve(ssl.TLSVersion.TLSv1_2), certificate / "server.crt")
    assert run.returncode == 1
    assert "version" in run.stderr


def test_server_of_another_ca_is_refused(serve, certificate):
    run = fetch(serve(), certificate / "other.crt")
    assert run.returncode == 1
    assert "CA file" in run.stderr


def test_server_of_another_name_is_refused(serve, certificate):
    url = serve().replace("localhost", "127.0.0.1")
    assert fetch(url, certificate / "server.crt").returncode == 1


def test_client_certificate_is_shown(serve, certificate):
    url = serve(ask=True)
    assert fetch(url, certificate / "server.crt").returncode == 1
    run = fetch(url, certificate / "server.crt", certificate / "client.crt",
                certificate / "client.key")
    assert run.stdout == "200 TLSv1.3 0e8f28e966b55dbaa7a60d507f2bfbd8\n"


def test_proxy_of_the_environment_is_not_used(serve, certificate, monkeypatch):
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    assert fetch(serve(), certificate / "server.crt").returncode == 0
