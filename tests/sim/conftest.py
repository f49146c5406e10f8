# SPDX-License-Identifier: Apache-2.0
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from fleet import Fleet  # noqa: E402


@pytest.fixture
def tls_server(make_server):
    """Running over TLS on a port that stays the same when it is started
    again; no limit that a fleet on one address would meet."""
    server = make_server(plain=False, polls_per_minute=0,
                         connections_per_address=0, max_downloads=5000)
    server.start().set_up()
    server.config["listen"] = f"127.0.0.1:{server.port}"
    return server


@pytest.fixture
def make_fleet(tls_server, tmp_path):
    made = []

    def make(devices, *options):
        made.append(Fleet(tls_server, tmp_path, devices, *options))
        return made[-1]

    yield make
    for fleet in made:
        fleet.kill()
