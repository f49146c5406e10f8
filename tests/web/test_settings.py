# SPDX-License-Identifier: Apache-2.0
"""Users, tokens, keys and the wishes of a server, from the page."""
import pytest
from browser import PHONE
from operators import add_user
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select


def api(filled, path):
    server, _ = filled
    return server.api("GET", path, token=server.admin_token, expect=200).json


def row(page, label, text):
    return page.see(f"[aria-label='{label}'] tbody tr", text)


def menu(page, name, item):
    page.click(f"[aria-label='Actions for {name}']")
    page.click(".menu-item", item)


def choose(page, css, value):
    Select(page.see(css)).select_by_value(value)


def test_a_user_is_added_and_gets_a_link_that_signs_in_once(as_role, filled):
    page = as_role("admin", "#/settings/users")
    page.click("button", "New user")
    page.fill("#user-name", "mia")
    choose(page, "#user-role", "approver")
    page.click("button", "Add user")
    link = page.see("dialog pre", "#/login?code=").text
    assert link.startswith(page.base)
    page.click("dialog button", "Done")
    assert "approver" in row(page, "Users", "mia").text
    made = [u for u in api(filled, "/users")["items"] if u["name"] == "mia"]
    assert made[0]["role"] == "approver" and not made[0]["password"]


def test_a_role_is_changed_and_a_user_disabled_and_removed(as_role, filled):
    server, _ = filled
    add_user(server, "tom", "viewer")
    page = as_role("admin", "#/settings/users")
    row(page, "Users", "tom")
    menu(page, "tom", "Make operator")
    page.see(".toast", "tom is operator")
    row(page, "Users", "operator")
    menu(page, "tom", "Disable")
    page.until(lambda: "disabled" in row(page, "Users", "tom").text, "disabled")
    menu(page, "tom", "Remove")
    assert "end at once" in page.see("dialog .touches").text
    page.click("dialog button", "Remove")
    page.gone("[aria-label='Users'] tbody tr", "tom")
    assert "tom" not in [u["name"] for u in api(filled, "/users")["items"]]


def test_a_name_that_is_refused_is_said_by_the_browser(as_role):
    page = as_role("admin", "#/settings/users")
    page.click("button", "New user")
    field = page.fill("#user-name", "Not A Name")
    page.click("button", "Add user")
    assert page.driver.execute_script(
        "return arguments[0].validity.patternMismatch", field)


def test_a_token_is_made_shown_once_and_revoked(as_role, filled):
    server, _ = filled
    page = as_role("admin", "#/settings/tokens")
    page.click("button", "New token")
    page.fill("#token-name", "ci-publish")
    choose(page, "#token-days", "30")
    page.click("button", "Make token")
    token = page.see("dialog pre").text
    assert server.api("GET", "/releases", token=token).status == 200
    page.click("dialog button", "Done")
    page.gone("dialog")
    assert token not in page.driver.page_source
    assert "publish" in row(page, "Tokens", "ci-publish").text
    page.click("[aria-label='Revoke ci-publish']")
    page.click("dialog button", "Revoke")
    page.gone("[aria-label='Tokens'] tbody tr", "ci-publish")
    assert server.api("GET", "/releases", token=token).status == 401


def test_a_webhook_shows_its_secret_once_and_its_log(as_role, filled):
    page = as_role("admin", "#/settings/webhooks")
    page.see("h3", "No webhooks")
    page.click("button", "New webhook")
    page.fill("#hook-url", "https://localhost:1/hook")
    page.click("button", "Add webhook")
    secret = page.see("dialog pre").text
    assert len(secret) >= 16
    page.click("dialog button", "Done")
    page.gone("dialog")
    assert secret not in page.driver.page_source
    assert "rollout.*" in row(page, "Webhooks", "localhost:1").text
    page.click("button", "Log")
    page.click("button", "Send a test")
    log = page.see("[aria-label=Deliveries] tbody tr", "test")
    page.until(lambda: "tries again" in page.see(
        "[aria-label=Deliveries] tbody tr", "test").text, "one failed try")
    assert log
    page.click("button", "Turn off")
    page.see("[aria-label=Webhooks] [data-state=aborted]", "off")
    page.click("[aria-label^='Remove https']")
    page.click("dialog button", "Remove")
    page.see("h3", "No webhooks")
    assert api(filled, "/webhooks")["items"] == []


def test_a_webhook_that_may_not_be_is_refused_in_words(as_role):
    page = as_role("admin", "#/settings/webhooks")
    page.click("button", "New webhook")
    page.fill("#hook-url", "http://example.com/plain")
    page.click("button", "Add webhook")
    assert "https" in page.see(".toast-bad").text
    page.console()  # its 4xx


def test_four_eyes_is_a_box_to_tick(as_role, filled):
    page = as_role("admin", "#/settings/about")
    page.says("bowlined")
    page.click("#four-eyes")
    page.until(lambda: api(filled, "/settings")["four_eyes"], "four eyes on")
    page.see("#approvals")
    page.until(lambda: page.see("#four-eyes").is_selected()
               and page.see("#four-eyes").is_enabled(), "ticked")
    page.click("#four-eyes")
    page.until(lambda: not api(filled, "/settings")["four_eyes"], "off again")


def test_the_keys_say_who_signs_what(as_role):
    page = as_role("admin", "#/settings/keys")
    card = page.see(".card", "Root document 1").text
    assert "in force" in card


@pytest.mark.parametrize("role", ["viewer", "operator", "approver"])
def test_only_an_admin_sees_users_tokens_and_webhooks(as_role, role):
    page = as_role(role, "#/settings/users")
    page.see(".tabs a", "Your account")
    assert not page.all(".tabs a", "Users")
    assert not page.all(".tabs a", "Tokens")
    assert not page.all("[aria-label='Users']")
    assert not page.see("#four-eyes").is_enabled()


def test_a_theme_that_was_chosen_stays(as_role):
    def theme():
        return page.driver.execute_script(
            "return document.documentElement.dataset.theme")
    page = as_role("viewer", "#/settings/account")
    assert theme() == "light"
    page.theme("dark")
    page.until(lambda: theme() == "dark", "the system's theme")
    page.click("main .segmented label", "Light")
    page.until(lambda: theme() == "light", "the chosen theme")
    page.driver.refresh()
    page.see("h1", "Settings")
    assert theme() == "light"


def test_on_a_phone_the_current_tab_is_seen_and_nothing_overlaps(as_role,
                                                                  filled):
    server, _ = filled
    hook = server.api("POST", "/webhooks", {
        "url": "https://chat.example.com/hooks/phone", "events": ["rollout"]},
        token=server.admin_token, expect=201).json["id"]
    page = as_role("admin", "#/settings/server")
    page.size(PHONE)
    page.go("#/settings/webhooks")
    shown = row(page, "Webhooks", "hooks/phone")
    tab = page.see(".tabs [aria-current=page]").rect
    assert 0 <= tab["x"] and tab["x"] + tab["width"] <= PHONE[0]
    state = shown.find_element(By.CSS_SELECTOR, "[data-title=State]").rect
    for button in shown.find_elements(By.TAG_NAME, "button"):
        assert button.rect["y"] >= state["y"] + state["height"] - 4
    assert page.axe() == []
    server.api("DELETE", f"/webhooks/{hook}", token=server.admin_token)
