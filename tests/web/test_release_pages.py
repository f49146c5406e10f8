# SPDX-License-Identifier: Apache-2.0
"""Releases: the list, and one of them."""
from rollout_world import NEW, OLD
from selenium.webdriver.common.by import By

HOSTILE = "<img src=x onerror=document.title='broken'>"


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
