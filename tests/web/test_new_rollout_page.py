# SPDX-License-Identifier: Apache-2.0
"""A new rollout on one page, with its preview."""
import json
import subprocess

from bowline_server import BIN
from rollout_fixtures import address
from rollout_world import NEW, four_eyes
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select


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
    box = page.see(".preview .error-box", "percent must be a whole number")
    assert "Stage 2" in box.text and "stages[" not in box.text
    assert not page.see("button", "Start rollout").is_enabled()
    page.fill("#stage-2", "50")
    page.see(".preview-sentence")
    page.until(lambda: page.see("button", "Start rollout").is_enabled(),
               "Start again")


def test_a_wrong_field_is_marked_and_says_why(visit, line):
    page = open_form(visit, line)

    def see_wrong(css, says):
        box = page.see(f"{css}[aria-invalid=true]")
        said = box.get_attribute("aria-describedby").split()
        assert says in page.see("#" + said[0]).text

    page.fill("#stage-2", "0")
    see_wrong("#stage-2", "whole number from 1 to 100")
    page.fill("#stage-2", "50")
    page.gone("[aria-invalid=true]")
    page.click("button[aria-expanded]", "Own gates")
    page.fill("#stage-1-sample", "-3")
    see_wrong("#stage-1-sample", "from 0 to")
    page.fill("#stage-1-sample", "3")
    page.click("summary", "Pace and priority")
    page.fill("#priority", "500")
    see_wrong("#priority", "from -100 to 100")
    assert page.axe() == []
    page.fill("#priority", "5")
    page.fill("#channel", "not a channel")
    see_wrong("#channel", "a-z, 0-9")
    page.fill("#channel", "")
    page.click("summary", "When")
    page.click("button", "Add a window")
    page.driver.execute_script(
        "const to = document.querySelector('[aria-label=\"window 1 to\"]');"
        "to.value = '02:00';"
        "to.dispatchEvent(new Event('input', {bubbles: true}));")
    see_wrong('[aria-label="window 1 to"]', "To must differ")
    page.click('[aria-label="Remove window 1"]')
    page.gone("[aria-invalid=true]")
    page.see(".preview-sentence")


def test_a_wrong_stage_does_not_hide_a_wrong_query(visit, line):
    page = open_form(visit, line)
    page.fill("#stage-2", "0")
    page.see("#stage-2[aria-invalid=true]")
    page.fill("#query", "hardware = = 3")
    assert "Character 12" in page.see("#query-error .field-error").text
    page.see(".preview .error-box", "Stage 2")
    page.see("#stage-2[aria-invalid=true]")
    page.fill("#query", "hardware = rev-a")
    page.gone("#query-error")
    page.fill("#stage-2", "50")
    page.see(".preview-sentence", "4 of")


def test_a_busy_server_is_asked_again_politely(visit, line):
    page = open_form(visit, line)
    page.busy("/rollouts/preview", 2)
    page.fill("#query", "hardware = rev-a")
    page.see(".preview [role=status]", "Busy, trying again")
    assert not page.all(".preview .error-box")
    assert not page.see("button", "Start rollout").is_enabled()
    page.see(".preview-sentence", "4 of")
    first, second, third = page.driver.execute_script("return window.asked")
    assert second - first > 990 and third - second > 1990
    assert page.see("button", "Start rollout").is_enabled()


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
        asked = newest(world.server, line.product)
        world.server.api("POST", f"/rollouts/{asked['id']}/abort", {},
                         expect=200)
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
