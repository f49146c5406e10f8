# SPDX-License-Identifier: Apache-2.0
"""The first page: is all well, what goes on, who needs a person?"""
import pytest
from bowline_server import Server
from browser import Browser
from operators import add_user, login
from rollout_world import Line


@pytest.fixture(scope="module")
def trouble(filled):
    """A rollout that paused by itself: two devices came back."""
    server, _ = filled
    line = Line(server, "heater", 8)
    line.start([{"percent": 100}], "Heater update")
    offered = line.offered()
    line.confirm(offered[:2])
    line.lose(offered[2:6])
    line.until("paused")
    return line


def test_the_health_sentence_is_the_servers_own(trouble, page, filled):
    server, _ = filled
    said = server.api("GET", "/fleet", expect=200).json
    health = page.see(".health")
    assert said["sentence"].lower().rstrip(".") in health.text.lower()
    assert health.get_attribute("data-level") == said["level"]


def test_the_numbers_are_those_of_the_server_and_lead_to_lists(
        trouble, page, filled):
    server, _ = filled
    page.see(".figure")
    said = server.api("GET", "/fleet", expect=200).json
    page.until(lambda: page.see(".figure", "devices").text.startswith(
        str(said["devices"])), "the number of devices")
    page.click("a.figure", "need a person")
    page.see("h1", "Devices")
    page.until(lambda: "attention=1" in page.driver.current_url, "filter")
    page.see("[aria-label='Devices'] tbody tr", "heater-")


def test_a_rollout_that_goes_on_is_a_card_with_its_reason(trouble, page):
    card = page.see(f"[data-rollout='{trouble.id}']")
    assert "paused" in card.text
    assert trouble.show()["status"].lower() in card.text.lower()
    assert "4 returned" in " ".join(card.text.split())
    page.click(f"[data-rollout='{trouble.id}'] h3 a")
    page.see("h1", "Heater update")


def test_devices_that_need_a_person_stand_there_with_their_reason(
        trouble, page, filled):
    server, _ = filled
    said = server.api("GET", "/fleet", expect=200).json["attention"]
    assert said, "the server names devices that need a person"
    row = page.see("[aria-label='Devices that need a person'] tbody tr",
                   said[0]["name"])
    assert said[0]["why"].lower().rstrip(".") in row.text.lower()
    page.click("[aria-label='Devices that need a person'] a",
               said[0]["name"])
    page.see("h1", said[0]["name"])


def test_shares_of_versions_are_drawn_and_said(trouble, page):
    page.until(lambda: page.all(".chart canvas"), "the chart")
    assert "1." in page.see(".chart-legend").text
    page.click("fieldset label", "1 h")
    page.see(".chart canvas")


def test_the_page_changes_by_itself(trouble, page, filled):
    server, _ = filled
    page.see(".live-live")
    before = int(page.see(".figure", "devices").text.split()[0])
    server.register(name="one-more")
    page.until(lambda: int(page.see(".figure", "devices").text.split()[0])
               == before + 1, "one device more")


def test_a_rollout_that_cannot_go_on_by_itself_is_in_the_sentence(
        page, filled):
    server, _ = filled
    line = Line(server, "by-hand", 3)
    line.start([{"count": 1}, {"percent": 100}], "By hand", gates={
        "manual": True, "min_sample": 1, "soak_s": 0})
    line.confirm(line.offered())
    page.see(".health-text", "goes no further without a person")
    assert line.show()["state"] == "running"
    line.do("abort")
    page.gone(".health-text", "goes no further without a person")


@pytest.fixture
def new_server(tmp_path):
    server = Server(tmp_path, plain=False).start()
    yield server
    assert server.stop() == 0


def test_a_new_server_shows_the_commands_to_copy(browser, new_server):
    add_user(new_server, "first")
    session = login(new_server, "first")
    page = Browser(browser.driver, f"https://localhost:{new_server.port}")
    name, value = session.cookie.split("=", 1)
    page.driver.execute_cdp_cmd("Network.setCookie", {
        "name": name, "value": value, "url": page.base, "secure": True,
        "httpOnly": True, "sameSite": "Strict", "path": "/"})
    page.open("#/fleet")
    page.see("h3", "three steps to the first device")
    commands = [e.text for e in page.all(".command pre")]
    assert any("bowline publish" in text for text in commands)
    assert any(page.base in text for text in commands)
    page.driver.execute_cdp_cmd("Browser.grantPermissions", {
        "origin": page.base, "permissions": ["clipboardReadWrite",
                                             "clipboardSanitizedWrite"]})
    page.click(".command .copy")
    page.see(".command .copy[aria-label=Copied]")
    assert page.driver.execute_async_script(
        "navigator.clipboard.readText().then(arguments[0])") == commands[0]
    assert page.axe() == []
    for place, title in (("rollouts", "Rollouts"), ("devices", "Devices"),
                         ("releases", "Releases"), ("audit", "Audit"),
                         ("settings/keys", "Settings")):
        page.go(f"#/{place}")
        page.see("h1", title)
        page.gone(".skeleton")
        assert page.axe() == []
