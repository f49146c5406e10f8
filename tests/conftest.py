# SPDX-License-Identifier: Apache-2.0
"""Fixtures that tests of several rooms share."""
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "support"))

from bowline_server import Server  # noqa: E402


@pytest.fixture
def make_server(tmp_path_factory):
    """make_server(plain=False, key=value...): not started yet."""
    made = []

    def make(plain=True, **config):
        server = Server(tmp_path_factory.mktemp("server"), plain, **config)
        made.append(server)
        return server

    yield make
    for server in made:
        code = server.stop()
        if server.process:
            assert "ERROR: AddressSanitizer" not in server.log.read_text(
                errors="replace"), server.log.read_text(errors="replace")
            assert code in (0, -9), server.log.read_text(errors="replace")


@pytest.fixture
def server(make_server):
    """Running, with a root document and a product."""
    return make_server().start().set_up()
