"""The pages of alerts in a browser."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.console.conftest import AddTruck, log_in, north_of
from tests.browser.console.test_hands_and_eyes import PHONE, violations
from tests.browser.console.truck import Truck
from tests.servers.v2v import V2VServer

OpenPage = Callable[[str], Page]


@pytest.fixture
def open_page(page: Page, console_server: V2VServer, session: str) -> OpenPage:
    def opened(path: str) -> Page:
        log_in(page, console_server, session)
        page.goto(console_server.url + path)
        return page

    return opened


@pytest.fixture
def truck(add_truck: AddTruck) -> Truck:
    return add_truck(80_000, driver="Noor")


@pytest.fixture
def alert_id(truck: Truck) -> str:
    """An alert of the truck, with a place and a radius."""
    lat, lng = north_of(80_000)
    return truck.call_for_help(type="crash", message=f"Two cars, {truck.vehicle_id}", lat=lat, lng=lng, radiusM=800)


def rows(page: Page, text: str) -> None:
    expect(page.locator("tr[data-alert-id]")).to_have_count(1)
    expect(page.locator("tr[data-alert-id]")).to_contain_text(text)


def test_the_history_is_searched_while_one_types_and_the_address_keeps_it(
    open_page: OpenPage, truck: Truck, alert_id: str
) -> None:
    page = open_page("/alerts/")
    page.keyboard.press("/")
    search = page.get_by_role("searchbox")
    expect(search).to_be_focused()
    page.keyboard.type(truck.vehicle_id)
    expect(page).to_have_url(re.compile(rf"/alerts/\?sort=-raised&q={truck.vehicle_id}$"))
    rows(page, "Two cars")
    expect(search).to_be_focused()
    page.get_by_label("Severity").select_option("low")
    expect(page.get_by_text("No alert matches")).to_be_visible()
    expect(page).to_have_url(re.compile(f"q={truck.vehicle_id}&severity=low$"))
    page.go_back()
    rows(page, truck.vehicle_id)
    page.reload()
    rows(page, truck.vehicle_id)
    expect(page.get_by_role("searchbox")).to_have_value(truck.vehicle_id)


def test_a_row_leads_to_the_alert_with_its_place_and_to_the_console(
    open_page: OpenPage, truck: Truck, alert_id: str
) -> None:
    page = open_page(f"/alerts/?q={truck.vehicle_id}")
    page.locator("tr[data-alert-id]").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Crash \N{EN DASH} {truck.vehicle_id}")
    expect(page.locator(".timeline-entry")).to_have_attribute("data-kind", "raised")
    expect(page.locator("#place .leaflet-interactive")).to_have_count(2)
    expect(page.get_by_role("button", name="Print")).to_be_visible()
    page.get_by_role("link", name="Work it in the console").click()
    expect(page.locator(f'#drawer [data-kind="alert"][data-id="{alert_id}"]')).to_be_visible()


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_nothing_on_the_pages_and_they_fit_a_phone(open_page: OpenPage, alert_id: str, theme: str) -> None:
    for path in ("/alerts/", f"/alerts/{alert_id}/", "/alerts/answer-times/"):
        page = open_page(path)
        page.emulate_media(reduced_motion="reduce")  # no color on its way from one theme to the other
        page.evaluate("theme => (document.documentElement.dataset.theme = theme)", theme)
        assert violations(page) == []
        page.set_viewport_size(PHONE)
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
        page.set_viewport_size({"width": 1280, "height": 800})


def test_the_sheet_is_downloaded_with_the_filter(open_page: OpenPage, truck: Truck, alert_id: str) -> None:
    page = open_page("/alerts/")
    page.get_by_role("searchbox").fill(truck.vehicle_id)
    rows(page, truck.vehicle_id)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download CSV").click()
    lines = download.value.path().read_text().splitlines()
    assert len(lines) == 2
    assert lines[1].startswith(alert_id)
