# SPDX-License-Identifier: Apache-2.0
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from fleet import Fleet  # noqa: E402


@pytest.fixture
def make_tls_server(make_server):
    """Running over TLS on a port that stays the same when it is started
    again; no limit that a fleet on one address would meet."""
    def make(**config):
        server = make_server(plain=False, polls_per_minute=0,
                             connections_per_address=0, max_downloads=5000,
                             **config)
        server.start().set_up()
        server.config["listen"] = f"127.0.0.1:{server.port}"
        return server
    return make


@pytest.fixture
def tls_server(make_tls_server):
    return make_tls_server()


@pytest.fixture
def make_fleet(tmp_path):
    made = []

    def make(server, devices, *options):
        made.append(Fleet(server, tmp_path, devices, *options))
        return made[-1]

    yield make
    for fleet in made:
        fleet.kill()
