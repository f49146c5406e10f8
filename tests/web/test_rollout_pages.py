# SPDX-License-Identifier: Apache-2.0
"""The pages of rollouts, in a real browser, against a real server whose
rollouts stand in each of their states."""
import json
import time

import pytest
from bowline_server import Server
from browser import DESKTOP, PHONE
from operators import add_user, login
from rollout_fixtures import address, enter, press
from rollout_world import NEW, OLD, Line, four_eyes
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

STATES = ("finished", "aborted", "soaking", "sampling", "unclear", "paused",
          "returning", "scheduled", "approval")
HOSTILE = "<img src=x onerror=document.title='broken'>"


def sentence(text):
    return text[:1].upper() + text[1:] + ("" if text[-1] in ".!?:" else ".")


def step(page, name):
    return page.see(f'.flow-cell[data-step="{name}"] .flow-n').text


# --- The list ----------------------------------------------------------------


def test_the_list_puts_what_needs_a_person_first(visit, world):
    page = visit("#/rollouts")
    page.see(".entry")
    names = [e.text for e in page.all(".entry h2")]
    assert set(names[:3]) == {"Door opener", "Valve controller",
                              "Warmer light"}
    assert "Gateway fix" not in names
    page.click(".tabs a", "Needs you")
    page.gone(".entry h2", "Winter heating")
    assert len(page.all(".entry")) == 3
    page.click(".tabs a", "Ended")
    page.see(".entry h2", "Gateway fix")
    page.see(".entry .badge", "Security")
    page.click(".tabs a", "Running and scheduled")
    page.see(".entry h2", "Night maintenance")
    page.gone(".entry h2", "Valve controller")


def test_a_card_says_why_it_waits_and_leads_to_the_rollout(visit, world):
    page = visit("#/rollouts")
    card = page.see(f'[data-rollout="{world.paused.id}"]')
    assert sentence(world.paused.show()["status"]) in card.text
    assert "too many failures" in card.text
    assert "3\nreturned" in card.text or "3 returned" in card.text
    card.find_element(By.CSS_SELECTOR, "h2 a").click()
    page.see("h1", "Valve controller")


def test_an_empty_server_tells_the_commands_to_copy(chromium, tmp_path):
    server = Server(tmp_path, plain=False).start()
    try:
        add_user(server, "admin", "admin")
        page = enter(chromium, server, login(server, "admin"), "#/rollouts")
        page.see(".empty h3", "No rollout yet")
        page.see(".empty code", "bowline rollout start")
        page.go("#/releases")
        page.see(".empty h3", "No release yet")
        page.see(".empty code", "bowline publish")
        page.go("#/rollouts/new")
        page.see(".empty h3", "No product yet")
        assert page.axe() == []
        assert page.console() == []
    finally:
        server.stop()


# --- One rollout -------------------------------------------------------------


@pytest.mark.parametrize("state", STATES)
def test_each_state_says_what_happens_and_why(visit, world, state):
    line = getattr(world, state)
    page = visit(address(line))
    shown = line.show()
    page.see("h1", shown["name"])
    page.see(f'.page-sub .pill[data-state="{shown["state"]}"]')
    if state != "soaking":  # its seconds go on
        page.see(".status-text", sentence(shown["status"]))
    assert len(page.all(".stage")) == len(shown["stages"])
    for i, stage in enumerate(shown["stages"]):
        lane = page.see(f'.stage[data-stage="{i}"]')
        assert f"stage-{stage['state']}" in lane.get_attribute("class")


@pytest.mark.parametrize("state", ["sampling", "unclear", "paused"])
def test_each_gate_has_its_state_and_reason(visit, world, state):
    line = getattr(world, state)
    page = visit(address(line))
    for gate in line.show()["stages"][0]["gates"]:
        bar = page.see(f'.gate-bar[data-gate="{gate["name"]}"]')
        assert bar.get_attribute("data-state") == gate["state"]
        assert sentence(gate["text"]) in bar.text


def test_the_way_of_the_devices_counts_each_step(visit, world):
    page = visit(address(world.sampling))
    counts = world.sampling.show()["counts"]
    for name in ("offered", "downloading", "testing", "confirmed", "silent"):
        assert step(page, name) == str(counts[name])
    assert counts["downloading"] == 1 and counts["testing"] == 1
    assert step(page, "untouched") == "8"  # the stage to come


