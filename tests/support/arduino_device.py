# SPDX-License-Identifier: Apache-2.0
"""A device that runs ArduinoOTA, written down a second time, from what its
tools expect: so that our sender is not tested with our own device."""
import hashlib
import os
import socket
import threading


def md5(text):
    return hashlib.md5(text.encode()).hexdigest()


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def answer(scheme, secret, nonce, cnonce):
    if scheme == "md5":
        return md5(f"{secret}:{nonce}:{cnonce}")
    key = hashlib.pbkdf2_hmac("sha256", secret.encode(),
                              f"{nonce}:{cnonce}".encode(), 10000).hex()
    return sha256(f"{key}:{nonce}:{cnonce}")


class ArduinoDevice:
    """`scheme`: none, md5, pbkdf2, or pbkdf2-md5, which keeps the password's
    MD5. `fault`: deaf, silent (says OK and does not connect), cut (the
    connection breaks in the middle), mute (no acknowledgements), or an error
    text in place of the last OK. `refuses`: a text in place of the first."""

    def __init__(self, scheme="none", password="", fault=None, refuses=None):
        self.scheme, self.fault, self.refuses = scheme, fault, refuses
        self.secret = sha256(password) if scheme == "pbkdf2" \
            else md5(password)
        self.received = b""
        self.datagrams = []
        self.nonces = []
        self.command = self.whole = None
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", 0))
        self.port = self.udp.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def close(self):
        self.udp.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def serve(self):
        nonce = None
        invitation = None
        while True:
            try:
                datagram, peer = self.udp.recvfrom(512)
            except OSError:
                return
            self.datagrams.append(datagram)
            words = datagram.decode().split()
            if self.fault == "deaf":
                continue
            if words[0] == "200" and nonce:
                old = "md5" if self.scheme == "md5" else "pbkdf2"
                good = words[2] == answer(old, self.secret, nonce, words[1])
                nonce = None
                if not good:
                    self.udp.sendto(b"Authentication Failed", peer)
                    continue
            else:
                invitation = words
                if self.scheme != "none":
                    nonce = os.urandom(16 if self.scheme == "md5"
                                       else 32).hex()
                    self.nonces.append(nonce)
                    self.udp.sendto(f"AUTH {nonce}".encode(), peer)
                    continue
            if self.refuses:
                self.udp.sendto(self.refuses.encode(), peer)
                continue
            self.udp.sendto(b"OK", peer)
            if self.fault != "silent":
                self.take(peer[0], invitation)

    def take(self, host, invitation):
        self.command, port, size, wanted = (
            int(invitation[0]), int(invitation[1]), int(invitation[2]),
            invitation[3])
        with socket.create_connection((host, port), 10) as tcp:
            while len(self.received) < size:
                piece = tcp.recv(1460)
                if not piece:
                    return
                self.received += piece
                if self.fault == "cut" and len(self.received) > size // 2:
                    return
                if self.fault != "mute":
                    tcp.sendall(str(len(piece)).encode())
            self.whole = hashlib.md5(self.received).hexdigest() == wanted
            if self.fault == "mute":
                tcp.recv(1)
            elif self.fault:
                tcp.sendall(self.fault.encode() + b"\r\n")
            else:
                tcp.sendall(b"OK")
