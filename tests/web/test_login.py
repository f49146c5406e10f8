# SPDX-License-Identifier: Apache-2.0
"""Signing in and out, in a real browser."""
from operators import PASSWORD, add_user, login_code
from selenium.webdriver.common.keys import Keys

NEW = "seven loud herons wade"


def sign_in(browser, name, password=PASSWORD):
    browser.fill("#login-name", name)
    browser.fill("#login-password", password)
    browser.click("button", "Sign in")


def test_a_password_opens_the_page_and_signing_out_closes_it(browser):
    browser.open("#/devices")
    sign_in(browser, "viewer")
    browser.see("h1", "Devices")
    browser.click(".side-end button", "viewer")
    browser.click("button", "Sign out")
    browser.see("#login-name")
    browser.open("#/devices")
    browser.driver.refresh()
    browser.see("#login-name")


def test_a_wrong_password_says_so_and_tells_no_more(browser):
    browser.see("#login-name")
    sign_in(browser, "viewer", "something else entirely")
    wrong = browser.see("[role=alert]").text
    browser.fill("#login-name", "nobody-of-that-name")
    browser.fill("#login-password", "something else entirely")
    browser.click("button", "Sign in")
    browser.until(lambda: browser.see("[role=alert]").text == wrong,
                  "the same words for a name that is unknown")
    assert browser.see("#login-password").get_attribute("value") == ""


def test_the_keyboard_alone_signs_in(browser):
    browser.see("#login-name").send_keys("viewer")
    browser.keys(Keys.TAB)
    browser.keys(PASSWORD + Keys.ENTER)
    browser.see("h1", "Fleet")


def test_a_one_time_link_leads_to_a_password_of_ones_own(browser, filled):
    server, _ = filled
    add_user(server, "newcomer", "viewer", password=None)
    code = login_code(server, "newcomer")
    browser.driver.get("about:blank")
    browser.open(f"#/login?code={code}")
    browser.see("h2", "Welcome, newcomer")
    assert code not in browser.driver.current_url
    browser.fill("#password-one", "short")
    browser.says("more are needed")
    browser.fill("#password-one", NEW)
    browser.fill("#password-two", NEW + "x")
    browser.says("The two differ")
    browser.fill("#password-two", NEW)
    browser.click("button", "Set password")
    browser.see("h1", "Fleet")
    browser.click(".side-end button", "newcomer")
    browser.click("button", "Sign out")
    sign_in(browser, "newcomer", NEW)
    browser.see("h1", "Fleet")


def test_a_password_may_wait_and_the_settings_take_it_then(browser, filled):
    server, _ = filled
    add_user(server, "later", "viewer", password=None)
    browser.driver.get("about:blank")
    browser.open(f"#/login?code={login_code(server, 'later')}")
    browser.see("h2", "Welcome, later")
    browser.says("your next sign-in needs a new one-time code")
    browser.click("button", "Not now")
    browser.see("h1", "Fleet")
    browser.driver.refresh()
    browser.see("h1", "Fleet")
    browser.go("#/settings/account")
    browser.see("#password-one")
    assert not browser.all("#password-old")  # there is none yet
    browser.click(".side-end button", "later")
    browser.click("button", "Sign out")
    browser.open(f"#/login?code={login_code(server, 'later')}")
    browser.see("h2", "Welcome, later")


def test_a_used_link_says_what_to_do(browser, filled):
    server, _ = filled
    browser.driver.get("about:blank")
    browser.open("#/login?code=it-was-never-made")
    assert browser.see("[role=alert]").text
    assert "code=" not in browser.driver.current_url


def test_the_own_password_is_changed_and_this_session_goes_on(browser, filled):
    server, _ = filled
    add_user(server, "changer", "viewer")
    browser.see("#login-name")
    sign_in(browser, "changer")
    browser.see("h1", "Fleet")
    browser.go("#/settings/account")
    browser.fill("#password-old", PASSWORD)
    browser.fill("#password-one", NEW)
    browser.fill("#password-two", NEW)
    browser.click("button", "Set password")
    browser.see(".toast-good", "password is set")
    browser.driver.refresh()
    browser.see("h1", "Settings")


def test_a_session_that_ends_elsewhere_leads_to_the_login(browser, filled):
    server, _ = filled
    add_user(server, "leaver", "viewer")
    browser.see("#login-name")
    sign_in(browser, "leaver")
    browser.see("h1", "Fleet")
    server.api("DELETE", "/users/leaver", token=server.admin_token)
    browser.go("#/audit")
    browser.see("#login-name")
    browser.console()  # 401 of what the page asked for meanwhile
