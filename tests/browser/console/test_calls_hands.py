"""Calls without a microphone, for a viewer, and on a phone."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.console.conftest import AddHandset, OpenConsole
from tests.browser.console.test_hands_and_eyes import PHONE, violations
from tests.servers.v2v import V2VServer


def test_without_the_microphone_nobody_is_rung_and_the_page_says_what_to_do(
    open_console: OpenConsole, add_handset: AddHandset, console_server: V2VServer
) -> None:
    handset = add_handset()
    page = open_console(f"/?vehicle={handset.vehicle_id}")
    page.keyboard.press("c")
    note = page.locator("#call [data-part=note]")
    expect(note).to_contain_text("The browser does not let this page use the microphone.")
    page.context.grant_permissions(["microphone"], origin=console_server.url)
    page.get_by_role("button", name="Try again").click()
    handset.take()
    expect(page.locator("#call")).to_have_attribute("data-phase", "talking")
    page.keyboard.press("h")
    expect(note).to_have_text("The call has ended.")


def test_a_call_rings_on_while_the_microphone_is_not_allowed(
    open_console: OpenConsole, add_handset: AddHandset, console_server: V2VServer
) -> None:
    handset = add_handset()
    page = open_console()
    handset.call_dispatch()
    page.get_by_role("button", name="Answer", exact=True).click()
    expect(page.locator("#call [data-part=note]")).to_contain_text("Allow it by the sign beside the address")
    expect(page.locator(".incoming-call")).to_be_visible()
    page.context.grant_permissions(["microphone"], origin=console_server.url)
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#call")).to_have_attribute("data-phase", "talking")
    page.keyboard.press("h")


def test_a_viewer_sees_calls_and_makes_none(
    open_console: OpenConsole, add_handset: AddHandset, console_server: V2VServer
) -> None:
    handset = add_handset()
    page = open_console(f"/?tab=calls&vehicle={handset.vehicle_id}", session=console_server.login("alpha_viewer"))
    expect(page.get_by_role("button", name=f"Call {handset.vehicle_id}")).to_have_count(0)
    page.keyboard.press("c")
    expect(page.get_by_text("There is nobody to call.")).to_be_visible()
    expect(page.locator("#call")).to_be_hidden()


@pytest.mark.usefixtures("microphone")
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_nothing_in_a_call(
    open_console: OpenConsole, add_handset: AddHandset, other_session: str, theme: str
) -> None:
    handset, other = add_handset(), add_handset()
    page = open_console(f"/?tab=calls&vehicle={handset.vehicle_id}", session=other_session)
    if theme == "light":
        page.keyboard.press("t")
    page.keyboard.press("c")
    handset.take()
    expect(page.locator("#call")).to_have_attribute("data-phase", "talking")
    other.call_dispatch()
    expect(page.get_by_role("button", name="End and answer")).to_be_visible()
    page.locator(".call-row").first.click()
    expect(page.locator("#drawer .timeline")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Hang up").click()


@pytest.mark.usefixtures("microphone")
def test_on_a_phone_a_call_is_answered_and_hung_up(
    open_console: OpenConsole, page: Page, add_handset: AddHandset
) -> None:
    handset = add_handset()
    page.set_viewport_size(PHONE)
    open_console()
    handset.call_dispatch()
    page.get_by_role("button", name="Answer", exact=True).click()
    expect(page.locator("#call")).to_have_attribute("data-phase", "talking")
    expect(page.get_by_role("button", name="Hang up")).to_be_in_viewport(ratio=1)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    page.get_by_role("button", name="Hang up").click()
    expect(page.locator("#call")).to_contain_text("The call has ended.")