def test_the_step_not_begun_leads_to_its_devices_and_their_file(visit, world):
    page = visit(address(world.sampling))
    n = int(step(page, "untouched"))
    page.click('.flow-cell[data-step="untouched"] a')
    page.see("[aria-label=Devices] tbody tr")
    assert len(page.all("[aria-label=Devices] tbody tr")) == n
    page.click("button", "Export")
    link = page.see("a.menu-item", "These as CSV").get_attribute("href")
    assert f"rollout={world.sampling.id}" in link
    assert "outcome=untouched" in link and "format=csv" in link


def test_returned_is_a_branch_of_its_own_colour(visit, world):
    page = visit(address(world.paused))
    assert (step(page, "returned"), step(page, "failed"),
            step(page, "refused")) == ("3", "1", "1")

    def colour(name):
        return page.see(f'.flow-cell[data-step="{name}"] .flow-word'
                        ).value_of_css_property("color")
    assert len({colour(n) for n in (
        "returned", "failed", "refused", "confirmed")}) == 4
    page.click('.flow-cell[data-step="returned"] a')
    page.see("h1", "Devices")
    assert f"rollout={world.paused.id}" in page.driver.current_url
    assert "outcome=returned" in page.driver.current_url


def test_failures_are_told_with_how_sure_that_is(visit, world):
    page = visit(address(world.unclear))
    says = page.see(".range-line").text
    assert "2 of 8 devices did not keep it" in says
    assert "too few have decided" in says
    label = page.see(".range").get_attribute("aria-label")
    assert "between 8.7% and 54% likely, ceiling 10%" in label
    page = visit(address(world.paused))
    assert "above the ceiling of 10% for sure" in page.see(".range-line").text


def test_reasons_have_meaning_advice_and_a_first_device(visit, world):
    page = visit(address(world.paused))
    shown = world.paused.show()
    table = page.see('[aria-label="Reasons"]').text
    for reason in shown["reasons"]:
        assert reason["code"] in table and reason["hardware"] in table
        assert sentence(reason["meaning"]) in table
        assert sentence(reason["advice"]) in table
    first = shown["first_failed"]
    assert first["name"] in page.see(".first-line").text
    assert "watchdog" in page.see(".first-line").text
    page.see(".chart canvas")
    page.click(".first-line a")
    page.see("h1", first["name"])


def test_devices_are_listed_by_outcome(visit, world):
    page = visit(address(world.paused))
    page.see("#devices .table", "boot-tries")
    assert len(page.all("#devices tbody tr")) == 5
    page.click("#devices .tabs a", "Confirmed")
    page.see('#devices .pill[data-state="confirmed"]')
    assert len(page.all("#devices tbody tr")) == 5
    assert "outcome=confirmed" in page.driver.current_url
    page.click("#devices .tabs a", "Refused")
    page.gone('#devices .pill[data-state="confirmed"]')
    assert len(page.all("#devices tbody tr")) == 1


def test_many_devices_come_page_by_page(visit, world):
    line = Line(world.server, "crowd", 30).start([100], name="Crowd")
    line.confirm(line.offered())
    page = visit(address(line, "?outcome=confirmed"))
    page.see("#devices tbody tr")
    first = {e.text for e in page.all("#devices td.main")}
    assert len(first) == 25
    page.click("#devices .pager button", "Next")
    page.until(lambda: len(page.all("#devices tbody tr")) == 5, "the rest")
    assert first.isdisjoint(e.text for e in page.all("#devices td.main"))
    page.click("#devices .pager button", "Back")
    page.until(lambda: {e.text for e in page.all("#devices td.main")} == first,
               "the first page again")


def test_the_plan_is_told_in_words(visit, line):
    line.start([{"count": 2}, {"percent": 100}], target={
        "query": 'hardware = "rev-a"'}, windows=[
        {"days": ["mon", "tue", "wed", "thu", "fri"], "from": "22:00",
         "to": "05:00"}], consent=True, min_battery_percent=40,
        metered=False, rate_per_hour=500, on_failure="return")
    page = visit(address(line))
    says = page.see(".words").text
    for words in ('Devices with hardware = "rev-a"', "2 devices → 100%",
                  "Monday to Friday 22:00 to 05:00 the next day",
                  "A person at the device must agree", "Battery at 40%",
                  "Not on metered links", "500 new devices an hour",
                  "updated devices return"):
        assert words in says


