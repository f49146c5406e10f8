# SPDX-License-Identifier: Apache-2.0
"""What all pages share: navigation, keyboard, connection, accessibility."""
import pytest
from browser import DESKTOP, PHONE
from selenium.webdriver.common.keys import Keys

PLACES = ["Fleet", "Rollouts", "Devices", "Releases", "Audit", "Settings"]
PAGES = ["fleet", "devices", "audit", "settings/about", "settings/account",
         "settings/keys", "settings/users", "settings/tokens",
         "settings/webhooks"]


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_each_place_is_one_press_away(page, size):
    page.size(size)
    for title in PLACES:
        page.click("nav a", title)
        page.see("h1", title)
        assert page.see("nav a[aria-current=page]").text == title
        assert page.driver.title == f"{title} · Bowline"


def test_a_phone_never_scrolls_sideways(page):
    page.size(PHONE)
    for place in PAGES + ["rollouts", "releases"]:
        page.go(f"#/{place}")
        page.see("main h1")
        page.gone(".skeleton")
        wide = page.driver.execute_script(
            "return document.documentElement.scrollWidth")
        assert wide <= PHONE[0], place


def test_the_keyboard_skips_the_navigation(page):
    page.keys(Keys.TAB)
    page.until(lambda: page.focused().text == "To the content",
               "the first stop of the keyboard")
    page.keys(Keys.ENTER)
    page.until(lambda: page.focused().get_attribute("id") == "main",
               "the focus in the content")


def test_the_keyboard_walks_through_the_places(page):
    page.keys(Keys.TAB, Keys.TAB)
    for title in PLACES:
        page.keys(Keys.TAB)
        assert page.focused().text == title
    page.keys(Keys.ENTER)
    page.see("h1", "Settings")
    page.until(lambda: page.focused().tag_name == "h1",
               "the new page's title has the focus")


def test_a_dialog_keeps_the_focus_and_gives_it_back(page):
    page.go("#/settings/tokens")
    page.click("button", "New token")
    page.see("dialog")
    for _ in range(20):
        page.keys(Keys.TAB)
        assert page.driver.execute_script(
            "const e = document.activeElement;"
            "return e === document.body || !!e.closest('dialog')")
    page.driver.find_element("css selector", "#token-name").send_keys(
        Keys.ESCAPE)
    page.gone("dialog")
    assert page.focused().text == "New token"


def test_a_menu_closes_by_escape(page):
    page.click(".side-end button", "admin")
    page.see(".menu-panel")
    page.keys(Keys.ESCAPE)
    page.gone(".menu-panel")
    assert page.focused().text == "admin"


def test_an_address_that_is_nothing_says_so(page):
    page.go("#/nothing/at/all")
    page.see("h3", "There is no such page")
    page.go("#/%E0%A4%A")
    page.see("h3", "There is no such page")


def test_it_is_live_and_says_how_fresh_it_is(page):
    page.see(".live-live")
    page.until(lambda: page.see(".live-age").text, "an age")


def test_a_lost_connection_is_said_and_found_again(page):
    def network(offline):
        page.driver.execute_cdp_cmd("Network.enable", {})
        page.driver.execute_cdp_cmd("Network.emulateNetworkConditions", {
            "offline": offline, "latency": 0, "downloadThroughput": -1,
            "uploadThroughput": -1})
    page.see(".live-live")
    network(True)
    try:
        page.click(".live")
        page.see(".live-lost", "No connection")
        page.see("[role=alert]", "cannot be reached")
        assert page.all(".figure"), "what was shown stays"
    finally:
        network(False)
    page.see(".live-live")
    page.gone("[role=alert]", "cannot be reached")
    page.console()  # what failed meanwhile


def test_the_policy_stops_what_is_put_into_the_page(page):
    page.driver.execute_script(
        "const s = document.createElement('script');"
        "s.textContent = 'window.broken = true';"
        "document.body.append(s);"
        "const d = document.createElement('div');"
        "d.innerHTML = '<img src=x: onerror=\"window.broken = true\">';"
        "document.body.append(d)")
    complaints = page.until(page.console, "complaints of the browser")
    assert any("Content Security Policy" in line for line in complaints)
    assert not page.driver.execute_script("return window.broken === true")
    page.see("h1", "Fleet")
    page.console()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("place", PAGES)
def test_axe_finds_nothing_serious(page, place, theme):
    page.theme(theme)
    page.go(f"#/{place}")
    page.see("main h1")
    page.gone(".skeleton")
    assert page.axe() == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_at_the_login(browser, theme):
    browser.theme(theme)
    browser.see("#login-name")
    assert browser.axe() == []
