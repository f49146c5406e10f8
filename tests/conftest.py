# SPDX-License-Identifier: Apache-2.0
"""Fixtures that tests of several rooms share."""
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "support"))

from bowline_server import Server  # noqa: E402


def finish(servers):
    for server in servers:
        code = server.stop()
        if server.process:
            text = server.log.read_text(errors="replace")
            assert "Sanitizer" not in text, text
            assert code in (0, -9), text


@pytest.fixture
def make_server(tmp_path_factory):
    """make_server(plain=False, key=value...): not started yet."""
    made = []

    def make(plain=True, **config):
        server = Server(tmp_path_factory.mktemp("server"), plain, **config)
        made.append(server)
        return server

    yield make
    finish(made)


@pytest.fixture
def server(make_server):
    """Running, with a root document and a product."""
    return make_server().start().set_up()


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory):
    """One for a whole file, where tests do not get into each other's way."""
    made = Server(tmp_path_factory.mktemp("server")).start().set_up()
    yield made
    finish([made])
