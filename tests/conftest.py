# SPDX-License-Identifier: Apache-2.0
"""Fixtures that tests of several rooms share."""
import signal
import sys
import threading
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "support"))

from bowline_server import Server, finish  # noqa: E402

# Started in the background, this process may ignore Ctrl-C, and what it starts
# would, too.
if threading.current_thread() is threading.main_thread() \
        and signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


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
