# SPDX-License-Identifier: Apache-2.0
"""One server and one Chromium for all tests of the pages. What the browser
complains of during a test, a broken content security policy first of all,
fails that test."""
import re

import pytest
from bowline_server import Server
from browser import DESKTOP, Browser, start_chromium
from filled import fill
from operators import login
from rollout_fixtures import line, visit, world

__all__ = ["line", "visit", "world"]

# What the browser logs of answers that are as they should be.
EXPECTED = re.compile(r"/api/v1/session - Failed to load resource: .* 401")


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
    driver = start_chromium(tmp_path_factory.mktemp("chromium"))
    yield driver
    driver.quit()


@pytest.fixture(scope="session")
def filled(tmp_path_factory):
    """(server, fleet): over TLS, as in use."""
    server = Server(tmp_path_factory.mktemp("dashboard"), plain=False,
                    webhook_allow_private=True)
    server.start().set_up()
    fleet = fill(server)
    yield server, fleet
    code = server.stop()
    text = server.log.read_text(errors="replace")
    assert "Sanitizer" not in text, text
    assert code == 0, text


@pytest.fixture(scope="session")
def sessions(filled):
    """Sessions by role, signed in once: logins are limited."""
    made = {}

    def get(role):
        if role not in made:
            made[role] = login(filled[0], role)
        return made[role]

    return get


@pytest.fixture
def browser(chromium, filled):
    """Nobody is signed in."""
    server, _ = filled
    page = Browser(chromium, f"https://localhost:{server.port}")
    chromium.execute_cdp_cmd("Network.clearBrowserCookies", {})
    page.open("")
    page.driver.execute_script("window.localStorage.clear()")
    page.size(DESKTOP)
    page.theme("light")
    page.console()
    yield page
    complaints = [line for line in page.console()
                  if not EXPECTED.search(line)]
    assert not complaints


@pytest.fixture
def as_role(browser, sessions):
    """as_role("viewer", "#/devices"): signed in, at that page."""
    def enter(role, address="#/fleet"):
        name, value = sessions(role).cookie.split("=", 1)
        browser.driver.execute_cdp_cmd("Network.setCookie", {
            "name": name, "value": value, "url": browser.base,
            "secure": True, "httpOnly": True, "sameSite": "Strict",
            "path": "/"})
        browser.driver.get("about:blank")
        browser.open(address)
        browser.see("main h1")
        return browser
    return enter


@pytest.fixture
def page(as_role):
    """An admin's, at the fleet."""
    return as_role("admin")
