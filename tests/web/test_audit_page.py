# SPDX-License-Identifier: Apache-2.0
"""The audit log as a page."""
import json


def lines(page):
    return page.all("[aria-label='Audit log'] tbody tr")


def test_newest_first_with_who_and_what_and_a_verified_chain(as_role, filled):
    page = as_role("viewer", "#/audit")
    page.see("[data-chain=ok]", "chain verified")
    page.see("[aria-label='Audit log'] tbody tr")
    numbers = [int(cell.text) for cell in page.all("td[data-title='#']")]
    assert numbers == sorted(numbers, reverse=True)


def test_filters_are_in_the_address(as_role, filled):
    server, _ = filled
    page = as_role("viewer", "#/audit")
    page.fill("[aria-label='Who']", "ada")
    page.until(lambda: "actor=ada" in page.driver.current_url, "the address")
    page.until(lambda: lines(page) and all(
        "ada" in line.text for line in lines(page)), "only ada's lines")
    page.fill("[aria-label^='What']", "no-such-action")
    page.see("h3", "No line is like that")


def test_pages_go_forward_and_back(as_role):
    def numbers():
        return [c.text for c in page.all("td[data-title='#']")]
    page = as_role("viewer", "#/audit")
    page.see("td[data-title='#']")
    first = page.until(numbers, "lines")
    assert len(first) == 50
    page.click(".pager button", "Next")
    page.until(lambda: numbers() and numbers() != first, "older lines")
    assert int(numbers()[0]) == int(first[-1]) - 1
    page.click(".pager button", "Back")
    page.until(lambda: numbers() == first, "the first page")


def test_the_export_is_offered_and_is_the_log(as_role, filled, sessions):
    server, _ = filled
    page = as_role("viewer", "#/audit")
    page.click("button", "Export")
    link = page.see("a.menu-item", "JSONL").get_attribute("href")
    answer = server.request("GET", link[len(page.base):], headers={
        "Cookie": sessions("viewer").cookie})
    exported = [json.loads(line) for line in answer.body.splitlines()]
    assert exported[0]["number"] == 1


def test_a_new_line_appears_by_itself(as_role, filled):
    server, _ = filled
    page = as_role("viewer", "#/audit")
    page.see(".live-live")
    page.see("td[data-title='#']")
    device = server.register(name="appears-by-itself")
    page.see("[aria-label='Audit log'] tbody tr", device.id[:12])
