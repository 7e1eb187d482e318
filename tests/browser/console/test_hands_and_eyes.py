"""Keyboard, themes, phone, and what a screen reader needs."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.console.conftest import AddTruck, OpenConsole
from tests.servers.v2v import V2VServer

AXE = Path(__file__).parents[1] / "vendor/axe-core/axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# A color that is on its way from one theme to the other is nobody's choice.
SETTLED = """() => Promise.all(document.getAnimations()
  .filter((animation) => animation.effect.getComputedTiming().endTime !== Infinity)
  .map((animation) => animation.finished.catch(() => {})))"""
PHONE: ViewportSize = {"width": 390, "height": 844}


def violations(page: Page) -> list[str]:
    page.evaluate(AXE.read_text())
    page.evaluate(SETTLED)
    found = page.evaluate("rules => axe.run({runOnly: rules})", RULES)["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html']}" for one in found]


def test_the_list_is_worked_by_keyboard_alone(open_console: OpenConsole) -> None:
    page = open_console()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("alpha-0001")
    expect(page.locator(".vehicle-row")).to_have_count(10)
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    expect(page.locator("#row-alpha-00011")).to_be_focused()
    page.keyboard.press("k")
    expect(page.locator("#row-alpha-00010")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="alpha-00010")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#drawer")).to_be_empty()
    expect(page.locator("#row-alpha-00010")).to_be_focused()


def test_the_question_mark_shows_all_keys(open_console: OpenConsole) -> None:
    page = open_console()
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog).to_contain_text("Search vehicles")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_the_theme_is_dark_until_it_is_changed_and_then_kept(open_console: OpenConsole) -> None:
    page = open_console()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.get_by_label("Change between light and dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_nothing_on_the_console(open_console: OpenConsole, add_truck: AddTruck, theme: str) -> None:
    truck, _ = add_truck(60_000, battery=5), add_truck(60_100)
    page = open_console(f"/?vehicle={truck.vehicle_id}")
    expect(page.locator(".nearby-row")).to_have_count(1)
    if theme == "light":
        page.keyboard.press("t")
    assert violations(page) == []


def test_axe_finds_nothing_on_a_phone(open_console: OpenConsole, page: Page) -> None:
    page.set_viewport_size(PHONE)
    assert violations(open_console()) == []


def test_axe_finds_nothing_on_the_login(page: Page, console_server: V2VServer) -> None:
    page.goto(f"{console_server.url}/login/")
    assert violations(page) == []


def test_on_a_phone_the_list_is_a_sheet_that_gives_way_to_the_details(
    open_console: OpenConsole, page: Page, add_truck: AddTruck
) -> None:
    truck = add_truck()
    page.set_viewport_size(PHONE)
    open_console()
    rail, handle = page.locator("#rail"), page.locator("#sheet-handle")
    box = rail.bounding_box()
    assert box
    assert box["width"] == PHONE["width"]
    assert box["y"] + box["height"] == PHONE["height"]
    handle.click()
    expect(rail).to_have_attribute("data-sheet", "full")
    page.locator(f"#row-{truck.vehicle_id}").click()
    expect(page.get_by_role("heading", name=truck.vehicle_id)).to_be_visible()
    expect(rail).to_be_hidden()
    page.get_by_label("Close the details").click()
    expect(rail).to_be_visible()


def test_nothing_lies_outside_of_a_narrow_page(open_console: OpenConsole, page: Page) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    open_console()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
