"""The pages of the radio in a browser, with radios on a simulated air."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from radio.link.payloads import Emergency, Position, Text
from tests.browser.console.conftest import log_in
from tests.browser.console.test_hands_and_eyes import PHONE, violations
from tests.integration.radio.stations import Station, Waves
from tests.servers import v2v
from tests.servers.run import Run
from tests.servers.v2v import V2VServer

OpenPage = Callable[..., Page]


@pytest.fixture(scope="module")
def waves(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Waves]:
    waves = Waves(tmp_path_factory.mktemp("radio") / "modem")
    yield waves
    waves.close()


@pytest.fixture(scope="module")
def site(run: Run, waves: Waves) -> Iterator[V2VServer]:
    settings = {"RADIO_PORT": str(waves.modem.path), "RADIO_FLEET": "alpha", "RADIO_AIR_BPS": "100000"}
    server = v2v.start(run, **settings)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def admin_session(site: V2VServer) -> str:
    return site.login("alpha_fleet_admin")


@pytest.fixture
def open_page(page: Page, site: V2VServer, admin_session: str) -> OpenPage:
    def opened(path: str) -> Page:
        log_in(page, site, admin_session)
        page.goto(site.url + path)
        return page

    return opened


@pytest.fixture
def rover(site: V2VServer, waves: Waves) -> tuple[Station, str]:
    vehicle_id, _ = site.vehicle()
    station = waves.station()
    station.hello(vehicle_id)
    return station, vehicle_id


def test_radios_and_frames_appear_while_one_looks(
    open_page: OpenPage, waves: Waves, rover: tuple[Station, str]
) -> None:
    page = open_page("/radio/")
    expect(page.get_by_text("Connected", exact=True)).to_be_visible()
    station = waves.station()
    assert station.acked(station.send(Text(content="Anybody there?")))
    expect(page.locator(f'tr[data-address="{station.address}"]')).to_contain_text("Not assigned")
    expect(page.locator("tr[data-frame]").first).to_contain_text("Anybody there?")
    page.get_by_role("link", name="Hello").click()
    expect(page.locator("tr[data-frame]").first).to_contain_text(rover[1])


def test_an_unknown_radio_is_assigned_and_sent_a_text(open_page: OpenPage, site: V2VServer, waves: Waves) -> None:
    vehicle_id, _ = site.vehicle()
    station = waves.station()
    assert station.acked(station.send(Text(content="New here")))
    page = open_page("/radio/")
    page.locator(f'tr[data-address="{station.address}"] a').first.click()
    page.get_by_label("This radio speaks for").fill(vehicle_id)
    page.get_by_role("button", name="Assign").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(vehicle_id)
    page.get_by_role("textbox", name="Text").fill("Welcome on air")
    page.get_by_role("button", name="Send by radio").click()
    payload = station.next(Text)
    assert payload.content == "Welcome on air"
    expect(page.locator("tr[data-frame]").filter(has_text="Welcome on air")).to_contain_text("Acknowledged")


def test_the_console_tells_of_a_text_from_a_radio_that_no_vehicle_has(open_page: OpenPage, waves: Waves) -> None:
    page = open_page("/")
    expect(page.locator("#connection")).to_have_attribute("data-state", "open")
    station = waves.station()
    station.send(Text(content="Lost near the dunes"))
    toast = page.locator(".toast").filter(has_text="Lost near the dunes")
    expect(toast).to_contain_text(f"Radio {station.address:04X}, not assigned")


def test_a_message_that_went_by_radio_says_so_in_the_conversation(
    open_page: OpenPage, rover: tuple[Station, str]
) -> None:
    station, vehicle_id = rover
    page = open_page(f"/?tab=messages&conversation=alpha/{vehicle_id}")
    expect(page.locator("#connection")).to_have_attribute("data-state", "open")
    page.locator("#drawer textarea").fill("Come home")
    page.keyboard.press("Enter")
    assert station.next(Text).content == "Come home"
    expect(page.locator(".message").filter(has_text="Come home")).to_contain_text("Delivered by radio")


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_nothing_on_the_pages_and_they_fit_a_phone(
    open_page: OpenPage, rover: tuple[Station, str], theme: str
) -> None:
    station, _ = rover
    station.send(Position(lat=25.2, lng=55.3), recipient=None, wants_ack=False)
    assert station.acked(station.send(Emergency(type="breakdown", content="Stuck", drill=True)))
    page = open_page("/radio/")
    page.locator(f'tr[data-address="{station.address}"] a').first.click()
    page.wait_for_url("**/radio/nodes/*/")
    node = page.url
    for address in (node, node.partition("nodes/")[0]):
        page.goto(address)
        page.emulate_media(reduced_motion="reduce")
        page.evaluate("theme => (document.documentElement.dataset.theme = theme)", theme)
        assert violations(page) == []
        page.set_viewport_size(PHONE)
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
        page.set_viewport_size({"width": 1280, "height": 800})
