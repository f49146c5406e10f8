# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests of rollouts and releases: conftest.py has them."""
import re

import pytest
from bowline_server import Server
from browser import DESKTOP, Browser
from operators import ROLES, add_user, login
from rollout_world import Line, make_all

# What the server refuses here is shown; the browser logs it, too.
REFUSED = re.compile(r"/(preview|return) - Failed to load resource")


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("rollouts"), plain=False)
    server.start().set_up()
    for role in ROLES:
        add_user(server, role, role)
    lines = make_all(server)
    lines.server = server
    lines.sessions = {role: login(server, role) for role in ROLES}
    yield lines
    code = server.stop()
    text = server.log.read_text(errors="replace")
    assert "Sanitizer" not in text, text
    assert code == 0, text


def enter(chromium, server, session, address):
    page = Browser(chromium, f"https://localhost:{server.port}")
    chromium.execute_cdp_cmd("Network.clearBrowserCookies", {})
    name, value = session.cookie.split("=", 1)
    chromium.execute_cdp_cmd("Network.setCookie", {
        "name": name, "value": value, "url": page.base, "secure": True,
        "httpOnly": True, "sameSite": "Strict", "path": "/"})
    chromium.get("about:blank")
    page.size(DESKTOP)
    page.theme("light")
    page.console()
    page.open(address)
    page.see("main h1")
    return page


@pytest.fixture
def visit(chromium, world):
    """visit("#/rollouts", "viewer"): signed in, at that page. What the
    browser complains of fails the test."""
    pages = []

    def go(address, role="admin"):
        pages.append(enter(chromium, world.server, world.sessions[role],
                           address))
        return pages[-1]

    yield go
    complaints = [c for page in pages for c in page.console()
                  if not REFUSED.search(c)]
    assert not complaints


@pytest.fixture
def line(world, request):
    """A product of the test's own, whose rollout nobody else looks at."""
    name = request.node.name.split("[")[0].removeprefix("test_")
    return Line(world.server, name.replace("_", "-")[:40].strip("-"), 6)


def address(line, query=""):
    return f"#/rollouts/{line.id}{query}"


def press(page, button):
    """Its dialog, once it says whom it touches."""
    page.click(".page-head button", button)
    return page.see("dialog .touches").text
