"""Alerts by keyboard, on the map, on a phone, and for a screen reader."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.console.conftest import PLACE, AddTruck, OpenConsole, north_of
from tests.browser.console.desk import Desk
from tests.browser.console.test_alerts_shown import banner_of
from tests.browser.console.test_hands_and_eyes import PHONE, violations


def test_next_and_acknowledge_are_keys(open_console: OpenConsole, add_truck: AddTruck) -> None:
    worst, second = add_truck().call_for_help(), add_truck(10).call_for_help(severity="high")
    page = open_console()
    page.keyboard.press("n")
    expect(page).to_have_url(re.compile(f"alert={worst}"))
    page.keyboard.press("n")
    expect(page.locator(f"#drawer [data-id='{second}']")).to_be_visible()
    page.keyboard.press("a")
    expect(page.locator("#drawer .alert-state")).to_have_text("Taken by alpha_dispatcher.")
    expect(banner_of(page, worst)).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    expect(banner_of(page, worst)).to_have_count(0)
    page.keyboard.press("a")
    expect(page.locator(".toast")).to_contain_text("There is nothing to acknowledge")


def test_two_keys_go_to_a_list_and_back_undoes_it(open_console: OpenConsole) -> None:
    page = open_console()
    page.keyboard.press("g")
    page.keyboard.press("a")
    expect(page.get_by_role("tab", name="Alerts")).to_have_attribute("aria-selected", "true")
    expect(page.locator("#panel-alerts")).to_be_visible()
    expect(page.locator("#panel-vehicles")).to_be_hidden()
    page.go_back()
    expect(page.locator("#panel-vehicles")).to_be_visible()
    page.get_by_role("tab", name="Vehicles").press("ArrowRight")
    expect(page.get_by_role("tab", name="Alerts")).to_be_focused()
    expect(page).to_have_url(re.compile(r"\?tab=alerts"))


def test_the_map_shows_it_and_leads_to_it(open_console: OpenConsole, add_truck: AddTruck) -> None:
    lat, lng = north_of(70_000)
    truck = add_truck(70_000)
    alert_id = truck.call_for_help(type="medical", lat=lat, lng=lng, radiusM=500)
    page = open_console(f"/#15/{lat + 0.003}/{lng}")
    place = page.wait_for_function("id => v2v.alertPlaceOf(id)", arg=alert_id).json_value()
    page.locator("#map").click(position={"x": place["x"], "y": place["y"]})
    expect(page.get_by_role("heading", name="Medical")).to_be_visible()
    page.goto(f"{page.url.split('#')[0]}#12/{PLACE[0]}/{PLACE[1]}")
    page.reload()
    expect(page.locator("#connection")).to_have_attribute("data-state", "open")
    assert page.evaluate("id => v2v.alertPlaceOf(id)", alert_id) is None
    page.get_by_label("Show on map").click()
    page.wait_for_function("id => v2v.alertPlaceOf(id)", arg=alert_id)


def test_on_a_phone_the_worst_stands_alone_and_nothing_lies_outside(
    open_console: OpenConsole, add_truck: AddTruck, page: Page
) -> None:
    page.set_viewport_size(PHONE)
    ids = [add_truck(10 * number).call_for_help(severity=name) for number, name in enumerate(("high", "critical"))]
    open_console("/?tab=alerts")
    expect(page.locator(".alert-banner")).to_have_count(1)
    expect(banner_of(page, ids[1])).to_be_visible()
    expect(page.locator("#alert-more")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.locator(f"#alert-row-{ids[0]}").click()
    expect(page.locator("#rail")).to_be_hidden()
    page.locator("#drawer").get_by_role("button", name="Acknowledge").click()
    expect(page.locator("#drawer .alert-state")).to_contain_text("Taken by")


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_nothing_in_alerts(open_console: OpenConsole, add_truck: AddTruck, desk: Desk, theme: str) -> None:
    alert_id, taken = add_truck().call_for_help(message="Help"), add_truck(10).call_for_help(drill=True)
    desk.do("alert_ack", alertId=taken)
    page = open_console(f"/?tab=alerts&alert={alert_id}")
    if theme == "light":
        page.keyboard.press("t")
    page.locator("#alert-action-resolve summary").click()
    expect(banner_of(page, alert_id)).to_be_visible()
    assert violations(page) == []
