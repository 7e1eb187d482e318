"""The list of alerts: order, filter, what is cleared from it."""

import re

from playwright.sync_api import Page, expect

from tests.browser.console.conftest import AddTruck, OpenConsole
from tests.browser.console.desk import Desk


def rows(page: Page, ids: set[str]) -> list[str]:
    """The alerts in the list, in order, of those named."""
    shown = [row.get_attribute("data-alert-id") for row in page.locator(".alert-row:visible").all()]
    return [alert_id for alert_id in shown if alert_id in ids]


def test_the_untaken_come_first_then_the_newest_and_it_follows_without_a_reload(
    open_console: OpenConsole, add_truck: AddTruck, desk: Desk
) -> None:
    page = open_console("/?tab=alerts")
    first, second, third = (add_truck(10 * number).call_for_help() for number in range(3))
    expect(page.locator(f"#alert-row-{third}")).to_be_visible()
    assert rows(page, {first, second, third}) == [third, second, first]
    desk.do("alert_ack", alertId=third)
    expect(page.locator(f"#alert-row-{third}")).to_have_attribute("data-state", "acknowledged")
    assert rows(page, {first, second, third}) == [second, first, third]
    expect(page.locator("#taken-heading")).to_be_visible()


def test_a_filter_narrows_it_and_stands_in_the_address(open_console: OpenConsole, add_truck: AddTruck) -> None:
    crash = add_truck().call_for_help(type="crash", severity="critical")
    fire = add_truck(10).call_for_help(type="hazard", severity="high")
    page = open_console("/?tab=alerts")
    assert set(rows(page, {crash, fire})) == {crash, fire}
    page.get_by_label("Type").select_option("hazard")
    expect(page.locator(f"#alert-row-{crash}")).to_have_count(0)
    expect(page.locator(f"#alert-row-{fire}")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Type")).to_have_value("hazard")
    assert rows(page, {crash, fire}) == [fire]
    page.get_by_label("Severity").select_option("low")
    expect(page.locator("#alert-list")).to_contain_text("No alert matches")


def test_what_is_over_shows_among_all(open_console: OpenConsole, add_truck: AddTruck) -> None:
    truck = add_truck()
    alert_id = truck.call_for_help()
    truck.cancel(alert_id)
    page = open_console("/?tab=alerts")
    assert rows(page, {alert_id}) == []
    page.locator("#alert-filter label", has_text="All").click()
    expect(page.locator(f"#alert-row-{alert_id}")).to_contain_text("Cancelled")
    expect(page).to_have_url(re.compile("alerts=all"))


def test_the_acknowledged_are_cleared_from_this_browser_until_that_is_undone(
    open_console: OpenConsole, add_truck: AddTruck, desk: Desk
) -> None:
    taken, waiting = add_truck().call_for_help(severity="low"), add_truck(10).call_for_help()
    desk.do("alert_ack", alertId=taken)
    page = open_console("/?tab=alerts")
    page.get_by_role("button", name="Clear acknowledged").click()
    assert rows(page, {taken, waiting}) == [waiting]
    page.reload()
    expect(page.locator("#cleared")).to_contain_text("1 cleared")
    assert rows(page, {taken, waiting}) == [waiting]
    page.get_by_role("button", name="Undo").click()
    assert rows(page, {taken, waiting}) == [waiting, taken]


def test_one_that_is_open_again_is_not_cleared(open_console: OpenConsole, add_truck: AddTruck, desk: Desk) -> None:
    truck = add_truck()
    alert_id = truck.call_for_help(severity="low")
    desk.do("alert_ack", alertId=alert_id)
    page = open_console("/?tab=alerts")
    page.get_by_role("button", name="Clear acknowledged").click()
    expect(page.locator(f"#alert-row-{alert_id}")).to_be_hidden()
    truck.call_for_help(alertId=alert_id, severity="high")
    expect(page.locator(f"#alert-row-{alert_id}")).to_be_visible()


def test_the_focus_stays_on_a_row_when_the_list_is_fetched_again(
    open_console: OpenConsole, add_truck: AddTruck
) -> None:
    alert_id = add_truck().call_for_help()
    page = open_console("/?tab=alerts")
    row = page.locator(f"#alert-row-{alert_id}")
    row.focus()
    other = add_truck(10).call_for_help()
    expect(page.locator(f"#alert-row-{other}")).to_be_visible()
    expect(row).to_be_focused()
