"""The map: where vehicles are, how they move, and choosing one."""

from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.console.conftest import PLACE, AddTruck, OpenConsole, north_of

NEAR = f"#16/{PLACE[0]}/{PLACE[1]}"


def _place(page: Page, vehicle_id: str) -> dict[str, float]:
    """Where the vehicle is drawn, in pixels of the map."""
    handle = page.wait_for_function("id => v2v.placeOf(id)", arg=vehicle_id)
    place: dict[str, Any] = handle.json_value()
    return place


def test_a_vehicle_glides_to_where_it_reports(open_console: OpenConsole, add_truck: AddTruck) -> None:
    truck = add_truck()
    page = open_console(f"/{NEAR}")
    before = _place(page, truck.vehicle_id)
    truck.report(*north_of(150))
    page.wait_for_function("([id, y]) => v2v.placeOf(id).y < y - 60", arg=[truck.vehicle_id, before["y"]])
    after = _place(page, truck.vehicle_id)
    assert abs(after["x"] - before["x"]) < 2


def test_nothing_is_drawn_while_nothing_moves(open_console: OpenConsole, add_truck: AddTruck) -> None:
    truck = add_truck()
    page = open_console(f"/{NEAR}")
    _place(page, truck.vehicle_id)
    page.wait_for_timeout(3000)  # the longest glide
    frames = page.evaluate("v2v.effort().frames")
    page.wait_for_timeout(1000)
    assert page.evaluate("v2v.effort().frames") - frames < 10


def test_a_click_on_a_vehicle_opens_it(open_console: OpenConsole, add_truck: AddTruck) -> None:
    truck = add_truck(speed=15.0, heading=90.0)
    page = open_console(f"/{NEAR}")
    place = _place(page, truck.vehicle_id)
    page.locator("#map").click(position={"x": place["x"] + 3, "y": place["y"] + 3})
    drawer = page.locator("#drawer")
    expect(drawer.get_by_role("heading", name=truck.vehicle_id)).to_be_visible()
    expect(drawer).to_contain_text("54 km/h")
    expect(drawer).to_contain_text("E 90°")
    expect(page.locator(f"#row-{truck.vehicle_id}")).to_have_attribute("aria-current", "true")


def test_far_out_vehicles_are_circles_and_a_click_opens_them_up(open_console: OpenConsole, add_truck: AddTruck) -> None:
    trucks = [add_truck(200 * number) for number in range(5)]
    page = open_console(f"/#8/{PLACE[0]}/{PLACE[1]}")
    page.wait_for_function("() => v2v.effort().frames > 2")
    assert page.evaluate("id => v2v.placeOf(id)", trucks[0].vehicle_id) is None
    box = page.locator("#map").bounding_box()
    assert box
    page.locator("#map").click(position={"x": box["width"] / 2, "y": box["height"] / 2})
    for truck in trucks:
        _place(page, truck.vehicle_id)


def test_a_link_restores_the_vehicle_and_the_view(open_console: OpenConsole, add_truck: AddTruck) -> None:
    truck = add_truck()
    page = open_console(f"/{NEAR}")
    page.locator(f"#row-{truck.vehicle_id}").click()
    expect(page.get_by_role("heading", name=truck.vehicle_id)).to_be_visible()
    link = page.url
    assert f"vehicle={truck.vehicle_id}" in link
    page.goto("about:blank")
    page.goto(link)
    expect(page.get_by_role("heading", name=truck.vehicle_id)).to_be_visible()
    assert page.url == link
    _place(page, truck.vehicle_id)


def test_back_undoes_the_choice_of_a_vehicle(open_console: OpenConsole, add_truck: AddTruck) -> None:
    first, second = add_truck(), add_truck(50)
    page = open_console(f"/{NEAR}")
    for truck in (first, second):
        page.locator(f"#row-{truck.vehicle_id}").click()
        expect(page.get_by_role("heading", name=truck.vehicle_id)).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name=first.vehicle_id)).to_be_visible()


def test_telemetry_shows_only_what_was_reported_and_from_where(open_console: OpenConsole, add_truck: AddTruck) -> None:
    truck = add_truck(battery=64)
    page = open_console(f"/?vehicle={truck.vehicle_id}")
    battery = page.locator(".tile", has_text="Battery")
    expect(battery).to_contain_text("64%")
    expect(battery).to_have_attribute("title", "as the vehicle's device reported it")
    expect(page.locator(".tile", has_text="Signal")).to_be_hidden()
