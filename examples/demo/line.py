# SPDX-License-Identifier: Apache-2.0
"""A bad line between one device and the server: it ends TLS as a company's
proxy would, with the server's own certificate, and damages what it is told
to. The demo closes it again; the device then reaches the server directly."""
import socket
import ssl
import threading


def read_message(stream):
    """One HTTP message with Content-Length, as [head, body]; None at the
    end."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = stream.recv(65536)
        if not more:
            return None
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            length = int(value)
    while len(body) < length:
        more = stream.recv(65536)
        if not more:
            return None
        body += more
    return [head, body]


class BadLine:
    """In each answer to a request whose line has `what` in it, bytes in the
    middle are other ones."""

    def __init__(self, server, what=b"/deltas/"):
        folder, self.port, self.what = server.folder, server.port, what
        self.damaged = 0
        self.up = ssl.create_default_context(cafile=folder / "ca.pem")
        self.down = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.down.minimum_version = ssl.TLSVersion.TLSv1_3
        self.down.load_cert_chain(folder / "server.pem",
                                  folder / "server.key")
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://localhost:{self.socket.getsockname()[1]}"
        self.streams = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                raw, _ = self.socket.accept()
            except OSError:
                return
            self.streams.append(raw)
            threading.Thread(target=self.serve, args=(raw,),
                             daemon=True).start()

    def serve(self, raw):
        try:
            with self.down.wrap_socket(raw, server_side=True) as near, \
                    socket.create_connection(("127.0.0.1", self.port)) as s, \
                    self.up.wrap_socket(s, server_hostname="localhost") as far:
                self.streams.append(near)
                while self.pass_on(near, far):
                    pass
        except OSError:  # ssl.SSLError is one, too
            pass

    def pass_on(self, near, far):
        request = read_message(near)
        if request is None:
            return False
        far.sendall(b"\r\n\r\n".join(request))
        answer = read_message(far)
        if answer is None:
            return False
        if self.what in request[0].split(b"\r\n")[0] and answer[1]:
            middle = len(answer[1]) // 2
            answer[1] = answer[1][:middle] + bytes(
                b ^ 0x5A for b in answer[1][middle:])
            self.damaged += 1
        near.sendall(b"\r\n\r\n".join(answer))
        return True

    def close(self):
        """Whoever is connected is cut off."""
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        for stream in self.streams:
            try:
                stream.shutdown(socket.SHUT_RDWR)
            except OSError:  # it has ended before
                continue
