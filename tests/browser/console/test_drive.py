"""The driver's page: signing in, the position, the call for help, and calls with the console."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.console.conftest import PLACE, AddTruck, OpenConsole
from tests.browser.console.test_hands_and_eyes import AXE, PHONE, violations
from tests.servers.v2v import V2VServer

BEEPS = """
async () => {
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 2048 });
  context.createMediaStreamSource(document.getElementById("call-audio").srcObject).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  for (let i = 0; i < 150; i++) {
    analyser.getFloatTimeDomainData(samples);
    if (samples.some((sample) => Math.abs(sample) > 0.01)) return true;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return false;
}
"""

OpenCab = Callable[..., tuple[Page, str]]


@pytest.fixture
def open_cab(browser: Browser, console_server: V2VServer) -> Iterator[OpenCab]:
    """Signs a fresh vehicle in by its link, at PLACE; its page, and its id."""
    context = browser.new_context(
        locale="en-GB", viewport=PHONE, geolocation={"latitude": PLACE[0], "longitude": PLACE[1]}
    )
    context.set_default_timeout(10_000)
    context.grant_permissions(["geolocation", "microphone"], origin=console_server.url)
    errors: list[str] = []

    def opened() -> tuple[Page, str]:
        vehicle_id, token = console_server.vehicle()
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{console_server.url}/drive/#vehicle={vehicle_id}&token={token}")
        expect(page.locator("#connection")).to_have_attribute("data-state", "open")
        return page, vehicle_id

    yield opened
    context.close()
    assert errors == []


def hold(page: Page) -> None:
    """Hold the button for help until it counts down."""
    page.locator(".emergency-hold").hover()
    page.mouse.down()
    expect(page.get_by_text("Help is called in")).to_be_visible()
    page.mouse.up()


def test_a_token_signs_in_and_is_nowhere_in_the_address(open_cab: OpenCab) -> None:
    cab, vehicle_id = open_cab()
    expect(cab.get_by_role("heading", name=vehicle_id)).to_be_visible()
    assert cab.url.endswith("/drive/")
    expect(cab.locator("#position")).to_have_text("25.20480° N, 55.27080° E")
    cab.reload()
    expect(cab.locator("#connection")).to_have_attribute("data-state", "open")
    cab.get_by_role("button", name="Sign out").click()
    expect(cab.get_by_label("Device token")).to_be_visible()


def test_a_wrong_token_is_told_in_words(page: Page, console_server: V2VServer) -> None:
    vehicle_id, _ = console_server.vehicle()
    page.goto(f"{console_server.url}/drive/")
    page.get_by_label("Vehicle").fill(vehicle_id)
    page.get_by_label("Device token").fill("v2v_of-nobody")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Vehicle and token do not match.")).to_be_visible()
    assert page.evaluate("sessionStorage.getItem('v2v.drive')") is None


def test_vehicles_that_are_near_are_listed_with_their_distance(open_cab: OpenCab, add_truck: AddTruck) -> None:
    truck = add_truck(120.0)
    cab, _ = open_cab()
    expect(cab.locator("#nearby-list")).to_contain_text(truck.vehicle_id)
    expect(cab.locator(".cab-row", has_text=truck.vehicle_id)).to_contain_text("120 m N")


def test_the_console_sees_where_the_cab_is(open_cab: OpenCab, open_console: OpenConsole) -> None:
    cab, vehicle_id = open_cab()
    page = open_console(f"/?vehicle={vehicle_id}")
    expect(page.locator("[data-live=position]")).to_have_text("25.20480° N, 55.27080° E")
    cab.context.set_geolocation({"latitude": PLACE[0] + 0.001, "longitude": PLACE[1]})
    expect(page.locator("[data-live=position]")).to_have_text("25.20580° N, 55.27080° E")


def test_help_that_is_cancelled_within_the_countdown_is_never_called(open_cab: OpenCab) -> None:
    cab, _ = open_cab()
    hold(cab)
    cab.get_by_role("button", name="Cancel").click()
    expect(cab.get_by_text("Hold to call for help")).to_be_visible()
    assert cab.evaluate("sessionStorage.getItem('v2v.drive.emergency')") is None


def test_who_calls_for_help_hears_what_becomes_of_it(open_cab: OpenCab, open_console: OpenConsole) -> None:
    cab, vehicle_id = open_cab()
    cab.get_by_label("Medical").check()
    hold(cab)
    expect(cab.get_by_text("The server has it.")).to_be_visible(timeout=10_000)  # it counts down from five
    page = open_console()
    expect(page.locator(".alert-banner", has_text=vehicle_id)).to_contain_text("Medical")
    expect(cab.get_by_text("A dispatcher's screen shows it.")).to_be_visible()
    page.locator(".alert-banner", has_text=vehicle_id).get_by_role("button", name="Acknowledge").click()
    expect(cab.get_by_text("alpha_dispatcher has taken it.")).to_be_visible()
    cab.reload()
    expect(cab.get_by_text("alpha_dispatcher has taken it.")).to_be_visible()
    cab.get_by_role("button", name="I need no help any more").click()
    expect(cab.get_by_text("Cancelled.")).to_be_visible()


@pytest.mark.usefixtures("microphone")
def test_the_cab_and_the_console_hear_each_other_and_the_fix_goes_beside(
    open_cab: OpenCab, open_console: OpenConsole
) -> None:
    cab, vehicle_id = open_cab()
    page = open_console("/?tab=calls")
    cab.get_by_role("button", name="Call dispatch").click()
    page.locator(".incoming-call", has_text=vehicle_id).get_by_role("button", name="Answer").click()
    for each in (cab, page):
        expect(each.locator("#call")).to_have_attribute("data-phase", "talking")
        assert each.evaluate(BEEPS)
    shown = page.locator("#call [data-part=telemetry]")
    expect(shown).to_contain_text("25.20480° N, 55.27080° E")
    expect(shown).to_contain_text(re.compile("Frames(9|10) a second"))
    page.reload()
    for each in (page, cab):  # the cab learns of it by the page's new offer
        expect(each.locator("#call")).to_have_attribute("data-phase", "talking")
        assert each.evaluate(BEEPS)
    cab.get_by_role("button", name="Hang up").click()
    expect(page.locator("#call")).to_have_attribute("data-phase", "over")


@pytest.mark.usefixtures("microphone")
def test_the_console_calls_the_cab_which_rejects(open_cab: OpenCab, open_console: OpenConsole) -> None:
    cab, vehicle_id = open_cab()
    page = open_console(f"/?vehicle={vehicle_id}")
    page.keyboard.press("c")
    expect(cab.locator(".incoming-call")).to_contain_text("Dispatch")
    cab.get_by_role("button", name="Reject").click()
    expect(page.locator("#call")).to_contain_text("They do not take the call.")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_cab_is_read_in_sunlight(open_cab: OpenCab, add_truck: AddTruck, theme: str) -> None:
    add_truck(90.0)
    cab, _ = open_cab()
    expect(cab.locator(".cab-row").first).to_be_visible()
    if theme == "dark":
        cab.get_by_label("Change between light and dark").click()
    assert violations(cab) == []
    cab.evaluate(AXE.read_text())
    found = cab.evaluate("axe.run({runOnly: {type: 'rule', values: ['color-contrast-enhanced']}})")["violations"]
    assert [node["html"] for rule in found for node in rule["nodes"]] == []
    assert cab.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
