# SPDX-License-Identifier: Apache-2.0
"""The pages of rollouts and releases, in a real browser, against a real
server whose rollouts stand in each of their states."""
import json
import re
import subprocess
import time

import pytest
from bowline_server import BIN, Server
from browser import DESKTOP, PHONE, Browser
from operators import ROLES, add_user, login
from rollout_world import NEW, OLD, Line, four_eyes, make_all
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

STATES = ("finished", "aborted", "soaking", "sampling", "unclear", "paused",
          "returning", "scheduled", "approval")
# What the server refuses here is shown; the browser logs it, too.
REFUSED = re.compile(r"/(preview|return) - Failed to load resource")
HOSTILE = "<img src=x onerror=document.title='broken'>"


@pytest.fixture(scope="module")
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


def sentence(text):
    return text[:1].upper() + text[1:] + ("" if text[-1] in ".!?:" else ".")


def step(page, name):
    return page.see(f'.flow-cell[data-step="{name}"] .flow-n').text


def press(page, button):
    """Its dialog, once it says whom it touches."""
    page.click(".page-head button", button)
    return page.see("dialog .touches").text


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
    ("operator", {"Pause", "Advance now", "Return devices", "Abort"}),
    ("admin", {"Pause", "Advance now", "Return devices", "Abort"})])
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


# --- A new rollout -----------------------------------------------------------


def open_form(visit, line, query=""):
    page = visit(f"#/rollouts/new?product={line.product}{query}")
    page.see(".preview-sentence")
    return page


def newest(server, product):
    return server.api("GET", f"/rollouts?product={product}",
                      expect=200).json["items"][0]


def plan_of(server, rollout):
    return server.api("GET", f"/rollouts/{rollout['id']}/plan",
                      expect=200).json


def test_a_release_and_start_are_enough(visit, line, world):
    page = visit("#/releases")
    page.click(f'[href="#/rollouts/new?release={line.new["manifest"]}"]')
    says = page.see(".preview-sentence").text
    assert "6 of 6 devices would get 1.1.0" in says
    page.click("button", "Start rollout")
    page.see('.page-sub .pill[data-state="running"]')
    made = newest(world.server, line.product)
    assert page.driver.current_url.endswith(f"#/rollouts/{made['id']}")
    assert [s["percent"] for s in made["stages"]] == [1, 10, 100]
    assert made["created_by"] == "admin"


def test_the_preview_follows_what_one_types(visit, line):
    page = open_form(visit, line)
    page.fill("#query", 'hardware = "rev-b"')
    page.see(".preview-sentence", "2 of")
    figures = page.see(".preview-figures").text
    assert "2" in figures and "kB" in figures
    page.click(".choice", "Immediate")
    page.until(lambda: len(page.all(".preview-stages li")) == 1, "one stage")


def test_a_wrong_query_is_marked_at_its_character(visit, line):
    page = open_form(visit, line)
    page.fill("#query", "hardware = = 3")
    assert "Character 12" in page.see("#query-error .field-error").text
    assert page.see("#query-error mark").text == "="
    assert not page.see("button", "Start rollout").is_enabled()
    page.fill("#query", "hardware = rev-a")
    page.gone("#query-error")
    page.see(".preview-sentence", "4 of")


def test_help_puts_an_example_into_the_query(visit, line):
    page = open_form(visit, line)
    page.click("summary", "How to say which devices")
    page.click(".examples button", 'hardware = "rev-b"')
    page.see(".preview-sentence", "2 of")
    assert page.see("#query").get_attribute("value") == 'hardware = "rev-b"'


def test_who_would_be_refused_is_said_with_examples(visit, line):
    line.devices[0].facts[14] = 9  # its floor is above the release
    line.devices[0].poll()
    page = open_form(visit, line)
    group = page.see(".groups", "Would be refused")
    assert "anti-rollback floor" in group.text
    example = group.find_element(By.TAG_NAME, "a")
    assert example.text == line.devices[0].show()["name"]
    assert line.devices[0].id in example.get_attribute("href")


