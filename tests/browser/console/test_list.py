"""The list of vehicles: what the server knows, kept up to date in place."""

import re

from playwright.sync_api import expect

from tests.browser.console.conftest import AddTruck, OpenConsole

HOSTILE = "<img src=x onerror=alert(1)>\"'&{{7*7}}"


def test_a_vehicle_that_connects_turns_online_in_the_list(open_console: OpenConsole, add_truck: AddTruck) -> None:
    page = open_console()
    truck = add_truck(driver="Amina Noor")
    row = page.locator(f"#row-{truck.vehicle_id}")
    expect(row).to_have_attribute("data-status", "online")
    expect(row).to_contain_text("Online")
    expect(row.locator("time")).to_have_text("now")
    expect(row.locator("time")).to_have_attribute("title", re.compile(r"\d\d:\d\d:\d\d"))


def test_a_vehicle_that_leaves_turns_offline_and_dims(open_console: OpenConsole, add_truck: AddTruck) -> None:
    truck = add_truck()
    page = open_console()
    row = page.locator(f"#row-{truck.vehicle_id}")
    expect(row).to_have_attribute("data-status", "online")
    truck.leave()
    expect(row).to_have_attribute("data-status", "offline")
    expect(row).to_contain_text("Offline")


def test_a_vehicle_that_no_longer_matches_the_filter_leaves_the_list(
    open_console: OpenConsole, add_truck: AddTruck
) -> None:
    truck, other = add_truck(), add_truck()
    page = open_console()
    page.locator("label", has_text="Online").click()
    expect(page.locator(f"#row-{truck.vehicle_id}")).to_be_visible(timeout=15_000)
    truck.leave()
    expect(page.locator(f"#row-{truck.vehicle_id}")).to_have_count(0, timeout=15_000)
    expect(page.locator(f"#row-{other.vehicle_id}")).to_be_visible()


def test_the_search_narrows_the_list_and_stands_in_the_address(open_console: OpenConsole) -> None:
    page = open_console()
    page.get_by_role("searchbox").fill("00042")
    expect(page.locator(".vehicle-row")).to_have_count(1)
    expect(page.locator(".vehicle-row")).to_contain_text("alpha-00042")
    page.reload()
    expect(page.locator(".vehicle-row")).to_have_count(1)
    expect(page.get_by_role("searchbox")).to_have_value("00042")


def test_a_search_that_finds_nothing_says_what_to_do(open_console: OpenConsole) -> None:
    page = open_console("/?q=zzz")
    expect(page.locator("#vehicle-list")).to_contain_text("No vehicle matches")


def test_more_vehicles_come_as_the_list_is_scrolled(open_console: OpenConsole) -> None:
    page = open_console()
    expect(page.locator(".vehicle-row")).to_have_count(100)
    page.get_by_role("button", name="Show more").scroll_into_view_if_needed()
    expect(page.locator(".vehicle-row")).to_have_count(180)


def test_a_low_battery_shows_in_the_list_and_a_good_one_does_not(
    open_console: OpenConsole, add_truck: AddTruck
) -> None:
    low, good = add_truck(battery=9), add_truck(battery=80)
    page = open_console()
    expect(page.locator(f"#row-{low.vehicle_id} .low-battery")).to_have_text(re.compile("9%"))
    expect(page.locator(f"#row-{good.vehicle_id} .low-battery")).to_be_hidden()


def test_a_hostile_name_is_only_text(open_console: OpenConsole, add_truck: AddTruck) -> None:
    truck, _ = add_truck(driver=HOSTILE), add_truck(100, driver=HOSTILE)
    page = open_console(f"/?vehicle={truck.vehicle_id}")
    expect(page.locator("#drawer")).to_contain_text(HOSTILE)
    expect(page.locator(".nearby-row")).to_contain_text(HOSTILE)
    assert page.locator("img[src=x]").count() == 0