def test_what_devices_report_shows_without_a_reload(visit, line):
    line.start([{"count": 4}, {"percent": 100}])
    first = line.offered()
    page = visit(address(line))
    assert step(page, "confirmed") == "0"
    page.driver.execute_script("window.kept = true")
    line.confirm(first[:2])
    page.until(lambda: step(page, "confirmed") == "2", "two confirmed")
    line.lose(first[2:3])
    page.until(lambda: step(page, "returned") == "1", "one returned")
    page.see(".first-line", first[2].show()["name"])
    assert page.driver.execute_script("return window.kept")


def test_names_are_text_never_markup(visit, line):
    line.start([100], name=HOSTILE)
    page = visit(address(line))
    page.see("h1", HOSTILE)
    page.go("#/rollouts")
    page.see(".entry h2", HOSTILE)
    assert "broken" not in page.driver.title


# --- What a person may do ----------------------------------------------------


def test_pause_says_whom_it_touches_and_why_is_shown(visit, line):
    line.start([{"count": 3}, {"percent": 100}])
    line.offered()
    page = visit(address(line))
    assert "no new device is offered" in press(page, "Pause").lower()
    page.fill("#pause-reason", "the hall floods")
    page.click("dialog button", "Pause")
    page.see('.page-sub .pill[data-state="paused"]')
    page.says("the hall floods")
    shown = line.show()
    assert (shown["state"], shown["state_by"]) == ("paused", "admin")


def test_the_keyboard_alone_pauses(visit, line):
    line.start([{"count": 3}, {"percent": 100}])
    page = visit(address(line))
    press(page, "Pause")
    field = page.driver.switch_to.active_element
    assert field.get_attribute("id") == "pause-reason"
    field.send_keys("the hall floods")
    page.until(lambda: page.see("dialog button", "Pause").is_enabled(),
               "the preview is there")
    field.send_keys("\n")
    page.gone("dialog")
    page.see('.page-sub .pill[data-state="paused"]')
    page.gone(".page-head button", "Pause")
    page.until(lambda: page.driver.switch_to.active_element.tag_name == "h1",
               "the heading has the focus")
    assert "the hall floods" in line.show()["state_reason"]


def test_a_dangerous_dialog_begins_at_the_way_out(visit, line):
    line.start([{"count": 3}, {"percent": 100}])
    page = visit(address(line))
    press(page, "Abort")
    assert page.driver.switch_to.active_element.text == "Cancel"
    page.click("dialog button", "Cancel")
    page.gone("dialog")
    assert page.driver.switch_to.active_element.text == "Abort"


def test_nothing_is_done_before_the_dialog_agrees(visit, line):
    line.start([{"count": 3}, {"percent": 100}])
    page = visit(address(line))
    for button in ("Pause", "Advance now", "Abort"):
        press(page, button)
        page.click("dialog button", "Cancel")
        page.gone("dialog")
    assert line.show()["state"] == "running" and line.show()["stage"] == 0


def test_resume_goes_on(visit, line):
    line.start([{"count": 3}, {"percent": 100}]).do("pause")
    page = visit(address(line))
    assert "may be offered" in press(page, "Resume")
    page.click("dialog button", "Resume")
    page.see('.page-sub .pill[data-state="running"]')
    assert line.show()["state"] == "running"


def test_advance_shows_the_open_gates_and_asks_twice(visit, line):
    line.start([{"count": 3}, {"percent": 100}])
    page = visit(address(line))
    press(page, "Advance now")
    gates = page.see("dialog .open-gates").text
    assert "0 of 3 devices have decided" in gates
    go = page.see("dialog button", "Advance now")
    assert not go.is_enabled()
    page.click("dialog label", "Advance although")
    page.click("dialog button", "Advance now")
    page.see('.stage[data-stage="1"].stage-running')
    assert line.show()["stage"] == 1


def test_abort_recalls_unless_told_otherwise(visit, line):
    line.start([100])
    line.offered()
    page = visit(address(line))
    assert "goes back" in press(page, "Abort")
    assert page.see("#abort-recall").is_selected()
    page.click("dialog button", "Abort the rollout")
    page.see('.page-sub .pill[data-state="aborted"]')
    assert line.show()["state"] == "aborted"
    page.gone(".page-head button", "Pause")