def test_every_part_of_the_form_reaches_the_plan(visit, line, world,
                                                 tmp_path):
    page = open_form(visit, line)
    page.fill("#name", "All of it")
    page.fill("#query", "tag != lab")
    page.fill("#channel", "stable")
    page.click("summary", "Lists of devices")
    page.fill("#exclude", line.devices[0].id)
    page.fill("#stage-1", "2")
    Select(page.see('[aria-label="Unit of stage 1"]')).select_by_value("count")
    page.click('[aria-label="Remove stage 2"]')
    page.click(".stage-row button", "Own gates")
    page.fill("#stage-1-sample", "1")
    page.click("summary", "A stage passes when")
    page.fill("#gates-confirmed", "80")
    page.fill("#gates-soak", "2")
    page.click("summary", "When")
    page.click("button", "Add a window")
    page.click('.days button[aria-label="Saturday"]')
    page.click('.days button[aria-label="Monday"]')
    page.click("summary", "On the device")
    page.click("label", "A person at the device")
    page.click("label", "Not while roaming")
    page.fill("#battery", "30")
    page.click("summary", "When it goes wrong")
    page.click("label", "Pause and return devices")
    page.fill("#attempts", "3")
    page.click("summary", "Pace and priority")
    page.fill("#rate", "100")
    page.fill("#downloads", "7")
    page.fill("#priority", "-5")
    page.click("label", "A security release")
    page.click("summary", "The same as a file")
    file = json.loads(page.until(lambda: (
        t := page.see(".plan-file pre[aria-label]").text) and
        '"security": true' in t and t, "the file"))
    page.click("button", "Start rollout")
    page.see("h1", "All of it")
    made = newest(world.server, line.product)
    plan = plan_of(world.server, made)
    assert made["security"] and plan["priority"] == -5
    assert plan["target"] == {"query": "tag != lab", "channel": "stable",
                              "include": [], "exclude": [line.devices[0].id]}
    one, two = plan["stages"]
    assert one["count"] == 2 and two["percent"] == 100
    assert (one["gates"]["min_sample"], two["gates"]["min_sample"]) == (1, 5)
    assert one["gates"]["confirmed_percent"] == 80
    assert one["gates"]["soak_s"] == 7200
    assert plan["windows"] == [{"days": ["tue", "wed", "thu", "fri", "sat"],
                                "from": "02:00", "to": "05:00"}]
    assert plan["consent"] and not plan["roaming"] and plan["metered"]
    assert plan["min_battery_percent"] == 30
    assert plan["on_failure"] == "return"
    assert plan["retry"] == {"attempts": 3, "quarantine_s": 86400}
    assert (plan["rate_per_hour"], plan["max_downloads"]) == (100, 7)
    # The file means the same: the tool finds no difference.
    again = world.server.api("POST", "/rollouts/preview", file, expect=200)
    assert again.status == 200 and file["version"] == NEW
    assert file["windows"] == plan["windows"]
    path = tmp_path / "rollout.json"
    path.write_text(json.dumps(file))
    token = tmp_path / "token"
    token.write_text(world.server.token)
    token.chmod(0o600)
    said = subprocess.run(
        [BIN / "bowline", "rollout", "plan", path, "--server",
         f"https://localhost:{world.server.port}", "--ca-file",
         world.server.folder / "ca.crt", "--token-file", token],
        capture_output=True, text=True, timeout=60, check=False)
    assert said.returncode == 0, said.stdout + said.stderr


def test_what_the_server_refuses_is_said_and_start_waits(visit, line):
    page = open_form(visit, line)
    page.fill("#stage-2", "0")
    page.see(".preview .error-box", "percent must be a whole number")
    assert not page.see("button", "Start rollout").is_enabled()
    page.fill("#stage-2", "50")
    page.see(".preview-sentence")
    page.until(lambda: page.see("button", "Start rollout").is_enabled(),
               "Start again")


def test_later_makes_a_scheduled_rollout(visit, line, world):
    page = open_form(visit, line)
    page.click("summary", "When")
    page.click("label", "Later")
    page.driver.execute_script(
        "const at = document.getElementById('start-at');"
        "at.value = '2031-05-06T07:08';"
        "at.dispatchEvent(new Event('input', {bubbles: true}));")
    page.click("button", "Schedule rollout")
    page.see('.page-sub .pill[data-state="scheduled"]')
    at = page.driver.execute_script(
        "return new Date('2031-05-06T07:08').getTime() / 1000")
    plan = plan_of(world.server, newest(world.server, line.product))
    assert plan["start_at"] == at


def test_with_four_eyes_it_asks_for_approval(visit, line, world):
    four_eyes(world.server, True)
    try:
        page = open_form(visit, line)
        page.click("button", "Ask for approval")
        page.see('.page-sub .pill[data-state="approval"]')
    finally:
        four_eyes(world.server, False)


