"""Calls between the console and vehicles, with real sound both ways."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.console.conftest import AddHandset, OpenConsole
from tests.browser.console.desk import Desk
from tests.browser.console.handset import TONE_HERTZ, heard_hertz
from tests.servers.v2v import V2VServer

NEAR_HERTZ = 12  # two lines of the page's spectrum

pytestmark = pytest.mark.usefixtures("microphone")


def banner(page: Page) -> Locator:
    return page.locator(".incoming-call")


def panel(page: Page) -> Locator:
    return page.locator("#call")


def talking(page: Page) -> None:
    expect(panel(page)).to_have_attribute("data-phase", "talking")


def over(page: Page) -> None:
    expect(panel(page)).to_have_attribute("data-phase", "over")


def test_the_console_calls_a_vehicle_and_hears_its_tone(open_console: OpenConsole, add_handset: AddHandset) -> None:
    handset = add_handset()
    page = open_console(f"/?vehicle={handset.vehicle_id}")
    page.keyboard.press("c")
    expect(panel(page)).to_contain_text("Ringing")
    handset.take()
    talking(page)
    assert heard_hertz(page, TONE_HERTZ) == pytest.approx(TONE_HERTZ, abs=NEAR_HERTZ)
    assert handset.hears_sound()
    expect(panel(page).locator("[data-part=timer]")).to_have_text("0:02")
    expect(panel(page).locator(".call-quality")).to_contain_text("Good")
    page.keyboard.press("v")
    expect(panel(page)).to_contain_text("Muted")
    assert handset.falls_silent()
    page.keyboard.press("h")
    expect(panel(page)).to_contain_text("The call has ended.")


def test_a_vehicle_calls_and_a_dispatcher_answers(open_console: OpenConsole, add_handset: AddHandset) -> None:
    handset = add_handset()
    page = open_console("/?tab=calls")
    handset.call_dispatch()
    expect(banner(page)).to_contain_text(f"{handset.vehicle_id} calls")
    expect(page.locator(f".call-row >> text={handset.vehicle_id}")).to_be_visible()
    page.get_by_role("button", name="Answer", exact=True).click()
    talking(page)
    assert heard_hertz(page, TONE_HERTZ) == pytest.approx(TONE_HERTZ, abs=NEAR_HERTZ)
    assert handset.hears_sound()
    expect(banner(page)).to_have_count(0)
    handset.hang_up()
    over(page)
    row = page.locator(".call-row").first
    expect(row).to_contain_text("Ended")
    row.click()
    expect(page.locator("#drawer")).to_contain_text("alpha_dispatcher")
    expect(page.locator("#drawer .timeline-entry strong")).to_have_text(["Initiated", "Ringing", "Answered", "Ended"])


def test_a_call_that_nobody_takes_waits_until_somebody_calls_back(
    open_console: OpenConsole, add_handset: AddHandset
) -> None:
    handset = add_handset()
    page = open_console("/?tab=calls")
    before = int(page.locator("#calls-waiting").inner_text() or 0)
    handset.call_dispatch()
    expect(banner(page)).to_have_count(1)
    handset.hang_up()
    expect(banner(page)).to_have_count(0)
    expect(page.locator("#calls-waiting")).to_have_text(str(before + 1))
    expect(page.get_by_text(f"Missed call from {handset.vehicle_id}")).to_be_visible()
    page.get_by_role("button", name=f"Call back {handset.vehicle_id}").click()
    handset.take()
    talking(page)
    expect(page.locator("#calls-waiting")).to_have_text(str(before or ""))
    page.keyboard.press("h")
    over(page)


def test_rejected_by_the_only_dispatcher(open_console: OpenConsole, add_handset: AddHandset) -> None:
    handset = add_handset()
    page = open_console("/?tab=calls")
    handset.call_dispatch()
    page.get_by_role("button", name="Reject").click()
    expect(banner(page)).to_have_count(0)
    expect(page.locator(".call-row", has_text=handset.vehicle_id)).to_contain_text("Rejected")


def test_rings_in_two_tabs_and_is_answered_in_one(open_console: OpenConsole, add_handset: AddHandset) -> None:
    handset = add_handset()
    one = open_console()
    two = one.context.new_page()
    two.goto(one.url)
    expect(two.locator("#connection")).to_have_attribute("data-state", "open")
    handset.call_dispatch()
    expect(banner(one)).to_have_count(1)
    expect(banner(two)).to_have_count(1)
    two.keyboard.press("p")
    talking(two)
    expect(banner(one)).to_have_count(0)
    expect(one.get_by_text(f"You have answered in another tab: {handset.vehicle_id}")).to_be_visible()
    assert handset.hears_sound()
    two.keyboard.press("h")
    over(two)


def test_a_reload_in_mid_call_goes_on_with_it(
    open_console: OpenConsole, add_handset: AddHandset, page_errors: list[str]
) -> None:
    handset = add_handset()
    page = open_console(f"/?vehicle={handset.vehicle_id}")
    page.keyboard.press("c")
    handset.take()
    talking(page)
    page.reload()
    page_errors.clear()  # of what was being fetched when the page went
    talking(page)
    assert heard_hertz(page, TONE_HERTZ) == pytest.approx(TONE_HERTZ, abs=NEAR_HERTZ)
    assert handset.hears_sound()
    page.keyboard.press("h")
    over(page)


def test_telemetry_comes_ten_times_a_second_beside_the_sound(
    open_console: OpenConsole, add_handset: AddHandset
) -> None:
    handset = add_handset()
    page = open_console(f"/?vehicle={handset.vehicle_id}")
    page.keyboard.press("c")
    handset.take()
    handset.send_telemetry(10, lat=25.2048, lng=55.2708, speed=20.0, battery=81)
    shown = panel(page).locator("[data-part=telemetry]")
    expect(shown).to_contain_text("25.20480° N, 55.27080° E")
    expect(shown).to_contain_text("72 km/h")
    expect(shown).to_contain_text("81%")
    expect(shown).to_contain_text("10 a second")
    page.get_by_label("Live position").uncheck()
    expect(shown).to_be_hidden()
    page.keyboard.press("h")
    over(page)


def test_nobody_is_called_who_is_not_connected(open_console: OpenConsole, console_server: V2VServer) -> None:
    vehicle_id, _ = console_server.vehicle()
    page = open_console(f"/?vehicle={vehicle_id}")
    page.get_by_role("button", name=f"Call {vehicle_id}").click()
    expect(panel(page)).to_contain_text("Nobody is connected there. Write a message")
    page.get_by_role("button", name="Close", exact=True).click()
    expect(panel(page)).to_be_hidden()


def test_the_first_dispatcher_who_answers_has_it_and_the_others_see_who(
    open_console: OpenConsole, add_handset: AddHandset, desk: Desk
) -> None:
    handset = add_handset()
    page = open_console()
    call_id = handset.call_dispatch()
    expect(banner(page)).to_have_count(1)
    desk.do("call_answer", callId=call_id)
    expect(banner(page)).to_have_count(0)
    expect(page.get_by_text(f"alpha_fleet_admin has answered: {handset.vehicle_id}")).to_be_visible()
    expect(panel(page)).to_be_hidden()


def test_who_is_in_a_call_may_end_it_for_another(open_console: OpenConsole, add_handset: AddHandset) -> None:
    first, second = add_handset(), add_handset()
    page = open_console(f"/?vehicle={first.vehicle_id}")
    page.keyboard.press("c")
    first.take()
    talking(page)
    second.call_dispatch()
    page.get_by_role("button", name="End and answer").click()
    expect(panel(page)).to_contain_text(second.vehicle_id)
    talking(page)
    assert second.hears_sound()
    page.keyboard.press("h")
    over(page)


def test_a_tab_whose_socket_is_lost_goes_on_talking_and_with_the_same_call(
    open_console: OpenConsole, add_handset: AddHandset, page_errors: list[str]
) -> None:
    handset = add_handset()
    page = open_console(f"/?vehicle={handset.vehicle_id}")
    page.keyboard.press("c")
    handset.take()
    talking(page)
    page.context.set_offline(True)
    expect(page.locator("#connection")).not_to_have_attribute("data-state", "open")
    page.context.set_offline(False)
    page_errors.clear()  # of what could not be fetched
    expect(page.locator("#connection")).to_have_attribute("data-state", "open")
    talking(page)
    assert handset.hears_sound()
    page.keyboard.press("h")
    expect(panel(page)).to_contain_text("The call has ended.")