def test_failed_devices_get_another_try(visit, line):
    line.start([{"count": 5}, {"percent": 100}])
    first = line.offered()
    line.lose(first[:1])
    page = visit(address(line))
    assert "1 device" in press(page, "Retry failed")
    page.click("dialog button", "Retry")
    page.gone("dialog")
    wanted = bytes.fromhex(line.new["manifest"])
    assert wanted in first[0].poll()[1]


def test_devices_return_with_a_permit(visit, world, tmp_path):
    line = world.returning
    page = visit(address(line))
    page.click(".page-head button", "Return devices")
    page.see("dialog .return-to", OLD)
    page.see("dialog .return-permit", "needs a signed permit")
    commands = [c.text for c in page.all("dialog .command code")]
    assert commands == [
        f"bowline permit {OLD} --product {line.show()['product']} -o "
        f"{OLD}.permit", f"bowline rollout return {line.id}"]
    go = page.see("dialog footer button", "Return devices")
    assert not go.is_enabled()
    wrong = tmp_path / "wrong"
    wrong.write_bytes(b"no permit")
    page.see("dialog input[type=file]").send_keys(str(wrong))
    page.click("dialog button", "Return 3 devices")
    page.see("dialog .error-box", "permit")
    assert line.show()["returns"] == []
    file = tmp_path / "permit"
    file.write_bytes(line.permit)
    page.see("dialog input[type=file]").send_keys(str(file))
    page.see("dialog .return-permit", "permit given")
    page.see("dialog .touches", "3 of 3 devices")
    page.click("dialog button", "Return 3 devices")
    page.see(".badge", "Return")
    made = line.show()["returns"]
    assert page.driver.current_url.endswith(f"#/rollouts/{made[0]}")
    page.click(".facts a", f"Rollout {line.id}")
    page.see("h1", "Warmer light")
    page.see(".facts a", f"Rollout {made[0]}")
    page.see(".brought-back a", f"Rollout {made[0]}")


def test_a_colleague_approves_with_a_note(visit, line, world):
    four_eyes(world.server, True)
    try:
        line.start([100])
        page = visit(address(line), "approver")
        page.see(".card", "somebody other than ann")
        assert "of 6 devices" in press(page, "Approve")
        page.fill("#approve-note", "looked at it")
        page.click("dialog button", "Approve")
        page.see('.page-sub .pill[data-state="running"]')
        page.see(".quote", "looked at it")
    finally:
        four_eyes(world.server, False)
    assert line.show()["approvals"]["given"][0]["by"] == "approver"


def test_a_colleague_denies(visit, line, world):
    four_eyes(world.server, True)
    try:
        line.start([100])
        page = visit(address(line), "approver")
        page.click(".page-head button", "Deny")
        page.fill("#deny-note", "not on a Friday")
        page.click("dialog button", "Deny")
        page.see('.page-sub .pill[data-state="aborted"]')
        page.says("not on a Friday")
    finally:
        four_eyes(world.server, False)


def test_who_approves_is_warned_of_what_failed_before(visit, line, world):
    line.start([{"percent": 100}], "Bad one", gates={"min_sample": 6})
    line.lose(line.offered()[:2])
    line.do("abort")
    bad = line.id
    four_eyes(world.server, True)
    try:
        line.start([{"percent": 100}], "Once more")
        page = visit(address(line), "approver")
        press(page, "Approve")
        page.see("dialog .note", "2 devices failed this release before "
                 f"(rollout {bad},")
        assert page.axe() == []
    finally:
        four_eyes(world.server, False)


def test_a_dialog_waits_for_a_busy_server(visit, line):
    line.start([{"percent": 100}], "Patience")
    page = visit(address(line))
    page.see("h1", "Patience")
    page.busy("/pause?preview=1", 1)
    page.click(".page-head button", "Pause")
    page.see("dialog [role=status]", "Busy, trying again")
    assert not page.see("dialog button[type=submit]").is_enabled()
    page.see("dialog .touches")
    page.gone("dialog [role=status]")
    page.click("dialog button[type=submit]")
    page.see('.page-sub .pill[data-state="paused"]')


