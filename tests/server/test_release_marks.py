# SPDX-License-Identifier: Apache-2.0
"""What operators say of a release: read while it is changed."""
import threading


def test_notes_are_read_whole_while_they_change(server):
    release = server.publish(1, "1.0.0")
    path = f"/api/v1/releases/{release['manifest']}"
    texts = {letter * size for letter in "ab" for size in (10, 3000, 4000)}
    server.api("PATCH", f"/releases/{release['manifest']}",
               {"notes": "a" * 10}, 200)
    over = threading.Event()
    wrong = []

    def read():
        connection = server.connect()
        while not over.is_set():
            answer = server.request("GET", path, token=server.viewer_token,
                                    connection=connection)
            if answer.status != 200 or answer.json["notes"] not in texts:
                wrong.append(answer.body)

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    try:
        for _ in range(40):
            for text in sorted(texts):
                server.api("PATCH", f"/releases/{release['manifest']}",
                           {"notes": text}, 200)
    finally:
        over.set()
        for reader in readers:
            reader.join()
    assert not wrong
    assert server.process.poll() is None
