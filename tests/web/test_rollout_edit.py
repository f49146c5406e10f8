# SPDX-License-Identifier: Apache-2.0
"""Editing a rollout that runs: what is sent is what was changed, and the page
says so in words before."""
from rollout_fixtures import address
from selenium.webdriver.common.keys import Keys

STAGES = [{"count": 2}, {"percent": 100}]


def open_editor(visit, line, role="operator"):
    page = visit(address(line), role)
    page.click(".page-head button", "Edit")
    page.see("dialog", "Nothing is changed yet.")
    assert not page.see("dialog button[type=submit]").is_enabled()
    return page


def unfold(page, title):
    page.click("dialog summary", title)


def save(page):
    page.click("dialog button[type=submit]")
    page.gone("dialog")


def test_pace_and_conditions_change_and_the_rest_stays(visit, line):
    line.start(STAGES, "Steady", rate_per_hour=50, windows=[
        {"days": ["mon"], "from": "01:00", "to": "04:00"}],
        gates={"min_sample": 2, "soak_s": 7200})
    before = line.show()["plan"]
    page = open_editor(visit, line)
    unfold(page, "Pace and priority")
    page.fill("dialog #rate", "500")
    page.see("dialog del", "At most 50 new devices an hour")
    page.see("dialog ins", "At most 500 new devices an hour")
    unfold(page, "On the device")
    page.click("dialog label", "Not while roaming")
    page.see("dialog ins", "Not while roaming")
    assert page.axe() == []
    save(page)
    assert line.show()["plan"] == {**before, "rate_per_hour": 500,
                                   "roaming": False}
    page.see("main", "At most 500 new devices an hour")


def test_what_was_set_is_set_back(visit, line):
    line.start(STAGES, "Open", rate_per_hour=50, priority=3, windows=[
        {"days": ["mon"], "from": "01:00", "to": "04:00"}])
    page = open_editor(visit, line)
    unfold(page, "Pace and priority")
    page.fill("dialog #rate", "")
    page.fill("dialog #priority", "")
    unfold(page, "When")
    page.click("dialog button[aria-label='Remove window 1']")
    page.see("dialog ins", "As fast as devices ask")
    page.see("dialog ins", "At once, at any time of day")
    save(page)
    plan = line.show()["plan"]
    assert (plan["rate_per_hour"], plan["priority"], plan["windows"]) == \
        (0, 0, [])


def test_gates_of_a_stage_that_is_not_passed(visit, line):
    line.start(STAGES, "Gates", gates={"min_sample": 2, "soak_s": 7200})
    line.do("advance", {"force": True})
    page = open_editor(visit, line)
    unfold(page, "Gates")
    page.says("Stages that are passed stay passed.")
    page.fill("dialog #edit-gates-failed", "25")
    page.see("dialog .differences dt", "Stage 2 passes when")
    page.see("dialog ins", "Fewer than 25% failed")
    save(page)
    first, second = (s["gates"] for s in line.show()["plan"]["stages"])
    assert second["max_failed_percent"] == 25
    assert first["max_failed_percent"] == 10
    assert first["soak_s"] == second["soak_s"] == 7200


def test_stages_may_have_gates_of_their_own(visit, line):
    line.start(STAGES, "Apart", gates={"min_sample": 2})
    page = open_editor(visit, line)
    unfold(page, "Gates")
    page.click("dialog button", "Each stage on its own")
    page.fill("dialog #edit-gates-2-sample", "4")
    save(page)
    first, second = (s["gates"] for s in line.show()["plan"]["stages"])
    assert (first["min_sample"], second["min_sample"]) == (2, 4)


def test_what_is_out_of_range_does_not_leave_the_form(visit, line):
    line.start(STAGES, "Before")
    page = open_editor(visit, line)
    unfold(page, "Pace and priority")
    page.fill("dialog #priority", "4000")
    page.click("dialog button[type=submit]")
    page.see("dialog")
    page.fill("dialog #priority", "7")
    page.fill("dialog #edit-name", "After")
    page.see("dialog del", "Before")
    page.see("dialog ins", "After")
    save(page)
    page.see("h1", "After")
    assert line.show()["plan"]["priority"] == 7


def test_enter_saves(visit, line):
    line.start(STAGES, "Before")
    page = open_editor(visit, line)
    page.fill("dialog #edit-name", "By keyboard")
    page.see("dialog ins", "By keyboard")
    page.keys(Keys.ENTER)
    page.gone("dialog")
    assert line.show()["name"] == "By keyboard"
    page = open_editor(visit, line)
    unfold(page, "Pace and priority")
    page.fill("dialog #rate", "44")
    page.see("dialog ins", "44 new devices")
    page.keys(Keys.ENTER)
    page.gone("dialog")
    assert line.show()["plan"]["rate_per_hour"] == 44


def test_what_is_wrong_in_a_folded_part_is_unfolded(visit, line):
    line.start(STAGES, "Folded")
    page = open_editor(visit, line)
    unfold(page, "Pace and priority")
    page.fill("dialog #priority", "4000")
    unfold(page, "Pace and priority")
    page.until(lambda: not page.see("dialog details:has(#priority)")
               .get_attribute("open"), "folded")
    page.click("dialog button[type=submit]")
    page.until(lambda: page.focused().get_attribute("id") == "priority",
               "the wrong field")


def test_who_may_not_operate_does_not_see_it(visit, line):
    line.start(STAGES, "Looked at")
    for role in ("viewer", "approver"):
        page = visit(address(line), role)
        page.see("h1", "Looked at")
        assert not page.all(".page-head button", "Edit")


def test_what_has_ended_is_not_edited(visit, world):
    page = visit(address(world.finished), "operator")
    page.see("h1", "Gateway fix")
    assert not page.all(".page-head button", "Edit")
