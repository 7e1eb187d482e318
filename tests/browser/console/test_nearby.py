"""The nearby panel of the selected vehicle."""

from playwright.sync_api import Page, expect

from tests.browser.console.conftest import AddTruck, OpenConsole, north_of


def _peers(page: Page) -> list[str]:
    return page.locator(".nearby-row .row-title").all_inner_texts()


def test_neighbors_stand_by_distance_and_by_activity(open_console: OpenConsole, add_truck: AddTruck) -> None:
    middle, near, far = add_truck(), add_truck(100), add_truck(300)
    page = open_console(f"/?vehicle={middle.vehicle_id}")
    expect(page.locator(".nearby-row")).to_have_count(2)
    assert _peers(page) == [near.vehicle_id, far.vehicle_id]
    expect(page.locator(".nearby-row").first).to_contain_text("100 m N")
    far.report(*north_of(301))
    page.get_by_role("button", name="Activity").click()
    expect(page.locator(".nearby-row .row-title").first).to_have_text(far.vehicle_id)


def test_a_vehicle_without_neighbors_gets_a_picture_and_advice(open_console: OpenConsole, add_truck: AddTruck) -> None:
    truck = add_truck(50_000)
    page = open_console(f"/?vehicle={truck.vehicle_id}")
    expect(page.locator("#nearby-empty")).to_contain_text("Nobody is near")


def test_a_vehicle_that_is_not_on_the_road_has_nobody_near(open_console: OpenConsole) -> None:
    page = open_console("/?vehicle=alpha-00180")
    expect(page.locator("#nearby-empty")).to_be_visible()


def test_a_vehicle_that_comes_near_is_new_for_ten_seconds(open_console: OpenConsole, add_truck: AddTruck) -> None:
    middle, comer = add_truck(20_000), add_truck(23_000)
    page = open_console(f"/?vehicle={middle.vehicle_id}")
    expect(page.locator("#nearby-empty")).to_be_visible()
    comer.report(*north_of(20_200))
    row = page.locator(".nearby-row", has_text=comer.vehicle_id)
    expect(row.locator(".badge")).to_have_text("NEW")
    expect(row.locator(".badge")).to_be_hidden(timeout=13_000)
    expect(row).to_be_visible()


def test_refresh_asks_the_server_again(open_console: OpenConsole, add_truck: AddTruck) -> None:
    middle = add_truck(30_000)
    page = open_console(f"/?vehicle={middle.vehicle_id}")
    expect(page.locator("#nearby-empty")).to_be_visible()
    sent: list[str] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(str(frame))))
    page.reload()
    expect(page.locator("#nearby-empty")).to_be_visible()
    asked = sum("nearby_refresh" in frame for frame in sent)
    page.get_by_role("button", name="Refresh nearby").click()
    page.wait_for_timeout(300)
    assert sum("nearby_refresh" in frame for frame in sent) == asked + 1


def test_distances_follow_the_unit(open_console: OpenConsole, add_truck: AddTruck) -> None:
    middle, _ = add_truck(40_000), add_truck(40_300)
    page = open_console(f"/?vehicle={middle.vehicle_id}")
    expect(page.locator(".nearby-row")).to_contain_text("300 m N")
    page.keyboard.press("u")
    expect(page.locator(".nearby-row")).to_contain_text("980 ft N")
    page.reload()
    expect(page.locator(".nearby-row")).to_contain_text("980 ft N")
