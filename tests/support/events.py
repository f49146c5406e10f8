# SPDX-License-Identifier: Apache-2.0
"""A listener of server-sent events: reads a stream as a browser would."""
import socket


class Stream:
    """with Stream(server, "?rollout=1") as s: kind, data, id = s.next()"""

    def __init__(self, server, query="", token=None, last_id=None,
                 timeout=60):
        self.connection = server.connect(timeout=timeout)
        headers = {"Authorization": f"Bearer {token or server.token}",
                   "Accept": "text/event-stream"}
        if last_id is not None:
            headers["Last-Event-ID"] = str(last_id)
        self.connection.request("GET", "/api/v1/stream" + query,
                                headers=headers)
        self.answer = self.connection.getresponse()
        self.status = self.answer.status
        self.comments = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.answer.close()
        self.connection.close()

    def next(self):
        """The next event as (type, data, id); None at the end."""
        kind, data, number = None, None, None
        while line := self.answer.readline():
            text = line.decode().rstrip("\n")
            if text.startswith(":"):
                self.comments.append(text[1:])
            elif text.startswith("event: "):
                kind = text[7:]
            elif text.startswith("data: "):
                data = text[6:]
            elif text.startswith("id: "):
                number = int(text[4:])
            elif text == "" and kind:
                return kind, data, number
        return None

    def until(self, kind):
        while event := self.next():
            if event[0] == kind:
                return event
        return None

    def quiet(self, seconds=1.5, but=("fleet",)):
        """Nothing comes for so long, but these."""
        self.answer.fp.raw._sock.settimeout(seconds)
        try:
            while event := self.next():
                if event[0] not in but:
                    return False
            return False
        except (socket.timeout, TimeoutError):
            return True
