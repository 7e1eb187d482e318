"""Drawing geofences in a browser: with the mouse, by keyboard, two people at once."""

import re
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import LOCALE, TIME_ZONE
from tests.browser.console.conftest import PLACE, AddTruck, log_in, north_of
from tests.browser.console.test_hands_and_eyes import violations
from tests.faults.rest import Rest
from tests.servers.v2v import V2VServer

OpenPage = Callable[..., Page]
_numbers = count(1)


@pytest.fixture
def open_page(page: Page, console_server: V2VServer, session: str) -> OpenPage:
    """Opens the page of geofences at a query, as a dispatcher of fleet alpha; waits until it is live."""

    def opened(query: str = "", *, session: str = session, page: Page = page) -> Page:
        log_in(page, console_server, session)
        page.goto(f"{console_server.url}/geofences/{query}")
        expect(page.locator("#connection")).to_have_attribute("data-state", "open")
        return page

    return opened


@pytest.fixture(scope="module")
def rest(console_server: V2VServer) -> Rest:
    return Rest(console_server, "alpha_dispatcher")


@pytest.fixture
def name(rest: Rest) -> Iterator[str]:
    """A name of the test's own; what is called so is deleted at the end."""
    name = f"Yard-{next(_numbers)}"
    yield name
    for geofence in rest.get(f"geofences?search={name}")["results"]:
        rest.delete(f"geofences/{geofence['id']}")


@pytest.fixture
def make(rest: Rest, name: str) -> Callable[..., dict[str, Any]]:
    """Makes circles of 300 meters at PLACE over the API."""

    def circle(**more: Any) -> dict[str, Any]:
        body = {
            "fleet": "alpha",
            "name": name,
            "kind": "circle",
            "geometry": {"type": "Point", "coordinates": [PLACE[1], PLACE[0]]},
            "radiusM": 300,
            "holdS": 0,
            **more,
        }
        geofence: dict[str, Any] = rest.post("geofences", body)
        return geofence

    return circle


def stored(rest: Rest, name: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = rest.get(f"geofences?search={name}")["results"]
    return next(each for each in found if each["name"] == name)


def at(query: str = "", *, zoom: int = 15) -> str:
    return f"{query}#{zoom}/{PLACE[0]}/{PLACE[1]}"


def row(page: Page, name: str) -> Any:
    return page.locator(".geofence-row").filter(has=page.get_by_text(name, exact=True))


def test_an_area_is_drawn_saved_and_there_after_a_reload(open_page: OpenPage, rest: Rest, name: str) -> None:
    page = open_page(at())
    page.get_by_role("link", name="New area").click()
    expect(page.locator("#gf-hint")).to_contain_text("Click on the map for each corner")
    for x, y in ((520, 300), (700, 300), (700, 500), (520, 300)):
        page.mouse.click(x, y)
    expect(page.locator("#gf-points")).to_have_value(re.compile(r"^(.+, .+\n){2}.+, .+$"))
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("leaves").select_option("high")
    page.get_by_role("button", name="Create the geofence").click()
    expect(page.locator("#drawer-title")).to_have_text(name)
    expect(page).to_have_url(re.compile(r"\?geofence=\d+"))
    geofence = stored(rest, name)
    assert (geofence["kind"], len(geofence["geometry"]["coordinates"][0]), geofence["onExit"]) == ("polygon", 4, "high")
    page.reload()
    expect(row(page, name)).to_have_attribute("aria-current", "true")
    expect(page.locator(".facts")).to_contain_text("High alert")


def test_a_circle_is_made_by_keyboard_alone(open_page: OpenPage, rest: Rest, name: str) -> None:
    page = open_page(at())
    page.keyboard.press("n")
    expect(page.get_by_label("Name", exact=True)).to_be_focused()
    page.keyboard.type(name)
    for label, text in (("Latitude", "24.5"), ("Longitude", "54.4"), ("Radius, meters", "750")):
        page.get_by_label(label, exact=True).focus()
        page.keyboard.press("Control+a")
        page.keyboard.type(text)
    page.keyboard.press("Enter")
    expect(page.locator("#drawer-title")).to_have_text(name)
    geofence = stored(rest, name)
    assert (geofence["geometry"]["coordinates"], geofence["radiusM"]) == ([54.4, 24.5], 750)


def test_dragging_a_circle_on_the_map_fills_the_fields_in(open_page: OpenPage, rest: Rest, name: str, make) -> None:
    geofence = make()
    page = open_page(at(f"?edit={geofence['id']}"))
    expect(page.locator(".marker-icon")).to_have_count(2)
    box = page.locator("#map").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2  # where the map looks
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 100, y, steps=5)
    page.mouse.up()
    expect(page.get_by_label("Longitude", exact=True)).not_to_have_value(str(PLACE[1]))
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#drawer-title")).to_have_text(name)
    moved = stored(rest, name)
    assert moved["version"] == 2
    assert moved["geometry"]["coordinates"] != geofence["geometry"]["coordinates"]


def test_what_is_wrong_stands_at_its_field_and_nothing_typed_is_lost(open_page: OpenPage, name: str) -> None:
    page = open_page(at("?new=polygon"))
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Corners").fill("25.2, 55.2\n25.3, 55.3\n25.2, 55.3\n25.3, 55.2")
    page.get_by_role("button", name="Create the geofence").click()
    expect(page.locator("#gf-points-error")).to_have_text("The border crosses or touches itself.")
    expect(page.get_by_label("Name", exact=True)).to_have_value(name)
    expect(page.get_by_label("Corners")).to_have_value(re.compile("25.3, 55.2"))