def test_a_clone_has_the_plan_of_the_first(visit, line, world):
    line.start([{"count": 2}, {"percent": 50}, {"percent": 100}],
               name="First", gates={"soak_s": 120, "manual": True},
               target={"query": "hardware = rev-a"}, rate_per_hour=9)
    page = visit(address(line))
    page.click(".page-head button[aria-label=More]")
    page.click(".menu-item", "Clone")
    page.see(".preview .note", "First")
    line.do("abort")
    assert page.see("#name").get_attribute("value") == "First (again)"
    page.click("button", "Start rollout")
    page.see("h1", "First (again)")
    first = plan_of(world.server, line.rollout)
    again = plan_of(world.server, newest(world.server, line.product))
    assert {**first, "name": ""} == {**again, "name": ""}


# --- Releases ----------------------------------------------------------------


def test_releases_are_listed_by_product(visit, world):
    page = visit("#/releases")
    card = page.see(".release-list", "valve")
    rows = card.find_elements(By.CSS_SELECTOR, "tbody tr")
    assert [r.find_element(By.CSS_SELECTOR, "td.main").text for r in rows] \
        == [NEW, OLD]
    assert "5" in rows[0].text and "19" in rows[1].text
    page.click('.release-list [href*="version=1.1.0"][href*="valve"]')
    page.see("h1", "Devices")


def test_a_release_tells_who_signed_what_is_in_it_and_who_runs_it(
        visit, world):
    release = world.paused.new
    page = visit(f"#/releases/{release['manifest']}")
    page.see("h1", f"valve {NEW}")
    payload = release["payloads"][0]
    page.see('[aria-label="Payloads"]', payload["sha256"])
    signer = page.see('[aria-label="Signatures"]').text
    assert "release" in signer
    page.until(lambda: payload["sha256"] in page.see(".tree").text,
               "the manifest, decoded")
    assert "5" in page.see(".running-n").text
    page.see(".running-list a", "valve-")
    page.see("main a", "Start a rollout")


def test_a_release_is_promoted_and_marked(visit, line, world):
    path = f"/releases/{line.new['manifest']}"
    page = visit(f"#{path}")
    page.click(".page-head button", "Limit to a channel")
    page.fill("#promote-to", "beta")
    page.see("dialog .touches", "only devices of channel beta")
    page.click("dialog button", "Limit to beta")
    page.see(".page-sub .tag", "beta")
    page.click(".page-head button", "Promote")
    page.fill("#promote-to", "stable")
    page.see("dialog .touches", "channel stable may get 1.1.0, too")
    page.click("dialog button", "Promote to stable")
    page.see(".page-sub .tag", "stable")
    page.click(".page-head button", "Change")
    page.click("dialog label", "A security release")
    page.click("dialog label", "A stepping stone")
    page.see("dialog .note", "before anything newer")
    page.fill("#edit-notes", "Fixes the pairing.\nThanks to Ida.")
    page.click("dialog button", "Save")
    page.see(".page-sub .badge", "Security")
    page.see(".page-sub .badge", "Stepping stone")
    page.see(".notes", "Thanks to Ida.")
    shown = world.server.api("GET", path, expect=200).json
    assert sorted(shown["channels"]) == ["beta", "stable"]
    assert shown["security"] and shown["stepping"]


def test_an_sbom_is_a_table_of_components(visit, line, world):
    path = f"/releases/{line.new['manifest']}"
    world.server.api("PUT", path + "/sbom", {
        "bomFormat": "CycloneDX", "specVersion": "1.5", "components": [
            {"name": "zlib", "version": "1.3.1",
             "licenses": [{"license": {"id": "Zlib"}}],
             "supplier": {"name": HOSTILE}}]}, expect=200)
    page = visit(f"#{path}")
    row = page.see('[aria-label="Components"] tbody tr')
    for words in ("zlib", "1.3.1", "Zlib", HOSTILE):
        assert words in row.text
    assert "broken" not in page.driver.title


def test_a_viewer_only_reads_releases(visit, world):
    page = visit(f"#/releases/{world.paused.new['manifest']}", "viewer")
    page.see(".running-n")
    assert not page.all(".page-head button") and \
        not page.all("main a", "Start a rollout")


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
                page.focused().get_attribute("type") == "button":
            break
        page.keys(Keys.TAB)
    page.keys(Keys.ENTER)
    page.see('.page-sub .pill[data-state="paused"]')


def test_the_keyboard_alone_starts_a_rollout(visit, line, world):
    page = open_form(visit, line)
    page.see("#product").click()
    page.keys(Keys.ESCAPE)
    for _ in range(40):
        if page.focused().text == "Start rollout":
            break
        page.keys(Keys.TAB)
    page.keys(Keys.ENTER)
    page.see('.page-sub .pill[data-state="running"]')
    assert newest(world.server, line.product)["created_by"] == "admin"