def test_one_cannot_approve_ones_own(visit, line, world):
    four_eyes(world.server, True)
    try:
        body = {"product": line.product, "version": NEW, "name": "mine"}
        made = world.sessions["operator"].api("POST", "/rollouts",
                                              json.dumps(body), expect=201)
    finally:
        four_eyes(world.server, False)
    page = visit(f"#/rollouts/{made.json['id']}", "operator")
    page.says("You made this rollout: somebody else must approve it.")
    assert not page.all(".page-head button", "Approve")
    page.see(".page-head button", "Abort")


def test_a_scheduled_one_starts_now(visit, line):
    line.start([100], start_at=int(time.time()) + 7200)
    page = visit(address(line))
    page.says("Starts in 1 h")
    assert "of 6 devices" in press(page, "Start now")
    page.click("dialog button", "Start now")
    page.see('.page-sub .pill[data-state="running"]')


@pytest.mark.parametrize("role,buttons", [
    ("viewer", set()),
    ("approver", {"Pause"}),
    ("operator", {"Pause", "Advance now", "Return devices", "Abort", "Edit"}),
    ("admin", {"Pause", "Advance now", "Return devices", "Abort", "Edit"})])
def test_each_role_sees_what_it_may_do(visit, world, role, buttons):
    page = visit(address(world.soaking), role)
    page.see(".stages")
    assert {e.text for e in page.all(".page-head .actions > button")} \
        == buttons
    page.click(".page-head button[aria-label=More]")
    menu = page.see(".menu-panel").text
    assert "Export CSV" in menu
    assert ("Clone" in menu) == (role in ("operator", "admin"))
    page.go("#/rollouts")
    page.see(".entry")
    may = role in ("operator", "admin")
    assert bool(page.all("main a", "New rollout")) == may
    page.go("#/rollouts/new")
    page.see("h1", "New rollout")
    page.see(".new-rollout" if may else ".empty h3")


def test_its_devices_are_exported(visit, world):
    page = visit(address(world.paused), "viewer")
    page.click(".page-head button[aria-label=More]")
    link = page.see(".menu-item", "Export CSV").get_attribute("href")
    path = link[link.index("/api/"):]
    answer = world.sessions["viewer"].raw("GET", path)
    assert answer.status == 200 and "csv" in answer.headers["Content-Type"]
    lines = answer.body.decode().splitlines()
    lost = world.paused.show()["first_failed"]["name"]
    assert any(lost in line and "boot-tries" in line for line in lines)


# --- For everybody -----------------------------------------------------------


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_is_accessible_and_fits(visit, world, size, theme):
    page = visit("#/rollouts")
    page.size(size)
    page.theme(theme)
    seen = [("#/rollouts", ".entry"), ("#/releases", ".release-list"),
            (f"#/releases/{world.paused.new['manifest']}", ".running-list"),
            ("#/rollouts/new?product=lock", ".preview-sentence")]
    seen += [(address(getattr(world, s)), ".stages")
             for s in ("paused", "unclear", "soaking", "scheduled",
                       "approval", "finished")]
    for where, what in seen:
        page.go(where)
        page.see(what)
        assert page.axe() == [], where
        wide = page.driver.execute_script(
            "return document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{where} is {wide} px too wide"


def test_dialogs_are_accessible(visit, world):
    page = visit(address(world.soaking))
    for button in ("Pause", "Advance now", "Return devices", "Abort"):
        page.click(".page-head button", button)
        page.see("dialog .touches")
        assert page.axe() == [], button
        page.keys(Keys.ESCAPE)
        page.gone("dialog")
        assert page.focused().text == button


def test_the_keyboard_alone_pauses_a_rollout(visit, line):
    line.start([{"count": 3}, {"percent": 100}])
    page = visit(address(line))
    page.see(".page-head button", "Pause")
    for _ in range(20):
        page.keys(Keys.TAB)
        if page.focused().text == "Pause":
            break
    page.keys(Keys.ENTER)
    page.see("dialog .touches")
    for _ in range(8):
        if page.focused().text == "Pause" and \
                page.focused().get_attribute("type") == "submit":
            break
        page.keys(Keys.TAB)
    page.keys(Keys.ENTER)
    page.see('.page-sub .pill[data-state="paused"]')