def test_deleting_is_undone(open_page: OpenPage, rest: Rest, name: str, make) -> None:
    geofence = make()
    page = open_page(at(f"?geofence={geofence['id']}"))
    page.get_by_role("button", name="Delete").click()
    expect(row(page, name)).to_have_count(0)
    expect(page.locator(".toast")).to_contain_text(f"{name} is deleted.")
    assert rest.get(f"geofences?search={name}")["count"] == 0
    page.get_by_role("button", name="Undo").click()
    expect(row(page, name)).to_have_count(1)
    expect(page.locator("#drawer-title")).to_have_text(name)
    assert stored(rest, name)["id"] == geofence["id"]


@pytest.fixture
def second_page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(locale=LOCALE, timezone_id=TIME_ZONE, viewport={"width": 1280, "height": 800})
    yield context.new_page()
    context.close()


def test_a_second_browser_sees_it_at_once_and_of_two_who_edit_one_is_told(
    open_page: OpenPage, second_page: Page, other_session: str, name: str, make
) -> None:
    other = open_page(at(), session=other_session, page=second_page)
    geofence = make()
    expect(row(other, name)).to_have_count(1)
    assert other.evaluate("id => window.v2v.fencePlaceOf(id) !== null", geofence["id"])
    page = open_page(at(f"?edit={geofence['id']}"))
    row(other, name).click()
    other.get_by_role("link", name="Edit").click()
    other.get_by_label("Name", exact=True).fill(f"{name}-east")
    other.get_by_role("button", name="Save", exact=True).click()
    expect(row(page, f"{name}-east")).to_have_count(1)
    page.get_by_label("Name", exact=True).fill(f"{name}-west")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#geofence-conflict")).to_contain_text("alpha_fleet_admin has changed it meanwhile.")
    expect(page.get_by_label("Name", exact=True)).to_have_value(f"{name}-west")
    page.get_by_role("button", name="Save mine instead").click()
    expect(page.locator("#drawer-title")).to_have_text(f"{name}-west")
    expect(other.locator("#drawer-title")).to_have_text(f"{name}-west")


def test_who_is_inside_and_what_happened_shows_by_itself(open_page: OpenPage, add_truck: AddTruck, make) -> None:
    geofence = make()
    page = open_page(at(f"?geofence={geofence['id']}"))
    truck = add_truck()
    expect(page.locator(".geofence-inside")).to_contain_text(truck.vehicle_id, timeout=15_000)
    truck.report(*north_of(600))
    expect(page.locator(".geofence-events")).to_contain_text(f"Left {truck.vehicle_id}")


def test_a_viewer_may_look_and_not_change(console_server: V2VServer, open_page: OpenPage, make) -> None:
    geofence = make()
    viewer = console_server.login("alpha_viewer")
    page = open_page(at(f"?edit={geofence['id']}"), session=viewer)
    expect(page.locator("#drawer-title")).to_have_text(geofence["name"])
    for forbidden in ("New circle", "Edit", "Delete"):
        expect(page.get_by_text(forbidden, exact=True)).to_have_count(0)


def test_the_console_shows_them_until_they_are_switched_off(open_console: Any, make) -> None:
    geofence = make()
    page = open_console(at("/"))
    shown = "id => window.v2v.fencePlaceOf(id) !== null"
    page.wait_for_function(shown, arg=geofence["id"])
    page.keyboard.press("o")
    expect(page.get_by_role("button", name="Show the geofences")).to_have_attribute("aria-pressed", "false")
    assert not page.evaluate(shown, geofence["id"])
    page.reload()
    expect(page.get_by_role("button", name="Show the geofences")).to_have_attribute("aria-pressed", "false")


@pytest.mark.parametrize("query", ["", "?geofence={}", "?edit={}", "?new=polygon"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_wrong(open_page: OpenPage, make, query: str, theme: str) -> None:
    geofence = make(onEnter="critical")
    page = open_page(at(query.format(geofence["id"])))
    page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
    assert violations(page) == []


def test_a_new_circle_begins_where_the_map_looks(open_page: OpenPage) -> None:
    page = open_page(at("?new=circle"))
    latitude = page.get_by_label("Latitude", exact=True)
    expect(latitude).not_to_have_value("")
    assert abs(float(latitude.input_value()) - PLACE[0]) < 0.02
    assert 100 < float(page.get_by_label("Radius, meters").input_value()) < 1_000


def test_it_all_works_without_scripts(browser: Browser, console_server: V2VServer, session: str, name: str) -> None:
    context = browser.new_context(java_script_enabled=False, locale=LOCALE)
    page = context.new_page()
    log_in(page, console_server, session)
    page.goto(f"{console_server.url}/geofences/?new=circle")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Create the geofence").click()
    expect(page.locator("#gf-lat-error")).to_have_text("Draw it on the map, or type it here.")
    for label, text in (("Latitude", "24.5"), ("Longitude", "54.4"), ("Radius, meters", "750")):
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_role("button", name="Create the geofence").click()
    expect(page.locator("#drawer-title")).to_have_text(name)
    page.get_by_role("button", name="Delete").click()
    expect(page.locator(".notice")).to_contain_text(f"{name} is deleted.")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#drawer-title")).to_have_text(name)
    context.close()
