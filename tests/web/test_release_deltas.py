# SPDX-License-Identifier: Apache-2.0
"""The patches of a release: seen, withdrawn and made anew on its page; what
they saved, on the rollout's."""
import os
from pathlib import Path

import pytest
from browser import DESKTOP, PHONE
from selenium.webdriver.common.by import By
from waiting import wait_for

from rollout_world import NEW, OLD


@pytest.fixture
def patched(line, world):
    """A line whose devices take deltas; its first device used one."""
    for d in line.devices:
        d.facts[21] = [1, 12288, 63]
        d.poll()
    line.start([{"percent": 100}])
    path = f"/releases/{line.new['manifest']}/deltas"

    def item():
        found = world.server.api("GET", path, expect=200).json["items"]
        return next((d for d in found if d["state"] == "ready"), None)

    wait_for(item)
    first = line.devices[0]
    patch = first.poll()[9][2].hex()
    assert first.get(f"/deltas/{patch}").status == 200
    line.confirm([first])
    line.item = item
    yield line
    line.do("abort")  # lists of other tests do not show it as open


def test_patches_are_seen_withdrawn_and_made_anew(visit, patched):
    page = visit(f"#/releases/{patched.new['manifest']}")
    row = page.see('[aria-label="Patches"] tbody tr', OLD)
    item = patched.item()
    assert item["installed"] == 1 and item["saved"] > 0
    for words in ("12 KB", "ready"):
        assert words in row.text
    cells = {c.get_attribute("data-title"): c.text
             for c in row.find_elements(By.TAG_NAME, "td")}
    assert cells["Installed"] == "1" and cells["Failed"] == "0"
    assert cells["Saved"] != "–" and cells["Of the payload"].endswith("%")
    page.click('[aria-label="Patches"] button', "Withdraw")
    page.see("dialog .touches", "fetch the whole payload")
    page.click("dialog footer button", "Withdraw")
    page.see('[aria-label="Patches"] [data-state="withdrawn"]')
    page.see("main", "an operator withdrew it")
    page.click('[aria-label="Patches"] button', "Remake")
    page.see('[aria-label="Patches"] [data-state="ready"]')


def test_the_fleet_page_says_what_patches_saved(visit, patched, world):
    said = world.server.api("GET", "/fleet", expect=200).json["deltas"]
    assert said["installs"] >= 1 and said["saved"] > 0
    page = visit("#/")
    shots = os.environ.get("BOWLINE_SHOTS")  # to be looked at
    try:
        for size in (DESKTOP, PHONE):
            page.size(size)
            line = page.see(f"[data-patches='{said['installs']}']")
            text = " ".join(line.text.split())
            assert text.startswith("Patches saved") and "update" in text
            assert "; today " in text
            assert text.endswith(f"in {said['installs_today']}.")
            assert page.driver.execute_script(
                "return document.documentElement.scrollWidth"
                " <= window.innerWidth")
            if shots:
                page.shoot(Path(shots) / f"fleet-{size[0]}.png")
    finally:
        page.size(DESKTOP)


def test_the_rollout_says_what_patches_saved(visit, patched):
    page = visit(f"#/rollouts/{patched.id}")
    page.see("main", "Saved by patches")
    page.see("main", "1 device had one")


def test_a_viewer_sees_patches_and_no_buttons(visit, patched):
    page = visit(f"#/releases/{patched.new['manifest']}", "viewer")
    page.see('[aria-label="Patches"] tbody tr', OLD)
    assert not page.all('[aria-label="Patches"] button')


def test_a_release_without_patches_has_no_empty_table(visit, world):
    page = visit(f"#/releases/{world.paused.old['manifest']}")
    page.see(".tree")
    assert not page.all('[aria-label="Patches"]')
    assert NEW not in page.see("h1").text


def test_an_admin_switches_patches_off_and_on(visit, world):
    page = visit("#/settings")
    page.click('label[for="deltas"]')
    wait_for(lambda: not world.server.api("GET", "/settings",
                                          expect=200).json["deltas"])
    page.see("label, .check", "Make patches")
    page.click('label[for="deltas"]')
    wait_for(lambda: world.server.api("GET", "/settings",
                                      expect=200).json["deltas"])
