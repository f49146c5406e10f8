# SPDX-License-Identifier: Apache-2.0
"""HTTP servers that a test plays itself."""
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Quiet(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass


class Listening:
    """Serves with the handler, on a free port, until it is stopped or its
    `with` ends."""

    def listen(self, handler, address=("127.0.0.1", 0)):
        self.http = ThreadingHTTPServer(address, handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def stop(self):
        self.http.shutdown()
        self.http.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
