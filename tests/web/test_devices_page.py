# SPDX-License-Identifier: Apache-2.0
"""The list of devices: search, filters, columns, pages; the address has it."""
import csv
import io

import pytest
from filled import HOSTILE
from selenium.webdriver.support.ui import Select


def rows(page):
    return page.all("[aria-label='Devices'] tbody tr")


def names(page):
    return [e.text for e in page.all(
        "[aria-label='Devices'] td[data-title='Name']")]


def only(page, ask, what):
    page.until(lambda: names(page) and all(ask(n) for n in names(page)), what)


@pytest.fixture
def devices(as_role):
    page = as_role("viewer", "#/devices")
    page.see("[aria-label='Devices'] tbody tr")
    return page


def test_a_name_is_searched_while_typing(devices):
    devices.fill("[aria-label='Name or id']", "kitchen-0")
    only(devices, lambda n: n.startswith("kitchen-0"), "kitchens")
    assert len(names(devices)) == 9
    assert "search=kitchen-0" in devices.driver.current_url


def test_filters_are_in_the_address_and_come_back_with_it(devices):
    Select(devices.see("[aria-label='Product']")).select_by_value("thermostat")
    Select(devices.see("[aria-label='State']")).select_by_value("returned")
    devices.until(lambda: "came-back" in names(devices), "the one")
    only(devices, lambda n: n == "came-back", "no other")
    address = devices.driver.current_url
    devices.driver.get("about:blank")
    devices.driver.get(address)
    devices.until(lambda: names(devices) == ["came-back"], "the same again")
    devices.click("button", "Clear")
    devices.until(lambda: len(names(devices)) > 1, "all of them")


def test_a_query_chooses_and_a_wrong_one_is_explained(devices):
    devices.click("button", "Query")
    field = "[aria-label^='Query']"
    devices.fill(field, 'region = "eu" and hardware = rev-a')
    devices.until(lambda: "query=" in devices.driver.current_url, "asked")
    only(devices, lambda n: n.startswith("kitchen-")
         and int(n[-2:]) % 2 == 1, "the odd ones")
    devices.fill(field, "region = = eu")
    assert "character" in devices.see("[role=alert]").text
    devices.console()  # the 400 of the query
    devices.fill(field, "region = nowhere")
    devices.see("h3", "No device is like that")
    devices.console()


def test_columns_are_chosen_and_kept_in_the_address(devices):
    assert not devices.all("th", "Hardware")
    devices.click("button", "Columns")
    devices.click(".menu-item", "Hardware")
    devices.see("th", "Hardware")
    devices.driver.refresh()
    devices.see("th", "Hardware")
    devices.see("td[data-title=Hardware]", "rev-")


def test_it_sorts_both_ways(devices):
    devices.fill("[aria-label='Name or id']", "kitchen-")
    only(devices, lambda n: n.startswith("kitchen-"), "kitchens")
    devices.click("th button", "Name")
    devices.until(lambda: names(devices) == sorted(names(devices))
                  and devices.see("th[aria-sort=ascending]"), "upwards")
    devices.click("th button", "Name")
    devices.until(lambda: devices.see("th[aria-sort=descending]")
                  and names(devices)[0] == "kitchen-48", "downwards")


def test_pages_go_forward_and_back(devices):
    first = names(devices)
    assert len(first) == 50
    devices.click(".pager button", "Next")
    devices.until(lambda: names(devices)
                  and not set(names(devices)) & set(first), "others")
    devices.click(".pager button", "Back")
    devices.until(lambda: names(devices) == first, "the first ones")


def test_what_a_device_told_stands_in_its_row(devices):
    devices.fill("[aria-label='Name or id']", "kitchen-01")
    devices.until(lambda: names(devices) == ["kitchen-01"], "the one")
    text = rows(devices)[0].text
    assert "15%" in text and "unmetered" in text and "1.0.0" in text


def test_a_hostile_name_is_text(devices):
    devices.fill("[aria-label='Name or id']", "<img")
    devices.until(lambda: names(devices) == [HOSTILE], "it as it is")
    assert "broken" not in devices.driver.title
    assert not devices.all("main img")


def test_all_devices_are_exported(devices, filled, sessions):
    server, _ = filled
    devices.click("button", "Export")
    link = devices.see("a.menu-item", "CSV").get_attribute("href")
    answer = server.request("GET", link[len(devices.base):], headers={
        "Cookie": sessions("viewer").cookie})
    assert answer.status == 200
    found = [line["name"] for line in csv.DictReader(
        io.StringIO(answer.body.decode()))]
    assert {"kitchen-01", "kitchen-48", "came-back"} <= set(found)


def test_devices_with_a_client_of_their_own_stand_below(filled, devices):
    server, _ = filled

    def change(open_):
        server.api("PATCH", "/products/thermostat", {"unmanaged": open_},
                   token=server.admin_token, expect=200)

    assert not devices.all("[aria-label='Unmanaged devices']")
    change(True)
    try:
        server.request("GET", "/p/thermostat/stable/firmware.bin"
                       "?device=lamp-7&version=0.0.1")
        row = devices.see("[aria-label='Unmanaged devices'] tbody tr")
        assert "lamp-7" in row.text and "0.0.1" in row.text
        assert "thermostat" in row.text and "other" in row.text
    finally:
        change(False)
        for kept in server.api("GET", "/unmanaged").json["items"]:
            server.api("DELETE", f"/unmanaged/{kept['number']}", expect=204)
    devices.until(lambda: not devices.all("[aria-label='Unmanaged devices']"),
                  "gone when none is left")
