# SPDX-License-Identifier: Apache-2.0
"""One device: why, slots, timeline, journal, and what may be done to it."""
import base64

import pytest
from bowline_server import CONFIRMED, DOWNLOADING
from filled import HOSTILE, HOSTILE_ATTRIBUTE
from rollout_world import Line


def test_it_says_why_in_one_sentence(as_role, filled):
    server, fleet = filled
    page = as_role("viewer", f"#/devices/{fleet.never.id}")
    said = server.api("GET", f"/devices/{fleet.never.id}/why").json
    text = page.see(".why-sentence").text
    assert text.lower().rstrip(".") == said["sentence"].lower().rstrip(".")


def test_both_slots_are_drawn_and_its_facts_told(as_role, filled):
    _, fleet = filled
    page = as_role("viewer", f"#/devices/{fleet.devices[0].id}")
    slot = page.see("[data-slot=A]")
    assert "1.0.0" in slot.text and "running" in slot.text
    page.see("[data-slot=B]")
    for text in ("region", "eu", "15%", "unmetered", "rev-a", "UTC+1 h",
                 "version 1, the newest"):
        page.says(text)


def test_the_timeline_and_the_journal_tell_the_return(as_role, filled):
    _, fleet = filled
    page = as_role("viewer", f"#/devices/{fleet.returned.id}")
    page.see(".timeline-list li[data-state=returned]")
    page.see(".timeline-list li[data-state=downloading]")
    page.see("[aria-label=Journal] tbody tr", "returned")
    page.see("[aria-label=Journal] tbody tr", "watchdog")


def test_it_changes_by_itself(as_role, filled):
    server, _ = filled
    line = Line(server, "mixer", 2)
    line.start([{"percent": 100}])
    device = line.offered()[0]
    page = as_role("viewer", f"#/devices/{device.id}")
    page.see("[data-slot=A]", "1.0.0")
    device.event(DOWNLOADING, sequence=2)
    device.poll(_6=DOWNLOADING)
    page.see(".page-sub [data-state=downloading]")
    device.run(line.new, slot=1)
    device.event(CONFIRMED, sequence=2)
    device.poll()
    page.see("[data-slot=B].slot-running", "1.1.0")
    page.see(".timeline-list li[data-state=confirmed]")


def test_what_a_device_says_of_itself_is_text(as_role, filled):
    _, fleet = filled
    page = as_role("viewer", f"#/devices/{fleet.hostile.id}")
    page.see("h1", HOSTILE)
    page.says(HOSTILE_ATTRIBUTE)
    page.says("<b>bold</b>")
    page.says("<i>hw</i>")
    assert "broken" not in page.driver.title
    assert not page.all("main img, main b b, main i")


def test_a_viewer_has_no_buttons(as_role, filled):
    _, fleet = filled
    page = as_role("viewer", f"#/devices/{fleet.devices[0].id}")
    page.see(".why-sentence")
    for text in ("Edit", "Roll back"):
        assert not page.all("button", text)


def test_name_tags_and_channel_are_changed(as_role, filled):
    server, _ = filled
    device = server.register(name="old-name")
    page = as_role("operator", f"#/devices/{device.id}")
    page.click("button", "Edit")
    page.fill("#edit-name", "new-name")
    page.fill("#edit-tags", "vip, cellar")
    page.fill("#edit-channel", "beta")
    page.click("dialog button", "Save")
    page.see("h1", "new-name")
    shown = device.show()
    assert (shown["name"], shown["tags"], shown["channel"]) == (
        "new-name", ["vip", "cellar"], "beta")


def test_a_rollback_needs_a_permit_and_says_whom_it_touches(
        as_role, filled, tmp_path):
    server, fleet = filled
    device = fleet.devices[5]
    update(device, fleet.releases["1.1.0"])
    page = as_role("operator", f"#/devices/{device.id}")
    page.see("[data-slot=B]", "1.1.0")
    page.click("button", "Roll back")
    assert "this one device" in page.see("dialog .touches").text
    assert not page.all("dialog footer button", "Roll back")[0].is_enabled()
    assert f"bowline device rollback {device.id}" in page.see(
        "dialog pre").text
    page.driver.execute_script(
        "const s = document.getElementById('rollback-version');"
        "s.value = '1.0.0';"
        "s.dispatchEvent(new Event('change', {bubbles: true}))")
    permit = tmp_path / "permit"
    permit.write_bytes(base64.b64decode(server.permit(
        fleet.releases["1.0.0"]["manifest"], device=device.id)))
    page.see("#rollback-permit").send_keys(str(permit))
    page.click("dialog footer button", "Roll back")
    page.see(".toast-good", "goes back to 1.0.0")
    assert device.show()["target"]["version"] == "1.0.0"


def update(device, release):
    device.run(release, slot=1)
    device.event(CONFIRMED, sequence=release["sequence"])
    device.poll()


def test_a_permit_that_does_not_hold_is_refused_in_words(
        as_role, filled, tmp_path):
    _, fleet = filled
    device = fleet.devices[6]
    update(device, fleet.releases["1.1.0"])
    page = as_role("operator", f"#/devices/{device.id}")
    page.see("[data-slot=B]", "1.1.0")
    page.click("button", "Roll back")
    permit = tmp_path / "permit"
    permit.write_bytes(b"no permit at all")
    page.see("#rollback-permit").send_keys(str(permit))
    page.click("dialog footer button", "Roll back")
    assert "permit" in page.see("dialog [role=alert]").text
    assert device.show()["target"] is None
    page.console()  # its 4xx


def test_without_an_older_release_there_is_no_way_back(as_role, filled):
    _, fleet = filled
    page = as_role("operator", f"#/devices/{fleet.devices[8].id}")
    page.click("button", "Roll back")
    page.see("dialog p", "There is no release")
    page.click("dialog button", "Close")
    page.gone("dialog")


def test_removing_asks_for_the_name(as_role, filled):
    server, _ = filled
    device = server.register(name="goes-away")
    page = as_role("operator", f"#/devices/{device.id}")
    page.click("[aria-label=More]")
    page.click(".menu-item", "Remove the device")
    assert not page.all("dialog footer button", "Remove")[0].is_enabled()
    page.fill("#remove-name", "goes-away")
    page.click("dialog footer button", "Remove")
    page.see("h1", "Devices")
    assert server.api("GET", f"/devices/{device.id}").status == 404
    page.console()


def test_a_device_that_is_not_there_says_so(as_role):
    page = as_role("viewer", "#/devices/" + "ab" * 16)
    page.see("[role=alert]", "There is no device")
    page.console()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(as_role, filled, theme):
    _, fleet = filled
    page = as_role("operator", f"#/devices/{fleet.returned.id}")
    page.theme(theme)
    page.see("[aria-label=Journal]")
    page.see(".timeline")
    assert page.axe() == []
    page.click("button", "Roll back")
    page.see("dialog")
    assert page.axe() == []
