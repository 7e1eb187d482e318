"""Vehicles that come into the fleet and leave it, and a fleet that is too large to be watched whole."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.console.conftest import PLACE, AddTruck, OpenConsole, log_in
from tests.browser.console.truck import on_the_road
from tests.faults.rest import Rest
from tests.servers.v2v import V2VServer

PLACED = "id => window.v2v.placeOf(id) !== null"


@pytest.fixture
def admin(console_server: V2VServer) -> Rest:
    return Rest(console_server, "alpha_fleet_admin")


def test_a_vehicle_that_is_deleted_leaves_the_list_the_map_and_the_drawer(
    open_console: OpenConsole, add_truck: AddTruck, admin: Rest
) -> None:
    truck = add_truck()
    page = open_console(f"/?vehicle={truck.vehicle_id}")
    row = page.locator(f"#row-{truck.vehicle_id}")
    expect(row).to_be_visible()
    page.wait_for_function(PLACED, arg=truck.vehicle_id)
    admin.delete(f"vehicles/{truck.vehicle_id}")
    expect(row).to_have_count(0)
    expect(page.locator("#drawer [data-vehicle-id]")).to_have_count(0)
    assert page.evaluate(PLACED, truck.vehicle_id) is False


def test_a_vehicle_that_is_added_or_changed_shows_in_the_list(open_console: OpenConsole, admin: Rest) -> None:
    page = open_console()
    page.get_by_role("searchbox").fill("brand-new")
    expect(page.locator(".vehicle-row")).to_have_count(0)
    made = admin.post("vehicles", {"vehicleId": "brand-new", "fleet": "alpha"})
    row = page.locator("#row-brand-new")
    expect(row).to_contain_text("Offline")
    admin.patch("vehicles/brand-new", {"driverName": "Noor Haddad", "version": made["version"]})
    expect(row).to_contain_text("Noor Haddad")


def test_the_selected_vehicle_of_a_large_fleet_moves_on_also_outside_of_the_map(
    page: Page, start_server: Callable[..., V2VServer]
) -> None:
    server = start_server()
    server.manage("token", "--count", "1000", "--prefix", "many-", "--fleet", "alpha")
    log_in(page, server, server.login("alpha_dispatcher"))
    lat, lng = PLACE
    with on_the_road(server, lat, lng) as truck:
        page.goto(f"{server.url}/?vehicle={truck.vehicle_id}#12/0/0")
        expect(page.locator("#connection")).to_have_attribute("data-state", "open")
        position = page.locator("#drawer [data-live=position]")
        for tenth in range(1, 4):  # each within less time than a vehicle that is not followed takes
            truck.report(lat + tenth / 10, lng)
            expect(position).to_contain_text(f"{lat + tenth / 10:.5f}", timeout=5_000)
